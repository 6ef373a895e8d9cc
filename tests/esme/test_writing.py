"""Whatever an SMSC does, nothing overtakes: two binds without sockets, an SMSC that answers at random."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.esme.alarms import Alarms
from gateway.esme.order import Numbers
from gateway.esme.writing import Writing
from gateway.services.carrier import Fate, Outcome, Parcel
from gateway.services.flights import Outgoing
from gateway.smpp import codec, status
from gateway.smpp.pdu import BindTransceiver, BindTransceiverResp, SubmitSm, SubmitSmResp
from gateway.smpp.session import Role, Session
from gateway.smpp.timers import Timers
from tests.esme.ground import parcel, route_to
from tests.services.road import message_to

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TIMERS = Timers(response_timeout=2.0, answer_timeout=None, enquire_link=None)
DONE = {Fate.TAKEN, Fate.REFUSED, Fate.PUT_OFF, Fate.LOST, Fate.UNSENT}


class Bind:
    """In a link's place."""

    def __init__(self, numbers: Numbers[Bind], window: int) -> None:
        self.behind = 0
        self.stopped: set[str] = set()  # texts that are not to go any more
        self.session = Session(Role.ESME, window=window, timers=TIMERS, now=0.0)
        self.session.request(BindTransceiver(system_id="a"), 0.0)
        self.session.data_to_send()
        self.session.receive(codec.encode(BindTransceiverResp(sequence_number=1, system_id="s")), 0.0)
        self.writing = Writing(
            route_to(1, window=window, timers=TIMERS),
            self.session,
            link=self,
            numbers=numbers,
            alarms=Alarms("main"),
            now=lambda: NOW,
            clock=0.0,
            may_go=lambda parcel: parcel.token.outgoing.message.body not in self.stopped,
        )
        self.unanswered: list[SubmitSm] = []  # at the SMSC

    def go_on(self, parcels: Sequence[Parcel]) -> None:
        self.writing.go_on(parcels)


class Play:
    """Two binds, their SMSC, and what must hold whenever something reaches it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = 0.0
        self.numbers = Numbers[Bind]()
        self.binds = [Bind(self.numbers, window=4) for _ in range(2)]
        self.sent: dict[str, list[Outgoing]] = defaultdict(list)
        self.open: dict[Outgoing, set[int]] = {}  # parts without their outcome
        self.outcomes: list[Outcome] = []
        self.parts = 0

    def submit(self) -> None:
        to = f"861390531000{self.random.randrange(3)}"
        outgoing = Outgoing(message_to(to, segments=self.random.randint(1, 3)))
        at = len(self.sent[to])
        self.sent[to].append(outgoing)
        self.open[outgoing] = {segment.number for segment in outgoing.segments}
        self.parts += len(outgoing.segments)
        bind = self.random.choice([b for b in self.binds if not b.session.closed])
        parcels = [
            parcel(to=to, token=token, payload=f"{at}".encode(), esm_class=0) for token in outgoing.segments
        ]
        bind.writing.submit(parcels, self.clock)

    def arrive(self) -> None:
        """What was written reaches the SMSC: every message before it to its number must be through."""
        for bind in self.binds:
            frames = codec.FrameReader().feed(bind.session.data_to_send())
            for pdu in map(codec.decode, frames):
                if not isinstance(pdu, SubmitSm):
                    continue
                earlier = self.sent[pdu.destination_addr][: int(pdu.short_message)]
                assert not any(self.open[outgoing] for outgoing in earlier)
                bind.unanswered.append(pdu)

    def answer(self) -> None:
        bind = self.random.choice(self.binds)
        if not bind.unanswered or bind.session.closed:
            return
        self.random.shuffle(bind.unanswered)
        answers = b""
        for _ in range(self.random.randint(1, len(bind.unanswered))):
            pdu = bind.unanswered.pop()
            code = self.random.choice([0, 0, 0, status.ESME_RTHROTTLED, status.ESME_RINVDSTADR, 0x08, None])
            if code is not None:
                made = SubmitSmResp(pdu.sequence_number, code, message_id="" if code else "id")
                answers += codec.encode(made)
        full = bind.session.outstanding >= 3
        self.hear(bind, bind.session.receive(answers, self.clock), window_full=full)

    def hear(self, bind: Bind, happened: Sequence[object], *, window_full: bool = False) -> None:
        outcomes, _ = bind.writing.hear(happened, window_full, self.clock)  # type: ignore[arg-type]
        for outcome in outcomes:
            assert outcome.fate in DONE
            self.open[outcome.token.outgoing].discard(outcome.token.number)
        self.outcomes += outcomes
        for each in self.binds:
            each.writing.pump(self.clock)

    def time_goes_by(self) -> None:
        self.clock += self.random.choice([0.01, 0.1, 0.5, 2.1])
        for bind in self.binds:
            bind.writing.throttle.tick(self.clock)
            bind.writing.pump(self.clock)
            self.hear(bind, bind.session.tick(self.clock))

    def step(self) -> None:
        act = self.random.choice([self.submit, self.answer, self.answer, self.time_goes_by])
        act()
        self.arrive()
        kept = sum(bind.writing.kept + bind.session.outstanding for bind in self.binds)
        assert kept == sum(len(parts) for parts in self.open.values())

    def break_link(self, which: int) -> None:
        bind = self.binds[which]
        self.hear(bind, bind.session.lost())
        self.arrive()
        assert bind.writing.kept == 0


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(5, 60), st.booleans())
def test_nothing_overtakes_and_nothing_is_left_behind(seed: int, steps: int, breaks: bool) -> None:
    play = Play(seed)
    for _ in range(steps):
        play.step()
    if breaks:
        play.break_link(0)
        for _ in range(steps):
            play.step()
    play.break_link(1)
    if not breaks:
        play.break_link(0)
    assert len(play.numbers) == 0
    assert not any(play.open.values())
    assert all(not bind.writing._turns and not bind.behind for bind in play.binds)
    told = [outcome for outcome in play.outcomes if outcome.fate is not Fate.LOST]
    assert len({id(outcome.token) for outcome in play.outcomes}) == play.parts
    assert len({id(outcome.token) for outcome in told}) == len(told)


@pytest.mark.parametrize("late", [0, status.ESME_RTHROTTLED, status.ESME_RINVBNDSTS])
def test_a_late_answer_does_not_disturb_who_went_on(late: int) -> None:
    play = Play(1)
    [bind, _] = play.binds
    first, second = parcel("first"), parcel("second")
    bind.writing.submit([first, second], 0.0)
    [number] = bind.session._window.pending
    outcomes, _ = bind.writing.hear(bind.session.tick(2.5), False, 2.5)
    assert [outcome.fate for outcome in outcomes] == [Fate.LOST]
    bind.writing.pump(2.5)
    assert bind.session.outstanding == 1
    answer = codec.encode(SubmitSmResp(number, late, message_id="" if late else "id"))
    outcomes, _ = bind.writing.hear(bind.session.receive(answer, 2.6), False, 2.6)
    assert [outcome.fate for outcome in outcomes] == [Fate.PUT_OFF if late else Fate.TAKEN]
    assert len(play.numbers) == 1
    assert not bind.writing.rebind


def test_what_is_kept_and_not_to_go_any_more_is_never_written() -> None:
    [bind, _] = Play(1).binds
    numbers = [f"861390531000{n}" for n in range(6)]
    kept = [parcel(body, to=to) for body, to in zip("abcdef", numbers, strict=True)]
    bind.writing.submit([*kept, parcel("behind", to=numbers[4])], 0.0)
    assert bind.writing.kept == 3
    bind.stopped = {"a", "e"}  # the first is written already
    pending = [*bind.session._window.pending]
    answers = b"".join(codec.encode(SubmitSmResp(number, message_id="id")) for number in pending)
    bind.writing.hear(bind.session.receive(answers, 0.1), False, 0.1)
    bind.writing.pump(0.1)
    told = [(each.token.outgoing.message.body, each.fate) for each in bind.writing.unfit]
    assert told == [("e", Fate.UNSENT), ("behind", Fate.UNSENT)]
    assert (bind.session.outstanding, bind.writing.kept) == (1, 0)


def test_of_what_is_refused_for_being_too_fast_a_seconds_worth_stays() -> None:
    """The rest waits where an urgent message passes it; order is kept."""
    bind = Bind(Numbers[Bind](), window=100)
    bind.writing.submit([parcel(f"{n}", to=f"86139053{10000 + n}") for n in range(100)], 0.0)
    pending = [*bind.session._window.pending]
    codes = [0] * 5 + [status.ESME_RTHROTTLED] * 95
    answers = b"".join(
        codec.encode(SubmitSmResp(number, code, message_id="" if code else "id"))
        for number, code in zip(pending, codes, strict=True)
    )
    outcomes, _ = bind.writing.hear(bind.session.receive(answers, 1.0), True, 1.0)
    fates = [outcome.fate for outcome in outcomes]
    kept = bind.writing.kept
    assert kept == int(bind.writing.throttle.rate)
    assert fates == [Fate.TAKEN] * 5 + [Fate.UNSENT] * (95 - kept)
    back = [int(outcome.token.outgoing.message.body) for outcome in outcomes[5:]]
    assert back == list(range(5 + kept, 100))


def test_a_probe_is_not_used_up_by_what_is_given_back() -> None:
    [bind, _] = Play(1).binds
    for at in (0.0, 1.0, 2.0):  # all that is tried is refused
        bind.writing.submit([parcel("kept")] if not at else [], at)
        bind.writing.pump(at)
        [number] = bind.session._window.pending
        answer = codec.encode(SubmitSmResp(number, status.ESME_RTHROTTLED))
        bind.writing.hear(bind.session.receive(answer, at), False, at)
    bind.stopped = {"kept"}
    bind.writing.pump(4.0)
    assert bind.writing.kept == 0
    bind.stopped = set()
    bind.writing.submit([parcel("next")], 4.0)
    assert bind.session.outstanding == 1


@pytest.mark.parametrize(
    ("message_id", "reason"),
    [
        pytest.param("", "taken without an id", id="none"),
        pytest.param("\x07\x93\xfe", "taken with an id that can't be read", id="octets of a broken answer"),
    ],
)
@pytest.mark.parametrize("at", [pytest.param(0.1, id="in time"), pytest.param(2.6, id="late")])
def test_an_answer_without_an_id_that_can_be_read_leaves_it_unknown(
    message_id: str, reason: str, at: float
) -> None:
    [bind, _] = Play(1).binds
    bind.writing.submit([parcel("first")], 0.0)
    [number] = bind.session._window.pending
    bind.writing.hear(bind.session.tick(at), False, at)
    answer = codec.encode(SubmitSmResp(number, message_id=message_id))
    outcomes, _ = bind.writing.hear(bind.session.receive(answer, at), False, at)
    assert [(outcome.fate, outcome.reason, outcome.command_status) for outcome in outcomes] == [
        (Fate.LOST, reason, status.ESME_ROK)
    ]


def test_who_answers_nothing_gets_one_message_at_a_time_until_it_does() -> None:
    [bind, _] = Play(1).binds
    bind.writing.submit([parcel(f"{n}", to=f"861390531000{n}") for n in range(4)], 0.0)
    assert bind.writing.room == 0
    bind.writing.hear(bind.session.tick(2.5), False, 2.5)
    assert bind.writing.room == 1
    bind.writing.submit([parcel("trial", to="8613905310005"), parcel("kept", to="8613905310006")], 2.5)
    assert (bind.session.outstanding, bind.writing.kept, bind.writing.room) == (1, 1, 0)
    [number] = bind.session._window.pending
    answer = codec.encode(SubmitSmResp(number, message_id="id"))
    bind.writing.hear(bind.session.receive(answer, 2.6), False, 2.6)
    assert bind.writing.room == 3


def test_one_answer_among_many_that_never_came_narrows_no_window() -> None:
    [bind, _] = Play(1).binds
    bind.writing.submit([parcel(f"{n}", to=f"861390531000{n}") for n in range(2)], 0.0)
    [_, number] = bind.session._window.pending
    answer = codec.encode(SubmitSmResp(number, message_id="id"))
    bind.writing.hear(bind.session.receive(answer, 0.5), False, 0.5)
    bind.writing.hear(bind.session.tick(2.5), False, 2.5)
    assert (bind.writing.unanswered, bind.writing.room) == (1, 4)
