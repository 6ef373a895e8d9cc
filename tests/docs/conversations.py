"""What docs/conversations.md shows of the code; `python -m tests.docs.conversations` draws it anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.domain.routing import TABLE, Home, Row
from gateway.domain.survey import TRANSITIONS, Happening, Status
from tests.diagrams import DIAGRAMS

PAGE: Final = Path(__file__).parents[2] / "docs" / "conversations.md"

YES_NO: Final = {None: "", True: "yes", False: "no"}
HOMES: Final = {
    (Home.WAITING, Home.ANSWERED, Home.CLOSED): "any",
    (Home.WAITING,): "waits",
    (Home.ANSWERED,): "answered",
    (Home.CLOSED,): "closed",
    (Home.NONE,): "none",
}


def routing_table() -> str:
    """The rows of the routing table, in their order."""
    lines = [
        "| | text by itself | confirmation asked from this address "
        "| other conversation at this very extension | clear answer | any waits "
        "| one asked from this bare number | answered lately | answers a 0000 list and another question "
        "| answers a list that is over | the reply goes to |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {at} | {' | '.join(_cells(row))} |" for at, row in enumerate(TABLE, start=1)]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    return [
        str(row.words) if row.words else "",
        str(row.paid) if row.paid else "",
        HOMES[row.home] if row.home else "",
        *(
            {None: "", True: "yes", False: "no"}[each]
            for each in (row.clear, row.waiting, row.here, row.lately, row.torn, row.over)
        ),
        f"**{row.outcome}**",
    ]


def state_diagram() -> str:
    """All moves from one status to another."""
    return DIAGRAMS["survey"]


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


DRAWN: Final[dict[str, Callable[[], str]]] = {
    "routing table": routing_table,
    "state diagram": state_diagram,
    "state table": state_table,
}


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
