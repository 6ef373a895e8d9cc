"""data_coding read in all its groups, and octets that are not what it promised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms import coding
from gateway.sms.coding import Scheme, decode, scheme_of


@pytest.mark.parametrize(
    ("data_coding", "scheme"),
    [
        pytest.param(0x00, Scheme("gsm7"), id="default"),
        pytest.param(0x01, Scheme("ascii"), id="IA5"),
        pytest.param(0x03, Scheme("latin1"), id="Latin-1"),
        pytest.param(0x04, Scheme("binary"), id="octets"),
        pytest.param(0x08, Scheme("ucs2"), id="UCS-2"),
        pytest.param(0x0F, Scheme("gb18030"), id="GBK as CMPP has it"),
        pytest.param(0x10, Scheme("gsm7", 0), id="flash GSM"),
        pytest.param(0x11, Scheme("gsm7", 1), id="class 1"),
        pytest.param(0x18, Scheme("ucs2", 0), id="flash UCS-2"),
        pytest.param(0x58, Scheme("ucs2", 0), id="automatic deletion"),
        pytest.param(0x28, Scheme("compressed"), id="compressed"),
        pytest.param(0x31, Scheme("compressed", 1), id="compressed with a class"),
        pytest.param(0x9C, Scheme("gsm7"), id="reserved"),
        pytest.param(0xC8, Scheme("gsm7", waiting=True), id="waiting, discard"),
        pytest.param(0xD0, Scheme("gsm7", waiting=True), id="waiting, store"),
        pytest.param(0xE8, Scheme("ucs2", waiting=True), id="waiting, UCS-2"),
        pytest.param(0xF0, Scheme("gsm7", 0), id="class group, flash"),
        pytest.param(0xF5, Scheme("binary", 1), id="class group, 8-bit"),
    ],
)
def test_data_coding_is_taken_apart(data_coding: int, scheme: Scheme) -> None:
    assert scheme_of(data_coding) == scheme


@pytest.mark.parametrize(
    ("octets", "data_coding", "text", "ill_formed"),
    [
        pytest.param(b"\x00 \x1b\x65", 0, "@ €", False, id="GSM"),
        pytest.param("服务8分".encode(), 0, "服务8分", True, id="UTF-8 as default"),
        pytest.param(b"caf\xe9", 0, "café", True, id="Latin-1 as default"),
        pytest.param(b"8", 1, "8", False, id="ASCII"),
        pytest.param(b"caf\xe9", 1, "café", True, id="Latin-1 as ASCII"),
        pytest.param(b"caf\xe9", 3, "café", False, id="Latin-1"),
        pytest.param(b"10", 4, "10", False, id="text as octets"),
        pytest.param(b"\x01\x02\xff", 4, "\x01\x02ÿ", True, id="octets"),
        pytest.param("８分".encode("utf-16-be"), 8, "８分", False, id="UCS-2"),
        pytest.param("好😀".encode("utf-16-be"), 0x18, "好😀", False, id="UTF-16, flash"),
        pytest.param("好".encode("utf-16-be") + b"\x4f", 8, "好\ufffd", True, id="odd octet"),
        pytest.param(b"\xd8\x3d\x00a", 8, "\ufffda", True, id="lone surrogate"),
        pytest.param(b"\xff\xfe" + "好".encode("utf-16-le"), 8, "好", False, id="little-endian mark"),
        pytest.param(b"\xfe\xff" + "好".encode("utf-16-be"), 8, "好", False, id="big-endian mark"),
        pytest.param("满意".encode("gb18030"), 15, "满意", False, id="GB18030"),
        pytest.param(b"ok\x00", 3, "ok", False, id="closing NUL"),
        pytest.param(b"o\x00k", 3, "o\ufffdk", True, id="inner NUL"),
    ],
)
def test_text_is_read(octets: bytes, data_coding: int, text: str, ill_formed: bool) -> None:
    decoded = decode(octets, data_coding)
    assert (decoded.text, decoded.ill_formed) == (text, ill_formed)


@pytest.mark.parametrize(
    ("default", "octets", "text"),
    [
        pytest.param("gsm7", b"\x00", "@", id="gsm7"),
        pytest.param("latin1", b"\xe9", "é", id="latin1"),
        pytest.param("ascii", b"@", "@", id="ascii"),
        pytest.param("utf8", "好".encode(), "好", id="utf8"),
        pytest.param("ucs2", "好".encode("utf-16-be"), "好", id="ucs2"),
        pytest.param("gb18030", "好".encode("gb18030"), "好", id="gb18030"),
    ],
)
def test_default_alphabet_is_the_routes(default: coding.DefaultAlphabet, octets: bytes, text: str) -> None:
    assert decode(octets, 0, default) == (text, False, None, False)


@pytest.mark.parametrize(
    ("data_coding", "flash"), [pytest.param(0, 0x10, id="GSM"), pytest.param(8, 0x18, id="UCS-2")]
)
def test_class_is_put_into_data_coding(data_coding: int, flash: int) -> None:
    assert coding.with_class(data_coding, 0) == flash
    for message_class in range(4):
        scheme = scheme_of(coding.with_class(data_coding, message_class))
        assert scheme == (scheme_of(data_coding).charset, message_class, False)


@given(
    st.binary(max_size=300),
    st.integers(0, 255),
    st.sampled_from(["gsm7", "latin1", "utf8", "gb18030", "ucs2"]),
)
def test_decoding_never_raises_and_gives_a_storable_text(
    octets: bytes, data_coding: int, default: coding.DefaultAlphabet
) -> None:
    decoded = decode(octets, data_coding, default)
    assert "\0" not in decoded.text
    decoded.text.encode()
    if octets.strip(b"\0") and not decoded.text:
        assert (
            decoded.ill_formed or octets[:2] in (b"\xff\xfe", b"\xfe\xff") or data_coding in (5, 10, 13, 14)
        )
