"""Messages on their way, as memory knows them: what waits, what has left, whose receipt is to come.

The tables hold all of it; this is the quick copy at the owner of the buckets, and all of it is bounded.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, Final, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

from gateway.domain.message import FINAL, TRANSITIONS, Event, Message, OnUnknown, Status, Step
from gateway.services.references import References


class Leg(Enum):
    """Where one segment stands."""

    WAITING = auto()  #: not sent, or to be sent again
    FLYING = auto()  #: an attempt is on record, no answer yet
    TAKEN = auto()  #: the SMSC has it
    UNKNOWN = auto()  #: sent, and nobody knows
    ARRIVED = auto()  #: the handset has it
    LOST = auto()  #: refused, or undeliverable


#: So begins why an attempt that the SMSC refused costs no patience with its recipient.
SENDER_REFUSED: Final = "sender refused by the SMSC"

#: How a route reports on a long text: for each part, or in one receipt for all of it.
EACH: Final = "each"
FIRST: Final = "first"
LAST: Final = "last"

#: Ends the detail of an attempt that asked for no receipt, though its message wants one.
SILENT: Final = " silent"


class Segment:
    """One short message of a message, and the token that its PDU carries."""

    __slots__ = ("copy", "number", "outgoing", "patience", "refusals", "route", "sent_at", "silent", "state")

    def __init__(self, outgoing: "Outgoing", number: int) -> None:
        self.outgoing = outgoing
        self.number = number  #: 1…n
        self.copy = 0  #: how often it was sent
        self.refusals = 0  #: how many of these are surely not with the SMSC
        self.patience = 0  #: how often the SMSC put it off because of its recipient
        self.state = Leg.WAITING
        self.sent_at: datetime | None = None  #: when its last attempt was made
        self.route = ""  #: by which its last attempt was made, or which took it
        self.silent = False  #: its last attempt asked for no receipt: that of another part tells of all

    @property
    def doubtful(self) -> int:
        """How many of its copies the SMSC may have: those that were sent and not refused."""
        return self.copy - self.refusals


class Outgoing:
    """A message on its way."""

    __slots__ = (
        "__weakref__",
        "cut",
        "cut_for",
        "encoding",
        "message",
        "reference",
        "segments",
        "seq",
        "status",
        "taken",
    )

    def __init__(self, message: Message) -> None:
        self.message = message
        self.status = Status(message.status)
        self.seq = 0
        self.segments = [Segment(self, number) for number in range(1, message.segments + 1)]
        #: How its text was cut, as `udh8/3` or `sar/2`; none before its first attempt.
        self.cut: str | None = None
        #: In what, and by which route it was cut so: the rest and later copies are cut as this one's were.
        self.encoding = message.encoding
        self.cut_for = ""
        #: Of its segments' header; the same whenever they are sent.
        self.reference = reference_of(message.id, "udh8")
        self.taken = False  #: out of the queue, its attempt about to be written

    def advance(self, event: Event, at: datetime, segment: int | None = None, **fields: Any) -> Step:
        """Take the step: the machine decides the status. The step is to be stored by the caller."""
        self.status = TRANSITIONS[self.status, event]
        self.seq += 1
        message = self.message
        return Step(message.bucket, message.id, self.seq, at, event, self.status, segment, **fields)

    def cut_into(self, total: int, how: str) -> None:
        """Its segments as a route cuts them, while nothing of it may have left.

        `how` is a word for the log: the join, `/`, the number of segments, and `#` with the reference where
        this is not the one that the message's id gives: `udh8/3`, `sar/2`, `udh8/3#41`.
        """
        if how == self.cut:
            return
        self.cut = how
        join, reference = how.partition("/")[0], how.partition("#")[2]
        self.reference = int(reference) if reference else reference_of(self.message.id, join)
        if total == len(self.segments):
            return
        refusals = max(segment.refusals for segment in self.segments)
        patience = max(segment.patience for segment in self.segments)
        self.segments = [Segment(self, number) for number in range(1, total + 1)]
        for segment in self.segments:  # what was refused before was all of it
            segment.copy = segment.refusals = refusals
            segment.patience = patience

    def told_of(self, segment: Segment) -> str | None:
        """What the log has to know of an attempt beside its numbers: how it was cut, whether it is silent."""
        usual = self._usual_cut
        cut = self.cut or usual
        if self.encoding != self.message.encoding:
            cut += f"={self.encoding}"
        if cut == usual and not segment.silent:
            return None
        return cut + SILENT if segment.silent else cut

    @property
    def _usual_cut(self) -> str:
        return f"udh8/{self.message.segments}"

    def replay(self, steps: Iterable[Step]) -> None:
        """Bring it to where the log of its steps ends."""
        for step in steps:
            self.seq = step.seq
            self.status = Status(step.status)
            if step.kind == Event.ATTEMPT:
                self._cut_again(step.detail)
                if self.untouched:
                    self.cut_for = step.route or ""
            touched = self.segments if step.segment is None else [self.segments[step.segment - 1]]
            for segment in touched:
                segment.copy = step.copy or segment.copy
                if step.kind == Event.ATTEMPT:
                    segment.sent_at = step.at
                    segment.route = step.route or ""
                    segment.silent = (step.detail or "").endswith(SILENT)
                elif step.kind == Event.DEFERRED:
                    segment.refusals += 1
                    segment.patience += not (step.reason or "").startswith(SENDER_REFUSED)
                elif step.kind == Event.RETURNED:
                    segment.copy -= 1
                elif step.kind in _ANSWERS:
                    segment.route = step.route or ""
                segment.state = _leg_after(step, segment.state)

    def _cut_again(self, detail: str | None) -> None:
        how, _, encoding = (detail or self._usual_cut).removesuffix(SILENT).partition("=")
        self.encoding = encoding or self.message.encoding
        total = how.partition("/")[2].partition("#")[0]
        self.cut_into(int(total) if total.isdigit() else self.message.segments, how)

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def untouched(self) -> bool:
        """Whether nothing of it is with the SMSC or on its way there."""
        return all(segment.state is Leg.WAITING and not segment.doubtful for segment in self.segments)

    @property
    def busy(self) -> bool:
        """Whether something of it has yet to be sent, or waits for its answer."""
        return self.status not in _SETTLED and any(
            segment.state in (Leg.WAITING, Leg.FLYING)
            or (segment.state is Leg.UNKNOWN and resendable(segment))
            for segment in self.segments
        )


def reference_of(uid: UUID, join: str) -> int:
    """The reference that an id gives to its segments: of 8 bits in the usual header, else of 16."""
    return uid.int >> 16 & (0xFF if join == "udh8" else 0xFFFF)


_SETTLED: Final = FINAL | {Status.SUBMITTED}
_ANSWERS: Final = frozenset({Event.ACCEPTED, Event.SUBMITTED})
_LEG_AFTER: Final = {
    Event.ATTEMPT: Leg.FLYING,
    Event.ACCEPTED: Leg.TAKEN,
    Event.SUBMITTED: Leg.TAKEN,
    Event.REFUSED: Leg.LOST,
    Event.DEFERRED: Leg.WAITING,
    Event.RETURNED: Leg.WAITING,
    Event.LOST: Leg.UNKNOWN,
    Event.ARRIVED: Leg.ARRIVED,
    Event.DELIVERED: Leg.ARRIVED,
    Event.UNDELIVERED: Leg.LOST,
}


def _leg_after(step: Step, leg: Leg) -> Leg:
    """Where a step on record leaves its segment. What has arrived stays so when its other copy is taken."""
    if leg is Leg.ARRIVED and step.kind in (Event.ACCEPTED, Event.SUBMITTED):
        return leg
    return _LEG_AFTER.get(Event(step.kind), leg)


_Place = tuple[UUID, int]  #: a message, and which segment of it


class _Nameless(NamedTuple):
    """A copy without an answer."""

    place: _Place
    route: str  #: by which it was sent
    sent_at: datetime | None


class Flights:
    """The shared memory of dispatch and receipts."""

    #: Submitted segments whose receipt memory waits for; the oldest beyond are found through the tables.
    AWAITING: Final = 200_000
    #: Messages whose outcome is unknown and that a receipt may yet settle.
    UNKNOWN: Final = 10_000
    #: Copies without an answer, of one customer, that are remembered.
    NAMELESS: Final = 100
    #: After so long no receipt is waited for any more.
    LONGEST: Final = timedelta(days=7)

    def __init__(self, parts_reported: Callable[[str], str] = lambda _route: EACH) -> None:
        """`parts_reported`: for which parts of a long text the SMSC of a route sends receipts."""
        self.parts_reported = parts_reported
        self.references = References()
        self.open: dict[UUID, Outgoing] = {}
        #: Of buckets that we give away: what still waits for its answer.
        self.leaving: dict[UUID, Outgoing] = {}
        # By route and key, those taken first in front: a dict would look for its first among all that went.
        self._awaiting: dict[str, OrderedDict[str, Segment]] = {}
        self._unknown: dict[str, list[Segment]] = {}
        #: Copies that were left without an answer, and so without an id, until a receipt or a late answer
        #: accounts for them, by customer.
        self._nameless: dict[str, list[_Nameless]] = {}
        #: Messages that anything in memory still leads to, so that nobody makes a second one from the log.
        self._known: WeakValueDictionary[UUID, Outgoing] = WeakValueDictionary()

    def known(self, uid: UUID) -> Outgoing | None:
        """The message, if memory has it for any reason: its next step is then the one after the last here."""
        return self.open.get(uid) or self._known.get(uid)

    def disown(self, uid: UUID) -> None:
        """Another owner went on with it: what memory knows is stale."""
        self._known.pop(uid, None)

    def let_go(self, outgoing: Outgoing) -> None:
        """Nothing more is to be done for it, or somebody else does it."""
        uid = outgoing.message.id
        if self.open.get(uid) is outgoing:
            del self.open[uid]
        if self.leaving:
            self.landed(outgoing)

    def landed(self, outgoing: Outgoing) -> None:
        """Of a message that is given away: forgotten when nothing of it waits for an answer any more."""
        if all(segment.state is not Leg.FLYING for segment in outgoing.segments):
            self.leaving.pop(outgoing.message.id, None)

    def await_receipt(self, route: str, key: str, segment: Segment) -> None:
        """A receipt under this key will be about this segment. An id used again means the newest."""
        awaiting = self._awaiting.get(route)
        if awaiting is None:
            awaiting = self._awaiting[route] = OrderedDict()
        elif key in awaiting:
            del awaiting[key]
        awaiting[key] = segment
        self._known[segment.outgoing.message.id] = segment.outgoing
        if self.awaiting > self.AWAITING:
            max(self._awaiting.values(), key=len).popitem(last=False)
        self._give_up(awaiting, segment.sent_at)

    def _give_up(self, awaiting: OrderedDict[str, Segment], now: datetime | None) -> None:
        """The oldest, when its receipt will never come: up to two for each that is added."""
        for _ in range(2):
            key = next(iter(awaiting))
            sent_at = awaiting[key].sent_at
            if now is None or sent_at is None or now - sent_at <= self.LONGEST:
                return
            del awaiting[key]

    def find(self, route: str, key: str) -> Segment | None:
        """The segment that a receipt is about."""
        awaiting = self._awaiting.get(route)
        return None if awaiting is None else awaiting.get(key)

    def forget(self, route: str, key: str, segment: Segment | None = None) -> None:
        """Its final receipt has come. With `segment`: unless the id was given to another one since."""
        awaiting = self._awaiting.get(route)
        if awaiting is not None and (segment is None or awaiting.get(key) is segment):
            awaiting.pop(key, None)

    def awaiting_of(self, route: str) -> tuple[int, datetime | None]:
        """How many segments of a route wait for their receipt, and when the oldest of them was sent."""
        awaiting = self._awaiting.get(route)
        if not awaiting:
            return 0, None
        return len(awaiting), next(iter(awaiting.values())).sent_at

    def reports(self, segment: Segment) -> bool:
        """Whether a receipt of its own is to be expected for a segment, by its route's habits."""
        if segment.silent:
            return False
        total = len(segment.outgoing.segments)
        parts = EACH if total == 1 else self.parts_reported(segment.route)
        return parts == EACH or segment.number == (1 if parts == FIRST else total)

    def has_arrived(self, outgoing: Outgoing) -> bool:
        """Whether the handset has all of it: each part is reported, or came with one that is."""
        return any(segment.state is Leg.ARRIVED for segment in outgoing.segments) and all(
            segment.state is Leg.ARRIVED or (segment.state is Leg.TAKEN and not self.reports(segment))
            for segment in outgoing.segments
        )

    def mark_unknown(self, segment: Segment) -> None:
        """Nobody knows what became of it; a receipt for that recipient may tell."""
        place = _place_of(segment)
        self._known[segment.outgoing.message.id] = segment.outgoing
        known = self._unknown.setdefault(segment.outgoing.message.msisdn, [])
        known[:] = [other for other in known if _place_of(other) != place]
        known.append(segment)
        if len(self._unknown) > self.UNKNOWN:
            del self._unknown[next(iter(self._unknown))]

    def lose(self, segment: Segment, routes: Sequence[str] = ()) -> None:
        """Copies of it have no id that we know: a strange receipt may be about any of them.

        `routes`: by which each of them was sent; by its last one when nothing is said.
        """
        nameless = self._nameless.setdefault(segment.outgoing.message.msisdn, [])
        place, sent_at = _place_of(segment), segment.sent_at
        nameless += [_Nameless(place, route, sent_at) for route in routes or (segment.route,)]
        if sent_at is not None and _too_old(nameless[0], sent_at):
            nameless[:] = [copy for copy in nameless if not _too_old(copy, sent_at)]
        del nameless[: -self.NAMELESS]
        if len(self._nameless) > self.UNKNOWN:
            del self._nameless[next(iter(self._nameless))]

    def find_again(self, segment: Segment, route: str = "") -> None:
        """One of those copies is accounted for: that which was sent by this route, if it is known."""
        msisdn, place = segment.outgoing.message.msisdn, _place_of(segment)
        nameless = self._nameless.get(msisdn, [])
        found = [copy for copy in nameless if copy.place == place]
        found.sort(key=lambda copy: copy.route != route)  # stable: else the oldest
        if found:
            nameless.remove(found[0])
        if not nameless:
            self._nameless.pop(msisdn, None)

    def nameless(self, segment: Segment, route: str | None = None) -> tuple[int, datetime | None]:
        """How many copies of it have no id, by all routes or by one; and when the first of them was sent."""
        place = _place_of(segment)
        sent = [
            copy.sent_at
            for copy in self._nameless.get(segment.outgoing.message.msisdn, ())
            if copy.place == place and route in (None, copy.route)
        ]
        return len(sent), sent[0] if sent else None

    def settle_unknown(self, segment: Segment, route: str = "") -> None:
        """It is known now, by an answer or a receipt of this route."""
        self.send_again(segment)
        self.find_again(segment, route)

    def send_again(self, segment: Segment) -> None:
        """It is not unknown for the moment; what became of its copy before still is."""
        msisdn = segment.outgoing.message.msisdn
        rest = [other for other in self._unknown.get(msisdn, ()) if other is not segment]
        if rest:
            self._unknown[msisdn] = rest
        else:
            self._unknown.pop(msisdn, None)

    def only_unknown_to(self, msisdn: str, route: str) -> Segment | None:
        """The segment that a receipt of a route with a strange id must be about: the only unknown one that
        was sent to this customer by this route.

        While anything else waits there for its response, the receipt may be about that; and so it may about
        another one's first copy that was never answered, though its second one was.
        """
        here = {copy.place for copy in self._nameless.get(msisdn, ()) if copy.route == route}
        segments = [each for each in self._unknown.get(msisdn, ()) if _place_of(each) in here]
        if len(segments) != 1 or segments[0].state is not Leg.UNKNOWN:
            return None
        mine, sent_at = _place_of(segments[0]), segments[0].sent_at
        for copy in self._nameless[msisdn]:
            if (
                copy.route == route
                and copy.place != mine
                and (sent_at is None or not _too_old(copy, sent_at))
            ):
                return None
        for outgoing in self.open.values():
            if outgoing.message.msisdn == msisdn and any(
                other.state is Leg.FLYING and other.route == route for other in outgoing.segments
            ):
                return None
        return segments[0]

    @property
    def awaiting(self) -> int:
        """Segments whose receipt is outstanding."""
        return sum(map(len, self._awaiting.values()))

    def drop(self, buckets: frozenset[int]) -> Iterator[Outgoing]:
        """Forget all messages of buckets that are somebody else's now."""
        for outgoing in [o for o in self.open.values() if o.message.bucket in buckets]:
            del self.open[outgoing.message.id]
            if any(segment.state is Leg.FLYING for segment in outgoing.segments):
                self.leaving[outgoing.message.id] = outgoing
            yield outgoing


def _too_old(copy: _Nameless, now: datetime) -> bool:
    """Whether no receipt about it is waited for any more."""
    return copy.sent_at is not None and now - copy.sent_at > Flights.LONGEST


def _place_of(segment: Segment) -> _Place:
    return segment.outgoing.message.id, segment.number


def resendable(segment: Segment) -> bool:
    """Whether a segment without an answer is sent once more."""
    return segment.outgoing.message.on_unknown == OnUnknown.RESEND and segment.doubtful < 2


def due_segments(outgoing: Outgoing) -> Sequence[Segment]:
    """The segments that an attempt would send now."""
    return [segment for segment in outgoing.segments if segment.state is Leg.WAITING]
