"""What a bind writes: parcels within window and rate, in their order; and what answers mean for them."""

import heapq
import logging
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, cast

from gateway.esme.alarms import Alarms
from gateway.esme.order import Numbers
from gateway.esme.pace import BOUNDS, RoundTrips
from gateway.esme.route import Route
from gateway.esme.throttle import SLOWER_BY, Throttle
from gateway.esme.translate import Judgement, Writer, judge, key_of_response
from gateway.services.carrier import Fate, Outcome, Parcel
from gateway.services.flights import Segment
from gateway.smpp import events, status
from gateway.smpp.codec import SubmitTemplate
from gateway.smpp.constants import Tag
from gateway.smpp.errors import EncodeError
from gateway.smpp.pdu import Pdu
from gateway.smpp.session import Session
from gateway.telemetry import SUBMIT_SECONDS, SUBMITTED, THROTTLED

log = logging.getLogger(__name__)

#: A bind that is held to a rate takes so many seconds' worth of parcels and paces them itself.
AHEAD: Final = 0.1
#: Windows' worth of parcels that may wait behind others to their numbers.
BEHIND: Final = 4
#: Of what the SMSC refused for being too fast, so many seconds' worth stays here. The rest goes back, where
#: urgent messages pass it.
AGAIN_SECONDS: Final = 1.0
_TAKEN: Final = Fate.TAKEN  # an enum's attribute costs a look-up in its class each time
_CONGESTION: Final = int(Tag.CONGESTION_STATE)


class Writing:
    """The way out of one session. `link` is who `Numbers` knows it by."""

    def __init__(
        self,
        route: Route,
        session: Session,
        *,
        link: Any,
        numbers: Numbers[Any],
        alarms: Alarms,
        now: Callable[[], datetime],
        clock: float,
        may_go: Callable[[Parcel], bool] = lambda _parcel: True,
        number_of: Callable[[str], str] = str,
    ) -> None:
        """`may_go`: asked of what was kept here, before it is written; `number_of`: see `Writer`."""
        self._route = route
        self._session = session
        self._link = link
        self._numbers = numbers
        self._alarms = alarms
        self._now = now
        self._may_go = may_go
        self._writer = Writer(route, number_of)
        self.steered = self._writer.forget  #: to be called when our numbers are others
        self._heeds = route.profile.congestion
        self._ready: deque[Parcel] = deque()  # what may be written as soon as there is room
        self._again: list[tuple[int, Parcel]] = []  # refused for being too fast: before all others, as a heap
        self._turns: dict[Segment, int] = {}  # of what was refused so: where it stands among its like
        self._turn = 0
        self.unfit: list[Outcome] = []  #: of what could not be written: for the link to tell
        self._answered_at = float("-inf")
        self._warned = False
        self._silent = False  # what was sent after the last answer has timed out: one at a time tries it
        self._submitted_ok = SUBMITTED.labels(route.name, "ok")
        self.throttle = Throttle(route.rate, clock)
        self.trips = RoundTrips(SUBMIT_SECONDS.labels(route.name), clock)
        self.full = False  #: the peer reads slower than we write
        self.submitted = self.refused = self.throttled = self.unanswered = 0
        self.rebind = ""  #: an answer said that the bind is not as it should be: why, in words

    # What may be written

    @property
    def kept(self) -> int:
        """Parcels that are here and not written."""
        behind: int = self._link.behind
        return behind + len(self._ready) + len(self._again)

    @property
    def room(self) -> int:
        """How many parcels it takes now."""
        behind: int = self._link.behind
        if self.full or behind >= BEHIND * self._route.window:
            return 0
        waiting = len(self._ready) + len(self._again)
        room = self._space() - waiting
        if room > 0 and (ahead := self.throttle.ahead(AHEAD)) is not None:
            room = min(room, ahead - waiting)
        return max(0, room)

    def submit(self, parcels: Sequence[Parcel], clock: float) -> None:
        """Write what may be written now and keep the rest, in order."""
        begin, link = self._numbers.begin, self._link
        begun = [parcel for parcel in parcels if begin(parcel, link)]
        if self._ready or self._again or len(begun) > (free := self._free(clock)):
            self._ready.extend(begun)
            self.pump(clock)
        elif free > 0:
            self._write(begun, clock)

    def go_on(self, parcels: Iterable[Parcel]) -> None:
        """These waited behind others; `pump` writes them."""
        self._ready.extend(parcels)

    def pump(self, clock: float) -> None:
        """Write what is kept, as far as window and rate allow; what was refused goes first."""
        ready, again = self._ready, self._again
        if not (ready or again) or (free := self._free(clock)) <= 0:
            return
        parcels = [heapq.heappop(again)[1] for _ in range(min(free, len(again)))]
        parcels.extend(ready.popleft() for _ in range(min(free - len(parcels), len(ready))))
        self._write(self._allowed(parcels), clock)

    @property
    def eager(self) -> bool:
        """Whether something could go but for window and rate."""
        return bool(self._ready or self._again)

    def wait(self, clock: float) -> float | None:
        """Seconds until the rate lets go on what is kept; None: it does not wait for that."""
        if self.full or self._space() <= 0 or not self.throttle.rate:
            return None
        return self.throttle.wait(clock)

    def _allowed(self, parcels: list[Parcel]) -> list[Parcel]:
        """Without those that are not to go any more: our lease ended, say, or an answer came after all."""
        may_go = self._may_go
        allowed = [parcel for parcel in parcels if may_go(parcel)]
        if len(allowed) < len(parcels):
            going = {id(parcel) for parcel in allowed}
            for parcel in parcels:
                if id(parcel) not in going:
                    self.unfit += self._given_back(parcel)
        return allowed

    def _free(self, clock: float) -> int:
        if self.full:
            return 0
        allowance = self.throttle.allowance(clock)
        room = self._space()
        return room if allowance is None else min(room, allowance)

    def _space(self) -> int:
        """Room in the window; while the SMSC answers nothing, for one: what it swallows ends as unknown."""
        room = self._session.room
        return min(room, 1 - self._session.outstanding) if self._silent else room

    def _write(self, parcels: Sequence[Parcel], clock: float) -> None:
        if not parcels:
            return
        session, submit = self._session, self._writer.submit
        now = self._now()
        for parcel in parcels:
            try:
                submit(session, parcel, clock, now)
            except EncodeError as error:
                self._does_not_fit(parcel, error)
        self.throttle.spend(len(parcels), clock)

    def _does_not_fit(self, parcel: Parcel, error: EncodeError) -> None:
        self.unfit.append(Outcome(parcel.token, Fate.REFUSED, self._route.name, reason=str(error)))
        self._turns.pop(parcel.token, None)
        self._numbers.end(parcel)

    # What the answers mean

    def hear(
        self, happened: Sequence[events.Event], window_full: bool, clock: float
    ) -> tuple[list[Outcome], list[events.Event]]:
        """What became of parcels, and the events that are about something else.

        `window_full`: it was, before these came.
        """
        outcomes, self.unfit = self.unfit, []
        rest: list[events.Event] = []
        route, end = self._route, self._numbers.end
        trips, fresh = self.trips, self.trips.fresh
        taken, seconds, heard = 0, 0.0, False
        for event in happened:
            if type(event) is events.Request:
                rest.append(event)
                continue
            if type(event) is not events.Answered:
                taken = self._took(taken, clock)
                if not self._about(event, window_full, clock, outcomes):
                    rest.append(event)
                continue
            parcel: Parcel = event.token
            pdu = event.pdu
            seconds = event.seconds
            heard = True
            fresh[bisect_left(BOUNDS, seconds)] += 1
            trips.seconds += seconds
            if pdu.tlvs and self._heeds and (level := pdu.tlvs.get(_CONGESTION)):
                self.throttle.told(level[0], clock)
            message_id: str = getattr(pdu, "message_id", "")
            if pdu.command_status or not message_id or not is_id(message_id):
                taken = self._took(taken, clock)  # those before it tell how fast was not too fast
                self._not_taken(event, window_full, clock, outcomes)
                continue
            taken += 1
            key = key_of_response(route, message_id)
            outcomes.append(Outcome(parcel.token, _TAKEN, route.name, message_id, key, 0))
            if self._turns:
                self._turns.pop(parcel.token, None)
            if self._alarms:
                self._alarms.taken(parcel.sender)
            end(parcel)
        self._took(taken, clock)
        if heard:
            self._answered_at, self._silent = clock, False
        if seconds > SLOWER_BY and trips.best is not None:
            self.throttle.felt(seconds, trips.best, window_full, clock)
        if self._again:
            outcomes += self._too_many()
        return outcomes, rest

    def _too_many(self) -> list[Outcome]:
        """Of what was refused for being too fast, the last go back, and what stands behind them."""
        most = max(1, int(self.throttle.rate * AGAIN_SECONDS))
        if len(self._again) <= most:
            return []
        ordered = sorted(self._again)  # a sorted list is a heap
        self._again, over = ordered[:most], ordered[most:]
        return [outcome for _, parcel in over for outcome in self._given_back(parcel)]

    def _took(self, count: int, clock: float) -> int:
        if count:
            self.submitted += count
            self._submitted_ok.inc(count)
            self.throttle.taken(count, clock)
        return 0

    def _not_taken(self, answer: events.Answered, full: bool, clock: float, outcomes: list[Outcome]) -> None:
        """Refused, or taken without an id that a receipt could name."""
        parcel: Parcel = answer.token
        pdu = answer.pdu
        if pdu.command_status == status.ESME_ROK:
            outcomes.append(self._nameless(parcel, getattr(pdu, "message_id", "")))
            self._end(parcel)
            self._took(1, clock)
            return
        judgement = self._judged(parcel, pdu, full)
        if judgement.fate is not None:
            outcomes.append(self._outcome(parcel, pdu, judgement, judgement.fate))
            self._end(parcel)
        elif judgement.verdict is status.Verdict.LINK:
            self.rebind = f"{judgement.sentence} ({status.name(pdu.command_status)})"
            outcomes += self._given_back(parcel)
        else:
            self.throttled += 1
            THROTTLED.labels(self._route.name, status.name(pdu.command_status)).inc()
            self.throttle.refused(clock, clock - answer.seconds)
            turn = self._turns.get(parcel.token)
            if turn is None:
                turn = self._turns[parcel.token] = self._turn = self._turn + 1
            heapq.heappush(self._again, (turn, parcel))

    def _judged(self, parcel: Parcel, pdu: Pdu, full: bool) -> Judgement:
        code = pdu.command_status
        judgement = judge(self._route, code, parcel.token.refusals, full)
        verdict = judgement.verdict
        SUBMITTED.labels(self._route.name, str(verdict)).inc()
        if judgement.fate is not None:
            self.refused += 1
        if judgement.alarm:
            self._alarms.raised(code, parcel.sender, verdict)
        if verdict is status.Verdict.VENDOR:
            self._alarms.strange(code)
        return judgement

    def _outcome(self, parcel: Parcel, pdu: Pdu, judgement: Judgement, fate: Fate) -> Outcome:
        ours = judgement.verdict is status.Verdict.OURS
        return Outcome(
            parcel.token,
            fate,
            self._route.name,
            command_status=pdu.command_status,
            reason=status.name(pdu.command_status),
            pauses=judgement.pauses,
            detail=self._octets(parcel, pdu.sequence_number) if ours else None,
        )

    def _octets(self, parcel: Parcel, number: int) -> str | None:
        """The submit_sm as it was, in hex; its relative times counted from now."""
        scribe = _Scribe(number)
        try:
            self._writer.submit(cast(Session, scribe), parcel, 0.0, self._now())
        except EncodeError:
            return None
        return scribe.octets.hex()

    def _about(self, event: events.Event, full: bool, clock: float, outcomes: list[Outcome]) -> bool:
        """Whether the event is about a parcel; then it is seen to."""
        match event:
            case events.TimedOut(token=token, seconds=seconds):
                self.unanswered += 1
                self._silent |= clock - seconds >= self._answered_at
                outcomes.append(self._lost(token, "no response"))
                self._end(token)
            case events.Late(token=token, pdu=pdu):
                self._answered_at, self._silent = clock, False
                outcomes.append(self._late(token, pdu, full))
            case events.Closed(reason=reason, tokens=tokens):
                outcomes += self._closed(f"link {reason}", tokens)
                return False
            case _:
                return False
        return True

    def _late(self, parcel: Parcel, pdu: Pdu, full: bool) -> Outcome:
        """It was given up for lost: the order to its number has gone on without it."""
        if pdu.command_status == status.ESME_ROK:
            message_id: str = getattr(pdu, "message_id", "")
            if not is_id(message_id):
                return self._nameless(parcel, message_id)
            key = key_of_response(self._route, message_id)
            return Outcome(parcel.token, Fate.TAKEN, self._route.name, message_id, key, 0)
        judgement = self._judged(parcel, pdu, full)
        # What the bind would send again was not taken, as is known now: dispatch decides when it goes.
        return self._outcome(parcel, pdu, judgement, judgement.fate or Fate.PUT_OFF)

    def _closed(self, reason: str, tokens: Sequence[Parcel]) -> list[Outcome]:
        """In flight is lost; what is kept comes back, in order."""
        outcomes = [self._lost(parcel, reason) for parcel in tokens]
        for parcel in tokens:
            self._end(parcel)
        return outcomes + self.give_back()

    def give_back(self) -> list[Outcome]:
        """All that is kept comes back, in order."""
        outcomes: list[Outcome] = []
        kept = [heapq.heappop(self._again)[1] for _ in range(len(self._again))]
        kept += self._ready
        self._ready.clear()
        for parcel in kept:
            outcomes += self._given_back(parcel)
        outcomes += [unsent(parcel) for parcel in self._numbers.leave(self._link)]
        return outcomes

    def _given_back(self, parcel: Parcel) -> list[Outcome]:
        """Unsent, and so is what stands behind it."""
        self._turns.pop(parcel.token, None)
        return [unsent(parcel), *(unsent(other) for other in self._numbers.back(parcel))]

    def _end(self, parcel: Parcel) -> None:
        self._turns.pop(parcel.token, None)
        self._numbers.end(parcel)

    def _lost(self, parcel: Parcel, reason: str) -> Outcome:
        return Outcome(parcel.token, Fate.LOST, self._route.name, reason=reason)

    def _nameless(self, parcel: Parcel, message_id: str) -> Outcome:
        """It was answered, and the SMSC works."""
        if message_id and not self._warned:
            self._warned = True
            log.warning("answers bear ids that can't be read", extra={"route": self._route.name})
        return self._lost(parcel, _without_id(message_id))._replace(command_status=status.ESME_ROK)


def is_id(message_id: str) -> bool:
    """Whether it can be a message's id: octets that no terminal shows come from a broken answer."""
    return message_id != "" and message_id.isascii() and message_id.isprintable()


def _without_id(message_id: str) -> str:
    return "taken with an id that can't be read" if message_id else "taken without an id"


def unsent(parcel: Parcel) -> Outcome:
    """Not one octet of it left, or the SMSC did not look at it."""
    return Outcome(parcel.token, Fate.UNSENT, parcel.route)


class _Scribe:
    """In a session's place: what it would have sent."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.octets = b""

    def submit(
        self,
        template: SubmitTemplate,
        destination_addr: str,
        short_message: bytes,
        _now: float,
        _token: Any = None,
        **fields: Any,
    ) -> int:
        self.octets = template.encode(self._number, destination_addr, short_message, **fields)
        return self._number
