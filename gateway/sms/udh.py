"""The user data header: the information elements before the text (3GPP TS 23.040 §9.2.3.24).

Concatenation is read and built; all other elements are kept as they came. Nothing raises on what a peer sent.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

CONCAT_8: Final = 0x00
CONCAT_16: Final = 0x08
PORTS_16: Final = 0x05
SINGLE_SHIFT: Final = 0x24
LOCKING_SHIFT: Final = 0x25

#: esm_class bit that says the short message begins with a header (SMPP 3.4 §5.2.12).
UDHI: Final = 0x40


class Element(NamedTuple):
    """One information element: its identifier and its octets."""

    identifier: int
    data: bytes


class Concatenation(NamedTuple):
    """Which part of which long text this is; `number` counts from 1 to `total`."""

    reference: int
    total: int
    number: int
    wide: bool  #: a 16-bit reference


class Udh(NamedTuple):
    """A header as read: its elements in their order, and whether it held to the rules."""

    elements: tuple[Element, ...] = ()
    ill_formed: bool = False

    @property
    def concatenation(self) -> Concatenation | None:
        """The last valid concatenation element; one that can't be (part 0, part 4 of 3) is none."""
        for element in reversed(self.elements):
            concatenation = _concatenation(element)
            if concatenation is not None:
                return concatenation
        return None


NO_UDH: Final = Udh()


def parse(octets: bytes) -> tuple[Udh, bytes]:
    """The header at the front of a short message and the text after it.

    A header longer than the message is none: everything is text. Broken elements inside a header that fits
    are dropped, and the text after it is kept.
    """
    if not octets:
        return Udh(ill_formed=True), b""
    end = 1 + octets[0]
    if end > len(octets):
        return Udh(ill_formed=True), octets
    elements: list[Element] = []
    position = 1
    while position < end:
        start = position + 2
        if start > end or start + octets[position + 1] > end:
            return Udh(tuple(elements), ill_formed=True), octets[end:]
        position = start + octets[start - 1]
        elements.append(Element(octets[start - 2], octets[start:position]))
    return Udh(tuple(elements)), octets[end:]


def take(short_message: bytes, esm_class: int) -> tuple[Udh, bytes]:
    """The header, if esm_class announces one, and the text."""
    return parse(short_message) if esm_class & UDHI else (NO_UDH, short_message)


def build(elements: Iterable[Element]) -> bytes:
    """The octets of a header, its length in front. ValueError over 255 octets."""
    body = b"".join(bytes((identifier, len(data))) + data for identifier, data in elements)
    return bytes((len(body),)) + body


def concatenation(reference: int, total: int, number: int, wide: bool = False) -> bytes:
    """A header of one concatenation element; the reference is cut to its 8 or 16 bits."""
    if wide:
        return bytes((6, CONCAT_16, 4, reference >> 8 & 0xFF, reference & 0xFF, total, number))
    return bytes((5, CONCAT_8, 3, reference & 0xFF, total, number))


def _concatenation(element: Element) -> Concatenation | None:
    match element:
        case (0x00, data) if len(data) == 3:
            found = Concatenation(data[0], data[1], data[2], wide=False)
        case (0x08, data) if len(data) == 4:
            found = Concatenation(data[0] << 8 | data[1], data[2], data[3], wide=True)
        case _:
            return None
    return found if 1 <= found.number <= found.total else None
