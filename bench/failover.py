"""Two SMSCs, of which the first dies in the middle: how soon the other one has the rest, and what it cost."""

import json
import time
from collections import Counter
from typing import Final

from bench.load import COUNT_MARK, MARK
from bench.plan import BATCH, Plan
from bench.report import Row, progress
from bench.stand import LossError, Stand

RATE: Final = 2000  #: messages a second
#: When it dies, many messages have no answer yet, and no receipt that would tell.
BEHAVIOUR: Final = {"latency": "50ms", "receipts": {"delay": "500ms"}}
ITEM: Final = json.dumps(
    {"to": MARK, "text": COUNT_MARK + "回音" * 20}, ensure_ascii=False, separators=(",", ":")
)
FLAGGED: Final = """
SELECT left(m.body, 8)::int FROM messages m
 WHERE EXISTS (SELECT FROM steps s WHERE s.bucket = m.bucket AND s.message_id = m.id AND s.copy > 1)"""


def measure(plan: Plan) -> list[Row]:
    """The first SMSC dies while 2,000 messages a second come in."""
    count = 16_000 if plan.quick else 24_000
    with Stand(backup=True, behaviour=BEHAVIOUR) as stand:
        main, backup = stand.smsc, stand.backup
        if main is None or backup is None:
            raise RuntimeError("failover needs our own SMSCs")
        for smsc in (main, backup):
            smsc.ask(do="keep")
        stand.begin(
            path="/v1/messages/batch", item=ITEM, count=count, batch=BATCH, connections=8, rate=RATE / BATCH
        )
        stand.wait_for_some(RATE * 2)
        died = float(main.ask(do="die")["at"])
        stand.sent(count)
        by_main = [n for _, n in main.ask(do="kept")["kept"]]
        caught_up = _wait_for_rest(stand, frozenset(by_main), count)
        by_backup = [n for _, n in backup.ask(do="kept")["kept"]]
        flows = next(at for at, taken, _ in backup.ask(do="paces")["paces"] if taken) - died
        flagged = {row[0] for row in stand.database(lambda connection: connection.fetch(FLAGGED))}
    times = Counter(by_main + by_backup)
    twice = {n for n, seen in times.items() if seen > 1}
    progress(f"  main {len(by_main)}, backup {len(by_backup)}, twice {len(twice)}, flagged {len(flagged)}")
    lost = count - len(times)
    return [
        Row(
            figure="SMSC killed: the other one gets messages after",
            value=flows,
            unit="s",
            goal=10,
            less_is_better=True,
            note=f"{len(twice)} sent twice, and flagged; 5 s are left to it to come back",
        ),
        Row(
            figure="SMSC killed: all accepted messages are with one of them after",
            value=caught_up - died,
            unit="s",
            note=f"{count:,} accepted at {RATE:,}/s",
        ),
        Row(figure="SMSC killed: messages lost", value=lost, unit="", goal=0, less_is_better=True),
        Row(
            figure="SMSC killed: duplicates without a flag",
            value=len(twice - flagged),
            unit="",
            goal=0,
            less_is_better=True,
        ),
    ]


def _wait_for_rest(stand: Stand, by_main: frozenset[int], count: int) -> float:
    """Until one of them has each message; those that the dead one took are not waited for at the other."""
    deadline = time.monotonic() + 60
    while stand.backup is not None and time.monotonic() < deadline:
        if stand.backup.ask(do="counts")["taken"] >= count - len(by_main):
            seen = {n for _, n in stand.backup.ask(do="kept")["kept"]}
            if len(seen | by_main) == count and stand.count(_UNDECIDED) == 0:
                return time.monotonic()
        time.sleep(0.1)
    raise LossError(f"not all of {count} messages have come to an SMSC after 60 s")


#: Messages that the gateway has still to do something for: unanswered copies are sent again.
_UNDECIDED: Final = """
SELECT count(*) FROM messages m
 WHERE NOT EXISTS (SELECT FROM steps s WHERE s.bucket = m.bucket AND s.message_id = m.id
                      AND s.kind IN ('submitted', 'delivered'))"""
