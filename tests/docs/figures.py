"""The table of figures in docs/operations.md: `python -m tests.docs.figures` writes it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gateway import telemetry

PAGE: Final = Path(__file__).parents[2] / "docs" / "operations.md"
PLACE: Final = re.compile(r"(<!-- figures: .*? -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def rows() -> Iterator[str]:
    """One a figure, in the order of the code."""
    yield "| figure | kind | labels | tells |"
    yield "| --- | --- | --- | --- |"
    for each in vars(telemetry).values():
        if hasattr(each, "collect") and each is not telemetry.REGISTRY and not isinstance(each, type):
            yield from _rows_of(each)


def _rows_of(each: Any) -> Iterator[str]:
    names = getattr(each, "_labelnames", None) or ((each._label,) if hasattr(each, "_label") else ())
    for family in each.describe() if hasattr(each, "describe") else each.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in names)
        yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


def table() -> str:
    """The table as it stands between its marks."""
    return "\n".join(rows()) + "\n"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PLACE.sub(lambda found: found[1] + table() + found[2], text), encoding="utf-8")
