"""What a figure says of itself."""

import json

import pytest

from bench import report
from bench.plan import quantile
from bench.report import Row


@pytest.mark.parametrize(
    ("value", "goal", "less_is_better", "reached"),
    [
        pytest.param(4100.0, 4000.0, False, True, id="fast enough"),
        pytest.param(3900.0, 4000.0, False, False, id="too slow"),
        pytest.param(20.0, 50.0, True, True, id="soon enough"),
        pytest.param(60.0, 50.0, True, False, id="too late"),
        pytest.param(60.0, None, True, None, id="no goal"),
    ],
)
def test_a_goal_is_reached_or_not(
    value: float, goal: float | None, less_is_better: bool, reached: bool | None
) -> None:
    row = Row(figure="x", value=value, unit="ms", goal=goal, less_is_better=less_is_better)
    assert row.reached is reached


def test_json_carries_the_ratio_and_what_it_is_held_against() -> None:
    row = Row(figure="x", value=10.0, unit="/s", against="COPY", against_value=40.0, cpu={"gateway": 70.0})
    told = json.loads(report.as_json([row], quick=True))
    assert told["quick"] is True
    assert told["figures"][0]["ratio"] == 0.25
    assert told["figures"][0]["cpu"] == {"gateway": 70.0}


@pytest.mark.parametrize(
    ("share", "value"),
    [
        pytest.param(0.5, 51, id="median"),
        pytest.param(0.99, 100, id="p99"),
        pytest.param(1.0, 100, id="most"),
    ],
)
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    assert quantile([float(n) for n in range(100, 0, -1)], share) == value


def test_a_matrix_is_shown_by_its_lines_and_columns(capsys: pytest.CaptureFixture[str]) -> None:
    places = [("1 bind", "0 ms"), ("1 bind", "50 ms"), ("8 binds", "0 ms")]
    report.show([Row(figure="engine", value=1000.0 * n, unit="/s", place=p) for n, p in enumerate(places, 1)])
    lines = [line for line in capsys.readouterr().out.splitlines() if "bind" in line]
    assert ["1,000" in line and "2,000" in line for line in lines] == [True, False]
    assert "3,000" in lines[1]
