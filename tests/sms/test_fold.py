"""Look-alikes folded only where that brings a text into the GSM alphabet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms.alphabet import is_gsm
from gateway.sms.fold import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("It’s “fine” – ok…", 'It\'s "fine" - ok...', id="word processor"),
        pytest.param("10\u00a0GB", "10 GB", id="no-break space"),
        pytest.param("８分", "８分", id="Chinese keeps its digits"),
        pytest.param("８", "8", id="full-width alone"),
        pytest.param("您说“好”", "您说“好”", id="Chinese keeps its quotes"),
        pytest.param("", "", id="empty"),
    ],
)
def test_look_alikes_are_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_helps_or_leaves_alone(text: str) -> None:
    folded = fold(text)
    assert folded == text or is_gsm(folded)
    assert fold(folded) == folded
