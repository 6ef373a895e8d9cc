"""What docs/confirmations.md shows of the code; `python -m tests.docs.confirmations` draws it anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.domain.confirmation import TRANSITIONS, Happening, Status

PAGE: Final = Path(__file__).parents[2] / "docs" / "confirmations.md"


def state_table() -> str:
    """Each happening in each status; a dash where it cannot come."""
    lines = [f"| | {' | '.join(Status)} |", "|---" * (len(Status) + 1) + "|"]
    for happening in Happening:
        moves = [TRANSITIONS.get((status, happening)) for status in Status]
        cells = [
            "–" if after is None else "·" if after is status else f"**{after}**"
            for status, after in zip(Status, moves, strict=True)
        ]
        lines.append(f"| {happening} | {' | '.join(cells)} |")
    return "\n".join(lines)


DRAWN: Final[dict[str, Callable[[], str]]] = {"state table": state_table}


def redrawn(page: str) -> str:
    """The page with each drawn part as the code has it now. ValueError: a part's markers are missing."""
    for name, draw in DRAWN.items():
        begin, end = f"<!-- {name}: drawn from the code -->\n", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found and found_end):
            raise ValueError(f"the markers of {name} are missing")
        page = f"{before}{begin}{draw()}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
