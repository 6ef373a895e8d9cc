"""What is due now: by lane, within a lane by channel, and first come, first served in each channel.

A round touches channels and what it takes, never what waits: a million messages for a route that is down cost
the others nothing. Neither does a message whose number has enough under way: it is set aside.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from gateway.domain.message import Lane, Message
from gateway.services.carrier import Channel, Offer
from gateway.services.flights import Leg, Outgoing

#: Of a hundred segments that may go, so many for each lane while all of them wait. Emergency goes before all.
WEIGHTS: Final = {Lane.TRANSACTIONAL: 50, Lane.SERVICE: 25, Lane.SURVEY: 15, Lane.MARKETING: 10}


#: Messages that one round sets aside at most: who sends a hundred thousand to one number holds nobody up.
SET_ASIDE: Final = 5000


#: Messages in order, the first in front; any of them can be taken out at the price of one.
Line = OrderedDict[Outgoing, None]


class _Waiting:
    """What one channel has in one lane. `aside`: by number, what waits for an answer of that number.

    What is aside came before what stands in `line` for the same number.
    """

    __slots__ = ("aside", "line")

    def __init__(self) -> None:
        self.line: Line = OrderedDict()
        self.aside: dict[str, Line] = {}

    def __iter__(self) -> Iterator[Outgoing]:
        for those in self.aside.values():
            yield from those
        yield from self.line

    def __len__(self) -> int:
        return len(self.line) + sum(map(len, self.aside.values()))

    def __bool__(self) -> bool:
        return bool(self.line or self.aside)

    def __contains__(self, outgoing: Outgoing) -> bool:
        return outgoing in self.line or outgoing in self.aside.get(outgoing.message.msisdn, ())

    def put_first(self, outgoing: Outgoing) -> None:
        """Before all others, or before those to its number that are aside."""
        self.remove(outgoing)
        those = self.aside.get(outgoing.message.msisdn, self.line)
        those[outgoing] = None
        those.move_to_end(outgoing, last=False)

    def set_aside(self) -> None:
        """The first of the line."""
        outgoing, _ = self.line.popitem(last=False)
        self.aside.setdefault(outgoing.message.msisdn, OrderedDict())[outgoing] = None

    def remove(self, outgoing: Outgoing) -> bool:
        """It goes, wherever it stands; False: it is not here."""
        if outgoing in self.line:
            del self.line[outgoing]
            return True
        msisdn = outgoing.message.msisdn
        those = self.aside.get(msisdn)
        if those is None or outgoing not in those:
            return False
        del those[outgoing]
        if not those:
            del self.aside[msisdn]
        return True


class _Lane:
    """One lane: its channels in the order of their turns, each with its messages."""

    __slots__ = ("channels", "length", "passed", "weight")

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.passed = 0.0  #: segments that went, divided by the weight: whose is least is next
        self.channels: dict[Channel, _Waiting] = {}
        self.length = 0

    def put(self, channel: Channel, outgoing: Outgoing) -> bool:
        """At the end of a channel; False: it is there already."""
        waiting = self.channels.get(channel)
        if waiting is None:
            waiting = self.channels[channel] = _Waiting()
        elif outgoing in waiting:
            return False
        waiting.line[outgoing] = None
        self.length += 1
        return True

    def put_first(self, channel: Channel, outgoing: Outgoing) -> bool:
        """At the head of a channel; False: it was there already, and has come forward."""
        new = self.put(channel, outgoing)
        self.channels[channel].put_first(outgoing)
        return new

    def pop(self, channel: Channel, outgoing: Outgoing) -> None:
        """A message of a channel goes; the channel's next turn is then the last one."""
        self.remove(channel, outgoing)
        if channel in self.channels and len(self.channels) > 1:
            self.channels[channel] = self.channels.pop(channel)

    def remove(self, channel: Channel, outgoing: Outgoing) -> bool:
        """Take out a message, wherever in its channel it is; False: it is not there."""
        waiting = self.channels.get(channel)
        if waiting is None or not waiting.remove(outgoing):
            return False
        self.length -= 1
        if not waiting:
            del self.channels[channel]
        return True


class Queue:
    """What may go as soon as a route has room."""

    def __init__(self, channel_of: Callable[[Message], Channel]) -> None:
        self._channel_of = channel_of
        self._emergency = _Lane(1)
        self._lanes = {Lane.EMERGENCY: self._emergency} | {
            lane: _Lane(weight) for lane, weight in WEIGHTS.items()
        }
        self._weighted = [lane for lane in self._lanes.values() if lane is not self._emergency]
        self._kept: dict[Channel, int] = {}
        self._length = 0
        self._reached = 0.0  # how far the lanes have passed
        #: After the last `take`: of some channel more waited than there was room for.
        self.pressed = False

    def __len__(self) -> int:
        return self._length

    def put(self, outgoing: Outgoing) -> None:
        """At the end of its channel, unless it is in the queue."""
        message = outgoing.message
        channel = self._channel_of(message)
        if self._lanes[Lane(message.lane)].put(channel, outgoing):
            self._count(channel, 1)

    def put_first(self, returned: Sequence[Outgoing]) -> None:
        """Back to the head of their channels, in their order."""
        for outgoing in reversed(returned):
            message = outgoing.message
            channel = self._channel_of(message)
            if self._lanes[Lane(message.lane)].put_first(channel, outgoing):
                self._count(channel, 1)

    def remove(self, outgoing: Outgoing) -> bool:
        """Take out one message, wherever it stands; False: it does not wait here."""
        message = outgoing.message
        channel = self._channel_of(message)
        if not self._lanes[Lane(message.lane)].remove(channel, outgoing):
            return False
        self._count(channel, -1)
        return True

    def take(self, offer: Offer, segments: int) -> list[tuple[Outgoing, str]]:
        """Messages of about so many segments, each with the route that the offer names for it.

        The lanes share by weight, the channels of a lane in turn. A channel that can't go is left alone, and
        a message whose number has enough under way lets the others of its channel pass.
        """
        round_ = _Round(self, offer)
        left = segments
        turn = _Turn(self._emergency)
        while left > 0 and (cost := round_.draw(turn)):
            left -= cost
        turns = [_Turn(lane) for lane in self._weighted if lane.channels]
        for turn in turns:  # who had nothing, or could not go, has saved nothing up
            turn.lane.passed = max(turn.lane.passed, self._reached)
        while left > 0 and turns:
            turn = turns[0] if len(turns) == 1 else min(turns, key=_passed)
            cost = round_.draw(turn)
            if not cost:
                turns.remove(turn)
                continue
            left -= cost
            self._reached = turn.lane.passed
            turn.lane.passed += cost / turn.lane.weight
        self.pressed = not round_.gave.isdisjoint(round_.shut)
        return round_.taken

    def took(self, channel: Channel) -> None:
        """One of a channel has been drawn."""
        self._count(channel, -1)

    def sort_anew(self) -> None:
        """The channels of messages are others now: each goes where it would be put today, in its order."""
        for lane in self._lanes.values():
            before, lane.channels, lane.length = lane.channels, {}, 0
            # Ids are ordered by time: two channels that become one are merged in the order of acceptance.
            waiting = [outgoing for each in before.values() for outgoing in each]
            if len(before) > 1 or any(each.aside for each in before.values()):
                waiting.sort(key=_id)
            for outgoing in waiting:
                lane.put(self._channel_of(outgoing.message), outgoing)
        self._kept = {}
        for lane in self._lanes.values():
            for channel, those in lane.channels.items():
                self._kept[channel] = self._kept.get(channel, 0) + len(those)

    def kept(self, channel: Channel) -> int:
        """How many wait for a channel, in all lanes."""
        return self._kept.get(channel, 0)

    def lengths(self) -> dict[str, int]:
        """How many wait in each lane."""
        return {str(name): lane.length for name, lane in self._lanes.items()}

    def lengths_by_channel(self) -> dict[Channel, int]:
        """How many wait for each channel."""
        return dict(self._kept)

    def _count(self, channel: Channel, change: int) -> None:
        self._length += change
        kept = self._kept.get(channel, 0) + change
        if kept:
            self._kept[channel] = kept
        else:
            del self._kept[channel]


class _Turn:
    """A lane's part in one round: channels that may still go, in the order of their turns."""

    __slots__ = ("lane", "live")

    def __init__(self, lane: _Lane) -> None:
        self.lane = lane
        self.live = deque(lane.channels)


class _Round:
    """One `take`: what was drawn, and which channels are shut for want of room."""

    __slots__ = ("freed", "gave", "left", "offer", "queue", "shut", "taken")

    def __init__(self, queue: Queue, offer: Offer) -> None:
        self.queue = queue
        self.offer = offer
        self.taken: list[tuple[Outgoing, str]] = []
        self.gave: set[Channel] = set()
        self.shut: set[Channel] = set()
        self.freed: dict[_Waiting, Iterator[str]] = {}  # numbers that were aside when the round came by
        self.left = SET_ASIDE

    def draw(self, turn: _Turn) -> int:
        """The next message of a lane that can go; its segments, or 0 when there is none."""
        lane, live = turn.lane, turn.live
        while live:
            channel = live.popleft()
            if channel in self.shut:
                continue
            outgoing = self.head(lane.channels[channel])
            if outgoing is None:
                continue
            cost = segments_of(outgoing)
            route = self.offer.place(channel, cost, outgoing.message.msisdn)
            if route is None:
                self.shut.add(channel)
                continue
            lane.pop(channel, outgoing)
            self.queue.took(channel)
            if channel in lane.channels:
                live.append(channel)
            outgoing.taken = True
            self.taken.append((outgoing, route))
            self.gave.add(channel)
            return cost
        return 0

    def head(self, waiting: _Waiting) -> Outgoing | None:
        """The first whose number takes one more: of those aside, else of the line."""
        takes, aside, line = self.offer.takes, waiting.aside, waiting.line
        if aside:
            freed = self.freed.get(waiting)
            if freed is None:
                freed = self.freed[waiting] = iter(tuple(aside))
            for msisdn in freed:
                if msisdn in aside and takes(msisdn):
                    return next(iter(aside[msisdn]))
        while line:
            outgoing = next(iter(line))
            msisdn = outgoing.message.msisdn
            if msisdn not in aside and takes(msisdn):
                return outgoing
            if self.left <= 0:
                return None
            self.left -= 1
            waiting.set_aside()
        return None


def segments_of(outgoing: Outgoing) -> int:
    """How many short messages of it an attempt would send."""
    segments = outgoing.segments
    if len(segments) == 1:
        return 1
    return max(1, sum(segment.state is Leg.WAITING for segment in segments))


def _passed(turn: _Turn) -> float:
    return turn.lane.passed


def _id(outgoing: Outgoing) -> int:
    return outgoing.message.id.int
