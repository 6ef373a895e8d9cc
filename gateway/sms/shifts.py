"""The national language tables for GSM 7-bit texts (3GPP TS 23.038 §6.2.1.2, annex A).

A locking shift table takes the default alphabet's place, a single shift table that of its extension; a text's
header names them (TS 23.040 §9.2.3.24.15, §9.2.3.24.16).
"""

from enum import IntEnum
from functools import cache
from typing import Final

from gateway.sms.alphabet import DEFAULT_TABLE, EXTENSION_TABLE, GSM, Alphabet


class Shift(IntEnum):
    """A language by its National Language Identifier (TS 23.038 §6.2.1.2.4)."""

    TURKISH = 1
    SPANISH = 2  #: a single shift table only
    PORTUGUESE = 3
    BENGALI = 4
    GUJARATI = 5
    HINDI = 6
    KANNADA = 7
    MALAYALAM = 8
    ORIYA = 9
    PUNJABI = 10
    TAMIL = 11
    TELUGU = 12
    URDU = 13


# What the locking tables of annex A.3.4 to A.3.13 have in common; a dot is the language's own.
_FRAME: Final = (
    "··········\n··\r··"
    "···········\x1b····"
    " !······)(··,·.·"
    "0123456789:;···?"
    "················"
    "················"
    "·abcdefghijklmno"
    "pqrstuvwxyz·····"
)

# What the single shift tables of annex A.2.4 to A.2.13 have in common, and where their own signs stand.
_COMMON: Final = (
    EXTENSION_TABLE
    | dict(enumerate("@£$¥¿\"¤%&'\f*+"))
    | dict(enumerate("-/<=>¡^¡_#*", 0x0E))
    | dict(enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 0x41))
)
_PLACES: Final = (0x19, 0x1A, *range(0x1C, 0x28), *range(0x2A, 0x2F), *range(0x30, 0x3C), 0x3F)


def _letters(block: int, offsets: str) -> str:
    """A locking table from its letters in the order of their septets; `--` is a place without one."""
    own = iter(offsets.split())
    return "".join(_letter(block, next(own)) if sign == "·" else sign for sign in _FRAME)


def _letter(block: int, offset: str) -> str:
    return " " if offset == "--" else chr(block + int(offset, 16))


def _signs(codes: str) -> dict[int, str]:
    own = zip(_PLACES, codes.split(), strict=False)
    return _COMMON | {septet: chr(int(code, 16)) for septet, code in own if code != "----"}


#: The 128 characters of a locking shift table. A place without a character has a space.
LOCKING: Final[dict[Shift, str]] = {
    Shift.TURKISH: (
        "@£$¥€éùıòÇ\nĞğ\rÅå"
        "Δ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ"
        " !\"#¤%&'()*+,-./"
        "0123456789:;<=>?"
        "İABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÄÖÑÜ§"
        "çabcdefghijklmno"
        "pqrstuvwxyzäöñüà"
    ),
    Shift.PORTUGUESE: (
        "@£$¥êéúíóç\nÔô\rÁá"
        "Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
        " !\"#º%&'()*+,-./"
        "0123456789:;<=>?"
        "ÍABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÃÕÚÜ§"
        "~abcdefghijklmno"
        "pqrstuvwxyzãõ`üà"
    ),
    Shift.BENGALI: _letters(
        0x0900,
        "81 82 83 85 86 87 88 89 8A 8B 8C -- -- 8F 90 -- -- 93 94 95 96 97 98 99 9A 9B 9C 9D "
        "9E 9F A0 A1 A2 A3 A4 A5 A6 A7 A8 -- AA AB AC AD AE AF B0 -- B2 -- -- -- B6 B7 B8 B9 "
        "BC BD BE BF C0 C1 C2 C3 C4 -- -- C7 C8 -- -- CB CC CD CE D7 DC DD F0 F1",
    ),
    Shift.GUJARATI: _letters(
        0x0A00,
        "81 82 83 85 86 87 88 89 8A 8B 8C 8D -- 8F 90 91 -- 93 94 95 96 97 98 99 9A 9B 9C 9D "
        "9E 9F A0 A1 A2 A3 A4 A5 A6 A7 A8 -- AA AB AC AD AE AF B0 -- B2 B3 -- B5 B6 B7 B8 B9 "
        "BC BD BE BF C0 C1 C2 C3 C4 C5 -- C7 C8 C9 -- CB CC CD D0 E0 E1 E2 E3 F1",
    ),
    Shift.HINDI: _letters(
        0x0900,
        "01 02 03 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D "
        "1E 1F 20 21 22 23 24 25 26 27 28 29 2A 2B 2C 2D 2E 2F 30 31 32 33 34 35 36 37 38 39 "
        "3C 3D 3E 3F 40 41 42 43 44 45 46 47 48 49 4A 4B 4C 4D 50 72 7B 7C 7E 7F",
    ),
    Shift.KANNADA: _letters(
        0x0C00,
        "-- 82 83 85 86 87 88 89 8A 8B 8C -- 8E 8F 90 -- 92 93 94 95 96 97 98 99 9A 9B 9C 9D "
        "9E 9F A0 A1 A2 A3 A4 A5 A6 A7 A8 -- AA AB AC AD AE AF B0 B1 B2 B3 -- B5 B6 B7 B8 B9 "
        "BC BD BE BF C0 C1 C2 C3 C4 -- C6 C7 C8 -- CA CB CC CD D5 D6 E0 E1 E2 E3",
    ),
    Shift.MALAYALAM: _letters(
        0x0D00,
        "-- 02 03 05 06 07 08 09 0A 0B 0C -- 0E 0F 10 -- 12 13 14 15 16 17 18 19 1A 1B 1C 1D "
        "1E 1F 20 21 22 23 24 25 26 27 28 -- 2A 2B 2C 2D 2E 2F 30 31 32 33 34 35 36 37 38 39 "
        "-- 3D 3E 3F 40 41 42 43 44 -- 46 47 48 -- 4A 4B 4C 4D 57 60 61 62 63 79",
    ),
    Shift.ORIYA: _letters(
        0x0B00,
        "01 02 03 05 06 07 08 09 0A 0B 0C -- -- 0F 10 -- -- 13 14 15 16 17 18 19 1A 1B 1C 1D "
        "1E 1F 20 21 22 23 24 25 26 27 28 -- 2A 2B 2C 2D 2E 2F 30 -- 32 33 -- 35 36 37 38 39 "
        "3C 3D 3E 3F 40 41 42 43 44 -- -- 47 48 -- -- 4B 4C 4D 56 57 60 61 62 63",
    ),
    Shift.PUNJABI: _letters(
        0x0A00,
        "01 02 03 05 06 07 08 09 0A -- -- -- -- 0F 10 -- -- 13 14 15 16 17 18 19 1A 1B 1C 1D "
        "1E 1F 20 21 22 23 24 25 26 27 28 -- 2A 2B 2C 2D 2E 2F 30 -- 32 33 -- 35 36 -- 38 39 "
        "3C -- 3E 3F 40 41 42 -- -- -- -- 47 48 -- -- 4B 4C 4D 51 70 71 72 73 74",
    ),
    Shift.TAMIL: _letters(
        0x0B00,
        "-- 82 83 85 86 87 88 89 8A -- -- -- 8E 8F 90 -- 92 93 94 95 -- -- -- 99 9A -- 9C -- "
        "9E 9F -- -- -- A3 A4 -- -- -- A8 A9 AA -- -- -- AE AF B0 B1 B2 B3 B4 B5 B6 B7 B8 B9 "
        "-- -- BE BF C0 C1 C2 -- -- -- C6 C7 C8 -- CA CB CC CD D0 D7 F0 F1 F2 F9",
    ),
    Shift.TELUGU: _letters(
        0x0C00,
        "01 02 03 05 06 07 08 09 0A 0B 0C -- 0E 0F 10 -- 12 13 14 15 16 17 18 19 1A 1B 1C 1D "
        "1E 1F 20 21 22 23 24 25 26 27 28 -- 2A 2B 2C 2D 2E 2F 30 31 32 33 -- 35 36 37 38 39 "
        "-- 3D 3E 3F 40 41 42 43 44 -- 46 47 48 -- 4A 4B 4C 4D 55 56 60 61 62 63",
    ),
    Shift.URDU: _letters(
        0x0600,
        "27 22 28 7B 80 7E A6 2A C2 7F 79 7D 7A 7C 2B 2C 81 84 83 85 86 87 2D 2E 2F 8C 88 89 "
        "8A 8F 8D 30 31 91 93 99 32 96 98 9A 33 34 35 36 37 38 39 41 42 A9 AA AB AF B3 B1 44 "
        "45 46 BA BB BC 48 C4 D5 C1 BE 21 CC D0 D2 4D 50 4F 57 54 55 51 53 56 70",
    ),
}

#: The characters of a single shift table by the septet after the escape.
SINGLE: Final[dict[Shift, dict[int, str]]] = {
    Shift.TURKISH: EXTENSION_TABLE
    | {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"},
    Shift.SPANISH: EXTENSION_TABLE
    | {0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú"},
    Shift.PORTUGUESE: EXTENSION_TABLE
    | {0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á", 0x12: "Φ", 0x13: "Γ", 0x15: "Ω"}
    | {0x16: "Π", 0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê", 0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú"}
    | {0x5B: "Ã", 0x5C: "Õ", 0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â"},
    Shift.BENGALI: _signs(
        "09E6 09E7 09E8 09E9 09EA 09EB 09EC 09ED 09EE 09EF 09DF 09E0 09E1 09E2 "
        "09E3 09F2 09F3 09F4 09F5 09F6 09F7 09F8 09F9 09FA"
    ),
    Shift.GUJARATI: _signs("0964 0965 0AE6 0AE7 0AE8 0AE9 0AEA 0AEB 0AEC 0AED 0AEE 0AEF"),
    Shift.HINDI: _signs(
        "0964 0965 0966 0967 0968 0969 096A 096B 096C 096D 096E 096F 0951 0952 "
        "0953 0954 0958 0959 095A 095B 095C 095D 095E 095F 0960 0961 0962 0963 0970 0971"
    ),
    Shift.KANNADA: _signs("0964 0965 0CE6 0CE7 0CE8 0CE9 0CEA 0CEB 0CEC 0CED 0CEE 0CEF 0CDE 0CF1 0CF2"),
    Shift.MALAYALAM: _signs(
        "0964 0965 0D66 0D67 0D68 0D69 0D6A 0D6B 0D6C 0D6D 0D6E 0D6F 0D70 0D71 "
        "0D72 0D73 0D74 0D75 0D7A 0D7B 0D7C 0D7D 0D7E 0D7F"
    ),
    Shift.ORIYA: _signs(
        "0964 0965 0B66 0B67 0B68 0B69 0B6A 0B6B 0B6C 0B6D 0B6E 0B6F 0B5C 0B5D 0B5F 0B70 0B71"
    ),
    Shift.PUNJABI: _signs(
        "0964 0965 0A66 0A67 0A68 0A69 0A6A 0A6B 0A6C 0A6D 0A6E 0A6F 0A59 0A5A 0A5B 0A5C 0A5E 0A75"
    ),
    Shift.TAMIL: _signs(
        "0964 0965 0BE6 0BE7 0BE8 0BE9 0BEA 0BEB 0BEC 0BED 0BEE 0BEF 0BF3 0BF4 0BF5 0BF6 0BF7 0BF8 0BFA"
    ),
    Shift.TELUGU: _signs(
        "---- ---- 0C66 0C67 0C68 0C69 0C6A 0C6B 0C6C 0C6D 0C6E 0C6F 0C58 0C59 "
        "0C78 0C79 0C7A 0C7B 0C7C 0C7D 0C7E 0C7F"
    ),
    Shift.URDU: _signs(
        "0600 0601 06F0 06F1 06F2 06F3 06F4 06F5 06F6 06F7 06F8 06F9 060C 060D "
        "060E 060F 0610 0611 0612 0613 0614 061B 061F 0640 0652 0658 066B 066C 0672 0673 06CD 06D4"
    ),
}


class Pair(Alphabet):
    """A locking and a single shift table together; 0 stands for the default alphabet or its extension."""

    __slots__ = ("locking", "single")

    def __init__(self, locking: int, single: int) -> None:
        main = LOCKING.get(Shift(locking), DEFAULT_TABLE) if locking else DEFAULT_TABLE
        super().__init__(main, SINGLE[Shift(single)] if single else EXTENSION_TABLE)
        self.locking = locking
        self.single = single


@cache
def tables(locking: int, single: int) -> Alphabet:
    """The alphabet under a header's languages; one that is not known is passed over (TS 23.038 §6.2.1.2)."""
    locking = locking if locking in LOCKING else 0
    single = single if single in SINGLE else 0
    return Pair(locking, single) if locking or single else GSM


@cache
def pairs(languages: tuple[Shift, ...]) -> tuple[Pair, ...]:
    """Each way to write with these languages' tables, those that need least header first."""
    lockings = (0, *(language for language in languages if language in LOCKING))
    both = ((locking, single) for locking in lockings for single in (0, *languages) if locking or single)
    return tuple(Pair(*pair) for pair in sorted(both, key=lambda pair: bool(pair[0]) + bool(pair[1])))
