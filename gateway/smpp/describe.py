"""A PDU in words, for traces and the console: its codes by name, its numbers and texts masked."""

from typing import Any, Final

from gateway.smpp import codec, status, tlv
from gateway.smpp.constants import CommandId, DataCoding, MessageState, Npi, Tag, Ton
from gateway.smpp.errors import PduError
from gateway.smpp.fields import Destination, DistributionList, UnsuccessSme
from gateway.smpp.pdu import Pdu, fields_of

_COMMANDS: Final = {int(command): command.name.lower() for command in CommandId}
_ADDRESSES: Final = frozenset({"source_addr", "destination_addr", "esme_addr"})
_NAMES: Final[dict[str, dict[int, str]]] = {
    "_ton": {int(ton): ton.name.lower() for ton in Ton},
    "_npi": {int(npi): npi.name.lower() for npi in Npi},
    "data_coding": {int(coding): coding.name.lower() for coding in DataCoding},
    "message_state": {int(state): state.name.lower() for state in MessageState},
}
_TYPES: Final = {
    0x00: "message",
    0x04: "receipt",
    0x08: "delivery acknowledgement",
    0x10: "user acknowledgement",
    0x18: "conversation abort",
    0x20: "intermediate notification",
}
#: Parameters whose value names nobody and quotes nothing.
_OPEN_NUMBERS: Final = frozenset(
    {
        Tag.SAR_MSG_REF_NUM,
        Tag.SAR_TOTAL_SEGMENTS,
        Tag.SAR_SEGMENT_SEQNUM,
        Tag.MORE_MESSAGES_TO_SEND,
        Tag.CONGESTION_STATE,
        Tag.SC_INTERFACE_VERSION,
        Tag.USER_MESSAGE_REFERENCE,
        Tag.SOURCE_PORT,
        Tag.DESTINATION_PORT,
        Tag.DELIVERY_FAILURE_REASON,
    }
)


def command_name(command_id: int) -> str:
    """`submit_sm` for 4; an unknown one as `0x0000AFFE`."""
    return _COMMANDS.get(command_id) or f"0x{command_id:08X}"


def mask(address: str) -> str:
    """A customer's number without its middle; short codes and names of senders stay."""
    digits = address.lstrip("+")
    if len(address) <= 6 or not digits.isdigit():
        return address
    return f"{address[:3]}***{address[-2:]}"


def describe(pdu: Pdu) -> str:
    """One line: command, sequence number, status, then the fields that are set. Never raises."""
    words = [command_name(pdu.command_id), f"#{pdu.sequence_number}"]
    if pdu.is_response or pdu.command_status:
        words.append(status.name(pdu.command_status))
    for name, _ in fields_of(type(pdu)):
        value = getattr(pdu, name)
        if value:
            words.append(f"{name}={_value(name, value)}")
    words += [
        f"{tlv.name(tag)}={_parameter(tag, value)}" for tag, value in (*pdu.tlvs.items(), *pdu.more_tlvs)
    ]
    return " ".join(words)


def describe_frame(frame: bytes) -> str:
    """As `describe`, for octets as they came; what can't be decoded is told by its fault. Never raises."""
    try:
        return describe(codec.decode(frame))
    except PduError as error:
        command = command_name(error.command_id)
        return f"{command} #{error.sequence_number} malformed: {error.reason} ({len(frame)} octets)"


def _value(name: str, value: Any) -> str:
    if name == "password":
        return "***"
    if name in _ADDRESSES:
        return mask(value)
    if name == "esm_class":
        return _esm_class(value)
    if isinstance(value, bytes):
        return f"<{len(value)} octets>"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_destination, value)) + "]"
    if isinstance(value, int):
        for end, names in _NAMES.items():
            if name.endswith(end):
                return names.get(value) or f"0x{value:02X}"
    return str(value)


def _destination(each: Destination | DistributionList | UnsuccessSme) -> str:
    if isinstance(each, DistributionList):
        return each.dl_name
    if isinstance(each, UnsuccessSme):
        return f"{mask(each.destination_addr)} {status.name(each.error_status_code)}"
    return mask(each.destination_addr)


def _esm_class(value: int) -> str:
    words = [_TYPES.get(value & 0x3C) or f"0x{value & 0x3C:02X}"]
    if value & 0x40:
        words.append("udh")
    if value & 0x80:
        words.append("reply path")
    return "+".join(words)


def _parameter(tag: int, value: bytes) -> str:
    number = int.from_bytes(value[:4], "big")
    if tag == Tag.MESSAGE_STATE and len(value) == 1:
        return _NAMES["message_state"].get(number) or str(number)
    if tag == Tag.RECEIPTED_MESSAGE_ID:
        return value.rstrip(b"\0").decode("latin-1")
    if tag in _OPEN_NUMBERS and 0 < len(value) <= 4:
        return str(number)
    return f"<{len(value)} octets>"
