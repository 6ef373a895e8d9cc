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
