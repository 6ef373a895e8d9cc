"""Who is called back: by a low score, or picked by the rules, and what the ticket system's answer does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from gateway.domain import follow_up
from gateway.domain import survey as machine
from gateway.domain.effect import Effect, FollowUp, Inbox, OutOfInbox
from gateway.domain.given import CallBack, CallDone, CallFailed, Given, TimeUp
from gateway.domain.rules import load_text
from gateway.domain.score import Scale
from gateway.domain.survey import Subject, Survey
from gateway.domain.survey_rules import CallbackRule, SurveyRules, Surveys
from gateway.domain.survey_state import Because
from tests.domain.test_survey import RULES, T0, kinds, opened, write

CREATE = "ticket.create"
LATER = T0 + timedelta(hours=24)


def picked() -> Survey:
    survey = opened()
    return survey._replace(subject=replace(survey.subject, callback_at=LATER))


def given(survey: Survey, *all_of_it: Given, rules: SurveyRules = RULES) -> tuple[Survey, list[Effect]]:
    effects: list[Effect] = []
    for each in all_of_it:
        survey, effects = machine.step(survey, each, LATER, rules)
    return survey, effects


def of(survey: Survey) -> dict[str, Any]:
    told: dict[str, Any] = machine.report(survey)["follow_up"]
    return told


def test_the_number_of_a_follow_up_is_known_and_told_once() -> None:
    survey, effects = given(opened(), write("2"), CallDone(CREATE, "TS-9", "follow_up"))
    assert of(survey) == {
        "because": "low-score",
        "asked_at": LATER,
        "number": "TS-9",
        "at": LATER,
        "failed": None,
    }
    assert kinds(effects) == ["survey.follow_up"]
    assert given(survey, CallDone(CREATE, "TS-10", "follow_up")) == (survey, [])
    assert given(survey, CallFailed(CREATE, "late", "follow_up")) == (survey, [])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(CallDone("ticket.comment", "TS-9", "follow_up"), id="of another connector"),
        pytest.param(CallDone(CREATE, "TS-9", "callback"), id="to another call"),
        pytest.param(CallFailed(CREATE, "no", "callback"), id="a failure of another call"),
    ],
)
def test_other_answers_change_nothing(answer: Given) -> None:
    survey, _ = given(opened(), write("2"))
    assert given(survey, answer) == (survey, [])
    assert given(opened(), answer)[1] == []


def test_a_follow_up_that_was_refused_is_for_a_person_until_it_succeeds() -> None:
    words = write("2")
    survey, effects = given(opened(), words, CallFailed(CREATE, "HTTP 422", "follow_up"))
    assert kinds(effects) == ["inbox follow-up-not-recorded: HTTP 422", "survey.follow_up"]
    assert effects[0] == Inbox(words.reply_id, "follow-up-not-recorded: HTTP 422")
    assert of(survey)["failed"] == "HTTP 422"
    survey, effects = given(survey, CallDone(CREATE, 4711, "follow_up"))
    assert effects[0] == OutOfInbox(words.reply_id)
    assert (of(survey)["number"], of(survey)["failed"]) == ("4711", None)


def test_a_picked_ticket_gets_a_follow_up_without_any_words_once() -> None:
    survey, effects = given(picked(), TimeUp(), CallBack())
    assert kinds(effects) == ["survey.follow_up", "FollowUp"]
    (task,) = [each.data for each in effects if isinstance(each, FollowUp)]
    assert (task["kind"], task["key"], task["score"], task["follow_up"]["because"]) == (
        "follow_up",
        "callback",
        None,
        "callback",
    )
    assert given(survey, CallBack()) == (survey, [])
    survey, effects = given(survey, CallFailed(CREATE, "HTTP 500", "callback"))
    assert kinds(effects) == ["survey.follow_up"]  # there are no words to stand in the inbox
    assert of(survey)["failed"] == "HTTP 500"


def test_a_low_score_opened_one_already() -> None:
    survey, _ = given(picked(), write("2"))
    assert given(survey, CallBack()) == (survey, [])


def test_a_low_score_after_a_call_back_has_its_own() -> None:
    survey, effects = given(picked(), CallBack(), write("2"))
    assert "FollowUp" in kinds(effects)
    assert of(survey)["because"] == "low-score"


def test_where_low_scores_open_none_the_rule_still_picks() -> None:
    rules = SurveyRules(follow_up=False)
    survey, effects = given(picked(), write("2"), CallBack(), rules=rules)
    assert kinds(effects) == ["survey.follow_up", "FollowUp"]
    assert survey.state.follow_up is not None
    assert survey.state.follow_up.because is Because.CALLBACK


def test_nobody_is_called_back_too_early_or_unpicked() -> None:
    early = picked()
    assert machine.step(early, CallBack(), LATER - timedelta(seconds=1), RULES) == (early, [])
    assert given(opened(), CallBack()) == (opened(), [])


def test_a_ticket_that_was_resolved_again_is_left_to_the_last_survey() -> None:
    first = picked()
    second = first._replace(id=UUID(int=9))
    assert follow_up.stands_back(first, second)
    assert not follow_up.stands_back(second, first)
    assert not follow_up.stands_back(first, first)
    seen_to, _ = given(first, write("2"))
    assert follow_up.stands_back(second, seen_to)


SUBJECT = Subject(
    scale=Scale.TEN, ticket={"id": "TS-1", "type": "broadband", "department": "b"}, department="a"
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param({}, True, id="everything"),
        pytest.param({"types": ("broadband",)}, True, id="its type"),
        pytest.param({"types": ("billing",)}, False, id="another type"),
        pytest.param({"tiers": ("vip", "gold")}, True, id="its tier"),
        pytest.param({"tiers": ("gold",)}, False, id="another tier"),
        pytest.param({"departments": ("a",)}, True, id="its department"),
        pytest.param({"departments": ("b",)}, False, id="the ticket's department, and the call named one"),
        pytest.param({"types": ("broadband",), "tiers": ("gold",)}, False, id="one fits, the other does not"),
    ],
)
def test_whom_a_rule_picks(rule: dict[str, Any], expected: bool) -> None:
    assert follow_up.picks(CallbackRule(share=1.0, **rule), "TS-1", SUBJECT, "vip") is expected


@pytest.mark.parametrize(
    ("rule", "at"),
    [
        pytest.param("{share: 5}", "surveys.yaml:1:19: ", id="more than all"),
        pytest.param("{share: 0}", "surveys.yaml:1:19: ", id="nobody"),
        pytest.param("{types: [broadband]}", "surveys.yaml:1:11: ", id="no share"),
        pytest.param("{share: 1, tiers: []}", "surveys.yaml:1:29: ", id="of no tier"),
        pytest.param("{share: 1, tier: [vip]}", "surveys.yaml:1:", id="no such name"),
    ],
)
def test_a_faulty_rule_is_told_with_its_place(rule: str, at: str) -> None:
    faults = load_text("surveys.yaml", f"callback: {rule}", Surveys)
    assert isinstance(faults, list)
    assert [str(fault).startswith(at) for fault in faults] == [True], faults


def test_a_share_is_about_that_and_a_larger_one_holds_the_smaller() -> None:
    tickets = [f"TS-{number}" for number in range(4000)]
    shares = (0.01, 0.05, 0.5)
    found = [
        {each for each in tickets if follow_up.picks(CallbackRule(share=share), each, SUBJECT, None)}
        for share in shares
    ]
    assert found[0] < found[1] < found[2]
    for share, some in zip(shares, found, strict=True):
        assert abs(len(some) / len(tickets) - share) < 0.02
    assert follow_up.callback_at("TS-1", SUBJECT, None, T0, RULES) is None
    everybody = SurveyRules(callback=CallbackRule(share=1.0))
    assert follow_up.callback_at("TS-1", SUBJECT, None, T0, everybody) == LATER
    assert follow_up.callback_at(None, SUBJECT, None, T0, everybody) is None
