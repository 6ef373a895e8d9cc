"""The gateway with a fault put in on purpose: `python -m tests.torture.broken --config … serve`.

`HUIYIN_TORTURE` says which: `failpoint:<name>:<n>`, or `broken:<variant>`. The gateway itself knows nothing
of it: everything is patched in from here.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from gateway.cli import main
from gateway.domain.message import Event
from gateway.services import backlog, flights, resume, settling
from gateway.services.dispatch import Dispatch
from gateway.services.flights import Flights, Leg, Outgoing
from gateway.services.inbound import Inbound
from gateway.services.intake import Intake
from gateway.services.ledger import Ledger
from gateway.services.matching import Tables
from gateway.services.receipts import Receipts
from gateway.services.redelivery import Redelivery
from gateway.services.settling import Settling
from gateway.storage import idempotency
from tests.torture import failpoints

#: How long a broken variant lets the world wait for what it has already promised.
TARDY_SECONDS: Final = 0.5


def put(owner: Any, name: str, broken: Any) -> None:
    """Put something else in its place; there must be something."""
    getattr(owner, name)
    setattr(owner, name, broken)


def answer_before_commit() -> None:
    """The caller hears 2xx while the commit is still to come."""

    one_at_a_time = asyncio.Lock()

    async def together(self: Any, jobs: Any) -> Any:
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def store() -> None:
            try:
                async with one_at_a_time, self._connection.transaction() as connection:
                    outcomes, then = await self._carry_out(connection, jobs, self._now())
                    answered.set_result(outcomes)
                    await asyncio.sleep(TARDY_SECONDS)
                then()
            except Exception as error:
                if answered.done():
                    raise
                answered.set_exception(error)

        _keep(asyncio.ensure_future(store()))
        return await answered

    put(Intake, "_together", together)


def attempt_after_bytes() -> None:
    """The attempt goes on record when its octets are long gone."""
    original: Any = Ledger.record

    async def record(self: Any, entry: Any) -> Any:
        if not any(step.kind == Event.ATTEMPT for step in entry.steps):
            return await original(self, entry)

        async def later() -> None:
            await asyncio.sleep(TARDY_SECONDS)
            await original(self, entry)

        _keep(asyncio.ensure_future(later()))
        return frozenset()

    put(Ledger, "record", record)
    _slow_settlement()


def _slow_settlement() -> None:
    original: Any = Dispatch._put_on_record

    async def put_on_record(self: Any, *args: Any) -> None:
        await asyncio.sleep(2 * TARDY_SECONDS)
        await original(self, *args)

    put(Dispatch, "_put_on_record", put_on_record)


def requeue_at_once() -> None:
    """Without an answer it is simply sent again, as if it had never left."""

    def unknown(self: Any, segment: Any, *_: Any) -> None:
        segment.state = Leg.WAITING
        segment.copy -= 1
        outgoing = segment.outgoing
        self._flights.open[outgoing.message.id] = outgoing
        if not outgoing.taken:
            self._backlog.queue.put(outgoing)
            self._backlog.wake.set()

    put(Settling, "_unknown", unknown)


def resend_all() -> None:
    """Every message is sent once more when its answer is lost, those too that must not be."""
    for module in (backlog, flights, resume, settling):
        put(module, "resendable", lambda segment: segment.doubtful < 2)


def mo_answered_first() -> None:
    """The SMSC hears OK while a customer's words are still in memory only."""
    original: Any = Inbound.store

    async def store(self: Any, short_messages: Any) -> None:
        async def later() -> None:
            await asyncio.sleep(TARDY_SECONDS)
            await original(self, short_messages)

        _keep(asyncio.ensure_future(later()))

    put(Inbound, "store", store)


def receipt_answered_first() -> None:
    """The SMSC hears OK while a receipt is still in memory only."""
    original: Any = Receipts.store

    async def store(self: Any, receipts: Any) -> None:
        async def later() -> None:
            await asyncio.sleep(TARDY_SECONDS)
            await original(self, receipts)

        _keep(asyncio.ensure_future(later()))

    put(Receipts, "store", store)


def drop_unmatched() -> None:
    """A receipt that matches nothing is answered and forgotten."""

    async def look_up(_self: Any, _receipts: Any, _plan: Any) -> None:
        return

    put(Receipts, "_look_up", look_up)


def duplicates_by_text() -> None:
    """What a customer wrote before is taken for the SMSC's copy and swallowed."""
    seen: set[tuple[str, str]] = set()
    original: Any = Redelivery.flag

    async def flag(self: Any, connection: Any, parts: Any) -> Any:
        flagged = []
        for part in await original(self, connection, parts):
            again = (part.msisdn, part.text) in seen
            seen.add((part.msisdn, part.text))
            flagged.append(part._replace(redelivery=True) if again else part)
        return flagged

    put(Redelivery, "flag", flag)


def forget_keys() -> None:
    """An Idempotency-Key is taken for decoration."""

    async def find(*_: Any) -> dict[bytes, Any]:
        return {}

    async def claim(_connection: Any, firsts: Any) -> Any:
        return {first.key_hash for first in firsts}

    put(idempotency, "find", find)
    put(idempotency, "claim", claim)


def forget_at_start() -> None:
    """What lay in the table at the start is left there."""

    async def nothing(*_: Any) -> int:
        return 0

    put(Dispatch, "gained", nothing)
    put(Dispatch, "look_for_strays", nothing)  # which would find what is a minute old


def double_write() -> None:
    """A new Idempotency-Key for each try of a call to the ticket system."""
    from gateway.domain.connector import Connector

    original: Any = Connector.request

    def request(self: Any, callback: Any) -> Any:
        made = original(self, callback)
        headers = tuple(
            (name, f"{value}-{callback.tries}" if name == "Idempotency-Key" else value)
            for name, value in made.headers
        )
        return made._replace(headers=headers)

    put(Connector, "request", request)


def lose_flags() -> None:
    """Copies are sent, and not flagged."""
    original: Any = Outgoing.advance

    def advance(self: Any, event: Any, at: Any, segment: Any = None, **fields: Any) -> Any:
        fields |= {"copy": 1} if fields.get("copy") else {}
        fields |= {"reason": None} if fields.get("reason") == settling.MAYBE else {}
        return original(self, event, at, segment, **fields)

    put(Outgoing, "advance", advance)


def forget_receipts() -> None:
    """Memory alone knows whose receipts are to come: after a restart they match nothing."""

    async def in_the_tables(*_: Any) -> dict[Any, Any]:
        return {}

    put(Tables, "find", in_the_tables)
    put(Tables, "find_older", in_the_tables)
    put(Flights, "only_unknown_to", lambda *_: None)


VARIANTS: Final[dict[str, Callable[[], None]]] = {
    "answer-before-commit": answer_before_commit,
    "attempt-after-bytes": attempt_after_bytes,
    "requeue-at-once": requeue_at_once,
    "resend-all": resend_all,
    "mo-answered-first": mo_answered_first,
    "receipt-answered-first": receipt_answered_first,
    "drop-unmatched-receipts": drop_unmatched,
    "duplicates-by-text": duplicates_by_text,
    "forget-keys": forget_keys,
    "forget-at-start": forget_at_start,
    "double-write": double_write,
    "lose-flags": lose_flags,
    "forget-receipts": forget_receipts,
}

_tasks: set[asyncio.Future[Any]] = set()


def _keep(task: asyncio.Future[Any]) -> None:
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def install(tricks: str) -> None:
    """Put in what a line such as `broken:resend-all,failpoint:octets-written:3` asks for."""
    for trick in tricks.split(","):
        kind, _, what = trick.partition(":")
        if kind == "broken":
            VARIANTS[what]()
        elif kind == "failpoint":
            name, _, times = what.partition(":")
            failpoints.install(name, int(times or 1))


if __name__ == "__main__":
    install(os.environ.get("HUIYIN_TORTURE", ""))
    sys.exit(main())
