"""The faults campaign: for each thing that the simulated SMSC can do wrong, and for each of its habits, one
gateway with a database of its own under mixed load, left to drain, and judged from the journals outside."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import uvloop

from gateway.simulator import scenario as scenarios
from gateway.simulator.certificates import make_or_find, server_context
from gateway.simulator.scenario import Receipts, Redelivery, Scenario, Span
from tests.conftest import make_open_dir
from tests.torture.campaign import Campaign, Result, tidy
from tests.torture.checker import UNSETTLED
from tests.torture.gateway import Gateway, GatewayDied, Setup
from tests.torture.journal import NEVER_AGAIN, Smsc
from tests.torture.outcomes import Row, figures, read_log
from tests.torture.states import Asking
from tests.torture.world import LATIN

MESSAGES: Final = 400
RATE: Final = 50.0  #: calls a second, each some two and a half messages
LOAD_SECONDS: Final = 60.0
PATIENCE: Final = 45.0
VAIN_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.25
ROUTE_OUT_SECONDS: Final = 12.0  #: a route that fails is left out for ten


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One fault or habit."""

    name: str
    plays: str = ""  #: YAML, over a quick and faultless SMSC
    profile: str = "default"  #: the name of a shipped one
    own: str = ""  #: YAML of a profile of its own, in its place
    binds: int = 2
    window: int = 100
    smsc: str = ""  #: further lines of [smsc.main]
    delivery: str = ""
    sections: str = ""
    rate: float = RATE
    messages: int = MESSAGES
    talks: float = 0.1
    latin: bool = False  #: customers write without Chinese
    #: Breaches that the fault itself brings, with the reason why nothing can be done.
    brings: Mapping[str, str] = field(default_factory=dict)
    patience: float = PATIENCE
    other: str | None = None  #: YAML of a second SMSC, in the sections at port OTHER
    #: What is wrong at first: `password` or `authority`. It is put right when all are accepted.
    wrong: str = ""
    quiet: float = 0.0  #: so long it may do nothing, and still have something to do


def played(plays: str, seed: int) -> Scenario:
    """An SMSC of a case."""
    quick = Scenario(
        seed=seed,
        latency=Span(0.0, 0.03),
        receipts=Receipts(delay=Span(0.05, 0.8)),
        redelivery=Redelivery(timeout=Span(3.0, 3.0), after=Span(0.2, 0.2)),
        enquire_link=Span(5.0, 5.0),
    )
    return scenarios.change(quick, scenarios.table(plays)) if plays else quick


def setup(case: Case, wrong_ca: Path | None) -> Setup:
    """The gateway's configuration in a case."""
    profile = "own" if case.own else case.profile
    tls = "allow_plaintext = true\n" if wrong_ca is None else f'tls_ca = "{wrong_ca}"\n'
    return Setup(
        window=case.window,
        smsc=f'binds = {case.binds}\nprofile = "{profile}"\nenquire_link = "2s"\n{case.smsc}',
        tls=tls,
        delivery=case.delivery,
        sections=case.sections,
        profiles={"own": case.own} if case.own else {},
    )


@contextlib.contextmanager
def prepared() -> Iterator[Gateway]:
    """A database with the schema and a key, to be copied by each run."""
    folder = make_open_dir()
    gateway = Gateway(folder, smsc=1, tickets=1)
    try:
        gateway.prepare()
        yield gateway
    finally:
        tidy(folder)


class Rest:
    """Whether the gateway has nothing left to do, by its own lists: a route that is left out for a while is
    quiet, and not at rest."""

    def __init__(self, campaign: Campaign, least: float) -> None:
        self._asking = Asking(campaign.gateway, campaign.session)
        self._least = least

    async def __call__(self, quiet: float) -> bool:
        if quiet < self._least:
            return False
        # In the order in which a message goes: none may slip from one list to the other meanwhile.
        unknown = await self._asking.all_of("/v1/messages", status="unknown")
        for status in sorted(UNSETTLED):
            page = await self._asking.get("/v1/messages", status=status, limit="1")
            if page["data"]:
                return False
        return quiet > ROUTE_OUT_SECONDS or all(row["lane"] == NEVER_AGAIN for row in unknown)


class Watch:
    """Looks at /v1/binds now and then, as an operator would."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self.told: dict[str, None] = {}
        self.binds = ""

    async def run(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        gateway, session = self._campaign.gateway, self._campaign.session
        headers = {"Authorization": f"Bearer {gateway.key}"}
        async with session.get(f"{gateway.base}/v1/binds", headers=headers) as answer:
            routes = (await answer.json())["data"]
        binds = [bind for route in routes for bind in route["binds"]]
        self.binds = f"{sum(bind['state'].startswith('bound') for bind in binds)}/{len(binds)}"
        for route in routes:
            self._note(route["state"], route["why"])
            for alarm in route["alarms"]:
                self._note("alarm", alarm)
            for code, times in route["unmapped"].items():
                self._note("unmapped", f"{code}" if times else "")
        for bind in binds:
            self._note("last error", bind["last_error"])

    def _note(self, kind: str, words: str) -> None:
        if words:
            self.told[f"{kind}: {words}"] = None


async def run(case: Case, like: Gateway, *, seed: int, messages: int | None = None) -> tuple[Row, Path]:
    """One run; its row, and where its journals lie."""
    most = messages or case.messages
    with tempfile.TemporaryDirectory() as authorities:
        right, wrong = (Path(authorities) / name for name in ("right", "wrong"))
        tls = server_context(make_or_find(right)) if case.wrong == "authority" else None
        if tls is not None:
            make_or_find(wrong)
        async with Campaign(
            seed,
            rate=case.rate,
            talks=case.talks,
            most=most,
            played=played(case.plays, seed),
            other=played(case.other, seed + 1) if case.other is not None else None,
            setup=setup(case, wrong / "ca.pem" if tls is not None else None),
            tls=tls,
            like=like,
        ) as campaign:
            campaign.world.tickets.trouble = 0.0
            campaign.world.tongue = LATIN if case.latin else campaign.world.tongue
            campaign.ask_all = True
            campaign.patience = case.patience
            watch = Watch(campaign)
            await campaign.work(0.0)
            watching = asyncio.create_task(watch.run())
            try:
                return await _judged(case, campaign, watch, most), campaign.folder
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)


def _attempts(seen: Smsc) -> int:
    """How often it was tried to bind."""
    return sum(line.what.startswith(("bind_", "refused", "never answered")) for line in seen.binds)


async def _put_right(case: Case, campaign: Campaign) -> int:
    """See how often it binds in vain, then put right what was wrong and start it again."""
    await asyncio.sleep(VAIN_SECONDS)
    tries = _attempts(campaign.seen_so_far())
    await campaign.stop()
    campaign.world.smsc.change({"accounts": []})
    if case.wrong == "authority":
        file = campaign.folder / "huiyin.toml"
        file.write_text(file.read_text().replace("/wrong/ca.pem", "/right/ca.pem"))
    await campaign.work(0.0)
    return tries


async def _judged(case: Case, campaign: Campaign, watch: Watch, most: int) -> Row:
    row = Row(name=case.name, profile="own" if case.own else case.profile)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LOAD_SECONDS):
            while campaign.load.accepted < most:
                await asyncio.sleep(0.05)
    vain = await _put_right(case, campaign) if case.wrong else 0
    began = time.monotonic()
    campaign.at_rest, campaign.before_judging = Rest(campaign, case.quiet), watch.look
    result = await campaign.finish()
    row.drained = round(campaign.rested_at - began, 1)
    row.binds = watch.binds
    row.told = list(watch.told)
    row.rss = campaign.rss
    row.attempts = _attempts(campaign.seen)
    figures(row, campaign.journals, campaign.seen, campaign.states, result.verdict)
    if vain > case.binds:
        result.verdict.breach("hammered", f"{vain} binds in {VAIN_SECONDS:.0f} s and more, all refused")
    row.log, strange = read_log(campaign.gateway.log)
    if strange:
        result.verdict.breach("strange log", strange[0])
    if len(row.log) and sum(row.log.values()) > row.accepted:
        result.verdict.breach("flood of log lines", str(row.log))
    _settle(case, row, result)
    return row


def _settle(case: Case, row: Row, result: Result) -> None:
    row.breaches = [
        breach for breach in result.verdict.breaches if breach.partition(":")[0] not in case.brings
    ]


async def campaign(
    cases: Sequence[Case], *, seed: int, messages: int | None, abreast: int, tell: Any
) -> list[Row]:
    """All of them, a few side by side; rows in the order of the cases."""
    rows: dict[str, Row] = {}
    waiting = list(cases)
    with prepared() as like:

        async def work() -> None:
            while waiting:
                case = waiting.pop(0)
                began = time.monotonic()
                try:
                    row, folder = await run(case, like, seed=seed, messages=messages)
                except GatewayDied as error:
                    row, folder = Row(name=case.name, profile=case.profile, breaches=[f"died: {error}"]), None
                rows[case.name] = row
                tell(row, time.monotonic() - began, folder)
                if folder is not None and row.sound:
                    tidy(folder)

        await asyncio.gather(*(work() for _ in range(abreast)))
    return [rows[case.name] for case in cases]


def play(cases: Sequence[Case], *, seed: int, messages: int | None, abreast: int, tell: Any) -> list[Row]:
    """`campaign`, in a loop of its own."""
    return uvloop.run(campaign(cases, seed=seed, messages=messages, abreast=abreast, tell=tell))
