"""The circuit of a route and the limit of a sender, by a clock that the test turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.esme.circuit import FIRST_PAUSE, LEAST, LONGEST_PAUSE, PROBE_SECONDS, PROBES, Circuit, State
from gateway.esme.rate_limit import BURST_SECONDS, RateLimit


def opened(at: float = 100.0) -> Circuit:
    circuit = Circuit()
    circuit.failed(at, LEAST)
    return circuit


@pytest.mark.parametrize(
    ("good", "bad", "state"),
    [
        pytest.param(0, LEAST - 1, State.CLOSED, id="too few to tell"),
        pytest.param(0, LEAST, State.OPEN, id="nothing but failures"),
        pytest.param(20, 20, State.CLOSED, id="half of them"),
        pytest.param(20, 21, State.OPEN, id="more than half"),
        pytest.param(10_000, 25, State.CLOSED, id="only the latest count, and half of them are good"),
        pytest.param(10_000, 26, State.OPEN, id="most of the latest"),
    ],
)
def test_it_opens_when_most_of_the_latest_answers_failed(good: int, bad: int, state: State) -> None:
    circuit = Circuit()
    circuit.worked(good, 99.0)
    for _ in range(bad):
        circuit.failed(100.0)
    assert circuit.state(100.0) is state
    assert circuit.allows(100.0) is (state is State.CLOSED)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=30))
def test_answers_in_batches_count_as_one_by_one(batches: list[tuple[bool, int]]) -> None:
    at_once, singly = Circuit(), Circuit()
    for now, (ok, times) in enumerate(batches, 100):
        if ok:
            at_once.worked(times, float(now))
        else:
            at_once.failed(float(now), times)
        for _ in range(times):
            (singly.worked if ok else lambda _, now: singly.failed(now))(1, float(now))
        if State.OPEN in (at_once.state(float(now)), singly.state(float(now))):
            return  # a failure more or less after that point is another course
        assert sorted(at_once._at) == sorted(singly._at)


def test_what_is_long_ago_tells_nothing() -> None:
    circuit = Circuit()
    circuit.failed(100.0, LEAST - 1)
    circuit.failed(131.0)
    assert circuit.state(131.0) is State.CLOSED


def test_half_open_lets_a_few_try_and_closes_when_they_succeed() -> None:
    circuit = opened(100.0)
    assert not circuit.allows(100.0 + FIRST_PAUSE - 0.1)
    now = 100.0 + FIRST_PAUSE
    for _ in range(PROBES):
        assert circuit.allows(now)
        circuit.placed()
    assert not circuit.allows(now)
    circuit.worked(1, now)
    assert circuit.allows(now)
    circuit.worked(PROBES - 1, now)
    assert circuit.state(now) is State.CLOSED
    assert circuit.opened_at is None


def test_pauses_grow_while_it_goes_on_failing_and_begin_anew_after_a_success() -> None:
    circuit, now, pauses = opened(100.0), 100.0, []
    for _ in range(6):
        began = now
        while not circuit.allows(now):
            now += 0.5
        pauses.append(now - began)
        circuit.placed()
        circuit.failed(now)
    assert pauses == [FIRST_PAUSE, 20.0, 40.0, 80.0, LONGEST_PAUSE, LONGEST_PAUSE]
    assert circuit.opened_at == 100.0
    now += LONGEST_PAUSE
    circuit.allows(now)
    circuit.worked(PROBES, now)
    circuit.failed(now, LEAST)
    assert circuit.allows(now + FIRST_PAUSE)


def test_probes_that_are_never_heard_of_are_replaced() -> None:
    circuit = opened(100.0)
    now = 100.0 + FIRST_PAUSE
    for _ in range(PROBES):
        assert circuit.allows(now)
        circuit.placed()
    assert not circuit.allows(now + PROBE_SECONDS - 0.1)
    assert circuit.allows(now + PROBE_SECONDS)


@given(st.lists(st.tuples(st.sampled_from(["worked", "failed", "placed"]), st.floats(0, 20)), max_size=100))
def test_it_is_never_shut_for_ever(course: list[tuple[str, float]]) -> None:
    circuit, now = Circuit(), 100.0
    for what, lapse in course:
        now += lapse
        if what == "worked":
            circuit.worked(1, now)
        elif what == "failed":
            circuit.failed(now, 7)
        elif circuit.allows(now):
            circuit.placed()
    assert circuit.allows(now + LONGEST_PAUSE + PROBE_SECONDS)


# The limit


@given(
    st.floats(1, 500),
    st.lists(st.tuples(st.floats(0.0, 2.0), st.integers(1, 10)), min_size=1, max_size=200),
)
def test_no_more_goes_than_the_rate_its_burst_and_one_long_text(
    rate: float, wishes: list[tuple[float, int]]
) -> None:
    limit, now, went = RateLimit(rate, 0.0), 0.0, 0
    for lapse, parts in wishes:
        now += lapse
        while limit.allows(now):
            limit.spend(parts)
            went += parts
    assert went <= 1.0 + rate * BURST_SECONDS + rate * now + 10


def test_a_text_of_three_parts_costs_three() -> None:
    limit = RateLimit(1.0, 0.0)
    assert limit.allows(0.0)
    limit.spend(3)
    assert [limit.allows(now) for now in (1.0, 2.0, 2.8)] == [False, False, True]
