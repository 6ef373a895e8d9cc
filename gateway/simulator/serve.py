"""The simulator as processes: `huiyin smsc` and `huiyin ticket-system`, until they are told to end."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.simulator import certificates, control, scenario
from gateway.simulator.certificates import Tls
from gateway.simulator.desk import Desk
from gateway.simulator.handset import Handsets
from gateway.simulator.record import Journal
from gateway.simulator.scenario import Account, Scenario
from gateway.simulator.smsc import Smsc
from gateway.simulator.tickets import TicketSystem
from gateway.simulator.tickets import build as build_tickets

log = logging.getLogger(__name__)


@contextlib.contextmanager
def _until_signal() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set, where this thread may listen to them."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    heard: list[signal.Signals] = []
    for each in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):  # not the main thread
            loop.add_signal_handler(each, over.set)
            heard.append(each)
    try:
        yield over
    finally:
        for each in heard:
            loop.remove_signal_handler(each)


@contextlib.contextmanager
def patient_collector() -> Iterator[None]:
    """Seldomer rounds of the garbage collector: it walked over all receipts under way, again and again, and
    took a third of the time. Nothing on the hot way has cycles."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def scenario_for(
    scenario_path: Path | None = None, *, accounts: Sequence[tuple[str, str]] = (), seed: int | None = None
) -> Scenario:
    """The scenario of a file, or a shipped one by name; accounts and seed given here replace its own.

    Raises ScenarioError.
    """
    played = scenario.find(scenario_path) if scenario_path is not None else Scenario()
    changes: dict[str, Any] = {}
    if accounts:
        changes["accounts"] = tuple(Account(system_id=name, password=word) for name, word in accounts)
    if seed is not None:
        changes["seed"] = seed
    return msgspec.structs.replace(played, **changes)


async def serve_smsc(
    *,
    host: str = "127.0.0.1",
    port: int = 2775,
    control_host: str = "127.0.0.1",
    control_port: int | None = None,
    scenario_path: Path | None = None,
    record_path: Path | None = None,
    accounts: Sequence[tuple[str, str]] = (),
    seed: int | None = None,
    tls: Tls | None = None,
    ready: Callable[[int, int | None], None] | None = None,
) -> None:
    """The simulated SMSC until cancelled or SIGTERM. Port 0 takes a free one; without a control port there is
    no HTTP. `ready` is called with both ports. Raises ScenarioError, and TlsError before it listens."""
    played = scenario_for(scenario_path, accounts=accounts, seed=seed)
    context = None if tls is None else certificates.server_context(tls)
    with _until_signal() as over, patient_collector():
        smsc = await Smsc.start(played, host, port, record_path=record_path, tls=context)
        Handsets(smsc)
        runner = None
        try:
            bound: int | None = None
            if control_port is not None:
                runner, bound = await control.serve(control.build(smsc), control_host, control_port)
            log.info("simulated SMSC listens", extra={"port": smsc.port, "control_port": bound})
            if ready is not None:
                ready(smsc.port, bound)
            await over.wait()
        finally:
            if runner is not None:
                await runner.cleanup()
            await smsc.close()


async def serve_tickets(
    *,
    host: str = "127.0.0.1",
    port: int = 9000,
    journal_path: Path | None = None,
    gateway_url: str | None = None,
    api_key: str | None = None,
    every: float = 4.0,
    seed: int = 1,
    ready: Callable[[int], None] | None = None,
) -> None:
    """The stand-in ticket system until cancelled or SIGTERM. With a gateway and a key its clerks resolve a
    complaint every so many seconds. `ready` is called with the port."""
    with _until_signal() as over:
        system = TicketSystem(Journal(journal_path) if journal_path is not None else None)
        runner, bound = await control.serve(build_tickets(system), host, port)
        clerks = None
        try:
            if gateway_url and api_key:
                desk = Desk(system, gateway_url, api_key, seed=seed)
                clerks = asyncio.create_task(desk.run(every))
            log.info("stand-in ticket system listens", extra={"port": bound})
            if ready is not None:
                ready(bound)
            await over.wait()
        finally:
            if clerks is not None:
                clerks.cancel()
                await asyncio.gather(clerks, return_exceptions=True)
            await runner.cleanup()
            system.close()
