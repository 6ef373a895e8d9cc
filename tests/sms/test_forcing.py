"""Which characters forced UCS-2: named, counted, placed, and priced."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms.cutting import PLAIN, Cutting
from gateway.sms.forcing import Forcing, forced_ucs2_by, on_air_without
from gateway.sms.segment import measure, on_air
from gateway.sms.shifts import Shift

QUOTE = "U+2019 RIGHT SINGLE QUOTATION MARK"
routes = st.builds(
    Cutting, fold=st.booleans(), shifts=st.sampled_from([(), (Shift.TURKISH,), (Shift.SPANISH, Shift.HINDI)])
)
texts = st.text(max_size=200) | st.text(st.sampled_from("ab’…ş您é\u0301क\u200b"), max_size=300)


@given(texts, routes)
def test_they_are_named_for_ucs2_texts_and_for_no_others(text: str, route: Cutting) -> None:
    forced = forced_ucs2_by(text, route)
    assert bool(forced) == (measure(text, route).encoding == "ucs2")
    for each in forced:
        assert text.count(each.character) == each.times
        assert text.index(each.character) == each.first
    assert [each.first for each in forced] == sorted({each.first for each in forced})


@given(texts, routes)
def test_without_them_the_text_is_a_gsm_text(text: str, route: Cutting) -> None:
    forced = forced_ucs2_by(text, route)
    without = "".join(char for char in text if char not in {each.character for each in forced})
    assert measure(without, route).encoding == "gsm7"
    if not forced:
        assert on_air_without(text, forced, route) == on_air(text, route)


@pytest.mark.parametrize(
    ("text", "route", "forced"),
    [
        pytest.param(
            "It’s 5€ – it’s",
            PLAIN,
            (("’", QUOTE, 2, 2, "'"), ("–", "U+2013 EN DASH", 1, 8, "-")),
            id="folded",
        ),
        pytest.param("ok\u200b", PLAIN, (("\u200b", "U+200B ZERO WIDTH SPACE", 1, 2, ""),), id="invisible"),
        pytest.param(
            "cafe\u0301",
            PLAIN,
            (("\u0301", "U+0301 COMBINING ACUTE ACCENT", 1, 4, ""),),
            id="accent of its letter",
        ),
        pytest.param(
            "x\u0301",
            PLAIN,
            (("\u0301", "U+0301 COMBINING ACUTE ACCENT", 1, 1, None),),
            id="accent of another",
        ),
        pytest.param("\ue000", PLAIN, (("\ue000", "U+E000", 1, 0, None),), id="nameless"),
        pytest.param("It’s", Cutting(fold=True), (), id="the route folds"),
        pytest.param(
            "ş’", Cutting(shifts=(Shift.TURKISH,)), (("’", QUOTE, 1, 1, "'"),), id="the table has the other"
        ),
        pytest.param(
            "5€", Cutting(default="latin1"), (("€", "U+20AC EURO SIGN", 1, 1, None),), id="not in Latin-1"
        ),
    ],
)
def test_each_is_told_with_what_could_stand_there(
    text: str, route: Cutting, forced: tuple[Forcing, ...]
) -> None:
    assert forced_ucs2_by(text, route) == forced


def test_one_curly_quote_is_priced() -> None:
    text = "It’s resolved. " + "a" * 140
    assert on_air(text) == 3
    assert on_air_without(text, forced_ucs2_by(text)) == 1


def test_what_nothing_looks_like_is_priced_as_one_sign() -> None:
    text = "a" * 159 + "😀"
    assert on_air_without(text, forced_ucs2_by(text)) == 1
    text = "a" * 160 + "😀"
    assert on_air_without(text, forced_ucs2_by(text)) == 2
