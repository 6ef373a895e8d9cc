"""Named points in the gateway at which it kills itself, put in from outside in the child process.

Each is a place just before or just after something becomes durable or visible: COMMIT, octets on the wire,
an answer. `install("name:n")` dies there the n-th time it is reached.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any, Final

from gateway.domain.message import Event
from gateway.esme.link import Link
from gateway.services.callbacks import Callbacks
from gateway.services.changes import Changes
from gateway.services.conversations import Conversations
from gateway.services.dispatch import Dispatch
from gateway.services.inbound import Inbound
from gateway.services.intake import Intake
from gateway.services.leases import Leases
from gateway.services.ledger import Ledger
from gateway.services.receipts import Receipts
from gateway.services.timers import Timers
from gateway.storage import callbacks as callback_rows
from gateway.storage import conversations as conversation_rows
from gateway.storage import evidence as evidence_rows
from gateway.storage import idempotency
from gateway.storage import messages as message_rows
from gateway.storage import replies as reply_rows
from gateway.storage import timers as timer_rows

Reached = Callable[[], None]


def die() -> None:
    """What a power cut looks like to a process."""
    os.kill(os.getpid(), signal.SIGKILL)


class _Fuse:
    """Burns down by one each time the point is reached."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            die()


def before(owner: Any, name: str, fuse: Reached, when: Callable[..., bool] = lambda *_, **__: True) -> None:
    """Reach the point when this function is called."""
    original = getattr(owner, name)
    if asyncio.iscoroutinefunction(original):

        async def later(*args: Any, **kwargs: Any) -> Any:
            if when(*args, **kwargs):
                fuse()
            return await original(*args, **kwargs)

        setattr(owner, name, later)
        return

    def at_once(*args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            fuse()
        return original(*args, **kwargs)

    setattr(owner, name, at_once)


def after(owner: Any, name: str, fuse: Reached, when: Callable[..., bool] = lambda *_, **__: True) -> None:
    """Reach the point when this function has done its work, before its caller goes on."""
    original = getattr(owner, name)
    if asyncio.iscoroutinefunction(original):

        async def later(*args: Any, **kwargs: Any) -> Any:
            result = await original(*args, **kwargs)
            if when(*args, **kwargs):
                fuse()
            return result

        setattr(owner, name, later)
        return

    def at_once(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if when(*args, **kwargs):
            fuse()
        return result

    setattr(owner, name, at_once)


def _attempts(_connection: Any, steps: Any) -> bool:
    return any(step.kind == Event.ATTEMPT for step in steps)


def _answers(_connection: Any, steps: Any) -> bool:
    return any(step.kind in (Event.SUBMITTED, Event.ACCEPTED) for step in steps)


def _seconds(_connection: Any, steps: Any) -> bool:
    return any(step.kind == Event.ATTEMPT and step.copy == 2 for step in steps)


def _receipts(_connection: Any, steps: Any) -> bool:
    return any(step.kind in (Event.DELIVERED, Event.RECEIPT) for step in steps)


def _losses(_connection: Any, steps: Any) -> bool:
    return any(step.kind == Event.LOST for step in steps)


def _some(_connection: Any, rows: Any) -> bool:
    return bool(rows)


def _write(share: float) -> Callable[[Reached], None]:
    """Die when this share of a batch's octets is on the wire, past the transport, which would wait."""

    def install(fuse: Reached) -> None:
        original = Link.submit

        def submit(self: Any, parcels: Any) -> None:
            fuse_left = fuse.left if isinstance(fuse, _Fuse) else 0
            if fuse_left != 1:
                fuse()
                original(self, parcels)
                return
            self._writing.submit(parcels, asyncio.get_running_loop().time())
            octets = self._session.data_to_send()
            descriptor = self._transport.get_extra_info("socket").fileno()
            os.write(descriptor, octets[: max(1, int(len(octets) * share))])
            fuse()

        setattr(Link, "submit", submit)  # noqa: B010 - a method, from outside

    return install


def _answered(handled: bool) -> Callable[[Reached], None]:
    def install(fuse: Reached) -> None:
        put = after if handled else before
        put(Link, "_answered", fuse)

    return install


FAILPOINTS: Final[dict[str, Callable[[Reached], None]]] = {
    # The way in.
    "intake-begins": lambda fuse: before(Intake, "_flush", fuse),
    "message-copied": lambda fuse: after(message_rows, "insert", fuse),
    "key-claimed": lambda fuse: after(idempotency, "claim", fuse),
    "question-stored": lambda fuse: after(conversation_rows, "insert", fuse),
    "timer-stored": lambda fuse: after(timer_rows, "insert", fuse),
    "intake-committed": lambda fuse: before(Dispatch, "hand_over", fuse),
    "intake-handed-over": lambda fuse: after(Dispatch, "hand_over", fuse),
    "batch-committed": lambda fuse: after(Intake, "_store", fuse),
    # The way out.
    "attempt-begins": lambda fuse: before(message_rows, "append", fuse, _attempts),
    "attempt-committed": lambda fuse: after(message_rows, "append", fuse, _attempts),
    "attempt-recorded": lambda fuse: before(Dispatch, "_send", fuse),
    "some-octets-written": _write(0.4),
    "octets-written": _write(1.0),
    "answer-read": _answered(handled=False),
    "answer-understood": _answered(handled=True),
    "outcome-told": lambda fuse: before(Dispatch, "outcomes", fuse),
    "outcome-applied": lambda fuse: after(Dispatch, "outcomes", fuse),
    "outcome-begins": lambda fuse: before(message_rows, "append", fuse, _answers),
    "outcome-committed": lambda fuse: after(message_rows, "append", fuse, _answers),
    "second-attempt-begins": lambda fuse: before(message_rows, "append", fuse, _seconds),
    "loss-begins": lambda fuse: before(message_rows, "append", fuse, _losses),
    "loss-committed": lambda fuse: after(message_rows, "append", fuse, _losses),
    # What the SMSC brings.
    "receipt-read": lambda fuse: before(Receipts, "store", fuse),
    "receipt-begins": lambda fuse: before(message_rows, "append", fuse, _receipts),
    "receipt-committed": lambda fuse: after(message_rows, "append", fuse, _receipts),
    "receipt-kept": lambda fuse: after(message_rows, "keep_early", fuse),
    "receipt-forgotten": lambda fuse: after(message_rows, "forget_early", fuse),
    "receipt-stored": lambda fuse: after(Receipts, "store", fuse),
    "mo-read": lambda fuse: before(Inbound, "store", fuse),
    "mo-parts-copied": lambda fuse: after(reply_rows, "insert_parts", fuse),
    "mo-reply-copied": lambda fuse: after(reply_rows, "insert", fuse),
    "mo-committed": lambda fuse: after(Inbound, "_take_in", fuse),
    "mo-stored": lambda fuse: after(Inbound, "store", fuse),
    "survey-moved": lambda fuse: after(Conversations, "hand_over", fuse),
    # Calls out, and beginning anew.
    "call-stored": lambda fuse: after(callback_rows, "insert", fuse),
    "call-begins": lambda fuse: before(Callbacks, "_post", fuse),
    "call-answered": lambda fuse: after(Callbacks, "_post", fuse),
    "timer-rang": lambda fuse: before(Dispatch, "due", fuse),
    "timer-handled": lambda fuse: after(Dispatch, "due", fuse),
    "leases-taken": lambda fuse: before(Dispatch, "gained", fuse),
    "resumed": lambda fuse: after(Dispatch, "gained", fuse),
    "leases-beaten": lambda fuse: after(Leases, "_beat", fuse),
    "stop-begins": lambda fuse: before(Dispatch, "stop", fuse),
    "ledger-drained": lambda fuse: after(Ledger, "drain", fuse),
    "timers-looked": lambda fuse: before(Timers, "wake", fuse),
}


def _owes(connector: str) -> Callable[..., bool]:
    """Whether rows of calls, or a batch's changes, owe this connector a call."""

    def owes(_: Any, what: Any) -> bool:
        rows = what._callbacks if isinstance(what, Changes) else what
        return any(row.target == connector for row in rows)

    return owes


def _hears(connector: str) -> Callable[..., bool]:
    return lambda _self, _connection, answers, _now: any(call.target == connector for call, _ in answers)


def _posts(part: bytes) -> Callable[..., bool]:
    return lambda _self, request: part in request.url.encode() + (request.body or b"")


def _around(name: str, connector: str, part: bytes) -> dict[str, Callable[[Reached], None]]:
    """From the commit that owes a call to the one that settles it."""
    owes, hears, posts = _owes(connector), _hears(connector), _posts(part)
    return {
        f"{name}-begins": lambda fuse: before(callback_rows, "insert", fuse, owes),
        f"{name}-owed": lambda fuse: after(callback_rows, "insert", fuse, owes),
        f"{name}-committed": lambda fuse: before(Conversations, "hand_over", fuse, owes),
        f"{name}-handed-over": lambda fuse: after(Conversations, "hand_over", fuse, owes),
        f"{name}-call-begins": lambda fuse: before(Callbacks, "_post", fuse, posts),
        f"{name}-call-answered": lambda fuse: after(Callbacks, "_post", fuse, posts),
        f"{name}-settling": lambda fuse: before(Conversations, "on_answers", fuse, hears),
        f"{name}-settled": lambda fuse: after(Conversations, "on_answers", fuse, hears),
    }


#: Around what costs money, and what ends it; only the campaign of paid services comes by all of them.
PAID: Final[dict[str, Callable[[Reached], None]]] = {
    **_around("activation", "service.activate", b'"activate"'),
    **_around("cancellation", "service.cancel", b'"cancel"'),
    **{
        name: point
        for name, point in _around("score", "ticket.satisfaction", b"/satisfaction").items()
        if not name.startswith("score-settl")  # a score's write-back moves no conversation
    },
    "evidence-begins": lambda fuse: before(evidence_rows, "append", fuse, _some),
    "evidence-appended": lambda fuse: after(evidence_rows, "append", fuse, _some),
}

#: Only a stop comes by these.
STOPPING: Final = frozenset({"stop-begins", "ledger-drained"})

#: A process comes by these about once in its life: met the first time, in three lives.
ONCE: Final = STOPPING | {
    "second-attempt-begins",
    "loss-begins",
    "loss-committed",
    "leases-taken",
    "resumed",
    "timers-looked",
}


def install(name: str, times: int) -> None:
    """Put a failpoint in: die when it is reached so many times."""
    (FAILPOINTS | PAID)[name](_Fuse(times))
