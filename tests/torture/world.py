"""The world around the gateway: an SMSC with receipts, customers who answer, and a ticket system that is
not always well. All of it writes down what it saw."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from aiohttp import web

from gateway.simulator.record import Arrival
from gateway.simulator.scenario import Do, Fault, Receipts, Redelivery, Scenario, Span
from gateway.simulator.smsc import Smsc
from tests.torture.journal import Asked, Call, Journals, Said

#: What the survey's answer may be: text, and the score it states.
ANSWERS: Final = (
    *((f"{score}", score) for score in range(7, 11)),
    *((f"{score}分", score) for score in range(7, 11)),
    ("8分，谢谢师傅", 8),
    ("9 师傅很耐心", 9),
    ("3", 3),
)
LONG_WORDS: Final = "上次报的故障还没有人来处理，我已经等了好几天，家里老人孩子都要用网，请尽快安排师傅上门。"


@dataclass(frozen=True, slots=True)
class Tongue:
    """How customers write."""

    answers: Sequence[tuple[str, int]]  #: to a survey: text, and the score it states
    question: str  #: of their own accord, with its number
    long: str  #: what makes it a long one
    complaint: str  #: in place of a score


CHINESE: Final = Tongue(
    ANSWERS, "请问流量套餐怎么办理，第{}次来问", LONG_WORDS, "师傅还没有来呢，第{}号报修单"
)
#: For SMSCs whose customers' texts are in an alphabet without Chinese.
LATIN: Final = Tongue(
    [(f"{score}", score) for score in range(3, 11)],
    "how do I get a data plan, asked {} times",
    "nobody has come to repair it, we have waited for days and all need the line, please send someone. ",
    "nobody has come yet, order {}",
)

#: A rather quick SMSC whose receipts and answers now and then come as nobody would wish.
ROUGH: Final = (
    Fault(do=Do.RECEIPT_FIRST, share=0.02, by=Span(0.05, 0.3)),
    Fault(do=Do.ANSWER_LATE, share=0.01, by=Span(0.1, 0.5)),
)


def scenario(seed: int, faults: tuple[Fault, ...] = ROUGH) -> Scenario:
    """How the SMSC behaves in a campaign."""
    return Scenario(
        seed=seed,
        latency=Span(0.0, 0.03),
        receipts=Receipts(delay=Span(0.05, 1.5)),
        redelivery=Redelivery(timeout=Span(5.0, 5.0), after=Span(0.2, 0.2)),
        faults=faults,
    )


class Tickets:
    """A stand-in ticket system: takes scores; sometimes it fails, before or after having taken one."""

    def __init__(self, journals: Journals, random: Random) -> None:
        self._journals = journals
        self._random = random
        self._runner: web.AppRunner | None = None
        self.trouble = 0.1  #: share of calls that go wrong
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/tickets/{ticket}/satisfaction", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        draw = self._random.random()
        cut = draw < self.trouble / 2
        fails = not cut and draw < self.trouble
        score = body.get("score")
        self._journals.calls.append(
            Call(
                time.time(),
                request.headers.get("Idempotency-Key", ""),
                request.match_info["ticket"],
                int(score) if score is not None else None,
                0 if cut else 500 if fails else 200,
                not fails,
            )
        )
        await asyncio.sleep(self._random.uniform(0.0, 0.05))
        if cut and request.transport is not None:
            request.transport.abort()
        return web.json_response({"ok": not fails}, status=500 if fails else 200)


class World:
    """SMSC, customers and ticket system, in the harness's own process."""

    def __init__(self, journals: Journals, folder: Path, seed: int) -> None:
        self.journals = journals
        self.random = Random(f"world:{seed}")
        self.tickets = Tickets(journals, Random(f"tickets:{seed}"))
        self.last_arrival = time.monotonic()
        self.first_since: Callable[[], None] | None = None  #: told of the next arrival
        self.quiet = False  #: customers write nothing any more
        self.revise = 0.1
        self.tongue = CHINESE
        self._folder = folder
        self._seed = seed
        self._asked_of: dict[str, Asked] = {}
        self._answered: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._words = 0
        self.smsc: Smsc

    async def start(
        self, played: Scenario, tls: ssl.SSLContext | None = None, other: Scenario | None = None
    ) -> None:
        """`other` is how a second SMSC behaves, if there is one; both write into one record."""
        path = self._folder / "smsc.ndjson"
        self.journals.smsc = path
        self.smsc = await Smsc.start(played, record_path=path, kept=1000, tls=tls)
        self.smsc.on_message(self._arrived)
        self.others: list[Smsc] = []
        if other is not None:
            second = await Smsc.start(other)
            second.record = self.smsc.record
            second.on_message(self._arrived)
            self.others.append(second)
        await self.tickets.start()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for smsc in (*self.others, self.smsc):
            await smsc.close()
        await self.tickets.close()

    def expect(self, asked: Asked) -> None:
        """This one asks a question, at a number that nobody else is written to."""
        self._asked_of[f"86{asked.to}"] = asked

    def busy(self) -> bool:
        """Whether something is on its way from here."""
        return bool(
            self._tasks
            or any(smsc.waiting or len(smsc.agenda) for smsc in (self.smsc, *self.others))
            or any(not self.taken(each) for each in self.journals.said)
        )

    def taken(self, said: Said) -> bool:
        """Whether the gateway answered OK to all of a text; what the SMSC no longer holds."""
        return said.mo not in self.smsc.replies.open

    # Customers

    def _arrived(self, arrival: Arrival) -> None:
        self.last_arrival = time.monotonic()
        if self.first_since is not None:
            told, self.first_since = self.first_since, None
            told()
        part = arrival.part
        asked = self._asked_of.get(arrival.destination)
        if asked is None or asked.tag in self._answered or self.quiet:
            return
        if (part is None or part[2] == part[1]) and "回复" in arrival.text:
            self._answered.add(asked.tag)
            self._spawn(self._answer(asked, arrival.destination, arrival.source))

    async def _answer(self, asked: Asked, msisdn: str, address: str) -> None:
        await asyncio.sleep(self.random.uniform(0.02, 0.8))
        draw = self.random.random()
        if draw < 0.2:
            return  # says nothing
        if draw < 0.3:
            self._words += 1
            await self._say(msisdn, address, self.tongue.complaint.format(self._words), ticket=asked.tag)
            return
        text, score = self.random.choice(self.tongue.answers)
        said = await self._say(msisdn, address, text, ticket=asked.tag, score=score)
        if draw < 0.3 + self.revise:
            while not self.taken(said):
                await asyncio.sleep(0.05)
            await asyncio.sleep(self.random.uniform(0.0, 0.3))
            second = 10 if score != 10 else 9
            await self._say(msisdn, address, str(second), ticket=asked.tag, score=second)

    def talk(self, msisdn: str) -> None:
        """A customer writes of his own accord: a short text, a long one, or the same one twice."""
        self._words += 1
        text, long = self.tongue.question.format(self._words), self.tongue.long
        draw = self.random.random()
        if draw < 0.4:
            # The number stands in each part: references of 8 bits come round within a campaign.
            text = f"{text} {long}{self._words}{long}{self._words}"
        self._spawn(self._talk(msisdn, text, 2 if draw > 0.7 else 1))

    async def _talk(self, msisdn: str, text: str, times: int) -> None:
        for _ in range(times):
            said = await self._say(msisdn, "10086", text)
            while not self.taken(said):
                await asyncio.sleep(0.05)

    async def _say(self, msisdn: str, address: str, text: str, **told: Any) -> Said:
        mo = await self.smsc.inject(msisdn, address, text)
        said = Said(mo.number, msisdn, text, **told)
        self.journals.said.append(said)
        return said

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def numbers(start: int) -> Iterator[str]:
    """Customers' numbers, each once."""
    for number in range(start, 100_000_000):
        yield f"139{number:08}"
