"""The simulated SMS centre: who may bind, what becomes of a message, and who gets what it has to deliver."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from gateway.simulator.admission import Admission
from gateway.simulator.agenda import Agenda
from gateway.simulator.behaviour import Do, Fault, Join, Scenario, Span
from gateway.simulator.bind import Bind
from gateway.simulator.delivery import Delivery, Mailbox
from gateway.simulator.faults import Faults, first
from gateway.simulator.outcomes import Outcomes, well_formed
from gateway.simulator.record import KEPT, Arrival, Journal, Record
from gateway.simulator.replies import Cut, Mo, Replies
from gateway.simulator.scenario import change
from gateway.smpp import status
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import DataSm, SubmitSm
from gateway.smpp.receipt import FINAL_STATES, IdForm

TICK: Final = 0.25  # seconds between looks at the sessions' timers
_LOOKED_BACK: Final = 10_000  # messages among which one that waits is sought


class Smsc:
    """The server. `await Smsc.start(…)`, then `port`; `await close()` at the end."""

    def __init__(self, scenario: Scenario, record: Record) -> None:
        self._loop = asyncio.get_running_loop()
        self.record = record
        self.agenda = Agenda(self._loop, self._round)
        self.connections: set[Bind] = set()
        self.binds: list[Bind] = []
        self.stirred: list[Bind] = []  #: binds with something to write
        self.filled: list[Mailbox] = []  #: mailboxes that were empty before this round
        self.wall = time.time()
        self._server: asyncio.Server | None = None
        self._mailboxes: dict[str, Mailbox] = {}
        self._anybody = Mailbox()  # MOs for numbers that no account has to itself
        self._settling = False  # a settle is due as soon as the loop comes round
        self._listeners: list[Callable[[Arrival], None]] = []
        self._bind_numbers = count(1)
        self._ticking: asyncio.TimerHandle | None = None
        self._first_id = scenario.ids.first or int(self.wall * 100_000)
        self._given = 0  # ids
        self.last_id = self._first_id
        self._play = 0  # how many scenarios there have been
        self._apply(scenario)
        self.outcomes = Outcomes(self)
        self.replies = Replies(self)
        self._mos = self.replies.open

    @classmethod
    async def start(
        cls,
        scenario: Scenario | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        record_path: Path | None = None,
        kept: int = KEPT,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Listen; port 0 takes a free one. With a path, all that is seen is appended to that file."""
        journal = Journal(record_path) if record_path is not None else None
        smsc = cls(scenario or Scenario(), Record(journal, kept))
        smsc._server = await smsc._loop.create_server(
            lambda: Bind(smsc, next(smsc._bind_numbers)), host, port, backlog=128, ssl=tls
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
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 1.0)
        self.replies.close()
        self.record.close()

    @property
    def waiting(self) -> int:
        """Deliveries that wait for a bind with room."""
        return sum(len(box.ready) for box in (*self._mailboxes.values(), self._anybody))

    # Behaviour

    def change(self, changes: dict[str, Any]) -> None:
        """Behave otherwise from now on; new windows and timers hold for new binds. Raises ScenarioError."""
        self._apply(change(self.scenario, changes))
        self.outcomes.play(self.scenario)

    def _apply(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.faults = Faults(scenario.faults, scenario.seed)
        self._began = self._loop.time()
        self._latency = scenario.latency if scenario.latency.high else None
        self.admission = Admission(scenario)
        self.counts_queues = scenario.queue > 0
        self.congests = scenario.congestion
        self._random = Random(f"{scenario.seed}:times").random  # noqa: S311 - repeatable by design
        self._play += 1
        for step in scenario.rates:
            self.agenda.at(self._began + step.since, self._step, step.rate, self._play)

    def _step(self, rate: float, play: int) -> None:
        """Another rate for all who have none of their own."""
        if play == self._play:
            self.admission.change_rate(rate)

    def elapsed(self, now: float) -> float:
        """Seconds since this scenario began."""
        return now - self._began

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
        bound = sum(bind.system_id == system_id for bind in self.binds)
        return self.admission.bind(system_id, password, bound)

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

    def take(
        self, bind: Bind, pdu: SubmitSm | DataSm, now: float, message_id: str | None = None
    ) -> tuple[Arrival, int, Fault | None]:
        """Judge a message and put it on record: its status, and what goes wrong with it.

        It gets this id, else the next.
        """
        system_id = bind.system_id
        counts = self.record.counts
        fault = None
        command_status = self.admission.submit(system_id, now) if self.admission.limited else status.ESME_ROK
        if command_status:
            counts.throttled += 1
        elif self.faults.of_submits:
            fault = first(self.faults.of_submits, pdu.destination_addr, now - self._began)
            if fault is not None:
                counts.faults += 1
                if fault.do is Do.REFUSE or fault.do is Do.NACK:
                    command_status = fault.says
                    counts.refused += 1
        # Times are read by those that are put in: by their form alone, so that a clock ahead refuses nothing.
        validity = schedule = ""
        octets = b""
        if type(pdu) is SubmitSm:
            validity, schedule, octets = pdu.validity_period, pdu.schedule_delivery_time, pdu.short_message
            if not command_status and (validity or schedule):
                command_status = _ill_timed(validity, schedule)
                counts.refused += command_status != 0
        given = ""
        if not command_status:
            given = self._new_id() if message_id is None else message_id
        arrival = Arrival(
            counts.submits + 1,
            self.wall,
            system_id,
            bind.number,
            pdu.source_addr,
            pdu.destination_addr,
            pdu.data_coding,
            pdu.esm_class,
            octets or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b""),
            pdu.registered_delivery,
            bytes((pdu.source_addr_ton, pdu.source_addr_npi)),
            bytes((pdu.dest_addr_ton, pdu.dest_addr_npi)),
            validity,
            given,
            pdu.tlvs,
        )
        if pdu.service_type:
            arrival.service_type = pdu.service_type
        if type(pdu) is SubmitSm and (
            pdu.priority_flag or schedule or pdu.protocol_id or pdu.replace_if_present_flag
        ):
            self._keep_rare(arrival, pdu)
        self.record.arrived(arrival)
        if given and (self._listeners or self.counts_queues):
            self._taken(arrival, now)
        return arrival, command_status, fault

    def _new_id(self) -> str:
        reuse = self.scenario.ids.reuse
        self._given += 1
        self.last_id = self._first_id + (self._given % reuse if reuse else self._given)
        return _written(self.last_id, self.scenario.ids.response)

    def _keep_rare(self, arrival: Arrival, pdu: SubmitSm) -> None:
        """What few messages say."""
        arrival.priority_flag = pdu.priority_flag
        arrival.protocol_id = pdu.protocol_id
        arrival.schedule_delivery_time = pdu.schedule_delivery_time
        arrival.replace_if_present_flag = pdu.replace_if_present_flag
        if pdu.replace_if_present_flag and arrival.message_id:
            alike = self.waiting_messages(pdu.source_addr, pdu.destination_addr)
            for each in alike:
                if each.service_type == pdu.service_type:  # SMPP 3.4 §5.2.18
                    each.state, each.withdrawn = "DELETED", True
                    self.record.replaced(each, self.wall)
                    self.concluded(each)

    def _taken(self, arrival: Arrival, now: float) -> None:
        if self.counts_queues:
            self.admission.taken(arrival.system_id)
        if not self._listeners:
            return
        if arrival.schedule_delivery_time and (wait := self.outcomes.wait_of(arrival)):
            self.agenda.at(now + wait, self._tell, arrival)
        else:
            self._tell(arrival)

    def _tell(self, arrival: Arrival) -> None:
        if not arrival.withdrawn:
            for listener in tuple(self._listeners):
                listener(arrival)

    def concluded(self, arrival: Arrival) -> None:
        """Its outcome is known: it waits in no queue any more."""
        self.admission.concluded(arrival.system_id)

    def look_up(self, message_id: str) -> Arrival | None:
        """The newest message with this id, as the answer wrote it."""
        return next((each for each in reversed(self.record.arrivals) if each.message_id == message_id), None)

    def waiting_messages(self, source: str, destination: str) -> list[Arrival]:
        """Messages between these two, of the last ones, that have not been delivered."""
        latest = zip(reversed(self.record.arrivals), range(_LOOKED_BACK), strict=False)
        now = self._loop.time()
        return [
            each
            for each, _ in latest
            if each.message_id
            and each.source == source
            and each.destination == destination
            and self.outcomes.state_of(each, now) not in FINAL_STATES
        ]

    # Receipts and customers' messages

    def written_id(self, arrival: Arrival, number: int) -> str:
        """The id of a message as its receipts write it."""
        ids = self.scenario.ids
        return arrival.message_id if ids.receipt is ids.response else _written(number, ids.receipt)

    def id_number(self, arrival: Arrival) -> int:
        """The number that an id is."""
        base = 10 if self.scenario.ids.response is IdForm.DECIMAL else 16
        return int(arrival.message_id, base)

    def receipts_box(self, system_id: str) -> Mailbox:
        """Where the receipts of an account's messages go."""
        account = self.admission.account(system_id)
        return self._mailbox(system_id if account is None else account.receipts_to or system_id)

    def replies_box(self, to: str) -> Mailbox:
        """Where customers' messages to a number go."""
        for account in self.scenario.accounts:
            if to.startswith(account.numbers):
                return self._mailbox(account.system_id)
        return self._anybody

    async def inject(
        self,
        msisdn: str,
        to: str,
        text: str = "",
        *,
        payload: bytes | None = None,
        data_coding: int | None = None,
        esm_class: int = 0,
        join: Join | None = None,
    ) -> Mo:
        """A customer writes: `text` in the encoding and the parts that it needs, or octets as they are given.

        It waits until a receiver is bound, and comes again until it is taken. Raises ValueError.
        """
        if payload is None:
            return self.replies.write(msisdn, to, text, join, data_coding)
        written = Cut(data_coding or 0, esm_class, (payload,), in_payload=join is Join.PAYLOAD)
        return self.replies.put_in(msisdn, to, written)

    def put_in(self, msisdn: str, to: str, text: str) -> Mo:
        """As `inject`, for who can't wait."""
        return self.replies.write(msisdn, to, text, None, None)

    def filled_soon(self, mailbox: Mailbox) -> None:
        """There is something in it: all that comes until the loop comes round goes out in one write."""
        self.filled.append(mailbox)
        if not self._settling:
            self._settling = True
            self._loop.call_soon(self._settle_soon)

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
                self.replies.taken(of)
        if command_status == status.ESME_ROK:
            delivery.settled = True
        elif not delivery.settled:
            pause = self.draw(self.scenario.redelivery.after)
            self.agenda.at(now + pause, delivery.mailbox.again, [delivery])

    def delivery_unanswered(self, deliveries: list[Delivery]) -> None:
        """No word came back: they go out again as soon as they can."""
        for mailbox in {delivery.mailbox for delivery in deliveries}:
            mailbox.again([each for each in deliveries if each.mailbox is mailbox])

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
        if self.filled:
            filled, self.filled = self.filled, []
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


def _ill_timed(validity: str, schedule: str) -> int:
    """What a message is refused with whose times can't be read."""
    if schedule and not well_formed(schedule):
        return status.ESME_RINVSCHED
    return status.ESME_RINVEXPIRY if validity and not well_formed(validity) else status.ESME_ROK
