"""Look-alikes folded only where that brings a text into the GSM alphabet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sms.alphabet import is_gsm
from gateway.sms.fold import _FOLD, fold
from gateway.sms.shifts import Shift, tables


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


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("cafe\u0301", "café", id="accent written apart"),
        pytest.param("cafe\u0301 ’", "café '", id="accent and quote"),
        pytest.param("c\u0327a", "c\u0327a", id="ç is no GSM character"),
        pytest.param("10 \u212b \u2126", "10 Å Ω", id="signs for letters"),
        pytest.param("a\u2009b\u202fc\u2003d", "a b c d", id="thin and wide spaces"),
        pytest.param("so\u00adft\u200bly\ufeff \u200ejoined\u200d", "softly joined", id="invisible"),
        pytest.param("\u200b", "\u200b", id="never folded to nothing"),
        pytest.param("ＯＫ：８！", "OK:8!", id="full-width letters, digits and signs"),
        pytest.param("￡5 ￥8", "£5 ¥8", id="full-width money"),
        pytest.param("８\u3000分", "８\u3000分", id="not beside Chinese"),
        pytest.param("ＯＫ、", "ＯＫ、", id="not beside Chinese signs"),
        pytest.param("ok 😀 ’", "ok 😀 ’", id="not beside an emoji"),
        pytest.param("1\ufe0f", "1", id="variation selector alone"),
        pytest.param("ﬁne ﬂat oﬀer", "fine flat offer", id="ligatures"),
        pytest.param("–—−‐‑‒", "------", id="dashes"),
        pytest.param("‘’‚‛“”„‟«»‹›′″", '\'\'\'\'""""""<>\'"', id="quotes"),
        pytest.param("3×4 ∕ 2", "3x4 / 2", id="signs of arithmetic"),
        pytest.param("a\u2028b\tc", "a\nb c", id="other ends of lines, tabs"),
    ],
)
def test_all_that_looks_alike_is_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_nothing_folds_to_what_is_not_gsm_nor_from_what_is() -> None:
    for like, plain in _FOLD.items():
        assert len(like) == 1
        assert not is_gsm(like), like
        assert is_gsm(plain), like


@given(st.text(st.sampled_from("aé’…\u0301e\u200b８Ａ您\u00a0ş")))
def test_folded_text_is_gsm_or_the_same(text: str) -> None:
    folded = fold(text)
    assert folded == text or is_gsm(folded)
    assert fold(folded) == folded


def test_other_tables_keep_what_they_have() -> None:
    portuguese = tables(0, Shift.PORTUGUESE)
    assert fold("ã’", portuguese) == "ã'"
    assert fold("ã’", tables(Shift.PORTUGUESE, 0)) == "ã'"
    assert fold("`’", tables(Shift.PORTUGUESE, 0)) == "`'"
    assert fold("“क”", tables(Shift.HINDI, 0)) == "“क”"  # no plain quote in it
    assert fold("“क”", tables(Shift.HINDI, Shift.HINDI)) == '"क"'
