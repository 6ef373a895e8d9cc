"""Cutting octets into PDUs where nothing says how they came: a trace, a capture, a line out of a log."""

import re
import struct
from collections.abc import Iterator
from typing import Final

from gateway.smpp.constants import HEADER_LENGTH, MAX_PDU_LENGTH
from gateway.smpp.pdu import BY_COMMAND

#: Length, command, status, sequence number.
header: Final = struct.Struct(">IIII").unpack_from


def length_of(octets: bytes, at: int = 0) -> int:
    return int.from_bytes(octets[at : at + 4], "big")


def is_length(length: int) -> bool:
    return HEADER_LENGTH <= length <= MAX_PDU_LENGTH


def whole(octets: bytes) -> tuple[list[bytes], bytes]:
    """Whole frames from the front, and what is left."""
    frames: list[bytes] = []
    at, end = 0, len(octets)
    while end - at >= HEADER_LENGTH:
        length = length_of(octets, at)
        if not is_length(length) or at + length > end:
            break
        frames.append(octets[at : at + length])
        at += length
    return frames, octets[at:]


def start_of(octets: bytes) -> int | None:
    """Where the first PDU begins, if one can be told: headers that lead to each other, or to the end."""
    end = len(octets)
    at = octets.find(b"\0")  # every length does
    while 0 <= at <= end - HEADER_LENGTH:
        if leads_on(octets, at, end):
            return at
        at = octets.find(b"\0", at + 1)
    return None


def leads_on(octets: bytes, at: int, end: int) -> bool:
    """Whether a PDU may begin here: a few headers, each where the one before says."""
    for _ in range(4):
        if end - at < HEADER_LENGTH:
            return True
        length, command_id, *_ = header(octets, at)
        if not is_length(length) or command_id not in BY_COMMAND:
            return False
        at += length
    return True


# Pasted from logs: with timestamps and words before it, in dumps with their offsets and letters, in any of
# the ways in which octets are written.
_OFFSET: Final = re.compile(r"^\s*(?:0x)?[0-9A-Fa-f]{4,8}(?::\s|\s\s)\s*")
_LETTERS: Final = re.compile(r"\s{2,}\S.*$|\s*\|.*$")
_OCTETS: Final = re.compile(r"(?<![0-9A-Za-z])(?:(?:\\x|0x)?(?:[0-9A-Fa-f]{2})+[\s:,-]?)+(?![0-9A-Za-z])")
_NO_DIGIT: Final = re.compile(r"0x|\\x|[^0-9A-Fa-f]")


def pasted(text: str) -> Iterator[bytes]:
    """The PDUs in lines of hex; a line that begins none goes on with the one before. The rest comes last."""
    rest = b""
    for line in text.splitlines():
        octets = _hex_in(line)
        if octets and leads_on(octets, 0, len(octets)) and length_of(octets) <= len(octets):
            if rest:
                yield rest
            rest = b""
        elif not octets or not (rest or _may_begin(octets)):
            continue
        found, rest = whole(rest + octets)
        yield from found
    if rest:
        yield rest


def _may_begin(octets: bytes) -> bool:
    return len(octets) >= 4 and is_length(length_of(octets))


def _hex_in(line: str) -> bytes:
    """The octets that a line writes: its longest run of them."""
    offset = _OFFSET.match(line)
    if offset is not None:
        line = _LETTERS.sub("", line[offset.end() :])
    runs = [_NO_DIGIT.sub("", run[0]) for run in _OCTETS.finditer(line)]
    longest = max(runs, key=len, default="")
    return bytes.fromhex(longest) if len(longest) % 2 == 0 else b""
