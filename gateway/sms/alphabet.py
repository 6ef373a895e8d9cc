"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038 §6.2.1), one septet per octet.

Says whether a text fits it, what it costs there, and which characters do not fit.
"""

import codecs
import re
from typing import Final

ESCAPE: Final = 0x1B

#: Septet 0x00 to 0x7F. The escape septet has no character of its own.
DEFAULT_TABLE: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

#: Septet after the escape. The others in that table are read from the default one (TS 23.038 §6.2.1.1).
EXTENSION_TABLE: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_OCTETS: Final[dict[int, bytes]] = {
    ord(char): bytes((septet,)) for septet, char in enumerate(DEFAULT_TABLE) if septet != ESCAPE
} | {ord(char): bytes((ESCAPE, septet)) for septet, char in EXTENSION_TABLE.items()}

_CLASS: Final = "".join(re.escape(chr(code)) for code in _OCTETS)
_ONLY_GSM: Final = re.compile(f"[{_CLASS}]*")
_NOT_GSM: Final = re.compile(f"[^{_CLASS}]")
_EXTENDED: Final = re.compile("[" + "".join(re.escape(char) for char in EXTENSION_TABLE.values()) + "]")

# ASCII octet → septet where one septet does; 0xFF marks what needs an escape or is not in the alphabet.
_SLOW: Final = 0xFF
_ASCII: Final = bytes(
    _OCTETS[code][0] if code < 0x80 and len(_OCTETS.get(code, b"")) == 1 else _SLOW for code in range(256)
)

_ESCAPED: Final = re.compile(rb"\x1b(.?)", re.DOTALL)
_PAIR: Final = re.compile(r"\x1b(.?)", re.DOTALL)
_AFTER_ESCAPE: Final = {DEFAULT_TABLE[septet]: char for septet, char in EXTENSION_TABLE.items()}


def is_gsm(text: str) -> bool:
    """Whether the default alphabet with its extension table holds all of the text."""
    return _ONLY_GSM.fullmatch(text) is not None


def septets(text: str) -> int:
    """What a text costs in septets; an extension character costs two. The text must fit the alphabet."""
    return len(text) + len(_EXTENDED.findall(text))


def forced_ucs2_by(text: str) -> list[tuple[int, str]]:
    """Each character, with its position, which the GSM alphabet does not hold; empty for a GSM text."""
    return [(match.start(), match.group()) for match in _NOT_GSM.finditer(text)]


def encode(text: str) -> bytes | None:
    """The septets of a text, one per octet, or None where the alphabet does not hold it."""
    if text.isascii():
        octets = text.encode("ascii").translate(_ASCII)
        if _SLOW not in octets:
            return octets
    if _ONLY_GSM.fullmatch(text) is None:
        return None
    return codecs.charmap_encode(text, "strict", _OCTETS)[0]


def decode(octets: bytes) -> tuple[str, bool]:
    """The text of unpacked septets and whether they were well-formed.

    An escape before a septet that the extension table does not have gives the default table's character; two
    escapes give a space (TS 23.038 §6.2.1.1). Octets over 0x7F and an escape at the end are ill-formed: the
    former are read as Latin-1, the latter shows as U+FFFD.
    """
    if octets.isascii():
        text = codecs.charmap_decode(octets, "strict", DEFAULT_TABLE)[0]
        well_formed = True
    else:
        text = "".join(DEFAULT_TABLE[octet] if octet < 0x80 else chr(octet) for octet in octets)
        well_formed = False
    if "\x1b" not in text:
        return text, well_formed
    well_formed = well_formed and all(match.group(1) for match in _ESCAPED.finditer(octets))
    return _PAIR.sub(_unescaped, text), well_formed


def _unescaped(match: re.Match[str]) -> str:
    char = match.group(1)
    if not char:
        return "\ufffd"
    return " " if char == "\x1b" else _AFTER_ESCAPE.get(char, char)
