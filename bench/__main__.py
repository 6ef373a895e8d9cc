"""`python -m bench`: the figures asked for, or all of them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.figures import FIGURES
from bench.plan import Plan


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, 1 when a figure could not be had or something was lost, 2 for wrong use."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure, beside what it is held against.")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(FIGURES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of each, to see that it runs")
    parser.add_argument("--smsc", type=_address, metavar="HOST:PORT", help="against an SMSC of yours")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON as well")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    args = parser.parse_args(arguments)
    return run(args.figures, quick=args.quick, smsc=args.smsc, output=args.output, as_json=args.json)


def run(
    figures: Sequence[str],
    *,
    quick: bool = False,
    smsc: tuple[str, int] | None = None,
    output: Path | None = None,
    as_json: bool = False,
) -> int:
    """Measure and tell. A figure that fails is told, and the others are still measured."""
    strange = [name for name in figures if name not in FIGURES]
    if strange:
        print(f"no such figure: {', '.join(strange)}; there are {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    plan = Plan(quick=quick, smsc=smsc)
    rows: list[report.Row] = []
    failed = False
    for name in figures or FIGURES:
        report.progress(f"{name} …")
        try:
            rows += FIGURES[name](plan)
        except Exception as error:
            failed = True
            report.progress(f"{name} FAILED: {type(error).__name__}: {error}")
    text = report.as_json(rows, quick=quick)
    if output is not None:
        report.write(output, text)
    if as_json:
        print(text)
    else:
        report.show(rows)
    return 1 if failed else 0


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
