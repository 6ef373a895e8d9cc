"""One campaign: the gateway under load, killed round after round, then left in peace, then judged."""

import asyncio
import contextlib
import os
import shutil
import signal
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import aiohttp

from gateway.simulator.scenario import Fault, Scenario
from gateway.storage.embedded import EmbeddedError, remove
from tests.conftest import make_open_dir
from tests.torture.checker import Verdict, judge, wanted_details
from tests.torture.gateway import USUAL, Gateway, GatewayDied, Setup, children_of
from tests.torture.journal import Journals, Smsc, read_smsc
from tests.torture.load import ANSWER_SECONDS, Load
from tests.torture.states import Asking, States
from tests.torture.world import ROUGH, World, scenario

#: What is done to the gateway in a round; weights for a random choice.
KILL: Final = "kill"  #: SIGKILL to it; PostgreSQL is told by the kernel and stops in order
CRASH: Final = "crash"  #: SIGKILL to it and to every PostgreSQL process
EARLY: Final = "early"  #: SIGKILL while it is still starting
TERM: Final = "term"  #: SIGTERM, and all the time that it wants
BACKEND: Final = "backend"  #: SIGKILL to one PostgreSQL process under a running gateway
KINDS: Final = {KILL: 45, CRASH: 35, EARLY: 10, TERM: 5, BACKEND: 5}

QUIET_SECONDS: Final = 2.5
DRAIN_SECONDS: Final = 60.0
FAILPOINT_SECONDS: Final = 6.0

Tell = Callable[[str], None]


@dataclass(slots=True)
class Course:
    """What happened to the gateway, apart from the journals."""

    kinds: dict[str, int] = field(default_factory=dict)
    resumed: list[float] = field(default_factory=list)  #: seconds from a start to the next submit_sm
    recovered: list[float] = field(default_factory=list)  #: seconds from a lost backend to the next submit_sm
    unreached: list[str] = field(default_factory=list)  #: failpoints that no round came by
    bad_stops: list[int] = field(default_factory=list)  #: exit statuses of SIGTERM that were not 0
    drained: bool = True


@dataclass(slots=True)
class Result:
    """The judgement, and where its evidence lies."""

    verdict: Verdict
    course: Course
    folder: Path
    seconds: float = 0.0


class Campaign:
    """`async with Campaign(…) as campaign:` then rounds, then `finish`."""

    def __init__(
        self,
        seed: int = 1,
        *,
        rate: float = 120.0,
        talks: float = 0.05,
        most: int = 10**9,
        faults: tuple[Fault, ...] = ROUGH,
        played: Scenario | None = None,
        setup: Setup = USUAL,
        tls: ssl.SSLContext | None = None,
        other: Scenario | None = None,
        trick: str = "",
        like: Gateway | None = None,
        tell: Tell = lambda _: None,
    ) -> None:
        self.seed = seed
        self.random = Random(f"kills:{seed}")
        self.course = Course()
        self.folder = make_open_dir()
        self.journals = Journals()
        self.world = World(self.journals, self.folder, seed)
        self._played = played or scenario(seed, faults)
        self._setup = setup
        self._tls = tls
        self._other = other
        self._rate = rate
        self._talks = talks
        self._most = most
        self._trick = trick
        self._like = like
        self._tell = tell
        self._stack = contextlib.AsyncExitStack()
        self._began = time.monotonic()
        self.patience = DRAIN_SECONDS  #: how long it may take to come to rest
        self.ask_all = False  #: at the end for the history of every message
        self.at_rest: Callable[[float], Awaitable[bool]] = _certainly  #: asked when all was quiet for so long
        self.before_judging: Callable[[], Awaitable[None]] = _nothing
        self.rested_at = 0.0  #: when nothing moved any more, monotonic
        self.rss = 0  #: MiB that the gateway held then
        self.gateway: Gateway
        self.load: Load
        self.seen: Smsc
        self.states: States

    async def __aenter__(self) -> "Campaign":
        try:
            await self.world.start(self._played, self._tls, self._other)
            self._stack.push_async_callback(self.world.close)
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            connector = aiohttp.TCPConnector(limit=60)
            self.session = await self._stack.enter_async_context(
                aiohttp.ClientSession(timeout=timeout, connector=connector)
            )
            self.gateway = Gateway(
                self.folder,
                smsc=self.world.smsc.port,
                tickets=self.world.tickets.port,
                other=self.world.others[0].port if self.world.others else 0,
                setup=self._setup,
            )
            self._stack.callback(self.gateway.kill, database_too=True)
            await asyncio.to_thread(self.gateway.prepare, self._like)
            self.load = Load(
                self.gateway,
                self.world,
                self.session,
                self.seed,
                rate=self._rate,
                talks=self._talks,
                most=self._most,
            )
            self._caller = asyncio.create_task(self.load.run())
            self._stack.push_async_callback(self._stop_caller)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _stop_caller(self) -> None:
        self._caller.cancel()
        await asyncio.gather(self._caller, *self.load._tasks, return_exceptions=True)

    # Rounds

    async def start(self, trick: str | None = None) -> bool:
        """Start the gateway; the time until its first submit_sm is taken."""
        self.gateway.start(self._trick if trick is None else trick)
        began = time.monotonic()
        self.world.first_since = lambda: self.course.resumed.append(time.monotonic() - began)
        if not await self.gateway.ready(self.session):
            return False
        self.load.up.set()
        return True

    async def round(self, kind: str | None = None) -> str:
        """Start it, let it work for a moment, and end it in one of the ways."""
        kind = kind or self.random.choices(list(KINDS), list(KINDS.values()))[0]
        self.course.kinds[kind] = self.course.kinds.get(kind, 0) + 1
        if kind == EARLY:
            self.gateway.start(self._trick)
            await asyncio.sleep(self.random.uniform(0.1, 1.5))
            self.gateway.kill(database_too=self.random.random() < 0.5)
            return kind
        await self.start()
        await asyncio.sleep(self.random.uniform(0.1, 1.3))
        if kind == BACKEND:
            await self._lose_backend()
        if kind == TERM:
            await self.stop()
        else:
            self.load.up.clear()
            self.gateway.kill(database_too=kind == CRASH)
        return kind

    async def work(self, seconds: float, trick: str | None = None) -> None:
        """Let it run under load for so long, and no end."""
        if not await self.start(trick):
            raise GatewayDied(f"it did not come up: {self.gateway.last_words()[-1500:]}")
        await asyncio.sleep(seconds)

    async def busy(self, least: int, fresh: float = 0.2, seconds: float = 30.0) -> None:
        """Wait until so much has happened of everything, and each of it again within the last moment."""
        counts = self.world.smsc.record.counts
        seen: dict[str, tuple[int, float]] = {}
        async with asyncio.timeout(seconds):
            while True:
                now = time.monotonic()
                many = {
                    "accepted": self.load.accepted // 5,
                    "receipts": counts.receipts_taken // 3,
                    "texts": counts.mos_taken,
                    "calls": len(self.journals.calls) * 2,
                }
                for name, number in many.items():
                    if seen.get(name, (-1, 0.0))[0] != number:
                        seen[name] = (number, now)
                moved = (at > now - fresh for name, (_, at) in seen.items() if name != "calls")
                if min(many.values()) >= least and all(moved):
                    return
                await asyncio.sleep(0.002)

    def kill(self, *, database_too: bool = False) -> None:
        """End it now."""
        self.load.up.clear()
        self.gateway.kill(database_too=database_too)

    async def stop(self) -> None:
        """SIGTERM under load."""
        status = await self.gateway.stop()
        self.load.up.clear()
        if status != 0:
            self.course.bad_stops.append(status)

    async def _lose_backend(self) -> None:
        """One backend dies of SIGKILL: PostgreSQL ends all sessions, recovers, and the gateway goes on."""
        victims = children_of(self.gateway.postmaster())
        if not victims:
            return
        began = time.monotonic()
        self.world.first_since = lambda: self.course.recovered.append(time.monotonic() - began)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.random.choice(victims), signal.SIGKILL)
        await asyncio.sleep(self.random.uniform(1.0, 3.0))

    async def failpoint(self, name: str, times: int = 1, *, stopping: bool = False) -> bool:
        """Run until it dies at a named point; False: it never came there."""
        trick = f"failpoint:{name}:{times}"
        trick = f"{self._trick},{trick}" if self._trick else trick
        self.course.kinds["failpoint"] = self.course.kinds.get("failpoint", 0) + 1
        reached = True
        if await self.start(trick):
            try:
                if stopping:
                    await asyncio.sleep(0.5)
                    await self.gateway.stop()
                else:
                    await self.gateway.wait(FAILPOINT_SECONDS)
            except TimeoutError:
                reached = False
        self.load.up.clear()
        self.gateway.kill(database_too=self.random.random() < 0.5)
        if not reached:
            self.course.unreached.append(f"{name}:{times}")
        return reached

    # The end

    async def finish(self, *, trick: str | None = None) -> Result:
        """Leave it in peace until nothing moves any more, ask it for everything, and judge."""
        if not self.gateway.running:
            await self.work(0.0, trick)
        await self._drain()
        await self.before_judging()
        self.rss = resident(self.gateway.pid)
        states = await self._states()
        self.journals.keep(self.folder)
        self.seen = self.seen_so_far()
        self.states = states
        verdict = judge(self.journals, self.seen, states)
        if self.load.faults:
            raise self.load.faults[0]
        if not self.course.drained:
            verdict.breach("stuck", f"not at rest after {self.patience:.0f} s")
        for status in self.course.bad_stops:
            verdict.breach("bad stop", f"SIGTERM ended it with {status}: {self.gateway.last_words()[-500:]}")
        await self.gateway.stop()
        return Result(verdict, self.course, self.folder, time.monotonic() - self._began)

    async def _states(self) -> States:
        asking = Asking(self.gateway, self.session)
        states = await asking.everything()
        if self.ask_all:
            await asking.details(states, list(states.messages))
        seen = self.seen_so_far()
        await asking.details(states, sorted(wanted_details(self.journals, seen, states)))
        return states

    def seen_so_far(self) -> Smsc:
        """The SMSC's journal up to now."""
        self.world.smsc.record._journal.flush()  # type: ignore[union-attr]
        return read_smsc(self.folder / "smsc.ndjson")

    async def _drain(self) -> None:
        deadline = time.monotonic() + self.patience
        self.world.tickets.trouble = 0.0
        try:
            async with asyncio.timeout(self.patience):
                await self.load.finish()
        except TimeoutError:
            self.course.drained = False
        self._tell("callers have all their answers")
        still = time.monotonic()
        seen: tuple[object, ...] = ()
        while time.monotonic() < deadline:
            counts = self.world.smsc.record.counts
            now = (counts.submits, counts.receipts_taken, counts.mos_taken, len(self.journals.calls))
            if now != seen or self.world.busy():
                seen, still = now, time.monotonic()
            elif (
                (quiet := time.monotonic() - still) > QUIET_SECONDS
                and await self.at_rest(quiet)
                and (counts.submits, counts.receipts_taken) == now[:2]
            ):
                self.rested_at = still
                return
            await asyncio.sleep(0.1)
        self.rested_at = time.monotonic()
        self.course.drained = False


async def _nothing() -> None:
    """The usual look before judging: none."""


async def _certainly(_quiet: float) -> bool:
    """Quiet is rest."""
    return True


def resident(pid: int) -> int:
    """MiB that a process holds in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def tidy(folder: Path) -> None:
    """Remove what a campaign has left."""
    with contextlib.suppress(OSError, EmbeddedError):
        remove(folder / "data")
    shutil.rmtree(folder, ignore_errors=True)
