"""The rate that a bind holds to: the configured one, and what refusals taught."""

import pytest

from gateway.esme.throttle import BACK_OFF, CALM, LEAST, PAUSE, Throttle


def test_without_a_rate_nothing_is_held_back() -> None:
    throttle = Throttle(0.0, 0.0)
    assert throttle.allowance(0.0) is None
    throttle.spend(10_000)
    assert throttle.allowance(1.0) is None
    assert throttle.rate == 0


def test_a_configured_rate_is_kept() -> None:
    throttle = Throttle(100.0, 0.0)
    sent = 0
    for hundredth in range(1000):
        allowed = throttle.allowance(hundredth / 100)
        assert allowed is not None
        throttle.spend(allowed)
        sent += allowed
    assert 990 <= sent <= 1010


def refused_at(now: float, pace: int = 100) -> Throttle:
    throttle = Throttle(0.0, now - 1)
    throttle.taken(pace, now)
    throttle.refused(now)
    return throttle


def test_a_refusal_pauses_and_slows() -> None:
    throttle = refused_at(10.0)
    assert throttle.rate == 100 * BACK_OFF
    assert throttle.allowance(10.0 + PAUSE / 2) == 0
    assert throttle.allowance(10.0 + PAUSE + 0.1) == 7


def test_refusals_of_one_window_count_once() -> None:
    throttle = refused_at(10.0)
    for _ in range(50):
        throttle.refused(10.1)
    assert throttle.rate == 100 * BACK_OFF


def test_the_way_up_is_felt_by_the_second_however_often_it_is_asked() -> None:
    often, seldom = refused_at(10.0), refused_at(10.0)
    for tenth in range(31):
        often.tick(10.0 + tenth / 10)
    for second in range(4):
        seldom.tick(10.0 + second)
    assert often.rate == pytest.approx(seldom.rate, rel=0.3)
    assert often.rate > 2 * 100 * BACK_OFF


def test_after_a_calm_time_nothing_is_held_back_any_more() -> None:
    throttle = refused_at(10.0)
    throttle.tick(10.0 + CALM + 1)
    assert throttle.rate == 0


def test_it_never_falls_to_nothing() -> None:
    throttle = Throttle(0.0, 0.0)
    for second in range(100):
        throttle.refused(float(second))
    assert throttle.rate == LEAST
