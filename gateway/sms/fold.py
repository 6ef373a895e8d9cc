"""Look-alikes that cost a GSM text its alphabet, and what may stand for them."""

from typing import Final

from gateway.sms import alphabet

_LOOK_ALIKES: Final = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4`",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022\u00b7",
    "...": "\u2026",
    " ": "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t",
    "": "\u200b\u200c\u2060\ufeff\u00ad",
    "<": "\u2039",
    ">": "\u203a",
    "/": "\u2044\u2215",
    "x": "\u00d7",
    "\n": "\u2028\u2029\u0085",
}
_FOLD: Final = {ord(like): plain for plain, likes in _LOOK_ALIKES.items() for like in likes} | {
    code: chr(code - 0xFEE0)
    for code in range(0xFF01, 0xFF5F)  # full-width ASCII
}


def fold(text: str) -> str:
    """The text in GSM characters where only look-alikes stood in the way; any other text unchanged.

    A Chinese text keeps its quotes: it stays UCS-2 with or without them.
    """
    if alphabet.is_gsm(text):
        return text
    folded = text.translate(_FOLD)
    return folded if alphabet.is_gsm(folded) else text
