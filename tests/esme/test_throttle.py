"""The rate that a bind holds to: the configured one, and what the SMSC taught."""

import pytest

from gateway.esme.throttle import BACK_OFF, BURST, LEAST, LONGEST_PAUSE, PAUSE, Throttle


def test_without_a_rate_nothing_is_held_back() -> None:
    throttle = Throttle(0.0, 0.0)
    assert throttle.allowance(0.0) is None
    throttle.spend(10_000, 0.0)
    assert throttle.allowance(1.0) is None
    assert throttle.ahead(0.1) is None
    assert throttle.rate == 0


@pytest.mark.parametrize("rate", [pytest.param(5.0, id="few"), pytest.param(1000.0, id="many")])
def test_a_configured_rate_is_kept(rate: float) -> None:
    throttle = Throttle(rate, 0.0)
    sent = 0
    for hundredth in range(1000):
        allowed = throttle.allowance(hundredth / 100)
        assert allowed is not None
        throttle.spend(allowed, hundredth / 100)
        sent += allowed
    assert rate * 9.9 <= sent <= rate * 10 + 1 + rate * BURST


def refused_at(now: float, pace: int = 100, configured: float = 0.0) -> Throttle:
    throttle = Throttle(configured, now - 1)
    throttle.taken(pace, now)
    throttle.refused(now, now - 0.01)
    return throttle


def test_a_refusal_pauses_and_slows() -> None:
    throttle = refused_at(10.0)
    assert throttle.learned == pytest.approx(100 * BACK_OFF)
    assert throttle.allowance(10.0 + PAUSE / 2) == 0
    assert throttle.wait(10.0) == pytest.approx(PAUSE)
    assert throttle.allowance(10.0 + PAUSE + 0.02) == 1


def test_what_was_written_before_the_reaction_counts_with_it() -> None:
    throttle = refused_at(10.0)
    for hundredth in range(50):
        throttle.refused(10.0 + hundredth / 100, 9.99)
    assert throttle.rate == pytest.approx(100 * BACK_OFF)
    assert throttle.paused_until == 10.0 + PAUSE


def test_while_all_is_refused_the_pauses_grow_and_one_is_tried_at_a_time() -> None:
    throttle = refused_at(10.0)
    now = 10.0
    for _ in range(10):
        now = throttle.paused_until + 0.1
        throttle.refused(now, now - 0.05)
    assert throttle.paused_until == pytest.approx(now + LONGEST_PAUSE)
    assert throttle.rate == pytest.approx(100 * BACK_OFF)  # it says nothing about how fast
    now += LONGEST_PAUSE + 1
    assert throttle.allowance(now) == 1
    throttle.spend(1, now)
    assert throttle.allowance(now + 1) == 0
    throttle.taken(1, now + 1)
    assert (throttle.allowance(now + 1) or 0) > 1


def test_a_probe_that_is_never_answered_is_made_again() -> None:
    throttle = refused_at(10.0)
    throttle.refused(10.2, 10.1)
    throttle.spend(1, 11.0)
    assert throttle.allowance(12.0) == 0
    assert throttle.allowance(20.0) == 1


def test_the_way_up_is_felt_by_the_second_however_often_it_is_asked() -> None:
    def after(steps: int) -> float:
        throttle = refused_at(10.0)
        for step in range(1, steps + 1):
            now = 10.1 + 5.0 * step / steps
            throttle.tick(now)
            throttle.spend(throttle.allowance(now) or 0, now)
            throttle.taken(1, now)
        return throttle.rate

    assert after(500) == pytest.approx(after(50), rel=0.2)
    assert after(500) > 120


def test_a_rate_that_is_not_made_use_of_does_not_grow() -> None:
    throttle = refused_at(10.0)
    for tenth in range(1, 300):
        throttle.tick(10.0 + tenth / 10)
    assert throttle.rate == pytest.approx(100 * BACK_OFF, rel=0.01)


def test_the_configured_rate_is_the_ceiling() -> None:
    throttle = refused_at(10.0, configured=100.0)
    assert throttle.learned is not None
    for hundredth in range(1, 2000):
        now = 10.0 + hundredth / 100
        throttle.tick(now)
        throttle.spend(throttle.allowance(now) or 0, now)
        assert throttle.rate <= 100
    assert throttle.learned is None


def test_it_never_falls_to_nothing() -> None:
    throttle = Throttle(0.0, 0.0)
    for second in range(1, 1000):
        throttle.taken(second % 2, float(second))
        throttle.refused(float(second), second - 0.01)
    assert throttle.rate >= LEAST


@pytest.mark.parametrize(
    ("levels", "falls"),
    [
        pytest.param([100] * 4, True, id="congested"),
        pytest.param([90] * 4, True, id="above the best"),
        pytest.param([85] * 4, False, id="just right"),
        pytest.param([10] * 4, False, id="idle"),
    ],
)
def test_congestion_state_slows_a_bind_that_nothing_held_back(levels: list[int], falls: bool) -> None:
    throttle = Throttle(0.0, 0.0)
    for second, level in enumerate(levels, start=1):
        throttle.taken(100, float(second))
        throttle.told(level, float(second))
    assert throttle.congestion == levels[-1]
    assert (throttle.learned is not None) is falls


def test_congestion_that_is_no_longer_told_holds_nothing_back() -> None:
    throttle = Throttle(0.0, 0.0)
    for second in range(1, 5):
        throttle.taken(100, float(second))
        throttle.told(95, float(second))
    slowed = throttle.rate
    for hundredth in range(1, 2000):
        now = 4.0 + hundredth / 100
        throttle.tick(now)
        throttle.spend(throttle.allowance(now) or 0, now)
    assert throttle.congestion is None
    assert throttle.rate > 2 * slowed


@pytest.mark.parametrize(
    ("seconds", "full", "falls"),
    [
        pytest.param(2.0, True, True, id="long, and the window full"),
        pytest.param(2.0, False, False, id="long, with room left"),
        pytest.param(0.4, True, False, id="not so long"),
    ],
)
def test_a_growing_round_trip_is_congestion(seconds: float, full: bool, falls: bool) -> None:
    throttle = Throttle(0.0, 0.0)
    for second in range(1, 11):
        throttle.taken(50, float(second))
    throttle.felt(seconds, 0.02, full, 10.0)
    assert (throttle.learned is not None) is falls
