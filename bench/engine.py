"""Our SMPP engine alone, as the gateway runs it, with nothing behind it."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Any
from uuid import UUID

from bench.child import Job, serve
from gateway.app.serve import seldom_collect
from gateway.domain.message import Lane, Message, OnUnknown, Status
from gateway.esme.binds import Binds
from gateway.esme.link import Ears
from gateway.esme.route import Account, BindMode, Route
from gateway.services.dispatch import Fate, Outcome, Parcel
from gateway.services.flights import Flights, Outgoing
from gateway.services.inbound import ShortMessage
from gateway.services.receipts import Receipt
from gateway.sms.segment import split

#: To one number only one message is under way at a time.
NUMBERS = 20_000


class Feeder:
    """In dispatch's place: keeps the windows full, matches answers and receipts in memory, stores nothing."""

    def __init__(self, route: Route, count: int, text: str, *, receipts: bool) -> None:
        self._binds = Binds([route])
        self._bound = route.binds
        self._flights = Flights()
        self._report = receipts
        self._left = self._unsettled = count
        self.started = self.ended = 0.0  #: from the first message to the last answer or receipt
        self._strange: set[tuple[str, str]] = set()
        cut = split(text, 0)
        now = datetime.now(UTC)
        self._message = Message(
            0, UUID(int=0), now, "8613905310001", "10086", Lane.SERVICE, None, OnUnknown.RESEND, None, None,
            None, text, "ucs2", 1, Status.QUEUED, None, None, None, True, None, None, None, None,
        )  # fmt: skip
        self._numbers = cycle([f"86139053{number:05}" for number in range(NUMBERS)])
        self._payload, self._data_coding = cut.payloads[0], cut.data_coding
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, patience: float) -> None:
        self._binds.start(
            Ears(
                outcomes=self._outcomes,
                receipts=self._receipts,
                short_messages=self._short_messages,
                room_again=self._feed,
                number_of=lambda address: address,
                now=lambda: datetime.now(UTC),
            )
        )
        try:
            await asyncio.wait_for(self.done, patience)
        finally:
            await self._binds.stop(5.0)

    def _feed(self) -> None:
        room = min(self._binds.room(), self._left)
        if room <= 0:
            return
        if not self.started:
            binds = [bind for route in self._binds.routes() for bind in route.binds]
            if sum(bind.state.startswith("bound") for bind in binds) < self._bound:
                return  # all of them or none: the last one to bind would find nothing left
            self.started = time.perf_counter()
        self._left -= room
        message = self._message
        self._binds.submit(
            [
                Parcel(
                    Outgoing(message).segments[0],
                    "main",
                    next(self._numbers),
                    message.sender,
                    self._payload,
                    0,
                    self._data_coding,
                    self._report,
                    None,
                )
                for _ in range(room)
            ]
        )

    def _outcomes(self, outcomes: Sequence[Outcome]) -> None:
        taken = Fate.TAKEN
        for outcome in outcomes:
            if outcome.fate is not taken or outcome.key is None:
                self.done.set_exception(RuntimeError(f"the SMSC did not take it: {outcome}"))
                return
            place = (outcome.route, outcome.key)
            if not self._report:
                self._unsettled -= 1
            elif place in self._strange:  # its receipt came first
                self._strange.remove(place)
                self._unsettled -= 1
            else:
                self._flights.await_receipt(*place, outcome.token)
        self._feed()
        self._look()

    async def _receipts(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            if self._flights.find(receipt.route, receipt.key) is None:
                self._strange.add((receipt.route, receipt.key))
                continue
            self._flights.forget(receipt.route, receipt.key)
            self._unsettled -= 1
        self._look()

    async def _short_messages(self, short_messages: Sequence[ShortMessage]) -> None:
        raise RuntimeError("nobody wrote to us")

    def _look(self) -> None:
        if self._unsettled == 0 and not self.done.done():
            self.ended = time.perf_counter()
            self.done.set_result(None)


async def _start() -> Any:
    seldom_collect()  # as the gateway does
    return _work


async def _work(job: Job) -> Job:
    """host, port, count, text, binds, window, receipts."""
    account = Account(
        mode=BindMode.TRANSCEIVER,
        host=job["host"],
        port=job["port"],
        system_id="bench",
        password="bench",  # noqa: S106 - of our own SMSC, which lets everybody in
    )
    route = Route(name="main", accounts=(account,), binds=job["binds"], window=job["window"])
    feeder = Feeder(route, job["count"], job["text"], receipts=job.get("receipts", True))
    await feeder.run(job.get("patience", 60.0))
    return {"seconds": feeder.ended - feeder.started}


if __name__ == "__main__":
    serve(_start)
