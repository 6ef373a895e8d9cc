"""Messages on their way, as memory knows them: what waits, what has left, whose receipt is to come.

The tables hold all of it; this is the quick copy at the owner of the buckets, and all of it is bounded.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

from gateway.domain.message import FINAL, TRANSITIONS, Event, Lane, Message, OnUnknown, Status, Step


class Leg(Enum):
    """Where one segment stands."""

    WAITING = auto()  #: not sent, or to be sent again
    FLYING = auto()  #: an attempt is on record, no answer yet
    TAKEN = auto()  #: the SMSC has it
    UNKNOWN = auto()  #: sent, and nobody knows
    ARRIVED = auto()  #: the handset has it
    LOST = auto()  #: refused, or undeliverable


class Segment:
    """One short message of a message, and the token that its PDU carries."""

    __slots__ = ("copy", "number", "outgoing", "refusals", "sent_at", "state")

    def __init__(self, outgoing: "Outgoing", number: int) -> None:
        self.outgoing = outgoing
        self.number = number  #: 1…n
        self.copy = 0  #: how often it was sent
        self.refusals = 0  #: how often the SMSC put it off
        self.state = Leg.WAITING
        self.sent_at: datetime | None = None  #: when its last attempt was made

    @property
    def doubtful(self) -> int:
        """How many of its copies the SMSC may have: those that were sent and not refused."""
        return self.copy - self.refusals


class Outgoing:
    """A message on its way."""

    __slots__ = ("__weakref__", "message", "reference", "segments", "seq", "status", "taken")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.status = Status(message.status)
        self.seq = 0
        self.segments = [Segment(self, number) for number in range(1, message.segments + 1)]
        #: Of its segments' header; the same whenever they are sent.
        self.reference = message.id.int >> 16 & 0xFF
        self.taken = False  #: out of the queue, its attempt about to be written

    def advance(self, event: Event, at: datetime, segment: int | None = None, **fields: Any) -> Step:
        """Take the step: the machine decides the status. The step is to be stored by the caller."""
        self.status = TRANSITIONS[self.status, event]
        self.seq += 1
        message = self.message
        return Step(message.bucket, message.id, self.seq, at, event, self.status, segment, **fields)

    def replay(self, steps: Iterable[Step]) -> None:
        """Bring it to where the log of its steps ends."""
        for step in steps:
            self.seq = step.seq
            self.status = Status(step.status)
            touched = self.segments if step.segment is None else [self.segments[step.segment - 1]]
            for segment in touched:
                segment.copy = step.copy or segment.copy
                segment.refusals += step.kind == Event.DEFERRED
                if step.kind == Event.ATTEMPT:
                    segment.sent_at = step.at
                segment.state = _leg_after(step, segment.state)

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


_SETTLED: Final = FINAL | {Status.SUBMITTED}
_LEG_AFTER: Final = {
    Event.ATTEMPT: Leg.FLYING,
    Event.ACCEPTED: Leg.TAKEN,
    Event.SUBMITTED: Leg.TAKEN,
    Event.REFUSED: Leg.LOST,
    Event.DEFERRED: Leg.WAITING,
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


#: Of a hundred segments that may go, so many for each lane while all of them wait. Emergency goes before all.
WEIGHTS: Final = {Lane.TRANSACTIONAL: 50, Lane.SERVICE: 25, Lane.SURVEY: 15, Lane.MARKETING: 10}


class Queue:
    """What is due now, by lane. Within a lane first come, first served."""

    def __init__(self) -> None:
        self._lanes: dict[str, deque[Outgoing]] = {lane: deque() for lane in Lane}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, outgoing: Outgoing) -> None:
        """At the end of its lane."""
        self._lanes[outgoing.message.lane].append(outgoing)
        self._length += 1

    def put_first(self, returned: Sequence[Outgoing]) -> None:
        """Back to the head of their lanes, in their order."""
        for outgoing in reversed(returned):
            self._lanes[outgoing.message.lane].appendleft(outgoing)
        self._length += len(returned)

    def take(self, segments: int) -> list[Outgoing]:
        """Messages of about so many segments, the lanes sharing by weight; at least one if any waits."""
        taken: list[Outgoing] = []
        left = self._draw(self._lanes[Lane.EMERGENCY], segments, taken)
        while left > 0 and self._length:
            waiting = [lane for lane in WEIGHTS if self._lanes[lane]]
            if not waiting:
                break
            shares = sum(WEIGHTS[lane] for lane in waiting)
            room = left
            for lane in waiting:
                share = min(left, max(1, room * WEIGHTS[lane] // shares))
                left -= share - self._draw(self._lanes[lane], share, taken)
                if left <= 0:
                    break
        return taken

    def _draw(self, lane: deque[Outgoing], room: int, taken: list[Outgoing]) -> int:
        """Draw up to `room` segments; returns the room that is left (below zero after a long message)."""
        while lane and room > 0:
            outgoing = lane.popleft()
            self._length -= 1
            outgoing.taken = True
            taken.append(outgoing)
            room -= outgoing.message.segments
        return room

    def lengths(self) -> dict[str, int]:
        """How many wait in each lane."""
        return {str(lane): len(waiting) for lane, waiting in self._lanes.items()}


class Flights:
    """The shared memory of dispatch and receipts."""

    #: Submitted segments whose receipt memory waits for; the oldest beyond are found through the tables.
    AWAITING: Final = 200_000
    #: Messages whose outcome is unknown and that a receipt may yet settle.
    UNKNOWN: Final = 10_000

    def __init__(self) -> None:
        self.open: dict[UUID, Outgoing] = {}
        #: Of buckets that we give away: what still waits for its answer.
        self.leaving: dict[UUID, Outgoing] = {}
        self._awaiting: dict[tuple[str, str], Segment] = {}
        self._unknown: dict[str, list[Segment]] = {}
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
        awaiting = self._awaiting
        awaiting[route, key] = segment
        self._known[segment.outgoing.message.id] = segment.outgoing
        if len(awaiting) > self.AWAITING:
            del awaiting[next(iter(awaiting))]

    def find(self, route: str, key: str) -> Segment | None:
        """The segment that a receipt is about."""
        return self._awaiting.get((route, key))

    def forget(self, route: str, key: str) -> None:
        """Its final receipt has come."""
        self._awaiting.pop((route, key), None)

    def mark_unknown(self, segment: Segment) -> None:
        """Nobody knows what became of it; a receipt for that recipient may tell."""
        place = (segment.outgoing.message.id, segment.number)
        self._known[segment.outgoing.message.id] = segment.outgoing
        known = self._unknown.setdefault(segment.outgoing.message.msisdn, [])
        known[:] = [other for other in known if (other.outgoing.message.id, other.number) != place]
        known.append(segment)
        if len(self._unknown) > self.UNKNOWN:
            del self._unknown[next(iter(self._unknown))]

    def settle_unknown(self, segment: Segment) -> None:
        """It is known now."""
        msisdn = segment.outgoing.message.msisdn
        rest = [other for other in self._unknown.get(msisdn, ()) if other is not segment]
        if rest:
            self._unknown[msisdn] = rest
        else:
            self._unknown.pop(msisdn, None)

    def only_unknown_to(self, msisdn: str) -> Segment | None:
        """The segment that a receipt with a strange id must be about: this customer's only unknown one.

        While anything else to this customer waits for its response, the receipt may be about that.
        """
        segments = self._unknown.get(msisdn, ())
        if len(segments) != 1 or segments[0].state is not Leg.UNKNOWN:
            return None
        for outgoing in self.open.values():
            if outgoing.message.msisdn == msisdn and any(s.state is Leg.FLYING for s in outgoing.segments):
                return None
        return segments[0]

    @property
    def awaiting(self) -> int:
        """Segments whose receipt is outstanding."""
        return len(self._awaiting)

    def drop(self, buckets: frozenset[int]) -> Iterator[Outgoing]:
        """Forget all messages of buckets that are somebody else's now."""
        for outgoing in [o for o in self.open.values() if o.message.bucket in buckets]:
            del self.open[outgoing.message.id]
            if any(segment.state is Leg.FLYING for segment in outgoing.segments):
                self.leaving[outgoing.message.id] = outgoing
            yield outgoing


def resendable(segment: Segment) -> bool:
    """Whether a segment without an answer is sent once more."""
    return segment.outgoing.message.on_unknown == OnUnknown.RESEND and segment.doubtful < 2


def due_segments(outgoing: Outgoing) -> Sequence[Segment]:
    """The segments that an attempt would send now."""
    return [segment for segment in outgoing.segments if segment.state is Leg.WAITING]
