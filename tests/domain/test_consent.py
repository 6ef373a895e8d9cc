"""A false yes charges a customer: what is read as one is held against lists and texts that know no reader."""

import unicodedata
from random import Random
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain import consent_words
from gateway.domain.consent import NO, YES, Consent, No, Reason, Unclear, Yes, read_consent
from gateway.domain.garbled import is_garbled
from gateway.domain.optout import read_optout
from tests.domain.consent_grammar import PLAIN_YES, RECIPES, WITH_CODE, made, no_refusal, plain_yes

#: Those that the reader may see through, at the ends of a text.
BLANKS: Final = " \n\r\t\u00a0\u2002\u2003\u2009\u202f\u3000\u200b\u200e\u200f\ufeff"
CLOSING: Final = ".。．｡!！~～"
SIGNS: Final = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x1FB00), *range(0xE0000, 0xE0200))]

#: The same without most Chinese and Korean letters.
FEWER: Final = [sign for sign in SIGNS if not "\u3400" <= sign <= "\ud7ff" or sign in "".join(PLAIN_YES)]

#: Pieces of which replies are made, and of which none should be made.
WORDS: Final = [*PLAIN_YES, *"N不没的好37", "取消", "如果", "吗", "回复", "谢谢", "37", "37元", " I "]
ODD: Final = " ,.，。!?？~/\n…“”()【】\u200b\u202e\u0336\ufffdУΥ𝐘👍\ud83d\x00１"
PIECES: Final = st.lists(
    st.sampled_from(WORDS) | st.sampled_from(ODD) | st.characters(),
    max_size=5,
).map("".join)


def says_yes(text: str, code: str | None) -> bool:
    """Whether it could be a yes at all: the reading of another, simpler way."""
    bare = unicodedata.normalize("NFKC", text.strip(BLANKS)).casefold().strip(BLANKS).rstrip(" .。!~")
    if code is None:
        return " ".join(bare.split()) in {word.casefold() for word in PLAIN_YES}
    return bare.endswith(code) and bare.removesuffix(code).rstrip() in {word.casefold() for word in WITH_CODE}


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        pytest.param("Y", YES, id="as asked"),
        pytest.param("ｙ。", YES, id="wide, with a full stop"),
        pytest.param(" 確認！\n", YES, id="traditional, between blanks"),
        pytest.param("Yes please", YES, id="polite"),
        pytest.param("是的", YES, id="a word of agreement"),
        pytest.param("N", NO, id="no, as asked"),
        pytest.param("不要了，谢谢", NO, id="no, with thanks"),
        pytest.param("TD", NO, id="an opt-out"),
        pytest.param("Y?", Unclear(Reason.QUESTION), id="a question"),
        pytest.param("免费的话Y", Unclear(Reason.CONDITION), id="a condition"),
        pytest.param("not yes", Unclear(Reason.NEGATED), id="a negation"),
        pytest.param("不要取消", Unclear(Reason.NEGATED), id="a refusal denied"),
        pytest.param("Y/N", Unclear(Reason.BOTH), id="both"),
        pytest.param("回复Y确认", Unclear(Reason.QUOTED), id="the prompt, sent back"),
        pytest.param("Y谢谢", Unclear(Reason.MORE), id="anything more"),
        pytest.param("YY", Unclear(Reason.REPEATED), id="twice"),
        pytest.param("好的", Unclear(Reason.COURTESY), id="a courtesy"),
        pytest.param("开通", Unclear(Reason.LOOSE), id="a wish"),
        pytest.param("外", Unclear(Reason.NEAR), id="what voice input makes of Y"),
        pytest.param("1", Unclear(Reason.NUMBER), id="a number"),
        pytest.param("👍", Unclear(Reason.EMOJI), id="a picture"),
        pytest.param("У", Unclear(Reason.OTHER_SCRIPT), id="a Cyrillic letter"),
        pytest.param("Y\u202e", Unclear(Reason.ODD_SIGN), id="a sign that turns the text"),
        pytest.param("Y\ufffd", Unclear(Reason.UNDECODABLE), id="garbled"),
        pytest.param("Y[…]", Unclear(Reason.INCOMPLETE), id="a part is missing"),
        pytest.param(" 。", Unclear(Reason.EMPTY), id="nothing"),
        pytest.param("Y37", Unclear(Reason.CODE_UNASKED), id="a code that was not asked for"),
        pytest.param("我要投诉", Unclear(Reason.OTHER), id="another matter"),
    ],
)
def test_a_reply_says_yes_or_no_or_neither(reply: str, answer: Consent) -> None:
    assert read_consent(reply) == answer


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        pytest.param("Y37", YES, id="as asked"),
        pytest.param("ｙ ３７。", YES, id="wide, with a blank and a full stop"),
        pytest.param("确认37", YES, id="a word and the code"),
        pytest.param("Y", Unclear(Reason.CODE_MISSING), id="the code is missing"),
        pytest.param("Y38", Unclear(Reason.CODE_WRONG), id="another code"),
        pytest.param("Y037", Unclear(Reason.CODE_WRONG), id="a zero before it"),
        pytest.param("Y3 7", Unclear(Reason.MORE), id="a code in two"),
        pytest.param("37", Unclear(Reason.NUMBER), id="the code alone"),
        pytest.param("37Y", Unclear(Reason.MORE), id="the other way round"),
        pytest.param("是37", Unclear(Reason.MORE), id="may say what it is"),
        pytest.param("N37", NO, id="no"),
        pytest.param("N", NO, id="no needs no code"),
        pytest.param("N38", Unclear(Reason.CODE_WRONG), id="no to another"),
    ],
)
def test_where_a_code_is_asked_a_yes_repeats_it(reply: str, answer: Consent) -> None:
    assert read_consent(reply, code="37") == answer


@pytest.mark.parametrize("code", ["", " ", "Y", "三十七", ".", "３７", "37 "])
def test_a_code_that_is_none_accepts_nothing(code: str) -> None:
    texts = ["Y", "Y37", f"Y{code}", code, "确认", "Y "]
    assert not any(isinstance(read_consent(text, code=code), Yes) for text in texts)


def test_of_all_single_signs_these_alone_say_yes() -> None:
    assert [sign for sign in SIGNS if read_consent(sign) == YES] == ["Y", "y", "是", "Ｙ", "ｙ"]


@pytest.mark.parametrize("yes", ["Y", "同意"])
def test_beside_a_yes_only_blanks_and_a_closing_sign_are_seen_through(yes: str) -> None:
    after = {sign for sign in FEWER if read_consent(yes + sign) == YES}
    before = {sign for sign in FEWER if read_consent(sign + yes) == YES}
    assert after == set(BLANKS + CLOSING)
    assert before == set(BLANKS) | ({"我"} if yes == "同意" else set())


@pytest.mark.parametrize("yes", PLAIN_YES)
def test_nothing_goes_between_the_signs_of_a_yes(yes: str) -> None:
    odd = [sign for sign in "\u200b\u200d\u202e\u0301\ufe0f.。,，不\n\t?N" if sign not in yes]
    made_up = [yes[:at] + sign + yes[at:] for at in range(1, len(yes)) for sign in odd]
    assert [text for text in made_up if read_consent(text) == YES and not says_yes(text, None)] == []


@pytest.mark.parametrize("seed", range(4))
def test_of_adversarial_replies_none_is_a_yes(seed: int) -> None:
    wrong = [each for each in made(5_000, seed) if isinstance(read_consent(each.text, code=each.code), Yes)]
    assert not wrong, wrong[:20]


def test_a_refusal_that_is_asked_or_hangs_on_something_is_none() -> None:
    random = Random(1)
    texts = {no_refusal(random) for _ in range(2_000)}
    assert sorted(text for text in texts if not isinstance(read_consent(text), Unclear)) == []


def test_every_way_to_make_them_is_taken() -> None:
    taken = {name for each in made(2_000, seed=0) for name in each.recipe.split("+")}
    assert taken == {recipe.__name__ for recipe in RECIPES} | {"code"}


@given(st.randoms(use_true_random=False), st.none() | st.integers(0, 99_999).map(str))
def test_a_plain_yes_is_one_however_it_is_dressed(random: object, code: str | None) -> None:
    text = plain_yes(random, code)  # type: ignore[arg-type] # Hypothesis has its own Random, of no public type
    assert read_consent(text, code=code) == YES
    if code is not None:
        assert read_consent(text) == Unclear(Reason.CODE_UNASKED)
        assert read_consent(text, code=f"{code}1") == Unclear(Reason.CODE_WRONG)


@given(PIECES, st.sampled_from([None, "37"]))
@example("同意\u3000", None)
@example("\ud83d", None)
@example("Y" + " " * 5000, None)
@example("不" * 5000, None)
@example("Y\n" * 5000, "37")
def test_any_text_is_read_and_only_a_plain_yes_says_yes(text: str, code: str | None) -> None:
    answer = read_consent(text, code=code)
    assert isinstance(answer, Yes | No | Unclear)
    assert not isinstance(answer, Yes) or says_yes(text, code)
    assert read_consent(text, code=code) == answer


def test_the_list_that_says_yes_is_the_one_that_was_agreed() -> None:
    """Whoever makes it longer makes more customers pay: it is written down twice."""
    said = {word.casefold().translate(consent_words.PLAIN) for word in PLAIN_YES}
    assert {" ".join(word.split()) for word in consent_words.YES} == said


@pytest.mark.parametrize("yes", PLAIN_YES)
def test_no_word_that_says_yes_says_anything_else(yes: str) -> None:
    assert read_optout(yes) is None
    assert not is_garbled(yes)
    assert read_consent(f"不{yes}") != YES


def test_of_the_words_that_are_explained_none_says_yes_or_no() -> None:
    words = consent_words.COURTESY | consent_words.NEAR | (consent_words.LOOSE - consent_words.AGREEMENTS)
    assert [word for word in sorted(words) if not isinstance(read_consent(word), Unclear)] == []


def test_an_answer_is_never_asked_for_its_truth() -> None:
    for answer in (YES, NO, Unclear(Reason.EMPTY)):
        with pytest.raises(TypeError, match="matched"):
            bool(answer)
