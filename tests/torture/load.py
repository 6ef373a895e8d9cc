"""Callers: they ask, write down what they heard, and ask again with the same key where they heard nothing."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final

import aiohttp

from tests.torture.gateway import Gateway
from tests.torture.journal import NEVER_AGAIN, Asked
from tests.torture.world import World, numbers

REPEATED: Final = 0.05  #: share of calls that are made again although they were answered
SHARED: Final = 300  #: customers who get many messages
ANSWER_SECONDS: Final = 10.0
FILLER: Final = "您好，您预约的宽带移机业务已受理，师傅将在两个工作日内与您联系，请保持电话畅通。"


class Load:
    """Callers at work. `run` until `stop`; while the gateway is down they wait."""

    def __init__(
        self,
        gateway: Gateway,
        world: World,
        session: aiohttp.ClientSession,
        seed: int,
        *,
        rate: float = 120.0,
        talks: float = 0.05,
        most: int = 10**9,
    ) -> None:
        """`talks` is the share of customers who write of their own accord; after `most` accepted it rests."""
        self._gateway = gateway
        self._world = world
        self._session = session
        self._random = Random(f"load:{seed}")
        self._journal = world.journals.asked
        self._tags = count(1)
        self._fresh = numbers(10_000_000)
        self._pause = 1.0 / rate
        self._talks = talks
        self._most = most
        self._again: list[Callable[[], Any]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.up = asyncio.Event()
        self.accepted = 0
        self.faults: list[BaseException] = []  #: the harness's own

    async def run(self) -> None:
        """Begin a call every now and then; no more than so many at a time."""
        draw = self._random
        kinds: list[tuple[float, Callable[[], None]]] = [
            (0.40, self._single),
            (0.15, self._long),
            (0.22, self._resolve),
            (0.13, self._batch),
            (0.05, self._later),
            (self._talks, lambda: self._world.talk(f"86139{draw.randrange(SHARED):08}")),
        ]
        due = time.monotonic()
        while not self._stopping and self.accepted < self._most:
            await self.up.wait()
            if len(self._tasks) < 40:
                if self._again and draw.random() < 0.5:
                    self._spawn(self._again.pop(0)())
                else:
                    draw.choices([do for _, do in kinds], [share for share, _ in kinds])[0]()
            due = max(due + draw.expovariate(1.0 / self._pause), time.monotonic() - 0.2)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def finish(self) -> None:
        """Ask nothing new; what was left without an answer and has a key is asked again until it has one."""
        self._stopping = True
        while self._tasks or self._again:
            await self.up.wait()
            while self._again and len(self._tasks) < 20:
                self._spawn(self._again.pop(0)())
            await asyncio.sleep(0.02)

    # What they ask

    def _single(self) -> None:
        lane = (
            NEVER_AGAIN if self._random.random() < 0.35 else self._random.choice(("transactional", "service"))
        )
        asked = self._asked(self._shared() if lane != NEVER_AGAIN else next(self._fresh), lane)
        self._ask("/v1/messages", self._message(asked), [asked])

    def _long(self) -> None:
        asked = self._asked(next(self._fresh), "transactional")
        self._ask("/v1/messages", self._message(asked, FILLER * self._random.choice((2, 3, 4))), [asked])

    def _resolve(self) -> None:
        asked = self._asked(next(self._fresh), "transactional")
        asked.resolution = True
        self._world.expect(asked)
        text = f"您反映的问题{asked.tag}已核实，{FILLER}"
        self._ask("/v1/resolutions", {"to": asked.to, "ticket": {"id": asked.tag}, "text": text}, [asked])

    def _batch(self) -> None:
        many = []
        key = self._key()
        for _ in range(self._random.choice((3, 10, 30))):
            lane = self._random.choice((NEVER_AGAIN, "service", "transactional"))
            to = next(self._fresh) if lane == NEVER_AGAIN else self._shared()
            many.append(self._asked(to, lane, key))
        self._ask("/v1/messages/batch", [self._message(each) for each in many], many)

    def _later(self) -> None:
        """For a moment from now on; half of them are taken back."""
        asked = self._asked(next(self._fresh), "service")
        at = datetime.now(UTC) + timedelta(seconds=self._random.uniform(0.3, 3.0))
        self._ask("/v1/messages", self._message(asked) | {"send_at": at.isoformat()}, [asked])
        if self._random.random() < 0.5:
            self._spawn(self._take_back(asked))

    def _asked(self, to: str, lane: str, key: str | None = None) -> Asked:
        asked = Asked(f"T{next(self._tags):08}", to, lane, key or self._key())
        self._journal[asked.tag] = asked
        return asked

    def _key(self) -> str | None:
        return f"key-{self._random.getrandbits(64):016x}" if self._random.random() < 0.7 else None

    def _shared(self) -> str:
        return f"139{self._random.randrange(SHARED):08}"

    def _message(self, asked: Asked, more: str = "") -> dict[str, Any]:
        text = f"业务受理单{asked.tag}已登记。{more}"
        return {"to": asked.to, "text": text, "lane": asked.lane, "ref": asked.tag}

    # How they ask

    def _ask(self, path: str, body: Any, many: list[Asked]) -> None:
        key = many[0].key
        for each in many:
            each.key = key
        octets = json.dumps(body, ensure_ascii=False).encode()
        self._spawn(self._post(path, octets, many))

    async def _post(self, path: str, body: bytes, many: list[Asked], *, again: bool = False) -> None:
        key = many[0].key
        headers = {"Authorization": f"Bearer {self._gateway.key}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        for each in many:
            each.asked_at = each.asked_at or time.monotonic()
        try:
            async with self._session.post(
                f"{self._gateway.base}{path}", data=body, headers=headers
            ) as answer:
                status, said = answer.status, await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            for each in many:
                each.unanswered += 1
        else:
            self._heard(status, said, many)
            if status < 300 and (again or self._random.random() > REPEATED):
                return
            again = status < 300
        if key is not None:
            await asyncio.sleep(0.05)
            self._again.append(lambda: self._post(path, body, many, again=again))

    def _heard(self, status: int, said: bytes, many: list[Asked]) -> None:
        if status >= 300:
            for each in many:
                each.refused.append(status)
            return
        answer = json.loads(said)
        items = answer.get("data", [answer])
        for each, item in zip(many, items, strict=True):
            if "id" not in item:
                each.refused.append(int(item.get("status", 0)))
                continue
            self.accepted += not each.ids
            each.heard_at = each.heard_at or time.monotonic()
            each.ids.append(item["id"])
            each.segments = int(item["segments"])
            if item.get("survey"):
                each.survey = item["survey"]["id"]

    async def _take_back(self, asked: Asked) -> None:
        await asyncio.sleep(self._random.uniform(0.0, 2.0))
        if not asked.ids:
            return
        url = f"{self._gateway.base}/v1/messages/{asked.ids[0]}/cancel"
        try:
            async with self._session.post(
                url, headers={"Authorization": f"Bearer {self._gateway.key}"}
            ) as answer:
                asked.cancelled |= answer.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.faults.append(error)
