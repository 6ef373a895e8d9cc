"""GSM 7-bit alphabets, one septet per octet, and the default one with its extension (3GPP TS 23.038 §6.2.1).

Says whether a text fits one, what it costs there, and which characters do not fit.
"""

import codecs
import re
from collections.abc import Mapping
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

_ESCAPED: Final = re.compile(rb"\x1b(.?)", re.DOTALL)
_SPACE: Final = 0x20


class Alphabet:
    """A table of 128 septets and the table behind its escape, to be read and written.

    A character in both is written with one septet, one that stands at several places with the lowest. A space
    elsewhere than at 0x20 is a place without a character.
    """

    __slots__ = ("_extended", "_extension", "_only", "lacking", "main", "octets")

    def __init__(self, main: str, extension: Mapping[int, str]) -> None:
        self.main: Final = main
        self._extension: Final = dict(extension)
        escapes = sorted(extension.items(), reverse=True)
        octets = {ord(char): bytes((ESCAPE, septet)) for septet, char in escapes}
        for septet in reversed(range(128)):
            if septet != ESCAPE and (main[septet] != " " or septet == _SPACE):
                octets[ord(main[septet])] = bytes((septet,))
        self.octets: Final = octets  #: of each character, by its code point
        every = "".join(re.escape(chr(code)) for code in octets)
        escaped = "".join(re.escape(chr(code)) for code, written in octets.items() if len(written) > 1)
        self._only: Final = re.compile(f"[{every}]*")
        self._extended: Final = re.compile(f"[{escaped}]")
        self.lacking: Final = re.compile(f"[^{every}]")  #: finds the characters that are not in it

    def holds(self, text: str) -> bool:
        """Whether all of the text can be written."""
        return self._only.fullmatch(text) is not None

    def septets(self, text: str) -> int:
        """What a text costs in septets: two for what stands behind the escape. It must fit the alphabet."""
        return len(text) + len(self._extended.findall(text))

    def encode(self, text: str) -> bytes | None:
        """The septets of a text, one per octet, or None where the alphabet does not hold it."""
        if self._only.fullmatch(text) is None:
            return None
        return codecs.charmap_encode(text, "strict", self.octets)[0]

    def decode(self, octets: bytes) -> tuple[str, bool]:
        """The text of unpacked septets and whether they were well-formed.

        An escape before a septet that the extension does not have gives the main table's character; two
        escapes give a space (TS 23.038 §6.2.1.1). Octets over 0x7F and an escape at the end are ill-formed:
        the former are read as Latin-1, the latter shows as U+FFFD.
        """
        well_formed = octets.isascii()
        if ESCAPE not in octets:
            return self._plain(octets), well_formed
        pieces: list[str] = []
        end = 0
        for match in _ESCAPED.finditer(octets):
            pieces.append(self._plain(octets[end : match.start()]))
            end = match.end()
            after = match[1]
            if not after:
                pieces.append("\ufffd")
                well_formed = False
            elif after[0] == ESCAPE:
                pieces.append(" ")
            else:
                pieces.append(self._extension.get(after[0]) or self._plain(after))
        pieces.append(self._plain(octets[end:]))
        return "".join(pieces), well_formed

    def _plain(self, octets: bytes) -> str:
        if octets.isascii():
            return codecs.charmap_decode(octets, "strict", self.main)[0]
        return "".join(self.main[octet] if octet < 0x80 else chr(octet) for octet in octets)


#: The default alphabet with its extension table.
GSM: Final = Alphabet(DEFAULT_TABLE, EXTENSION_TABLE)

# ASCII octet → septet where one septet does; 0xFF marks what needs an escape or is not in the alphabet.
_SLOW: Final = 0xFF
_ASCII: Final = bytes(
    GSM.octets[code][0] if code < 0x80 and len(GSM.octets.get(code, b"")) == 1 else _SLOW
    for code in range(256)
)

is_gsm: Final = GSM.holds
septets: Final = GSM.septets
decode: Final = GSM.decode


def forced_ucs2_by(text: str) -> list[tuple[int, str]]:
    """Each character, with its position, which the GSM alphabet does not hold; empty for a GSM text."""
    return [(match.start(), match.group()) for match in GSM.lacking.finditer(text)]


def encode(text: str) -> bytes | None:
    """The septets of a text, one per octet, or None where the default alphabet does not hold it."""
    if text.isascii():
        octets = text.encode("ascii").translate(_ASCII)
        if _SLOW not in octets:
            return octets
    return GSM.encode(text)


def unpack(octets: bytes, fill_bits: int = 0) -> bytes:
    """Septets packed as on the air, one per octet again (TS 23.038 §6.1.2.1.1).

    `fill_bits` stand before the first septet, so that it begins on a septet's border after a header. Seven
    spare bits at the end, zero or a CR (§6.1.2.3.1), are no character.
    """
    bits = int.from_bytes(octets, "little") >> fill_bits
    room = 8 * len(octets) - fill_bits
    found = bytes(bits >> place & 0x7F for place in range(0, room - 6, 7))
    if room % 7 == 0 and found[-1:] in (b"\0", b"\r"):
        return found[:-1]
    return found
