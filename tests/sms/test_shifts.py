"""The national language tables: their form, entries as annex A of TS 23.038 has them, and round trips."""

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms import alphabet, shifts
from gateway.sms.shifts import LOCKING, SINGLE, Shift


def test_each_language_but_spanish_has_both_tables() -> None:
    assert set(SINGLE) == set(Shift)
    assert set(Shift) - set(LOCKING) == {Shift.SPANISH}


@pytest.mark.parametrize("language", LOCKING)
def test_locking_table_has_each_character_once_and_the_escape_in_its_place(language: Shift) -> None:
    table = LOCKING[language]
    letters = table.replace(" ", "")
    assert len(table) == 128
    assert (table[0x0A], table[0x0D], table[0x1B], table[0x20]) == ("\n", "\r", "\x1b", " ")
    assert len(letters) == len(set(letters))
    assert table[0x30:0x3A] == "0123456789"
    assert "".join(table[0x61:0x7B]) == "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("language", Shift)
def test_single_shift_table_keeps_the_default_extension(language: Shift) -> None:
    assert alphabet.EXTENSION_TABLE.items() <= SINGLE[language].items()
    assert all(0 <= septet < 0x80 and septet not in (0x0D, 0x1B) for septet in SINGLE[language])


def test_spanish_is_as_gsm0338_has_it() -> None:
    codec = gsm0338.Codec(single_shift_decode_map=gsm0338.SINGLE_SHIFT_CHARACTER_SET_SPANISH)
    spanish = shifts.tables(0, Shift.SPANISH)
    for char in SINGLE[Shift.SPANISH].values():
        assert spanish.encode(char) == codec.encode(char)[0], char


@pytest.mark.parametrize(
    ("language", "locking", "single"),
    [
        pytest.param(
            Shift.TURKISH, "04€ 07ı 0BĞ 0Cğ 1CŞ 1Dş 40İ 60ç", "47Ğ 49İ 53Ş 63ç 67ğ 69ı 73ş", id="Turkish"
        ),
        pytest.param(Shift.SPANISH, "", "09ç 41Á 49Í 4FÓ 55Ú 61á 69í 6Fó 75ú", id="Spanish"),
        pytest.param(
            Shift.PORTUGUESE,
            "04ê 06ú 07í 08ó 09ç 0BÔ 0Cô 0EÁ 0Fá 12ª 13Ç 14À 15∞ 16^ 17\\ 18€ 19Ó 1A| 1CÂ 1Dâ 1EÊ 24º 40Í "
            "5BÃ 5CÕ 5DÚ 60~ 7Bã 7Cõ 7D`",
            "05ê 09ç 0BÔ 0Cô 0EÁ 0Fá 12Φ 13Γ 15Ω 16Π 17Ψ 18Σ 19Θ 1FÊ 41À 49Í 4FÓ 55Ú 5BÃ 5CÕ 61Â 69í 6Fó 75ú "
            "7Bã 7Cõ 7Fâ",
            id="Portuguese",
        ),
        pytest.param(
            Shift.BENGALI,
            "03=0985 15=0995 2F=09A8 40=09AC 4D=09B9 60=09CE 7F=09F1",
            "19=09E6 23=09EF 24=09DF 2B=09F2 34=09FA",
            id="Bengali",
        ),
        pytest.param(
            Shift.GUJARATI,
            "03=0A85 0C=0A8D 15=0A95 47=0AB3 60=0AD0 7F=0AF1",
            "19=0964 1A=0965 1C=0AE6 25=0AEF",
            id="Gujarati",
        ),
        pytest.param(
            Shift.HINDI,
            "00=0901 03=0905 15=0915 2F=0928 3C=0929 40=092C 4D=0939 60=0950 7F=097F",
            "19=0964 1A=0965 1C=0966 25=096F 2B=0954 2C=0958 3A=0971",
            id="Hindi",
        ),
        pytest.param(
            Shift.KANNADA,
            "03=0C85 15=0C95 24=0CA1 45=0CB1 4D=0CB9 7F=0CE3",
            "1C=0CE6 25=0CEF 26=0CDE 2A=0CF2",
            id="Kannada",
        ),
        pytest.param(
            Shift.MALAYALAM,
            "03=0D05 15=0D15 48=0D34 4D=0D39 7F=0D79",
            "1C=0D66 2E=0D7A 34=0D7F",
            id="Malayalam",
        ),
        pytest.param(
            Shift.ORIYA, "03=0B05 15=0B15 47=0B33 4D=0B39 7F=0B63", "1C=0B66 26=0B5C 2C=0B71", id="Oriya"
        ),
        pytest.param(
            Shift.PUNJABI, "03=0A05 15=0A15 47=0A33 4D=0A39 7F=0A74", "1C=0A66 26=0A59 2D=0A75", id="Punjabi"
        ),
        pytest.param(
            Shift.TAMIL,
            "03=0B85 15=0B95 48=0BB4 4D=0BB9 60=0BD0 7F=0BF9",
            "1C=0BE6 24=0BEE 2E=0BFA",
            id="Tamil",
        ),
        pytest.param(
            Shift.TELUGU,
            "03=0C05 15=0C15 45=0C31 4D=0C39 7F=0C63",
            "1C=0C66 22=0C6C 23=0C6D 32=0C7F",
            id="Telugu",
        ),
        pytest.param(
            Shift.URDU,
            "00=0627 03=067B 1F=068A 5C=064D 7F=0670",
            "1C=06F0 26=060C 33=061F 3F=06D4",
            id="Urdu",
        ),
    ],
)
def test_tables_are_those_of_the_standard(language: Shift, locking: str, single: str) -> None:
    for septet, char in map(_entry, locking.split()):
        assert LOCKING[language][septet] == char
    for septet, char in map(_entry, single.split()):
        assert SINGLE[language][septet] == char


def _entry(written: str) -> tuple[int, str]:
    """`04€`, or `15=0995`, the character by its code point."""
    char = written[2:]
    return int(written[:2], 16), chr(int(char[1:], 16)) if char[0] == "=" and char[1:] else char


PAIRS = [pair for language in Shift for pair in shifts.pairs((language,))]


@given(st.data(), st.sampled_from(PAIRS))
def test_text_of_a_languages_characters_comes_back(data: st.DataObject, pair: shifts.Pair) -> None:
    text = data.draw(st.text(st.sampled_from([chr(code) for code in pair.octets])))
    octets = pair.encode(text)
    assert octets is not None
    assert pair.decode(octets) == (text, True)
    assert pair.septets(text) == len(octets)


@given(st.binary(), st.integers(0, 255), st.integers(0, 255))
def test_nothing_raises_under_any_languages(octets: bytes, locking: int, single: int) -> None:
    text, well_formed = shifts.tables(locking, single).decode(octets)
    assert well_formed <= octets.isascii()
    assert bool(text) == bool(octets)


def test_character_of_both_tables_costs_one_septet() -> None:
    assert shifts.tables(Shift.TURKISH, 0).encode("€") == b"\x04"
    assert shifts.tables(Shift.TURKISH, Shift.TURKISH).encode("ş") == b"\x1d"
    assert shifts.tables(Shift.HINDI, Shift.HINDI).encode(" *¡") == b"\x20\x1b\x0b\x1b\x13"


@pytest.mark.parametrize(
    ("octets", "locking", "single", "text"),
    [
        pytest.param(b"\x1b\x53", 0, 1, "Ş", id="single shift"),
        pytest.param(b"\x1b\x54", 0, 1, "T", id="not in the single table: the main one"),
        pytest.param(b"\x1b\x5c", 1, 3, "Õ", id="a language each"),
        pytest.param(b"\x1b\x69", 1, 0, "i", id="the default extension behind a locking table"),
        pytest.param(b"\x1b\x65\x1d", 1, 0, "€ş", id="the euro behind a locking table"),
        pytest.param(b"\x1b\x1b", 1, 1, " ", id="two escapes"),
        pytest.param(b"\x1d\x1b\x53", 99, 14, "æS", id="languages not known"),
        pytest.param(b"\x1d", 2, 0, "æ", id="no locking table in Spanish"),
        pytest.param(b"\x0b\x0c\x0d", 10, 0, "  \r", id="places without a character"),
    ],
)
def test_octets_are_read_under_the_languages_named(
    octets: bytes, locking: int, single: int, text: str
) -> None:
    assert shifts.tables(locking, single).decode(octets)[0] == text


def test_pairs_are_all_the_languages_allow_the_least_header_first() -> None:
    found = [(pair.locking, pair.single) for pair in shifts.pairs((Shift.TURKISH, Shift.SPANISH))]
    assert found[:3] == [(0, 1), (0, 2), (1, 0)]
    assert set(found[3:]) == {(1, 1), (1, 2)}
