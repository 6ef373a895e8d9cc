"""The SMPP engine alone, beside a bare protocol: in its usual form, and over windows, latencies and binds."""

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from bench.child import Child
from bench.machine import Meter, Spent
from bench.plan import TEXT, Plan, median
from bench.report import Row, progress
from bench.stand import LossError

WINDOWS: Final = (10, 100, 1000)
LATENCIES: Final = (0.0, 0.05)  #: seconds until the SMSC answers
BINDS: Final = (1, 8)
CELL: Final = 24_000  #: messages of a cell at most …
CELL_SECONDS: Final = 1.5  #: … and of one that the window holds back, as many as pass in this time
KEPT_SHARE: Final = 0.9  #: of what the window allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place of the matrix."""

    receipts: bool
    window: int
    latency: float
    binds: int

    @property
    def allowed(self) -> float | None:
        """Messages a second that windows and latency let pass; None: as many as can."""
        return self.window * self.binds / self.latency if self.latency else None

    def count(self, plan: Plan) -> int:
        """A multiple of the binds, and so many windows that the last, half empty one weighs little."""
        count = CELL if self.allowed is None else min(CELL, int(self.allowed * CELL_SECONDS))
        least = self.window * self.binds
        return max(least, plan.of(count) // least * least)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """Who takes part: an SMSC, our engine, and the bare protocol beside it."""

    smsc: Child
    engine: Child
    bare: Child
    port: int

    def run(
        self, child: Child, count: int, *, binds: int, window: int, receipts: bool
    ) -> tuple[float, Spent]:
        job = {"host": "127.0.0.1", "port": self.port, "text": TEXT}
        job |= {"binds": binds, "window": window, "receipts": receipts}
        return run_alone(child, child.module.rpartition(".")[2], self.smsc, count, job)


def of_engine(plan: Plan) -> list[Row]:
    """Binds, windows, codec and receipts, nothing behind them."""
    with Child("bench.centre") as smsc, Child("bench.engine") as engine, Child("bench.floors") as bare:
        bench = _Bench(smsc=smsc, engine=engine, bare=bare, port=smsc.ask(do="port")["port"])
        return _usual(plan, bench) + _matrix(plan, bench)


def _usual(plan: Plan, bench: _Bench) -> list[Row]:
    count = max(20_000, plan.of(100_000))
    ours, theirs = [], []
    for _ in range(plan.rounds):
        ours.append(bench.run(bench.engine, count, binds=1, window=100, receipts=True))
        theirs.append(bench.run(bench.bare, count, binds=1, window=100, receipts=True))
    cpu = {name: median([spent[name] for _, spent in ours]) for name in ("engine", "smsc")}
    bare_cpu = median([spent["floors"] for _, spent in theirs])
    return [
        Row(
            figure="SMPP engine alone, with receipts",
            value=median([rate for rate, _ in ours]),
            unit="msgs/s",
            against="bare protocol",
            against_value=median([rate for rate, _ in theirs]),
            cpu=cpu,
        ),
        Row(
            figure="SMPP engine alone, a core of its own",
            value=1e6 / cpu["engine"],
            unit="msgs/s",
            against="bare protocol",
            against_value=1e6 / bare_cpu,
            goal=40_000,
            cpu={"engine": cpu["engine"], "bare": bare_cpu},
        ),
    ]


def _matrix(plan: Plan, bench: _Bench) -> list[Row]:
    rows = []
    for latency in LATENCIES:
        bench.smsc.ask(do="change", changes={"latency": f"{latency:g}s"})
        progress(f"  windows and binds at {latency * 1000:.0f} ms")
        for receipts, binds, window in product((False, True), BINDS, WINDOWS):
            cell = Cell(receipts=receipts, window=window, latency=latency, binds=binds)
            rows.append(_row(cell, cell.count(plan), bench))
    return rows


def _row(cell: Cell, count: int, bench: _Bench) -> Row:
    shape = {"binds": cell.binds, "window": cell.window}
    rate, spent = bench.run(bench.engine, count, receipts=cell.receipts, **shape)
    against, beside = "bare protocol", bench.run(bench.bare, count, receipts=cell.receipts, **shape)[0]
    goal = None
    if cell.allowed is not None and cell.allowed <= beside * 1.15:
        against, beside = "the window allows", cell.allowed
        goal = cell.allowed * KEPT_SHARE
    return Row(
        figure="SMPP engine",
        value=rate,
        unit="msgs/s",
        against=against,
        against_value=beside,
        goal=goal,
        cpu=spent,
        place=(
            f"{cell.binds} bind{'s' if cell.binds > 1 else ''}, window {cell.window}",
            f"{'with' if cell.receipts else 'no'} receipts, {cell.latency * 1000:.0f} ms",
        ),
    )


def run_alone(child: Child, name: str, smsc: Child, count: int, job: dict[str, Any]) -> tuple[float, Spent]:
    """Messages a second and CPU of one run, of which the SMSC has seen each message."""
    before = smsc.ask(do="counts")
    meter = Meter({name: child.pid, "smsc": smsc.pid})
    seconds = child.ask(count=count, **job)["seconds"]
    spent = meter.micros(count)
    after = smsc.ask(do="counts")
    taken = after["taken"] - before["taken"]
    if taken != count:
        raise LossError(f"the SMSC took {taken} of {count}")
    return count / seconds, spent
