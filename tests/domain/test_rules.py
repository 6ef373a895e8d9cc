"""Rules in YAML: read whole, or refused with the place and a suggestion."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.reply_rules import ReplyRules
from gateway.domain.rules import load_text, parse_duration
from gateway.domain.score import Scale, Scored
from gateway.domain.survey_rules import Surveys

SHIPPED = Path(__file__).parents[2] / "rules"


def surveys(text: str) -> Surveys:
    loaded = load_text("surveys.yaml", text, Surveys)
    assert isinstance(loaded, Surveys), loaded
    return loaded


def test_the_shipped_rules_are_valid_and_say_what_is_built_in() -> None:
    loaded = surveys((SHIPPED / "surveys.yaml").read_text(encoding="utf-8"))
    built_in = Surveys()
    for name in ("scale", "expires_in", "revision_window", "reminder", "low", "follow_up", "words"):
        assert getattr(loaded, name) == getattr(built_in, name), name
    assert loaded.at("complaint").templates.thanks == "complaint/thanks"
    assert loaded.at("hotline").templates.thanks == "survey/thanks"
    replies = load_text("replies.yaml", (SHIPPED / "replies.yaml").read_text(encoding="utf-8"), ReplyRules)
    assert isinstance(replies, ReplyRules)
    assert "thankyou" in replies.courtesies


def test_a_touchpoint_has_its_own_rules_and_the_rest_in_common() -> None:
    loaded = surveys(
        "expires_in: 48h\nlow: {ten: 5}\ntouchpoints:\n  counter: {scale: three, reminder: {after: 24h}}\n"
    )
    counter = loaded.at("counter")
    assert (counter.scale, counter.expires_in, counter.low.ten) == (Scale.THREE, timedelta(hours=48), 5)
    assert counter.reminder is not None
    assert loaded.at("hotline").reminder is None


def test_the_word_table_is_the_operators() -> None:
    loaded = surveys("words: {ten: {杠杠的: 10}}")
    assert loaded.read("杠杠的", Scale.TEN) == Scored(value=10, comment="")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(
            "scale: ten\nexpires_inn: 72h\n",
            "s.yaml:2:1: Object contains unknown field `expires_inn`; did you mean 'expires_in'?",
            id="an unknown key",
        ),
        pytest.param(
            "scale: tne\n", "s.yaml:1:8: Invalid enum value 'tne'; did you mean 'ten'?", id="an unknown word"
        ),
        pytest.param(
            "low:\n  ten: 6\n  five: nine\n", "s.yaml:3:9: Expected `int`, got `str`", id="a wrong type, deep"
        ),
        pytest.param("low: {ten: 60}", "s.yaml:1:12: Expected `int` <= 10", id="out of bounds"),
        pytest.param(
            "scale: ten\nscale: five\n", "s.yaml:2:1: 'scale' stands here twice, first in line 1", id="twice"
        ),
        pytest.param(
            "expires_in: 3 days",
            "s.yaml:1:13: Expected a length of time such as 30m, 72h or 7d, got '3 days'",
            id="no length of time",
        ),
        pytest.param("scale: [ten\n", "s.yaml:2:1: not YAML: did not find expected ',' or ']'", id="no YAML"),
        pytest.param(
            "touchpoints:\n  counter:\n    scael: ten\n",
            "s.yaml:3:5: Object contains unknown field `scael`; did you mean 'scale'?",
            id="an unknown key at a touchpoint",
        ),
        pytest.param(
            "words: {ten: {好: 11}}",
            "s.yaml:1:8: a word's score is off the scale ten",
            id="a word off the scale",
        ),
        pytest.param("- 1", "s.yaml:1:1: Expected `object`, got `array`", id="a list"),
    ],
)
def test_a_fault_has_its_place_and_a_suggestion(text: str, fault: str) -> None:
    loaded = load_text("s.yaml", text, Surveys)
    assert isinstance(loaded, list)
    assert [str(each) for each in loaded] == [fault]


def test_what_refers_to_itself_is_refused() -> None:
    bomb = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{key}: &{key} [{','.join(['*' + before] * 9)}]\n"
        for before, key in zip("abcdef", "bcdefg", strict=True)
    )
    assert isinstance(load_text("s.yaml", bomb, Surveys), list)
    assert isinstance(load_text("s.yaml", "a: &a [*a]", Surveys), list)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("30s", 30, id="seconds"),
        pytest.param("15m", 900, id="minutes"),
        pytest.param("72h", 259200, id="hours"),
        pytest.param("7d", 604800, id="days"),
        pytest.param("1d12h", 129600, id="both"),
        pytest.param("", None, id="nothing"),
        pytest.param("0m", None, id="no time"),
        pytest.param("-5m", None, id="negative"),
        pytest.param("5 m", None, id="a blank"),
        pytest.param("1.5h", None, id="a fraction"),
        pytest.param("５m", None, id="another width"),
    ],
)
def test_lengths_of_time(text: str, seconds: int | None) -> None:
    length = parse_duration(text)
    assert (None if length is None else length.total_seconds()) == seconds


@given(st.text())
def test_no_text_breaks_the_loader(text: str) -> None:
    assert isinstance(load_text("s.yaml", text, Surveys), Surveys | list)


@pytest.mark.parametrize("text", ['"": true\n', "?\n", "'': 1\n", "low: {'': 1}\n", "low: {? : 1}\n"])
def test_an_empty_key_is_a_fault_and_no_crash(text: str) -> None:
    (fault,) = load_text("s.yaml", text, Surveys)  # type: ignore[misc]
    assert "unknown field ``" in str(fault)
