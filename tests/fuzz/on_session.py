"""A live session of either role, in any state, between a peer that may send anything and an owner that may
ask for anything, held against a small account of what was asked and what was said."""

import struct
from collections import Counter
from random import Random
from typing import Any, Final

from gateway.smpp import codec, events, pdu
from gateway.smpp.constants import MAX_PDU_LENGTH, RESPONSE
from gateway.smpp.errors import EncodeError, StateError, WindowFull
from gateway.smpp.events import State
from gateway.smpp.session import Role, Session
from gateway.smpp.timers import Timers
from tests.fuzz import corpus, mutate
from tests.fuzz.program import Program, Script
from tests.fuzz.target import Target, must

TIMERS: Final = Timers(
    bind_timeout=10, enquire_link=15, inactivity=40, response_timeout=8, answer_timeout=25, drain_timeout=6
)
TEMPLATE: Final = codec.SubmitTemplate(source_addr="10086", registered_delivery=1)
BINDS: Final = (pdu.BindTransmitter, pdu.BindReceiver, pdu.BindTransceiver)
REQUESTS: Final = tuple(cls for cls in pdu.PDUS if not cls.command_id & RESPONSE)
BEGINNINGS: Final = 7  # open, binding, the three binds, after the peer's unbind, while ours waits

RECEIVE, TICK, REQUEST, SUBMIT, ANSWER, REFUSE, UNBIND, WRITE, RESPOND, AGAIN, LOST = range(11)
_WEIGHTS: Final = (30, 12, 10, 12, 10, 5, 2, 8, 20, 6, 1)
_HEADER: Final = struct.Struct(">IIII")


def make(random: Random) -> bytes:
    script = Script(random)
    script.octet(random.randrange(2 * BEGINNINGS))
    script.octet(random.choice((0, 0, 1, 3, 9)))
    for _ in range(random.randint(1, 16)):
        op = random.choices(range(len(_WEIGHTS)), _WEIGHTS)[0]
        script.octet(op)
        if op == RECEIVE:
            numbers = (1, 2, 3, 4, 5, 6, 9, *mutate.NUMBERS)
            stream = b"".join(mutate.frame(random, _SMALL, numbers) for _ in range(random.randint(1, 4)))
            script.piece(mutate.mutate(random, stream, 2) if not random.randrange(20) else stream)
        elif op == TICK:
            script.octet(random.choice((1, 1, 4, 16, 40, 60, 255)))
        else:
            script.octet(random.randrange(256))
    return script.octets()


class Account:
    """What the session owes: each token once, each of the peer's requests one answer."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now = 0.0
        self.alive: set[int] = set()
        self.timed_out: set[int] = set()
        self.unanswered: Counter[int] = Counter()  # requests of the peer, by their sequence numbers
        self.owed: list[pdu.Pdu] = []
        self.ours: list[pdu.Pdu] = []  # requests that the session has written
        self.ended = False
        self._stream = bytearray()
        self._tokens = 0

    # What goes in

    def receive(self, data: bytes) -> None:
        before = self.session.closed
        happened = self.session.receive(data, self.now)
        if not before:
            self._count(data)
        self.take(happened)

    def _count(self, data: bytes) -> None:
        """A second opinion on what the stream holds."""
        self._stream += data
        while len(self._stream) >= 16:
            length, command, _, number = _HEADER.unpack_from(self._stream)
            if not 16 <= length <= MAX_PDU_LENGTH or len(self._stream) < length:
                return
            del self._stream[:length]
            if not command & RESPONSE:
                self.unanswered[number] += 1

    def token(self) -> int:
        self._tokens += 1
        return self._tokens

    # What comes out

    def take(self, happened: list[events.Event]) -> None:
        for event in happened:
            must(not self.ended, "nothing happens after the end")
            match event:
                case events.Answered(token=token):
                    self._settle(token)
                case events.TimedOut(token=token):
                    self._settle(token)
                    self.timed_out.add(token)
                case events.Late(token=token):
                    must(token in self.timed_out, "late is only what timed out, and once")
                    self.timed_out.discard(token)
                case events.Closed(tokens=tokens):
                    for token in tokens:
                        self._settle(token)
                    must(not self.alive, "the end leaves no token behind")
                    self.ended = True
                case events.Request(pdu=asked):
                    self.owed.append(asked)
                case events.Notice(pdu=noted):
                    self.unanswered[noted.sequence_number] -= 1  # it has no response
                case _:
                    pass
        self.check()

    def _settle(self, token: int) -> None:
        if token:  # 0 is a bind's, which has none
            must(token in self.alive, f"token {token} comes out once")
            self.alive.discard(token)

    def written(self) -> None:
        for frame in codec.FrameReader().feed(self.session.data_to_send()):
            sent = codec.decode(frame)  # what we write can be read
            if sent.is_response:
                self.unanswered[sent.sequence_number] -= 1
            else:
                self.ours.append(sent)

    def check(self) -> None:
        session = self.session
        self.written()
        must(session.outstanding <= session._window.size, "the window is never overrun")
        must(session.outstanding == len(self.alive), "what is outstanding is what was sent")
        must(session.owed == len(self.owed) or session.closed, "what is owed is what was asked")
        must(session.closed == self.ended, "the end is told")
        must(session._reader.buffered < MAX_PDU_LENGTH, "no more is held than one PDU")
        if not session.closed:
            owed = Counter(asked.sequence_number for asked in self.owed)
            must(self.unanswered == owed, "each request has one answer, by its number, or is owed it")


def run(data: bytes) -> None:
    program = Program(data)
    account = _begin(program.octet(), 1 + program.octet() % 10)
    while program:
        _step(account, program.octet() % len(_WEIGHTS), program)
        account.check()
    account.take(account.session.lost())
    must(not account.alive, "each token has come out")
    must(account.session.closed, "what is lost is closed")


def _begin(beginning: int, window: int) -> Account:
    role = Role.SMSC if beginning & 1 else Role.ESME
    session = Session(role, window=window, timers=TIMERS, now=0)
    account = Account(session)
    stage = beginning // 2 % BEGINNINGS
    if stage == 0:
        return account
    bind = BINDS[stage - 2 if 2 <= stage <= 4 else 2]
    if role is Role.ESME:
        number = session.request(bind(), 0, 0)
        account.written()
        if stage > 1:
            account.receive(codec.encode(_response(bind)(number)))
    else:
        account.receive(codec.encode(bind(1)))
        if stage > 1:
            account.owed.clear()
            session.respond(_response(bind)(1))
    if stage == 5:
        account.receive(codec.encode(pdu.Unbind(2)))
    if stage == 6:
        _ask(account, pdu.DataSm())
        session.unbind(0)
    account.check()
    must(stage < 2 or session.state is not State.OPEN, "a bind binds")
    return account


def _step(account: Account, op: int, program: Program) -> None:
    session = account.session
    if op == RECEIVE:
        account.receive(program.piece())
        return
    argument = program.octet()
    if op == TICK:
        account.now += argument / 4
        account.take(session.tick(account.now))
    elif op == REQUEST:
        _ask(account, REQUESTS[argument % len(REQUESTS)]())
    elif op == SUBMIT:
        _submit(account, "1" * (argument % 23))
    elif op in (ANSWER, REFUSE) and account.owed:
        _answer(account, account.owed.pop(argument % len(account.owed)), argument, cheap=op == ANSWER)
    elif op == UNBIND:
        _allowed(session.unbind, account.now)
    elif op == WRITE:
        account.written()
    elif op in (RESPOND, AGAIN) and account.ours:
        place = argument % len(account.ours)
        asked = account.ours[place] if op == AGAIN else account.ours.pop(place)
        response = pdu.response_to(asked.command_id)
        if response is not None:
            status = 0 if argument < 200 else argument
            answer = (pdu.GenericNack if argument == 255 else response)(asked.sequence_number, status)
            account.receive(codec.encode(answer))
    elif op == LOST and argument < 64:
        account.take(session.lost())


def _allowed(call: Any, *arguments: Any) -> bool:
    """Whether the session did it; it may only refuse in the ways it says."""
    try:
        call(*arguments)
    except (StateError, WindowFull, EncodeError):
        return False
    return True


def _ask(account: Account, asked: pdu.Pdu) -> None:
    binds = type(asked) in BINDS or pdu.response_to(asked.command_id) is None
    token = 0 if binds else account.token()
    if _allowed(account.session.request, asked, account.now, token) and token:
        account.alive.add(token)


def _submit(account: Account, number: str) -> None:
    token = account.token()
    if _allowed(account.session.submit, TEMPLATE, number, b"hi", account.now, token):
        account.alive.add(token)


def _answer(account: Account, asked: pdu.Pdu, argument: int, *, cheap: bool) -> None:
    status = 0 if cheap else argument
    if cheap and argument & 1:
        done = _allowed(account.session.answer, asked.sequence_number, asked.command_id, status, "")
    else:
        response = pdu.response_to(asked.command_id)
        must(response is not None, "the owner is asked only what has a response")
        assert response is not None
        done = _allowed(account.session.respond, response(asked.sequence_number, status))
    must(done or account.session.closed, "an open session takes each answer")


def _response(cls: type[pdu.Pdu]) -> type[pdu.Pdu]:
    found = pdu.response_to(cls.command_id)
    assert found is not None
    return found


_SMALL: Final = tuple(frame for frame in corpus.FRAMES if len(frame) < 600)
TARGET: Final = Target("session", "both roles in every state, any stream, any call of the owner", make, run)
