"""data_coding read in all its groups, and octets that are not what it promised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms import alphabet, coding, udh
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


# TS 23.038 §4, group by group: the bits 7 to 4, the low bits that matter, and what they mean.
GENERAL = {0b00: "gsm7", 0b01: "binary", 0b10: "ucs2", 0b11: "binary"}


def as_the_standard_says(data_coding: int) -> Scheme:
    group, low = data_coding >> 4, data_coding & 0x0F
    if group <= 0b0111:
        charset = "compressed" if group & 0b0010 else GENERAL[low >> 2]
        return Scheme(charset, low & 3 if group & 0b0001 else None)
    if group <= 0b1011:
        return Scheme("gsm7")
    if group <= 0b1110:
        return Scheme("ucs2" if group == 0b1110 else "gsm7", waiting=True)
    return Scheme("binary" if low & 0b0100 else "gsm7", low & 3)


@pytest.mark.parametrize("data_coding", range(0x10, 0x100))
def test_all_groups_are_those_of_the_standard(data_coding: int) -> None:
    assert scheme_of(data_coding) == as_the_standard_says(data_coding)


@pytest.mark.parametrize(
    ("data_coding", "codec", "text"),
    [
        pytest.param(0x05, "shift_jis", "満足です", id="JIS"),
        pytest.param(0x06, "iso8859_5", "Спасибо", id="Cyrillic"),
        pytest.param(0x07, "iso8859_8", "תודה", id="Hebrew"),
        pytest.param(0x0A, "iso2022_jp", "満足", id="ISO-2022-JP"),
        pytest.param(0x0D, "euc_jp", "満足", id="extended JIS"),
        pytest.param(0x0E, "euc_kr", "만족", id="KS C 5601"),
    ],
)
def test_other_scripts_are_read_and_broken_ones_kept(data_coding: int, codec: str, text: str) -> None:
    octets = text.encode(codec)
    assert decode(octets, data_coding) == (text, False, None, False)
    assert decode(octets + b"\xff\xff", data_coding).text


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        pytest.param("8", True, id="a score alone"),
        pytest.param("10", True, id="two digits"),
        pytest.param("ok, thanks", True, id="letters"),
        pytest.param("满意", True, id="Chinese"),
        pytest.param("8分，小伙子态度很好", True, id="Chinese and a digit"),
        pytest.param("一", False, id="one ideograph may be either"),
        pytest.param("0", False, id="a nought is an ideographic space the other way round"),
        pytest.param("谢谢😀", False, id="an emoji is no evidence"),
    ],
)
def test_little_endian_without_a_mark_is_seen_where_all_speaks_for_it(text: str, is_read: bool) -> None:
    decoded = decode(text.encode("utf-16-le"), 8)
    assert (decoded.text == text) is is_read
    assert decoded.ill_formed or not is_read


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("一", id="U+4E00"),
        pytest.param("开最一", id="each the low octet nought"),
        pytest.param("謝謝您", id="traditional"),
        pytest.param("㐀", id="rare ideograph"),
        pytest.param("☀", id="sun"),
        pytest.param("☀☀", id="two suns"),
        pytest.param("❤❤", id="hearts"),
        pytest.param("㎡", id="unit"),
        pytest.param("\u3000", id="ideographic space"),
        pytest.param("\ue04e", id="private use"),
        pytest.param("\U000aec7c", id="a pair not assigned"),
        pytest.param("はい", id="kana"),
        pytest.param("예, 감사합니다", id="Hangul"),
        pytest.param("نعم شكرا", id="Arabic"),
        pytest.param("धन्यवाद", id="Devanagari"),
        pytest.param("ขอบคุณ", id="Thai"),
        pytest.param("8分，态度很好", id="Chinese"),
    ],
)
def test_big_endian_text_stays_so(text: str) -> None:
    expected = (
        "4" if text == "㐀" else text
    )  # the one ideograph in Unicode's first extension that reads as a digit
    assert decode(text.encode("utf-16-be"), 8).text == expected


@given(st.text(st.characters(codec="gb2312"), min_size=1))
def test_simplified_chinese_is_never_turned(text: str) -> None:
    if "\0" not in text:
        assert decode(text.encode("utf-16-be"), 8) == (text, False, None, False)


@pytest.mark.parametrize(
    ("data_coding", "group", "flash"),
    [
        pytest.param(0, "general", 0x10, id="GSM"),
        pytest.param(0, "class", 0xF0, id="GSM in the class group"),
        pytest.param(8, "general", 0x18, id="UCS-2"),
        pytest.param(8, "class", 0x18, id="UCS-2, which the class group has not"),
    ],
)
def test_flash_is_written_as_the_smsc_wants_it(
    data_coding: int, group: coding.ClassGroup, flash: int
) -> None:
    assert coding.with_class(data_coding, 0, group) == flash
    assert scheme_of(flash) == (scheme_of(data_coding).charset, 0, False)


@pytest.mark.parametrize(
    ("header", "octets", "text"),
    [
        pytest.param("03240101", b"\x1b\x53ok", "Şok", id="single shift"),
        pytest.param("03250101", b"\x1c\x04", "Ş€", id="locking shift"),
        pytest.param("050003070201", b"\x1c\x04", "Æè", id="no language"),
        pytest.param("03240163", b"\x1b\x53", "S", id="an unknown language"),
    ],
)
def test_header_names_the_tables(header: str, octets: bytes, text: str) -> None:
    found, rest = udh.parse(bytes.fromhex(header) + octets)
    assert decode(rest, 0, "gsm7", found).text == text
    assert decode(rest, 0xF1, "gsm7", found).text == text
    assert decode("好".encode("utf-16-be"), 8, "gsm7", found).text == "好"
    assert decode(b"\xe9", 0, "latin1", found).text == "é"


@pytest.mark.parametrize(
    ("header", "octets", "text"),
    [
        pytest.param("", "e8329bfd4697d9ec37", "hellohello", id="without a header"),
        pytest.param("050003070201", "d06536fb0d", "hello", id="one fill bit behind six octets"),
        pytest.param("03240101", "d84cdf", "Şo", id="a language, three fill bits"),
    ],
)
def test_packed_texts_are_unpacked(header: str, octets: str, text: str) -> None:
    found, rest = udh.take(bytes.fromhex(header + octets), udh.UDHI if header else 0)
    assert decode(rest, 0, "gsm7", found, packed=True).text == text
    assert decode(rest, 0x11, "latin1", found, packed=True).text == text


def test_packing_is_for_gsm_texts_alone() -> None:
    octets = "好".encode("utf-16-be")
    assert decode(octets, 8, packed=True).text == "好"
    assert decode(b"caf\xe9", 3, packed=True).text == "café"
    assert coding.unpacked(octets, 8) == octets
    assert alphabet.decode(coding.unpacked(bytes.fromhex("e8329bfd06"), 0)) == ("hello", True)
