"""Where a text may be cut without tearing what a reader sees as one character (after Unicode UAX #29)."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

ZWJ: Final = "\u200d"

# Whatever can join its neighbours. Most texts have none, and are cut anywhere.
_JOINING: Final = re.compile(
    r"\r\n|[\u0300-\u036f\u0483-\u0489\u0591-\u109f\u1100-\u11ff\u1712-\u1cff\u1dc0-\u1dff\u200c\u200d"
    r"\u20d0-\u20ff\u2cef-\u2dff\u302a-\u302f\u3099\u309a\ua66f-\uabff\ud7b0-\ud7ff\ufb1e\ufe00-\ufe0f"
    r"\ufe20-\ufe2f\uff9e\uff9f\U00010000-\U0010ffff]"
)
_REGIONAL: Final = range(0x1F1E6, 0x1F200)
# The letters of a conjunct are one character to the reader (UAX #29, GB9c).
_VIRAMAS: Final = "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d"
_NUKTAS: Final = "\u093c\u09bc\u0abc\u0b3c\u0c3c"
_PICTURES: Final = range(0x1F000, 0x1FB00)  # those younger than our Unicode tables with them
_SKIN: Final = range(0x1F3FB, 0x1F400)
_TAGS: Final = range(0xE0020, 0xE0080)
_SPACING_LETTERS: Final = "\u0e33\u0eb3\uff9e\uff9f"  # Thai and Lao AM, half-width kana voicing
_LEADING: Final = range(0x1100, 0x1160)  # Hangul jamo
_VOWELS: Final = range(0x1160, 0x11A8)
_TRAILING: Final = range(0x11A8, 0x1200)
_SYLLABLES: Final = range(0xAC00, 0xD7A4)


def may_join(text: str) -> bool:
    """Whether the text has characters that might join into one grapheme; False is certain, True a guess."""
    return _JOINING.search(text) is not None


def boundaries(text: str) -> Iterator[int]:
    """Each position, from 1 on and without the end, at which a grapheme begins."""
    flags = 0  # regional indicators in a row before the position: flags are pairs of them
    linked = False  # an Indic virama before the position, perhaps with a joiner or a nukta after it
    for position in range(1, len(text)):
        before, here = text[position - 1], text[position]
        flags = flags + 1 if ord(before) in _REGIONAL else 0
        linked = before in _VIRAMAS or (linked and (before == ZWJ or before in _NUKTAS))
        if linked and unicodedata.category(here) == "Lo":
            continue
        if not _joined(before, here, flags):
            yield position


def _joined(before: str, here: str, flags: int) -> bool:
    code = ord(here)
    if code < 0x300:
        return before == "\r" and here == "\n"
    if before in "\r\n":
        return False
    if _extends(here, code):
        return True
    if before == ZWJ:
        return code in _PICTURES or unicodedata.category(here) in ("So", "Sm")
    if code in _REGIONAL:
        return flags % 2 == 1
    return _hangul_joined(ord(before), code)


def _extends(char: str, code: int) -> bool:
    return (
        unicodedata.category(char)[0] == "M"
        or char in (ZWJ, "\u200c")
        or char in _SPACING_LETTERS
        or code in _SKIN
        or code in _TAGS
    )


def _hangul_joined(before: int, here: int) -> bool:
    if here in _TRAILING:
        return before in _TRAILING or before in _VOWELS or before in _SYLLABLES
    if here in _VOWELS:
        open_syllable = before in _SYLLABLES and (before - 0xAC00) % 28 == 0
        return before in _LEADING or before in _VOWELS or open_syllable
    return before in _LEADING and (here in _LEADING or here in _SYLLABLES)
