"""Every way to cut a text: what is measured is what is cut, nothing is torn, and all of it comes back."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms import alphabet, coding, segment, shifts, udh
from gateway.sms.cutting import PLAIN, Cutting, Join
from gateway.sms.fold import fold
from gateway.sms.segment import Measure, Split, chosen_text, measure, on_air, pieces, split
from gateway.sms.shifts import Shift

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
UMBRELLA = "Şu anda şemsiye gerekmiyor, ığıl ığıl güneş. "
TURKISH = (Shift.TURKISH,)

languages = st.lists(st.sampled_from(Shift), max_size=3, unique=True).map(tuple)
cuttings = st.builds(Cutting, join=st.sampled_from(Join), fold=st.booleans(), shifts=languages) | st.builds(
    Cutting,
    join=st.sampled_from(Join),
    fold=st.booleans(),
    default=st.sampled_from(get_args(coding.DefaultAlphabet)),
)
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.text(st.sampled_from("aé€[^ğŞıçãô\r\n"), max_size=700),
    st.text(st.sampled_from("a“”’–… \u00a0é€"), max_size=700),
    st.text(st.sampled_from("नमस्ते।कक्षा 5"), max_size=400),
    st.lists(
        st.sampled_from(["您", "😀", "e\u0301", FAMILY, "🇨🇳", "8\ufe0f\u20e3", "한", "a"]), max_size=150
    ).map("".join),
).filter(lambda text: "\0" not in text and text[:1] not in ("\ufeff", "\ufffe"))


def read(payload: bytes, cut: Split, cutting: Cutting) -> str:
    header, octets = udh.take(payload, cut.esm_class)
    if cut.data_coding == 8:
        return octets.decode("utf-16-be")  # strictly: no torn pair
    if cutting.default == "gsm7":
        decoded = coding.decode(octets, cut.data_coding, "gsm7", header)
        assert not decoded.ill_formed, "no torn escape"
        return decoded.text
    return octets.decode("utf-16-be" if cutting.default == "ucs2" else cutting.default)


@given(texts, st.integers(0, 0xFFFFF), cuttings)
def test_what_is_measured_is_what_is_cut(text: str, reference: int, cutting: Cutting) -> None:
    measured = measure(text, cutting)
    if measured.segments > segment.MAX_SEGMENTS:
        with pytest.raises(ValueError, match="are more than"):
            split(text, reference, cutting)
        return
    cut = split(text, reference, cutting)
    assert Measure(cut.encoding, len(cut.payloads)) == measured
    shown = pieces(text, cutting)
    assert len(shown) == on_air(text, cutting)
    assert on_air(text, cutting) == measured.segments or cutting.join is Join.PAYLOAD


@given(texts, st.integers(0, 0xFFFFF), cuttings)
def test_each_payload_reads_by_itself_and_together_they_are_the_text(
    text: str, reference: int, cutting: Cutting
) -> None:
    if measure(text, cutting).segments > segment.MAX_SEGMENTS:
        return
    cut = split(text, reference, cutting)
    found = "".join(read(payload, cut, cutting) for payload in cut.payloads)
    assert found == chosen_text(text, cutting) == "".join(pieces(text, cutting))
    if not cutting.fold:
        assert found == text


@given(texts, st.integers(0, 0xFFFFF), cuttings)
def test_each_payload_has_its_place_and_no_more_than_fits(
    text: str, reference: int, cutting: Cutting
) -> None:
    if measure(text, cutting).segments > segment.MAX_SEGMENTS:
        return
    cut = split(text, reference, cutting)
    alone = len(cut.payloads) == 1
    assert (cut.join is None) == (alone and cut.join is not Join.PAYLOAD)
    assert cut.join in (None, cutting.join)
    for number, payload in enumerate(cut.payloads, start=1):
        header, octets = udh.take(payload, cut.esm_class)
        bits = {Join.UDH8: 0xFF, Join.UDH16: 0xFFFF}.get(cutting.join)
        if bits is None or alone:
            assert header.concatenation is None
        else:
            place = udh.Concatenation(reference & bits, len(cut.payloads), number, bits > 0xFF)
            assert header.concatenation == place
            assert cut.reference == reference & bits
        if cut.join is Join.PAYLOAD:
            assert len(payload) <= segment.MAX_PAYLOAD
            continue
        assert len(payload) <= 254
        if cut.data_coding == 8:
            assert len(payload) <= 140
        elif cutting.default == "gsm7":
            # 7 bits a septet on the air, behind a header filled up to whole septets.
            assert -(-header.length * 8 // 7) + len(octets) <= 160
    if cut.join is Join.SAR:
        assert cut.reference == reference & 0xFFFF


@given(texts, cuttings)
def test_nothing_costs_more_than_written_plainly(text: str, cutting: Cutting) -> None:
    """Folding and national tables are taken only where they save; another default alphabet may cost."""
    if cutting.default == "gsm7":
        assert on_air(text, cutting) <= on_air(text, Cutting(join=cutting.join))


@given(texts, st.sampled_from(Join))
def test_gsm_texts_go_as_they_are_on_every_route(text: str, join: Join) -> None:
    if alphabet.is_gsm(text):
        route = Cutting(join=join, fold=True, shifts=tuple(Shift))
        assert split(text[:9000], 7, route) == split(text[:9000], 7, Cutting(join=join))


@pytest.mark.parametrize(
    ("join", "esm_class", "reference", "payloads"),
    [
        pytest.param(
            Join.UDH8, 0x40, 0xEF, (b"\5\0\3\xef\2\1" + b"a" * 153, b"\5\0\3\xef\2\2aaaaaaaa"), id="8 bits"
        ),
        pytest.param(
            Join.UDH16,
            0x40,
            0xBEEF,
            (b"\6\x08\4\xbe\xef\2\1" + b"a" * 152, b"\6\x08\4\xbe\xef\2\2aaaaaaaaa"),
            id="16 bits",
        ),
        pytest.param(Join.SAR, 0, 0xBEEF, (b"a" * 152, b"a" * 9), id="sar_*, room for either header"),
        pytest.param(Join.PAYLOAD, 0, 0, (b"a" * 161,), id="message_payload"),
    ],
)
def test_long_text_is_joined_as_the_route_says(
    join: Join, esm_class: int, reference: int, payloads: tuple[bytes, ...]
) -> None:
    cut = split("a" * 161, 0xABEEF, Cutting(join=join))
    assert cut == Split("gsm7", 0, esm_class, payloads, join, reference)


@pytest.mark.parametrize("join", Join)
def test_single_short_message_is_joined_to_nothing(join: Join) -> None:
    assert split("a" * 160, 7, Cutting(join=join)) == Split("gsm7", 0, 0, (b"a" * 160,))
    assert split("您" * 70, 7, Cutting(join=join)).join is None


@pytest.mark.parametrize(
    ("count", "default", "fits"),
    [
        pytest.param(64_000, "gsm7", True, id="as much as fits"),
        pytest.param(64_001, "gsm7", False, id="one more"),
        pytest.param(32_000, "ucs2", True, id="two octets each"),
        pytest.param(32_001, "ucs2", False, id="one more of two octets"),
    ],
)
def test_message_payload_is_bounded_by_the_pdu(
    count: int, default: coding.DefaultAlphabet, fits: bool
) -> None:
    route = Cutting(join=Join.PAYLOAD, default=default)
    if fits:
        assert measure("a" * count, route).segments == 1
        assert split("a" * count, 7, route).join is Join.PAYLOAD
        return
    assert measure("a" * count, route).segments > segment.MAX_SEGMENTS
    with pytest.raises(ValueError, match="octets are more than 64000"):
        split("a" * count, 7, route)


def test_message_payload_costs_what_the_smsc_makes_of_it() -> None:
    route = Cutting(join=Join.PAYLOAD)
    assert (measure("a" * 400, route).segments, on_air("a" * 400, route)) == (1, 3)
    assert [len(piece) for piece in pieces("a" * 400, route)] == [153, 153, 94]


def test_turkish_text_goes_in_septets_under_its_tables() -> None:
    text = UMBRELLA[:-1]
    assert measure(text) == ("ucs2", 1)
    cut = split(text, 7, Cutting(shifts=TURKISH))
    assert (cut.encoding, cut.data_coding, cut.esm_class, cut.join) == ("gsm7", 0, udh.UDHI, None)
    header, octets = udh.take(cut.payloads[0], cut.esm_class)
    assert header.elements == (udh.Element(udh.LOCKING_SHIFT, b"\x01"),)
    assert len(octets) == len(text)


@pytest.mark.parametrize(
    ("text", "join", "segments"),
    [
        pytest.param("ş" * 155, Join.UDH8, 1, id="155 beside one language"),
        pytest.param("ş" * 156, Join.UDH8, 2, id="156"),
        pytest.param("ş" * 149 * 2, Join.UDH8, 2, id="2 x 149 with an 8-bit reference"),
        pytest.param("ş" * (149 * 2 + 1), Join.UDH8, 3, id="one more"),
        pytest.param("ş" * 148 * 2, Join.UDH16, 2, id="2 x 148 with a 16-bit reference"),
        pytest.param("ş" * (148 * 2 + 1), Join.UDH16, 3, id="one more with 16 bits"),
        pytest.param("ş" * 148 * 2, Join.SAR, 2, id="2 x 148 beside sar_*"),
        pytest.param("क" * 148 + "००", Join.UDH8, 1, id="152 beside two languages"),
        pytest.param("क" * 149 + "००", Join.UDH8, 2, id="153 beside two languages"),
        pytest.param("क" * (146 * 2 - 2) + "०", Join.UDH8, 2, id="2 x 146 beside two languages"),
        pytest.param("क" * (146 * 2 - 1) + "०", Join.UDH8, 3, id="one more beside two languages"),
    ],
)
def test_languages_in_the_header_take_their_room(text: str, join: Join, segments: int) -> None:
    route = Cutting(join=join, shifts=(Shift.TURKISH, Shift.HINDI))
    assert measure(text, route) == ("gsm7", segments)


def test_each_segment_names_its_languages() -> None:
    for join in Join:
        cut = split(UMBRELLA * 8, 7, Cutting(join=join, shifts=TURKISH))
        assert cut.esm_class == udh.UDHI
        assert all(udh.take(payload, cut.esm_class)[0].languages == (1, 0) for payload in cut.payloads)


def test_single_shift_alone_is_taken_where_few_letters_need_it() -> None:
    header, _ = udh.take(
        split("Çağrınız çözüldü: è" + "e" * 20, 7, Cutting(shifts=TURKISH)).payloads[0], udh.UDHI
    )
    assert header.languages == (0, 1)


@pytest.mark.parametrize(
    ("text", "route", "encoding", "sent"),
    [
        pytest.param("It’s ok", Cutting(fold=True), "gsm7", "It's ok", id="folded"),
        pytest.param("It’s ok", PLAIN, "ucs2", "It’s ok", id="not folded"),
        pytest.param("您说“好”", Cutting(fold=True), "ucs2", "您说“好”", id="Chinese stays"),
        pytest.param("…" * 70, Cutting(fold=True), "ucs2", "…" * 70, id="folded would cost a segment more"),
        pytest.param(
            "ş’s", Cutting(fold=True, shifts=TURKISH), "gsm7", "ş's", id="folded into a national table"
        ),
        pytest.param(
            "a`ã", Cutting(fold=True, shifts=(Shift.PORTUGUESE,)), "gsm7", "a`ã", id="as written if it can"
        ),
        pytest.param("5€", Cutting(default="latin1"), "ucs2", "5€", id="not in Latin-1"),
        pytest.param(
            "’" * 5, Cutting(default="latin1", fold=True), "gsm7", "'" * 5, id="folded into Latin-1"
        ),
        pytest.param(
            "é" * 140, Cutting(default="utf8"), "ucs2", "é" * 140, id="280 octets of UTF-8 don't fit"
        ),
        pytest.param("é" * 120, Cutting(default="utf8"), "gsm7", "é" * 120, id="240 octets of UTF-8 fit"),
    ],
)
def test_encoding_is_chosen(text: str, route: Cutting, encoding: str, sent: str) -> None:
    assert measure(text, route).encoding == encoding
    assert chosen_text(text, route) == sent


def test_fewest_septets_are_chosen_among_the_languages() -> None:
    route = Cutting(shifts=tuple(Shift))
    for language in (Shift.HINDI, Shift.URDU, Shift.TAMIL):
        letters = "".join(char for char in shifts.LOCKING[language] if char > "\u0500")
        header, _ = udh.take(split(letters, 7, route).payloads[0], udh.UDHI)
        assert header.languages == (language, 0)


def test_shift_tables_need_septets() -> None:
    with pytest.raises(ValueError, match="GSM 7-bit"):
        Cutting(default="latin1", shifts=TURKISH)


def test_equal_habits_are_one_key() -> None:
    assert {PLAIN: 1}[Cutting()] == 1
    assert Cutting(fold=True) != PLAIN
    assert PLAIN.exact
    assert not Cutting(fold=True).exact


def test_folding_is_that_of_the_word_processors_text() -> None:
    text = "It’s “fine” – ok… " * 20
    assert "".join(pieces(text, Cutting(fold=True))) == fold(text)
