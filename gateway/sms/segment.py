"""Texts as short messages: which encoding, how many segments, and the octets of each.

GSM 7-bit texts go out one septet per octet, as SMPP carries them; the SMSC packs them for the air.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

from gateway.sms import alphabet, graphemes, shifts, udh
from gateway.sms.coding import DefaultAlphabet
from gateway.sms.cutting import PLAIN, Cutting, Join
from gateway.sms.fold import fold

Encoding = Literal["gsm7", "ucs2"]

DATA_CODING: Final[dict[Encoding, int]] = {"gsm7": 0x00, "ucs2": 0x08}
MAX_SEGMENTS: Final = 255  # the count is one octet (TS 23.040 §9.2.3.24.1)
#: Octets of a text in message_payload: a PDU of 64 KiB less 1.5 KiB for its other fields.
MAX_PAYLOAD: Final = 64_000

_AIR: Final = 140  # octets of one short message, header and text
_ONE_GSM: Final = 160  # septets
_SHORT_MESSAGE: Final = 254  # octets of the field (SMPP 3.4 §5.2.22)
# What a header with nothing but the concatenation takes. sar_msg_ref_num has 16 bits, and so may the header
# that the SMSC makes of it; message_payload is cut by the SMSC, mostly with 8 bits.
_HEADER: Final = {Join.UDH8: 6, Join.UDH16: 7, Join.SAR: 7, Join.PAYLOAD: 6}
_GSM_ROOM: Final = {join: (_AIR - header) * 8 // 7 for join, header in _HEADER.items()}  # 153, 152 septets
_UCS2_ROOM: Final = {join: (_AIR - header) & ~1 for join, header in _HEADER.items()}  # 134, 132 octets


# Named tuples, not dataclasses: two are made for each message on the hot path, in a third of the time.
class Measure(NamedTuple):
    """What a text costs: its encoding, and how many segments are submitted."""

    encoding: Encoding
    segments: int


class Split(NamedTuple):
    """A text ready for submit_sm, one payload for each.

    `join` says how the phone learns that they belong together, None for a single short message: with SAR the
    TLVs number the payloads under `reference`, with PAYLOAD the only one goes into message_payload.
    """

    encoding: Encoding
    data_coding: int
    esm_class: int  #: UDHI where the payloads begin with a header
    payloads: tuple[bytes, ...]
    join: Join | None = None
    reference: int = 0


class Encoded(NamedTuple):
    """A whole text in octets."""

    encoding: Encoding
    data_coding: int
    octets: bytes


class _Form(NamedTuple):
    """A text in one of the encodings that it may go in."""

    text: str
    octets: bytes  #: septets, one each, or UTF-16
    ucs2: bool
    table: alphabet.Alphabet = alphabet.GSM
    elements: bytes = b""  #: of the header of each segment: the languages
    codec: str = ""  #: what an SMSC whose data_coding 0 is not GSM gets in place of septets

    @property
    def cost(self) -> int:
        """Octets or septets, the languages in the header with them."""
        return len(self.octets) + len(self.elements)

    def room(self, join: Join | None) -> int:
        """Octets or septets of text in a segment; None: in a single one."""
        if not self.elements:
            if join is None:
                return _AIR if self.ucs2 else _ONE_GSM
            return (_UCS2_ROOM if self.ucs2 else _GSM_ROOM)[join]
        header = 1 if join is None else _HEADER[join]
        return (_AIR - header - len(self.elements)) * 8 // 7


_GSM_ONCE: Final = Measure("gsm7", 1)
_UCS2_ONCE: Final = Measure("ucs2", 1)


def measure(text: str, cutting: Cutting = PLAIN) -> Measure:
    """The encoding and the number of segments. More than MAX_SEGMENTS can't be sent."""
    if cutting.exact:
        octets = alphabet.encode(text)
        if octets is not None:
            if len(octets) <= _ONE_GSM:
                return _GSM_ONCE
            if cutting.join is not Join.PAYLOAD:
                return Measure("gsm7", _count(octets, 0, _GSM_ROOM[cutting.join], False))
        else:
            octets = _utf16(text)
            if len(octets) <= _AIR:
                return _UCS2_ONCE
            if cutting.join is not Join.PAYLOAD:
                return Measure("ucs2", _count(octets, 0, _UCS2_ROOM[cutting.join], True))
    form = _chosen(text, cutting)
    segments = _on_air(form, cutting.join)
    if segments > 1 and cutting.join is Join.PAYLOAD:
        segments = 1 if len(_whole(form)) <= MAX_PAYLOAD else max(segments, MAX_SEGMENTS + 1)
    return Measure("ucs2" if form.ucs2 else "gsm7", segments)


def encode(text: str) -> Encoded:
    """The whole text in the cheaper encoding. A lone surrogate, which no phone could show, becomes U+FFFD."""
    octets = alphabet.encode(text)
    if octets is not None:
        return Encoded("gsm7", 0x00, octets)
    return Encoded("ucs2", 0x08, _utf16(text))


def on_air(text: str, cutting: Cutting = PLAIN) -> int:
    """The short messages that reach the phone, and are billed: with PAYLOAD more than are submitted."""
    return _on_air(_chosen(text, cutting), cutting.join)


def split(text: str, reference: int, cutting: Cutting = PLAIN) -> Split:
    """The short messages of a text. ValueError where `measure` tells of more than MAX_SEGMENTS.

    The reference is cut to the bits that its place has.
    """
    if cutting.exact:
        octets = alphabet.encode(text)
        if octets is not None:
            if len(octets) <= _ONE_GSM:
                return Split("gsm7", 0x00, 0, (octets,))
            form = _Form(text, octets, False)
        else:
            octets = _utf16(text)
            if len(octets) <= _AIR:
                return Split("ucs2", 0x08, 0, (octets,))
            form = _Form(text, octets, True)
    else:
        form = _chosen(text, cutting)
    return _joined(form, reference, cutting.join)


def bodies(text: str, cutting: Cutting = PLAIN) -> Split:
    """As `split`, without headers."""
    form = _chosen(text, cutting)
    parts = tuple(_recoded(part, form) for part in _parts(form, cutting.join))
    return _split(form, 0, parts)


def pieces(text: str, cutting: Cutting = PLAIN) -> list[str]:
    """The text of each segment, as a preview shows its borders and a phone what was folded."""
    form = _chosen(text, cutting)
    return [
        part.decode("utf-16-be") if form.ucs2 else form.table.decode(part)[0]
        for part in _parts(form, cutting.join)
    ]


def chosen_text(text: str, cutting: Cutting = PLAIN) -> str:
    """The text as it will be sent: folded, where the route folds and it helps."""
    return _chosen(text, cutting).text


def _chosen(text: str, cutting: Cutting) -> _Form:
    """The form of fewest segments; among equals the text as it was written, and GSM 7-bit before UCS-2."""
    octets = alphabet.encode(text)
    if octets is not None and cutting.default == "gsm7":
        return _Form(text, octets, False)
    whole = _Form(text, _utf16(text), True)
    if cutting.exact:
        return whole
    return min((*_in_septets(text, cutting), whole), key=lambda form: _on_air(form, cutting.join))


def _in_septets(text: str, cutting: Cutting) -> Iterator[_Form]:
    if cutting.default != "gsm7":
        yield from _in_default(text, cutting)
        if cutting.fold and (folded := fold(text)) != text:
            yield from _in_default(folded, cutting)
        return
    yield from _shifted(text, cutting, folding=False)
    if cutting.fold:
        folded = fold(text)
        if (octets := alphabet.encode(folded)) is not None:
            yield _Form(folded, octets, False)
        yield from _shifted(text, cutting, folding=True)


def _shifted(text: str, cutting: Cutting, *, folding: bool) -> Iterator[_Form]:
    """The text under the national tables that need least for it, if there are any."""
    forms = []
    for pair in shifts.pairs(cutting.shifts):
        written = fold(text, pair) if folding else text
        octets = pair.encode(written)
        if octets is not None:
            forms.append(_Form(written, octets, False, pair, udh.shift(pair.locking, pair.single)))
    if forms:
        yield min(forms, key=lambda form: (_on_air(form, cutting.join), form.cost))


def _in_default(text: str, cutting: Cutting) -> Iterator[_Form]:
    """For an SMSC whose data_coding 0 is not GSM. It recodes the text for the air: septets count."""
    octets = alphabet.encode(text)
    if octets is None:
        return
    form = _Form(text, octets, False, codec=codec_of(cutting.default))
    try:
        parts = [_recoded(part, form) for part in _parts(form, cutting.join)]
    except UnicodeEncodeError:  # a Greek letter, €: what GSM has and this alphabet has not
        return
    header = _HEADER[cutting.join] if len(parts) > 1 else 0
    if cutting.join is Join.PAYLOAD or max(map(len, parts)) + header <= _SHORT_MESSAGE:
        yield form


def codec_of(default: DefaultAlphabet) -> str:
    """The Python codec of an alphabet other than GSM."""
    return "utf-16-be" if default == "ucs2" else default


def _joined(form: _Form, reference: int, join: Join) -> Split:
    esm_class = udh.UDHI if form.elements else 0
    if len(form.octets) <= form.room(None):
        return _split(form, esm_class, (_whole(form),))
    if join is Join.PAYLOAD:
        payload = _whole(form)
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"{len(payload)} octets are more than {MAX_PAYLOAD}")
        return _split(form, esm_class, (payload,), join)
    parts = _cut(form, join)
    if form.codec:
        parts = [_recoded(part, form) for part in parts]
    elements = form.elements
    if join is Join.SAR:
        alone = udh.alone(elements)
        payloads = tuple([alone + part for part in parts])
        return _split(form, esm_class, payloads, join, reference & 0xFFFF)
    wide, total = join is Join.UDH16, len(parts)
    payloads = tuple(
        [
            udh.concatenation(reference, total, number, wide, elements) + part
            for number, part in enumerate(parts, start=1)
        ]
    )
    return _split(form, udh.UDHI, payloads, join, reference & (0xFFFF if wide else 0xFF))


def _split(
    form: _Form, esm_class: int, payloads: tuple[bytes, ...], join: Join | None = None, reference: int = 0
) -> Split:
    if form.ucs2:
        return Split("ucs2", 0x08, esm_class, payloads, join, reference)
    return Split("gsm7", 0x00, esm_class, payloads, join, reference)


def _whole(form: _Form) -> bytes:
    """The text in one piece, as a single short message or message_payload takes it."""
    return udh.alone(form.elements) + _recoded(form.octets, form)


def _recoded(part: bytes, form: _Form) -> bytes:
    return alphabet.decode(part)[0].encode(form.codec) if form.codec else part


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        whole = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
        return whole.encode("utf-16-be")


def _on_air(form: _Form, join: Join) -> int:
    if len(form.octets) <= form.room(None):
        return 1
    return _count(form.octets, 0, form.room(join), form.ucs2)


def _parts(form: _Form, join: Join) -> list[bytes]:
    """The octets of each segment, headers and recoding left out."""
    return [form.octets] if len(form.octets) <= form.room(None) else _cut(form, join)


def _cut(form: _Form, join: Join) -> list[bytes]:
    """The parts of a text that needs several. ValueError over MAX_SEGMENTS, unless the SMSC cuts it."""
    octets, ucs2 = form.octets, form.ucs2
    room = form.room(join)
    total = _count(octets, 0, room, ucs2)
    if total > MAX_SEGMENTS and join is not Join.PAYLOAD:
        raise ValueError(f"{total} segments are more than {MAX_SEGMENTS}")
    borders = _borders(form) if graphemes.may_join(form.text) else None
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
    return parts


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


def _borders(form: _Form) -> list[int]:
    """The offset in octets of each grapheme, 0 the first of them."""
    cost: Callable[[str], int] = _units if form.ucs2 else form.table.septets
    offsets = [0]
    offset = before = 0
    for position in graphemes.boundaries(form.text):
        offset += cost(form.text[before:position])
        before = position
        offsets.append(offset)
    return offsets


def _units(text: str) -> int:
    """Octets in UTF-16."""
    return 2 * len(text) + 2 * sum(char > "\uffff" for char in text)
