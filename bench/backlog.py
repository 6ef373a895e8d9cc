"""A million messages of marketing wait, and confirmations come: how soon these leave, and what it costs."""

import json
import time
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from bench.load import MARK
from bench.plan import TEXT, Plan, median, quantiles
from bench.report import Row, progress
from bench.stand import LossError, Stand
from gateway.domain.ids import IdSource
from gateway.domain.message import Lane, Message
from gateway.domain.msisdn import bucket_of
from gateway.storage import messages as message_rows

WAITING: Final = 1_000_000
RATE: Final = 2000  #: messages a second that the SMSC takes
SECONDS: Final = 60
NUMBER: Final = "8613906{:06}"  #: of those who wait: of another beginning than those who are asked to confirm
CONFIRMING: Final = "8613905"
CHUNK: Final = 20_000
ITEM: Final = json.dumps(
    {"to": MARK, "text": TEXT, "lane": "transactional"}, ensure_ascii=False, separators=(",", ":")
)


def measure(plan: Plan) -> list[Row]:
    """Start with them, confirm in the midst of them, start once more."""
    count, seconds = plan.of(WAITING), plan.of(SECONDS) + (6 if plan.quick else 0)
    with Stand(behaviour={"rate": RATE}) as stand:
        if stand.smsc is None:
            raise RuntimeError("backlog needs our own SMSC")
        stand.send(path="/v1/messages", item=ITEM, count=1)
        stand.wait_for("receipts", stand.receipts, 1)
        alone = stand.memory()
        stand.stop()
        began = time.monotonic()
        stand.database_alone(lambda connection: fill(connection, count))
        progress(f"  {count:,} put into the database in {time.monotonic() - began:.1f} s")
        first = _first_submit(stand)
        took, rate, held = _confirm(stand, seconds)
        again = _restart(stand)
    rows = quantiles(f"confirmation while {count:,} wait, POST → submit_sm", took, 1000, "aim 200")
    return [
        *rows,
        Row(
            figure=f"{count:,} wait: sent meanwhile",
            value=rate,
            unit="/s",
            against="the SMSC takes",
            against_value=RATE,
            goal=0.95 * RATE,
        ),
        Row(
            figure=f"{count:,} wait: memory of the gateway at most",
            value=held / 2**20,
            unit="MiB",
            against="nothing waits",
            against_value=alone / 2**20,
            goal=300,
            less_is_better=True,
        ),
        Row(
            figure=f"{count:,} wait: from start to the first submit_sm",
            value=median([first, again]),
            unit="s",
            goal=10,
            less_is_better=True,
            note=f"{first:.1f} s, and {again:.1f} s once more after {seconds} s",
        ),
    ]


async def fill(connection: asyncpg.Connection, count: int) -> None:
    """Put messages into the table as if they had been accepted: like one that was, by the same COPY."""
    columns = ", ".join(Message._fields)
    like = Message(*await connection.fetchrow(f"SELECT {columns} FROM messages LIMIT 1"))  # noqa: S608
    like = like._replace(lane=Lane.MARKETING, status="queued", report=True)
    ids = IdSource()
    for begin in range(0, count, CHUNK):
        await message_rows.insert(
            connection, [_alike(like, n, ids) for n in range(begin, min(count, begin + CHUNK))]
        )
    await connection.execute("VACUUM (ANALYZE) messages")  # autovacuum would have been by


def _alike(like: Message, n: int, ids: IdSource) -> Message:
    msisdn = NUMBER.format(n)
    bucket = bucket_of(msisdn)
    now = time.time()
    return like._replace(
        bucket=bucket, id=ids.new(bucket, now), accepted_at=datetime.fromtimestamp(now, UTC), msisdn=msisdn
    )


def _first_submit(stand: Stand) -> float:
    """Seconds from the start of `serve` until the SMSC has one more."""
    before = stand.taken()
    began = time.monotonic()
    stand.start()
    ready = time.monotonic() - began
    seconds = stand.wait_for_some(before + 1) - began
    progress(f"  ready after {ready:.1f} s, first submit_sm after {seconds:.1f} s")
    return seconds


def _restart(stand: Stand) -> float:
    stand.stop()
    return _first_submit(stand)


def _confirm(stand: Stand, seconds: int) -> tuple[list[float], float, int]:
    """Milliseconds that confirmations took, messages a second meanwhile, and octets of memory at most."""
    if stand.smsc is None:
        raise RuntimeError("backlog needs our own SMSC")
    stand.smsc.ask(do="look", only=CONFIRMING)
    before, began = stand.taken(), time.monotonic()
    stand.begin(path="/v1/messages", item=ITEM, count=seconds, first=1, connections=4, rate=1.0, stamps=True)
    held = 0
    while time.monotonic() - began < seconds:
        held = max(held, stand.memory())
        time.sleep(0.25)
    taken, lasted = stand.taken() - before, time.monotonic() - began
    sent: dict[str, Any] = stand.sent(seconds)["sent"]
    time.sleep(2.0)
    seen = {number[-11:]: at for number, at in stand.smsc.ask(do="seen").items()}
    if missing := sent.keys() - seen.keys():
        raise LossError(f"{len(missing)} of {seconds} confirmations have not left")
    return [(seen[number] - at) * 1000 for number, at in sent.items()], taken / lasted, held
