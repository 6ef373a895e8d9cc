"""How soon tickets are answered: the edges of 48 and 72 hours, and figures of many."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.timeliness import (
    BACKWARDS,
    MOST_HOURS,
    SPANS,
    Answered,
    Promptness,
    hours_begun,
    promptness,
    timeliness,
)

AT = datetime(2026, 11, 22, 9, tzinfo=timezone(timedelta(hours=8)))
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("took", "hours", "expected"),
    [
        pytest.param(timedelta(0), 0, Promptness.ON_TIME, id="at once"),
        pytest.param(INSTANT, 1, Promptness.ON_TIME, id="begun"),
        pytest.param(timedelta(hours=48), 48, Promptness.ON_TIME, id="48 hours"),
        pytest.param(timedelta(hours=48) + INSTANT, 49, Promptness.OVERDUE, id="just over 48"),
        pytest.param(timedelta(hours=72), 72, Promptness.OVERDUE, id="72 hours"),
        pytest.param(timedelta(hours=72) + INSTANT, 73, Promptness.PROBLEM, id="just over 72"),
        pytest.param(timedelta(days=4000), MOST_HOURS, Promptness.PROBLEM, id="years"),
        pytest.param(-INSTANT, BACKWARDS, Promptness.BACKWARDS, id="answered before"),
    ],
)
def test_an_answer_is_prompt_to_the_microsecond(took: timedelta, hours: int, expected: Promptness) -> None:
    answered = (AT + took).astimezone(UTC)  # whatever the zone it is written in
    assert hours_begun(AT, answered) == hours
    assert promptness(hours) is expected


@pytest.mark.parametrize("times", [(None, AT), (AT, None), (None, None)], ids=["dispatch", "answer", "both"])
def test_without_a_time_nothing_is_said(times: tuple[datetime | None, datetime | None]) -> None:
    assert hours_begun(*times) is None
    assert promptness(None) is Promptness.UNTIMED


@given(st.integers(BACKWARDS, MOST_HOURS))
def test_every_number_of_hours_is_one_promptness(hours: int) -> None:
    assert [each for each, (least, most) in SPANS.items() if least <= hours <= most] == [promptness(hours)]


def test_the_rate_is_all_without_overdue_and_problem_of_all() -> None:
    figures = timeliness(
        [Answered(1, 50), Answered(48, 40), Answered(60, 6), Answered(100, 4), Answered(None, 7)]
    )
    assert (figures.resolutions, figures.on_time, figures.overdue, figures.problem) == (107, 90, 6, 4)
    assert (figures.untimed, figures.rate, figures.median_hours) == (7, 0.9, 1)


@given(st.lists(st.tuples(st.none() | st.integers(BACKWARDS, MOST_HOURS), st.integers(1, 9)), max_size=30))
def test_the_kinds_make_up_all(answers: list[tuple[int | None, int]]) -> None:
    told = timeliness(Answered(*each) for each in answers)
    kinds = (told.on_time, told.overdue, told.problem, told.untimed, told.backwards)
    assert sum(kinds) == told.resolutions == sum(count for _, count in answers)
    timed = sorted(
        hours for hours, count in answers if hours is not None and hours >= 0 for _ in range(count)
    )
    assert told.median_hours == (timed[(len(timed) - 1) // 2] if timed else None)
    assert (told.rate is None) == (not timed)
