"""The tables of docs/smpp.md, written from the code: settings of profiles, shipped profiles, command_status.

`python -m gateway.config.explain_smpp docs/smpp.md` writes them into the page, between their marks.
"""

import enum
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.config.profiles import SHIPPED
from gateway.config.read import bare, bound, is_table
from gateway.esme.profile import Numbering, Parameters, Profile, Rulings
from gateway.smpp import status
from gateway.smpp.receipt import State
from gateway.smpp.status import Verdict

_FOLLOWS: Final = {
    Verdict.OK: "taken",
    Verdict.THROTTLE: "the bind pauses, slows down and sends it again before all others; no attempt is used",
    Verdict.TEMPORARY: "again after 30 s, 2 min and 10 min, or the profile's pauses; then it has failed",
    Verdict.RECIPIENT: "it has failed: this number can't be reached",
    Verdict.SENDER: "this sender stops on the route, its messages wait; one is tried now and then; an alarm",
    Verdict.OURS: "it has failed: our fault or our configuration; an alarm, the PDU is kept",
    Verdict.LINK: "the session is given up and bound anew; no attempt is used",
    Verdict.VENDOR: "once more after a pause, then it has failed; shown as unmapped",
}
_SPECIAL: Final = {
    Rulings: ("table of verdicts", ""),
    Parameters: ("table of values", ""),
    dict[str, State]: ("table of states", ""),
    tuple[timedelta, ...]: ("list of durations", ""),
}
_PLAIN: Final = {str: "text", int: "whole number", bool: "true / false"}


def profile_tables() -> str:
    """Every setting of a profile: first those of the whole, then a table for each of its parts."""
    parts = list(_section(Profile, ""))
    for item in msgspec.structs.fields(Profile):
        kind = bare(item.type)
        if is_table(kind):
            parts += [f"\n### {item.name}\n\n{_told(kind)}\n", *_section(kind, f"{item.name}.")]
    return "\n".join(parts)


def shipped_table() -> str:
    """The shipped profiles, each with the words at the head of its file."""
    rows = [
        f"| `{path.stem}` | {_head(path.read_text('utf-8'))} |" for path in sorted(SHIPPED.glob("*.yaml"))
    ]
    return "\n".join(["| profile | for |", "| --- | --- |", *rows])


def verdict_table() -> str:
    """What follows from each verdict."""
    return "\n".join(
        [
            "| verdict | what follows |",
            "| --- | --- |",
            *(f"| `{key}` | {_FOLLOWS[key]} |" for key in Verdict),
        ]
    )


def status_table() -> str:
    """Every command_status that SMPP names, with its verdict."""
    rows = [
        f"| 0x{row.code:02X} | `{row.name}` | {row.sentence} | `{row.verdict}` |"
        for row in status.TABLE.values()
    ]
    return "\n".join(["| code | name | it says | verdict |", "| --- | --- | --- | --- |", *rows])


TABLES: Final[dict[str, Callable[[], str]]] = {
    "profile": profile_tables,
    "shipped": shipped_table,
    "verdicts": verdict_table,
    "statuses": status_table,
}
_MARKED: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page with its tables as the code has them."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}\n{found[3]}", page)


def _section(kind: type[msgspec.Struct], before: str) -> Iterator[str]:
    yield "| setting | kind | default | meaning |\n| --- | --- | --- | --- |"
    for item in msgspec.structs.fields(kind):
        plain = bare(item.type)
        if item.name == "name" or (is_table(plain) and plain is not Numbering):
            continue
        cells = (
            f"`{before}{item.name}`",
            _kind(item.type),
            _default(item),
            bound(item.type, "description") or "",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(kind: Any) -> str:
    plain = bare(kind)
    if plain in _SPECIAL:
        return _SPECIAL[plain][0]
    if typing.get_origin(plain) is typing.Literal:
        return " / ".join(f"`{word}`" for word in typing.get_args(plain))
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        return " / ".join(f"`{member.value}`" for member in plain)
    if isinstance(plain, type) and issubclass(plain, Numbering):
        return "ton and npi"
    if isinstance(plain, types.GenericAlias):
        item = typing.get_args(plain)[0]
        return f"list of {_kind(item)}" if typing.get_origin(plain) is list else "table of texts"
    low, high = (bound(kind, which) for which in ("ge", "le"))
    return _PLAIN[plain] + (f", {low}–{high}" if high is not None else "")


def _default(item: msgspec.structs.FieldInfo) -> str:
    if item.required:
        return "**needed**"
    value = item.default_factory() if item.default is msgspec.NODEFAULT else item.default
    if isinstance(value, Numbering):
        return f"`{value.ton}` and `{value.npi}`"
    if item.name == "refuse_with":
        return f"`{status.name(value)}`"
    if not value and not isinstance(value, int):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _told(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def _head(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines).replace("|", "\\|")


def main(paths: list[str]) -> None:
    """Write the tables into each page."""
    for path in map(Path, paths):
        path.write_text(filled(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
