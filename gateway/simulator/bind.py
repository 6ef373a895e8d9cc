"""One connection to the simulated SMSC: octets to events and back, and what its faults do to it."""

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from gateway.simulator.delivery import Delivery, Mailbox, SmscSession
from gateway.simulator.record import Arrival, MoPart
from gateway.simulator.scenario import Do, Fault
from gateway.smpp import events, status
from gateway.smpp.constants import VERSION_34, CommandId, MessageState, Tag
from gateway.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    Pdu,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    response_to,
)
from gateway.smpp.session import Role
from gateway.smpp.timers import Timers

if TYPE_CHECKING:
    from gateway.simulator.smsc import Smsc

_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)
_RECEIVING: Final = frozenset({events.State.BOUND_RX, events.State.BOUND_TRX})
_STRANGE: Final = 0x40000000  # far from any sequence number in use


class Bind(asyncio.Protocol):
    """A session as the SMSC sees it. All that it decides it asks of its `Smsc`."""

    def __init__(self, smsc: "Smsc", number: int) -> None:
        self._smsc = smsc
        self._loop = asyncio.get_running_loop()
        scenario = smsc.scenario
        timers = Timers(
            enquire_link=scenario.enquire_link.low or None,
            response_timeout=scenario.redelivery.timeout.low,
            answer_timeout=None,
        )
        self.session = SmscSession(Role.SMSC, window=scenario.window, timers=timers, now=self._loop.time())
        self.number = number
        self.system_id = ""
        self.kind = ""
        self.mailboxes: list[Mailbox] = []
        self._transport: asyncio.Transport | None = None
        self._full = False
        self._gone = False  # closed by us, or about to be: nothing more is read or answered
        self._stirred = False
        self._unnoted: list[tuple[Arrival, int]] = []  # answers that go out with the next write

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._smsc.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._gone:
            return
        now = self._loop.time()
        self._smsc.clock()
        self._handle(self.session.receive(data, now), now)
        for mailbox in self.mailboxes:
            if mailbox.ready:
                mailbox.pump(now)
        self._smsc.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        self._smsc.clock()
        self._smsc.connections.discard(self)
        self._handle(self.session.lost(), self._loop.time())

    def pause_writing(self) -> None:
        self._full = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()  # who does not read his answers is not asked for more

    def resume_writing(self) -> None:
        self._full = False
        if self._transport is not None and not self._gone:
            self._transport.resume_reading()
        self._smsc.pump()

    # What the SMSC asks

    @property
    def room(self) -> int:
        """How many deliver_sm it takes now."""
        if self._full or self._gone or self.session.state not in _RECEIVING:
            return 0
        return self.session.room

    def deliver(self, delivery: Delivery, now: float) -> None:
        """Send one deliver_sm; there must be room."""
        self.session.deliver(delivery.body, now, delivery)
        of = delivery.of
        record = self._smsc.record
        if type(of) is Arrival:
            record.receipt_sent(of, self._smsc.wall)
        else:
            record.mo_sent(cast(MoPart, of), self.number, self._smsc.wall)
        self.stir()

    def answer(self, arrival: Arrival, sequence_number: int, command_status: int, command_id: int) -> None:
        """Queue the answer to a submit_sm or data_sm; nothing happens on a connection that is gone."""
        if self._gone or self.session.closed:
            return
        self.session.answer(sequence_number, command_id, command_status, arrival.message_id)
        self._unnoted.append((arrival, command_status))
        self.stir()

    def stir(self) -> None:
        """Something waits to be written."""
        if not self._stirred:
            self._stirred = True
            self._smsc.stirred.append(self)

    def flush(self) -> None:
        """Write all that waits, in one call; answers count as written from here on."""
        self._stirred = False
        data = self.session.data_to_send()
        if not data or self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._unnoted:
            self._smsc.record.answered(self._unnoted, self._smsc.wall)
            self._unnoted = []

    def tick(self, now: float) -> None:
        """What time makes due."""
        self._handle(self.session.tick(now), now)
        self.stir()

    def unbind(self) -> None:
        """Take no more, wait for what is in flight, unbind."""
        if self.session.bound:
            self.session.unbind(self._loop.time())
            self.stir()
            self._smsc.settle()
        else:
            self.close()

    def close(self) -> None:
        """Write what waits and close the connection."""
        self.flush()
        self._gone = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._gone = True
        if self._transport is not None:
            self._transport.abort()

    # What comes in

    def _handle(self, happened: list[events.Event], now: float) -> None:
        for event in happened:
            kind = type(event)
            if kind is events.Request:
                if self._gone:
                    continue  # a fault closed the connection: what came after it was never seen
                pdu: Any = cast(events.Request, event).pdu
                if pdu.command_id == _SUBMIT_SM:
                    self._submitted(pdu, now)
                else:
                    self._requested(pdu, now)
            elif kind is events.Answered:
                answered = cast(events.Answered, event)
                self._smsc.delivery_answered(answered.token, answered.pdu.command_status, now)
            else:
                self._noted(event, now)
        if happened:
            self.stir()

    def _submitted(self, pdu: SubmitSm | DataSm, now: float) -> None:
        smsc = self._smsc
        arrival, command_status, fault = smsc.take(self, pdu, now)
        answer = (arrival, pdu.sequence_number, command_status, int(pdu.command_id))
        if fault is not None:
            self._go_wrong(fault, answer, now)
        elif delay := smsc.latency():
            smsc.agenda.at(now + delay, self.answer, *answer)
        else:
            self.answer(*answer)
        if command_status == 0 and pdu.registered_delivery & 3:
            smsc.plan_receipt(arrival, now, first=fault is not None and fault.do is Do.RECEIPT_FIRST)

    def _go_wrong(self, fault: Fault, answer: tuple[Arrival, int, int, int], now: float) -> None:
        arrival, sequence_number, command_status, command_id = answer
        smsc = self._smsc
        match fault.do:
            case Do.DROP_BEFORE_ANSWER:
                self.close()
            case Do.DROP_AFTER_ANSWER:
                self.answer(*answer)
                self.close()
            case Do.ANSWER_LATE | Do.RECEIPT_FIRST:
                smsc.agenda.at(now + smsc.draw(fault.by), self.answer, *answer)
            case Do.ANSWER_TWICE:
                self.answer(*answer)
                self.answer(*answer)
            case Do.UNKNOWN_SEQUENCE:
                self.session.answer(
                    sequence_number ^ _STRANGE, command_id, command_status, arrival.message_id
                )
            case Do.REFUSE:
                self.answer(*answer)
            case _:
                pass  # never an answer

    def _requested(self, pdu: Pdu, now: float) -> None:
        match pdu:
            case BindTransceiver() | BindTransmitter() | BindReceiver():
                self._bind(pdu)
            case DataSm():
                self._submitted(pdu, now)
            case QuerySm(message_id=message_id):
                self.session.respond(self._queried(pdu, message_id))
            case _:
                self.session.answer(pdu.sequence_number, int(pdu.command_id), status.ESME_RINVCMDID)

    def _bind(self, pdu: BindTransceiver | BindTransmitter | BindReceiver) -> None:
        smsc = self._smsc
        command_status = smsc.admit(pdu.system_id, pdu.password)
        response = cast(Any, response_to(int(pdu.command_id)))(pdu.sequence_number, command_status)
        kind = CommandId(pdu.command_id).name.lower()
        if command_status == 0:
            response.system_id = "huiyin-smsc"
            if pdu.interface_version >= VERSION_34:  # older clients know no parameters (SMPP 3.4 §3.4.2)
                response.tlvs = {int(Tag.SC_INTERFACE_VERSION): bytes((VERSION_34,))}
            self.system_id, self.kind = pdu.system_id, kind.removeprefix("bind_")
        self.session.respond(response)
        if command_status == 0:
            smsc.enter(self, receives=self.session.state in _RECEIVING)
        said = kind if command_status == 0 else f"refused: {status.lookup(command_status).name}"
        smsc.record.bound(smsc.wall, self.number, pdu.system_id, said)

    def _queried(self, pdu: QuerySm, message_id: str) -> QuerySmResp:
        arrival = self._smsc.look_up(message_id)
        if arrival is None:
            return QuerySmResp(pdu.sequence_number, status.ESME_RINVMSGID)
        state = MessageState[arrival.state or "ENROUTE"]
        return QuerySmResp(pdu.sequence_number, message_id=message_id, message_state=int(state))

    def _noted(self, event: events.Event, now: float) -> None:
        smsc = self._smsc
        match event:
            case events.Late(token=token, pdu=pdu):
                smsc.delivery_answered(token, pdu.command_status, now)
            case events.TimedOut(token=token):
                smsc.delivery_unanswered([token])
            case events.Malformed():
                smsc.record.counts.malformed += 1
            case events.PeerUnbound():
                smsc.leave(self, "unbound")
                self._loop.call_later(0.2, self.close)  # the peer closes; who does not is helped
            case events.Closed(reason=reason, tokens=tokens):
                smsc.leave(self, str(reason))
                smsc.delivery_unanswered(list(tokens))
                self.close()
            case _:
                pass
