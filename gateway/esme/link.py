"""One bind on one connection: octets to events and back, the window, the throttle, and who gets what came."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any, Final, cast

from gateway.esme.route import Account, BindMode, Route
from gateway.esme.throttle import Throttle
from gateway.esme.translate import (
    Templates,
    fate_of,
    key_of_response,
    receipt_of,
    short_message_of,
    validity,
)
from gateway.services.carrier import Fate, Outcome, Parcel
from gateway.services.inbound import ShortMessage
from gateway.services.receipts import Receipt
from gateway.smpp import events, status
from gateway.smpp.errors import EncodeError
from gateway.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, DataSm, DeliverSm, Pdu
from gateway.smpp.session import Role, Session
from gateway.storage.database import StorageUnavailable
from gateway.telemetry import PDU_ERRORS, SUBMIT_SECONDS, SUBMITTED, THROTTLED

log = logging.getLogger(__name__)

_BINDS: Final = {
    BindMode.TRANSCEIVER: BindTransceiver,
    BindMode.TRANSMITTER: BindTransmitter,
    BindMode.RECEIVER: BindReceiver,
}
#: Refusals in a row, for want of storage, after which the bind is given back: the SMSC keeps its messages.
REFUSALS: Final = 20
TICK_SECONDS: Final = 0.1
INTERFACE_VERSION: Final = 0x34


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """Who hears what a link brings."""

    outcomes: Callable[[Sequence[Outcome]], None]
    receipts: Callable[[Sequence[Receipt]], Awaitable[None]]
    short_messages: Callable[[Sequence[ShortMessage]], Awaitable[None]]
    room_again: Callable[[], None]
    number_of: Callable[[str], str]  #: an address as the SMSC writes it → the customer's MSISDN
    now: Callable[[], datetime]


class Link(asyncio.Protocol):
    """One session. `ended` is done when the connection is closed, with the reason."""

    def __init__(self, route: Route, account: Account, name: str, ears: Ears) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._route = route
        self._account = account
        self._ears = ears
        self._session = Session(Role.ESME, window=route.window, timers=route.timers, now=loop.time())
        self._throttle = Throttle(route.rate, loop.time())
        self._templates = Templates()
        self._transport: asyncio.Transport | None = None
        self._again: deque[Parcel] = deque()  # refused for being too fast: to go before all others
        self._full = False
        self._refusals = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticking: asyncio.TimerHandle | None = None
        self.name = name
        self.session = f"{name}#{token_hex(4)}"  #: this very connection
        self.bind_refused: int | None = None
        self.last_error = ""
        self.bound: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[str] = loop.create_future()
        self._submit_seconds = SUBMIT_SECONDS.labels(route.name)
        self._submitted_ok = SUBMITTED.labels(route.name, "ok")

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        account = self._account
        bind = _BINDS[account.mode](
            system_id=account.system_id,
            password=account.password,
            system_type=account.system_type,
            interface_version=INTERFACE_VERSION,
            address_range=account.address_range,
        )
        try:
            self._session.request(bind, self._loop.time())
        except EncodeError as error:
            self.last_error = f"our account does not fit into a bind: {error}"
            self.abort()
            return
        self._flush()
        self._ticking = self._loop.call_later(TICK_SECONDS, self._tick)

    def data_received(self, data: bytes) -> None:
        self._handle(self._session.receive(data, self._loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        self._handle(self._session.lost())
        self._end(str(exc) if exc else "the SMSC closed the connection")

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._ears.room_again()

    # What the binds ask

    @property
    def room(self) -> int:
        """How many parcels this link takes now."""
        if self._full or self._again or self._session.state not in _SENDING:
            return 0
        room = self._session.room
        allowance = self._throttle.allowance(self._loop.time())
        return room if allowance is None else min(room, allowance)

    @property
    def in_flight(self) -> int:
        """Requests without their response."""
        return self._session.outstanding

    @property
    def rate(self) -> float:
        """PDUs a second that it holds to now; 0 is no limit."""
        return self._throttle.rate

    @property
    def state(self) -> str:
        """The session's state."""
        return str(self._session.state)

    def submit(self, parcels: Sequence[Parcel]) -> None:
        """Write parcels, no more than `room`."""
        self._write(parcels)
        self._flush()

    def unbind(self) -> None:
        """Send nothing more; unbind when what is in flight has been answered."""
        if self._session.bound:
            self._session.unbind(self._loop.time())
            self._flush()
        elif self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # What comes in

    def _handle(self, happened: Sequence[events.Event]) -> None:
        outcomes: list[Outcome] = []
        receipts: list[tuple[int, int, Receipt]] = []
        short_messages: list[tuple[int, int, ShortMessage]] = []
        taken = 0
        for event in happened:
            match event:
                case events.Answered(token=token, pdu=pdu, seconds=seconds):
                    self._submit_seconds.observe(seconds)
                    if pdu.command_status == 0:
                        taken += 1
                    elif taken:  # those before it tell how fast was not too fast
                        self._took(taken)
                        taken = 0
                    self._answered(token, pdu, outcomes)
                case events.Request(pdu=pdu):
                    self._requested(pdu, receipts, short_messages)
                case events.TimedOut(token=token):
                    outcomes.append(self._lost(token, "no response"))
                case events.Late(token=token, pdu=pdu):
                    self._answered(token, pdu, outcomes, late=True)
                case _:
                    self._noted(event, outcomes)
        if taken:
            self._took(taken)
        if outcomes:
            self._ears.outcomes(outcomes)
        if receipts:
            self._spawn(self._store(receipts, self._ears.receipts))
        if short_messages:
            self._spawn(self._store(short_messages, self._ears.short_messages))
        self._flush()

    def _took(self, count: int) -> None:
        self._submitted_ok.inc(count)
        self._throttle.taken(count, self._loop.time())

    def _answered(self, parcel: Parcel, pdu: Pdu, outcomes: list[Outcome], *, late: bool = False) -> None:
        command_status = pdu.command_status
        route = self._route
        if command_status == status.ESME_ROK:
            message_id: str = getattr(pdu, "message_id", "")
            if not message_id:
                outcomes.append(self._lost(parcel, "taken without an id"))
                return
            key = key_of_response(route, message_id)
            outcomes.append(Outcome(parcel.token, Fate.TAKEN, route.name, message_id, key, 0))
            return
        full = self._session.outstanding * 5 >= route.window * 4
        fate = fate_of(command_status, parcel.token.refusals, full)
        verdict = status.lookup(command_status)
        SUBMITTED.labels(route.name, str(verdict.verdict)).inc()
        if fate is None and late:
            fate = Fate.PUT_OFF  # given up for lost, and now known not to be taken: dispatch decides when
        if fate is not None:
            self.last_error = verdict.sentence
            outcomes.append(
                Outcome(
                    parcel.token, fate, route.name, command_status=command_status, reason=f"{verdict.name}"
                )
            )
        elif verdict.verdict is status.Verdict.LINK:
            self.last_error = verdict.sentence
            outcomes.append(Outcome(parcel.token, Fate.UNSENT, route.name))
            self.unbind()  # not cut off: what else is in flight may still be answered
        else:
            THROTTLED.labels(route.name, verdict.name).inc()
            self._throttle.refused(self._loop.time())
            self._again.append(parcel)

    def _requested(
        self,
        pdu: Pdu,
        receipts: list[tuple[int, int, Receipt]],
        short_messages: list[tuple[int, int, ShortMessage]],
    ) -> None:
        if not isinstance(pdu, DeliverSm | DataSm):
            self._session.answer(pdu.sequence_number, pdu.command_id, status.ESME_RINVCMDID)
            return
        receipt = receipt_of(pdu, self._route, self._ears.number_of)
        if receipt is not None:
            receipts.append((pdu.sequence_number, pdu.command_id, receipt))
            return
        short_messages.append(
            (
                pdu.sequence_number,
                pdu.command_id,
                short_message_of(pdu, self._route, self.session, self._ears.now(), self._ears.number_of),
            )
        )

    async def _store(
        self,
        arrived: Sequence[tuple[int, int, Any]],
        store: Callable[[Sequence[Any]], Awaitable[None]],
    ) -> None:
        """Have it stored, then answer; while it can't be, refuse, and the SMSC keeps it."""
        answer = status.ESME_RSYSERR
        try:
            await store([what for _, _, what in arrived])
            answer = status.ESME_ROK
            self._refusals = 0
        except StorageUnavailable as error:
            self._refusals += len(arrived)
            log.warning("deliver_sm refused", extra={"bind": self.name, "why": str(error)})
        if self._session.closed:
            return
        for sequence_number, command_id, _ in arrived:
            self._session.answer(sequence_number, command_id, answer)
        self._flush()
        if self._refusals >= REFUSALS:
            self.last_error = "unbound: what the SMSC brings can't be stored now"
            self.unbind()

    def _noted(self, event: events.Event, outcomes: list[Outcome]) -> None:
        match event:
            case events.Bound():
                self.bound.set_result(None)
                self._ears.room_again()
            case events.BindRefused(command_status=command_status):
                self.bind_refused = command_status
                self.last_error = status.lookup(command_status).sentence
                self.abort()
            case events.Malformed(error=error):
                PDU_ERRORS.labels(self._route.name, "malformed").inc()
                log.warning("malformed PDU", extra={"bind": self.name, "why": str(error)})
            case events.PeerUnbound():
                self.last_error = "the SMSC unbound us"
                self._loop.call_later(1.0, self._close)
            case events.Closed(reason=reason, tokens=tokens):
                outcomes.extend(self._lost(token, f"link {reason}") for token in tokens)
                outcomes.extend(Outcome(p.token, Fate.UNSENT, self._route.name) for p in self._again)
                self._again.clear()
                self.last_error = self.last_error or f"session {reason}"
                self._flush()
                self._close()
            case events.Orphan():
                PDU_ERRORS.labels(self._route.name, "orphan").inc()
            case _:
                pass

    def _lost(self, parcel: Parcel, reason: str) -> Outcome:
        return Outcome(parcel.token, Fate.LOST, self._route.name, reason=reason)

    # What goes out

    def _write(self, parcels: Sequence[Parcel]) -> None:
        session = self._session
        clock = self._loop.time()
        now = self._ears.now()
        unfit: list[Outcome] = []
        for parcel in parcels:
            try:
                session.submit(
                    self._templates.of(parcel.sender),
                    parcel.destination,
                    parcel.payload,
                    clock,
                    parcel,
                    esm_class=parcel.esm_class,
                    data_coding=parcel.data_coding,
                    registered_delivery=None if parcel.report else 0,
                    validity_period=validity(parcel.expires_at, now),
                )
            except EncodeError as error:
                unfit.append(Outcome(parcel.token, Fate.REFUSED, self._route.name, reason=str(error)))
        self._throttle.spend(len(parcels))
        if unfit:
            self._ears.outcomes(unfit)

    def _write_again(self) -> None:
        """What was refused goes first, as far as the throttle lets it."""
        session = self._session
        room = session.room if session.state in _SENDING and not self._full else 0
        allowance = self._throttle.allowance(self._loop.time())
        if allowance is not None:
            room = min(room, allowance)
        if room > 0 and self._again:
            self._write([self._again.popleft() for _ in range(min(room, len(self._again)))])

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _tick(self) -> None:
        clock = self._loop.time()
        self._throttle.tick(clock)
        self._write_again()
        self._handle(self._session.tick(clock))
        if self.room:
            self._ears.room_again()
        if not self.ended.done():
            self._ticking = self._loop.call_later(TICK_SECONDS, self._tick)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _end(self, reason: str) -> None:
        if not self.bound.done():
            self.bound.cancel()
        if not self.ended.done():
            self.ended.set_result(self.last_error or reason)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Unanswered, it comes again; and the bug is on record.
            log.error("deliver_sm not handled", extra={"bind": self.name}, exc_info=error)


_SENDING: Final = frozenset({events.State.BOUND_TX, events.State.BOUND_TRX})
