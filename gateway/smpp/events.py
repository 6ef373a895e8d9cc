"""What a session tells its owner."""

from enum import StrEnum
from typing import Any

import msgspec

from gateway.smpp.errors import PduError
from gateway.smpp.pdu import Pdu


class State(StrEnum):
    """SMPP 3.4 §2.2; UNBOUND is after an unbind, when only the connection is left to close."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBOUND = "unbound"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why a session ended."""

    LOST = "lost"  #: the connection broke
    UNBOUND = "unbound"  #: we unbound, and the peer agreed
    FRAMING = "framing"  #: the peer's stream lost its frames
    BIND_TIMEOUT = "bind_timeout"  #: no bind, or no answer to it, in time
    SILENT = "silent"  #: enquire_link or unbind without an answer
    UNANSWERED = "unanswered"  #: it may answer enquire_link, but no request any more


class Bound(msgspec.Struct, frozen=True):
    """Our bind was accepted; `pdu` is its response with its parameters."""

    state: State
    pdu: Pdu


class BindRefused(msgspec.Struct, frozen=True):
    """Our bind was answered with an error, or by generic_nack."""

    command_status: int
    pdu: Pdu


class Request(msgspec.Struct, frozen=True):
    """A request for the owner to answer with `Session.answer` or `Session.respond`."""

    pdu: Pdu


class Notice(msgspec.Struct, frozen=True):
    """A PDU that has no response: outbind, alert_notification."""

    pdu: Pdu


class Answered(msgspec.Struct, frozen=True):
    """A response to a request of ours, `seconds` after it was sent. It may be a generic_nack."""

    token: Any
    pdu: Pdu
    seconds: float


class TimedOut(msgspec.Struct, frozen=True):
    """A request without a response in time: what became of it is unknown."""

    token: Any
    command_id: int
    seconds: float


class Late(msgspec.Struct, frozen=True):
    """The response to a request that was given up as `TimedOut`."""

    token: Any
    pdu: Pdu
    seconds: float


class Orphan(msgspec.Struct, frozen=True):
    """A response to no request of ours, dropped. `pdu` is None for a command that SMPP does not know."""

    sequence_number: int
    pdu: Pdu | None


class Malformed(msgspec.Struct, frozen=True):
    """A PDU that could not be read. A request has been answered, or follows as far as it could be read."""

    error: PduError


class PeerUnbound(msgspec.Struct, frozen=True):
    """The peer unbinds and has been answered; responses may still come until the connection closes."""


class Closed(msgspec.Struct, frozen=True):
    """The session is over: send what is left, close the connection. `tokens` had no response."""

    reason: CloseReason
    tokens: tuple[Any, ...]


Event = (
    Bound
    | BindRefused
    | Request
    | Notice
    | Answered
    | TimedOut
    | Late
    | Orphan
    | Malformed
    | PeerUnbound
    | Closed
)
