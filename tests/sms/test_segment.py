"""Texts cut into short messages: limits, round trips, and what must not be torn."""

import pytest
import smpplib.gsm
import smsutil
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.sms import alphabet, coding, graphemes, segment, udh
from gateway.sms.cutting import Cutting, Join
from gateway.sms.segment import Measure, measure, split

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # 8 UTF-16 units
NARROW = Cutting()
WIDE = Cutting(join=Join.UDH16)
FLAG = "\U0001f1e8\U0001f1f3"
texts = st.one_of(
    st.text(max_size=400),
    st.text(st.sampled_from("aé€[^您好😀"), max_size=700),
    st.text(st.sampled_from("a€[^{"), max_size=700),
    st.lists(
        st.sampled_from(["您", "e\u0301", FAMILY, FLAG, "👍🏽", "❤️", "\u1100\u1161\u11a8"]), max_size=150
    ).map("".join),
)


def joined(parts: segment.Split) -> str:
    bodies = [udh.take(payload, parts.esm_class)[1] for payload in parts.payloads]
    if parts.encoding == "ucs2":
        return "".join(body.decode("utf-16-be") for body in bodies)
    return "".join(coding.decode(body, parts.data_coding).text for body in bodies)


@given(texts.filter(lambda text: "\0" not in text and text[:1] not in "\ufeff\ufffe"), st.booleans())
@example("您" * 69 + "😀", False)
@example("a" * 152 + "€" * 2 + "a" * 20, False)
def test_each_part_reads_by_itself_and_together_they_are_the_text(text: str, wide: bool) -> None:
    parts = split(text, 513, WIDE if wide else NARROW)
    assert joined(parts) == text


@given(texts, st.integers(0, 0xFFFF), st.booleans())
def test_each_part_is_within_its_limit_and_numbered(text: str, reference: int, wide: bool) -> None:
    parts = split(text, reference, WIDE if wide else NARROW)
    total = len(parts.payloads)
    assert measure(text, WIDE if wide else NARROW) == Measure(parts.encoding, total)
    if total == 1:
        assert parts.esm_class == 0
    for number, payload in enumerate(parts.payloads, start=1):
        header, body = udh.take(payload, parts.esm_class)
        if parts.encoding == "ucs2":
            assert len(payload) <= 140
        else:
            # 7 bits a septet on the air, after a header rounded up to whole septets.
            assert -(-(len(payload) - len(body)) * 8 // 7) + len(body) <= 160
        if total > 1:
            expected = reference if wide else reference & 0xFF
            assert header.concatenation == udh.Concatenation(expected, total, number, wide)


@pytest.mark.parametrize(
    ("text", "narrow", "wide"),
    [
        pytest.param("", Measure("gsm7", 1), 1, id="empty"),
        pytest.param("a" * 160, Measure("gsm7", 1), 1, id="160 septets"),
        pytest.param("a" * 161, Measure("gsm7", 2), 2, id="161 septets"),
        pytest.param("a" * 306, Measure("gsm7", 2), 3, id="2 x 153, over 2 x 152"),
        pytest.param("€" * 80, Measure("gsm7", 1), 1, id="80 pairs"),
        pytest.param("€" * 153, Measure("gsm7", 3), 3, id="pairs leave a septet unused"),
        pytest.param("您" * 70, Measure("ucs2", 1), 1, id="70 characters"),
        pytest.param("您" * 71, Measure("ucs2", 2), 2, id="71 characters"),
        pytest.param("您" * 134, Measure("ucs2", 2), 3, id="2 x 67, over 2 x 66"),
        pytest.param("😀" * 35, Measure("ucs2", 1), 1, id="surrogates count twice"),
        pytest.param("😀" * 67, Measure("ucs2", 3), 3, id="67 units hold 33 pairs"),
        pytest.param("a" * 69 + "’", Measure("ucs2", 1), 1, id="one curly quote"),
    ],
)
def test_measure_counts_as_the_network_bills(text: str, narrow: Measure, wide: int) -> None:
    assert measure(text) == narrow
    assert measure(text, WIDE).segments == wide


@given(
    st.text(st.sampled_from("ab€[^"), min_size=1, max_size=700)
    | st.text(st.sampled_from("a您😀€"), min_size=1)
)
def test_parts_are_those_of_smsutil(text: str) -> None:
    theirs = [part.content for part in smsutil.split(text).parts]
    assert segment.pieces(text) == theirs
    assert measure(text).segments == len(theirs)


def test_grapheme_stays_whole_where_smsutil_tears_it() -> None:
    text = "您" * 66 + "e\u0301" + "您" * 20
    assert smsutil.split(text).parts[1].content.startswith("\u0301")
    assert segment.pieces(text) == ["您" * 66, "e\u0301" + "您" * 20]


@given(st.text(st.sampled_from("abc xyz0189@£"), min_size=1, max_size=700))
def test_plain_gsm_parts_are_those_of_smpplib(text: str) -> None:
    theirs, data_coding, esm_class = smpplib.gsm.make_parts(text)
    ours = split(text, 1)
    strip = 6 if ours.esm_class else 0
    assert [part[strip:] for part in ours.payloads] == [part[strip:] for part in theirs]
    assert (ours.data_coding, ours.esm_class) == (data_coding, esm_class)


def test_escape_and_surrogate_pairs_stay_whole_where_smpplib_tears_them() -> None:
    escape = "a" * 152 + "€" + "a" * 20
    theirs, _, _ = smpplib.gsm.make_parts(escape)
    assert theirs[0].endswith(b"\x1b")
    assert not split(escape, 1).payloads[0].endswith(b"\x1b")
    surrogate = "您" * 66 + "😀" + "您" * 10
    theirs, _, _ = smpplib.gsm.make_parts(surrogate)
    assert theirs[0].endswith("😀".encode("utf-16-be")[:2])
    assert split(surrogate, 1).payloads[0].endswith("您".encode("utf-16-be"))


@pytest.mark.parametrize(
    "grapheme",
    [
        pytest.param(FAMILY, id="ZWJ emoji"),
        pytest.param(FLAG, id="flag"),
        pytest.param("👍🏽", id="skin tone"),
        pytest.param("❤️", id="variation selector"),
        pytest.param("8️⃣", id="keycap"),
        pytest.param("e\u0301", id="combining mark"),
        pytest.param("\u1100\u1161\u11a8", id="Hangul jamo"),
        pytest.param("กำ", id="Thai"),
        pytest.param("\r\n", id="CR LF"),
    ],
)
def test_grapheme_at_the_border_stays_whole_where_it_costs_nothing(grapheme: str) -> None:
    text = "您" * 66 + grapheme + "您" * 20
    first, second = split(text, 1).payloads
    assert first[6:].decode("utf-16-be") == "您" * 66
    assert second[6:].decode("utf-16-be") == grapheme + "您" * 20


def test_grapheme_is_torn_where_keeping_it_would_cost_a_part() -> None:
    text = "您" * 64 + FAMILY + "您" * (134 - 64 - 8)
    parts = split(text, 1)
    assert len(parts.payloads) == 2
    assert joined(parts) == text


@given(
    st.lists(st.sampled_from(["您", "e\u0301", FAMILY, FLAG, "a"]), min_size=60, max_size=200).map("".join)
)
def test_keeping_graphemes_never_costs_a_part(text: str) -> None:
    octets = text.encode("utf-16-be")
    if len(octets) > 140:
        least = segment._count(octets, 0, 134, ucs2=True)
        assert len(split(text, 1).payloads) == least


def test_flags_are_counted_in_pairs() -> None:
    assert list(graphemes.boundaries(FLAG + FLAG + "a")) == [2, 4]


def test_lone_surrogate_becomes_the_replacement_character() -> None:
    assert segment.encode("a\ud800b").octets.decode("utf-16-be") == "a\ufffdb"


def test_more_than_255_segments_are_refused() -> None:
    assert measure("a" * 153 * 255).segments == 255
    assert len(split("a" * 153 * 255, 1).payloads) == 255
    with pytest.raises(ValueError, match="256 segments"):
        split("a" * 153 * 255 + "a", 1)


@given(texts)
def test_bodies_are_the_parts_without_headers(text: str) -> None:
    with_headers, bare = split(text, 9), segment.bodies(text)
    assert bare.esm_class == 0
    assert bare.payloads == tuple(udh.take(p, with_headers.esm_class)[1] for p in with_headers.payloads)


@given(
    st.text(st.sampled_from("aé[ 0"), max_size=400), st.sampled_from(["latin1", "utf8", "ucs2", "gb18030"])
)
def test_parts_are_recoded_for_another_default_alphabet(text: str, default: coding.DefaultAlphabet) -> None:
    parts = split(text, 1, Cutting(default=default))
    assert parts.data_coding in (0, 8)
    assert len(parts.payloads) == measure(text).segments or parts.data_coding == 8
    found = [udh.take(payload, parts.esm_class)[1] for payload in parts.payloads]
    assert "".join(coding.decode(body, parts.data_coding, default).text for body in found) == text


def test_what_the_default_alphabet_lacks_goes_as_ucs2() -> None:
    assert split("5€", 1, Cutting(default="latin1"))[:4] == (
        "ucs2",
        8,
        0,
        ("5€".encode("utf-16-be"),),
    )
    assert split("@", 1, Cutting(default="ascii")).payloads == (b"@",)


@given(texts)
def test_payload_is_whole_and_in_the_cheaper_encoding(text: str) -> None:
    encoded = segment.encode(text)
    assert (encoded.encoding == "gsm7") == alphabet.is_gsm(text)
    assert encoded.data_coding == segment.DATA_CODING[encoded.encoding]
