"""Calls out that wait in memory: a line for each target and subject, so that calls of one subject go one
after the other, and a limit and a breaker for each target, so that a dead one slows nobody else.
"""

import heapq
from collections import deque
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import count
from uuid import UUID

from gateway.domain.backoff import Breaker
from gateway.domain.event import Callback

Key = tuple[datetime, UUID]


def key_of(callback: Callback) -> Key:
    """The order within a line: when it came to be owed."""
    return callback.created_at, callback.id


class Line:
    """The calls of one subject to one target. The first may be under way; it stays first until it ends."""

    __slots__ = ("busy", "calls", "due_at", "turn")

    def __init__(self) -> None:
        self.calls: deque[Callback] = deque()
        self.busy = False  #: its first call is under way
        self.due_at: datetime | None = None  #: its first call rests until then
        self.turn = 0  #: which entry of the target's queues is the valid one

    def add(self, callback: Callback) -> bool:
        """Put it where it belongs, but never before a call under way. Says whether it is the first."""
        key, calls = key_of(callback), self.calls
        if not calls or key_of(calls[-1]) < key:
            calls.append(callback)
            return len(calls) == 1
        at = sum(key_of(call) < key for call in calls)
        at = max(at, 1) if self.busy else at
        calls.insert(at, callback)
        return at == 0


class Target:
    """All lines of one target: which may go now, which rest, and how many are under way."""

    def __init__(self, name: str, concurrency: int, breaker: Breaker) -> None:
        self.name = name
        self.concurrency = concurrency
        self.breaker = breaker
        self.under_way = 0
        self.size = 0
        self.held = 0  #: the same, and those that ended but are not settled yet
        self.overflowing = False  #: more of its calls wait in the table
        self.turned_away = False  #: some of them since the table was last read
        self._lines: dict[UUID, Line] = {}
        self._ready: deque[tuple[UUID, int]] = deque()
        self._resting: list[tuple[datetime, int, UUID, int]] = []
        self._turns = count(1)

    def add(self, callback: Callback) -> None:
        line = self._lines.get(callback.subject)
        if line is None:
            line = self._lines[callback.subject] = Line()
        self.size += 1
        if line.add(callback) and not line.busy:
            self._queue(callback.subject, line, callback.due_at)

    def take(self, now: datetime) -> Callback | None:
        """The next call, now under way; None if none may begin: no room, an open breaker, nothing due."""
        if self.under_way >= self.concurrency or not self.breaker.allows(now):
            return None
        self._wake(now)
        while self._ready:
            subject, turn = self._ready.popleft()
            line = self._lines.get(subject)
            if line is None or line.turn != turn:
                continue
            line.busy = True
            line.due_at = None
            self.under_way += 1
            self.breaker.began()
            return line.calls[0]
        return None

    def settled(self, callback: Callback) -> None:
        """The call under way has its end; the next of its subject may go."""
        line = self._lines[callback.subject]
        self.under_way -= 1
        self.size -= 1
        line.busy = False
        line.calls.popleft()
        if line.calls:
            self._queue(callback.subject, line, line.calls[0].due_at)
        else:
            del self._lines[callback.subject]

    def rest(self, callback: Callback) -> None:
        """The call under way must be tried again at its new `due_at`; its line waits with it."""
        line = self._lines[callback.subject]
        self.under_way -= 1
        line.busy = False
        line.calls[0] = callback
        self._queue(callback.subject, line, callback.due_at)

    def bring_forward(self, now: datetime) -> None:
        """The target is back: what rested because of it need not rest any longer."""
        resting, self._resting = sorted(self._resting), []
        for _, _, subject, turn in resting:
            line = self._lines.get(subject)
            if line is not None and line.turn == turn:
                self._queue(subject, line, now)

    def hurry(self, callback: Callback) -> None:
        """The same call, read from the table: a person may have asked for it before its time."""
        line = self._lines.get(callback.subject)
        if line is None or line.busy or line.calls[0].id != callback.id:
            return
        # Fewer tries in the table: our last one is not settled there yet, and its due time is out of date.
        if line.calls[0].tries == callback.tries and line.due_at and callback.due_at < line.due_at:
            line.calls[0] = callback
            self._queue(callback.subject, line, callback.due_at)

    def postpone(self, callback: Callback, until: datetime) -> None:
        """The call under way did not happen, through no fault of the target."""
        self.breaker.left()
        self.rest(callback._replace(due_at=until))

    def shed(self, keep: int) -> list[Callback]:
        """Leave all but the `keep` oldest to the table."""
        if self.size <= keep:
            return []
        self.overflowing = True
        last = sorted(key_of(call) for call in self.calls())[keep]
        return self.drop(lambda call: key_of(call) >= last)

    def drop(self, unwanted: Callable[[Callback], bool]) -> list[Callback]:
        """Take out what is unwanted and not under way."""
        dropped: list[Callback] = []
        for subject, line in list(self._lines.items()):
            kept: deque[Callback] = deque()
            for call in line.calls:
                stays = not unwanted(call) or (line.busy and call is line.calls[0])
                (kept if stays else dropped).append(call)
            if len(kept) == len(line.calls):
                continue
            changed = not kept or kept[0] is not line.calls[0]
            line.calls = kept
            if not kept:
                del self._lines[subject]
            elif changed:
                self._queue(subject, line, kept[0].due_at)
        self.size -= len(dropped)
        return dropped

    def calls(self) -> Iterator[Callback]:
        for line in self._lines.values():
            yield from line.calls

    def _queue(self, subject: UUID, line: Line, due_at: datetime) -> None:
        line.turn = turn = next(self._turns)
        line.due_at = due_at
        heapq.heappush(self._resting, (due_at, turn, subject, turn))

    def _wake(self, now: datetime) -> None:
        """Lines whose time has come, into the queue of those that may go."""
        resting = self._resting
        while resting and resting[0][0] <= now:
            _, _, subject, turn = heapq.heappop(resting)
            self._ready.append((subject, turn))


class Board:
    """All targets, within a bound: what is beyond it waits in the table."""

    def __init__(self, limit: int = 20_000, share: int = 5_000, least: int = 100) -> None:
        """At most `share` calls of one target; at most `limit` of all, where each target may have `least`."""
        self.limit, self.share, self.least = limit, share, least
        self.targets: dict[str, Target] = {}
        self._known: dict[UUID, Target] = {}

    def __len__(self) -> int:
        return len(self._known)

    def knows(self, callback: Callback) -> bool:
        return callback.id in self._known

    def has_room(self, target: Target) -> bool:
        return target.held < self.share and (len(self._known) < self.limit or target.held < self.least)

    def add(self, target: Target, callback: Callback) -> bool:
        """Take it in unless it is here already. False: no room, it must wait in the table."""
        if callback.id in self._known:
            target.hurry(callback)
            return True
        if not self.has_room(target):
            target.overflowing = target.turned_away = True
            return False
        self._known[callback.id] = target
        target.held += 1
        target.add(callback)
        return True

    def forget(self, ids: Collection[UUID]) -> None:
        """These are settled in the table, or no longer ours: from now on they are unknown here."""
        for uid in ids:
            if (target := self._known.pop(uid, None)) is not None:
                target.held -= 1
