"""What becomes of messages at the simulated SMSC: outcomes, and the receipts that tell them, in their forms
and with their faults."""

import time
from bisect import bisect
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.simulator import dialects
from gateway.simulator.behaviour import Do, Fault, Parts, Scenario, Via
from gateway.simulator.delivery import (
    Delivery,
    Mailbox,
    OddDelivery,
    body,
    data_body,
    receipt_body,
    wanted,
)
from gateway.simulator.faults import first
from gateway.simulator.record import Arrival
from gateway.smpp import receipt, times, tlv
from gateway.smpp.constants import (
    ESM_DELIVERY_RECEIPT,
    ESM_INTERMEDIATE_NOTIFICATION,
    ESM_UDHI,
    RECEIPT_ALWAYS,
    RECEIPT_INTERMEDIATE,
    CommandId,
    MessageState,
    Tag,
)
from gateway.smpp.receipt import State

if TYPE_CHECKING:
    from gateway.simulator.smsc import Smsc

_DELIVER_SM: Final = int(CommandId.DELIVER_SM)
_DATA_SM: Final = int(CommandId.DATA_SM)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_STRANGE: Final = 0x5EED_0000_0000  #: far from any id that is given out


class Plan(msgspec.Struct, gc=False):
    """One receipt to be sent. `done` is seconds since 1970; none: when it goes out."""

    arrival: Arrival
    state: State
    number: int  #: of the message id
    done: float | None = None
    final: bool = True  #: the state is the message's
    named: bool = True  #: with its id


@lru_cache(4096)
def _time(written: str) -> tuple[bool, float] | None:
    """A validity_period or schedule_delivery_time: whether it counts from now, and its seconds, from now or
    since 1970. None for one that is ill-formed."""
    moment = times.moment(written, _EPOCH)
    return None if moment is None else (written[-1:] == "R", moment.timestamp())


def well_formed(written: str) -> bool:
    """Whether a time that a client wrote can be read."""
    return _time(written) is not None


def _until(written: str, wall: float) -> float | None:
    """Seconds until a time that was written at `wall`; none when it is empty."""
    read = _time(written) if written else None
    if read is None:
        return None
    relative, seconds = read
    return seconds if relative else seconds - wall


class Outcomes:
    """All outcomes of one SMSC. `play` begins a scenario."""

    def __init__(self, smsc: "Smsc") -> None:
        self._smsc = smsc
        self._minute = (0, "")
        self.play(smsc.scenario)

    def play(self, scenario: Scenario) -> None:
        """Behave so from now on."""
        receipts = scenario.receipts
        self._scenario = scenario
        self._receipts = receipts
        self._outcome = Random(f"{scenario.seed}:outcomes").random  # noqa: S311 - repeatable by design
        shares = {state: share for state, share in receipts.outcomes.items() if share}
        whole = sum(shares.values())
        self._states = tuple(shares)
        self._bounds = [share / whole for share in accumulate(shares.values())][:-1]
        self._dialect = dialects.find(receipts.form, receipts.words)
        self._usual = dialects.is_usual(self._dialect) and receipts.via is Via.DELIVER_SM
        self._each = receipts.parts is Parts.EACH
        self._delay = receipts.delay
        self._tlvs, self._declared = receipts.tlvs, receipts.esm_class
        self._simple = self._usual and self._each and receipts.hasten == 1 and not scenario.queue
        self._same_id = scenario.ids.receipt is scenario.ids.response
        self._boxes: dict[str, Mailbox] = {}

    # Planning

    def plan(self, arrival: Arrival, now: float, number: int, *, at_once: bool = False) -> None:
        """Decide what becomes of a message, and send its receipt when it is time."""
        states = self._states
        state = states[bisect(self._bounds, self._outcome())] if len(states) > 1 else states[0]
        asked = arrival.registered_delivery
        smsc = self._smsc
        if (
            self._simple
            and asked == RECEIPT_ALWAYS
            and not (arrival.validity_period or arrival.schedule_delivery_time or smsc.faults.of_receipts)
        ):
            if at_once or not self._delay.high:
                self._post_usual(arrival, state, number)
            else:
                smsc.agenda.at(now + smsc.draw(self._delay), self._post_usual, arrival, state, number)
            return
        self._plan_oddly(arrival, state, now, number, at_once=at_once)

    def _plan_oddly(self, arrival: Arrival, state: State, now: float, number: int, *, at_once: bool) -> None:
        """The same where the message, the scenario or a fault wants something unusual."""
        smsc, asked = self._smsc, arrival.registered_delivery
        delay = None
        if arrival.validity_period or arrival.schedule_delivery_time:
            state, delay = self._in_time(arrival, state)
        if delay is None:
            delay = smsc.draw(self._delay)
        if at_once:
            delay = 0.0
        if not wanted(asked, state) or not (self._each or self._tells_of(arrival)):
            if smsc.counts_queues:
                smsc.agenda.at(now + delay / self._receipts.hasten, smsc.concluded, arrival)
            return
        fault = None
        if smsc.faults.of_receipts:
            fault = first(smsc.faults.of_receipts, arrival.destination, smsc.elapsed(now))
        hasten = self._receipts.hasten
        done = None if hasten == 1 else arrival.at + delay
        if asked & RECEIPT_INTERMEDIATE and not at_once:
            self._post(arrival, State.ENROUTE, number, arrival.at, final=False)
        if fault is not None:
            smsc.record.counts.faults += 1
            self._go_wrong(fault, Plan(arrival, state, number, done), now, delay)
        elif delay:
            smsc.agenda.at(now + delay / hasten, self._post, arrival, state, number, done)
        else:
            self._post(arrival, state, number, done)

    def state_of(self, arrival: Arrival, now: float) -> State:
        """What is known of a message that was taken (SMPP 3.4 §4.8)."""
        if arrival.state:
            return State[arrival.state]
        receipts = self._receipts
        waited = (self._smsc.wall - arrival.at) * receipts.hasten
        scheduled = _until(arrival.schedule_delivery_time, arrival.at)
        if scheduled is not None and waited < scheduled:
            return State.SCHEDULED
        asked = arrival.registered_delivery & 3
        if not asked and waited >= receipts.delay.high + (scheduled or 0.0):
            return State.DELIVERED
        return State.ENROUTE

    def wait_of(self, arrival: Arrival) -> float:
        """Seconds until a message that was scheduled goes on to the customer."""
        scheduled = _until(arrival.schedule_delivery_time, arrival.at)
        return max(0.0, scheduled or 0.0) / self._receipts.hasten

    def cancel(self, arrival: Arrival) -> None:
        """It is deleted before it reached anybody; its receipt, if one was asked for, says so."""
        arrival.state, arrival.withdrawn = State.DELETED.value, True
        self._smsc.concluded(arrival)
        if wanted(arrival.registered_delivery, State.DELETED):
            self._post(arrival, State.DELETED, self._smsc.id_number(arrival), final=False)

    def _in_time(self, arrival: Arrival, state: State) -> tuple[State, float]:
        """Outcome and delay of a message that says when it is to go, or how long it is good for."""
        delay = self._smsc.draw(self._receipts.delay)
        delay += max(0.0, _until(arrival.schedule_delivery_time, arrival.at) or 0.0)
        valid = _until(arrival.validity_period, arrival.at)
        if valid is not None and delay > valid:
            return State.EXPIRED, max(0.0, valid)
        return state, delay

    def _tells_of(self, arrival: Arrival) -> bool:
        """Whether this SMSC sends receipts of this part of a long text."""
        part = arrival.part
        if part is None:
            return True
        _, total, number = part
        return number == (1 if self._receipts.parts is Parts.FIRST else total)

    def _later(self, plan: Plan, now: float, delay: float) -> None:
        if delay:
            self._smsc.agenda.at(now + delay / self._receipts.hasten, self._post_plan, plan)
        else:
            self._post_plan(plan)

    def _go_wrong(self, fault: Fault, plan: Plan, now: float, delay: float) -> None:
        gap = self._smsc.draw(fault.lasts)
        replace = msgspec.structs.replace
        done = plan.arrival.at + delay + gap if plan.done is not None else None
        match fault.do:
            case Do.RECEIPT_TWICE:
                self._later(plan, now, delay)
                self._later(plan, now, delay + gap)
            case Do.RECEIPT_CONTRADICTORY:
                self._later(plan, now, delay)
                other = State.UNDELIVERABLE if plan.state is State.DELIVERED else State.DELIVERED
                again = replace(plan, state=fault.state or other, done=done, final=False)
                self._later(again, now, delay + gap)
            case Do.RECEIPT_LATE:
                self._later(replace(plan, done=done), now, delay + gap)
            case Do.RECEIPT_LOST:
                plan.arrival.state = plan.state.value
                self._smsc.concluded(plan.arrival)
            case Do.RECEIPT_INTERMEDIATE:
                self._later(replace(plan, state=fault.state or State.ENROUTE, final=False), now, delay)
                self._later(replace(plan, done=done), now, delay + gap)
            case Do.RECEIPT_FOR_STRANGE_ID:
                self._later(plan, now, delay)
                strange = self._smsc.faults.dice.getrandbits(32) | _STRANGE
                arrival = replace(plan.arrival, number=0, message_id=f"{strange:x}", status=None)
                self._later(Plan(arrival, plan.state, strange, final=False), now, delay + gap)
            case _:
                self._later(replace(plan, named=False), now, delay)

    # Writing

    def _post_plan(self, plan: Plan) -> None:
        self._post(plan.arrival, plan.state, plan.number, plan.done, final=plan.final, named=plan.named)

    def _post(
        self,
        arrival: Arrival,
        state: State,
        number: int,
        done: float | None = None,
        *,
        final: bool = True,
        named: bool = True,
    ) -> None:
        """Write the receipt, and put it into the mailbox of whoever gets it."""
        smsc = self._smsc
        if self._usual and final and named:
            self._post_usual(arrival, state, number, done)
            return
        if final:
            if arrival.withdrawn:
                return
            if smsc.counts_queues and not arrival.state:
                smsc.concluded(arrival)
            arrival.state = state.value
            arrival.concluded_at = done or smsc.wall
        written = smsc.written_id(arrival, number) if named else ""
        mailbox = self._box(arrival.system_id)
        delivery = self._odd(arrival, state, written, done or smsc.wall, mailbox)
        if not mailbox.ready:
            smsc.filled.append(mailbox)
        mailbox.ready.append(delivery)

    def _post_usual(self, arrival: Arrival, state: State, number: int, done: float | None = None) -> None:
        """The same for a receipt in the form of appendix B that tells the outcome: the hot path."""
        smsc = self._smsc
        if arrival.withdrawn:
            return
        if smsc.counts_queues and not arrival.state:
            smsc.concluded(arrival)
        arrival.state = state.value
        arrival.concluded_at = done or smsc.wall
        mailbox = self._boxes.get(arrival.system_id) or self._box(arrival.system_id)
        octets = receipt_body(
            arrival,
            state,
            arrival.message_id if self._same_id else smsc.written_id(arrival, number),
            submitted=self._date(arrival.at),
            done=self._date(done or smsc.wall),
            tlvs=self._tlvs,
            declared=self._declared,
        )
        if not mailbox.ready:
            smsc.filled.append(mailbox)
        mailbox.ready.append(Delivery(octets, arrival, mailbox))

    def _box(self, system_id: str) -> Mailbox:
        mailbox = self._boxes.get(system_id)
        if mailbox is None:
            mailbox = self._boxes[system_id] = self._smsc.receipts_box(system_id)
        return mailbox

    def _odd(
        self, arrival: Arrival, state: State, message_id: str, done: float, mailbox: Mailbox
    ) -> OddDelivery:
        """A receipt in a form of its own, or one that tells something else than its message's outcome."""
        dialect, receipts = self._dialect, self._receipts
        plain = arrival.data_coding == 0 and not arrival.esm_class & ESM_UDHI
        text = dialects.write(
            dialect,
            message_id,
            state,
            submitted=arrival.at,
            done=done,
            text=arrival.octets[:20].decode("latin-1") if plain else "",
        )
        parameters: dict[int, bytes] = {}
        if receipts.tlvs or not text:
            parameters = receipt.write_tlvs(dialect.id(message_id), state)
            if not message_id:
                del parameters[int(Tag.RECEIPTED_MESSAGE_ID)]
        in_between = state in {State.ENROUTE, State.SCHEDULED}
        esm_class = ESM_INTERMEDIATE_NOTIFICATION if in_between else ESM_DELIVERY_RECEIPT
        if not receipts.esm_class:
            esm_class = 0
        if receipts.via is Via.DATA_SM:
            octets = data_body(arrival, text, esm_class, parameters, swapped=dialect.swapped)
            return OddDelivery(octets, arrival, mailbox, _DATA_SM, state.value)
        if receipts.via is Via.MESSAGE_PAYLOAD and text:
            parameters[int(Tag.MESSAGE_PAYLOAD)], text = text, b""
        a, b = arrival.destination_kind, arrival.destination
        c, d = arrival.source_kind, arrival.source
        if not dialect.swapped:
            a, b, c, d = c, d, a, b
        octets = body(a, b, c, d, esm_class, 0, text, tlv.encode(parameters))
        return OddDelivery(octets, arrival, mailbox, _DELIVER_SM, state.value)

    def _date(self, at: float) -> str:
        minute = int(at) // 60
        if minute != self._minute[0]:
            self._minute = (minute, time.strftime("%y%m%d%H%M", time.localtime(at)))
        return self._minute[1]


def state_number(state: State) -> int:
    """message_state, as PDUs carry it."""
    return int(MessageState[state.name])
