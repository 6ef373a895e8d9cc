"""Binds of ours on a real SMSC, with ears that write down what they hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from gateway.domain.msisdn import parse_msisdn
from gateway.esme.binds import Binds
from gateway.esme.link import Ears
from gateway.esme.route import Account, BindMode, Route
from gateway.services.carrier import Fate, Outcome, Parcel
from gateway.services.flights import Outgoing
from gateway.services.inbound import ShortMessage
from gateway.services.receipts import Receipt
from gateway.services.ways import BindState
from gateway.simulator import scenario
from gateway.simulator.smsc import Smsc
from gateway.smpp.timers import Timers
from gateway.sms.segment import split
from gateway.storage.database import StorageUnavailable
from tests.services.road import ANNA, message_to

QUICK = Timers(
    bind_timeout=1.0, enquire_link=0.2, response_timeout=0.4, answer_timeout=1.0, drain_timeout=1.0
)


class Heard:
    """What the ears were told. While `away`, nothing can be stored."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.receipts: list[Receipt] = []
        self.short_messages: list[ShortMessage] = []
        self.away = False
        self.refused = 0

    def ears(self) -> Ears:
        return Ears(
            outcomes=self.outcomes.extend,
            receipts=lambda receipts: self._store(self.receipts, receipts),
            short_messages=lambda messages: self._store(self.short_messages, messages),
            room_again=lambda: None,
            number_of=lambda address: parse_msisdn(address, ("cn",)) or address,
            now=lambda: datetime.now(UTC),
        )

    def fates(self) -> list[str]:
        return [outcome.fate.name for outcome in self.outcomes]

    def taken(self) -> int:
        return sum(outcome.fate is Fate.TAKEN for outcome in self.outcomes)

    async def _store(self, shelf: list[Any], arrived: Sequence[Any]) -> None:
        await asyncio.sleep(0)
        if self.away:
            self.refused += len(arrived)
            raise StorageUnavailable("away")
        shelf.extend(arrived)


def parcel(body: str = "您好", to: str = ANNA, sender: str = "10086", **fields: Any) -> Parcel:
    """One short message for the carrier."""
    message = message_to(to, body, sender=sender)
    cut = split(body, 7)
    token = Outgoing(message).segments[0]
    made = Parcel(token, "main", to, sender, cut.payloads[0], cut.esm_class, cut.data_coding, True, None)
    return made._replace(**fields)


def parcels(count: int) -> list[Parcel]:
    """So many short messages, each to a number of its own: "0", "1", …"""
    return [parcel(f"{n}", to=f"86139053{10000 + n}") for n in range(count)]


def route_to(
    port: int, *modes: BindMode, system_id: str = "huiyin", password: str = "secret", **options: Any
) -> Route:
    accounts = tuple(
        Account(mode=mode, host="127.0.0.1", port=port, system_id=system_id, password=password)
        for mode in modes or (BindMode.TRANSCEIVER,)
    )
    return Route(name="main", accounts=accounts, **options)


def states(binds: Binds) -> list[BindState]:
    """Every bind as people see it."""
    return [bind for route in binds.routes() for bind in route.binds]


class Ground:
    """An SMSC and our binds to it."""

    def __init__(self, smsc: Smsc, binds: Binds, heard: Heard) -> None:
        self.smsc, self.binds, self.heard = smsc, binds, heard

    async def bound(self, count: int = 1) -> None:
        await until(lambda: sum(bind.state.startswith("bound") for bind in states(self.binds)) >= count)

    async def send(self, *parcels: Parcel) -> None:
        """Hand all over, as room allows; what comes unsent goes again."""
        left = list(parcels)
        async with asyncio.timeout(5):
            while left:
                room = self.binds.room()
                if room > 0:
                    self.binds.submit(left[:room])
                    left = left[room:]
                await asyncio.sleep(0.005)


@asynccontextmanager
async def ground(
    yaml: str = "", *modes: BindMode, bound: int | None = None, **options: Any
) -> AsyncIterator[Ground]:
    smsc = await Smsc.start(scenario.parse(yaml))
    heard = Heard()
    binds = Binds([route_to(smsc.port, *modes, **options)], seed=1)
    here = Ground(smsc, binds, heard)
    try:
        binds.start(heard.ears())
        await here.bound(max(1, len(modes)) if bound is None else bound)
        yield here
    finally:
        await binds.stop(0.5)
        await here.smsc.close()


async def until(happened: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.005)
