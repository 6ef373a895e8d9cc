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
    length: int = 0  #: octets, its length octet with them

    @property
    def fill_bits(self) -> int:
        """The bits between the header and the first septet of a packed text (TS 23.040 §9.2.3.24)."""
        return -8 * self.length % 7

    @property
    def languages(self) -> tuple[int, int]:
        """The languages of the locking and of the single shift table, 0 for none; the last named count."""
        if not self.elements:
            return 0, 0
        named = {element.identifier: element.data[0] for element in self.elements if len(element.data) == 1}
        return named.get(LOCKING_SHIFT, 0), named.get(SINGLE_SHIFT, 0)

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
            return Udh(tuple(elements), True, end), octets[end:]
        position = start + octets[start - 1]
        elements.append(Element(octets[start - 2], octets[start:position]))
    return Udh(tuple(elements), False, end), octets[end:]


def take(short_message: bytes, esm_class: int) -> tuple[Udh, bytes]:
    """The header, if esm_class announces one, and the text."""
    return parse(short_message) if esm_class & UDHI else (NO_UDH, short_message)


def build(elements: Iterable[Element]) -> bytes:
    """The octets of a header, its length in front. ValueError over 255 octets."""
    body = b"".join(bytes((identifier, len(data))) + data for identifier, data in elements)
    return bytes((len(body),)) + body


def concatenation(reference: int, total: int, number: int, wide: bool = False, after: bytes = b"") -> bytes:
    """A header of a concatenation element, its reference cut to 8 or 16 bits; `after` are more elements."""
    more = len(after)
    if wide:
        return bytes((6 + more, CONCAT_16, 4, reference >> 8 & 0xFF, reference & 0xFF, total, number)) + after
    return bytes((5 + more, CONCAT_8, 3, reference & 0xFF, total, number)) + after


def shift(locking: int, single: int) -> bytes:
    """The elements, without a length before them, that name a text's languages; 0 is none."""
    named = ((SINGLE_SHIFT, single), (LOCKING_SHIFT, locking))
    return b"".join(bytes((identifier, 1, language)) for identifier, language in named if language)


def alone(elements: bytes) -> bytes:
    """The header of these elements, nothing for none."""
    return bytes((len(elements),)) + elements if elements else b""


def _concatenation(element: Element) -> Concatenation | None:
    match element:
        case (0x00, data) if len(data) == 3:
            found = Concatenation(data[0], data[1], data[2], wide=False)
        case (0x08, data) if len(data) == 4:
            found = Concatenation(data[0] << 8 | data[1], data[2], data[3], wide=True)
        case _:
            return None
    return found if 1 <= found.number <= found.total else None
