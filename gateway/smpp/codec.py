"""PDUs to octets and back. The field tables of `pdu` are the rule; the PDUs of the hot path have quick
ways beside it which give the same values, or hand the frame over to the table where anything is unusual."""

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from gateway.smpp import status as st
from gateway.smpp import tlv
from gateway.smpp.constants import (
    HEADER_LENGTH,
    MAX_PDU_LENGTH,
    MAX_SHORT_MESSAGE,
    RESPONSE,
    CommandId,
)
from gateway.smpp.errors import EncodeError, FieldError, FramingError, PduError
from gateway.smpp.fields import cstring
from gateway.smpp.pdu import (
    BY_COMMAND,
    DeliverSm,
    DeliverSmResp,
    GenericNack,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    fields_of,
    response_to,
)

HEADER: Final = struct.Struct(">IIII")
_pack_header = HEADER.pack
_read_header = HEADER.unpack_from
_read_length = struct.Struct(">I").unpack_from
_read_tlv_head = struct.Struct(">HH").unpack_from
_read_flags = struct.Struct(">BBBBB").unpack_from
_OCTETS: Final = tuple(bytes((n,)) for n in range(MAX_SHORT_MESSAGE + 1))

_ShortMessagePdu = TypeVar("_ShortMessagePdu", SubmitSm, DeliverSm)


def encode(pdu: Pdu) -> bytes:
    """The PDU's octets. Raises `EncodeError` when a field can't carry its value."""
    out: list[bytes] = [b""]
    if not (
        pdu.bare_when_refused and pdu.command_status and not pdu.tlvs and not getattr(pdu, "message_id", "")
    ):
        for name, wire in fields_of(type(pdu)):
            try:
                wire.write(getattr(pdu, name), out)
            except EncodeError as error:
                raise EncodeError(f"{name}: {error}") from None
    if pdu.tlvs or pdu.more_tlvs:
        out.append(tlv.encode(pdu.tlvs, pdu.more_tlvs))
    length = HEADER_LENGTH + sum(map(len, out))
    if length > MAX_PDU_LENGTH:
        raise EncodeError(f"a PDU of {length} octets where {MAX_PDU_LENGTH} may stand")
    try:
        out[0] = _pack_header(length, pdu.command_id, pdu.command_status, pdu.sequence_number)
    except struct.error:
        raise EncodeError("a command_status or sequence_number beyond 32 bits") from None
    return b"".join(out)


def decode(frame: bytes) -> Pdu:
    """The PDU in one whole frame. Raises `PduError`, and nothing else, whatever the octets are."""
    if len(frame) < HEADER_LENGTH:
        raise PduError(
            command_id=0, sequence_number=0, status=st.ESME_RINVCMDLEN, reason="a frame shorter than a header"
        )
    length, command_id, command_status, sequence_number = _read_header(frame)
    if length == len(frame):
        quick = _QUICK.get(command_id)
        if quick is not None:
            pdu = quick(frame, command_status, sequence_number)
            if pdu is not None:
                return pdu
    return decode_by_table(frame)


def decode_by_table(frame: bytes) -> Pdu:
    """As `decode`, by the field table alone: the rule that the quick ways are held against."""
    length, command_id, command_status, sequence_number = _read_header(frame)
    cls = BY_COMMAND.get(command_id)
    values: dict[str, Any] = {"sequence_number": sequence_number, "command_status": command_status}
    salvageable = bool(command_id & RESPONSE)
    try:
        if cls is None:
            raise FieldError(st.ESME_RINVCMDID, "unknown to SMPP 3.4 and 5.0")
        if length != len(frame):
            raise FieldError(st.ESME_RINVCMDLEN, f"a frame of {len(frame)} octets that calls itself {length}")
        if not (salvageable and command_status and _read_parameters_alone(cls, frame, values)):
            at = _read_fields(cls, frame, values)
            if at < length:
                found, more, fault = tlv.read(frame, at)
                if fault is None or fields_of(cls):  # without fields the header says it all
                    values["tlvs"], values["more_tlvs"] = found, more
                    if fault is not None:
                        salvageable = salvageable or cls.survives_torn_tlvs
                        raise fault
    except FieldError as error:
        raise PduError(
            command_id=command_id,
            sequence_number=sequence_number,
            status=error.status,
            reason=error.reason,
            salvaged=cls(**values) if cls is not None and salvageable else None,
        ) from None
    return cls(**values)


def _read_fields(cls: type[Pdu], frame: bytes, values: dict[str, Any]) -> int:
    """Read the mandatory fields into `values`; the offset behind them. Raises `FieldError`."""
    at = HEADER_LENGTH
    # Responses without a body are read whatever their status: many peers leave it out (SMPP 3.4 §4.4.2).
    if not (cls.command_id & RESPONSE and len(frame) == HEADER_LENGTH):
        for name, wire in fields_of(cls):
            values[name], at = wire.read(frame, at)
    return at


def _read_parameters_alone(cls: type[Pdu], frame: bytes, values: dict[str, Any]) -> bool:
    """Whether a refusal leaves its fields out and is nothing but parameters: then read them.

    SMPP 3.4 §4.4.2 leaves the body out, SMPP 5.0 tells the reason in parameters, so some peers write the
    one without the other. No id begins with a control character, and the tags of SMPP all do.
    """
    if len(frame) < HEADER_LENGTH + 4 or frame[HEADER_LENGTH] >= 0x20 or not fields_of(cls):
        return False
    found, more, fault = tlv.read(frame, HEADER_LENGTH)
    if fault is not None or not all(tlv.is_known(tag) for tag in found):
        return False
    values["tlvs"], values["more_tlvs"] = found, more
    return True


def refusal(error: PduError) -> bytes | None:
    """The answer to a malformed or unknown request: its response, else generic_nack, with the error's status.

    None for responses, which are never answered (SMPP 3.4 §4.3).
    """
    if error.command_id & RESPONSE:
        return None
    cls = response_to(error.command_id) or GenericNack
    return encode(cls(sequence_number=error.sequence_number, command_status=error.status))


def _quick_short_message(
    cls: type[_ShortMessagePdu], frame: bytes, command_status: int, sequence_number: int
) -> _ShortMessagePdu | None:
    """submit_sm and deliver_sm as they nearly always are; None sends the frame to the table."""
    try:
        index = frame.index
        source = index(0, HEADER_LENGTH) + 3
        source_end = index(0, source)
        dest = source_end + 3
        dest_end = index(0, dest)
        at = dest_end + 4
        schedule = validity = ""
        if frame[at]:
            schedule, at = _quick_time(frame, at)
        at += 1
        if frame[at]:
            validity, at = _quick_time(frame, at)
        text = at + 6
        registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, sm_length = _read_flags(
            frame, at + 1
        )
        at = text + sm_length
        end = len(frame)
        if source > 24 or source_end - source > 20 or dest_end - dest > 20 or at > end:
            return None
        tlvs: dict[int, bytes] = {}
        while at < end:
            tag, size = _read_tlv_head(frame, at)
            at += 4
            if at + size > end or tag in tlvs:
                return None
            tlvs[tag] = frame[at : at + size]
            at += size
        return cls(
            sequence_number,
            command_status,
            tlvs,
            (),
            "" if source == 19 else frame[HEADER_LENGTH : source - 3].decode("latin-1"),
            frame[source - 2],
            frame[source - 1],
            frame[source:source_end].decode("latin-1"),
            frame[dest - 2],
            frame[dest - 1],
            frame[dest:dest_end].decode("latin-1"),
            frame[dest_end + 1],
            frame[dest_end + 2],
            frame[dest_end + 3],
            schedule,
            validity,
            registered_delivery,
            replace_if_present_flag,
            data_coding,
            sm_default_msg_id,
            frame[text : text + sm_length],
        )
    except (ValueError, IndexError, struct.error):
        return None


def _quick_time(frame: bytes, at: int) -> tuple[str, int]:
    end = frame.index(0, at)
    if end - at > 16:
        raise ValueError("a time of more than 16 octets")
    return frame[at:end].decode("latin-1"), end


def _quick_submit_sm(frame: bytes, command_status: int, sequence_number: int) -> Pdu | None:
    return _quick_short_message(SubmitSm, frame, command_status, sequence_number)


def _quick_deliver_sm(frame: bytes, command_status: int, sequence_number: int) -> Pdu | None:
    return _quick_short_message(DeliverSm, frame, command_status, sequence_number)


def _quick_submit_sm_resp(frame: bytes, command_status: int, sequence_number: int) -> Pdu | None:
    """A response of nothing but its id, which ends where the frame ends."""
    end = len(frame) - 1
    if frame.find(0, HEADER_LENGTH) != end or (command_status and end > HEADER_LENGTH):
        return None
    return SubmitSmResp(sequence_number, command_status, {}, (), frame[HEADER_LENGTH:end].decode("latin-1"))


def _quick_deliver_sm_resp(frame: bytes, command_status: int, sequence_number: int) -> Pdu | None:
    end = len(frame) - 1
    if frame.find(0, HEADER_LENGTH) != end or (command_status and end > HEADER_LENGTH):
        return None
    return DeliverSmResp(sequence_number, command_status, {}, (), frame[HEADER_LENGTH:end].decode("latin-1"))


_QUICK: Final[dict[int, Callable[[bytes, int, int], Pdu | None]]] = {
    int(CommandId.SUBMIT_SM): _quick_submit_sm,
    int(CommandId.DELIVER_SM): _quick_deliver_sm,
    int(CommandId.SUBMIT_SM_RESP): _quick_submit_sm_resp,
    int(CommandId.DELIVER_SM_RESP): _quick_deliver_sm_resp,
}


class FrameReader:
    """Cuts a stream into PDUs. It never holds more than one PDU and what one read brought."""

    __slots__ = ("_buffer", "_wanted")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = 0  # octets without which looking at the buffer again is of no use

    @property
    def buffered(self) -> int:
        """Octets of a PDU that has not come whole yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that `data` completes. Raises `FramingError` as soon as a length can't be."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        frames: list[bytes] = []
        at, end = 0, len(data)
        self._wanted = 4
        while end - at >= 4:
            length = _read_length(data, at)[0]
            if not HEADER_LENGTH <= length <= MAX_PDU_LENGTH:
                whole = end - at >= HEADER_LENGTH
                raise FramingError(length, _read_header(data, at)[3] if whole else 0, frames)
            if end - at < length:
                self._wanted = length
                break
            frames.append(data[at : at + length])
            at += length
        if at < end:
            self._buffer += data[at:]
        return frames


class SubmitTemplate:
    """submit_sm for one route and sender: what never changes is encoded once.

    The settings that a message may change are cached by their values, so that a message costs the join of
    its parts. Raises `EncodeError` at once when a constant does not fit its field.
    """

    __slots__ = ("_defaults", "_head", "_middles", "_tail", "protocol_id", "replace", "sm_default_msg_id")

    #: Combinations of settings kept; absolute validity times would make them grow for ever.
    MIDDLES: Final = 256

    def __init__(
        self,
        *,
        service_type: str = "",
        source_addr_ton: int = 0,
        source_addr_npi: int = 0,
        source_addr: str = "",
        dest_addr_ton: int = 1,
        dest_addr_npi: int = 1,
        protocol_id: int = 0,
        priority_flag: int = 0,
        validity_period: str = "",
        registered_delivery: int = 0,
        replace_if_present_flag: int = 0,
        sm_default_msg_id: int = 0,
        tlvs: Mapping[int, bytes] | None = None,
    ) -> None:
        whole = SubmitSm(
            service_type=service_type,
            source_addr_ton=source_addr_ton,
            source_addr_npi=source_addr_npi,
            source_addr=source_addr,
            dest_addr_ton=dest_addr_ton,
            dest_addr_npi=dest_addr_npi,
        )
        empty = encode(whole)  # its end is the ten empty fields from destination_addr to sm_length
        self._head = empty[HEADER_LENGTH:-11]
        self._tail = tlv.encode(tlvs or {})
        self._defaults = (priority_flag, registered_delivery, validity_period)
        self.protocol_id = protocol_id
        self.replace = replace_if_present_flag
        self.sm_default_msg_id = sm_default_msg_id
        self._middles: dict[tuple[int, int, int | None, int | None, str | None, str], bytes] = {}
        self._middle((0, 0, None, None, None, ""))

    def encode(  # noqa: PLR0917 - keywords cost a tenth of the whole call here
        self,
        sequence_number: int,
        destination_addr: str,
        short_message: bytes,
        esm_class: int = 0,
        data_coding: int = 0,
        priority_flag: int | None = None,
        registered_delivery: int | None = None,
        validity_period: str | None = None,
        schedule_delivery_time: str = "",
        tlvs: Mapping[int, bytes] | None = None,
    ) -> bytes:
        """The octets of one submit_sm; None means the template's own value, `tlvs` come after its own.

        Raises `EncodeError`.
        """
        key = (
            esm_class,
            data_coding,
            priority_flag,
            registered_delivery,
            validity_period,
            schedule_delivery_time,
        )
        middle = self._middles.get(key) or self._middle(key)
        size = len(short_message)
        if size > MAX_SHORT_MESSAGE:
            raise EncodeError(f"short_message: {size} octets where {MAX_SHORT_MESSAGE} may stand")
        if len(destination_addr) > 20 or not destination_addr.isascii() or "\0" in destination_addr:
            raise EncodeError("destination_addr: not a string of up to 20 ASCII characters")
        tail = self._tail if tlvs is None else self._tail + tlv.encode(tlvs)
        body = b"".join((self._head, destination_addr.encode(), middle, _OCTETS[size], short_message, tail))
        length = len(body) + HEADER_LENGTH
        if length > MAX_PDU_LENGTH:
            raise EncodeError(f"a PDU of {length} octets where {MAX_PDU_LENGTH} may stand")
        return _pack_header(length, 0x00000004, 0, sequence_number) + body

    def _middle(self, key: tuple[int, int, int | None, int | None, str | None, str]) -> bytes:
        """The fields between destination_addr and sm_length, its NUL included."""
        esm_class, data_coding, priority_flag, registered_delivery, validity_period, schedule = key
        priority, registered, validity = self._defaults
        flags = (
            esm_class,
            self.protocol_id,
            priority if priority_flag is None else priority_flag,
            registered if registered_delivery is None else registered_delivery,
            self.replace,
            data_coding,
            self.sm_default_msg_id,
        )
        if any(not 0 <= flag <= 0xFF for flag in flags):
            raise EncodeError("a flag that does not fit into an octet")
        middle = b"".join(
            (
                b"\0",
                bytes(flags[:3]),
                cstring(schedule, 17),
                cstring(validity if validity_period is None else validity_period, 17),
                bytes(flags[3:]),
            )
        )
        if len(self._middles) >= self.MIDDLES:
            self._middles.clear()
        self._middles[key] = middle
        return middle
