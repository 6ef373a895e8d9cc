"""Which route a message takes, by a clock that the test turns."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.handling import Handling
from gateway.domain.message import Lane
from gateway.domain.steering import Rule, Steering
from gateway.esme.choosing import (
    GRACE_SECONDS,
    LAG,
    LONGEST_STOP,
    STALL_SECONDS,
    STOP_SECONDS,
    Chooser,
    RoomOffer,
)
from gateway.esme.circuit import FIRST_PAUSE, LEAST, PROBES
from gateway.services.carrier import Channel, Fate, Outcome
from gateway.services.flights import Outgoing
from gateway.smpp import status
from tests.services.road import ANNA, BEN, START, message_to

MAIN, OTHER, SPARE = "main", "other", "spare"
PLENTY = 1_000_000


@dataclass
class Choice:
    """A chooser for one rule, its clock, and what the test says of its routes."""

    chooser: Chooser
    now: float = 1000.0
    busy: frozenset[str] = frozenset()  #: customers' numbers with enough under way

    def offer(self, main: int = PLENTY, other: int = PLENTY, spare: int = PLENTY) -> RoomOffer:
        return self.chooser.offer({MAIN: main, OTHER: other, SPARE: spare}, self.busy.__contains__)

    def channel(self, sender: str = "10086") -> Channel:
        return self.chooser.channel(message_to(sender=sender))

    def place(self, sender: str = "10086", segments: int = 1) -> str | None:
        return self.offer().place(self.channel(sender), segments)

    def up(self, *routes: str) -> None:
        for route in routes:
            self.chooser.paths[route].down_since = None

    def down(self, *routes: str) -> None:
        for route in routes:
            self.chooser.paths[route].down_since = self.now

    def hear(
        self, fate: Fate, route: str = MAIN, sender: str = "10086001", code: int | None = 0, times: int = 1
    ) -> None:
        token = Outgoing(message_to(sender=sender)).segments[0]
        self.chooser.heard([Outcome(token, fate, MAIN, command_status=code)] * times)


def choice(
    *,
    senders: dict[str, float] | None = None,
    up: bool = True,
    bears: Callable[[str, Handling], bool] = lambda _route, _handling: True,
    **rule: object,
) -> Choice:
    given_rule = {"name": "rule", "to": ((MAIN, 1),), "backup": (SPARE,)} | rule
    steering = Steering([Rule(**given_rule)], [MAIN, OTHER, SPARE])  # type: ignore[arg-type]
    made = Choice.__new__(Choice)
    made.now, made.busy = 1000.0, frozenset()
    senders = {"10086": 0.0} if senders is None else senders
    made.chooser = Chooser([MAIN, OTHER, SPARE], steering, senders, lambda: made.now, bears)
    if up:
        made.up(MAIN, OTHER, SPARE)
    return made


# Weights


@pytest.mark.parametrize(
    "held", [pytest.param(True, id="shares"), pytest.param(False, id="whoever has room")]
)
@pytest.mark.parametrize("segments", [1, 3])
def test_three_to_one_is_three_to_one_soon(held: bool, segments: int) -> None:
    here = choice(to=((MAIN, 3), (OTHER, 1)), shared=held)
    for n in range(1, 20):
        went = Counter(here.place(segments=segments) for _ in range(4))
        assert went == {MAIN: 3, OTHER: 1}, n


def test_shares_are_counted_in_segments() -> None:
    here = choice(to=((MAIN, 1), (OTHER, 1)), shared=True)
    offer, went = here.offer(), Counter[str | None]()
    for n in range(400):
        segments = 3 if n % 2 else 1
        went[offer.place(here.channel(), segments)] += segments
    assert abs(went[MAIN] - went[OTHER]) <= 3


def test_with_held_shares_the_faster_waits_for_the_slower() -> None:
    here = choice(to=((MAIN, 3), (OTHER, 1)), shared=True)
    went = Counter[str | None]()
    for _ in range(300):
        here.now += 0.01
        offer = here.offer(main=3, other=50)
        while route := offer.place(here.channel(), 1):
            went[route] += 1
    assert went[MAIN] == 900
    assert 300 - LAG <= went[OTHER] <= 300 + LAG


def test_a_share_that_has_had_no_room_for_long_is_lent() -> None:
    here = choice(to=((MAIN, 3), (OTHER, 1)), shared=True)
    here.offer(main=1)
    here.now += STALL_SECONDS
    offer = here.offer(main=0, other=500)
    assert sum(offer.place(here.channel(), 1) == OTHER for _ in range(500)) == 500
    offer = here.offer()  # and it has not to be made up for
    went = Counter(offer.place(here.channel(), 1) for _ in range(400))
    assert went[OTHER] >= 100 - LAG


def test_without_shares_whoever_has_room_takes_it() -> None:
    here = choice(to=((MAIN, 1), (OTHER, 1)))
    offer = here.offer(main=0, other=500)
    assert {offer.place(here.channel(), 1) for _ in range(500)} == {OTHER}
    offer = here.offer()
    went = Counter(offer.place(here.channel(), 1) for _ in range(400))
    assert abs(went[MAIN] - went[OTHER]) <= 2 * LAG


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(0, 3)), max_size=60))
def test_what_has_room_is_not_left_waiting_for_ever(course: list[tuple[int, int, float]]) -> None:
    here = choice(to=((MAIN, 3), (OTHER, 1)), shared=True)
    for main, other, lapse in course:
        here.now += lapse
        offer = here.offer(main, other)
        while offer.place(here.channel(), 1):
            pass
    here.now += 60.0
    assert here.offer(0, 1).place(here.channel(), 1) == OTHER
    assert here.offer(1, 0).place(here.channel(), 1) == MAIN


# Backups


def test_a_backup_stands_in_after_a_grace_and_steps_back_at_once() -> None:
    here = choice()
    assert here.place() == MAIN
    here.down(MAIN)
    here.now += GRACE_SECONDS - 0.1
    assert here.place() is None
    here.now += 0.2
    assert here.place() == SPARE
    here.up(MAIN)
    assert here.place() == MAIN


def test_a_backup_that_stands_in_is_told_once_and_that_it_steps_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = choice()
    with caplog.at_level(logging.INFO):
        here.down(MAIN)
        here.now += GRACE_SECONDS + 0.1
        assert [here.place() for _ in range(3)] == [SPARE] * 3
        here.up(MAIN)
        assert [here.place() for _ in range(3)] == [MAIN] * 3
    assert [(record.message, record.__dict__["backup"]) for record in caplog.records] == [
        ("no route of a rule works: its backup stands in", SPARE),
        ("the backup steps back", SPARE),
    ]


def test_a_primary_without_room_is_waited_for() -> None:
    here = choice()
    here.now += 3600
    assert here.offer(main=0).place(here.channel(), 1) is None


def test_a_backup_stands_in_for_none_while_another_primary_is_up() -> None:
    here = choice(to=((MAIN, 3), (OTHER, 1)), shared=True)
    here.down(MAIN)
    here.now += 2 * GRACE_SECONDS
    assert {here.place() for _ in range(200)} == {OTHER}
    here.up(MAIN)
    assert Counter(here.place() for _ in range(400))[OTHER] >= 100 - LAG


def test_at_the_start_a_backup_waits_for_the_grace_as_well() -> None:
    here = choice(up=False)
    here.up(SPARE)
    assert here.place() is None
    here.now += GRACE_SECONDS + 0.1
    assert here.place() == SPARE


# Circuits


def failing() -> Choice:
    here = choice()
    here.hear(Fate.PUT_OFF, code=status.ESME_RSYSERR, times=LEAST)
    return here


@pytest.mark.parametrize(
    ("fate", "code"),
    [
        pytest.param(Fate.PUT_OFF, status.ESME_RSYSERR, id="system errors"),
        pytest.param(Fate.REFUSED, status.ESME_RSYSERR, id="system errors that a table takes for final"),
    ],
)
def test_a_failing_route_is_left_out_and_tried_with_a_few(fate: Fate, code: int) -> None:
    here = choice()
    here.hear(fate, code=code, times=LEAST)
    assert here.place() is None
    here.now += GRACE_SECONDS + 0.1
    assert here.place() == SPARE
    here.now += FIRST_PAUSE
    offer = here.offer()
    went = Counter(offer.place(here.channel(), 1) for _ in range(20))
    assert went == {MAIN: PROBES, SPARE: 20 - PROBES}
    here.hear(Fate.TAKEN, times=PROBES)
    assert here.place() == MAIN


def test_time_outs_one_by_one_open_it_and_one_broken_link_does_not() -> None:
    here = choice()
    here.hear(Fate.LOST, code=None, times=100)
    assert here.place() == MAIN
    for _ in range(LEAST):
        here.hear(Fate.LOST, code=None)
    assert here.place() is None


@pytest.mark.parametrize(
    ("fate", "code"),
    [
        pytest.param(Fate.REFUSED, status.ESME_RINVDSTADR, id="recipients' faults"),
        pytest.param(Fate.PUT_OFF, status.ESME_RMSGQFUL, id="recipients' full queues"),
        pytest.param(Fate.UNSENT, 0, id="what was not sent"),
        pytest.param(Fate.LOST, 0, id="answers without an id"),
    ],
)
def test_what_is_no_fault_of_the_route_opens_no_circuit(fate: Fate, code: int) -> None:
    here = choice()
    for _ in range(2 * LEAST):
        here.hear(fate, code=code, times=50)
    assert here.place() == MAIN


def test_a_failing_route_without_another_is_tried_all_the_same() -> None:
    here = choice(backup=())
    here.hear(Fate.PUT_OFF, code=status.ESME_RSYSERR, times=LEAST)
    here.now += FIRST_PAUSE + 0.1
    assert here.place() == MAIN


# Senders


def test_a_refused_sender_stops_on_that_route_alone_and_its_extensions_with_it() -> None:
    here = choice(senders={"10086": 0.0, "95588": 0.0}, backup=())
    here.hear(Fate.HELD, sender="10086001", code=status.ESME_RINVSRCADR)
    assert here.place("10086777") is None
    assert here.place("95588") == MAIN
    assert here.chooser.stopped(MAIN) == ["10086"]
    assert here.chooser.stopped(OTHER) == []


def test_a_refused_sender_goes_by_another_route_that_takes_it() -> None:
    here = choice()
    here.hear(Fate.HELD)
    assert here.place() == SPARE


def test_a_refused_sender_is_tried_now_and_then_with_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    here, pauses = choice(backup=()), []
    here.hear(Fate.HELD, times=50)
    for _ in range(6):
        began = here.now
        while here.place() is None:
            here.now += 1.0
        pauses.append(here.now - began)
        assert here.place() is None, "one probe at a time"
        here.hear(Fate.HELD)
    assert pauses == [STOP_SECONDS, 120.0, 240.0, 480.0, LONGEST_STOP, LONGEST_STOP]
    here.now += LONGEST_STOP
    assert here.place() == MAIN
    here.hear(Fate.TAKEN)
    assert here.place() == MAIN
    assert here.chooser.stopped(MAIN) == []
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


def test_an_answer_from_before_the_stop_does_not_end_it() -> None:
    here = choice(backup=())
    here.hear(Fate.HELD)
    here.hear(Fate.TAKEN)
    assert here.place() is None


def test_a_limited_sender_holds_up_nobody_else() -> None:
    here = choice(senders={"10086": 4.0, "95588": 0.0})
    went = Counter[str]()
    for _ in range(100):  # ten seconds
        here.now += 0.1
        offer = here.offer()
        for sender in ("10086", "95588"):
            for _ in range(10):
                went[sender] += offer.place(here.channel(sender), 1) is not None
    assert 38 <= went["10086"] <= 42
    assert went["95588"] == 1000


def test_a_sender_without_a_section_has_a_channel_of_its_own_as_long_as_there_are_few() -> None:
    here = choice()
    channels = {here.channel(f"Shop {n}") for n in range(500)}
    assert len(channels) == 101
    assert here.channel("10086123") is here.channel("10086")


# Another table


def test_another_table_changes_where_messages_go_and_how_fast_at_once() -> None:
    here = choice()
    before = here.channel()
    here.chooser.steer(Steering([Rule(name="new", to=((OTHER, 1),))], [MAIN, OTHER]), {"10086": 1.0})
    assert here.place() == OTHER
    assert here.place() is None
    assert here.offer().place(before, 1) is None, "its sender has a rate now"
    assert here.chooser.steering.course(ANNA, "10086", Lane.SERVICE).name == "new"


def test_an_offer_takes_one_message_to_a_number_and_none_to_a_busy_one() -> None:
    here = choice()
    here.busy = frozenset({BEN})
    offer = here.offer()
    assert [offer.takes(msisdn) for msisdn in (ANNA, BEN)] == [True, False]
    assert offer.place(here.channel(), 1, ANNA) == MAIN
    assert not offer.takes(ANNA)
    here.busy = frozenset()
    assert here.offer().takes(BEN)


# What a route can't do


@pytest.mark.parametrize(
    ("unable", "went"),
    [
        pytest.param([MAIN], {OTHER}, id="another primary"),
        pytest.param([MAIN, OTHER], {SPARE}, id="the backup, without waiting"),
        pytest.param([MAIN, OTHER, SPARE], {MAIN, OTHER}, id="none: the link refuses it"),
        pytest.param([], {MAIN, OTHER}, id="all of them"),
    ],
)
def test_a_message_goes_where_what_it_asks_for_can_be_done(unable: list[str], went: set[str]) -> None:
    here = choice(to=((MAIN, 1), (OTHER, 1)), bears=lambda route, _: route not in unable)
    wish = Handling(deliver_at=START + timedelta(days=1)).written()
    channels = [here.chooser.channel(message_to(handling=wish)) for _ in range(2)]
    assert channels[0].course is channels[1].course
    assert {here.offer().place(channels[0], 1) for _ in range(4)} == went
    assert {here.place() for _ in range(4)} == {MAIN, OTHER}
