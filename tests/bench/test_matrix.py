"""How much is measured in each place of the engine's matrix."""

import pytest

from bench.matrix import CELL, Cell
from bench.plan import Plan


@pytest.mark.parametrize(
    ("window", "binds", "latency", "allowed", "count"),
    [
        pytest.param(100, 1, 0.0, None, CELL, id="nothing waits"),
        pytest.param(10, 1, 0.05, 200, 300, id="a small window and a distant SMSC"),
        pytest.param(1000, 8, 0.05, 160_000, CELL, id="a wide window"),
    ],
)
@pytest.mark.parametrize("quick", [pytest.param(False, id="full"), pytest.param(True, id="quick")])
def test_a_cell_has_whole_windows(
    window: int, binds: int, latency: float, allowed: float | None, count: int, *, quick: bool
) -> None:
    cell = Cell(receipts=True, window=window, latency=latency, binds=binds)
    measured = cell.count(Plan(quick=quick))
    assert cell.allowed == (None if allowed is None else pytest.approx(allowed))
    assert measured % (window * binds) == 0
    assert measured <= max(count, window * binds)
