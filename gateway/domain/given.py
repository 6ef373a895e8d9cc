"""What a conversation can be given: the customer's words, a person's verdict, time, what others answered."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from gateway.domain.testimony import Answered, Carried, Octets

#: A ticket's number is no text: what is longer is cut.
MAX_NUMBER: Final = 32


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a reply beside its words: a confirmation, which may cost money, asks for all of it."""

    address: str  #: what it was written to
    octets: tuple[Octets, ...] = ()  #: as it came over the wire
    sent: Carried | None = None  #: the log of the question, as it stands
    alone: bool = True  #: no other open question could be meant by words without a code
    garbled: bool = False  #: its octets are not well-formed
    agreed: int = 0  #: how often this customer agreed lately, elsewhere
    agreed_by_all: int = 0  #: how often this service was agreed to lately


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The customer wrote. The two marks are of the operator's word lists."""

    reply_id: UUID
    text: str
    asks_for_help: bool = False  #: a complaint, a wish for a person: whatever else it says
    takes_back: bool = False  #: "that was wrong", without another score
    elsewhere: bool = False  #: it could as well answer a question of another kind
    heard: Heard | None = None


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
class CallBack:
    """The time has come to have this customer called back, as the rules picked it."""


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
    attest: Answered | None = None  #: the answer, as it goes on record

    @property
    def number(self) -> str | None:
        """The number of a ticket that was made; None where the answer has none."""
        number = str(self.result).strip() if isinstance(self.result, str | int) else ""
        return number[:MAX_NUMBER] or None


@dataclass(frozen=True, slots=True)
class CallFailed:
    """Another system refused, or could not be reached for as long as it is tried: a person has to look."""

    connector: str
    reason: str
    key: str = ""
    attest: Answered | None = None


Given = (
    ReplyText
    | Verdict
    | Judged
    | PromptFailed
    | TimeUp
    | Reminder
    | CallBack
    | Superseded
    | Cancel
    | CallDone
    | CallFailed
)
