"""What is due at a moment: a held message, the end of a survey, a reply that waits for its parts."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class TimerKind(StrEnum):
    """Who deals with it."""

    MESSAGE = "message"  #: its time to be sent has come
    CONVERSATION = "conversation"  #: look after it: expired, to be reminded, its question could not be sent
    REASSEMBLY = "reassembly"  #: parts that never came


class Timer(NamedTuple):
    """One row of `timers`, in the order of its columns."""

    bucket: int
    due_at: datetime
    kind: str
    subject: UUID
