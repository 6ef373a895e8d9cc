"""One bind on one connection: octets to events and back, and who does what with them.

What it writes is in `writing`, what it hears in `hearing`; the order to each number in `order`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Final, cast

from gateway.esme.alarms import Alarms
from gateway.esme.hearing import Ears, Hearing
from gateway.esme.order import Numbers
from gateway.esme.route import Account, Route
from gateway.esme.tape import Tape
from gateway.esme.translate import bind_of
from gateway.esme.trouble import ended_in_words, refused_in_words, unbound_in_words
from gateway.esme.writing import Writing, unsent
from gateway.services.carrier import Parcel
from gateway.services.ways import BindState
from gateway.smpp import events
from gateway.smpp.errors import EncodeError
from gateway.smpp.session import Role, Session
from gateway.telemetry import PDU_ERRORS

__all__ = ["Ears", "Link"]

log = logging.getLogger(__name__)

_SENDING: Final = frozenset({events.State.BOUND_TX, events.State.BOUND_TRX})
TICK_SECONDS: Final = 0.1
#: A bind that is held to a rate writes this often at most.
PACE_SECONDS: Final = 0.01
#: Octets that wait for a peer that does not read; more, and it is left.
UNREAD: Final = 1024 * 1024


class Link(asyncio.Protocol):
    """One session. `ended` is done when the connection is closed, with the reason."""

    def __init__(
        self,
        route: Route,
        account: Account,
        name: str,
        ears: Ears,
        *,
        numbers: "Numbers[Link] | None" = None,
        alarms: Alarms | None = None,
        tape: Tape | None = None,
        number_of: Callable[[str], str] = str,
        leaving: Callable[[], None] = lambda: None,
        known: bool = False,
    ) -> None:
        """`numbers`: shared by all links that must not overtake one another; `alarms`: by those of a route.

        `number_of`: the number of ours that a sender address belongs to.
        `leaving` is told when it sends no more, long before it ends, perhaps; `known`: such a link was bound
        before, so its settings are right.
        """
        loop = self._loop = asyncio.get_running_loop()
        clock = loop.time()
        self._route, self._account, self._ears = route, account, ears
        self._tape, self._leaving, self._known = tape, leaving, known
        self.name = name
        self.session = f"{name}#{token_hex(4)}"  #: this very connection
        self.behind = 0  #: parcels of ours in `numbers`, behind others; kept by it
        self._session = Session(Role.ESME, window=route.window, timers=route.timers, now=clock)
        self._writing = Writing(
            route,
            self._session,
            link=self,
            numbers=Numbers() if numbers is None else numbers,
            alarms=Alarms(route.name) if alarms is None else alarms,
            now=ears.now,
            clock=clock,
            may_go=ears.may_go,
            number_of=number_of,
        )
        self._hearing = Hearing(
            route,
            self._session,
            ears,
            name,
            self.session,
            answered=self._flush,
            give_up=self._give_up,
        )
        self._transport: asyncio.Transport | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._pacing: asyncio.TimerHandle | None = None
        self._stirred = False  # others let parcels of ours go on: they are written when the loop comes round
        self._heard_at: float | None = None
        self._entered = (self.state, ears.now())
        self.bind_refused: int | None = None
        self.last_error = ""
        self.bound: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[str] = loop.create_future()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        try:
            self._session.request(bind_of(self._route, self._account), self._loop.time())
        except EncodeError as error:
            self.last_error = f"our account does not fit into a bind: {error}"
            self.abort()
            return
        self._flush()
        self._ticking = self._loop.call_later(TICK_SECONDS, self._tick)

    def data_received(self, data: bytes) -> None:
        clock = self._heard_at = self._loop.time()
        if self._tape is not None:
            self._tape.note("in", data, time.time())
        full = self._session.outstanding * 5 >= self._route.window * 4
        self._handle(self._session.receive(data, clock), clock, window_full=full)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._ticking, self._pacing):
            if timer is not None:
                timer.cancel()
        if self.bound.done():
            why = ended_in_words(exc)
        else:
            why = unbound_in_words(exc, tls=self._route.tls is not None, connected=True, known=self._known)
        self.last_error = self.last_error or why
        self._handle(self._session.lost(), self._loop.time())
        self._end(why)

    def pause_writing(self) -> None:
        self._writing.full = True

    def resume_writing(self) -> None:
        self._writing.full = False
        self._pump()
        self._ears.room_again()

    # What the binds ask

    @property
    def usable(self) -> bool:
        """Bound for sending, and to stay so."""
        return self._session.state in _SENDING and not self._session.unbinding

    @property
    def room(self) -> int:
        """How many parcels this link takes now. More are kept, in order, until there is room."""
        return self._writing.room if self._session.state in _SENDING else 0

    @property
    def held(self) -> int:
        """Parcels that are here and not written: refused for now, or behind others to their numbers."""
        return self._writing.kept

    @property
    def in_flight(self) -> int:
        """Requests without their response."""
        return self._session.outstanding

    @property
    def rate(self) -> float:
        """PDUs a second that it holds to now; 0 is no limit."""
        return self._writing.throttle.rate

    @property
    def state(self) -> str:
        """The session's state."""
        return str(self._session.state)

    def state_of(self) -> BindState:
        """All that is known of it."""
        now, clock = self._ears.now(), self._loop.time()
        writing, throttle = self._writing, self._writing.throttle
        paused = throttle.paused_until - clock
        return BindState(
            name=self.name,
            route=self._route.name,
            mode=str(self._account.mode),
            system_id=self._account.system_id,
            address=f"{self._account.host}:{self._account.port}",
            state="unbinding" if self._session.unbinding else self.state,
            since=self._entered[1],
            again_at=None,
            in_flight=self.in_flight,
            window=self._route.window,
            waiting=self.held,
            rate=throttle.rate or None,
            limit=self._route.rate or None,
            learned=throttle.learned,
            congestion=throttle.congestion,
            paused_until=now + timedelta(seconds=paused) if paused > 0 else None,
            submitted=writing.submitted,
            refused=writing.refused,
            throttled=writing.throttled,
            unanswered=writing.unanswered,
            delivered=self._hearing.delivered,
            round_trip=writing.trips.told(),
            heard_at=self._moment(self._heard_at, now, clock),
            last_error=self.last_error,
        )

    def submit(self, parcels: Sequence[Parcel]) -> None:
        """Write parcels; what does not fit into `room` is kept and goes before all later ones."""
        if not self.usable:
            self._ears.outcomes([unsent(parcel) for parcel in parcels])
            return
        clock = self._loop.time()
        self._writing.submit(parcels, clock)
        self._after(clock)

    def go_on(self, parcels: Iterable[Parcel]) -> None:
        """Parcels that waited behind others: for `Numbers` alone."""
        self._writing.go_on(parcels)
        if not self._stirred:
            self._stirred = True
            self._loop.call_soon(self._pump)

    def unbind(self) -> None:
        """Send nothing more; unbind when what is in flight has been answered."""
        if self._session.bound:
            self._session.unbind(self._loop.time())
            self._flush()
            self._leaving()
            self.give_back()
        elif self._transport is not None:
            self._transport.close()

    def steered(self) -> None:
        """Our numbers are others now, perhaps."""
        self._writing.steered()

    def give_back(self) -> None:
        """What is kept here is to go another way, or later."""
        if outcomes := self._writing.give_back():
            self._ears.outcomes(outcomes)

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # What comes in

    def _handle(self, happened: Sequence[events.Event], clock: float, *, window_full: bool = False) -> None:
        if not happened:
            self._flush()
            return
        writing = self._writing
        outcomes, rest = writing.hear(happened, window_full, clock)
        if rest:
            take = self._hearing.take
            for event in rest:
                if isinstance(event, events.Request):
                    take(event.pdu)
                else:
                    self._noted(event)
            self._hearing.pass_on()
        if writing.eager and not writing.rebind:
            writing.pump(clock)
        self._after(clock)
        if outcomes:
            self._ears.outcomes(outcomes)
        if writing.rebind:  # not cut off: what else is in flight may still be answered
            self.last_error, writing.rebind = writing.rebind, ""
            self.unbind()

    def _noted(self, event: events.Event) -> None:
        match event:
            case events.Bound():
                self._changed()
                self.bound.set_result(None)
                self._ears.room_again()
            case events.BindRefused(command_status=command_status):
                self.bind_refused = command_status
                self.last_error = refused_in_words(command_status)
                self.abort()
            case events.Malformed(error=error):
                PDU_ERRORS.labels(self._route.name, "malformed").inc()
                log.warning("malformed PDU", extra={"bind": self.name, "why": str(error)})
            case events.PeerUnbound():
                self._changed()
                self.last_error = "the SMSC unbound us"
                self._leaving()
                self.give_back()
                self._loop.call_later(1.0, self._close)
            case events.Closed(reason=reason):
                self.last_error = self.last_error or _ENDS.get(reason) or f"session {reason}"
                self._flush()
                self._close()
            case events.Orphan():
                PDU_ERRORS.labels(self._route.name, "orphan").inc()
            case _:
                pass

    def _give_up(self) -> None:
        self.last_error = "unbound: what the SMSC brings can't be stored now"
        self.unbind()

    # What goes out

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            if self._tape is not None:
                self._tape.note("out", data, time.time())

    def _pump(self) -> None:
        """Write what is kept and may go."""
        self._stirred = False
        clock = self._loop.time()
        self._writing.pump(clock)
        self._after(clock)

    def _after(self, clock: float) -> None:
        """Parcels were written, perhaps."""
        writing = self._writing
        self._flush()
        if writing.eager:
            self._pace(clock)
        if writing.unfit:
            unfit, writing.unfit = writing.unfit, []
            self._ears.outcomes(unfit)

    def _pace(self, clock: float) -> None:
        """Look again as soon as the rate lets something go."""
        if self._pacing is None and (wait := self._writing.wait(clock)) is not None:
            self._pacing = self._loop.call_later(max(wait, PACE_SECONDS), self._paced)

    def _paced(self) -> None:
        self._pacing = None
        self._pump()
        if self.room:
            self._ears.room_again()

    def _tick(self) -> None:
        clock = self._loop.time()
        self._writing.throttle.tick(clock)
        self._writing.trips.tick(clock)
        self._pump()
        self._handle(self._session.tick(clock), clock)
        if self._writing.full and self._unread() > UNREAD:
            self.last_error = "the SMSC does not read what we write"
            self.abort()
        if self.room:
            self._ears.room_again()
        if not self.ended.done():
            self._ticking = self._loop.call_later(TICK_SECONDS, self._tick)

    def _unread(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _end(self, reason: str) -> None:
        if not self.bound.done():
            self.bound.cancel()
        if not self.ended.done():
            self.ended.set_result(self.last_error or reason)

    def _changed(self) -> None:
        self._entered = (self.state, self._ears.now())

    @staticmethod
    def _moment(at: float | None, now: datetime, clock: float) -> datetime | None:
        return None if at is None else now - timedelta(seconds=clock - at)


_ENDS: Final = {
    events.CloseReason.BIND_TIMEOUT: "the SMSC did not answer our bind in time",
    events.CloseReason.SILENT: "the SMSC answers nothing any more, not even enquire_link",
    events.CloseReason.UNANSWERED: "the SMSC answers enquire_link, but no message any more",
    events.CloseReason.FRAMING: "what the SMSC sends is not SMPP any more",
}
