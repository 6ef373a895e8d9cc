"""Customers who order, refuse, leave and score all the time, while the gateway is killed: what they wrote and
what the service platform got are written down outside."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
import msgspec

from gateway.simulator import control
from gateway.simulator.record import Arrival, Journal
from gateway.simulator.smsc import Smsc
from gateway.simulator.tickets import CallLine, Do, TicketSystem, Trouble, build
from tests.conftest import make_open_dir
from tests.torture.gateway import Gateway, GatewayDied, Setup, children_of
from tests.torture.journal import Journals
from tests.torture.paid_judge import Paid, Person, Seen, judge
from tests.torture.states import Asking
from tests.torture.world import Tickets, numbers, scenario

YES: Final = ("Y", "y", "是", "Ｙ", "确认", "同意", "yes", "Y。")
NO: Final = ("N", "n", "不要")
JUNK: Final = ("Y?", "YN", "好的", "什么意思", "不Y", "如果免费就Y", "👍", "8")
SERVICES: Final = (("news", "手机报"), ("video", "视频会员"), ("ring", "彩铃"), ("cloud", "云盘"))
MODES: Final = {"yes": 8, "many": 4, "late yes": 3, "no": 2, "junk": 2, "taken back": 3, "all at once": 3}
LEAVINGS: Final = {"one": 4, "two": 2, "every": 2}
KINDS: Final = {"kill": 4, "crash": 4, "backend": 2, "early": 1, "term": 1}
TROUBLES: Final = (Do.APPLIED_SILENT, Do.APPLIED_SILENT, Do.ERROR, Do.DOWN, Do.SLOW)

QUIET_SECONDS: Final = 2.5
DRAIN_SECONDS: Final = 60.0
POINT_SECONDS: Final = 8.0

CONNECTORS: Final = """
[connectors."service.activate"]
url = "http://127.0.0.1:{port}/services/{{{{ to }}}}/{{{{ service.code }}}}"
body = {{ action = "activate", confirmation = "{{{{ confirmation }}}}" }}
timeout = "1s"
first_pause = "100ms"
longest_pause = "500ms"
breaker_pause = "500ms"

[connectors."service.cancel"]
url = "http://127.0.0.1:{port}/services/{{{{ to }}}}/{{{{ service.code }}}}"
body = {{ action = "cancel" }}
timeout = "1s"
first_pause = "100ms"
longest_pause = "500ms"
breaker_pause = "500ms"
"""


@dataclass(slots=True)
class Ended:
    """What came of a campaign."""

    judged: Paid
    folder: Path
    kinds: dict[str, int] = field(default_factory=dict)
    unreached: list[str] = field(default_factory=list)
    seconds: float = 0.0


class PaidCampaign:
    """`async with PaidCampaign(…) as campaign:` then rounds, then `finish`."""

    def __init__(
        self, seed: int = 1, *, rate: float = 25.0, trick: str = "", like: Gateway | None = None
    ) -> None:
        self.random = Random(f"paid:{seed}")
        self.folder = make_open_dir()
        self.people: dict[str, Person] = {}  #: by MSISDN
        self.kinds: dict[str, int] = {}
        self.unreached: list[str] = []
        self.journals = Journals()
        self.tickets = Tickets(self.journals, Random(f"tickets:{seed}"))
        self.troubled = 0.25  #: share of the time in which the platform is in trouble
        self._seed = seed
        self._rate = rate
        self._trick = trick
        self._like = like
        self._fresh = numbers(20_000_000)
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []
        self._ending = False
        self._up = asyncio.Event()
        self._began = time.monotonic()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> "PaidCampaign":
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        self.smsc = await Smsc.start(scenario(self._seed), record_path=self.folder / "smsc.ndjson", kept=1000)
        self._stack.push_async_callback(self.smsc.close)
        self.smsc.on_message(self._arrived)
        await self.tickets.start()
        self._stack.push_async_callback(self.tickets.close)
        self.platform = TicketSystem(Journal(self.folder / "platform.ndjson"))
        self._stack.callback(self.platform.close)
        runner, port = await control.serve(build(self.platform), "127.0.0.1", 0)
        self._stack.push_async_callback(runner.cleanup)
        self.session = await self._stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10.0))
        )
        setup = Setup(sections=CONNECTORS.format(port=port))
        self.gateway = Gateway(self.folder, smsc=self.smsc.port, tickets=self.tickets.port, setup=setup)
        self._stack.callback(self.gateway.kill, database_too=True)
        await asyncio.to_thread(self.gateway.prepare, self._like)
        self._stack.push_async_callback(self._stop_people)
        self._spawn(self._come())
        self._spawn(self._make_trouble())

    async def _stop_people(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Rounds

    async def start(self, trick: str = "") -> bool:
        """Start the gateway; False: it died before it was ready."""
        self.gateway.start(",".join(each for each in (self._trick, trick) if each))
        if not await self.gateway.ready(self.session):
            return False
        self._up.set()
        return True

    async def round(self, kind: str | None = None) -> str:
        """Let it work for a moment and kill it; PostgreSQL dies with it, before it, or goes down in order."""
        kind = kind or self.random.choices(list(KINDS), list(KINDS.values()))[0]
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind == "early":
            self.gateway.start(self._trick)
            await asyncio.sleep(self.random.uniform(0.1, 1.5))
        else:
            await self.start()
            await asyncio.sleep(self.random.uniform(0.2, 2.0))
        if kind == "backend":
            await self._lose_backend()
        if kind == "term":
            await self.gateway.stop()
        self._kill(database_too=kind == "crash" or (kind == "early" and self.random.random() < 0.5))
        return kind

    async def _lose_backend(self) -> None:
        """One PostgreSQL process dies under the gateway, which goes on: of some commits nobody knows."""
        victims = children_of(self.gateway.postmaster())
        if victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.random.choice(victims), signal.SIGKILL)
            await asyncio.sleep(self.random.uniform(1.0, 3.0))

    async def failpoint(self, name: str, times: int = 1) -> bool:
        """Run until it dies at a named point; False: it never came there."""
        self.kinds["failpoint"] = self.kinds.get("failpoint", 0) + 1
        reached = True
        if await self.start(f"failpoint:{name}:{times}"):
            try:
                await self.gateway.wait(POINT_SECONDS)
            except TimeoutError:
                reached = False
                self.unreached.append(f"{name}:{times}")
        self._kill(database_too=self.random.random() < 0.5)
        return reached

    def _kill(self, *, database_too: bool) -> None:
        if self._faults:
            raise self._faults[0]
        self._up.clear()
        self.gateway.kill(database_too=database_too)

    async def finish(self, trick: str = "", patience: float = DRAIN_SECONDS) -> Ended:
        """Leave it in peace until nothing moves any more, then judge."""
        if not self.gateway.running and not await self.start(trick):
            raise GatewayDied(self.gateway.last_words())
        self._ending = True
        self.troubled = self.tickets.trouble = 0.0
        self.platform.trouble = None
        rested = await self._rest(patience)
        if self._faults:
            raise self._faults[0]
        judged = judge(self.people.values(), await self._seen())
        if not rested:
            judged.breach("stuck", f"not at rest after {patience:.0f} s")
        (self.folder / "people.ndjson").write_text(
            "\n".join(json.dumps(asdict(each), ensure_ascii=False) for each in self.people.values())
        )
        await self.gateway.stop()
        seconds = time.monotonic() - self._began
        return Ended(judged, self.folder, self.kinds, self.unreached, seconds)

    async def _rest(self, patience: float) -> bool:
        deadline, still, seen = time.monotonic() + patience, time.monotonic(), -1
        while time.monotonic() < deadline:
            counts = self.smsc.record.counts
            now = counts.submits + counts.mos_taken + len(self.journals.calls) + self.calls_made
            busy = self._tasks or self.smsc.replies.open or self.smsc.waiting or len(self.smsc.agenda)
            if now != seen or busy:
                seen, still = now, time.monotonic()
            elif time.monotonic() - still > QUIET_SECONDS:
                return True
            await asyncio.sleep(0.1)
        return False

    @property
    def calls_made(self) -> int:
        """How many calls the platform got."""
        return (self.folder / "platform.ndjson").read_bytes().count(b"\n")

    async def _seen(self) -> Seen:
        asking = Asking(self.gateway, self.session)
        lines = (self.folder / "platform.ndjson").read_bytes()
        rows = await asking.all_of("/v1/confirmations")
        leavers = [each for each in self.people.values() if each.kind == "leaver" and each.asked]
        held = {}
        for each in leavers:
            found = await asking.all_of("/v1/subscriptions", to=each.to)
            held[each.to] = {row["service"]["code"]: row["status"] for row in found}
        return Seen(
            calls=msgspec.json.Decoder(CallLine).decode_lines(lines),
            scores=self.journals.calls,
            confirmations=rows,
            subscriptions=held,
            evidence=await asyncio.to_thread(self._verify),
        )

    def _verify(self) -> dict[str, Any]:
        """What `huiyin evidence verify` says of the gateway's own database."""
        done = subprocess.run(
            [*self.gateway._command("gateway"), "evidence", "verify", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        return dict(json.loads(done.stdout)) if done.stdout else {"intact": False, "error": done.stderr}

    # Those who call the API

    async def _come(self) -> None:
        while not self._ending:
            await self._up.wait()
            if len(self._tasks) < 60:
                person = self._person()
                self.people[person.msisdn] = person
                begins = {"buyer": self._offer, "leaver": self._subscribe, "scorer": self._resolve}
                self._spawn(begins[person.kind](person))
            await asyncio.sleep(self.random.expovariate(self._rate))

    def _person(self) -> Person:
        draw, to = self.random, next(self._fresh)
        kind = draw.choices(("buyer", "leaver", "scorer"), (6, 2, 2))[0]
        modes = {"buyer": MODES, "leaver": LEAVINGS, "scorer": {"score": 1}}[kind]
        return Person(to=to, kind=kind, mode=draw.choices(list(modes), list(modes.values()))[0])

    async def _offer(self, person: Person) -> None:
        code, name = self.random.choice(SERVICES)
        service = {"code": code, "name": name, "price": "9.90", "period": "month"}
        person.services = [code]
        body = {"to": person.to, "service": service, "channel": "app", "ref": f"ORDER-{person.to}"}
        await self._ask("POST", "/v1/confirmations", body, person.to)
        person.asked = True

    async def _resolve(self, person: Person) -> None:
        body = {"to": person.to, "ticket": {"id": f"T{person.to}"}, "text": "您反映的问题已处理。"}
        await self._ask("POST", "/v1/resolutions", body, person.to)
        person.asked = True

    async def _subscribe(self, person: Person) -> None:
        """What the platform says first; then the customer wants to see it."""
        person.services = [code for code, _ in SERVICES]
        for place, (code, name) in enumerate(SERVICES):
            body = {
                "name": name, "price": "5.00", "period": "month", "status": "active", "trial": False,
                "started_at": f"2026-01-0{place + 1}T00:00:00+08:00", "expires_at": None,
                "at": "2026-01-09T00:00:00+08:00",
            }  # fmt: skip
            await self._ask("PUT", f"/v1/subscriptions/{person.to}/{code}", body, None)
        person.asked = True
        await self._say(person, "10086", "0000")

    async def _ask(self, method: str, path: str, body: Any, key: str | None) -> None:
        """Ask until there is a 2xx: what has no answer is asked again under the same key."""
        headers = {"Authorization": f"Bearer {self.gateway.key}"} | ({"Idempotency-Key": key} if key else {})
        while True:
            await self._up.wait()
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with self.session.request(
                    method, f"{self.gateway.base}{path}", json=body, headers=headers
                ) as answer:
                    if answer.status < 300:
                        return
                    if answer.status not in (409, 429, 503):
                        raise AssertionError(f"{path}: {answer.status} {await answer.text()}")
            await asyncio.sleep(0.05)

    async def _make_trouble(self) -> None:
        while not self._ending:
            await asyncio.sleep(0.2)
            if self.platform.trouble is None and self.random.random() < self.troubled:
                do, times = self.random.choice(TROUBLES), self.random.randint(1, 4)
                self.platform.trouble = Trouble(do=do, seconds=0.3, times=times)

    # Customers

    def _arrived(self, arrival: Arrival) -> None:
        person, part = self.people.get(arrival.destination), arrival.part
        if person is None or (part is not None and part[2] != part[1]):
            return
        answers: dict[str, Callable[[Person, str], Awaitable[None]]] = {
            "buyer": self._decide, "leaver": self._leave, "scorer": self._score,
        }  # fmt: skip
        if person.kind == "leaver" and person.mode == "every" and "确认退订全部" in arrival.text:
            if not person.agreed:
                person.agreed = True
                self._spawn(self._say(person, arrival.source, self.random.choice(YES[:4])))
        elif not person.address:  # the first that anybody here is sent asks him something
            person.address = arrival.source
            self._spawn(answers[person.kind](person, arrival.source))

    async def _decide(self, person: Person, address: str) -> None:
        draw = self.random
        await asyncio.sleep(draw.uniform(0.0, 0.6))
        match person.mode:
            case "yes" | "no" | "junk":
                words = [draw.choice({"yes": YES, "no": NO, "junk": JUNK}[person.mode])]
            case "late yes":
                words = [draw.choice(JUNK), draw.choice(YES)]
            case "taken back":
                words = [draw.choice(YES), draw.choice(NO)]
            case "many":
                words = draw.choices(YES, k=draw.randint(2, 6))
            case _:
                words = draw.choices(YES + NO + JUNK, k=10)
        if person.mode in ("many", "all at once"):
            await asyncio.gather(*(self._say(person, address, each) for each in words))
            return
        for each in words:
            await self._say(person, address, each)

    async def _leave(self, person: Person, address: str) -> None:
        await asyncio.sleep(self.random.uniform(0.0, 0.6))
        match person.mode:
            case "one":
                number = self.random.randint(2, 5)
                person.wanted = [person.services[number - 2]]
                text = self.random.choice((f"{number}", f"退订{number}", f"第{number}项"))
                again = self.random.randint(1, 3)
                await asyncio.gather(*(self._say(person, address, text) for _ in range(again)))
            case "two":
                first, second = self.random.sample(range(2, 6), 2)
                person.wanted = [person.services[first - 2], person.services[second - 2]]
                await self._say(person, address, f"{first}、{second}")
            case _:
                person.wanted = list(person.services)
                await self._say(person, address, self.random.choice(("1", "全部退订")))

    async def _score(self, person: Person, address: str) -> None:
        await asyncio.sleep(self.random.uniform(0.0, 0.6))
        person.score = self.random.randint(3, 10)
        await self._say(person, address, f"{person.score}")

    async def _say(self, person: Person, address: str, text: str) -> None:
        """Write, and wait until the SMSC was answered OK."""
        person.said.append((time.time(), address, text))
        mo = self.smsc.put_in(person.msisdn, address, text)
        while mo.number in self.smsc.replies.open:
            await asyncio.sleep(0.02)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._faults.append(error)
