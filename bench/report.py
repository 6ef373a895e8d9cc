"""What was measured, as a table for people and as JSON."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `against` is the peer or the floor of the same run; `cpu` is µs a message by process."""

    figure: str
    value: float
    unit: str
    against: str = ""
    against_value: float | None = None
    goal: float | None = None  #: reached when the value is at least this; for times and sizes, at most
    less_is_better: bool = False
    cpu: dict[str, float] = field(default_factory=dict)
    note: str = ""
    place: tuple[str, str] | None = None  #: line and column, of a figure that is shown as a matrix

    @property
    def ratio(self) -> float | None:
        """How many times the figure is what it is held against."""
        return self.value / self.against_value if self.against_value else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met; None: there is none."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.less_is_better else self.value >= self.goal


def show(rows: Sequence[Row]) -> None:
    """Print the table, and a matrix below it for each figure that is one."""
    console = Console(width=160)
    table = Table(title="Huiyin: the figures, and what each is held against in the same run")
    for head in ("figure", "measured", "held against", "", "ratio", "goal", "CPU µs a message"):
        table.add_column(head, justify="right" if head in {"measured", "", "ratio", "goal"} else "left")
    plain = [row for row in rows if row.place is None]
    for row in plain:
        table.add_row(
            row.figure,
            f"{_number(row.value)} {row.unit}",
            row.against,
            _number(row.against_value) if row.against_value else "",
            f"{row.ratio:.2f}" if row.ratio is not None else "",
            f"{_goal(row)} {_mark(row)}" if row.goal is not None else "",
            ", ".join(f"{name} {micros:.0f}" for name, micros in row.cpu.items()) or row.note,
        )
    if plain:
        console.print(table)
    for figure in dict.fromkeys(row.figure for row in rows if row.place):
        console.print(_matrix(figure, [row for row in rows if row.place and row.figure == figure]))


def _matrix(figure: str, rows: Sequence[Row]) -> Table:
    """A line and a column for each half of the places."""
    cells = {row.place: row for row in rows}
    lines = list(dict.fromkeys(row.place[0] for row in rows if row.place))
    columns = list(dict.fromkeys(row.place[1] for row in rows if row.place))
    table = Table(
        title=f"{figure}: {rows[0].unit}, share of the bare protocol's (b) or of the window's limit (w), CPU"
    )
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for line in lines:
        table.add_row(line, *(_cell(cells.get((line, column))) for column in columns))
    return table


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    whose = "b" if row.against.startswith("bare") else "w"
    micros = f"{next(iter(row.cpu.values())):.0f} µs" if row.cpu else ""
    return f"{_number(row.value)}  {row.ratio or 0:4.0%} {whose}  {micros} {_mark(row)}"


def _goal(row: Row) -> str:
    return f"{'≤' if row.less_is_better else '≥'} {_number(row.goal)}"


def _mark(row: Row) -> str:
    return "" if row.reached is None else "✓" if row.reached else "✗"


def as_json(rows: Sequence[Row], *, quick: bool) -> str:
    """All of it, for programs."""
    return json.dumps(
        {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "cores": _cores(),
            "quick": quick,
            "figures": [_plain(row) for row in rows],
        },
        indent=2,
        ensure_ascii=False,
    )


def write(path: Path, text: str) -> None:
    """Write the JSON beside others."""
    path.write_text(text + "\n", "utf-8")


def progress(words: str) -> None:
    """What is going on, on standard error."""
    print(words, file=sys.stderr, flush=True)


def _plain(row: Row) -> dict[str, Any]:
    return asdict(row) | {"ratio": row.ratio, "reached": row.reached}


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))
