import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.optout import OptOut, read_optout


@pytest.mark.parametrize(
    ("reply", "way"),
    [
        pytest.param("TD", OptOut.LEAVE, id="the trade's two letters"),
        pytest.param("ｔ。", OptOut.LEAVE, id="one letter, wide, with a full stop"),
        pytest.param("退 訂", OptOut.LEAVE, id="traditional, with a blank"),
        pytest.param("Stop!", OptOut.LEAVE, id="English"),
        pytest.param("恢复订阅", OptOut.RETURN, id="the way back"),
        pytest.param("退订？", None, id="a question"),
        pytest.param("帮我退订流量包", None, id="inside a sentence"),
        pytest.param("CANCEL", None, id="a word that also answers a confirmation"),
    ],
)
def test_an_opt_out_is_the_whole_text(reply: str, way: OptOut | None) -> None:
    assert read_optout(reply) == way


@settings(deadline=None)
@given(st.text())
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    assert read_optout(text) in (*OptOut, None)


@settings(deadline=None)
@given(st.text(min_size=1, alphabet=st.characters(categories=["Lo"])))
def test_more_letters_make_it_another_word(more: str) -> None:
    assert read_optout(f"STOP{more}x") is None
