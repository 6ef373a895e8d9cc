"""A gateway before an SMSC that refuses what is too fast: what it makes of the rate, and how soon it finds a
higher one. All of it by what the SMSC saw."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.load import COUNT_MARK, MARK
from bench.plan import BATCH, Plan
from bench.report import Row, progress
from bench.stand import LossError, Stand

SLOW: Final = 500  #: messages a second that the SMSC takes at first …
QUICK: Final = 5000  #: … and later
NUMBERS: Final = 2000
LEARNING: Final = 5.0  #: seconds in which refusals are how it is learned
PATIENCE: Final = 20.0
KEPT: Final = 0.95
ITEM: Final = json.dumps(
    {"to": MARK, "text": COUNT_MARK + "回音" * 20}, ensure_ascii=False, separators=(",", ":")
)

Pace = Sequence[float]  #: a moment, and what was taken and refused until then


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one round has shown."""

    share: float  #: of what the SMSC takes, from the first message on
    refused: float  #: of all submits, after the time for learning
    seconds: float  #: until the higher rate was used


def measure(plan: Plan) -> list[Row]:
    """With one bind, and with two that share the account's limit."""
    return [row for binds in ((2,) if plan.quick else (1, 2)) for row in _rows(binds, _round(plan, binds))]


def _rows(binds: int, found: Found) -> list[Row]:
    name = f"SMSC that takes {SLOW}/s, {binds} bind{'s' if binds > 1 else ''}"
    return [
        Row(
            figure=f"{name}: taken",
            value=found.share * SLOW,
            unit="/s",
            against="its limit",
            against_value=SLOW,
            goal=KEPT * SLOW,
            note="order kept for each number, nothing lost or doubled",
        ),
        Row(
            figure=f"{name}: refused after {LEARNING:.0f} s",
            value=found.refused * 100,
            unit="%",
            goal=2,
            less_is_better=True,
        ),
        Row(
            figure=f"{name}, then {QUICK:,}/s: reached after",
            value=found.seconds,
            unit="s",
            goal=10,
            less_is_better=True,
        ),
    ]


def _round(plan: Plan, binds: int) -> Found:
    count = 40_000 if plan.quick else 70_000
    steady = 10.0 if plan.quick else 20.0
    with Stand(binds=binds, behaviour={"rate": SLOW}) as stand:
        if stand.smsc is None:
            raise RuntimeError("throttle needs our own SMSC")
        stand.smsc.ask(do="keep")
        # One connection: what is accepted first is then known.
        stand.begin(
            path="/v1/messages/batch", item=ITEM, count=count, batch=BATCH, connections=1, numbers=NUMBERS
        )
        stand.wait_for_some(1)
        began = time.monotonic()
        time.sleep(steady)
        before = stand.paces()
        changed = time.monotonic()
        stand.smsc.ask(do="change", changes={"rate": QUICK})
        seconds = _until_used(stand, changed)
        stand.smsc.ask(do="change", changes={"rate": 0})
        stand.sent(count)
        stand.wait_for("receipts", stand.receipts, count)
        stand.check(count)
        if wrong := disordered(stand.smsc.ask(do="kept")["kept"]):
            raise LossError(f"{wrong} messages were overtaken by later ones to their numbers")
    share = rate_between(before, began, changed, of=1) / SLOW
    refused = rate_between(before, began + LEARNING, changed, of=2)
    taken = rate_between(before, began + LEARNING, changed, of=1)
    found = Found(share=share, refused=refused / (refused + taken), seconds=seconds)
    progress(f"  {binds} binds: {found}")
    return found


def _until_used(stand: Stand, changed: float) -> float:
    while time.monotonic() - changed < PATIENCE:
        time.sleep(0.3)
        reached = first_full_second([pace for pace in stand.paces() if pace[0] >= changed], QUICK * KEPT)
        if reached is not None:
            return reached - changed
    return PATIENCE


def rate_between(paces: Sequence[Pace], begin: float, end: float, *, of: int) -> float:
    """A second, between the first and the last look in that time; `of`: 1 taken, 2 refused."""
    within = [pace for pace in paces if begin <= pace[0] <= end]
    if len(within) < 2:
        raise LossError("the SMSC was not looked at")
    return (within[-1][of] - within[0][of]) / (within[-1][0] - within[0][0])


def first_full_second(paces: Sequence[Pace], rate: float) -> float | None:
    """The end of the first full second in which so many a second were taken; None: there was none yet."""
    first = 0
    for now, taken, _ in paces:
        while first + 1 < len(paces) and now - paces[first + 1][0] >= 1.0:
            first += 1
        since, before, _ = paces[first]
        if now - since >= 1.0 and (taken - before) / (now - since) >= rate:
            return now
    return None


def disordered(taken: Sequence[tuple[str, int]]) -> int:
    """How many came after a later one to their number; the items of a number are counted up."""
    last: dict[str, int] = {}
    wrong = 0
    for number, count in taken:
        wrong += count < last.get(number, -1)
        last[number] = max(count, last.get(number, -1))
    return wrong
