"""What data_coding says of the octets of a short message, and the text in them.

SMPP 3.4 §5.2.19 and TS 23.038 §4. Decoding never raises and loses nothing that can be read: what is wrong
shows as U+FFFD or Latin-1, and is flagged.
"""

import unicodedata
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from gateway.sms import alphabet, shifts, udh

#: What data_coding 0 ("SMSC default alphabet") means on a route.
DefaultAlphabet = Literal["gsm7", "ascii", "latin1", "utf8", "ucs2", "gb18030"]
#: How a GSM text's class is written: 0x10 (general group) or 0xF0 (data coding/message class group).
ClassGroup = Literal["general", "class"]
Charset = Literal["gsm7", "ascii", "latin1", "utf8", "ucs2", "gb18030", "binary", "compressed"] | str


class Scheme(NamedTuple):
    """A data_coding taken apart."""

    charset: Charset  #: one of ours, or the name of a Python codec
    message_class: int | None = None  #: 0 flash, 1 handset, 2 SIM, 3 terminal
    waiting: bool = False  #: a message waiting indication


class Decoded(NamedTuple):
    """A text as read. `ill_formed`: some octets could not be read as data_coding promised."""

    text: str
    ill_formed: bool
    message_class: int | None = None
    waiting: bool = False


_NAMED: Final[dict[int, Charset]] = {
    0x01: "ascii",
    0x02: "binary",
    0x03: "latin1",
    0x04: "binary",
    0x05: "shift_jis",
    0x06: "iso8859_5",
    0x07: "iso8859_8",
    0x08: "ucs2",
    0x09: "binary",
    0x0A: "iso2022_jp",
    0x0D: "euc_jp",
    0x0E: "euc_kr",
    0x0F: "gb18030",  # reserved in SMPP; Chinese SMSCs carry CMPP's Msg_Fmt 15 over in it
}

# All that GB 2312 holds, and ASCII.
_COMMON: Final = frozenset(
    bytes(octet for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF) for octet in (row, cell)).decode(
        "gb2312", "ignore"
    )
    + bytes(range(0x20, 0x7F)).decode()
    + "\r\n\t\0"
)

_ALPHABETS: Final[tuple[Charset, ...]] = ("gsm7", "binary", "ucs2", "binary")


def scheme_of(data_coding: int, default: DefaultAlphabet = "gsm7") -> Scheme:
    """The meaning of a data_coding. One that is reserved reads as the route's default alphabet."""
    if data_coding == 0:
        return Scheme(default)
    if data_coding < 0x10:
        return Scheme(_NAMED.get(data_coding, default))
    group = data_coding >> 4
    if group >= 0xC:
        return _closed_group(data_coding, group)
    if group >= 0x8:
        return Scheme(default)
    # General data coding, and 01xx the same with automatic deletion (TS 23.038 §4).
    message_class = data_coding & 0x03 if data_coding & 0x10 else None
    if data_coding & 0x20:
        return Scheme("compressed", message_class)
    return Scheme(_ALPHABETS[data_coding >> 2 & 0x03], message_class)


def _closed_group(data_coding: int, group: int) -> Scheme:
    if group == 0xF:
        return Scheme("binary" if data_coding & 0x04 else "gsm7", data_coding & 0x03)
    return Scheme("ucs2" if group == 0xE else "gsm7", waiting=True)


def with_class(data_coding: int, message_class: int, group: ClassGroup = "general") -> int:
    """data_coding 0 or 8 with a class, of which 0 is flash.

    TS 23.038 §4: 0x10 and 0x18, or 0xF0, which some SMSCs want and which UCS-2 does not have.
    """
    if group == "class" and not data_coding & 0x0C:
        return 0xF0 | message_class & 0x03
    return data_coding & 0x0C | 0x10 | message_class & 0x03


def decode(
    octets: bytes,
    data_coding: int,
    default: DefaultAlphabet = "gsm7",
    header: udh.Udh = udh.NO_UDH,
    packed: bool = False,
) -> Decoded:
    """The text of a short message after its header.

    `default` is what data_coding 0 means on this route, `packed` that it brings GSM texts as on the air. The
    header may name national language tables.
    """
    charset, message_class, waiting = scheme_of(data_coding, default)
    if packed:
        octets = unpacked(octets, data_coding, default, header)
    if charset == "gsm7" and header.elements and (languages := header.languages) != (0, 0):
        text, well_formed = shifts.tables(*languages).decode(octets)
    else:
        reader = _READERS.get(charset)
        text, well_formed = reader(octets) if reader else _read(octets, charset)
    if "\0" in text:
        # A closing NUL is a C string's end. Elsewhere it is no text, and no database would take it.
        text = text.rstrip("\0")
        if "\0" in text:
            text, well_formed = text.replace("\0", "\ufffd"), False
    return Decoded(text, not well_formed, message_class, waiting)


def unpacked(
    octets: bytes, data_coding: int, default: DefaultAlphabet = "gsm7", header: udh.Udh = udh.NO_UDH
) -> bytes:
    """The septets of a GSM text packed as on the air, one per octet; another text's octets as they are."""
    if scheme_of(data_coding, default).charset != "gsm7":
        return octets
    return alphabet.unpack(octets, header.fill_bits)


def _read(octets: bytes, codec: str) -> tuple[str, bool]:
    try:
        return octets.decode(codec), True
    except UnicodeDecodeError:
        return _guess(octets), False


def _guess(octets: bytes) -> str:
    """What ill-declared octets most likely say: UTF-8 is seldom so by chance, Latin-1 is readable back."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _gsm7(octets: bytes) -> tuple[str, bool]:
    if not octets.isascii():
        try:
            return octets.decode("utf-8"), False  # an SMSC that passes on what an application gave it
        except UnicodeDecodeError:
            pass
    return alphabet.decode(octets)


def _ucs2(octets: bytes) -> tuple[str, bool]:
    if octets[:2] == b"\xff\xfe":  # a byte order mark the wrong way round
        return _utf16(octets[2:], "utf-16-le")
    if octets[:2] == b"\xfe\xff":
        octets = octets[2:]
    text, well_formed = _utf16(octets, "utf-16-be")
    turned = _turned(octets, text)
    return (text, well_formed) if turned is None else (turned, False)


def _utf16(octets: bytes, codec: str) -> tuple[str, bool]:
    try:
        return octets.decode(codec), True
    except UnicodeDecodeError:
        return octets.decode(codec, "replace"), False


def _turned(octets: bytes, text: str) -> str | None:
    """The text read little-endian, where without any mark all else speaks for that order.

    Read so, all of it is ASCII or one of the 7,000 characters of GB 2312; as it came, hardly any is. "8" is
    U+3800 the other way round, 满意 a private character and a Tibetan one. One or two rare ideographs alone
    are no evidence, and the text stays as it came.
    """
    if _is_common(text) or max(text) > "\uffff":  # a pair of surrogates is seldom one by chance
        return None
    try:
        turned = octets.decode("utf-16-le")
    except UnicodeDecodeError:
        return None
    if not _is_common(turned) or 4 * sum(map(_speaks_for_itself, text)) > len(text):
        return None
    if turned.isascii():
        return turned if len(turned) > 1 or turned.isalnum() else None
    impossible = any(unicodedata.category(char) in ("Cn", "Co") for char in text)
    return turned if impossible or len(turned) > 2 else None


def _speaks_for_itself(char: str) -> bool:
    """Whether a character makes it likely that it stands as it came; an ideographic space may be a nought."""
    return char != "\u3000" and (_is_common(char) or unicodedata.category(char) in ("So", "Sm"))


def _is_common(text: str) -> bool:
    return _COMMON.issuperset(text)


def _binary(octets: bytes) -> tuple[str, bool]:
    """Some phones and SMSCs declare plain text as 8-bit data: readable UTF-8 is taken for text."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1"), False
    return text, all(char.isprintable() or char in "\r\n\t\0" for char in text)


def _compressed(octets: bytes) -> tuple[str, bool]:
    """Compressed texts (TS 23.042) were never in use; their octets are kept readable back from Latin-1."""
    return octets.decode("latin-1"), False


_READERS: Final[dict[str, Callable[[bytes], tuple[str, bool]]]] = {
    "gsm7": _gsm7,
    "ucs2": _ucs2,
    "binary": _binary,
    "compressed": _compressed,
}
