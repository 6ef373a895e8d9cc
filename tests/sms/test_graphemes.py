"""What a reader sees as one character, and that a cut never tears it without need."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms.cutting import Cutting, Join
from gateway.sms.graphemes import boundaries, may_join
from gateway.sms.segment import measure, pieces
from gateway.sms.shifts import Shift

ONE = [
    pytest.param("\r\n", id="CR LF"),
    pytest.param("e\u0301", id="accent"),
    pytest.param("e\u0301\u0328\u0327", id="three marks"),
    pytest.param("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", id="family"),
    pytest.param("\U0001f3f3\ufe0f\u200d\U0001f308", id="rainbow flag"),
    pytest.param("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", id="flag by tags"),
    pytest.param("\U0001f642\u200d\u2194\ufe0f", id="head shaken: an arrow behind the joiner"),
    pytest.param("\U0001f9d1\U0001f3fd\u200d\U0001f4bb", id="skin tone and laptop"),
    pytest.param("\u2764\ufe0f\u200d\U0001f525", id="heart on fire"),
    pytest.param("\U0001f1e8\U0001f1f3", id="flag"),
    pytest.param("8\ufe0f\u20e3", id="keycap"),
    pytest.param("\u845b\U000e0100", id="ideographic variant"),
    pytest.param("\u1112\u1161\u11ab", id="Hangul jamo"),
    pytest.param("\uac00\u11a8", id="Hangul syllable and final"),
    pytest.param("\u0e01\u0e33", id="Thai AM"),
    pytest.param("\u0928\u093f", id="Devanagari vowel sign"),
    pytest.param("\u0915\u094d\u0937", id="Devanagari conjunct"),
    pytest.param("\u0915\u094d\u200d\u0937\u093f", id="conjunct with joiner and vowel"),
    pytest.param("\u304b\u3099", id="kana with voicing"),
]


@pytest.mark.parametrize("grapheme", ONE)
def test_it_is_one_character(grapheme: str) -> None:
    assert may_join(grapheme)
    assert list(boundaries(grapheme)) == []
    assert list(boundaries("您" + grapheme + "好")) == [1, 1 + len(grapheme)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("ab", [1], id="letters"),
        pytest.param("您好", [1], id="ideographs"),
        pytest.param("\n\r", [1], id="LF CR"),
        pytest.param("\n\u0301", [1], id="a mark holds on to no line end"),
        pytest.param("\U0001f1e8\U0001f1f3\U0001f1e8\U0001f1f3\U0001f1e8", [2, 4], id="flags by pairs"),
        pytest.param("\U0001f468\U0001f469", [1], id="emoji side by side"),
        pytest.param("a\u200db", [2], id="a joiner between letters joins forwards only"),
        pytest.param("\uac01\u1161", [1], id="closed syllable and vowel"),
        pytest.param("\u0915\u094d a", [2, 3], id="virama at a word's end"),
        pytest.param("\u0915\u0916", [1], id="consonants without virama"),
    ],
)
def test_characters_are_told_apart(text: str, expected: list[int]) -> None:
    assert list(boundaries(text)) == expected


@given(
    st.lists(st.sampled_from([*(str(one.values[0]) for one in ONE), "a", "您"]), min_size=20, max_size=120),
    st.sampled_from(Join),
    st.sampled_from([(), (Shift.HINDI,)]),
)
def test_torn_only_where_keeping_it_would_cost_a_segment(
    graphemes: list[str], join: Join, shifts: tuple[Shift, ...]
) -> None:
    text = "".join(graphemes)
    route = Cutting(join=join, shifts=shifts)
    if measure(text, route).encoding != "ucs2":
        return
    room = 132 if join in (Join.UDH16, Join.SAR) else 134
    whole = {0, *boundaries(text), len(text)}
    found = pieces(text, route)
    place = 0
    for number, piece in enumerate(found[:-1]):
        place += len(piece)
        if place not in whole:
            border = max(each for each in whole if each < place)
            # Moved to its border, the rest would need a segment more, or the piece would be empty.
            rest = len(text[border:].encode("utf-16-be"))
            empty = border <= place - len(piece)
            assert empty or rest > (len(found) - number - 1) * (room - 2)
