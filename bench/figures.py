"""The figures: each starts what it needs, measures, checks that nothing was lost, and takes it all down."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from bench import backlog, codec, failover, floors, throttle
from bench.child import Child
from bench.load import MARK
from bench.machine import Spent
from bench.matrix import of_engine, run_alone
from bench.plan import BATCH, ITEM, TEXT, Plan, median, quantiles
from bench.report import Row, progress
from bench.stand import LossError, Stand

RESOLUTION: Final = json.dumps(
    {"to": MARK, "ticket": {"id": MARK}, "text": "网络已修复"}, ensure_ascii=False, separators=(",", ":")
)
CONNECTIONS: Final = 64
WARM_UP: Final = 500


# --- codec ----------------------------------------------------------------------------------------


def of_codec(plan: Plan) -> list[Row]:
    """Ours against smpplib's."""
    rates = codec.run(0.05 if plan.quick else 0.2)
    return [
        Row(
            figure=f"codec: {name.replace('_', ' ', 1)}",
            value=rates[name],
            unit="/s",
            against="smpplib",
            against_value=rates[f"{name}_smpplib"],
            goal=goal * rates[f"{name}_smpplib"],
        )
        for name, goal in (("encode_submit_sm", 20), ("decode_deliver_sm", 10))
    ]


# --- end to end -----------------------------------------------------------------------------------


def of_one(plan: Plan) -> list[Row]:
    """One message a POST, and the latency at half of that rate."""
    count = plan.of(20_000)
    with Stand(smsc=plan.smsc) as stand:
        rate, spent, first = _through(stand, plan, count, 1)
        latency = _latency(stand, plan, rate / 2, first)
        rows = _with_floors(stand, plan, count, name="one message a POST", rate=rate, spent=spent, goal=4000)
    return rows + latency


def of_batches(plan: Plan) -> list[Row]:
    """A hundred messages a POST."""
    count = plan.of(40_000)
    with Stand(smsc=plan.smsc) as stand:
        rate, spent, _ = _through(stand, plan, count, BATCH)
        return _with_floors(stand, plan, count, name="POSTs of 100", rate=rate, spent=spent, goal=10_000)


def _through(stand: Stand, plan: Plan, count: int, batch: int) -> tuple[float, Spent, int]:
    """Medians of messages a second and of CPU; and the first number that no message went to."""
    _send(stand, WARM_UP, batch, 0, 0)
    first = WARM_UP
    rates, spents = [], []
    for _ in range(plan.rounds):
        meter = stand.meter()
        started, ended = _send(stand, count, batch, first, first)
        spents.append(meter.micros(count))
        rates.append(count / (ended - started))
        first += count
        progress(f"  {rates[-1]:,.0f} msgs/s, CPU µs a message: {spents[-1]}")
    stand.check(first)
    return median(rates), {name: median([s[name] for s in spents]) for name in spents[0]}, first


def _send(stand: Stand, count: int, batch: int, first: int, before: int, **job: Any) -> tuple[float, float]:
    """From the first POST to the last receipt in the database: both moments."""
    path = "/v1/messages" if batch == 1 else "/v1/messages/batch"
    connections = CONNECTIONS if batch == 1 else 8
    answer = stand.send(
        path=path, item=ITEM, count=count, batch=batch, first=first, connections=connections, **job
    )
    ended = stand.wait_for("receipts", stand.receipts, before + count)
    return answer["started"], ended


def _with_floors(
    stand: Stand, plan: Plan, count: int, *, name: str, rate: float, spent: Spent, goal: float
) -> list[Row]:
    copied = stand.database(partial(floors.copy, count=count))
    rows = [
        Row(
            figure=name,
            value=rate,
            unit="msgs/s",
            goal=goal,
            cpu=spent,
            against="COPY of the same rows",
            against_value=copied,
        )
    ]
    if stand.smsc is not None:
        host, port = stand.smsc_address
        job = {"host": host, "port": port, "text": TEXT, "binds": 2, "window": 100}
        with Child("bench.floors") as bare:
            bare_rate, bare_spent = run_alone(bare, "bare", stand.smsc, plan.of(50_000), job)
        rows.append(
            Row(
                figure=name,
                value=rate,
                unit="msgs/s",
                against="bare SMPP",
                against_value=bare_rate,
                cpu=bare_spent,
            )
        )
    return rows


def _latency(stand: Stand, plan: Plan, rate: float, first: int) -> list[Row]:
    """POST sent → submit_sm seen by the SMSC, at a steady rate."""
    if stand.smsc is None:
        return []
    count = min(plan.of(15_000), int(rate * 10))
    stand.smsc.ask(do="seen")
    answer = stand.send(
        path="/v1/messages",
        item=ITEM,
        count=count,
        first=first,
        connections=CONNECTIONS,
        rate=rate,
        stamps=True,
    )
    stand.wait_for("receipts", stand.receipts, first + count)
    seen = {number[-11:]: at for number, at in stand.smsc.ask(do="seen").items()}
    took = [(seen[number] - sent) * 1000 for number, sent in answer["sent"].items()]
    return quantiles(f"POST → submit_sm at {rate:,.0f}/s", took, 50)


# --- replies --------------------------------------------------------------------------------------


def of_replies(plan: Plan) -> list[Row]:
    """Customers' scores, from the SMSC to the ticket system's satisfaction field."""
    count = plan.of(10_000)
    later = count // 2
    with Stand(tickets=True) as stand:
        if stand.smsc is None or stand.tickets is None:
            raise RuntimeError("replies need our own SMSC")
        progress("  asking")
        stand.send(
            path="/v1/resolutions", item=RESOLUTION, count=count + later, first=0, connections=CONNECTIONS
        )
        stand.wait_for("receipts", stand.delivered, count + later)
        progress("  answering")
        meter = stand.meter()
        wrote = stand.smsc.ask(do="reply", text="9", first=0, count=count)
        called = partial(_called, stand)
        ended = stand.wait_for("calls", called, count)
        spent = meter.micros(count)
        rate = count / (ended - min(wrote.values()))
        _check_calls(stand, wrote)
        wrote = stand.smsc.ask(do="reply", text="9", first=count, count=later, rate=rate / 2)
        stand.wait_for("calls", called, later)
        took = _check_calls(stand, wrote)
    rows = [
        Row(figure="replies: MO → stored → understood → called", value=rate, unit="/s", goal=2000, cpu=spent)
    ]
    return rows + quantiles(f"reply in → ticket call out at {rate / 2:,.0f}/s", took, 100)


def _called(stand: Stand) -> int:
    return int(stand.tickets.ask(do="count")["count"]) if stand.tickets else 0


def _check_calls(stand: Stand, wrote: dict[str, float]) -> list[float]:
    """Milliseconds from each reply to its ticket's call; each ticket was called."""
    called = stand.tickets.ask(do="called") if stand.tickets else {}
    wanted = {number[-11:]: at for number, at in wrote.items()}
    if called.keys() != wanted.keys():
        raise LossError(f"{len(called)} tickets called for {len(wanted)} replies")
    return [(called[number] - at) * 1000 for number, at in wanted.items()]


# --- memory ---------------------------------------------------------------------------------------


def of_memory(plan: Plan) -> list[Row]:
    """What the gateway holds does not grow with what went through it."""
    early, late = plan.of(40_000), plan.of(200_000)
    with Stand(smsc=plan.smsc) as stand:
        held = []
        first = 0
        for until in (early, late):
            while first < until:
                count = min(20_000, until - first)
                _send(stand, count, BATCH, first, first)
                first += count
            held.append(stand.memory() / 2**20)
            progress(f"  {held[-1]:.0f} MiB after {first:,}")
        stand.check(first)
    return [
        Row(
            figure=f"memory after {late:,} messages",
            value=held[1],
            unit="MiB",
            against=f"after {early:,}",
            against_value=held[0],
            goal=held[0] * 1.05,
            less_is_better=True,
        )
    ]


# --- start ----------------------------------------------------------------------------------------


def of_start(plan: Plan) -> list[Row]:
    """How long one waits for help, and for a gateway that can work."""
    helps = []
    for _ in range(3 * plan.rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "gateway", "--help"], check=True, capture_output=True)
        helps.append(time.perf_counter() - started)
    with Stand(smsc=plan.smsc) as stand:
        first = stand.ready_seconds
        again = []
        for _ in range(plan.rounds):
            stand.stop()
            again.append(stand.start())
    return [
        Row(figure="huiyin --help", value=median(helps), unit="s", goal=0.4, less_is_better=True),
        Row(figure="serve ready, from an empty folder", value=first, unit="s", goal=8, less_is_better=True),
        Row(figure="serve ready, again", value=median(again), unit="s", less_is_better=True),
    ]


FIGURES: Final[dict[str, Callable[[Plan], list[Row]]]] = {
    "codec": of_codec,
    "engine": of_engine,
    "one": of_one,
    "batches": of_batches,
    "replies": of_replies,
    "memory": of_memory,
    "start": of_start,
    "throttle": throttle.measure,
    "failover": failover.measure,
    "backlog": backlog.measure,
}
