"""Text whose octets were read in the wrong encoding: what stands in it is not what the customer wrote."""

import codecs
import re
import unicodedata
from typing import Final

#: All that a reply in Chinese or English is made of; such a text is looked at no further.
_USUAL: Final = re.compile(r"[\t\n\r -~\u2014\u2018-\u201d\u2026\u3000-\u3011\u4e00-\u9fff\uff01-\uff5e]*+")
#: What Windows-1252 makes of the octets 0x80 to 0xBF.
_HIGH: Final = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_LATIN: Final = re.compile(
    r"[\u00a1-\u00ff]{3}|\d[\u00c0-\u00ff]{2}"  # GBK read as Latin-1: runs that no language has
    r"|[À-ÖØ-öø-ÿ][¢-©¬-º¼-¾×÷]|[¢-©¬-º¼-¾×÷][À-ÖØ-öø-ÿ]"
    rf"|[ãäåæçèéïâð][{_HIGH}]{{2}}"  # UTF-8 read as Latin-1
    r"|[\u0080-\u0084\u0086-\u009f\ue000-\uf8ff\ufffd\ud800-\udfff]"
)
#: 鍒嗭紝: UTF-8 read as GBK, which gives Chinese letters. These are the ones that it can begin with.
_HAN: Final = re.compile(
    "["
    + "".join(
        sign
        for lead in (0xE2, 0xE3, *range(0xE4, 0xEA), 0xEF)
        for trail in range(0x80, 0xC0)
        if "\u4e00" <= (sign := bytes([lead, trail]).decode("gbk", "ignore")[:1]) <= "\u9fff"
    )
    + "]"
)
_REPLACED: Final = "锟斤拷"  # U+FFFD in UTF-8, read as GBK
_Utf8: Final = codecs.getincrementaldecoder("utf-8")
_EMOJI: Final = range(0x1F000, 0x20000)  # where new ones are assigned each year


def is_garbled(text: str) -> bool:
    """Whether signs of the text are replaced, private, unassigned or halves, or runs of them are mojibake."""
    if not _USUAL.fullmatch(text) and (_LATIN.search(text) or any(map(_is_nothing, text))):
        return True
    return _HAN.search(text) is not None and (_REPLACED in text or _is_misread(text))


def _is_nothing(sign: str) -> bool:
    return (
        sign > "\u0377"
        and unicodedata.category(sign) in {"Cn", "Co", "Cs"}
        and (ord(sign) < 0x20000 or ord(sign) > 0x3FFFF)
        and ord(sign) not in _EMOJI
    )


def _is_misread(text: str) -> bool:
    """Whether the octets of the text in GBK are one text in UTF-8: by chance they never are."""
    try:
        meant = _Utf8().decode(text.encode("gbk"))  # the last letter may be cut off
    except UnicodeError:
        return False
    return not meant.isascii() and all(sign.isascii() or sign > "\u0800" for sign in meant)
