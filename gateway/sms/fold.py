"""Look-alikes that cost a GSM text its alphabet, and what may stand for them."""

import unicodedata
from typing import Final

from gateway.sms.alphabet import GSM, Alphabet

_LOOK_ALIKES: Final = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02c8\u00b4`\u275b\u275c",
    '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u02ba\u275d\u275e",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022\u2043\u2219\u00b7\ufe58\ufe63",
    ".": "\u2024",
    "..": "\u2025",
    "...": "\u2026",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t",
    # Zero width: spaces, joiners, marks of direction, soft hyphen, variation selectors of plain characters.
    "": "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061"
    "\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufe0e\ufe0f\ufeff",
    "<": "\u2039",
    ">": "\u203a",
    "/": "\u2044\u2215",
    "x": "\u00d7",
    "*": "\u2217\u204e",
    "~": "\u02dc\u223c",
    "^": "\u02c6",
    "|": "\u00a6\u2223",
    "£": "\uffe1",
    "¥": "\uffe5",
    "fi": "\ufb01",
    "fl": "\ufb02",
    "ff": "\ufb00",
    "ffi": "\ufb03",
    "ffl": "\ufb04",
    "\n": "\u2028\u2029\u0085\v",
}
_FULL_WIDTH: Final = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"\uff40": "'"}
_FOLD: Final = _FULL_WIDTH | {like: plain for plain, likes in _LOOK_ALIKES.items() for like in likes}


def fold(text: str, into: Alphabet = GSM) -> str:
    """The text as the alphabet can write it, where only look-alikes stood in the way; else as it is.

    Accents written apart are put together first (Unicode NFC). A Chinese text keeps its quotes and its
    full-width digits: it stays UCS-2 with or without them.
    """
    if into.holds(text):
        return text
    whole = unicodedata.normalize("NFC", text)
    pieces: list[str] = []
    end = 0
    for match in into.lacking.finditer(whole):
        plain = plain_for(match[0], into)
        if plain is None:
            return text
        pieces += whole[end : match.start()], plain
        end = match.end()
    pieces.append(whole[end:])
    return "".join(pieces) or text  # an empty short message says less than an invisible one


def plain_for(char: str, into: Alphabet = GSM) -> str | None:
    """What may stand for a character that the alphabet lacks, perhaps "" for it; None where nothing may."""
    plain = unicodedata.normalize("NFC", char)
    if not into.holds(plain):
        plain = _FOLD.get(char, char)
    return plain if into.holds(plain) else None
