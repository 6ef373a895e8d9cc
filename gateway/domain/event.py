"""Things that happened which other systems hear of, and calls that we owe them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: `survey.answered` and kin. Webhook endpoints may subscribe to it."""

    type: str
    bucket: int
    subject: UUID  #: of one subject, one after the other
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that a configured connector makes into somebody's system: `ticket.satisfaction` and kin."""

    connector: str
    bucket: int
    subject: UUID
    at: datetime
    data: dict[str, Any]


class CallbackKind(StrEnum):
    """Which way a callback goes out."""

    CONNECTOR = "connector"
    WEBHOOK = "webhook"


class CallbackStatus(StrEnum):
    """Where a callback stands."""

    WAITING = "waiting"
    DONE = "done"
    PARKED = "parked"  #: given up by itself; a person may send it again
    DROPPED = "dropped"  #: its endpoint was removed, or nobody waits for its answer any more


class Callback(NamedTuple):
    """A call out that is owed: one row of `callbacks` as inserted, in the order of these columns."""

    bucket: int
    id: UUID
    kind: str
    target: str
    event: str
    subject: UUID
    payload: dict[str, Any]
    created_at: datetime
    status: str
    tries: int
    due_at: datetime
