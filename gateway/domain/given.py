"""What a conversation can be given: the customer's words, a person's verdict, time, what others answered."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The customer wrote. The two marks are of the operator's word lists."""

    reply_id: UUID
    text: str
    asks_for_help: bool = False  #: a complaint, a wish for a person: whatever else it says
    takes_back: bool = False  #: "that was wrong", without another score


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person read this score in the customer's words."""

    reply_id: UUID
    text: str
    score: int
    who: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A person read yes or no in the customer's words."""

    reply_id: UUID
    text: str
    yes: bool
    who: str


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """The question will never arrive."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The time for an answer is over."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """A time that the conversation set itself has come, before its end."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """A newer conversation takes its place."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Taken back. `reason` is a stable code."""

    reason: str = "cancelled"


@dataclass(frozen=True, slots=True)
class CallDone:
    """Another system has done what it was asked to do. `result` is what the connector found in its answer."""

    connector: str
    result: Any = None
    key: str = ""  #: tells the calls of one conversation to one connector apart


@dataclass(frozen=True, slots=True)
class CallFailed:
    """Another system refused, or could not be reached for as long as it is tried: a person has to look."""

    connector: str
    reason: str
    key: str = ""


Given = (
    ReplyText
    | Verdict
    | Judged
    | PromptFailed
    | TimeUp
    | Reminder
    | Superseded
    | Cancel
    | CallDone
    | CallFailed
)
