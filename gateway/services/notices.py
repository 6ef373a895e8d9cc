"""Who hears of what became of a message: webhook endpoints, and the conversation whose question it was."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Protocol

from gateway.domain.event import Call, Callback, Event
from gateway.domain.ids import Kind, public
from gateway.domain.message import FINAL, Status, Step
from gateway.domain.timer import Timer, TimerKind
from gateway.services.flights import Outgoing

EVENTS: Final = {
    Status.SUBMITTED: "message.submitted",
    Status.DELIVERED: "message.delivered",
    Status.FAILED: "message.failed",
    Status.EXPIRED: "message.failed",
    Status.SUPPRESSED: "message.failed",
}


class Outbox(Protocol):
    """Knows the endpoints that subscribed."""

    def wants(self, event_type: str) -> bool:
        """Whether anybody listens to it."""

    def rows(self, events: Iterable[Event | Call], now: datetime) -> list[Callback]:
        """One callback for each who does."""


class Notices:
    """Turns a message's step into what others are owed for it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def of(self, outgoing: Outgoing, step: Step, timers: list[Timer], callbacks: list[Callback]) -> None:
        """Add the timers and callbacks that belong to `step` to those of its transaction."""
        message = outgoing.message
        status = outgoing.status
        if message.conversation_id is not None and status in FINAL and status is not Status.DELIVERED:
            timers.append(Timer(message.bucket, step.at, TimerKind.CONVERSATION, message.conversation_id))
        event_type = EVENTS.get(status)
        if event_type is None or not self._outbox.wants(event_type):
            return
        data = {
            "id": public(Kind.MESSAGE, message.id),
            "to": message.msisdn,
            "status": str(status),
            "reason": step.reason,
            "ref": message.ref,
            "lane": message.lane,
            "segments": message.segments,
        }
        event = Event(type=event_type, bucket=message.bucket, subject=message.id, at=step.at, data=data)
        callbacks.extend(self._outbox.rows([event], step.at))
