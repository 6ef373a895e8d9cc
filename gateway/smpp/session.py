"""One SMPP session, either role, as a machine without socket and clock: octets and `now` go in, events and
octets come out (SMPP 3.4 §2.2, §2.3)."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.smpp import codec
from gateway.smpp import status as st
from gateway.smpp.constants import RESPONSE, CommandId
from gateway.smpp.errors import FramingError, PduError, StateError, WindowFull
from gateway.smpp.events import (
    Answered,
    BindRefused,
    Bound,
    Closed,
    CloseReason,
    Event,
    Late,
    Malformed,
    Notice,
    Orphan,
    PeerUnbound,
    Request,
    State,
    TimedOut,
)
from gateway.smpp.fields import cstring
from gateway.smpp.pdu import EnquireLink, GenericNack, Pdu, Unbind, response_to
from gateway.smpp.states import ALLOWED, BINDS, BOUND, WITHOUT_RESPONSE, Role
from gateway.smpp.timers import Timers
from gateway.smpp.window import Window

__all__ = ["ALLOWED", "Role", "Session"]

_C = CommandId
# As plain integers: an enum's attribute costs a look-up in its class each time.
_SUBMIT_SM: Final = int(_C.SUBMIT_SM)
_DELIVER_SM: Final = int(_C.DELIVER_SM)
_ENQUIRE_LINK: Final = int(_C.ENQUIRE_LINK)
_UNBIND: Final = int(_C.UNBIND)
_GENERIC_NACK: Final = int(_C.GENERIC_NACK)
_ONLY_MESSAGE_ID: Final = frozenset({_SUBMIT_SM, _DELIVER_SM, int(_C.DATA_SM)})
_pack_header: Final = codec.HEADER.pack


class Session:
    """The machine. Its owner feeds it, carries out its events and writes `data_to_send()`.

    Every PDU that comes in is answered, by the session or, after a `Request`, by the owner.
    """

    def __init__(self, role: Role, *, window: int, timers: Timers, now: float) -> None:
        self.role: Final = role
        self.timers = timers
        self.orphans = 0  #: responses to nothing, dropped
        self.malformed = 0  #: PDUs that could not be read
        self._window = Window(window)
        self._reader = codec.FrameReader()
        self._out: list[bytes] = []
        self._bind: tuple[int, int] | None = None  # sequence number and command of the bind under way
        self._control: dict[int, tuple[int, float]] = {}  # our enquire_link and unbind: command, sent at
        self._owed = 0  # requests of the peer that the owner has yet to answer
        self._opened_at = self._heard_at = self._stirred_at = now
        self._unanswered_since: float | None = None
        self._drain_by: float | None = None
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self.state = state
        self._ours = ALLOWED[self.role, state]
        self._theirs = ALLOWED[Role.SMSC if self.role is Role.ESME else Role.ESME, state]

    # What the owner may ask

    @property
    def bound(self) -> bool:
        return self.state in BOUND

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    @property
    def outstanding(self) -> int:
        """Requests of ours without a response."""
        return len(self._window.pending)

    @property
    def room(self) -> int:
        """How many requests may be sent now: none unless bound, and none while unbinding."""
        return self._window.room if self.state in BOUND and self._drain_by is None else 0

    @property
    def owed(self) -> int:
        """Requests of the peer that the owner has not answered yet."""
        return self._owed

    @property
    def unbinding(self) -> bool:
        """An unbind of ours waits for what is in flight, or for its answer."""
        return self._drain_by is not None

    def data_to_send(self) -> bytes:
        """All that waits to be written, as one batch; it is handed out once."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    # Requests and answers of ours

    def request(self, pdu: Pdu, now: float, token: Any = None) -> int:
        """Queue a request; its response comes back as `Answered` with `token`. Returns its sequence number.

        A bind comes back as `Bound` or `BindRefused`; outbind and alert_notification have no response.
        Raises `StateError`, `WindowFull` or `EncodeError`, and then nothing is queued.
        """
        command_id = int(pdu.command_id)
        in_window = command_id not in BINDS and command_id not in WITHOUT_RESPONSE
        self._check(command_id, in_window=in_window)
        pdu.sequence_number = number = self._window.next_sequence_number()
        octets = codec.encode(pdu)
        if in_window:
            self._sent(number, command_id, octets, token, now)
            return number
        self._out.append(octets)
        if command_id in BINDS:
            self._bind = (number, command_id)
            self._opened_at = now
        return number

    def submit(
        self,
        template: codec.SubmitTemplate,
        destination_addr: str,
        short_message: bytes,
        now: float,
        token: Any = None,
        *,
        esm_class: int = 0,
        data_coding: int = 0,
        priority_flag: int | None = None,
        registered_delivery: int | None = None,
        validity_period: str | None = None,
        schedule_delivery_time: str = "",
        tlvs: Mapping[int, bytes] | None = None,
    ) -> int:
        """`request` for the hot path: a submit_sm from its template. Raises as `request` does."""
        self._check(_SUBMIT_SM, in_window=True)
        number = self._window.next_sequence_number()
        octets = template.encode(
            number,
            destination_addr,
            short_message,
            esm_class,
            data_coding,
            priority_flag,
            registered_delivery,
            validity_period,
            schedule_delivery_time,
            tlvs,
        )
        self._sent(number, _SUBMIT_SM, octets, token, now)
        return number

    def answer(
        self, sequence_number: int, command_id: int, command_status: int = st.ESME_ROK, message_id: str = ""
    ) -> None:
        """Queue the response to the peer's request `command_id`, cheaply.

        Raises `StateError` when closed, `EncodeError` for an id that can't be written.
        """
        if command_id not in _ONLY_MESSAGE_ID:
            cls = response_to(command_id) or GenericNack
            pdu = cls(sequence_number, command_status)
            if message_id:
                pdu.message_id = message_id  # type: ignore[attr-defined]  # who gives an id knows its field
            self.respond(pdu)
            return
        if self.closed:
            raise StateError("the session is closed")
        if command_status and command_id == _SUBMIT_SM:
            body = b""  # SMPP 3.4 §4.4.2
        else:
            body = cstring(message_id, 65) if message_id else b"\0"
        self._out.append(
            _pack_header(16 + len(body), command_id | RESPONSE, command_status, sequence_number) + body
        )
        if self._owed:
            self._owed -= 1

    def respond(self, pdu: Pdu) -> None:
        """Queue a response of any kind; its sequence number is the request's.

        The response to a bind with ESME_ROK binds the session. Raises `StateError` when closed,
        `EncodeError`.
        """
        if self.closed:
            raise StateError("the session is closed")
        self._out.append(codec.encode(pdu))
        if self._owed:
            self._owed -= 1
        bind = self._bind
        if bind is not None and self.role is Role.SMSC and pdu.sequence_number == bind[0]:
            self._bind = None
            if pdu.command_status == st.ESME_ROK and pdu.command_id == bind[1] | RESPONSE:
                self._enter(BINDS[bind[1]])

    def unbind(self, now: float) -> None:
        """No more requests; unbind when all that is in flight is answered, or `drain_timeout` is over.

        The end comes as `Closed`. Raises `StateError` unless bound.
        """
        if self.state not in BOUND:
            raise StateError(f"unbind while {self.state}")
        if self._drain_by is None:
            self._drain_by = now + self.timers.drain_timeout
            self._drain(now)

    def _check(self, command_id: int, *, in_window: bool) -> None:
        if command_id not in self._ours or self._drain_by is not None or self._bind is not None:
            raise StateError(f"command 0x{command_id:08X} while {self.state}")
        if in_window and len(self._window.pending) >= self._window.size:
            raise WindowFull(f"{self._window.size} requests are outstanding")

    def _sent(self, number: int, command_id: int, octets: bytes, token: Any, now: float) -> None:
        self._window.add(number, command_id, token, now)
        self._out.append(octets)
        self._stirred_at = now
        if self._unanswered_since is None:
            self._unanswered_since = now

    # What comes in

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take in what the socket read; never raises, whatever it is."""
        events: list[Event] = []
        if self.closed:
            return events
        self._heard_at = now
        broken: FramingError | None = None
        try:
            frames = self._reader.feed(data)
        except FramingError as error:
            frames, broken = error.frames, error
        for frame in frames:
            try:
                pdu = codec.decode(frame)
            except PduError as error:
                self._take_malformed(error, now, events)
            else:
                if pdu.command_id & RESPONSE:
                    self._take_response(pdu, now, events)
                else:
                    self._take_request(pdu, now, events)
            if self.closed:
                return events
        if broken is not None:
            nack = GenericNack(sequence_number=broken.sequence_number, command_status=st.ESME_RINVCMDLEN)
            self._out.append(codec.encode(nack))
            self._close(CloseReason.FRAMING, events)
        return events

    def lost(self) -> list[Event]:
        """The connection is gone. `Closed` once, with the tokens that have no response."""
        events: list[Event] = []
        if not self.closed:
            self._close(CloseReason.LOST, events)
        return events

    def _take_response(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        number = pdu.sequence_number
        pending = self._window.pending
        request = pending.get(number)
        if request is None or not _answers(pdu.command_id, request.command_id):
            self._take_other_response(pdu, now, events)
            return
        del pending[number]
        self._unanswered_since = now if pending else None
        self._stirred_at = now
        events.append(Answered(request.token, pdu, now - request.sent_at))
        if self._drain_by is not None:
            self._drain(now)

    def _take_other_response(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        """To our bind, our enquire_link or unbind, to a request that timed out, or to nothing."""
        number = pdu.sequence_number
        if self._bind is not None and self.role is Role.ESME and self._bind[0] == number:
            self._take_bind_response(pdu, self._bind[1], now, events)
        elif number in self._control and _answers(pdu.command_id, self._control[number][0]):
            command_id, _ = self._control.pop(number)
            if command_id == _UNBIND:
                self._close(CloseReason.UNBOUND, events)
        elif (request := self._window.remembered(number)) is not None and _answers(
            pdu.command_id, request.command_id
        ):
            self._window.forget(number)
            self._unanswered_since = now if self._window.pending else None
            events.append(Late(request.token, pdu, now - request.sent_at))
        else:
            self.orphans += 1
            events.append(Orphan(number, pdu))

    def _take_bind_response(self, pdu: Pdu, command_id: int, now: float, events: list[Event]) -> None:
        if not _answers(pdu.command_id, command_id):
            self.orphans += 1
            events.append(Orphan(pdu.sequence_number, pdu))
            return
        self._bind = None
        if pdu.command_status == st.ESME_ROK and pdu.command_id != _GENERIC_NACK:
            self._enter(BINDS[command_id])
            self._stirred_at = now
            events.append(Bound(self.state, pdu))
        else:
            events.append(BindRefused(pdu.command_status, pdu))

    def _take_request(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        command_id = pdu.command_id
        if command_id == _ENQUIRE_LINK:  # in every state (SMPP 5.0 §2.4)
            self._out.append(_pack_header(16, _ENQUIRE_LINK | RESPONSE, st.ESME_ROK, pdu.sequence_number))
            return
        self._stirred_at = now
        if command_id == _UNBIND and self.state in BOUND:
            self._out.append(_pack_header(16, _UNBIND | RESPONSE, st.ESME_ROK, pdu.sequence_number))
            self._enter(State.UNBOUND)
            events.append(PeerUnbound())
        elif command_id not in self._theirs:
            already = command_id in BINDS and self.role is Role.SMSC and self.state in BOUND
            self._refuse(pdu, st.ESME_RALYBND if already else st.ESME_RINVBNDSTS)
        elif command_id in WITHOUT_RESPONSE:
            events.append(Notice(pdu))
        elif command_id in BINDS and self._bind is not None:
            self._refuse(pdu, st.ESME_RALYBND)
        else:
            if command_id in BINDS:
                self._bind = (pdu.sequence_number, int(command_id))
            self._owed += 1
            events.append(Request(pdu))

    def _take_malformed(self, error: PduError, now: float, events: list[Event]) -> None:
        answer = codec.refusal(error)
        if answer is not None and error.salvaged is not None and self.role is Role.ESME:
            self.malformed += 1
            events.append(Malformed(error))
            self._take_request(error.salvaged, now, events)
        elif answer is not None:
            self.malformed += 1
            self._out.append(answer)
            events.append(Malformed(error))
        elif error.salvaged is None:  # a response that no version of SMPP knows
            self.orphans += 1
            events.append(Orphan(error.sequence_number, None))
        else:
            self.malformed += 1
            events.append(Malformed(error))
            self._take_response(error.salvaged, now, events)

    def _refuse(self, pdu: Pdu, command_status: int) -> None:
        cls = response_to(pdu.command_id) or GenericNack
        self._out.append(codec.encode(cls(pdu.sequence_number, command_status)))

    # Time

    def tick(self, now: float) -> list[Event]:
        """What `now` makes due. To be called about once a second; late calls do no harm."""
        events: list[Event] = []
        if self.closed:
            return events
        timers = self.timers
        events.extend(
            TimedOut(request.token, request.command_id, now - request.sent_at)
            for request in self._window.expire(now - timers.response_timeout)
        )
        if (reason := self._end_due(now)) is not None:
            self._close(reason, events)
            return events
        self._drain(now)
        if self.state not in BOUND:
            return events
        if self._drain_by is None and _due(timers.inactivity, self._stirred_at, now):
            self.unbind(now)
        if _due(timers.enquire_link, self._heard_at, now) and not self._control:
            self._send_control(EnquireLink(), now)
        return events

    def _end_due(self, now: float) -> CloseReason | None:
        timers = self.timers
        # A bind that our own side has yet to answer is not the peer's delay.
        waits_for_peer = self.state is State.OPEN and (self.role is Role.ESME or self._bind is None)
        if waits_for_peer and _due(timers.bind_timeout, self._opened_at, now):
            return CloseReason.BIND_TIMEOUT
        if any(_due(timers.response_timeout, sent_at, now) for _, sent_at in self._control.values()):
            return CloseReason.SILENT
        if self._unanswered_since is not None and _due(timers.answer_timeout, self._unanswered_since, now):
            return CloseReason.UNANSWERED
        return None

    def _drain(self, now: float) -> None:
        """Send the unbind once nothing is in flight either way, or when waiting has been long enough."""
        if self._drain_by is None or (now < self._drain_by and (self._window.pending or self._owed)):
            return
        if self.state not in BOUND:  # the peer has unbound while we were waiting
            return
        if all(command_id != _UNBIND for command_id, _ in self._control.values()):
            self._send_control(Unbind(), now)

    def _send_control(self, pdu: Pdu, now: float) -> None:
        pdu.sequence_number = number = self._window.next_sequence_number()
        self._control[number] = (int(pdu.command_id), now)
        self._out.append(codec.encode(pdu))

    def _close(self, reason: CloseReason, events: list[Event]) -> None:
        self._enter(State.CLOSED)
        events.append(Closed(reason, self._window.clear()))


def _answers(response_id: int, request_id: int) -> bool:
    """Whether this response can be to that request; a generic_nack can be to any."""
    return response_id == request_id | RESPONSE or response_id == _GENERIC_NACK


def _due(after: float | None, since: float, now: float) -> bool:
    return after is not None and now - since >= after
