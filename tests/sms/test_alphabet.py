"""The GSM alphabet against two independent tables, and what it says of texts that do not fit."""

import gsm0338
import pytest
import smpplib.consts
import smpplib.gsm
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms import alphabet

GSM_CHARS = [char for char in alphabet.DEFAULT_TABLE if char != "\x1b"] + list(
    alphabet.EXTENSION_TABLE.values()
)
gsm_texts = st.text(st.sampled_from(GSM_CHARS))


def test_table_has_each_septet_once() -> None:
    assert len(alphabet.DEFAULT_TABLE) == 128
    assert len(set(GSM_CHARS)) == 127 + 10


@given(gsm_texts)
def test_encoding_agrees_with_gsm0338(text: str) -> None:
    assert alphabet.encode(text) == gsm0338.Codec().encode(text)[0]


@pytest.mark.parametrize("char", [char for char in GSM_CHARS if char not in "`§\x0c"])
def test_encoding_agrees_with_smpplib(char: str) -> None:
    assert alphabet.encode(char) == smpplib.gsm.gsm_encode(char)


def test_section_sign_and_backtick_are_right_where_smpplib_is_not() -> None:
    assert alphabet.encode("§") == b"\x5f"
    assert alphabet.encode("`") is None


@given(gsm_texts)
def test_gsm_text_comes_back(text: str) -> None:
    octets = alphabet.encode(text)
    assert octets is not None
    assert alphabet.decode(octets) == (text, True)
    assert alphabet.septets(text) == len(octets)


@given(st.text())
def test_all_questions_about_a_text_agree(text: str) -> None:
    fits = alphabet.is_gsm(text)
    assert fits == (alphabet.encode(text) is not None)
    assert fits == (not alphabet.forced_ucs2_by(text))
    assert all(text[position] == char for position, char in alphabet.forced_ucs2_by(text))


@given(st.binary())
def test_decoding_never_raises(octets: bytes) -> None:
    text, well_formed = alphabet.decode(octets)
    assert well_formed <= octets.isascii()
    assert bool(text) == bool(octets)


@pytest.mark.parametrize(
    ("octets", "text", "well_formed"),
    [
        pytest.param(b"\x1b\x65", "€", True, id="extension"),
        pytest.param(b"\x1b\x41", "A", True, id="unknown extension shows the default character"),
        pytest.param(b"a\x1b\x1bb", "a b", True, id="two escapes are a space"),
        pytest.param(b"a\x1b", "a\ufffd", False, id="escape at the end"),
        pytest.param(b"a\xe9", "aé", False, id="octet over 0x7f as Latin-1"),
        pytest.param(b"\x00\x11\x02", "@_$", True, id="where ASCII differs"),
    ],
)
def test_odd_octets_are_read_as_the_standard_says(octets: bytes, text: str, well_formed: bool) -> None:
    assert alphabet.decode(octets) == (text, well_formed)


def test_what_forced_ucs2_is_named_with_its_place() -> None:
    assert alphabet.forced_ucs2_by("It’s 5€ – ok") == [(2, "’"), (8, "–")]


def packed(septets: bytes, fill_bits: int = 0) -> bytes:
    """As TS 23.038 §6.1.2.1 draws it: bit by bit, the lowest first."""
    bits = [0] * fill_bits + [septet >> place & 1 for septet in septets for place in range(7)]
    bits += [0] * (-len(bits) % 8)
    return bytes(
        sum(bit << place for place, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8)
    )


@given(st.binary().map(lambda octets: bytes(octet & 0x7F for octet in octets)), st.integers(0, 6))
def test_packed_septets_come_back(septets: bytes, fill_bits: int) -> None:
    found = alphabet.unpack(packed(septets, fill_bits), fill_bits)
    spare = septets[-1:] in (b"\0", b"\r") and (7 * len(septets) + fill_bits) % 8 == 0
    assert found == (septets[:-1] if spare else septets)


@pytest.mark.parametrize(
    ("octets", "fill_bits", "septets"),
    [
        pytest.param("e8329bfd4697d9ec37", 0, b"hellohello", id="ten septets in nine octets"),
        pytest.param("31d98c56b3dd00", 0, b"1234567", id="seven spare bits are no character"),
        pytest.param("31d98c56b3dd70", 0, b"12345678", id="eight septets fill seven octets"),
        pytest.param("31d98c56b3dd1a", 0, b"1234567", id="a CR fills the spare bits"),
        pytest.param("", 0, b"", id="nothing"),
        pytest.param("d06536fb0d", 1, b"hello", id="one fill bit"),
    ],
)
def test_septets_are_unpacked(octets: str, fill_bits: int, septets: bytes) -> None:
    assert alphabet.unpack(bytes.fromhex(octets), fill_bits) == septets


@given(st.binary(max_size=300), st.integers(0, 6))
def test_unpacking_never_raises(octets: bytes, fill_bits: int) -> None:
    assert alphabet.unpack(octets, fill_bits).isascii()
