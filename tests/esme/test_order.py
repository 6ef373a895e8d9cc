"""Order per number: against a model that is a plain list for each number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
)

from gateway.esme.order import Numbers
from gateway.services.carrier import Parcel
from gateway.services.flights import Outgoing
from tests.esme.ground import parcel
from tests.services.road import ANNA, BEN, message_to


class Wire:
    """A link that writes down what it may write."""

    def __init__(self) -> None:
        self.behind = 0
        self.written: list[Parcel] = []

    def go_on(self, parcels: Sequence[Parcel]) -> None:
        self.written.extend(parcels)

    def submit(self, numbers: Numbers[Wire], *parcels: Parcel) -> None:
        self.written.extend(each for each in parcels if numbers.begin(each, self))


def parts(to: str = ANNA, count: int = 1) -> list[Parcel]:
    """All parcels of one message."""
    outgoing = Outgoing(message_to(to, segments=count))
    return [parcel(to=to, token=segment) for segment in outgoing.segments]


def test_the_next_message_to_a_number_waits_for_the_answer() -> None:
    numbers, wire = Numbers[Wire](), Wire()
    [first], [second], [other] = parts(), parts(), parts(BEN)
    wire.submit(numbers, first, second, other)
    assert wire.written == [first, other]
    assert wire.behind == 1
    numbers.end(first)
    assert wire.written == [first, other, second]
    assert wire.behind == 0


def test_the_parts_of_a_message_go_together() -> None:
    numbers, wire = Numbers[Wire](), Wire()
    first, second = parts(count=3), parts(count=2)
    wire.submit(numbers, *first, *second)
    assert wire.written == first
    numbers.end(first[0])
    numbers.end(first[2])
    assert wire.written == first
    numbers.end(first[1])
    assert wire.written == first + second


def test_the_order_holds_across_links() -> None:
    numbers, here, there = Numbers[Wire](), Wire(), Wire()
    [first], [second] = parts(), parts()
    here.submit(numbers, first)
    assert numbers.link_of(ANNA) is here
    there.submit(numbers, second)
    assert (there.written, there.behind) == ([], 1)
    numbers.end(first)
    assert there.written == [second]
    assert numbers.link_of(ANNA) is there
    assert numbers.link_of(BEN) is None


def test_what_stands_behind_one_that_is_given_back_is_given_back_after_it() -> None:
    numbers, here, there = Numbers[Wire](), Wire(), Wire()
    [first], [second], [third] = parts(), parts(), parts()
    here.submit(numbers, first, second)
    there.submit(numbers, third)
    assert numbers.back(first) == [second, third]
    assert (len(numbers), here.behind, there.behind) == (0, 0, 0)


def test_what_stands_behind_waits_for_the_parts_that_are_still_under_way() -> None:
    numbers, wire = Numbers[Wire](), Wire()
    first, [second] = parts(count=2), parts()
    wire.submit(numbers, *first, second)
    assert numbers.back(first[0]) == ()
    numbers.end(first[1])
    assert wire.written == [*first, second]


def test_a_link_that_ends_takes_along_what_stands_behind_its_own() -> None:
    """Else that would be written first, and what comes back would be too late."""
    numbers, here, there = Numbers[Wire](), Wire(), Wire()
    [first], [second], [third], [fourth] = parts(), parts(), parts(), parts()
    here.submit(numbers, first)
    there.submit(numbers, second)
    here.submit(numbers, third)
    there.submit(numbers, fourth)
    assert numbers.leave(there) == [second, third, fourth]
    assert (here.behind, there.behind) == (0, 0)
    numbers.end(first)
    assert here.written == [first]
    assert len(numbers) == 0


def test_a_link_that_ends_leaves_what_stands_before_its_own() -> None:
    numbers, here, there = Numbers[Wire](), Wire(), Wire()
    [first], [second], [third] = parts(), parts(), parts()
    here.submit(numbers, first)
    here.submit(numbers, second)
    there.submit(numbers, third)
    assert numbers.leave(there) == [third]
    numbers.end(first)
    assert here.written == [first, second]


class Traffic(RuleBasedStateMachine):
    """Links that write, are answered, refused for their speed, time out and break, in any order."""

    begun = Bundle[Parcel]("begun")

    def __init__(self) -> None:
        super().__init__()
        self.numbers = Numbers[Wire]()
        self.wires = [Wire(), Wire(), Wire()]
        self.model: dict[str, list[tuple[Outgoing, list[Parcel]]]] = defaultdict(list)

    @rule(target=begun, to=st.sampled_from("abc"), count=st.integers(1, 3), wire=st.integers(0, 2))
    def submit(self, to: str, count: int, wire: int) -> MultipleResults[Parcel]:
        message = parts(to, count)
        self.model[to].append((message[0].token.outgoing, list(message)))
        self.wires[wire].submit(self.numbers, *message)
        return multiple(*message)

    def _written(self, each: Parcel) -> bool:
        return any(each in wire.written for wire in self.wires)

    def _finish(self, each: Parcel) -> None:
        for wire in self.wires:
            if each in wire.written:
                wire.written.remove(each)
        self._strike(each)

    def _strike(self, each: Parcel) -> None:
        for _, left in self.model[each.destination]:
            if each in left:
                left.remove(each)
        self.model[each.destination] = [entry for entry in self.model[each.destination] if entry[1]]

    @rule(each=begun)
    def answer(self, each: Parcel) -> None:
        """Answered, or given up after the response time-out."""
        if self._written(each):
            self._finish(each)
            self.numbers.end(each)

    @rule(each=begun)
    def give_back(self, each: Parcel) -> None:
        if self._written(each):
            self._finish(each)
            returned = self.numbers.back(each)
            expected = [other for _, left in self.model[each.destination] for other in left]
            if returned:
                assert list(returned) == expected
                self.model[each.destination].clear()

    @precondition(lambda self: any(wire.written for wire in self.wires))
    @rule(which=st.integers(0, 2), unsent=st.booleans())
    def break_link(self, which: int, unsent: bool) -> None:
        """What was in flight is lost; what it keeps comes back."""
        wire = self.wires[which]
        for each in self.numbers.leave(wire):
            self._strike(each)
        for each in list(wire.written):
            self._finish(each)
            if not unsent:
                self.numbers.end(each)
                continue
            for other in self.numbers.back(each):
                self._strike(other)
        assert wire.behind == 0

    @invariant()
    def only_the_first_message_to_a_number_is_under_way(self) -> None:
        under_way = [each for wire in self.wires for each in wire.written]
        for waiting in self.model.values():
            for at, (_, left) in enumerate(waiting):
                assert all((each in under_way) is (at == 0) for each in left)

    @invariant()
    def nothing_is_left_behind(self) -> None:
        assert len(self.numbers) == sum(bool(waiting) for waiting in self.model.values())
        kept = sum(len(left) for waiting in self.model.values() for _, left in waiting[1:])
        assert sum(wire.behind for wire in self.wires) == kept


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
