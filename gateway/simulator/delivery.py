"""What the SMSC has for its clients: deliver_sm that wait for a bind with room and come again until taken."""

from collections import deque
from typing import TYPE_CHECKING, Final

from gateway.simulator.record import Arrival, MoPart
from gateway.smpp import codec, receipt, tlv
from gateway.smpp.constants import (
    ESM_UDHI,
    MAX_SHORT_MESSAGE,
    RECEIPT_ALWAYS,
    RECEIPT_ON_FAILURE,
    CommandId,
    MessageState,
    Tag,
)
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.receipt import State
from gateway.smpp.session import Session

if TYPE_CHECKING:
    from gateway.simulator.bind import Bind

_DELIVER_SM: Final = int(CommandId.DELIVER_SM)
_pack_header: Final = codec.HEADER.pack
_OCTETS: Final = tuple(bytes((n,)) for n in range(256))
# What stands between destination_addr and data_coding: its NUL, esm_class, then six fields 0 or empty.
_MIDDLE: Final = tuple(b"\0" + bytes((esm_class,)) + b"\0" * 6 for esm_class in range(256))
_ERR: Final = {State.DELIVERED: "000", State.EXPIRED: "004", State.REJECTED: "008"}
_ID_TAG: Final = Tag.RECEIPTED_MESSAGE_ID.to_bytes(2, "big")
# The parameter message_state, whole.
_STATE: Final = {
    state: tlv.encode({Tag.MESSAGE_STATE: bytes((MessageState[state.name],))}) for state in State
}


_KIND: Final = b"\x01\x01"  # international, ISDN
_SHORT: Final = b"\x00\x01"  # of access numbers nothing is known but that they are numbers


class SmscSession(Session):
    """The SMSC's session, with a quick way for deliver_sm whose body is written already."""

    def deliver(self, body: bytes, now: float, token: object, command_id: int = _DELIVER_SM) -> None:
        """Queue one deliver_sm, or data_sm. Raises as `request` does."""
        self._check(command_id, in_window=True)
        number = self._window.next_sequence_number()
        octets = _pack_header(16 + len(body), command_id, 0, number) + body
        self._sent(number, command_id, octets, token, now)

    def raw(self, octets: bytes) -> None:
        """Queue octets as they are, whatever they are."""
        self._out.append(octets)

    def unbind_at_once(self, now: float) -> None:
        """Unbind and wait for nothing. Raises `StateError` unless bound."""
        self.unbind(now)
        self._drain_by = now
        self._drain(now)


class Delivery:
    """One deliver_sm under way: its body, and what it is of."""

    __slots__ = ("body", "mailbox", "of", "settled")

    def __init__(self, body: bytes, of: Arrival | MoPart, mailbox: "Mailbox") -> None:
        self.body = body
        self.of = of
        self.mailbox = mailbox
        self.settled = False  #: taken by the client


class OddDelivery(Delivery):
    """One that is not as nearly all are: a data_sm, or a receipt that tells something else."""

    __slots__ = ("command_id", "said")

    def __init__(
        self, body: bytes, of: Arrival | MoPart, mailbox: "Mailbox", command_id: int, said: str
    ) -> None:
        super().__init__(body, of, mailbox)
        self.command_id = command_id
        self.said = said


class Mailbox:
    """Deliveries for one account, or for whoever is bound, and the binds that may take them."""

    def __init__(self) -> None:
        self.ready: deque[Delivery] = deque()
        self.binds: list[Bind] = []

    def pump(self, now: float) -> None:
        """Hand out what is ready, as far as there is room; the binds take turns in being first."""
        ready, binds = self.ready, self.binds
        for bind in tuple(binds):
            room = bind.room
            while ready and room > 0:
                delivery = ready.popleft()
                if not delivery.settled:
                    bind.deliver(delivery, now)
                    room -= 1
            if not ready:
                break
        if len(binds) > 1:
            binds.append(binds.pop(0))

    def again(self, deliveries: list[Delivery]) -> None:
        """These were not answered: they go before all others, in their order."""
        self.ready.extendleft(each for each in reversed(deliveries) if not each.settled)


def wanted(registered_delivery: int, state: State) -> bool:
    """Whether a receipt of this outcome was asked for (SMPP 3.4 §5.2.17)."""
    asked = registered_delivery & 3
    return asked == RECEIPT_ALWAYS or (asked == RECEIPT_ON_FAILURE and state is not State.DELIVERED)


def without_parameters(delivery: Delivery) -> bytes:
    """The same as a deliver_sm for a client of before SMPP 3.4, which knows no parameters: its body."""
    command_id = delivery.command_id if isinstance(delivery, OddDelivery) else _DELIVER_SM
    octets = _pack_header(16 + len(delivery.body), command_id, 0, 0) + delivery.body
    pdu = codec.decode(octets)
    if isinstance(pdu, DeliverSm) and not pdu.tlvs:
        return delivery.body
    if not isinstance(pdu, DeliverSm | DataSm):
        raise TypeError(f"a delivery is no {type(pdu).__name__}")
    text = getattr(pdu, "short_message", b"") or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    source, destination = pdu.source_addr_ton, pdu.dest_addr_ton
    return body(
        bytes((source, pdu.source_addr_npi)),
        pdu.source_addr,
        bytes((destination, pdu.dest_addr_npi)),
        pdu.destination_addr,
        pdu.esm_class,
        pdu.data_coding,
        text[:MAX_SHORT_MESSAGE],
    )


def body(  # noqa: PLR0917 - in the order of the wire
    source_kind: bytes,
    source: str,
    destination_kind: bytes,
    destination: str,
    esm_class: int,
    data_coding: int,
    octets: bytes,
    tlvs: bytes = b"",
) -> bytes:
    """The body of a deliver_sm; kinds are TON and NPI. Octets over 255 belong into a parameter."""
    return b"".join(
        (
            b"\0",
            source_kind,
            source.encode("latin-1"),
            b"\0",
            destination_kind,
            destination.encode("latin-1"),
            _MIDDLE[esm_class],
            _OCTETS[data_coding],
            b"\0",
            _OCTETS[len(octets)],
            octets,
            tlvs,
        )
    )


def receipt_body(
    arrival: Arrival, state: State, message_id: str, *, submitted: str, done: str, tlvs: bool, declared: bool
) -> bytes:
    """The receipt of a message, in the form of SMPP 3.4 appendix B. Dates are YYMMDDhhmm."""
    plain = arrival.data_coding == 0 and not arrival.esm_class & 0x40
    text = receipt.write(
        message_id,
        state,
        submit_date=submitted,
        done_date=done,
        err=_ERR.get(state, "001"),
        text=arrival.octets[:20].decode("latin-1") if plain else "",
    )
    parameters = b""
    if tlvs:
        written = message_id.encode("latin-1") + b"\0"
        parameters = b"".join((_ID_TAG, len(written).to_bytes(2, "big"), written, _STATE[state]))
    return body(
        arrival.destination_kind,
        arrival.destination,
        arrival.source_kind,
        arrival.source,
        0x04 if declared else 0,
        0,
        text,
        parameters,
    )


def data_body(
    arrival: Arrival, text: bytes, esm_class: int, parameters: dict[int, bytes], *, swapped: bool
) -> bytes:
    """The body of a data_sm with a receipt."""
    ends = (
        (arrival.destination_kind, arrival.destination, arrival.source_kind, arrival.source)
        if swapped
        else (arrival.source_kind, arrival.source, arrival.destination_kind, arrival.destination)
    )
    pdu = DataSm(
        source_addr_ton=ends[0][0],
        source_addr_npi=ends[0][1],
        source_addr=ends[1],
        dest_addr_ton=ends[2][0],
        dest_addr_npi=ends[2][1],
        destination_addr=ends[3],
        esm_class=esm_class,
        tlvs=parameters | ({int(Tag.MESSAGE_PAYLOAD): text} if text else {}),
    )
    return codec.encode(pdu)[16:]


def mo_body(part: MoPart) -> bytes:
    """A customer's message; over 254 octets in message_payload. Raises ValueError."""
    octets, tlvs = part.octets, part.tlvs
    if part.in_payload or len(octets) > MAX_SHORT_MESSAGE:
        if part.esm_class & ESM_UDHI:
            raise ValueError("a message with a header does not fit into one deliver_sm")
        tlvs = (tlvs or {}) | {int(Tag.MESSAGE_PAYLOAD): octets}
        octets = b""
    return body(
        _KIND,
        part.source,
        _SHORT,
        part.destination,
        part.esm_class,
        part.data_coding,
        octets,
        tlv.encode(tlvs) if tlvs else b"",
    )
