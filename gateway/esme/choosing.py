"""Which route a message takes: by the routing table, by what each route can do now, and by its sender."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from gateway.domain.handling import Handling, read_handling
from gateway.domain.message import Message
from gateway.domain.steering import Course, Steering, is_of
from gateway.esme.circuit import Circuit
from gateway.esme.rate_limit import RateLimit
from gateway.services.carrier import Channel, Fate, Outcome
from gateway.smpp import status

log = logging.getLogger(__name__)

#: So long nobody stands in for a route that is down: most links are back by then.
GRACE_SECONDS: Final = 5.0
#: By so many segments a route's share may lag behind before the others wait for it …
LAG: Final = 30
#: … unless it has had no room at all for so long.
STALL_SECONDS: Final = 2.0
#: A sender that the SMSC refuses is tried again after this, and then after twice as long.
STOP_SECONDS: Final = 60.0
LONGEST_STOP: Final = 600.0
#: The SMSC says that it does not work itself (SMPP 3.4 §5.1.3).
FAILURES: Final = frozenset({status.ESME_RSYSERR})
#: A link that breaks may take a whole window along: that is no more than so many failures.
ONE_CUT: Final = 10
_TAKEN: Final = Fate.TAKEN  # an enum's attribute costs a look-up in its class each time
_ANSWERS: Final = frozenset({Fate.REFUSED, Fate.PUT_OFF})
#: Addresses that are no configured number and yet have a channel of their own.
STRANGERS: Final = 100
#: Addresses whose number is remembered: extensions make many of them.
ADDRESSES: Final = 10_000


class Path:
    """A route as the choice sees it."""

    __slots__ = ("circuit", "down_since", "name", "room_at")

    def __init__(self, name: str, now: float) -> None:
        self.name = name
        self.circuit = Circuit()
        self.down_since: float | None = now  #: since when no bind of it sends
        self.room_at = now  #: when it last had room

    def able(self, now: float) -> bool:
        """Whether messages may take it."""
        return self.down_since is None and self.circuit.allows(now)

    def unable_for(self, now: float) -> float:
        """For how many seconds it has been down or failing."""
        since = [at for at in (self.down_since, self.circuit.opened_at) if at is not None]
        return now - min(since) if since else 0.0


class _Stop:
    """A sender that a route's SMSC refuses."""

    __slots__ = ("pause", "probed", "until")

    def __init__(self, now: float) -> None:
        self.pause = STOP_SECONDS
        self.until = now + STOP_SECONDS
        self.probed = False  #: one message is on its way to try again


class _Share(NamedTuple):
    """A route that may be chosen, with its weight."""

    path: Path
    weight: int


class _Shares:
    """How the routes of one course have shared so far: segments that went, divided by the weight."""

    __slots__ = ("passed", "reached", "with_")

    def __init__(self) -> None:
        self.passed: dict[str, float] = {}
        self.reached = 0.0
        self.with_: frozenset[str] = frozenset()  #: who took part last

    def join(self, shares: Sequence[_Share]) -> None:
        """These take part now. Who was away has nothing to make up for."""
        names = frozenset(share.path.name for share in shares)
        if names != self.with_:
            for name in names - self.with_:
                self.passed[name] = max(self.passed.get(name, 0.0), self.reached)
            self.with_ = names

    def choose(
        self, shares: Sequence[_Share], room: Mapping[str, int], held: bool, now: float
    ) -> _Share | None:
        """Whose turn it is; `held`: the shares are kept, and who is ahead waits."""
        passed = self.passed
        first = min(shares, key=lambda share: passed[share.path.name])
        if room[first.path.name] > 0:
            return first
        others = [share for share in shares if room[share.path.name] > 0]
        if not others:
            return None
        chosen = min(others, key=lambda share: passed[share.path.name])
        ahead = (passed[chosen.path.name] - passed[first.path.name]) * first.weight
        if ahead >= LAG:
            if held and now - first.path.room_at < STALL_SECONDS:
                return None
            passed[first.path.name] = passed[chosen.path.name] - LAG / first.weight  # lent for good
        return chosen

    def took(self, share: _Share, segments: int) -> None:
        name = share.path.name
        self.reached = max(self.reached, self.passed[name])
        self.passed[name] += segments / share.weight


class Chooser:
    """Keeps what the choice depends on."""

    def __init__(
        self,
        routes: Sequence[str],
        steering: Steering | None,
        senders: Mapping[str, float],
        clock: Callable[[], float],
        bears: Callable[[str, Handling], bool] = lambda _route, _handling: True,
    ) -> None:
        """`bears`: whether the SMSC of a route can do what a message asks for."""
        self._clock = clock
        self._bears = bears
        self.paths = {name: Path(name, clock()) for name in routes}
        self._stops: dict[tuple[str, str], _Stop] = {}
        self._shares: dict[Course, _Shares] = {}
        self._limits: dict[str, RateLimit] = {}
        self._strangers: set[str] = set()
        self.steer(steering or Steering((), routes), senders)

    def steer(self, steering: Steering, senders: Mapping[str, float]) -> None:
        """Another table from now on. `senders`: numbers of ours with their PDUs a second, 0 for no limit."""
        self.steering = steering
        self._numbers = sorted(senders, key=len, reverse=True)
        self._number_of: dict[str, str] = {}
        self._channels: dict[tuple[Course, str], Channel] = {}
        self._narrowed: dict[tuple[Course, frozenset[str]], Course] = {}
        self._shares.clear()
        self._standing: dict[Course, str] = {}  # whose backup carries it now
        before, self._limits = self._limits, {}
        for number, rate in senders.items():
            if rate > 0:
                limit = self._limits[number] = before.get(number) or RateLimit(rate, self._clock())
                limit.rate = rate

    # Where messages queue

    def channel(self, message: Message) -> Channel:
        """Where it queues: by its course, and by its sender, which may be limited or stopped."""
        course = self.steering.course(message.msisdn, message.sender, message.lane)
        if message.handling is not None:
            course = self._narrow(course, message.handling)
        number = self._number_of.get(message.sender)
        if number is None:
            number = self.number_of(message.sender)
        key = (course, number)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(course, number)
        return channel

    def _narrow(self, course: Course, written: str) -> Course:
        """The part of a course whose routes can do what a message asks for; all of it, where none can."""
        handling = read_handling(written)
        names = [*(name for name, _ in course.to), *course.backup]
        able = frozenset(names if handling is None else (n for n in names if self._bears(n, handling)))
        if not able or len(able) == len(names):
            return course
        narrowed = self._narrowed.get((course, able))
        if narrowed is None:
            to = tuple((name, weight) for name, weight in course.to if name in able)
            backup = tuple(name for name in course.backup if name in able)
            narrowed = self._narrowed[course, able] = Course(
                course.number,
                course.name,
                to or tuple((name, 1) for name in backup[:1]),
                backup if to else backup[1:],
                course.shared,
            )
        return narrowed

    def number_of(self, sender: str) -> str:
        """The number of ours that a sender address belongs to, without its extension."""
        number = self._number_of.get(sender)
        if number is not None:
            return number
        number = next((number for number in self._numbers if is_of(sender, number)), None)
        if number is None:
            if sender not in self._strangers and len(self._strangers) < STRANGERS:
                self._strangers.add(sender)
            number = sender if sender in self._strangers else ""
        if len(self._number_of) >= ADDRESSES:
            self._number_of.clear()
        self._number_of[sender] = number
        return number

    # Which route

    def offer(self, room: dict[str, int], busy: Callable[[str], bool]) -> "RoomOffer":
        """What each route takes at this moment; `busy`: whether a customer's number has enough under way."""
        now = self._clock()
        for name, free in room.items():
            if free > 0:
                self.paths[name].room_at = now
        return RoomOffer(self, room, busy, now)

    def limit(self, sender: str) -> RateLimit | None:
        """The limit of a sender's number."""
        return self._limits.get(sender)

    def shares_of(self, course: Course) -> _Shares:
        """How the routes of a course share."""
        shares = self._shares.get(course)
        if shares is None:
            shares = self._shares[course] = _Shares()
        return shares

    def ways(self, channel: Channel, now: float) -> list[_Share]:
        """The routes among which to choose now: primaries that are able, else the first such backup."""
        course, sender = channel
        primaries = [
            _Share(path, weight)
            for name, weight in course.to
            if (path := self.paths.get(name)) is not None and self._open(path, sender, now)
        ]
        if primaries and course in self._standing:
            name = self._standing.pop(course)
            log.info("the backup steps back", extra={"rule": course.name, "backup": name})
        if primaries or not course.backup or not all(self._given_up(n, sender, now) for n, _ in course.to):
            return primaries
        for name in course.backup:
            path = self.paths.get(name)
            if path is not None and self._open(path, sender, now):
                self._stands_in(name, course, sender)
                return [_Share(path, 1)]
        return []

    def _stands_in(self, backup: str, course: Course, sender: str) -> None:
        """Say so once, where it is for all senders."""
        routes = [name for name, _ in course.to]
        if self._standing.get(course) == backup or any((name, sender) in self._stops for name in routes):
            return
        self._standing[course] = backup
        log.warning(
            "no route of a rule works: its backup stands in",
            extra={"rule": course.name, "routes": ", ".join(routes), "backup": backup},
        )

    def _open(self, path: Path, sender: str, now: float) -> bool:
        if not path.able(now):
            return False
        stop = self._stops.get((path.name, sender)) if self._stops else None
        return stop is None or now >= stop.until

    def _given_up(self, name: str, sender: str, now: float) -> bool:
        """Whether a primary is out for so long that its backup stands in."""
        path = self.paths.get(name)
        return path is None or (name, sender) in self._stops or path.unable_for(now) > GRACE_SECONDS

    def placed(self, path: Path, sender: str, now: float) -> bool:
        """A message takes this route; whether it does so on trial, so that the next may not."""
        stop = self._stops.get((path.name, sender)) if self._stops else None
        if stop is not None:
            stop.probed = True
            stop.until = now + stop.pause
        if path.circuit.opened_at is not None:
            path.circuit.placed()
            return True
        return stop is not None

    # What answers teach

    def heard(self, outcomes: Sequence[Outcome]) -> str | None:
        """Learn which routes work, and which senders are refused. Answers among them are of one route: its
        name is returned when it is found to fail."""
        taken = cut = failed = 0
        route = ""
        for outcome in outcomes:
            fate = outcome.fate
            if fate is _TAKEN:
                taken += 1
                route = outcome.route
                if self._stops:
                    self._takes(outcome)
            elif fate is Fate.HELD:
                self._refused(outcome)
            elif fate is Fate.LOST and outcome.command_status is None:
                cut += 1
                route = outcome.route
            elif outcome.command_status in FAILURES:
                failed += 1
                route = outcome.route
            elif (
                fate in _ANSWERS or fate is Fate.LOST
            ):  # lost with an answer: it has no id, but the SMSC works
                taken += 1
                route = outcome.route
        failures = failed + min(cut, ONE_CUT)
        path = self.paths.get(route)
        if path is None:
            return None
        failing = failures > 0 and self._failed(path, failures)
        if taken:
            path.circuit.worked(taken, self._clock())
        return route if failing else None

    def _failed(self, path: Path, times: int) -> bool:
        """Whether these failures are the ones that make it a failing route."""
        working = path.circuit.opened_at is None
        path.circuit.failed(self._clock(), times)
        if not working or path.circuit.opened_at is None:
            return False
        log.error("most messages fail on this route: it is left out", extra={"route": path.name})
        return True

    def _takes(self, outcome: Outcome) -> None:
        sender = self.number_of(outcome.token.outgoing.message.sender)
        stop = self._stops.get((outcome.route, sender))
        if stop is not None and stop.probed:
            del self._stops[outcome.route, sender]
            log.info("the SMSC takes this sender again", extra={"route": outcome.route, "sender": sender})

    def _refused(self, outcome: Outcome) -> None:
        sender = self.number_of(outcome.token.outgoing.message.sender)
        now = self._clock()
        stop = self._stops.get((outcome.route, sender))
        if stop is None:
            self._stops[outcome.route, sender] = _Stop(now)
            log.error(
                "the SMSC refuses this sender: its messages wait",
                extra={
                    "route": outcome.route,
                    "sender": sender,
                    "why": status.lookup(outcome.command_status or 0).sentence,
                },
            )
        elif stop.probed:
            stop.probed = False
            stop.pause = min(stop.pause * 2, LONGEST_STOP)
            stop.until = now + stop.pause

    def stopped(self, route: str) -> list[str]:
        """Senders that wait because this route's SMSC refuses them."""
        return sorted(sender for name, sender in self._stops if name == route)


class RoomOffer:
    """The room of each route at one moment; see `services.carrier.Offer`."""

    __slots__ = ("_begun", "_busy", "_chooser", "_now", "_room", "_ways")

    def __init__(
        self, chooser: Chooser, room: dict[str, int], busy: Callable[[str], bool], now: float
    ) -> None:
        self._chooser = chooser
        self._room = room
        self._busy = busy
        self._begun: set[str] = set()
        self._now = now
        self._ways: dict[Channel, list[_Share]] = {}

    def place(self, channel: Channel, segments: int, msisdn: str = "") -> str | None:
        """The route for the next message of a channel."""
        ways = self._ways.get(channel)
        if ways is None:
            ways = self._ways[channel] = self._chooser.ways(channel, self._now)
            if len(channel.course.to) > 1:
                self._chooser.shares_of(channel.course).join(ways)
        if not ways:
            return None
        limit = self._chooser.limit(channel.sender)
        if limit is not None and not limit.allows(self._now):
            return None
        if len(ways) == 1:
            path = ways[0].path
            if self._room.get(path.name, 0) <= 0:
                return None
        else:
            shares = self._chooser.shares_of(channel.course)
            share = shares.choose(ways, self._room, channel.course.shared, self._now)
            if share is None:
                return None
            shares.took(share, segments)
            path = share.path
        self._room[path.name] -= segments
        self._begun.add(msisdn)
        if limit is not None:
            limit.spend(segments)
        if self._chooser.placed(path, channel.sender, self._now):
            self._ways.clear()  # what is on trial may be shut now
        return path.name

    def takes(self, msisdn: str) -> bool:
        """Whether one more message to this number may go: one an offer, and none behind one that waits."""
        return msisdn not in self._begun and not self._busy(msisdn)
