"""Pauses grow, vary and end; the breaker spares a dead target and finds it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.backoff import Backoff, Breaker

OWED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [(1, 2), (2, 4), (5, 32), (11, 2048), (12, 3600), (80, 3600), (10**9, 3600)],
)
def test_pauses_double_up_to_the_longest(tries: int, seconds: int) -> None:
    assert Backoff().pause(tries, jitter=0.5) == timedelta(seconds=seconds)


@given(tries=st.integers(1, 200), jitter=st.floats(0, 1))
def test_pauses_vary_by_a_quarter(tries: int, jitter: float) -> None:
    middle = Backoff().pause(tries, 0.5)
    assert middle * 0.749 <= Backoff().pause(tries, jitter) <= middle * 1.251


@pytest.mark.parametrize(
    ("wish", "pause"),
    [
        pytest.param(None, timedelta(seconds=2), id="none"),
        pytest.param(timedelta(seconds=1), timedelta(seconds=2), id="shorter than ours"),
        pytest.param(timedelta(minutes=10), timedelta(minutes=10), id="longer than ours"),
        pytest.param(timedelta(days=365), timedelta(days=1), id="unreasonable"),
    ],
)
def test_the_target_may_ask_for_a_longer_pause(wish: timedelta | None, pause: timedelta) -> None:
    assert Backoff().next_try(1, OWED, OWED, 0.5, wish) == OWED + pause


@given(jitter=st.floats(0, 1))
def test_tries_end_with_a_last_one_after_three_days(jitter: float) -> None:
    now, tries = OWED, 0
    due: datetime | None = OWED
    while due is not None:
        assert due >= now
        now, tries = due, tries + 1
        due = Backoff().next_try(tries, OWED, now, jitter)
    assert now == OWED + timedelta(days=3)
    assert 60 < tries < 120


def test_the_breaker_probes_with_growing_rests() -> None:
    breaker, now = Breaker(2, timedelta(seconds=60)), datetime(2026, 11, 22, tzinfo=UTC)
    for _ in range(2):
        assert breaker.allows(now)
        breaker.began()
        breaker.failed(now)
    rests = []
    for _ in range(5):
        probe_at = now
        while not breaker.allows(probe_at):
            probe_at += timedelta(seconds=1)
        breaker.began()
        assert not breaker.allows(probe_at)  # one probe at a time
        rests.append(int((probe_at - now).total_seconds()))
        breaker.failed(probe_at)
        now = probe_at
    assert rests == [10, 20, 40, 60, 60]
    assert breaker.succeeded()
    assert breaker.allows(now)


def test_only_failures_in_a_row_open_the_breaker() -> None:
    breaker = Breaker(failures=2)
    for _ in range(10):
        breaker.failed(OWED)
        assert not breaker.succeeded()
    assert breaker.allows(OWED)


def test_late_failures_of_calls_begun_before_do_not_lengthen_the_rest() -> None:
    breaker = Breaker(failures=1, rest=timedelta(seconds=60))
    breaker.failed(OWED)
    for second in range(5):
        breaker.failed(OWED + timedelta(seconds=second))
    assert breaker.allows(OWED + timedelta(seconds=10))


def test_a_probe_that_says_nothing_of_the_target_is_followed_by_another() -> None:
    breaker = Breaker(failures=1, rest=timedelta(seconds=6))
    breaker.failed(OWED)
    later = OWED + timedelta(seconds=1)
    breaker.began()
    assert not breaker.allows(later)
    breaker.left()
    assert breaker.allows(later)
