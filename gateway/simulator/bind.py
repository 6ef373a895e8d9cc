"""One connection to the simulated SMSC: octets to events and back, and what its faults do to it."""

import asyncio
import select
import socket
import struct
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

from gateway.simulator import requests, trouble
from gateway.simulator.behaviour import Do, Span
from gateway.simulator.delivery import Delivery, Mailbox, OddDelivery, SmscSession, without_parameters
from gateway.simulator.faults import disordered, first
from gateway.simulator.record import Arrival, MoPart
from gateway.simulator.trouble import Answer
from gateway.smpp import codec, events, status
from gateway.smpp.constants import VERSION_34, CommandId, Tag
from gateway.smpp.errors import StateError
from gateway.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    response_to,
)
from gateway.smpp.session import Role
from gateway.smpp.timers import Timers

if TYPE_CHECKING:
    from gateway.simulator.smsc import Smsc

_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)
_RECEIVING: Final = frozenset({events.State.BOUND_RX, events.State.BOUND_TRX})
_AT_ONCE: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on close, drop all and reset
_HUNG_UP: Final = getattr(select, "POLLRDHUP", 0)  # of Linux alone


class Bind(asyncio.Protocol):
    """A session as the SMSC sees it. All that it decides it asks of its `Smsc`."""

    def __init__(self, smsc: "Smsc", number: int) -> None:
        self.smsc = smsc
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
        self.plain = False  #: bound as before SMPP 3.4: knows no optional parameters
        self.mailboxes: list[Mailbox] = []
        self._transport: asyncio.Transport | None = None
        self._full = False
        self._gone = False  # closed by us, or about to be: nothing more is read or answered
        self._mute = False  # gone, deaf or parting: nothing is answered now
        self._stirred = False
        self._unnoted: list[tuple[Arrival, int]] = []  # answers that go out with the next write
        # What faults made of it
        self._silent = False  # half-open: nothing is read or written
        self._deaf = False  # answers nothing but enquire_link
        self._slow = False  # reads nothing
        self._parting = False  # it unbinds in mid-window: answers wait in _owing
        self._owing: list[Answer] | None = None  # none: they are never given
        self._held: list[Answer] = []  # to be given in another order

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.smsc.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._gone:
            return
        now = self._loop.time()
        self.smsc.clock()
        self._handle(self.session.receive(data, now), now)
        for mailbox in self.mailboxes:
            if mailbox.ready:
                mailbox.pump(now)
        self.smsc.settle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = self._mute = True
        self.smsc.clock()
        self.smsc.connections.discard(self)
        self._handle(self.session.lost(), self._loop.time())

    def pause_writing(self) -> None:
        self._full = True
        self._read_or_not()  # who does not read his answers is not asked for more

    def resume_writing(self) -> None:
        self._full = False
        self._read_or_not()
        self.smsc.pump()

    def _read_or_not(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._full or self._slow or self._silent:
            self._transport.pause_reading()
        elif not self._gone:
            self._transport.resume_reading()

    # What the SMSC asks

    @property
    def room(self) -> int:
        """How many deliver_sm it takes now."""
        if self._full or self._gone or self._silent or self._deaf or self.session.state not in _RECEIVING:
            return 0
        return self.session.room

    @property
    def dice(self) -> Random:
        """For how a fault happens."""
        return self.smsc.faults.dice

    def deliver(self, delivery: Delivery, now: float) -> None:
        """Send one deliver_sm or data_sm; there must be room."""
        of = delivery.of
        record = self.smsc.record
        said = ""
        if self.plain or isinstance(delivery, OddDelivery):
            said = self._deliver_oddly(delivery, now)
        else:
            self.session.deliver(delivery.body, now, delivery)
        if type(of) is Arrival:
            record.receipt_sent(of, self.smsc.wall, said)
        else:
            record.mo_sent(cast(MoPart, of), self.number, self.smsc.wall)
        self.stir()

    def _deliver_oddly(self, delivery: Delivery, now: float) -> str:
        """Send what is not as usual; the state that it tells, where that is not its message's."""
        odd = delivery if isinstance(delivery, OddDelivery) else None
        if self.plain:
            self.session.deliver(without_parameters(delivery), now, delivery)
        elif odd is not None:
            self.session.deliver(odd.body, now, delivery, odd.command_id)
        return "" if odd is None else odd.said

    def answer(
        self,
        arrival: Arrival,
        sequence_number: int,
        command_status: int,
        command_id: int,
        without_id: bool = False,
    ) -> None:
        """Queue the answer to a submit_sm or data_sm; nothing happens on a connection that is gone."""
        session = self.session
        if self._mute or session.closed:
            if self._parting and self._owing is not None:
                self._owing.append((arrival, sequence_number, command_status, command_id))
            return
        message_id = "" if without_id else arrival.message_id
        if self.smsc.congests and not self.plain and command_id == _SUBMIT_SM:
            level = bytes((self.smsc.admission.congestion(self.system_id, self._loop.time()),))
            tlvs = {int(Tag.CONGESTION_STATE): level}
            session.respond(SubmitSmResp(sequence_number, command_status, tlvs, (), message_id))
        else:
            session.answer(sequence_number, command_id, command_status, message_id)
        self._unnoted.append((arrival, command_status))
        self.stir()

    def refuse(self, response: Pdu, arrival: Arrival) -> None:
        """Queue a response of another kind than the message asks for."""
        if not (self._mute or self.session.closed):
            self.session.respond(response)
            self._unnoted.append((arrival, response.command_status))
            self.stir()

    def stir(self) -> None:
        """Something waits to be written."""
        if not self._stirred:
            self._stirred = True
            self.smsc.stirred.append(self)

    def flush(self) -> None:
        """Write all that waits, in one call; answers count as written from here on."""
        self._stirred = False
        if self._silent or self._transport is None or self._transport.is_closing():
            return
        data = self.session.data_to_send()
        if not data:
            return
        self._transport.write(data)
        if self._unnoted:
            self.smsc.record.answered(self._unnoted, self.smsc.wall)
            self._unnoted = []

    def tick(self, now: float) -> None:
        """What time makes due."""
        if self._silent or self._slow:
            if self._peer_hung_up():
                self.abort()
            return
        self._handle(self.session.tick(now), now)
        self.stir()

    def unbind(self) -> None:
        """Take no more, wait for what is in flight, unbind."""
        if self.session.bound:
            self.session.unbind(self._loop.time())
            self.stir()
            self.smsc.settle()
        else:
            self.close()

    def close(self) -> None:
        """Write what waits and close the connection."""
        self.flush()
        self._gone = self._mute = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._gone = self._mute = True
        if self._transport is not None:
            self._transport.abort()

    # What faults do

    def later(self, now: float, span: Span, do: Callable[..., object], *args: Any) -> None:
        """Do it after this time, drawn if need be."""
        self.smsc.agenda.at(now + self.smsc.draw(span), do, *args)

    def reset(self) -> None:
        """Cut the connection with RST."""
        if self._transport is not None and (sock := self._transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.abort()

    def hold(self, answer: Answer, now: float, span: Span) -> None:
        """Give the answer later, with all others held by then, in another order."""
        if not self._held:
            self.later(now, span, self._give_held)
        self._held.append(answer)

    def _give_held(self) -> None:
        held, self._held = self._held, []
        for answer in disordered(held, self.dice):
            self.answer(*answer)

    def fall_silent(self, now: float, span: Span | None) -> None:
        """Read and write nothing for so long, or for ever; the connection stays."""
        self._silent = True
        self._read_or_not()
        if span is not None:
            self.later(now, span, self._recover)

    def go_deaf(self, now: float, span: Span | None) -> None:
        """Answer nothing but enquire_link for so long, or for ever."""
        self._deaf = self._mute = True
        if span is not None:
            self.later(now, span, self._recover)

    def read_nothing(self, now: float, span: Span | None) -> None:
        """Read nothing for so long, or for ever, and go on writing."""
        self._slow = True
        self._read_or_not()
        if span is not None:
            self.later(now, span, self._recover)

    def _recover(self) -> None:
        self._silent = self._deaf = self._slow = False
        self._mute = self._gone or self._parting
        self._read_or_not()
        self.stir()

    def unbind_now(self, answer: Answer | None, now: float, span: Span) -> None:
        """Unbind while requests are open. With an answer, it and all others come afterwards; else never."""
        try:
            self.session.unbind_at_once(now)
        except StateError:
            return  # it unbinds already
        self._parting = self._mute = True
        self.stir()
        if answer is not None:
            self._owing = [answer]
            self.later(now, span, self._pay)

    def _pay(self) -> None:
        """The answers that were owed at the unbind, whatever the session says; then it is over."""
        owing, self._owing = self._owing or [], None
        if self._gone:
            return
        for arrival, sequence_number, command_status, command_id in owing:
            response = cast(Any, response_to(command_id))(sequence_number, command_status)
            response.message_id = arrival.message_id
            self.session.raw(codec.encode(response))
            self._unnoted.append((arrival, command_status))
        self.flush()
        if self.session.closed:
            self.close()

    def _peer_hung_up(self) -> bool:
        """Whether the other side closed, which who does not read is not told."""
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        if sock is None or not _HUNG_UP or sock.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(sock.fileno(), _HUNG_UP)
        return bool(poll.poll(0))

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
                self.smsc.delivery_answered(answered.token, answered.pdu.command_status, now)
            else:
                self._noted(event, now)
        if happened:
            self.stir()

    def _submitted(self, pdu: SubmitSm | DataSm, now: float) -> None:
        smsc = self.smsc
        arrival, command_status, fault = smsc.take(self, pdu, now)
        answer = (arrival, pdu.sequence_number, command_status, int(pdu.command_id))
        if fault is not None:
            trouble.happen(fault, self, answer, now)
        elif delay := smsc.latency():
            smsc.agenda.at(now + delay, self.answer, *answer)
        else:
            self.answer(*answer)
        if command_status == 0 and (pdu.registered_delivery & 3 or smsc.counts_queues):
            at_once = fault is not None and fault.do is Do.RECEIPT_FIRST
            smsc.outcomes.plan(arrival, now, smsc.last_id, at_once=at_once)

    def _requested(self, pdu: Pdu, now: float) -> None:
        match pdu:
            case BindTransceiver() | BindTransmitter() | BindReceiver():
                self._bind(pdu, now)
            case DataSm():
                self._submitted(pdu, now)
            case _ if self._deaf or self._parting:
                pass
            case _:
                requests.answer(self, pdu, now)

    def _bind(self, pdu: BindTransceiver | BindTransmitter | BindReceiver, now: float) -> None:
        smsc = self.smsc
        kind = CommandId(pdu.command_id).name.lower()
        command_status = smsc.admit(pdu.system_id, pdu.password)
        fault = None
        if smsc.faults.of_binds:
            fault = first(smsc.faults.of_binds, pdu.system_id, smsc.elapsed(now))
        if fault is not None:
            smsc.record.counts.faults += 1
            if fault.do is Do.NEVER_ANSWER_BIND:
                smsc.record.bound(smsc.wall, self.number, pdu.system_id, "never answered")
                return
            command_status = command_status or fault.says
        response = cast(Any, response_to(int(pdu.command_id)))(pdu.sequence_number, command_status)
        if command_status == 0:
            self.plain = pdu.interface_version < VERSION_34
            response.system_id = "huiyin-smsc"
            if not self.plain:  # older clients know no parameters (SMPP 3.4 §3.4.2)
                response.tlvs = {int(Tag.SC_INTERFACE_VERSION): bytes((VERSION_34,))}
            self.system_id, self.kind = pdu.system_id, kind.removeprefix("bind_")
        self.session.respond(response)
        if command_status == 0:
            smsc.enter(self, receives=self.session.state in _RECEIVING)
        said = kind if command_status == 0 else f"refused: {status.lookup(command_status).name}"
        smsc.record.bound(smsc.wall, self.number, pdu.system_id, said)

    def _noted(self, event: events.Event, now: float) -> None:
        smsc = self.smsc
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
                if self._owing is None or self._gone:
                    self.close()
            case _:
                pass
