"""How a simulated SMSC behaves, as a value: accounts, times, receipts, customers, what goes wrong when."""

import re
from enum import StrEnum
from typing import Final

import msgspec

from gateway.simulator.phrases import Character
from gateway.smpp import status
from gateway.smpp.receipt import IdForm, State

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)").fullmatch

SHARES: Final = {
    Character.PROMPT: 40.0,
    Character.LATE: 12.0,
    Character.CHATTY: 14.0,
    Character.ANGRY: 10.0,
    Character.FOREIGN: 6.0,
    Character.SILENT: 8.0,
    Character.UNCLEAR: 5.0,
    Character.REVISER: 5.0,
}


class Span(msgspec.Struct, frozen=True):
    """A time, or any time between two: seconds. Written `50ms`, `2s`, `1s..5m`, or as a number of seconds."""

    low: float = 0.0
    high: float = 0.0

    @classmethod
    def parse(cls, written: object) -> "Span":
        """Raises ValueError."""
        low, dots, high = str(written).partition("..")
        span = cls(seconds(low), seconds(high if dots else low))
        if span.high < span.low:
            raise ValueError(f"{written!r} ends before it begins")
        return span

    def __str__(self) -> str:
        return f"{self.low:g}s" if self.low == self.high else f"{self.low:g}s..{self.high:g}s"


def seconds(written: str) -> float:
    """A time as it is written. Raises ValueError."""
    written = written.strip()
    try:
        value = float(written)
    except ValueError:
        match = _TIME(written)
        if match is None:
            raise ValueError(f"{written!r} is no time; write it as 50ms, 2s, 1m or 1s..5s") from None
        return float(match[1]) * _UNITS[match[2]]
    if not 0 <= value < 1e9:
        raise ValueError(f"{written!r} is no time")
    return value


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Account(_Part, frozen=True, kw_only=True):
    """Who may bind."""

    system_id: str
    password: str | None = None  #: none: any will do
    max_binds: int = 0  #: 0: as many as it likes
    rate: float | None = None  #: submits a second; none: the scenario's
    numbers: tuple[str, ...] = ()  #: prefixes of the numbers whose MOs go to this account alone
    receipts_to: str | None = None  #: the account whose receivers get its receipts; none: its own


class Step(_Part, frozen=True, kw_only=True, rename={"since": "from"}):
    """Another rate from a time on, counted from the start of the scenario."""

    since: float
    rate: float


class Ids(_Part, frozen=True, kw_only=True):
    """How message ids are written. `first` none: from the clock, so that a restart uses none again."""

    response: IdForm = IdForm.HEX
    receipt: IdForm = IdForm.HEX
    first: int | None = None
    reuse: int = 0  #: so many ids, again and again; 0: none twice


class Parts(StrEnum):
    """Of which segment of a long text there are receipts."""

    EACH = "each"
    FIRST = "first"
    LAST = "last"


class Via(StrEnum):
    """How receipts travel."""

    DELIVER_SM = "deliver_sm"
    DATA_SM = "data_sm"
    MESSAGE_PAYLOAD = "message_payload"  #: deliver_sm with the text in that parameter


class Receipts(_Part, frozen=True, kw_only=True):
    """Delivery receipts: after how long, with which shares of outcomes, and in whose hand."""

    delay: Span = Span()
    outcomes: dict[State, float] = msgspec.field(default_factory=lambda: {State.DELIVERED: 1.0})
    tlvs: bool = True  #: receipted_message_id and message_state besides the text
    esm_class: bool = True  #: false: nothing but the text says that it is a receipt
    parts: Parts = Parts.EACH
    via: Via = Via.DELIVER_SM
    form: str = "appendix-b"  #: a vendor's habit by its name, or a text with `{id}`, `{stat}` and the like
    words: dict[State, str] = {}  #: of the states, where the SMSC has its own
    hasten: float = 1.0  #: the SMSC's clock goes so much faster for all that a receipt waits for


class Redelivery(_Part, frozen=True, kw_only=True):
    """When a deliver_sm that was not answered, or refused, comes again."""

    timeout: Span = Span(10.0, 10.0)  #: its answer is waited for so long
    after: Span = Span(1.0, 1.0)  #: the pause after a refusal


class Join(StrEnum):
    """How the parts of a customer's long text say that they belong together."""

    UDH8 = "udh8"
    UDH16 = "udh16"
    SAR = "sar"  #: sar_* parameters
    PAYLOAD = "payload"  #: one deliver_sm, the text in message_payload


class MoForm(_Part, frozen=True, kw_only=True):
    """How customers' messages are written."""

    join: Join = Join.UDH8
    data_coding: int | None = None  #: none: 0 or 8, as the text needs


class Customers(_Part, frozen=True, kw_only=True):
    """Customers who answer the questions that they get."""

    shares: dict[Character, float] = msgspec.field(default_factory=lambda: dict(SHARES))
    pace: float = 1.0  #: of their delays: 0 answers at once
    hands_off: tuple[str, ...] = ()  #: ends of numbers that somebody else plays


class Do(StrEnum):
    """What can go wrong."""

    # With the answer to a message. The message is taken where nothing else is said.
    DROP_BEFORE_ANSWER = "drop-before-answer"  #: the connection closes instead of the answer
    DROP_AFTER_ANSWER = "drop-after-answer"
    RESET = "reset"  #: the connection is reset (RST) instead of the answer
    ANSWER_LATE = "answer-late"
    NEVER_ANSWER = "never-answer"
    ANSWER_TWICE = "answer-twice"
    ANSWER_OUT_OF_ORDER = "answer-out-of-order"  #: held, and answered in another order than asked
    ANSWER_WITHOUT_ID = "answer-without-id"
    UNKNOWN_SEQUENCE = "unknown-sequence"  #: the answer bears a sequence number that nobody asked with
    REFUSE = "refuse"  #: answers with `status`, and does not take the message
    NACK = "nack"  #: the same with generic_nack
    GARBAGE = "garbage"  #: random octets instead of the answer
    GARBAGE_BODY = "garbage-body"  #: an answer with a sound head and random octets behind it
    BAD_LENGTH = "bad-length"  #: an answer that says to be shorter than it is
    LONG_LENGTH = "long-length"  #: an answer that says to be of 2 GiB
    CUT_PDU = "cut-pdu"  #: half the answer, then the connection closes
    HALF_OPEN = "half-open"  #: nothing is read or written any more, and nothing closed
    DEAF = "deaf"  #: answers enquire_link and nothing else
    SLOW_READER = "slow-reader"  #: reads nothing for a time
    UNBIND = "unbind"  #: unbinds in mid-window, and answers what is open afterwards
    UNBIND_SILENT = "unbind-silent"  #: unbinds in mid-window, and never answers what is open
    RECEIPT_FIRST = "receipt-first"  #: the receipt goes out before the answer
    # With a bind
    REFUSE_BIND = "refuse-bind"
    NEVER_ANSWER_BIND = "never-answer-bind"
    # With a receipt
    RECEIPT_TWICE = "receipt-twice"
    RECEIPT_CONTRADICTORY = "receipt-contradictory"  #: another one says the contrary
    RECEIPT_LATE = "receipt-late"
    RECEIPT_LOST = "receipt-lost"
    RECEIPT_INTERMEDIATE = "receipt-intermediate"  #: one that is not the last word comes before it
    RECEIPT_FOR_STRANGE_ID = "receipt-for-strange-id"  #: one more, for a message that nobody sent
    RECEIPT_NO_ID = "receipt-no-id"
    # With a customer's message
    MO_TWICE = "mo-twice"
    MO_PARTS_SHUFFLED = "mo-parts-shuffled"
    MO_PART_LOST = "mo-part-lost"
    MO_PART_LATE = "mo-part-late"
    MO_OTHER_SENDER_SAME_REFERENCE = "mo-other-sender-same-reference"


BIND_FAULTS: Final = frozenset({Do.REFUSE_BIND, Do.NEVER_ANSWER_BIND})
RECEIPT_FAULTS: Final = frozenset(
    {
        Do.RECEIPT_TWICE,
        Do.RECEIPT_CONTRADICTORY,
        Do.RECEIPT_LATE,
        Do.RECEIPT_LOST,
        Do.RECEIPT_INTERMEDIATE,
        Do.RECEIPT_FOR_STRANGE_ID,
        Do.RECEIPT_NO_ID,
    }
)
MO_FAULTS: Final = frozenset(
    {
        Do.MO_TWICE,
        Do.MO_PARTS_SHUFFLED,
        Do.MO_PART_LOST,
        Do.MO_PART_LATE,
        Do.MO_OTHER_SENDER_SAME_REFERENCE,
    }
)
#: What can be made to happen now, to a connection without a message.
CONNECTION_FAULTS: Final = (
    *(Do.DROP_BEFORE_ANSWER, Do.DROP_AFTER_ANSWER, Do.RESET, Do.HALF_OPEN, Do.DEAF, Do.SLOW_READER),
    *(Do.UNBIND, Do.UNBIND_SILENT, Do.GARBAGE),
)
SUBMIT_FAULTS: Final = frozenset(Do) - BIND_FAULTS - RECEIPT_FAULTS - MO_FAULTS
#: Faults that last for ever when nothing is said.
LASTING: Final = frozenset({Do.HALF_OPEN, Do.DEAF})

_SECOND: Final = Span(1.0, 1.0)
_AT_ONCE: Final = frozenset({Do.RECEIPT_TWICE, Do.RECEIPT_CONTRADICTORY, Do.RECEIPT_FOR_STRANGE_ID})


class Fault(_Part, frozen=True, kw_only=True, rename={"since": "from"}):
    """One thing that goes wrong, and when. Of several that are due for one message the first one happens."""

    do: Do
    share: float = 1.0  #: of the messages that the rest lets through
    every: int = 1  #: each so-manieth
    after: int = 0  #: not before so many have passed
    times: int | None = None  #: at most so often; none: without end
    to: str = ""  #: only numbers, or system_ids, that begin so
    since: float = 0.0  #: only from so many seconds after the start
    until: float | None = None  #: and until so many
    by: Span | None = None  #: how late, or how long; none: as `lasts` says
    status: int | None = None  #: of a refusal; none: as `says`
    state: State | None = None  #: that a receipt of `receipt-intermediate` or `-contradictory` tells

    @property
    def lasts(self) -> Span:
        """How late, or how long; not to be asked of what lasts for ever."""
        if self.by is not None:
            return self.by
        return Span() if self.do in _AT_ONCE else _SECOND

    @property
    def for_ever(self) -> bool:
        return self.by is None and self.do in LASTING

    @property
    def says(self) -> int:
        """The command_status of a refusal."""
        if self.status is not None:
            return self.status
        return status.ESME_RBINDFAIL if self.do is Do.REFUSE_BIND else status.ESME_RSYSERR


class Scenario(_Part, frozen=True, kw_only=True):
    """All of it. What is not said is a quick, faultless SMSC that lets everybody in."""

    name: str = ""
    seed: int = 1
    accounts: tuple[Account, ...] = ()  #: none: everybody may bind
    latency: Span = Span()  #: from a submit_sm to its answer
    rate: float = 0.0  #: submits a second and account, 0 for no limit
    rates: tuple[Step, ...] = ()  #: other rates later; accounts with a rate of their own keep it
    burst: float | None = None  #: how many may come at once; none: a tenth of a second's, at least one
    throttle_status: int = status.ESME_RTHROTTLED
    queue: int = 0  #: messages of an account without their outcome, 0 for no limit; more are refused
    congestion: bool = False  #: congestion_state in each answer
    ids: Ids = Ids()
    receipts: Receipts = Receipts()
    mo: MoForm = MoForm()
    window: int = 100  #: unanswered deliver_sm a bind
    redelivery: Redelivery = Redelivery()
    enquire_link: Span = Span(30.0, 30.0)
    faults: tuple[Fault, ...] = ()
    customers: Customers | None = None  #: none: nobody answers
