"""Octets bent in the ways that parsers break on: bits, boundaries, lengths that lie, pieces lost, doubled
and swapped; and whole PDUs bent where their structure is."""

import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from gateway.smpp.constants import RESPONSE, Tag
from gateway.smpp.pdu import BY_COMMAND

BOUNDARIES: Final = (0, 1, 2, 15, 16, 17, 0x1B, 0x20, 127, 128, 140, 159, 160, 161, 253, 254, 255)
WIDE: Final = (0, 1, 4, 15, 16, 17, 127, 254, 255, 256, 0x7FFF, 0x8000, 65533, 65534, 65535)
LENGTHS: Final = (0, 1, 4, 15, 16, 17, 20, 255, 65535, 65536, 65537, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
NUMBERS: Final = (0, 1, 2, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
COMMANDS: Final = (*BY_COMMAND, 0, 0x0A, 0x0C, 0x101, 0x114, 0x00010201, 0x80010201, 0x7FFFFFFF, 0xFFFFFFFF)
TAGS: Final = (*map(int, Tag), 0, 1, 0x1400, 0x1403, 0x3FFF, 0x4000, 0xFFFF)
_HEADER: Final = 16

Bend = Callable[[Random, bytearray], None]


def _place(random: Random, data: bytearray) -> int:
    return random.randrange(len(data)) if data else 0


def _flip(random: Random, data: bytearray) -> None:
    if data:
        data[_place(random, data)] ^= 1 << random.randrange(8)


def _any(random: Random, data: bytearray) -> None:
    if data:
        data[_place(random, data)] = random.randrange(256)


def _boundary(random: Random, data: bytearray) -> None:
    if data:
        data[_place(random, data)] = random.choice(BOUNDARIES)


def _wide_boundary(random: Random, data: bytearray) -> None:
    if len(data) > 1:
        at = random.randrange(len(data) - 1)
        data[at : at + 2] = random.choice(WIDE).to_bytes(2, "big")


def _insert(random: Random, data: bytearray) -> None:
    at = random.randint(0, len(data))
    data[at:at] = random.choice((b"\0", b"\0\0\0\0", b"\xff", random.randbytes(random.randint(1, 9))))


def _delete(random: Random, data: bytearray) -> None:
    at = _place(random, data)
    del data[at : at + random.choice((1, 1, 1, 2, 4, 9))]


def _double(random: Random, data: bytearray) -> None:
    at = _place(random, data)
    piece = data[at : at + random.choice((1, 2, 4, 16, 300))]
    data[at:at] = piece * random.choice((1, 1, 1, 2, 20))


def _swap(random: Random, data: bytearray) -> None:
    at, to = _place(random, data), _place(random, data)
    size = random.choice((1, 2, 4, 9))
    data[at : at + size], data[to : to + size] = data[to : to + size], data[at : at + size]


def _cut(random: Random, data: bytearray) -> None:
    del data[random.randint(0, len(data)) :]


def _no_nul(random: Random, data: bytearray) -> None:
    """A string loses its end."""
    at = data.find(0, _place(random, data))
    if at >= 0:
        del data[at]


def _tail(random: Random, data: bytearray) -> None:
    data += random.choice((b"\0", b"\0\0\0", b"\0" * 9, b"\xff" * 3, random.randbytes(random.randint(1, 30))))


BENDS: Final[Sequence[Bend]] = (
    _flip,
    _any,
    _boundary,
    _boundary,
    _wide_boundary,
    _insert,
    _delete,
    _double,
    _swap,
    _cut,
    _no_nul,
    _tail,
)


def mutate(random: Random, octets: bytes, most: int = 4) -> bytes:
    """The octets bent one to `most` times."""
    data = bytearray(octets)
    for _ in range(random.randint(1, most)):
        random.choice(BENDS)(random, data)
    return bytes(data)


def splice(random: Random, one: bytes, other: bytes) -> bytes:
    """The front of one and the back of another."""
    return one[: random.randint(0, len(one))] + other[random.randint(0, len(other)) :]


def parameter(random: Random) -> bytes:
    """A TLV whose length may lie, empty, nested in itself, or sound."""
    tag = random.choice(TAGS)
    value = random.choice((b"", b"\0", b"\2", b"abc\0", random.randbytes(random.randint(0, 40)), b"x" * 255))
    if not random.randrange(8):
        value = struct.pack(">HH", random.choice(TAGS), len(value)) + value
    length = len(value)
    if not random.randrange(3):
        length = max(0, random.choice((length - 1, length + 1, length + 4, *WIDE)))
    return struct.pack(">HH", tag, length & 0xFFFF) + value


def _body(random: Random, frames: Sequence[bytes], body: bytes) -> bytes:
    kind = random.randrange(10)
    if kind < 4:
        return mutate(random, body)
    if kind < 7:
        return body + b"".join(parameter(random) for _ in range(random.randint(1, 4)))
    if kind < 8:
        return splice(random, body, random.choice(frames)[_HEADER:])
    if kind < 9:
        return body[: random.randint(0, len(body))]
    return mutate(random, body + parameter(random), 2)


def frame(random: Random, frames: Sequence[bytes], numbers: Sequence[int] = NUMBERS) -> bytes:
    """One of the PDUs, whole or bent; most keep a length that holds, so that they are read at all."""
    chosen = random.choice(frames)
    _, command, status, number = struct.unpack_from(">IIII", chosen)
    body = chosen[_HEADER:]
    if random.randrange(8):
        body = _body(random, frames, body)
    if not random.randrange(6):
        command = random.choice(
            (random.choice(COMMANDS), command ^ RESPONSE, command ^ 1 << random.randrange(32))
        )
    if not random.randrange(4):
        status = random.choice((0, 1, 8, 0x14, 0x58, 0x400, 0x4FF, 0xFFFFFFFF))
    if random.randrange(3):
        number = random.choice(numbers)
    length = _HEADER + len(body)
    if not random.randrange(12):
        length = random.choice((*LENGTHS, length - 1, length + 1))
    return struct.pack(">IIII", length & 0xFFFFFFFF, command, status, number) + body
