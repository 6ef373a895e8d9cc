"""What docs/subscriptions.md shows of the code; `python -m tests.docs.subscriptions` draws it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gateway.domain.menu import TRANSITIONS, Happening, Status

PAGE: Final = Path(__file__).parents[2] / "docs" / "subscriptions.md"
BEGIN: Final = "<!-- menu table: drawn from the code -->\n"
END: Final = "<!-- end of menu table -->"


def menu_table() -> str:
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


def redrawn(page: str) -> str:
    """The page with its table as the code has it now. ValueError: the markers are missing."""
    before, found, rest = page.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found and found_end):
        raise ValueError("the markers of the menu table are missing")
    return f"{before}{BEGIN}{menu_table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
