"""`python -m tests.fuzz [PARSER…]`: mutated octets for each parser, repeatable by seed; 1 if one breaks."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.fuzz import on_session, on_text, on_wire
from tests.fuzz.campaign import Campaign, Figures
from tests.fuzz.guided import guided
from tests.fuzz.target import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target for target in (*on_wire.TARGETS, on_session.TARGET, *on_text.TARGETS)
}
KEEP: Final = Path(".fuzz")  # ignored by git
SECONDS: Final = 60.0


def options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        epilog="; ".join(f"{target.name}: {target.what}" for target in TARGETS.values()),
    )
    parser.add_argument("parsers", metavar="PARSER", nargs="*", help="default: all of them")
    parser.add_argument("--seconds", type=float, help=f"for each; default: {SECONDS:.0f}, without --cases")
    parser.add_argument("--cases", type=int, help="for each; whichever ends first")
    parser.add_argument("--seed", type=int, default=1, help="the same seed is the same inputs; default: 1")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--input", type=Path, help="run one kept input (a file of hex) through the parser")
    parser.add_argument("--engine", choices=("own", "atheris"), default="own", help="default: own")
    chosen = parser.parse_args(argv)
    if unknown := [name for name in chosen.parsers if name not in TARGETS]:
        parser.error(f"no parser {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if (chosen.input or chosen.engine == "atheris") and len(chosen.parsers) != 1:
        parser.error("--input and --engine atheris take one parser")
    return chosen


def show(measured: Sequence[Figures], told: Console) -> None:
    """The table at the end."""
    table = Table(title="Fuzz campaign")
    for heading in (
        "parser",
        "inputs",
        "inputs/s",
        "failures",
        "slowest ms",
        "its number",
        "MB at 20 %",
        "MB at end",
    ):
        table.add_column(heading, justify="left" if heading == "parser" else "right")
    for each in measured:
        table.add_row(
            each.target,
            f"{each.inputs:,}",
            f"{each.rate:,.0f}",
            f"{len(each.failures)}",
            f"{each.slowest_ms:.2f}",
            f"{each.slowest_number}",
            f"{each.rss_early:.0f}",
            f"{each.rss_end:.0f}",
        )
    told.print(table)


def main(argv: Sequence[str]) -> int:
    chosen = options(argv)
    told = Console(width=None if sys.stdout.isatty() else 110)
    if chosen.input:
        TARGETS[chosen.parsers[0]].run(bytes.fromhex(chosen.input.read_text()))
        return 0
    if chosen.engine == "atheris":
        guided(chosen.parsers[0], seconds=chosen.seconds or SECONDS, seed=chosen.seed)
    seconds = chosen.seconds or (None if chosen.cases else SECONDS)
    measured = []
    for name in chosen.parsers or TARGETS:
        campaign = Campaign(TARGETS[name], seed=chosen.seed, keep=KEEP)
        measured.append(campaign.run(cases=chosen.cases, seconds=seconds, first=chosen.first))
        for failure in measured[-1].failures:
            told.print(f"{name}: {failure}", markup=False, highlight=False)
    show(measured, told)
    return 1 if any(each.failures for each in measured) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
