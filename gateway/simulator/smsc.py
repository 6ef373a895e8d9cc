"""The simulated SMS centre: who may bind, what becomes of a message, receipts and customers' messages."""

import asyncio
import contextlib
import time
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, count
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from gateway.simulator.agenda import Agenda
from gateway.simulator.bind import Bind
from gateway.simulator.bucket import Bucket
from gateway.simulator.delivery import Delivery, Mailbox, mo_body, receipt_body, wanted
from gateway.simulator.faults import Faults, first
from gateway.simulator.record import KEPT, Arrival, Journal, MoPart, Record
from gateway.simulator.scenario import Account, Do, Fault, Scenario, Span, change
from gateway.smpp import status
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import DataSm, SubmitSm
from gateway.smpp.receipt import IdForm, State
from gateway.sms import segment

TICK: Final = 0.25  # seconds between looks at the sessions' timers


@dataclass(slots=True)
class Mo:
    """A customer's message on its way to the gateway. `taken` is done when all its parts were answered OK."""

    number: int
    parts: list[MoPart]
    taken: asyncio.Future[None]
    waiting: int


class Smsc:
    """The server. `await Smsc.start(…)`, then `port`; `await close()` at the end."""

    def __init__(self, scenario: Scenario, record: Record) -> None:
        self._loop = asyncio.get_running_loop()
        self.record = record
        self.agenda = Agenda(self._loop, self._round)
        self.connections: set[Bind] = set()
        self.binds: list[Bind] = []
        self.stirred: list[Bind] = []  #: binds with something to write
        self._filled: list[Mailbox] = []  # mailboxes that were empty before this round
        self.wall = time.time()
        self._server: asyncio.Server | None = None
        self._mailboxes: dict[str, Mailbox] = {}
        self._anybody = Mailbox()  # MOs for numbers that no account has to itself
        self._settling = False  # a settle is due as soon as the loop comes round
        self._listeners: list[Callable[[Arrival], None]] = []
        self._mos: dict[int, Mo] = {}
        self._bind_numbers = count(1)
        self._mo_numbers = count(1)
        self._references = count(1)
        self._minute = (0, "")
        self._ticking: asyncio.TimerHandle | None = None
        self._next_id = scenario.ids.first or int(self.wall * 100_000)
        self._apply(scenario)

    @classmethod
    async def start(
        cls,
        scenario: Scenario | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        record_path: Path | None = None,
        kept: int = KEPT,
    ) -> Self:
        """Listen; port 0 takes a free one. With a path, all that is seen is appended to that file."""
        journal = Journal(record_path) if record_path is not None else None
        smsc = cls(scenario or Scenario(), Record(journal, kept))
        smsc._server = await smsc._loop.create_server(
            lambda: Bind(smsc, next(smsc._bind_numbers)), host, port, backlog=128
        )
        smsc._ticking = smsc._loop.call_later(TICK, smsc._tick)
        return smsc

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the SMSC has not been started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Close all connections and stop; what the journal has not written is written."""
        if self._ticking is not None:
            self._ticking.cancel()
        self.agenda.clear()
        if self._server is not None:
            self._server.close()
        for bind in tuple(self.connections):
            bind.abort()
        self._mos, mos = {}, self._mos
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 1.0)
        for mo in mos.values():
            mo.taken.cancel()
        self.record.close()

    @property
    def waiting(self) -> int:
        """Deliveries that wait for a bind with room."""
        return sum(len(box.ready) for box in (*self._mailboxes.values(), self._anybody))

    # Behaviour

    def change(self, changes: dict[str, Any]) -> None:
        """Behave otherwise from now on; new windows and timers hold for new binds. Raises ScenarioError."""
        self._apply(change(self.scenario, changes))

    def _apply(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.faults = Faults(scenario.faults, scenario.seed)
        self._latency = scenario.latency if scenario.latency.high else None
        self._accounts = {account.system_id: account for account in scenario.accounts}
        self._buckets: dict[str, Bucket] = {}
        self._random = Random(f"{scenario.seed}:times").random  # noqa: S311 - repeatable by design
        self._outcome = Random(f"{scenario.seed}:outcomes").random  # noqa: S311
        shares = {state: share for state, share in scenario.receipts.outcomes.items() if share}
        whole = sum(shares.values())
        self._states = tuple(shares)
        self._bounds = [share / whole for share in accumulate(shares.values())][:-1]

    def draw(self, span: Span) -> float:
        """A time of that span, seconds."""
        if span.low == span.high:
            return span.low
        return span.low + (span.high - span.low) * self._random()

    def latency(self) -> float:
        """How long the next answer takes."""
        return self.draw(self._latency) if self._latency is not None else 0.0

    def on_message(self, listener: Callable[[Arrival], None]) -> Callable[[], None]:
        """Call it with each message that is taken; the result undoes that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # Sessions

    def admit(self, system_id: str, password: str) -> int:
        """Whether this account may bind: a command_status."""
        if not self._accounts:
            return status.ESME_ROK
        account = self._accounts.get(system_id)
        if account is None:
            return status.ESME_RINVSYSID
        if account.password is not None and account.password != password:
            return status.ESME_RINVPASWD
        bound = sum(bind.system_id == system_id for bind in self.binds)
        return status.ESME_RBINDFAIL if 0 < account.max_binds <= bound else status.ESME_ROK

    def enter(self, bind: Bind, *, receives: bool) -> None:
        """It is bound."""
        self.binds.append(bind)
        if receives:
            bind.mailboxes = [self._mailbox(bind.system_id), self._anybody]
            for mailbox in bind.mailboxes:
                mailbox.binds.append(bind)

    def leave(self, bind: Bind, why: str) -> None:
        """It is bound no longer."""
        if bind not in self.binds:
            return
        self.binds.remove(bind)
        for mailbox in bind.mailboxes:
            mailbox.binds.remove(bind)
        self.record.bound(self.wall, bind.number, bind.system_id, why)

    def _mailbox(self, system_id: str) -> Mailbox:
        mailbox = self._mailboxes.get(system_id)
        if mailbox is None:
            mailbox = self._mailboxes[system_id] = Mailbox()
        return mailbox

    # Messages

    def take(self, bind: Bind, pdu: SubmitSm | DataSm, now: float) -> tuple[Arrival, int, Fault | None]:
        """Judge a message and put it on record: its status, and what goes wrong with it."""
        system_id = bind.system_id
        counts = self.record.counts
        command_status, fault = status.ESME_ROK, None
        if not self._may_go(system_id, now):
            command_status = self.scenario.throttle_status
            counts.throttled += 1
        elif self.faults.of_submits:
            fault = first(self.faults.of_submits, pdu.destination_addr)
            if fault is not None:
                counts.faults += 1
                if fault.do is Do.REFUSE:
                    command_status = fault.status
                    counts.refused += 1
        message_id = ""
        if not command_status:
            self._next_id += 1
            message_id = _written(self._next_id, self.scenario.ids.response)
        octets = getattr(pdu, "short_message", b"") or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
        arrival = Arrival(
            counts.submits + 1,
            self.wall,
            system_id,
            bind.number,
            pdu.source_addr,
            pdu.destination_addr,
            pdu.data_coding,
            pdu.esm_class,
            octets,
            pdu.registered_delivery,
            bytes((pdu.source_addr_ton, pdu.source_addr_npi)),
            bytes((pdu.dest_addr_ton, pdu.dest_addr_npi)),
            getattr(pdu, "validity_period", ""),
            message_id,
        )
        self.record.arrived(arrival)
        if message_id and self._listeners:
            for listener in tuple(self._listeners):
                listener(arrival)
        return arrival, command_status, fault

    def _may_go(self, system_id: str, now: float) -> bool:
        account = self._accounts.get(system_id)
        rate = self.scenario.rate if account is None or account.rate is None else account.rate
        if not rate:
            return True
        bucket = self._buckets.get(system_id)
        if bucket is None:
            bucket = self._buckets[system_id] = Bucket(rate, self.scenario.burst, now)
        return bucket.spend(now)

    def look_up(self, message_id: str) -> Arrival | None:
        """The newest message with this id, as the answer wrote it."""
        return next((each for each in reversed(self.record.arrivals) if each.message_id == message_id), None)

    # Receipts

    def plan_receipt(self, arrival: Arrival, now: float, *, first: bool = False) -> None:
        """Decide what becomes of a message, and send its receipt when it is time; `first`: at once."""
        states = self._states
        state = states[bisect(self._bounds, self._outcome())] if len(states) > 1 else states[0]
        if not wanted(arrival.registered_delivery, state):
            return
        delay = self.draw(self.scenario.receipts.delay)
        number = self._next_id
        if first or not delay:
            self._receipt(arrival, state, number)
        else:
            self.agenda.at(now + delay, self._receipt, arrival, state, number)

    def _receipt(self, arrival: Arrival, state: State, number: int) -> None:
        scenario = self.scenario
        arrival.state = state.value
        form = scenario.ids.receipt
        written = receipt_body(
            arrival,
            state,
            arrival.message_id if form is scenario.ids.response else _written(number, form),
            submitted=self._date(arrival.at),
            done=self._date(self.wall),
            tlvs=scenario.receipts.tlvs,
            declared=scenario.receipts.esm_class,
        )
        mailbox = self._mailbox(self._receiver_of(arrival.system_id))
        if not mailbox.ready:
            self._filled.append(mailbox)
        mailbox.ready.append(Delivery(written, arrival, mailbox))
        if self.faults.of_receipts and first(self.faults.of_receipts, arrival.destination):
            self.record.counts.faults += 1
            mailbox.ready.append(Delivery(written, arrival, mailbox))

    def _receiver_of(self, system_id: str) -> str:
        account: Account | None = self._accounts.get(system_id)
        return system_id if account is None else account.receipts_to or system_id

    def _date(self, at: float) -> str:
        minute = int(at) // 60
        if minute != self._minute[0]:
            self._minute = (minute, time.strftime("%y%m%d%H%M", time.localtime(at)))
        return self._minute[1]

    # Customers' messages

    async def inject(
        self,
        msisdn: str,
        to: str,
        text: str = "",
        *,
        payload: bytes | None = None,
        data_coding: int = 0,
        esm_class: int = 0,
    ) -> Mo:
        """A customer writes: `text` in the encoding and the parts that it needs, or octets as they are given.

        It waits until a receiver is bound, and comes again until it is taken. Raises ValueError.
        """
        if payload is None:
            return self.put_in(msisdn, to, text)
        return self._inject(msisdn, to, (payload,), data_coding, esm_class)

    def put_in(self, msisdn: str, to: str, text: str) -> Mo:
        """As `inject`, for who can't wait."""
        split = segment.split(text, next(self._references) & 0xFF)
        return self._inject(msisdn, to, split.payloads, split.data_coding, split.esm_class)

    def _inject(
        self, msisdn: str, to: str, payloads: tuple[bytes, ...], data_coding: int, esm_class: int
    ) -> Mo:
        if not (_is_address(msisdn) and _is_address(to)):
            raise ValueError("an address has 1 to 20 ASCII signs")
        if not (0 <= data_coding <= 255 and 0 <= esm_class <= 255):
            raise ValueError("data_coding and esm_class are octets")
        self.clock()
        number = next(self._mo_numbers)
        parts = [
            MoPart(number, at, self.wall, msisdn, to, data_coding, esm_class, octets)
            for at, octets in enumerate(payloads, start=1)
        ]
        mailbox = self._mailbox_of(to)
        written = [Delivery(mo_body(part), part, mailbox) for part in parts]
        for part in parts:
            self.record.injected(part)
        if not mailbox.ready:
            self._filled.append(mailbox)
            if not self._settling:  # all that is put in until the loop comes round goes out in one write
                self._settling = True
                self._loop.call_soon(self._settle_soon)
        mailbox.ready.extend(written)
        if self.faults.of_mos and first(self.faults.of_mos, msisdn):
            self.record.counts.faults += 1
            mailbox.ready.extend(Delivery(each.body, each.of, mailbox) for each in written)
        mo = self._mos[number] = Mo(number, parts, self._loop.create_future(), len(parts))
        return mo

    def _mailbox_of(self, to: str) -> Mailbox:
        for account in self.scenario.accounts:
            if to.startswith(account.numbers):
                return self._mailbox(account.system_id)
        return self._anybody

    # Deliveries

    def delivery_answered(self, delivery: Delivery, command_status: int, now: float) -> None:
        """The client took it, or refused it, and then it comes again."""
        of = delivery.of
        if isinstance(of, Arrival):
            self.record.receipt_answered(of, command_status, self.wall)
        else:
            taken_before = of.taken
            self.record.mo_answered(of, command_status, self.wall)
            if of.taken and not taken_before:
                self._part_taken(of)
        if command_status == status.ESME_ROK:
            delivery.settled = True
        elif not delivery.settled:
            pause = self.draw(self.scenario.redelivery.after)
            self.agenda.at(now + pause, delivery.mailbox.again, [delivery])

    def delivery_unanswered(self, deliveries: list[Delivery]) -> None:
        """No word came back: they go out again as soon as they can."""
        for mailbox in {delivery.mailbox for delivery in deliveries}:
            mailbox.again([each for each in deliveries if each.mailbox is mailbox])

    def _part_taken(self, part: MoPart) -> None:
        mo = self._mos.get(part.mo)
        if mo is None:
            return
        mo.waiting -= 1
        if mo.waiting == 0:
            del self._mos[part.mo]
            if not mo.taken.done():
                mo.taken.set_result(None)

    # Rounds

    def now(self) -> float:
        """The loop's clock, which the agenda goes by."""
        return self._loop.time()

    def clock(self) -> None:
        """Read the clock, once for all that one round does."""
        self.wall = time.time()

    def pump(self) -> None:
        """Hand out all that is ready and write it."""
        now = self._loop.time()
        for mailbox in (*self._mailboxes.values(), self._anybody):
            if mailbox.ready and mailbox.binds:
                mailbox.pump(now)
        self.settle()

    def settle(self) -> None:
        """Hand out what this round brought, and write what the binds have to write: one call each."""
        if self._filled:
            filled, self._filled = self._filled, []
            now = self._loop.time()
            for mailbox in filled:
                mailbox.pump(now)
        stirred, self.stirred = self.stirred, []
        for bind in stirred:
            bind.flush()

    def _settle_soon(self) -> None:
        self._settling = False
        self.clock()
        self.settle()

    def _round(self) -> None:
        self.clock()
        self.pump()

    def _tick(self) -> None:
        now = self._loop.time()
        self.clock()
        for bind in tuple(self.connections):
            bind.tick(now)
        self.pump()
        self._ticking = self._loop.call_later(TICK, self._tick)


def _written(number: int, form: IdForm) -> str:
    return str(number) if form is IdForm.DECIMAL else f"{number:x}"


def _is_address(address: str) -> bool:
    return 1 <= len(address) <= 20 and address.isascii() and "\0" not in address
