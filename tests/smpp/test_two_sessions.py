"""An ESME and an SMSC, two sessions of ours, over a pipe that loses, delays, cuts and reorders PDUs: whatever
happens, nothing is overrun, nothing is told twice, and each side's account adds up."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.smpp import codec, events, pdu
from gateway.smpp.constants import CommandId
from gateway.smpp.errors import StateError, WindowFull
from gateway.smpp.events import State
from gateway.smpp.session import Role, Session
from gateway.smpp.timers import Timers

TIMERS = Timers(bind_timeout=30, enquire_link=20, response_timeout=10, answer_timeout=60, drain_timeout=15)
WINDOW = 3
BIND = {
    State.BOUND_TX: pdu.BindTransmitter,
    State.BOUND_RX: pdu.BindReceiver,
    State.BOUND_TRX: pdu.BindTransceiver,
}


@dataclass
class Side:
    """One session, what is on its way to it, and the account of its tokens."""

    session: Session
    coming: list[bytes] = field(default_factory=list)
    half: bytes = b""  # the rest of a frame that has come in part
    waiting: set[int] = field(default_factory=set)
    timed_out: set[int] = field(default_factory=set)
    settled: list[int] = field(default_factory=list)
    owed: list[pdu.Pdu] = field(default_factory=list)
    ends: int = 0

    def take(self, happened: list[events.Event]) -> None:
        for event in happened:
            match event:
                case events.Answered(token=token):
                    self._settle(token)
                case events.TimedOut(token=token):
                    self._settle(token)
                    self.timed_out.add(token)
                case events.Late(token=token):
                    self.timed_out.remove(token)
                case events.Closed(tokens=tokens):
                    self.ends += 1
                    for token in tokens:
                        self._settle(token)
                case events.Request(pdu=asked):
                    self.owed.append(asked)
                case events.Malformed():
                    raise AssertionError("both speak SMPP")
                case _:
                    pass

    def _settle(self, token: int) -> None:
        self.waiting.remove(token)
        self.settled.append(token)


class TwoSessions(RuleBasedStateMachine):
    @initialize(kind=st.sampled_from(list(BIND)))
    def connect(self, kind: State) -> None:
        self.now = 0.0
        self.tokens = 0
        self.kind = kind
        self.lossless = True
        self.esme = Side(Session(Role.ESME, window=WINDOW, timers=TIMERS, now=0))
        self.smsc = Side(Session(Role.SMSC, window=WINDOW, timers=TIMERS, now=0))
        self.sides = (self.esme, self.smsc)
        self.esme.session.request(BIND[kind](), 0)
        self._write()

    def _write(self) -> None:
        for side, peer in (self.sides, self.sides[::-1]):
            peer.coming += codec.FrameReader().feed(side.session.data_to_send())

    def _hand(self, side: Side, frame: bytes) -> None:
        data, side.half = side.half + frame, b""
        side.take(side.session.receive(data, self.now))
        self._write()

    # The pipe

    @rule(to_smsc=st.booleans(), place=st.integers(0, 2))
    def arrive(self, to_smsc: bool, place: int) -> None:
        """The next PDU, or one behind it first."""
        side = self.sides[to_smsc]
        if side.coming:
            self._hand(side, side.coming.pop(min(place, len(side.coming) - 1)))

    @rule(to_smsc=st.booleans(), cut=st.integers(1, 30))
    def arrive_in_part(self, to_smsc: bool, cut: int) -> None:
        side = self.sides[to_smsc]
        if side.coming and not side.half:
            frame = side.coming.pop(0)
            side.take(side.session.receive(frame[:cut], self.now))
            side.half = frame[cut:]
            if not side.half:
                self._write()

    @rule(to_smsc=st.booleans())
    def arrive_all(self, to_smsc: bool) -> None:
        side = self.sides[to_smsc]
        frames, side.coming = side.coming, []
        self._hand(side, b"".join(frames))

    @rule(to_smsc=st.booleans())
    def lose(self, to_smsc: bool) -> None:
        side = self.sides[to_smsc]
        if side.coming:
            side.coming.pop(0)
            self.lossless = False

    @rule(to_smsc=st.booleans())
    def double(self, to_smsc: bool) -> None:
        """A response that comes twice."""
        side = self.sides[to_smsc]
        if side.coming and side.coming[0][4] & 0x80:
            side.coming.insert(0, side.coming[0])

    @rule(seconds=st.sampled_from([0.1, 1, 5, 11, 25]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for side in self.sides:
            side.take(side.session.tick(self.now))
        self._write()

    # The owners

    @rule(
        from_smsc=st.booleans(),
        command=st.sampled_from([pdu.SubmitSm, pdu.DataSm, pdu.DeliverSm, pdu.QuerySm]),
    )
    def ask(self, from_smsc: bool, command: type[pdu.Pdu]) -> None:
        side = self.sides[from_smsc]
        room = side.session.room
        self.tokens += 1
        try:
            side.session.request(command(), self.now, self.tokens)
        except WindowFull:
            assert len(side.waiting) == WINDOW
        except StateError:
            pass
        else:
            assert room > 0
            side.waiting.add(self.tokens)
            self._write()

    @rule(from_smsc=st.booleans(), place=st.integers(0, 5), status=st.sampled_from([0, 0, 0x58]))
    def answer(self, from_smsc: bool, place: int, status: int) -> None:
        """What is owed, in any order."""
        side = self.sides[from_smsc]
        if not side.owed or side.session.closed:
            return
        asked = side.owed.pop(place % len(side.owed))
        binding = side.session.state is State.OPEN
        side.session.answer(asked.sequence_number, int(asked.command_id), 0 if binding else status)
        self._write()

    @precondition(lambda self: self.esme.session.bound or self.smsc.session.bound)
    @rule(from_smsc=st.booleans())
    def unbind(self, from_smsc: bool) -> None:
        session = self.sides[from_smsc].session
        if session.bound:
            session.unbind(self.now)
            assert session.room == 0
            self._write()

    @rule(chance=st.integers(0, 9))
    def cut_the_line(self, chance: int) -> None:
        if chance == 0:
            for side in self.sides:
                side.coming.clear()
                side.take(side.session.lost())

    # What always holds

    @invariant()
    def the_window_is_never_overrun(self) -> None:
        for side in self.sides:
            assert side.session.outstanding == len(side.waiting) <= WINDOW
            assert 0 <= side.session.room <= WINDOW - len(side.waiting)

    @invariant()
    def each_token_comes_out_once(self) -> None:
        for side in self.sides:
            assert len(side.settled) == len(set(side.settled))
            assert not side.waiting & set(side.settled)
            assert side.ends == side.session.closed

    @invariant()
    def what_is_owed_is_known(self) -> None:
        for side in self.sides:
            assert side.session.closed or side.session.owed == len(side.owed)

    @invariant()
    def both_agree_on_the_bind(self) -> None:
        for side in self.sides:
            assert side.session.state in {State.OPEN, self.kind, State.UNBOUND, State.CLOSED}
        if self.esme.session.bound:
            assert self.smsc.session.state is not State.OPEN

    def teardown(self) -> None:
        if not hasattr(self, "sides"):
            return
        for side in self.sides:
            side.take(side.session.lost())
            assert not side.waiting
            assert side.session.closed
            assert side.ends == 1


TestTwoSessions: Any = TwoSessions.TestCase
TestTwoSessions.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def test_without_mishaps_all_is_answered() -> None:
    """The same pipe without mishaps: every request has its answer and both end unbound."""
    machine = TwoSessions()
    machine.connect(State.BOUND_TRX)
    machine.arrive_all(True)
    machine.answer(True, 0, 0)
    machine.arrive_all(False)
    for _ in range(WINDOW):
        machine.ask(False, pdu.SubmitSm)
        machine.ask(True, pdu.DeliverSm)
    for to_smsc in (True, False):
        machine.arrive_all(to_smsc)
    for from_smsc in (True, False):
        for _ in range(WINDOW):
            machine.answer(from_smsc, 0, 0)
    machine.arrive_all(True)
    machine.arrive_all(False)
    assert [len(side.settled) for side in machine.sides] == [WINDOW, WINDOW]
    machine.unbind(False)
    assert machine.smsc.coming[-1][4:8] == int(CommandId.UNBIND).to_bytes(4, "big")
    machine.arrive_all(True)
    machine.arrive_all(False)
    assert [side.session.state for side in machine.sides] == [State.CLOSED, State.UNBOUND]
