"""Texts as short messages: which encoding, how many segments, and the octets of each.

GSM 7-bit texts go out one septet per octet, as SMPP carries them; the SMSC packs them for the air.
"""

from bisect import bisect_right
from typing import Final, Literal, NamedTuple

from gateway.sms import alphabet, coding, graphemes, udh

Encoding = Literal["gsm7", "ucs2"]

DATA_CODING: Final[dict[Encoding, int]] = {"gsm7": 0x00, "ucs2": 0x08}
MAX_SEGMENTS: Final = 255  # the count is one octet (TS 23.040 §9.2.3.24.1)

# 140 octets on the air, less the header (6 octets, 7 with a 16-bit reference) where there are several.
_ONE_GSM: Final = 160
_ONE_UCS2: Final = 140
_GSM_PART: Final = 153
_GSM_PART_WIDE: Final = 152
_UCS2_PART: Final = 134
_UCS2_PART_WIDE: Final = 132  # 66 units: a 67th would not fit in 133 octets


# Named tuples, not dataclasses: two are made for each message on the hot path, in a third of the time.
class Measure(NamedTuple):
    """What a text costs."""

    encoding: Encoding
    segments: int


class Encoded(NamedTuple):
    """A whole text in octets, as `message_payload` takes it."""

    encoding: Encoding
    data_coding: int
    octets: bytes


class Split(NamedTuple):
    """A text ready for submit_sm: one short_message per segment, with the header where there are several."""

    encoding: Encoding
    data_coding: int
    esm_class: int
    payloads: tuple[bytes, ...]


_GSM_ONCE: Final = Measure("gsm7", 1)
_UCS2_ONCE: Final = Measure("ucs2", 1)


def measure(text: str, *, wide: bool = False) -> Measure:
    """The encoding and the number of segments; `wide` counts with a 16-bit reference."""
    octets = alphabet.encode(text)
    if octets is not None:
        if len(octets) <= _ONE_GSM:
            return _GSM_ONCE
        return Measure("gsm7", _count(octets, 0, _room(False, wide), ucs2=False))
    octets = _utf16(text)
    if len(octets) <= _ONE_UCS2:
        return _UCS2_ONCE
    return Measure("ucs2", _count(octets, 0, _room(True, wide), ucs2=True))


def encode(text: str) -> Encoded:
    """The whole text in the cheaper encoding. A lone surrogate, which no phone could show, becomes U+FFFD."""
    octets = alphabet.encode(text)
    if octets is not None:
        return Encoded("gsm7", 0x00, octets)
    return Encoded("ucs2", 0x08, _utf16(text))


def split(text: str, reference: int, wide: bool = False, default: coding.DefaultAlphabet = "gsm7") -> Split:
    """The short messages of a text, numbered by header where there are several.

    `default` is what the SMSC takes data_coding 0 for. ValueError over 255 segments; `measure` tells before.
    """
    if default != "gsm7":
        return _numbered(_recoded(text, wide, default), reference, wide)
    encoding, data_coding, octets = encode(text)
    if len(octets) <= (_ONE_UCS2 if data_coding else _ONE_GSM):
        return Split(encoding, data_coding, 0, (octets,))
    return _numbered(
        Split(encoding, data_coding, 0, _parts(text, octets, bool(data_coding), wide)), reference, wide
    )


def bodies(text: str, wide: bool = False, default: coding.DefaultAlphabet = "gsm7") -> Split:
    """As `split`, without headers: for a route that numbers its segments by sar_* TLVs."""
    if default != "gsm7":
        return _recoded(text, wide, default)
    encoding, data_coding, octets = encode(text)
    return Split(encoding, data_coding, 0, _parts(text, octets, bool(data_coding), wide))


def pieces(text: str, wide: bool = False) -> list[str]:
    """The text of each segment, as a preview shows its borders."""
    whole = bodies(text, wide)
    return [coding.decode(payload, whole.data_coding).text for payload in whole.payloads]


def _numbered(whole: Split, reference: int, wide: bool) -> Split:
    total = len(whole.payloads)
    if total == 1:
        return whole
    payloads = tuple(
        udh.concatenation(reference, total, number, wide) + part
        for number, part in enumerate(whole.payloads, start=1)
    )
    return Split(whole.encoding, whole.data_coding, udh.UDHI, payloads)


def _recoded(text: str, wide: bool, default: coding.DefaultAlphabet) -> Split:
    """Parts for an SMSC whose data_coding 0 is not GSM. It recodes them for the air: septets count."""
    whole = bodies(text, wide)
    if whole.data_coding != 0:
        return whole
    codec = "utf-16-be" if default == "ucs2" else default
    try:
        parts = tuple(alphabet.decode(payload)[0].encode(codec) for payload in whole.payloads)
    except UnicodeEncodeError:  # a Greek letter, €: what GSM has and this alphabet has not
        return Split("ucs2", 0x08, 0, _parts(text, _utf16(text), True, wide))
    return Split("gsm7", 0x00, 0, parts)


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        whole = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
        return whole.encode("utf-16-be")


def _room(ucs2: bool, wide: bool) -> int:
    if ucs2:
        return _UCS2_PART_WIDE if wide else _UCS2_PART
    return _GSM_PART_WIDE if wide else _GSM_PART


def _parts(text: str, octets: bytes, ucs2: bool, wide: bool) -> tuple[bytes, ...]:
    if len(octets) <= (_ONE_UCS2 if ucs2 else _ONE_GSM):
        return (octets,)
    room = _room(ucs2, wide)
    total = _count(octets, 0, room, ucs2)
    if total > MAX_SEGMENTS:
        raise ValueError(f"{total} segments are more than {MAX_SEGMENTS}")
    borders = _borders(text, ucs2) if graphemes.may_join(text) else None
    parts: list[bytes] = []
    start = 0
    while start < len(octets):
        end = _furthest(octets, start, room, ucs2)
        if borders is not None and end < len(octets):
            whole = borders[bisect_right(borders, end) - 1]
            # A grapheme is kept whole only where the rest still fits in the segments needed anyhow.
            if start < whole < end and _count(octets, whole, room, ucs2) <= total - len(parts) - 1:
                end = whole
        parts.append(octets[start:end])
        start = end
    return tuple(parts)


def _furthest(octets: bytes, start: int, room: int, ucs2: bool) -> int:
    """The end of the fullest part from `start` that tears no escape and no surrogate pair."""
    end = start + room
    if end >= len(octets):
        return len(octets)
    if ucs2:
        return end - 2 if octets[end] & 0xFC == 0xDC else end
    return end - 1 if octets[end - 1] == alphabet.ESCAPE else end


def _count(octets: bytes, start: int, room: int, ucs2: bool) -> int:
    """How many parts the octets from `start` on need at least."""
    count = 0
    while start < len(octets):
        start = _furthest(octets, start, room, ucs2)
        count += 1
    return count


def _borders(text: str, ucs2: bool) -> list[int]:
    """The offset in octets of each grapheme, 0 the first of them."""
    offsets = [0]
    offset = before = 0
    for position in graphemes.boundaries(text):
        piece = text[before:position]
        if ucs2:
            offset += 2 * len(piece) + 2 * sum(char > "\uffff" for char in piece)
        else:
            offset += alphabet.septets(piece)
        before = position
        offsets.append(offset)
    return offsets
