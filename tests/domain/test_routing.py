"""Which question a reply answers: the table, and the table at work."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from gateway.domain import conversation as talk
from gateway.domain import survey as machine
from gateway.domain.conversation import Conversation
from gateway.domain.effect import Reply, Scope
from gateway.domain.given import Given, PromptFailed, Superseded, TimeUp
from gateway.domain.ids import IdSource
from gateway.domain.reply_rules import ReplyRules
from gateway.domain.routing import TABLE, Facts, Home, Outcome, Paid, Words, decide, route, words_of
from gateway.domain.rulebook import Rules
from gateway.domain.score import Scale
from gateway.domain.survey import Subject
from gateway.domain.survey_rules import Surveys
from tests.domain.test_survey import T0, opened, write

NOW = T0 + timedelta(hours=1)
RULES = Rules(
    surveys=Surveys(), replies=ReplyRules(courtesy=("谢谢", "OK")), access_numbers=frozenset({"10086"})
)
IDS = IdSource()


def asked(address: str, *inputs: Given, at_hour: float = 0, scale: Scale = Scale.TEN) -> Conversation:
    """A survey asked from this address, with what happened to it since."""
    at = T0 + timedelta(hours=at_hour)
    survey = opened()._replace(
        id=IDS.new(7, at.timestamp()),
        address=address,
        opened_at=at,
        expires_at=at + timedelta(hours=72),
        subject=Subject(scale=scale),
    )
    for each in inputs:
        survey, _ = machine.step(survey, each, at + timedelta(minutes=1), RULES.surveys)
    return survey


A, B = "10086001", "10086002"
BARE = "10086"
EXPIRED, CANCELLED = TimeUp(), Superseded()

CASES = [
    pytest.param("8", A, [asked(A)], "HOME", 0, id="score at its address"),
    pytest.param("怎么回事", A, [asked(A)], "HOME", 0, id="words at its address"),
    pytest.param("8", A, [asked(B), asked(A)], "HOME", 1, id="the address decides, not the age"),
    pytest.param("8", BARE, [asked(A)], "CLEAR", 0, id="written to the bare number by hand"),
    pytest.param("怎么回事", BARE, [asked(A)], "UNMATCHED", None, id="words to the bare number"),
    pytest.param("8", BARE, [asked(BARE, at_hour=0.5), asked(BARE)], "CLEAR", 0, id="the newest of two"),
    pytest.param(
        "8",
        BARE,
        [asked(BARE, at_hour=0.5, scale=Scale.FIVE), asked(BARE)],
        "CLEAR",
        1,
        id="the newest for which it is clear",
    ),
    pytest.param(
        "怎么回事", BARE, [asked(BARE)], "ASKED_HERE", 0, id="words after a question from the number"
    ),
    pytest.param("9", BARE, [asked(BARE, write("8"), at_hour=0.6)], "LATELY", 0, id="a revision"),
    pytest.param("师傅很好", BARE, [asked(BARE, write("8"), at_hour=0.6)], "LATELY", 0, id="a comment"),
    pytest.param("又断网了", BARE, [asked(BARE, write("8"))], "UNMATCHED", None, id="words after the window"),
    pytest.param("9", A, [asked(A, write("8"))], "HOME", 0, id="a score after the window is its comment"),
    pytest.param("又断网了", A, [asked(A, write("8"))], "UNMATCHED", 0, id="words after it are a new matter"),
    pytest.param("8", A, [asked(A, EXPIRED)], "LATE", 0, id="too late"),
    pytest.param("8", A, [asked(A, CANCELLED)], "LATE", 0, id="superseded"),
    pytest.param("8", A, [asked(A, EXPIRED), asked(B)], "LATE", 0, id="an old address steals from no other"),
    pytest.param("8", A, [asked(A, at_hour=-80)], "LATE", 0, id="its time is over, whoever noticed"),
    pytest.param("8", A, [asked(A, PromptFailed())], "HOME", 0, id="who answers has got it"),
    pytest.param("8", A, [], "UNMATCHED", None, id="no question"),
    pytest.param("退订", A, [asked(A)], "OPT_OUT_SURVEYS", 0, id="stop in an open dialogue"),
    pytest.param("TD", A, [asked(A, write("8"))], "OPT_OUT_SURVEYS", 0, id="stop after the answer"),
    pytest.param("T", BARE, [asked(A)], "OPT_OUT_SURVEYS", 0, id="stop to the bare number, one open"),
    pytest.param("TD", BARE, [], "OPT_OUT_MARKETING", None, id="stop out of nowhere"),
    pytest.param("恢复订阅", A, [asked(A)], "OPT_IN", None, id="back again"),
    pytest.param("谢谢", A, [asked(A)], "COURTESY", 0, id="thanks are no answer"),
    pytest.param("谢谢!", BARE, [], "COURTESY", None, id="thanks out of nowhere"),
    pytest.param("8 谢谢", A, [asked(A)], "HOME", 0, id="a score with thanks is a score"),
    pytest.param(" 。", A, [asked(A)], "NOISE", 0, id="nothing in it"),
    pytest.param("😡", A, [asked(A)], "HOME", 0, id="a face is words"),
]


@pytest.mark.parametrize(("text", "address", "conversations", "outcome", "about"), CASES)
def test_a_reply_finds_its_question(
    text: str, address: str, conversations: list[Conversation], outcome: str, about: int | None
) -> None:
    found = route(text, address, NOW, conversations, RULES)
    assert found.outcome is Outcome[outcome]
    if about is None:
        assert found.conversation is None
    else:
        assert found.conversation is conversations[about]


def test_an_opt_out_names_its_scope() -> None:
    assert route("T", A, NOW, [asked(A)], RULES).scope is Scope.SURVEYS
    assert route("T", BARE, NOW, [], RULES).scope is Scope.MARKETING


BOTH = (True, False)
ALL_FACTS = [Facts._make(each) for each in product(Words, Home, BOTH, BOTH, BOTH, BOTH, Paid, BOTH, BOTH)]


def test_the_table_has_an_answer_to_everything_and_no_idle_row() -> None:
    deciding = [next(row for row in TABLE if row.fits(facts)) for facts in ALL_FACTS]
    assert set(map(id, deciding)) == set(map(id, TABLE))


def test_no_dialogue_swallows_an_opt_out() -> None:
    outcomes = {decide(facts) for facts in ALL_FACTS if facts.words is Words.OPT_OUT}
    assert outcomes == {Outcome.PAID, Outcome.OPT_OUT_SURVEYS, Outcome.OPT_OUT_MARKETING}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("td", Words.OPT_OUT, id="small letters"),
        pytest.param("退订吗？", Words.OTHER, id="a question about it"),
        pytest.param("我要退订宽带", Words.OTHER, id="a word inside a sentence"),
        pytest.param("", Words.EMPTY, id="empty"),
        pytest.param(" \n…。", Words.EMPTY, id="signs alone"),
        pytest.param("ｏｋ！", Words.COURTESY, id="another width"),
        pytest.param("谢谢，但是没解决", Words.OTHER, id="thanks and more"),
        pytest.param("👍", Words.OTHER, id="a picture"),
    ],
)
def test_a_text_by_itself(text: str, words: Words) -> None:
    assert words_of(text, RULES.replies) is words


def test_two_robots_fall_silent_after_three_answers() -> None:
    surveys = [asked(f"1008600{at}", at_hour=at / 10) for at in range(5)]
    answered = 0
    for at, each in enumerate(surveys):
        after, effects = talk.step(each, write("什么"), NOW, RULES, surveys)
        surveys[at] = after
        answered += sum(isinstance(effect, Reply) for effect in effects)
    assert answered == 3
