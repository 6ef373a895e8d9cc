"""What is due now: by lane, within a lane by channel, and first come, first served in each channel.

A round touches channels and what it takes, never what waits: a million messages for a route that is down cost
the others nothing.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Final

from gateway.domain.message import Lane, Message
from gateway.services.carrier import Channel, Offer
from gateway.services.flights import Leg, Outgoing

#: Of a hundred segments that may go, so many for each lane while all of them wait. Emergency goes before all.
WEIGHTS: Final = {Lane.TRANSACTIONAL: 50, Lane.SERVICE: 25, Lane.SURVEY: 15, Lane.MARKETING: 10}


#: The messages of one channel, the first in front; any of them can be taken out at the price of one.
Waiting = OrderedDict[Outgoing, None]


class _Lane:
    """One lane: its channels in the order of their turns, each with its messages."""

    __slots__ = ("channels", "length", "passed", "weight")

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.passed = 0.0  #: segments that went, divided by the weight: whose is least is next
        self.channels: dict[Channel, Waiting] = {}
        self.length = 0

    def put(self, channel: Channel, outgoing: Outgoing) -> bool:
        """At the end of a channel; False: it is there already."""
        waiting = self.channels.get(channel)
        if waiting is None:
            waiting = self.channels[channel] = OrderedDict()
        elif outgoing in waiting:
            return False
        waiting[outgoing] = None
        self.length += 1
        return True

    def put_first(self, channel: Channel, outgoing: Outgoing) -> bool:
        """At the head of a channel; False: it was there already, and has come forward."""
        new = self.put(channel, outgoing)
        self.channels[channel].move_to_end(outgoing, last=False)
        return new

    def first(self, channel: Channel) -> Outgoing:
        """The first of a channel."""
        return next(iter(self.channels[channel]))

    def pop(self, channel: Channel) -> None:
        """Take out the first of a channel, whose next turn is then the last one."""
        waiting = self.channels[channel]
        waiting.popitem(last=False)
        self.length -= 1
        if not waiting:
            del self.channels[channel]
        elif len(self.channels) > 1:
            self.channels[channel] = self.channels.pop(channel)

    def remove(self, channel: Channel, outgoing: Outgoing) -> bool:
        """Take out a message, wherever in its channel it is; False: it is not there."""
        waiting = self.channels.get(channel)
        if waiting is None or outgoing not in waiting:
            return False
        del waiting[outgoing]
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

        The lanes share by weight, the channels of a lane in turn. A channel that can't go is left alone.
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
            if len(before) > 1:
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

    __slots__ = ("gave", "offer", "queue", "shut", "taken")

    def __init__(self, queue: Queue, offer: Offer) -> None:
        self.queue = queue
        self.offer = offer
        self.taken: list[tuple[Outgoing, str]] = []
        self.gave: set[Channel] = set()
        self.shut: set[Channel] = set()

    def draw(self, turn: _Turn) -> int:
        """The next message of a lane that can go; its segments, or 0 when there is none."""
        lane, live = turn.lane, turn.live
        while live:
            channel = live.popleft()
            if channel in self.shut:
                continue
            outgoing = lane.first(channel)
            cost = segments_of(outgoing)
            route = self.offer.place(channel, cost)
            if route is None:
                self.shut.add(channel)
                continue
            lane.pop(channel)
            self.queue.took(channel)
            if channel in lane.channels:
                live.append(channel)
            outgoing.taken = True
            self.taken.append((outgoing, route))
            self.gave.add(channel)
            return cost
        return 0


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
