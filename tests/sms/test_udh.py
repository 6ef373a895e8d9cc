"""User data headers: read, built, and survived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms import udh
from gateway.sms.udh import Concatenation, Element

elements = st.lists(st.builds(Element, st.integers(0, 255), st.binary(max_size=20)), max_size=8)


@given(elements, st.binary())
def test_header_comes_back_with_unknown_elements_kept(built: list[Element], body: bytes) -> None:
    header = udh.build(built)
    assert udh.parse(header + body) == (udh.Udh(tuple(built), False, len(header)), body)


@given(st.binary())
def test_nothing_raises_and_no_text_is_lost(octets: bytes) -> None:
    header, body = udh.parse(octets)
    assert octets.endswith(body)
    if header.ill_formed and not header.elements and octets and octets[0] >= len(octets):
        assert body == octets


@pytest.mark.parametrize(
    ("octets", "concatenation"),
    [
        pytest.param("050003a70302", Concatenation(0xA7, 3, 2, wide=False), id="8-bit"),
        pytest.param("06080412340301", Concatenation(0x1234, 3, 1, wide=True), id="16-bit"),
        pytest.param("0b0504158215820003a70302", Concatenation(0xA7, 3, 2, wide=False), id="after ports"),
        pytest.param(
            "0a0003a702010003a80302", Concatenation(0xA8, 3, 2, wide=False), id="the last one counts"
        ),
        pytest.param("050003a70304", None, id="part 4 of 3"),
        pytest.param("050003a70300", None, id="part 0"),
        pytest.param("050003a70000", None, id="of 0"),
        pytest.param("040002a703", None, id="too short an element"),
        pytest.param("00", None, id="empty header"),
    ],
)
def test_concatenation_is_found(octets: str, concatenation: Concatenation | None) -> None:
    header, body = udh.parse(bytes.fromhex(octets) + b"text")
    assert header.concatenation == concatenation
    assert body == b"text"


@pytest.mark.parametrize(
    ("octets", "body"),
    [
        pytest.param(b"\xffhello", b"\xffhello", id="longer than the message"),
        pytest.param(b"\x05\x00\x09\xa7\x03\x02hello", b"hello", id="element longer than the header"),
        pytest.param(b"\x01\x00hello", b"hello", id="half an element"),
        pytest.param(b"", b"", id="nothing at all"),
    ],
)
def test_ill_formed_header_is_flagged_and_the_text_kept(octets: bytes, body: bytes) -> None:
    header, rest = udh.parse(octets)
    assert header.ill_formed
    assert rest == body


@given(st.integers(0, 0xFFFF), st.integers(1, 255), st.booleans())
def test_built_concatenation_is_read_back(reference: int, total: int, wide: bool) -> None:
    header, body = udh.parse(udh.concatenation(reference, total, total, wide) + b"x")
    expected = reference if wide else reference & 0xFF
    assert header.concatenation == Concatenation(expected, total, total, wide)
    assert body == b"x"


def test_header_is_taken_only_where_esm_class_says_so() -> None:
    octets = udh.concatenation(7, 2, 1) + b"hi"
    assert udh.take(octets, 0x00) == (udh.NO_UDH, octets)
    assert udh.take(octets, 0x43)[1] == b"hi"


def test_header_over_255_octets_is_refused() -> None:
    with pytest.raises(ValueError, match="range"):
        udh.build([Element(0x70, b"x" * 200), Element(0x71, b"x" * 200)])


@pytest.mark.parametrize(
    ("octets", "languages"),
    [
        pytest.param("03240101", (0, 1), id="single shift"),
        pytest.param("03250103", (3, 0), id="locking shift"),
        pytest.param("06240106250106", (6, 6), id="both"),
        pytest.param("06240101240103", (0, 3), id="the last counts"),
        pytest.param("0424020102", (0, 0), id="of two octets: none"),
        pytest.param("050003a70302", (0, 0), id="none"),
    ],
)
def test_languages_are_read(octets: str, languages: tuple[int, int]) -> None:
    assert udh.parse(bytes.fromhex(octets))[0].languages == languages


@pytest.mark.parametrize("locking", [0, 1, 13])
@pytest.mark.parametrize("single", [0, 1, 13])
def test_languages_come_back(locking: int, single: int) -> None:
    elements = udh.shift(locking, single)
    assert udh.parse(udh.alone(elements) + b"ok")[0].languages == (locking, single) or not elements
    header, text = udh.parse(udh.concatenation(7, 2, 1, after=elements) + b"ok")
    assert (header.languages, header.ill_formed, text) == ((locking, single), False, b"ok")
    assert header.concatenation == Concatenation(7, 2, 1, wide=False)


@pytest.mark.parametrize(
    ("length", "fill_bits"),
    [(0, 0), (1, 6), (4, 3), (6, 1), (7, 0), (8, 6), (9, 5), (10, 4), (12, 2), (13, 1)],
)
def test_fill_bits_reach_the_next_septet(length: int, fill_bits: int) -> None:
    assert udh.Udh(length=length).fill_bits == fill_bits
    assert (8 * length + fill_bits) % 7 == 0
