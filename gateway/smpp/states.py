"""Which side may send what in which state: the table that the session walks (SMPP 3.4 §2.3)."""

from enum import StrEnum
from typing import Final

from gateway.smpp.constants import CommandId
from gateway.smpp.events import State


class Role(StrEnum):
    """The side of the session that we are."""

    ESME = "esme"
    SMSC = "smsc"


_C = CommandId
#: The state that each bind leads to.
BINDS: Final[dict[int, State]] = {
    _C.BIND_TRANSMITTER: State.BOUND_TX,
    _C.BIND_RECEIVER: State.BOUND_RX,
    _C.BIND_TRANSCEIVER: State.BOUND_TRX,
}
BOUND: Final = frozenset(BINDS.values())
_SUBMITTING: Final[frozenset[int]] = frozenset(
    {
        _C.SUBMIT_SM,
        _C.SUBMIT_MULTI,
        _C.DATA_SM,
        _C.QUERY_SM,
        _C.CANCEL_SM,
        _C.REPLACE_SM,
        _C.BROADCAST_SM,
        _C.QUERY_BROADCAST_SM,
        _C.CANCEL_BROADCAST_SM,
    }
)
_DELIVERING: Final[frozenset[int]] = frozenset({_C.DELIVER_SM, _C.DATA_SM, _C.ALERT_NOTIFICATION})
_NOTHING: Final[frozenset[int]] = frozenset()

# Which requests a side may send in which state: SMPP 3.4 §2.3 table 2-1, SMPP 5.0 §2.4. enquire_link and
# unbind are the session's own: the first is answered in every state, the second once bound.
ALLOWED: Final[dict[tuple[Role, State], frozenset[int]]] = {
    (Role.ESME, State.OPEN): frozenset(BINDS),
    (Role.ESME, State.BOUND_TX): _SUBMITTING,
    (Role.ESME, State.BOUND_RX): _NOTHING,
    (Role.ESME, State.BOUND_TRX): _SUBMITTING,
    (Role.ESME, State.UNBOUND): _NOTHING,
    (Role.ESME, State.CLOSED): _NOTHING,
    (Role.SMSC, State.OPEN): frozenset({_C.OUTBIND}),
    (Role.SMSC, State.BOUND_TX): _NOTHING,
    (Role.SMSC, State.BOUND_RX): _DELIVERING,
    (Role.SMSC, State.BOUND_TRX): _DELIVERING,
    (Role.SMSC, State.UNBOUND): _NOTHING,
    (Role.SMSC, State.CLOSED): _NOTHING,
}
#: Requests that are not answered.
WITHOUT_RESPONSE: Final[frozenset[int]] = frozenset({_C.OUTBIND, _C.ALERT_NOTIFICATION})
