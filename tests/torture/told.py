"""What the faults campaign saw, for people: a table on the screen, one in docs/guarantees.md, and JSON."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from rich.table import Table

from tests.torture.outcomes import Row

BEGIN: Final = "<!-- table: faults -->"
END: Final = "<!-- end -->"
HEADS: Final = (
    "fault or habit", "profile", "accepted", "taken", "lost", "doubled, flagged", "unflagged", "failed",
    "unknown", "receipts", "unplaced", "otherwise", "texts", "scores", "overtaken", "drained", "binds",
)  # fmt: skip


def cells(row: Row) -> list[str]:
    """One line of the table."""
    return [
        row.name,
        row.profile,
        f"{row.accepted:,}",
        f"{row.taken:,}",
        f"{row.lost}",
        f"{row.flagged}",
        f"{row.unflagged}",
        f"{row.failed}",
        f"{row.unknown}",
        f"{row.receipts:,}",
        f"{row.unmatched}",
        f"{row.contradicted}",
        _of(row.texts - row.texts_wrong, row.texts),
        _of(row.scores - row.scores_wrong, row.scores),
        f"{row.overtaken}",
        f"{row.drained:.0f} s",
        row.binds,
    ]


def _of(right: int, all_of_them: int) -> str:
    return f"{all_of_them}" if right == all_of_them else f"{right} of {all_of_them}"


def shown(rows: Sequence[Row]) -> Table:
    """For the screen; what is not sound in red."""
    table = Table(*HEADS, title="Faults campaign")
    for row in rows:
        table.add_row(*cells(row), style=None if row.sound else "red")
    return table


def markdown(rows: Sequence[Row]) -> str:
    """The same for the docs."""
    lines = [HEADS, ["---"] * len(HEADS), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(rows: Sequence[Row], docs: Path) -> None:
    """Put the table into the page, between its marks."""
    page = docs.read_text("utf-8")
    found = re.search(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", page, re.DOTALL)
    if found is None:
        raise ValueError(f"{docs} has no {BEGIN} … {END}")
    table = f"{BEGIN}\n{markdown(rows)}\n{END}"
    docs.write_text(page[: found.start()] + table + page[found.end() :], "utf-8")


def save(rows: Sequence[Row], path: Path) -> None:
    """All that was seen, told and logged included."""
    path.write_text(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1), "utf-8")
