"""One session for a long time: thousands of PDUs of every kind, most of them bent, and nothing piles up."""

import gc
import struct
import sys
from contextlib import suppress
from random import Random

import pytest

from gateway.smpp import events, pdu
from gateway.smpp.errors import StateError, WindowFull
from gateway.smpp.events import State
from gateway.smpp.session import Role
from gateway.smpp.timers import Timers
from tests.fuzz import corpus, mutate
from tests.smpp.test_session import make

WINDOW = 8
TURNS = 6000
# The peer answers nothing on purpose, and nothing of that is to end the session.
TIMERS = Timers(enquire_link=None, answer_timeout=None, response_timeout=5)
UNBIND = int(pdu.Unbind.command_id)
SMALL = [frame for frame in corpus.FRAMES if len(frame) < 400]


def bent(random: Random) -> bytes:
    """A frame whose length holds and which does not unbind: the session is to live."""
    frame = mutate.frame(random, SMALL, (*range(1, 40), *mutate.NUMBERS))
    command = struct.unpack_from(">I", frame, 4)[0]
    return struct.pack(">II", len(frame), 5 if command == UNBIND else command) + frame[8:]


@pytest.mark.parametrize("role", Role)
def test_nothing_piles_up_in_a_session_that_lives_long(role: Role) -> None:
    random = Random(20261122)
    session = make(role, State.BOUND_TRX, window=WINDOW, timers=TIMERS)
    ask = pdu.SubmitSm if role is Role.ESME else pdu.DeliverSm
    settled = sent = late = 0
    blocks: list[int] = []
    for turn in range(TURNS):
        if turn in (TURNS // 3, TURNS - 1):
            gc.collect()
            blocks.append(sys.getallocatedblocks())
        with suppress(WindowFull, StateError):
            session.request(ask(), turn, turn)
            sent += 1
        for event in (*session.receive(bent(random), turn), *session.tick(turn)):
            assert not isinstance(event, events.Closed), event
            settled += isinstance(event, events.Answered | events.TimedOut)
            late += isinstance(event, events.Late)
            if isinstance(event, events.Request):
                session.answer(event.pdu.sequence_number, int(event.pdu.command_id))
        session.data_to_send()
        assert session.outstanding <= WINDOW
    assert session.bound
    assert (settled, session.owed) == (sent - session.outstanding, 0)
    assert late > 0
    assert session.malformed > 500
    assert len(session._window._late) <= session._window.MEMORY_LEAST
    assert len(session._control) == session._reader.buffered == 0
    assert blocks[1] - blocks[0] < 500, blocks
