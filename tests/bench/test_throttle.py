"""How the SMSC's own record is read: rates, the first full second at a rate, and the order to each number."""

import pytest

from bench.throttle import disordered, first_full_second, rate_between


def paces(*taken: int) -> list[tuple[float, int, int]]:
    """Ten looks a second; nothing refused."""
    return [(n / 10, count, 0) for n, count in enumerate(taken)]


@pytest.mark.parametrize(
    ("taken", "found"),
    [
        pytest.param([n * 100 for n in range(12)], 1.0, id="from the start"),
        pytest.param([0] * 5 + [n * 100 for n in range(12)], 1.5, id="after a pause"),
        pytest.param([n * 90 for n in range(30)], None, id="never"),
        pytest.param([n * 100 for n in range(8)], None, id="for less than a second"),
    ],
)
def test_a_rate_is_reached_when_a_full_second_of_it_is_over(taken: list[int], found: float | None) -> None:
    reached = first_full_second(paces(*taken), 990)
    assert reached == (None if found is None else pytest.approx(found))


def test_a_rate_is_told_between_the_first_and_the_last_look() -> None:
    looks = [(0.0, 0, 0), (1.0, 100, 7), (2.0, 300, 9), (3.0, 900, 50)]
    assert rate_between(looks, 1.0, 2.5, of=1) == 200
    assert rate_between(looks, 1.0, 2.5, of=2) == 2


@pytest.mark.parametrize(
    ("taken", "wrong"),
    [
        pytest.param([("1", 1), ("2", 2), ("1", 3), ("2", 4)], 0, id="in order"),
        pytest.param([("2", 2), ("1", 1)], 0, id="numbers among each other do not matter"),
        pytest.param([("1", 3), ("1", 1), ("1", 2)], 2, id="two were overtaken"),
    ],
)
def test_order_is_held_to_each_number(taken: list[tuple[str, int]], wrong: int) -> None:
    assert disordered(taken) == wrong
