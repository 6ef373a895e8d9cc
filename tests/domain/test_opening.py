"""Whether a customer may be asked, and from which extension."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.domain import survey as machine
from gateway.domain.given import Given, PromptFailed
from gateway.domain.opening import Opened, Suppressed, choose_extension, first_look, open_survey
from gateway.domain.policy import Standing
from gateway.domain.rules import Duration
from gateway.domain.survey import Survey
from gateway.domain.survey_rules import AtMost, Nudge, SurveyRules
from tests.domain.test_survey import T0, opened, write

RULES = SurveyRules(tiers={"vip": AtMost(1, Duration(days=14)), "tester": None})
NOBODY = Standing()


def asked(days_ago: float, *inputs: Given, ticket: str = "TS-0", touchpoint: str = "complaint") -> Survey:
    at = T0 - timedelta(days=days_ago)
    survey = opened()._replace(
        opened_at=at, expires_at=at + timedelta(hours=72), ticket_id=ticket, touchpoint=touchpoint
    )
    for each in inputs:
        survey, _ = machine.step(survey, each, at, RULES)
    return survey


DONE = write("8")


@pytest.mark.parametrize(
    ("recent", "standing", "reason"),
    [
        pytest.param([], NOBODY, None, id="never asked"),
        pytest.param([asked(8, DONE)], NOBODY, None, id="asked long ago"),
        pytest.param([asked(6, DONE)], NOBODY, "asked-lately", id="asked this week"),
        pytest.param(
            [asked(6, DONE, touchpoint="hotline")], NOBODY, "asked-lately", id="at another touchpoint"
        ),
        pytest.param(
            [asked(1, touchpoint="hotline")], NOBODY, "asked-lately", id="open at another touchpoint"
        ),
        pytest.param([asked(1)], NOBODY, "one-open-already", id="open at this touchpoint"),
        pytest.param([asked(1, PromptFailed())], NOBODY, None, id="the question never arrived"),
        pytest.param([asked(6, DONE, ticket="TS-1")], NOBODY, None, id="the same ticket was opened again"),
        pytest.param(
            [asked(8, DONE)], Standing(tier="vip"), "asked-lately", id="a VIP, sooner than they like"
        ),
        pytest.param([asked(1, DONE)], Standing(tier="tester"), None, id="a tier without a limit"),
        pytest.param([], Standing(opt_outs={"category:survey"}), "opted-out", id="opted out of surveys"),
        pytest.param([], Standing(opt_outs={"lane:marketing"}), None, id="opted out of marketing alone"),
    ],
)
def test_who_may_be_asked(recent: list[Survey], standing: Standing, reason: str | None) -> None:
    outcome = open_survey(
        touchpoint="complaint", ticket_id="TS-1", recent=recent, standing=standing, rules=RULES, now=T0
    )
    assert outcome == (Opened() if reason is None else Suppressed(reason))


def test_the_question_of_before_is_superseded() -> None:
    before = asked(1, ticket="TS-1")
    outcome = open_survey(
        touchpoint="complaint", ticket_id="TS-1", recent=[before], standing=NOBODY, rules=RULES, now=T0
    )
    assert outcome == Opened(superseded=(before,))


def test_the_first_timer_is_the_reminder_or_the_end() -> None:
    end = T0 + timedelta(hours=72)
    assert first_look(T0, end, RULES) == end
    assert first_look(T0, end, SurveyRules(reminder=Nudge(Duration(hours=24)))) == T0 + timedelta(hours=24)
    assert first_look(T0, end, SurveyRules(reminder=Nudge(Duration(days=9)))) == end


def test_without_digits_questions_share_the_number() -> None:
    assert choose_extension("10086", 0, [], T0, seed=1) == ""


def test_a_new_question_gets_an_extension_of_its_own() -> None:
    recent: list[Survey] = []
    for at in range(9):
        extension = choose_extension("10086", 1, recent, T0, seed=at)
        recent.insert(0, opened()._replace(address=f"10086{extension}"))
    assert len({each.address for each in recent}) == 9


def test_the_same_seed_chooses_the_same_extension() -> None:
    assert choose_extension("10086", 3, [], T0, seed=5) == choose_extension("10086", 3, [], T0, seed=5)


def test_a_freed_extension_rests_before_it_is_used_again() -> None:
    resting = [asked(at / 10, DONE)._replace(address=f"10086{at}") for at in range(9)]
    assert choose_extension("10086", 1, resting, T0, seed=3) == "9"


def test_where_all_rest_the_one_unused_the_longest_is_taken() -> None:
    resting = [asked(at / 10, DONE)._replace(address=f"10086{at}") for at in range(10)]
    assert choose_extension("10086", 1, resting, T0, seed=3) == "9"


def test_an_extension_is_used_again_after_its_rest() -> None:
    rested = [asked(20, DONE)._replace(address=f"10086{at}") for at in range(10)]
    assert choose_extension("10086", 1, rested, T0, seed=3) in set("0123456789")
