"""What mutation begins with: every PDU empty, as it is used and filled to the brim; receipts as SMSCs write
them; texts, headers and times."""

from typing import Any, Final

from gateway.smpp import codec
from gateway.smpp.constants import MAX_SHORT_MESSAGE, Tag
from gateway.smpp.fields import (
    CString,
    Destination,
    Destinations,
    DistributionList,
    Failures,
    Octet,
    ShortMessage,
    UnsuccessSme,
    Wire,
)
from gateway.smpp.pdu import PDUS, DataSm, DeliverSm, Pdu, SubmitSm, fields_of

CUSTOMER: Final = "8613905310001"
DATES: Final = "submit date:2611220944 done date:2611220945"
USUAL: Final = f"id:0123456789 sub:001 dlvrd:001 {DATES} stat:DELIVRD err:000 text:hello"

_DIALECTS: Final = (
    USUAL,
    USUAL.upper(),
    USUAL.replace(" ", ","),
    USUAL.replace(" ", "\r\n"),
    USUAL.replace(":", "="),
    USUAL.replace(":", ": "),
    "id:c449ab9744f47b6af1879e49e75e4f40 sub:001 dlvrd:0 " + DATES + " stat:ACCEPTD err:0 text:x",
    "id:18446744073709551617 " + DATES + " stat:UNDELIV err:08A text:",
    "id:a,b;c|d&e=f:g sub:001 dlvrd:001 " + DATES + " stat:EXPIRED err:000 text:id:9 stat:DELIVRD",
    "id:1 sub:001 dlvrd:001 submit date:20261122094403 done date:261122094403 err:000 text: stat:DELIVRD",
    "id:1 submit_date:261122094403032+ done_date:261122094403032+ state:REJECTD error_code:17",
    "msg_id=7;status=DELIVERED;err=0",
    "stat:DELIVRD id:1",
    "text:id:5 stat:DELIVRD",
    "message_id:550e8400-e29b-41d4-a716-446655440000 stat:BUFFERED",
    "id:" + "9" * 300 + " stat:DELIVRD",
    "id: sub: dlvrd: submit date: done date: stat: err: text:",
)
RECEIPTS: Final[tuple[bytes, ...]] = (
    *(text.encode("latin-1") for text in _DIALECTS),
    USUAL.encode("utf-16-be"),
    USUAL.encode("utf-16-le"),
    b"\x05\0\3\1\2\1" + USUAL.encode(),
    b"",
)

TEXTS: Final = (
    "Hello",
    "8分，小伙子态度很好",
    "事事有回音 " * 20,
    "[€]{^}~|\\" * 30,
    "ÄÖÜ äöü ß @£$¥ èéùìòÇ Δ_ΦΓΛΩΠΨΣΘΞ",
    "👍🏽👨‍👩‍👧‍👦🇨🇳" * 12,
    "e\u0301" * 100,
    "\u202eabc\u200b\ufeff",
    "Şimdi ığdır çağrı İstanbul " * 7,
    "¿Qué tal, señor? áíóú " * 9,
    "“smart” quotes – dashes… and\u00a0spaces " * 5,
    "x" * 160,
    "x" * 161,
    "好" * 70,
    "好" * 71,
    "",
)
CHARSETS: Final = ("utf-16-be", "utf-16-le", "utf-8", "latin-1", "gb18030", "shift_jis", "euc_kr")
TEXT_OCTETS: Final = tuple(text.encode(charset, "replace") for text in TEXTS for charset in CHARSETS)
HEADERS: Final = (
    b"\x05\x00\x03\x2a\x02\x01",
    b"\x06\x08\x04\x01\x2a\x02\x01",
    b"\x06\x05\x04\x0b\x84\x0b\x84",
    b"\x0b\x05\x04\x0b\x84\x0b\x84\x00\x03\x2a\x02\x01",
    b"\x03\x24\x01\x01",
    b"\x00",
    b"\x05\x00\x03\x2a\x02\x03",
    b"\x05\x00\x03\x2a\x00\x00",
    b"\xff",
)
TIMES: Final = (
    b"000001000000000R",
    b"261122094403032+",
    b"261122094403056-",
    b"999999999999999R",
    b"",
    b"2611220944",
)

TLVS: Final[dict[int, bytes]] = {
    int(Tag.RECEIPTED_MESSAGE_ID): b"0123456789\0",
    int(Tag.MESSAGE_STATE): b"\2",
    int(Tag.NETWORK_ERROR_CODE): b"\3\0\x2a",
    int(Tag.USER_MESSAGE_REFERENCE): b"\0\x09",
    0x1400: b"own",
}


def _typical(wire: Wire) -> Any:
    match wire:
        case Octet():
            return 1
        case CString(size=size):
            return "10086001"[: size - 1]
        case ShortMessage():
            return b"\x05\0\3\x2a\2\1" + "回音".encode("utf-16-be")
        case Destinations():
            return (Destination(1, 1, CUSTOMER), DistributionList("night shift"))
        case Failures():
            return (UnsuccessSme(1, 1, CUSTOMER, 0x0B),)
    raise AssertionError(wire)


def _brim(wire: Wire) -> Any:
    match wire:
        case Octet():
            return 255
        case CString(size=size):
            return "9" * (size - 1)
        case ShortMessage():
            return b"\xff" * MAX_SHORT_MESSAGE
        case Destinations():
            return (Destination(255, 255, "9" * 20),) * 255
        case Failures():
            return (UnsuccessSme(255, 255, "9" * 20, 0xFFFFFFFF),) * 255
    raise AssertionError(wire)


def _pdus() -> list[Pdu]:
    found: list[Pdu] = []
    for cls in PDUS:
        found.append(cls(sequence_number=1))
        found.append(
            cls(sequence_number=2, tlvs=TLVS, **{name: _typical(wire) for name, wire in fields_of(cls)})
        )
        found.append(cls(sequence_number=3, **{name: _brim(wire) for name, wire in fields_of(cls)}))
        if cls(command_status=8).is_response:
            found.append(
                cls(sequence_number=1, command_status=0x58, tlvs={int(Tag.CONGESTION_STATE): b"\x60"})
            )
    for text in RECEIPTS:
        found.append(
            DeliverSm(sequence_number=7, source_addr=CUSTOMER, esm_class=4, short_message=text[:254])
        )
        found.append(DataSm(sequence_number=8, esm_class=4, tlvs=TLVS | {int(Tag.MESSAGE_PAYLOAD): text}))
    for octets in TEXT_OCTETS[:20]:
        found.append(
            DeliverSm(sequence_number=9, source_addr=CUSTOMER, data_coding=8, short_message=octets[:254])
        )
        found.append(SubmitSm(sequence_number=9, destination_addr=CUSTOMER, short_message=octets[:254]))
    return found


PDU_VALUES: Final[tuple[Pdu, ...]] = tuple(_pdus())
FRAMES: Final[tuple[bytes, ...]] = tuple(codec.encode(pdu) for pdu in PDU_VALUES)
