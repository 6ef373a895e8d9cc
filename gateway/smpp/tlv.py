"""Optional parameters: tag, length, value. Unknown ones are kept as they came (SMPP 3.4 §3.3, §5.3)."""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

from gateway.smpp import status as st
from gateway.smpp.constants import Tag
from gateway.smpp.errors import EncodeError, FieldError

_HEAD: Final = struct.Struct(">HH")
_head_of = _HEAD.unpack_from
_NAMES: Final = {int(tag): tag.name.lower() for tag in Tag}

Repeats = tuple[tuple[int, bytes], ...]


def encode(tlvs: Mapping[int, bytes], more: Iterable[tuple[int, bytes]] = ()) -> bytes:
    """The parameters' octets. Raises `EncodeError`."""
    out: list[bytes] = []
    for pairs in (tlvs.items(), more):
        for tag, value in pairs:
            if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
                raise EncodeError(f"optional parameter 0x{tag:04X} with {len(value)} octets")
            out.append(_HEAD.pack(tag, len(value)))
            out.append(value)
    return b"".join(out)


def read(frame: bytes, at: int) -> tuple[dict[int, bytes], Repeats, FieldError | None]:
    """The parameters from `at` to the end: the first of each tag, and those that repeat one, in order.

    NULs behind the last one, too few for a head, are padding: some SMSCs close their texts so. Where the
    octets do not add up (ESME_RINVOPTPARSTREAM, ESME_RINVPARLEN), the fault stands beside what came before
    it, and of the torn parameter what is worth keeping.
    """
    found: dict[int, bytes] = {}
    more: list[tuple[int, bytes]] = []
    end = len(frame)
    fault: FieldError | None = None
    while at < end:
        if at + 4 > end:
            if any(frame[at:end]):
                reason = "the PDU ends inside an optional parameter's head"
                fault = FieldError(st.ESME_RINVOPTPARSTREAM, reason)
            break
        tag, length = _head_of(frame, at)
        at += 4
        if at + length > end:
            fault = FieldError(st.ESME_RINVPARLEN, f"the PDU ends inside optional parameter 0x{tag:04X}")
            if not _is_worth_keeping(tag, length, end - at):
                break
        value = frame[at : at + length]
        at += length
        if tag in found:
            more.append((tag, value))
        else:
            found[tag] = value
    return found, tuple(more), fault


def _is_worth_keeping(tag: int, length: int, there: int) -> bool:
    """Of a torn parameter: somebody's words as far as they came, and an id that lacks its NUL alone.

    Half of any other value would be another value.
    """
    if tag == Tag.RECEIPTED_MESSAGE_ID:
        return there == length - 1 > 0
    return tag == Tag.MESSAGE_PAYLOAD and there > 0


def is_known(tag: int) -> bool:
    """Whether SMPP 3.4 or 5.0 names the tag."""
    return tag in _NAMES


def name(tag: int) -> str:
    """`message_payload` for 0x0424; an unknown tag as `0x1400`."""
    return _NAMES.get(tag) or f"0x{tag:04X}"


def octet(tlvs: Mapping[int, bytes], tag: int) -> int | None:
    """An integer parameter's value whatever width the peer gave it; None when it is absent or empty."""
    value = tlvs.get(tag)
    return int.from_bytes(value, "big") if value else None


def text(tlvs: Mapping[int, bytes], tag: int) -> str | None:
    """A string parameter's value, cut at its NUL if it has one; None when it is absent."""
    value = tlvs.get(tag)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")
