"""Calls that wait in memory: order within a subject, room, and what is shed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from gateway.domain.backoff import Breaker
from gateway.domain.event import Callback
from gateway.domain.ids import IdSource
from gateway.domain.lines import Board, Target, key_of

IDS = IdSource()
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SUBJECTS = [UUID(int=number) for number in range(4)]


def owed(second: int, subject: int = 0, bucket: int = 0) -> Callback:
    at = START + timedelta(seconds=second)
    uid = IDS.new(bucket, at.timestamp())
    return Callback(bucket, uid, "webhook", "t", "x", SUBJECTS[subject], {}, at, "waiting", 0, at)


def target(concurrency: int = 100) -> Target:
    return Target("t", concurrency, Breaker())


@given(st.permutations(range(8)))
def test_a_line_is_in_the_order_of_owing_however_it_was_filled(order: list[int]) -> None:
    line, later, given_ = target(), START + timedelta(hours=1), [owed(second) for second in range(8)]
    for place in order:
        line.add(given_[place])
    taken = []
    while (call := line.take(later)) is not None:
        assert line.take(later) is None  # one of a subject at a time
        taken.append(call)
        line.settled(call)
    assert taken == given_


def test_a_call_that_rests_holds_up_its_subject_and_no_other() -> None:
    line, now = target(), START + timedelta(hours=1)
    first, second, other = owed(1), owed(2), owed(3, subject=1)
    for call in (first, second, other):
        line.add(call)
    assert line.take(now) == first
    line.rest(first._replace(tries=1, due_at=now + timedelta(seconds=10)))
    assert line.take(now) == other
    assert line.take(now) is None
    assert line.take(now + timedelta(seconds=10)) == first._replace(
        tries=1, due_at=now + timedelta(seconds=10)
    )


def test_a_target_that_is_back_need_not_wait() -> None:
    line, now = target(), START + timedelta(hours=1)
    line.add(owed(1))
    call = line.take(now)
    assert call is not None
    line.rest(call._replace(due_at=now + timedelta(hours=1)))
    assert line.take(now) is None
    line.bring_forward(now)
    assert line.take(now) is not None


def test_an_outdated_row_does_not_shorten_a_pause() -> None:
    board, line, now = Board(), target(), START + timedelta(hours=1)
    row = owed(1)
    board.add(line, row)
    assert line.take(now) == row
    resting = row._replace(tries=1, due_at=now + timedelta(hours=1))
    line.rest(resting)
    board.add(line, row)  # as it still stands in the table
    assert line.take(now) is None
    board.add(line, resting._replace(due_at=now))  # as a person asked
    assert line.take(now) == resting._replace(due_at=now)


def test_no_more_than_its_concurrency_is_under_way() -> None:
    line, now = target(concurrency=2), START + timedelta(hours=1)
    for subject in range(3):
        line.add(owed(1, subject))
    first = line.take(now)
    assert first is not None
    assert line.take(now) is not None
    assert line.take(now) is None
    line.settled(first)
    assert line.take(now) is not None


def test_what_is_shed_are_the_youngest() -> None:
    line = target()
    calls = [owed(second, second % 4) for second in range(20)]
    for call in calls:
        line.add(call)
    assert sorted(line.shed(5), key=key_of) == calls[5:]
    assert sorted(line.calls(), key=key_of) == calls[:5]
    assert (line.size, line.overflowing) == (5, True)
    assert line.shed(5) == []


def test_each_target_may_have_a_little_when_memory_is_full() -> None:
    board, greedy, modest = Board(limit=10, share=8, least=2), target(), target()
    assert [board.add(greedy, owed(second)) for second in range(9)] == [True] * 8 + [False]
    assert [board.add(modest, owed(second)) for second in range(5)] == [True] * 2 + [False] * 3
    assert greedy.overflowing
    assert modest.overflowing
    assert len(board) == 10
    row = next(modest.calls())
    assert board.add(modest, row)  # known already
    assert len(board) == 10


class Life(RuleBasedStateMachine):
    """Whatever happens in whatever order: sizes agree, and no call of a subject overtakes another."""

    under_way: Bundle[Callback] = Bundle("under_way")

    def __init__(self) -> None:
        super().__init__()
        self.target = Target("t", 3, Breaker(failures=10**6))
        self.now = START
        self.busy = 0
        self.ended: dict[UUID, list[Callback]] = {subject: [] for subject in SUBJECTS}
        self.number = 0

    @rule(subject=st.integers(0, 3), bucket=st.integers(0, 1))
    def owe(self, subject: int, bucket: int) -> None:
        self.number += 1
        self.target.add(owed(self.number, subject, bucket))

    @rule(target=under_way, seconds=st.integers(0, 5))
    def take(self, seconds: int) -> MultipleResults[Callback]:
        self.now += timedelta(seconds=seconds)
        call = self.target.take(self.now)
        if call is None:
            return multiple()
        self.busy += 1
        return multiple(call)

    @rule(call=consumes(under_way))
    def settle(self, call: Callback) -> None:
        self.target.settled(call)
        self.ended[call.subject].append(call)
        self.busy -= 1

    @rule(call=consumes(under_way), seconds=st.integers(0, 3))
    def rest(self, call: Callback, seconds: int) -> None:
        again = self.now + timedelta(seconds=seconds)
        self.target.rest(call._replace(tries=call.tries + 1, due_at=again))
        self.busy -= 1

    @rule()
    def bring_forward(self) -> None:
        self.target.bring_forward(self.now)

    @rule(bucket=st.integers(0, 1))
    def leave(self, bucket: int) -> None:
        self.target.drop(lambda call: call.bucket == bucket)

    @invariant()
    def agrees(self) -> None:
        assert self.target.under_way == self.busy <= 3
        assert self.target.size == len(list(self.target.calls()))
        for calls in self.ended.values():
            keys = [key_of(call) for call in calls]
            assert keys == sorted(keys)


TestLife = Life.TestCase
