"""How much a throttled bind gets through, how little is refused, and how soon it finds a ceiling that moved:
the throttle against models of SMSCs, in virtual time."""

from typing import Any

import pytest

from tests.esme.flow import Model, play

STRICT: dict[str, Any] = {"burst": 0.1}  # a tenth of a second's worth at once
GENEROUS: dict[str, Any] = {"burst": 1.0}
BY_THE_SECOND: dict[str, Any] = {"windows": True}


def steady(rate: float, kind: dict[str, Any], binds: int, latency: float) -> tuple[float, float]:
    """The shares that are used and refused, from the tenth second on."""
    model = Model(rates=[(0, rate)], **kind)
    play(model, 40, binds=binds, latency=latency)
    taken, refused = model.between(10, 40)
    return taken / rate, refused


@pytest.mark.parametrize("latency", [pytest.param(0.002, id="near"), pytest.param(0.05, id="50 ms")])
@pytest.mark.parametrize("rate", [20, 100, 500])
@pytest.mark.parametrize("kind", [pytest.param(STRICT, id="strict"), pytest.param(GENEROUS, id="generous")])
def test_one_bind_uses_what_it_may(rate: float, kind: dict[str, Any], latency: float) -> None:
    used, refused = steady(rate, kind, 1, latency)
    assert used >= 0.95
    assert refused <= 0.02


@pytest.mark.parametrize("binds", [2, 4])
@pytest.mark.parametrize(
    ("rate", "kind", "most_refused"),
    [
        pytest.param(20, GENEROUS, 0.08, id="20 generous"),
        pytest.param(100, STRICT, 0.04, id="100 strict"),
        pytest.param(500, STRICT, 0.02, id="500 strict"),
        pytest.param(500, GENEROUS, 0.02, id="500 generous"),
    ],
)
def test_binds_that_share_a_limit_use_what_they_may(
    rate: float, kind: dict[str, Any], most_refused: float, binds: int
) -> None:
    used, refused = steady(rate, kind, binds, 0.05)
    assert used >= 0.95
    assert refused <= most_refused


@pytest.mark.parametrize("rate", [5, 20, 100, 500])
def test_an_smsc_that_counts_by_the_second_is_used(rate: float) -> None:
    used, refused = steady(rate, BY_THE_SECOND, 1, 0.05)
    assert used >= 0.9
    assert refused <= 0.05


@pytest.mark.parametrize(
    ("kind", "used_at_least"),
    [pytest.param(STRICT, 0.8, id="strict"), pytest.param(GENEROUS, 0.98, id="generous")],
)
def test_a_few_a_second(kind: dict[str, Any], used_at_least: float) -> None:
    """Where not even two PDUs may come close together, each tenth of a second too early is one too many."""
    used, refused = steady(5, kind, 1, 0.05)
    assert used >= used_at_least
    assert refused <= 0.025


@pytest.mark.parametrize("moved_at", [15.0, 16.3])
@pytest.mark.parametrize("binds", [1, 4])
@pytest.mark.parametrize("kind", [pytest.param(STRICT, id="strict"), pytest.param(GENEROUS, id="generous")])
def test_ten_times_the_rate_is_found_within_ten_seconds(
    kind: dict[str, Any], binds: int, moved_at: float
) -> None:
    model = Model(rates=[(0, 500), (moved_at, 5000)], **kind)
    play(model, moved_at + 18, binds=binds, latency=0.02, window=400)
    assert model.reached(0.95 * 5000, int(moved_at)) <= 10
    used, refused = model.between(int(moved_at) + 11, int(moved_at) + 18)
    assert used >= 0.95 * 5000
    assert refused <= 0.02


def test_a_tenth_of_the_rate_is_learned_at_once() -> None:
    model = Model(rates=[(0, 5000), (12, 500)])
    play(model, 30, latency=0.02, window=400)
    assert sum(model.refused[second] for second in (12, 13)) < 400  # a window's worth, not a second's
    used, refused = model.between(14, 30)
    assert used >= 0.95 * 500
    assert refused <= 0.02


@pytest.mark.parametrize("binds", [1, 4])
def test_an_smsc_that_takes_nothing_for_a_minute_is_left_in_peace(binds: int) -> None:
    model = Model(rates=[(0, 500), (30, 0), (90, 500)])
    play(model, 110, binds=binds, latency=0.02)
    assert sum(model.refused[second] for second in range(31, 90)) <= binds * 60
    assert model.reached(0.95 * 500, 91) <= 6
    assert model.between(97, 110)[0] >= 0.95 * 500


def test_the_queue_of_an_smsc_that_does_not_refuse_is_kept_shorter_than_the_window() -> None:
    model = Model(rates=[(0, 20)], queues=True)
    [bind] = play(model, 60, latency=0.02)
    assert model.between(10, 60)[0] >= 0.95 * 20
    assert all(bind.slowest[second] < 4500 for second in range(30, 60))  # a full window takes five seconds


@pytest.mark.parametrize("binds", [1, 2])
@pytest.mark.parametrize("rate", [50, 500])
def test_congestion_state_is_steered_to_its_best(rate: float, binds: int) -> None:
    model = Model(rates=[(0, rate)], congestion=True)
    play(model, 60, binds=binds, latency=0.02)
    assert 80 <= model.congestion_state(60) <= 89
    assert model.between(10, 60)[1] <= 0.01


def test_congestion_state_leads_up_again() -> None:
    model = Model(rates=[(0, 500), (10, 5000)], congestion=True)
    play(model, 25, latency=0.02, window=200)
    assert model.reached(0.8 * 5000, 10) <= 12
