"""Tables as CSV (RFC 4180), for people and their spreadsheets: no cell is ever taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from gateway.http.exchange import CSV, Answer

Cell = str | int | float | None

#: A text that begins so is a formula to a spreadsheet, in East Asia also in full width; an apostrophe before
#: it makes it a text again.
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BOM: Final = "\ufeff"


def sheet(header: Sequence[str], rows: Iterable[Sequence[Cell]], *, bom: bool) -> Answer:
    """The table as an answer. `bom` puts a byte order mark before it, by which Excel knows UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    body = (BOM if bom else "") + text.getvalue()
    return Answer(200, body.encode(), f"{CSV}; charset=utf-8")


def _plain(cell: Cell) -> Cell:
    """Numbers are ours and stay numbers, also below zero."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else cell


def wants_sheet(accept: str) -> bool:
    """Whether an Accept header prefers CSV to JSON (RFC 9110 §12.5.1)."""
    weights = dict(_weights(accept))
    json = next(
        (weights[name] for name in ("application/json", "application/*", "*/*") if name in weights), 0
    )
    return 0 < weights.get(CSV, weights.get("text/*", 0)) >= json


def _weights(accept: str) -> Iterable[tuple[str, float]]:
    for choice in accept.split(","):
        name, *parameters = (part.strip().lower() for part in choice.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        yield name, weight
