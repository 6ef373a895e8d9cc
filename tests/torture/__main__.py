"""`python -m tests.torture`: the kill campaign in full, with its failpoints; with `--paid` that of services
that cost money; or with `--faults` one run for each thing that an SMSC can do wrong. Told as it goes."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

from tests.torture import habits, told
from tests.torture.campaign import Campaign, Result, tidy
from tests.torture.failpoints import FAILPOINTS, ONCE, PAID, STOPPING
from tests.torture.faults import play
from tests.torture.outcomes import Row
from tests.torture.paid import Ended, PaidCampaign

ROUNDS = 200
TIMES = (1, 3, 10)  # each failpoint is met the first time, the third, the tenth


def options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"random kills; default: {ROUNDS}")
    parser.add_argument("--seed", type=int, default=1, help="of the load, the world and the moments")
    parser.add_argument("--rate", type=float, default=150.0, help="calls a second while it is up")
    parser.add_argument("--failpoints", action="store_true", help="then each failpoint, three times")
    parser.add_argument("--only", metavar="NAME", action="append", help="of the failpoints only these")
    parser.add_argument(
        "--paid", action="store_true", help="confirmations, 0000 and scores, with each failpoint around them"
    )
    parser.add_argument(
        "--faults",
        metavar="NAME",
        nargs="*",
        help="each fault and habit of the SMSC, or those with this in it",
    )
    parser.add_argument("--messages", type=int, help="in each of those runs; default: as the case says")
    parser.add_argument("--abreast", type=int, default=2, help="so many of those runs side by side")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put their table into this page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="and all that was seen into this file")
    parser.add_argument("--keep", action="store_true", help="leave journals and data where they are")
    return parser.parse_args(argv)


async def run(args: argparse.Namespace, console: Console) -> Result:
    async with Campaign(args.seed, rate=args.rate, tell=console.print) as campaign:
        for number in range(1, args.rounds + 1):
            began = time.monotonic()
            kind = await campaign.round()
            _progress(console, campaign, f"round {number} of {args.rounds}: {kind}", began)
        if args.failpoints or args.only:
            names = args.only or list(FAILPOINTS)
            for name in names:
                for times in (1, 1, 1) if name in ONCE else TIMES:
                    began = time.monotonic()
                    reached = await campaign.failpoint(name, times, stopping=name in STOPPING)
                    what = f"failpoint {name}, time {times}{'' if reached else ': not reached'}"
                    _progress(console, campaign, what, began)
        console.print("drains")
        return await campaign.finish()


def _progress(console: Console, campaign: Campaign, what: str, began: float) -> None:
    counts = campaign.world.smsc.record.counts
    console.print(
        f"{what}, {time.monotonic() - began:.1f} s; accepted {campaign.load.accepted:,}, "
        f"submits {counts.submits:,}, replies {counts.mos_taken:,}"
    )


def show(result: Result, console: Console) -> None:
    """The table at the end."""
    counts, course = result.verdict.counts, result.course
    table = Table(title="Kill campaign", show_header=False)
    rows = {
        "accepted": f"{counts['accepted']:,}",
        "submitted": f"{counts['submitted']:,}",
        "delivered": f"{counts['delivered']:,}",
        "final with a reason, nothing sent": f"{counts['final with a reason']:,}",
        "lost": f"{counts['lost']:,}",
        "duplicates, flagged": f"{counts['flagged duplicates']:,}",
        "duplicates, unflagged": f"{counts['unflagged duplicate']:,}",
        "never-again doubled": f"{counts['never-again doubled']:,}",
        "unknown at the end": f"{counts['unknown']:,}",
        "  of them never-again, not at the SMSC": f"{counts['unknown, never again']:,}",
        "  of them sent twice, not at the SMSC": f"{counts['unknown, both sendings']:,}",
        "stored, answer never seen": f"{counts['stored, answer never seen']:,}",
        "customers' texts answered OK": f"{counts['texts']:,}",
        "scores right in the ticket": f"{counts['scores'] - counts['wrong score']:,} of {counts['scores']:,}",
        "restarts": f"{sum(course.kinds.values()):,} ({_kinds(course.kinds)})",
        "start to first submit": _percentiles(course.resumed),
        "lost backend to next submit": _percentiles(course.recovered),
        "failpoints not reached": ", ".join(course.unreached) or "none",
        "breaches": f"{len(result.verdict.breaches):,}",
        "time": f"{result.seconds:.0f} s",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)
    for breach in result.verdict.breaches[:50]:
        console.print(breach, style="red", highlight=False)


def _kinds(kinds: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def _percentiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    p50, p95 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95))
    return f"p50 {p50:.2f} s, p95 {p95:.2f} s, longest {ordered[-1]:.2f} s"


def faults(args: argparse.Namespace, console: Console) -> int:
    """The faults campaign."""
    wanted = [
        case for case in habits.ALL if not args.faults or any(name in case.name for name in args.faults)
    ]

    def tell(row: Row, seconds: float, folder: Path | None) -> None:
        state = "sound" if row.sound else f"{len(row.breaches)} breaches"
        console.print(f"{row.name} ({row.profile}): {state}, {seconds:.0f} s", highlight=False)
        for line in (*row.told, *(f"{times} times {what}" for what, times in row.log.items())):
            console.print(f"    {line}", style="dim", highlight=False)
        for breach in row.breaches[:10]:
            console.print(f"    {breach}", style="red", highlight=False)
        if not row.sound:
            console.print(f"    journals and data: {folder}", highlight=False)

    rows = play(wanted, seed=args.seed, messages=args.messages, abreast=args.abreast, tell=tell)
    console.print(told.shown(rows))
    if args.write:
        told.write(rows, args.write)
    if args.json:
        told.save(rows, args.json)
    return 0 if all(row.sound for row in rows) else 1


async def run_paid(args: argparse.Namespace, console: Console) -> Ended:
    """Kills at random, and now and then one of the named points, each of them in its turn."""
    names = args.only or list(PAID)
    async with PaidCampaign(args.seed) as campaign:
        for number in range(1, args.rounds + 1):
            began = time.monotonic()
            if number % 2:
                what = await campaign.round()
            else:
                name = names[(number // 2 - 1) % len(names)]
                times = campaign.random.choice((1, 2, 3))
                what = f"{name}, time {times}"
                what += "" if await campaign.failpoint(name, times) else ": not reached"
            counts = campaign.smsc.record.counts
            console.print(
                f"round {number} of {args.rounds}: {what}, {time.monotonic() - began:.1f} s; "
                f"customers {len(campaign.people):,}, their texts {counts.mos_taken:,}"
            )
        console.print("drains")
        return await campaign.finish()


def show_paid(ended: Ended, console: Console) -> None:
    """The table at the end."""
    table = Table(title="Services that cost money", show_header=False)
    for name, count in sorted(ended.judged.counts.items()):
        table.add_row(name, f"{count:,}")
    table.add_row("restarts", f"{sum(ended.kinds.values()):,} ({_kinds(ended.kinds)})")
    table.add_row("failpoints not reached", ", ".join(ended.unreached) or "none")
    table.add_row("breaches", f"{len(ended.judged.breaches):,}")
    table.add_row("time", f"{ended.seconds:.0f} s")
    console.print(table)
    for breach in ended.judged.breaches[:50]:
        console.print(breach, style="red", highlight=False)


def main(argv: Sequence[str]) -> int:
    args = options(argv)
    console = Console()
    if args.faults is not None:
        return faults(args, console)
    if args.paid:
        ended = uvloop.run(run_paid(args, console))
        show_paid(ended, console)
        return _leave(ended.folder, bool(ended.judged.breaches), args, console)
    result = uvloop.run(run(args, console))
    show(result, console)
    return _leave(result.folder, bool(result.verdict.breaches), args, console)


def _leave(folder: Path, breached: bool, args: argparse.Namespace, console: Console) -> int:
    if args.keep or breached:
        console.print(f"journals and data: {folder}")
    else:
        tidy(folder)
    return 1 if breached else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
