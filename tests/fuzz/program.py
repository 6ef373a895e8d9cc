"""Octets as a little program: a target takes numbers and pieces off the front, and never runs out of them."""

import struct
from random import Random
from typing import Final

_PAIR: Final = struct.Struct(">H")


class Program:
    """Reads what `Script` writes, and any other octets as well: behind the end all is nought."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def octet(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def pair(self) -> int:
        return self.octet() << 8 | self.octet()

    def piece(self) -> bytes:
        """As many octets as the pair before them says, or as are left."""
        size = self.pair()
        piece = self._data[self._at : self._at + size]
        self._at += size
        return piece

    def rest(self) -> bytes:
        rest = self._data[self._at :]
        self._at = len(self._data)
        return rest


class Script:
    """Writes what `Program` reads."""

    __slots__ = ("_out", "random")

    def __init__(self, random: Random) -> None:
        self.random = random
        self._out: list[bytes] = []

    def octet(self, value: int) -> None:
        self._out.append(bytes((value & 0xFF,)))

    def pair(self, value: int) -> None:
        self._out.append(_PAIR.pack(value & 0xFFFF))

    def piece(self, octets: bytes) -> None:
        octets = octets[:0xFFFF]
        self._out.append(_PAIR.pack(len(octets)) + octets)

    def rest(self, octets: bytes) -> None:
        self._out.append(octets)

    def octets(self) -> bytes:
        return b"".join(self._out)
