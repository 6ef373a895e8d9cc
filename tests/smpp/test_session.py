"""The session machine: every state with every PDU, both roles, and each timer, without socket or clock."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp import codec, events, pdu
from gateway.smpp import status as s
from gateway.smpp.constants import MAX_SEQUENCE_NUMBER, RESPONSE, CommandId
from gateway.smpp.errors import EncodeError, StateError, WindowFull
from gateway.smpp.events import CloseReason, State
from gateway.smpp.session import ALLOWED, Role, Session
from gateway.smpp.timers import Timers
from tests.smpp.making import ANY_PDU

TIMERS = Timers(
    bind_timeout=10,
    enquire_link=30,
    inactivity=None,
    response_timeout=20,
    answer_timeout=60,
    drain_timeout=15,
)
BINDS: dict[State, type[pdu.Pdu]] = {
    State.BOUND_TX: pdu.BindTransmitter,
    State.BOUND_RX: pdu.BindReceiver,
    State.BOUND_TRX: pdu.BindTransceiver,
}
BIND_COMMANDS = {int(cls.command_id) for cls in BINDS.values()}


def response(cls: type[pdu.Pdu]) -> type[pdu.Pdu]:
    found = pdu.response_to(cls.command_id)
    assert found is not None
    return found


def sent(session: Session) -> list[pdu.Pdu]:
    """The PDUs that the session has written."""
    return [codec.decode(frame) for frame in codec.FrameReader().feed(session.data_to_send())]


def make(role: Role, state: State, *, window: int = 10, timers: Timers = TIMERS) -> Session:
    """A session of that role that got into that state in the regular way, at time 0."""
    session = Session(role, window=window, timers=timers, now=0)
    if state is State.OPEN:
        return session
    if state is State.CLOSED:
        session.lost()
        return session
    bind = BINDS[State.BOUND_TRX if state is State.UNBOUND else state]
    if role is Role.ESME:
        number = session.request(bind(), 0)
        session.receive(codec.encode(response(bind)(number)), 0)
    else:
        session.receive(codec.encode(bind(1)), 0)
        session.respond(response(bind)(1))
    if state is State.UNBOUND:
        session.receive(codec.encode(pdu.Unbind(2)), 0)
    session.data_to_send()
    assert session.state is state
    return session


def bound(**options: Any) -> Session:
    return make(Role.ESME, State.BOUND_TRX, **options)


def submit(session: Session, token: object, now: float = 0) -> int:
    return session.request(pdu.SubmitSm(destination_addr="8613905310001"), now, token)


def answer(number: int, message_id: str = "id", status: int = 0) -> bytes:
    return codec.encode(pdu.SubmitSmResp(number, status, message_id=message_id))


# Every state, every PDU

REQUESTS = [cls for cls in pdu.PDUS if not cls.command_id & RESPONSE]
RESPONSES = [cls for cls in pdu.PDUS if cls.command_id & RESPONSE]
CASES = [(role, state, cls) for role in Role for state in State for cls in REQUESTS]

# SMPP 3.4 §2.3 table 2-1 and SMPP 5.0 §2.4, written out once more and by hand, so that the table in the
# code is held against something: which states take which request from the peer.
TX, RX, TRX = State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX
TAKEN: dict[tuple[Role, str], set[State]] = {
    (Role.SMSC, "BindTransmitter"): {State.OPEN},
    (Role.SMSC, "BindReceiver"): {State.OPEN},
    (Role.SMSC, "BindTransceiver"): {State.OPEN},
    (Role.SMSC, "SubmitSm"): {TX, TRX},
    (Role.SMSC, "SubmitMulti"): {TX, TRX},
    (Role.SMSC, "DataSm"): {TX, TRX},
    (Role.SMSC, "QuerySm"): {TX, TRX},
    (Role.SMSC, "CancelSm"): {TX, TRX},
    (Role.SMSC, "ReplaceSm"): {TX, TRX},
    (Role.SMSC, "BroadcastSm"): {TX, TRX},
    (Role.SMSC, "QueryBroadcastSm"): {TX, TRX},
    (Role.SMSC, "CancelBroadcastSm"): {TX, TRX},
    (Role.SMSC, "Unbind"): {TX, RX, TRX},
    (Role.ESME, "Outbind"): {State.OPEN},
    (Role.ESME, "DeliverSm"): {RX, TRX},
    (Role.ESME, "DataSm"): {RX, TRX},
    (Role.ESME, "AlertNotification"): {RX, TRX},
    (Role.ESME, "Unbind"): {TX, RX, TRX},
}


@pytest.mark.parametrize(
    ("role", "state", "cls"), CASES, ids=[f"{role} {state} {cls.__name__}" for role, state, cls in CASES]
)
def test_each_request_in_each_state_is_taken_or_refused(role: Role, state: State, cls: type[pdu.Pdu]) -> None:
    session = make(role, state)
    happened = session.receive(codec.encode(cls(77)), 1)
    written = sent(session)
    if state is State.CLOSED:
        assert (happened, written) == ([], [])
    elif cls is pdu.EnquireLink:
        assert (happened, written) == ([], [pdu.EnquireLinkResp(77)])
    elif state not in TAKEN.get((role, cls.__name__), set()):
        again = role is Role.SMSC and cls.command_id in BIND_COMMANDS and state in BINDS
        status = s.ESME_RALYBND if again else s.ESME_RINVBNDSTS
        refusal = pdu.response_to(cls.command_id) or pdu.GenericNack
        assert (happened, written) == ([], [refusal(77, status)])
        assert session.state is state
    elif cls is pdu.Unbind:
        assert (happened, written) == ([events.PeerUnbound()], [pdu.UnbindResp(77)])
        assert session.state is State.UNBOUND
    elif pdu.response_to(cls.command_id) is None:
        assert (happened, written) == ([events.Notice(cls(77))], [])
    else:
        assert (happened, written) == ([events.Request(cls(77))], [])
        assert session.owed == 1


@pytest.mark.parametrize("cls", RESPONSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
@pytest.mark.parametrize("role", Role)
def test_a_response_to_nothing_is_counted_and_dropped(role: Role, state: State, cls: type[pdu.Pdu]) -> None:
    session = make(role, state)
    assert session.receive(codec.encode(cls(77)), 1) == [events.Orphan(77, cls(77))]
    assert (session.orphans, session.data_to_send(), session.state) == (1, b"", state)


@pytest.mark.parametrize(
    ("role", "state", "cls"), CASES, ids=[f"{role} {state} {cls.__name__}" for role, state, cls in CASES]
)
def test_each_request_of_ours_goes_out_where_the_state_allows_it(
    role: Role, state: State, cls: type[pdu.Pdu]
) -> None:
    session = make(role, state)
    peer = Role.SMSC if role is Role.ESME else Role.ESME
    taken = TAKEN.get((peer, cls.__name__), set())
    if cls is pdu.Unbind or state not in taken:  # unbind has its own method
        with pytest.raises(StateError):
            session.request(cls(), 1)
        assert session.data_to_send() == b""
    else:
        number = session.request(cls(), 1, "token")
        assert sent(session) == [cls(number)]


def test_the_table_knows_every_role_and_state() -> None:
    assert set(ALLOWED) == {(role, state) for role in Role for state in State}


# Binding


@pytest.mark.parametrize(("state", "cls"), BINDS.items(), ids=str)
def test_a_bind_binds_both_sides(state: State, cls: type[pdu.Pdu]) -> None:
    esme = Session(Role.ESME, window=5, timers=TIMERS, now=0)
    smsc = Session(Role.SMSC, window=5, timers=TIMERS, now=0)
    esme.request(cls(system_id="huiyin"), 0)  # type: ignore[call-arg]
    [asked] = smsc.receive(esme.data_to_send(), 0)
    assert isinstance(asked, events.Request)
    smsc.respond(response(cls)(asked.pdu.sequence_number, tlvs={0x0210: b"\x34"}))
    [happened] = esme.receive(smsc.data_to_send(), 0)
    assert isinstance(happened, events.Bound)
    assert happened.pdu.tlvs == {0x0210: b"\x34"}
    assert (esme.state, smsc.state, happened.state) == (state, state, state)
    assert (esme.room, esme.bound, smsc.bound) == (5, True, True)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(pdu.BindTransceiverResp(1, s.ESME_RINVPASWD), id="by its response"),
        pytest.param(pdu.GenericNack(1, s.ESME_RINVPASWD), id="by generic_nack"),
    ],
)
def test_a_refused_bind_says_why(refusal: pdu.Pdu) -> None:
    session = Session(Role.ESME, window=5, timers=TIMERS, now=0)
    session.request(pdu.BindTransceiver(), 0)
    assert session.receive(codec.encode(refusal), 1) == [events.BindRefused(s.ESME_RINVPASWD, refusal)]
    assert (session.state, session.room) == (State.OPEN, 0)


def test_a_refused_bind_leaves_the_smsc_open_for_another() -> None:
    session = Session(Role.SMSC, window=5, timers=TIMERS, now=0)
    session.receive(codec.encode(pdu.BindTransceiver(1)), 0)
    session.answer(1, CommandId.BIND_TRANSCEIVER, s.ESME_RINVPASWD)
    assert (session.state, sent(session)) == (State.OPEN, [pdu.BindTransceiverResp(1, s.ESME_RINVPASWD)])
    session.receive(codec.encode(pdu.BindTransceiver(2)), 0)
    session.answer(2, CommandId.BIND_TRANSCEIVER)
    assert session.state is State.BOUND_TRX


def test_a_second_bind_while_the_first_is_under_way_is_refused() -> None:
    session = Session(Role.SMSC, window=5, timers=TIMERS, now=0)
    session.receive(codec.encode(pdu.BindTransceiver(1)) + codec.encode(pdu.BindReceiver(2)), 0)
    assert sent(session) == [pdu.BindReceiverResp(2, s.ESME_RALYBND)]


def test_the_wrong_binds_response_binds_nothing() -> None:
    session = Session(Role.ESME, window=5, timers=TIMERS, now=0)
    session.request(pdu.BindTransceiver(), 0)
    session.receive(codec.encode(pdu.BindReceiverResp(1)), 0)
    assert (session.state, session.orphans) == (State.OPEN, 1)


def test_nothing_is_sent_while_the_bind_is_under_way() -> None:
    session = Session(Role.ESME, window=5, timers=TIMERS, now=0)
    session.request(pdu.BindTransceiver(), 0)
    with pytest.raises(StateError):
        session.request(pdu.BindTransceiver(), 0)
    with pytest.raises(StateError):
        submit(session, "too early")


@pytest.mark.parametrize(("role", "binds"), [(Role.ESME, True), (Role.ESME, False), (Role.SMSC, False)])
def test_a_bind_that_does_not_come_in_time_closes(role: Role, binds: bool) -> None:
    session = Session(role, window=5, timers=TIMERS, now=0)
    if binds:
        session.request(pdu.BindTransceiver(), 0)
    assert session.tick(9.9) == []
    assert session.tick(10) == [events.Closed(CloseReason.BIND_TIMEOUT, ())]


def test_a_bind_that_our_side_has_yet_to_answer_is_not_late() -> None:
    session = Session(Role.SMSC, window=5, timers=TIMERS, now=0)
    session.receive(codec.encode(pdu.BindTransceiver(1)), 1)
    assert session.tick(100) == []


# The window


def test_answers_come_back_with_their_tokens_and_times_in_any_order() -> None:
    session = bound()
    first, second = submit(session, "first", 1), submit(session, "second", 2)
    assert session.receive(answer(second, "b") + answer(first, "a"), 5) == [
        events.Answered("second", pdu.SubmitSmResp(second, message_id="b"), 3),
        events.Answered("first", pdu.SubmitSmResp(first, message_id="a"), 4),
    ]
    assert (session.outstanding, session.room) == (0, 10)


def test_the_window_is_never_overrun() -> None:
    session = bound(window=3)
    numbers = [submit(session, token) for token in range(3)]
    assert (session.room, session.outstanding) == (0, 3)
    written = session.data_to_send()
    with pytest.raises(WindowFull):
        submit(session, "one too many")
    with pytest.raises(WindowFull):
        session.submit(codec.SubmitTemplate(), "1", b"", 0)
    assert (session.data_to_send(), session.outstanding, len(written) > 0) == (b"", 3, True)
    session.receive(answer(numbers[1]), 1)
    assert submit(session, "again") not in numbers


def test_a_request_that_cannot_be_encoded_takes_no_place() -> None:
    session = bound()
    with pytest.raises(EncodeError):
        session.request(pdu.SubmitSm(destination_addr="1" * 30), 0)
    with pytest.raises(EncodeError):
        session.submit(codec.SubmitTemplate(), "1" * 30, b"", 0)
    assert (session.outstanding, session.data_to_send()) == (0, b"")


def test_the_hot_path_writes_the_same_octets() -> None:
    slow, quick = bound(), bound()
    message = pdu.SubmitSm(
        source_addr="10086",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="1",
        data_coding=8,
        short_message=b"hi",
    )
    number = slow.request(message, 0, "token")
    assert (
        quick.submit(codec.SubmitTemplate(source_addr="10086"), "1", b"hi", 0, "token", data_coding=8)
        == number
    )
    assert quick.data_to_send() == slow.data_to_send()
    assert quick.receive(answer(number), 1) == slow.receive(answer(number), 1)


def test_sequence_numbers_go_round_and_leave_out_what_is_in_flight() -> None:
    session = bound()
    held = submit(session, "held")
    session._window._last = MAX_SEQUENCE_NUMBER - 1
    numbers = [submit(session, token) for token in range(3)]
    assert numbers[0] == MAX_SEQUENCE_NUMBER
    assert numbers[1:] == [n for n in range(1, 4) if n != held][:2]


def test_a_generic_nack_answers_the_request_it_names() -> None:
    session = bound()
    number = submit(session, "token")
    nack = pdu.GenericNack(number, s.ESME_RINVCMDID)
    assert session.receive(codec.encode(nack), 1) == [events.Answered("token", nack, 1)]


def test_a_response_of_another_kind_answers_nothing() -> None:
    session = bound()
    number = submit(session, "token")
    session.receive(codec.encode(pdu.QuerySmResp(number)), 1)
    assert (session.outstanding, session.orphans) == (1, 1)


def test_a_response_that_comes_twice_counts_once() -> None:
    session = bound()
    number = submit(session, "token")
    happened = session.receive(answer(number) + answer(number), 1)
    assert [type(each) for each in happened] == [events.Answered, events.Orphan]


def test_everything_queued_is_handed_out_once_and_together() -> None:
    session = bound()
    for token in range(3):
        submit(session, token)
    assert len(sent(session)) == 3
    assert session.data_to_send() == b""


# Time-outs and late answers


def test_a_request_without_a_response_times_out_and_its_late_answer_is_known() -> None:
    session = bound()
    number, later = submit(session, "token", 0), submit(session, "later", 5)
    assert session.tick(19.9) == []
    assert session.tick(20) == [events.TimedOut("token", CommandId.SUBMIT_SM, 20)]
    assert session.outstanding == 1
    assert session.receive(answer(number, "late"), 24) == [
        events.Late("token", pdu.SubmitSmResp(number, message_id="late"), 24)
    ]
    assert session.receive(answer(number, "late"), 24) == [
        events.Orphan(number, pdu.SubmitSmResp(number, message_id="late"))
    ]
    assert session.tick(25) == [events.TimedOut("later", CommandId.SUBMIT_SM, 20)]
    assert session.receive(answer(later), 26) != []


def test_the_memory_of_what_timed_out_is_bounded() -> None:
    session = bound(window=2000, timers=Timers(response_timeout=1, answer_timeout=None, enquire_link=None))
    first = 0
    for round_ in range(10):
        numbers = [submit(session, token, 10 * round_) for token in range(2000)]
        first = first or numbers[0]
        assert len(session.tick(10 * round_ + 5)) == 2000
        session.data_to_send()
    assert len(session._window._late) == 8000
    assert isinstance(session.receive(answer(first), 100)[0], events.Orphan)
    assert isinstance(session.receive(answer(numbers[-1]), 100)[0], events.Late)


def test_a_number_that_timed_out_is_not_given_again() -> None:
    session = bound()
    number = submit(session, "token", 0)
    session.tick(20)
    session._window._last = number - 1
    assert submit(session, "next", 21) != number


# Liveness


def test_silence_is_asked_and_an_answer_keeps_the_link() -> None:
    session = bound()
    session.tick(29)
    assert session.data_to_send() == b""
    assert session.tick(30) == []
    [enquiry] = sent(session)
    assert isinstance(enquiry, pdu.EnquireLink)
    session.tick(31)
    assert session.data_to_send() == b""
    assert session.receive(codec.encode(pdu.EnquireLinkResp(enquiry.sequence_number)), 32) == []
    assert session.tick(61) == []
    session.tick(62)
    assert len(sent(session)) == 1


def test_an_enquiry_takes_no_place_in_the_window() -> None:
    session = bound(window=1)
    session.tick(30)
    assert (session.room, session.outstanding) == (1, 0)


def test_a_link_that_does_not_answer_enquire_link_is_dead() -> None:
    session = bound()
    submit(session, "token", 29)
    session.tick(30)
    assert session.tick(50) == [
        events.TimedOut("token", CommandId.SUBMIT_SM, 21),
        events.Closed(CloseReason.SILENT, ()),
    ]


def test_a_link_that_answers_enquire_link_and_nothing_else_is_dead() -> None:
    session = bound()
    closed: list[events.Event] = []
    for now in range(0, 120, 5):
        if session.room:
            submit(session, now, now)
        closed += [event for event in session.tick(now) if isinstance(event, events.Closed)]
        for written in sent(session):
            if isinstance(written, pdu.EnquireLink):
                session.receive(codec.encode(pdu.EnquireLinkResp(written.sequence_number)), now)
        session.receive(codec.encode(pdu.EnquireLink(now + 1)), now)
        if session.closed:
            break
    assert closed == [events.Closed(CloseReason.UNANSWERED, (45, 50, 55, 60))]


def test_a_link_that_answers_slowly_lives() -> None:
    session = bound()
    previous = submit(session, 0, 0)
    for now in range(10, 500, 10):
        number = submit(session, now, now)
        assert session.tick(now) == []
        session.receive(answer(previous), now)
        previous = number
    assert session.bound


def test_an_idle_session_unbinds_when_told_to() -> None:
    session = bound(timers=Timers(inactivity=60, enquire_link=None))
    session.receive(codec.encode(pdu.EnquireLink(1)), 59)
    session.data_to_send()
    session.tick(59)
    assert session.data_to_send() == b""
    session.tick(60)
    assert [type(each) for each in sent(session)] == [pdu.Unbind]


def test_timers_that_are_off_never_ring() -> None:
    session = bound(timers=Timers(bind_timeout=None, enquire_link=None, answer_timeout=None))
    assert session.tick(1e9) == []
    assert session.data_to_send() == b""


# Unbinding


def test_unbind_waits_for_what_is_in_flight() -> None:
    session = bound()
    number = submit(session, "token")
    session.data_to_send()
    session.unbind(1)
    assert (session.data_to_send(), session.room, session.unbinding) == (b"", 0, True)
    with pytest.raises(StateError):
        submit(session, "too late")
    session.receive(answer(number), 2)
    [unbind] = sent(session)
    assert isinstance(unbind, pdu.Unbind)
    done = session.receive(codec.encode(pdu.UnbindResp(unbind.sequence_number)), 3)
    assert done == [events.Closed(CloseReason.UNBOUND, ())]


def test_unbind_waits_for_what_we_owe() -> None:
    session = bound()
    session.receive(codec.encode(pdu.DeliverSm(5)), 0)
    session.unbind(1)
    assert session.data_to_send() == b""
    session.answer(5, CommandId.DELIVER_SM)
    session.tick(2)
    assert [type(each) for each in sent(session)] == [pdu.DeliverSmResp, pdu.Unbind]


def test_unbind_does_not_wait_for_ever() -> None:
    session = bound()
    submit(session, "token")
    session.unbind(0)
    session.data_to_send()
    session.tick(15)
    [unbind] = sent(session)
    done = session.receive(codec.encode(pdu.UnbindResp(unbind.sequence_number)), 16)
    assert done == [events.Closed(CloseReason.UNBOUND, ("token",))]


def test_an_unbind_without_an_answer_closes_all_the_same() -> None:
    session = bound()
    session.unbind(0)
    assert session.tick(20) == [events.Closed(CloseReason.SILENT, ())]


def test_a_peer_that_unbinds_may_still_answer() -> None:
    session = bound()
    number, lost = submit(session, "answered"), submit(session, "lost")
    session.receive(codec.encode(pdu.Unbind(1)), 1)
    with pytest.raises(StateError):
        submit(session, "too late")
    assert isinstance(session.receive(answer(number), 2)[0], events.Answered)
    assert session.lost() == [events.Closed(CloseReason.LOST, ("lost",))]
    assert lost
    assert session.lost() == []


def test_a_peer_that_unbinds_first_is_not_asked_to_unbind() -> None:
    session = bound()
    number = submit(session, "token")
    session.unbind(1)
    session.receive(codec.encode(pdu.Unbind(9)), 2)
    assert sent(session)[1:] == [pdu.UnbindResp(9)]
    session.receive(answer(number), 3)
    session.tick(19)
    assert sent(session) == []


def test_nothing_is_answered_on_a_closed_session() -> None:
    session = make(Role.ESME, State.CLOSED)
    with pytest.raises(StateError):
        session.answer(1, CommandId.DELIVER_SM)
    with pytest.raises(StateError):
        session.respond(pdu.DeliverSmResp(1))
    with pytest.raises(StateError):
        session.unbind(0)
    assert session.tick(1e9) == []


# Answers of ours


@pytest.mark.parametrize("status", [s.ESME_ROK, s.ESME_RTHROTTLED, s.ESME_RX_T_APPN])
@pytest.mark.parametrize("message_id", ["", "0123456789"])
@pytest.mark.parametrize(
    "cls", [pdu.SubmitSm, pdu.DeliverSm, pdu.DataSm, pdu.QuerySm, pdu.CancelSm, pdu.SubmitMulti]
)
def test_the_cheap_answer_is_the_response(cls: type[pdu.Pdu], message_id: str, status: int) -> None:
    session = bound()
    answered = pdu.response_to(cls.command_id)
    assert answered is not None
    bare = cls in (pdu.SubmitSm, pdu.SubmitMulti) and status
    with_id = "message_id" in answered.__struct_fields__ and not bare
    session.answer(9, cls.command_id, status, message_id if with_id else "")
    [written] = sent(session)
    assert (type(written), written.sequence_number, written.command_status) == (answered, 9, status)
    assert getattr(written, "message_id", "") == (message_id if with_id else "")


def test_a_message_id_that_cannot_be_written_is_refused_before_it_is_queued() -> None:
    session = make(Role.SMSC, State.BOUND_TRX)
    with pytest.raises(EncodeError):
        session.answer(1, CommandId.SUBMIT_SM, message_id="x" * 65)
    assert session.data_to_send() == b""


# What is malformed


def test_a_malformed_request_is_refused_and_the_session_lives_on() -> None:
    session = bound()
    broken = struct.pack(">IIII", 20, CommandId.DELIVER_SM, 0, 6) + b"CMTX"
    happened = session.receive(broken + codec.encode(pdu.DeliverSm(7)), 1)
    assert [type(each) for each in happened] == [events.Malformed, events.Request]
    assert sent(session) == [pdu.DeliverSmResp(6, s.ESME_RINVSERTYP)]
    assert (session.malformed, session.bound) == (1, True)


TORN = codec.encode(pdu.DeliverSm(6, short_message=b"8", tlvs={0x0427: b"\2", 0x0204: b"\0\1"}))
TORN = struct.pack(">I", len(TORN) - 1) + TORN[4:-1]


def test_a_delivery_with_torn_parameters_is_taken_and_told() -> None:
    session = bound()
    happened = session.receive(TORN, 1)
    assert [type(each) for each in happened] == [events.Malformed, events.Request]
    assert happened[1:] == [events.Request(pdu.DeliverSm(6, short_message=b"8", tlvs={0x0427: b"\2"}))]
    assert (sent(session), session.malformed, session.owed) == ([], 1, 1)
    session.answer(6, CommandId.DELIVER_SM)
    assert sent(session) == [pdu.DeliverSmResp(6)]


def test_a_torn_delivery_is_refused_where_none_may_come() -> None:
    session = make(Role.ESME, State.BOUND_TX)
    assert [type(each) for each in session.receive(TORN, 1)] == [events.Malformed]
    assert sent(session) == [pdu.DeliverSmResp(6, s.ESME_RINVBNDSTS)]


@pytest.mark.parametrize("cls", [pdu.SubmitSm, pdu.DataSm])
def test_what_an_esme_sends_with_torn_parameters_is_refused(cls: type[pdu.Pdu]) -> None:
    session = make(Role.SMSC, State.BOUND_TRX)
    octets = codec.encode(cls(6)) + b"\x04\x27\0\x02\x02"
    [happened] = session.receive(struct.pack(">I", len(octets)) + octets[4:], 1)
    assert isinstance(happened, events.Malformed)
    assert sent(session) == [response(cls)(6, s.ESME_RINVPARLEN)]
    assert session.owed == 0


def test_an_unknown_request_is_nacked_and_an_unknown_response_dropped() -> None:
    session = bound()
    session.receive(struct.pack(">IIII", 16, 0x00010201, 0, 6), 1)
    assert sent(session) == [pdu.GenericNack(6, s.ESME_RINVCMDID)]
    assert session.receive(struct.pack(">IIII", 16, 0x80010201, 0, 6), 1) == [events.Orphan(6, None)]
    assert session.data_to_send() == b""


def test_a_malformed_response_still_settles_its_request() -> None:
    session = bound()
    number = submit(session, "token")
    broken = struct.pack(">IIII", 20, CommandId.SUBMIT_SM_RESP, 0, number) + b"ab\0\4"
    happened = session.receive(broken, 1)
    assert happened[1:] == [events.Answered("token", pdu.SubmitSmResp(number, message_id="ab"), 1)]
    assert session.outstanding == 0


@pytest.mark.parametrize("length", [0, 15, 65537, 0xFFFFFFFF])
def test_lost_framing_is_nacked_and_closes_after_what_came_before(length: int) -> None:
    session = bound()
    number, lost = submit(session, "answered"), submit(session, "lost")
    session.data_to_send()
    happened = session.receive(answer(number) + struct.pack(">IIII", length, 5, 0, 9) + b"rest", 1)
    assert happened[-1] == events.Closed(CloseReason.FRAMING, ("lost",))
    assert isinstance(happened[0], events.Answered)
    assert sent(session) == [pdu.GenericNack(9, s.ESME_RINVCMDLEN)]
    assert session.receive(answer(lost), 2) == []


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(list(Role)),
    st.sampled_from(list(State)),
    st.lists(ANY_PDU | st.binary(max_size=60), max_size=5),
)
def test_whatever_comes_in_nothing_is_raised_and_every_token_is_accounted_for(
    role: Role, state: State, stream: list[pdu.Pdu | bytes]
) -> None:
    session = make(role, state)
    tokens = set()
    if state is State.BOUND_TRX:
        tokens = set(range(3))
        for token in tokens:
            session.request(pdu.DataSm(), 0, token)
    happened: list[events.Event] = []
    for each in stream:
        happened += session.receive(each if isinstance(each, bytes) else codec.encode(each), 1)
    happened += session.tick(2) + session.lost()
    settled = [event.token for event in happened if isinstance(event, events.Answered)]
    closed = [event for event in happened if isinstance(event, events.Closed)]
    assert len(closed) == (state is not State.CLOSED)
    assert sorted([*settled, *(token for event in closed for token in event.tokens)]) == sorted(tokens)


def test_two_sessions_talk_byte_by_byte() -> None:
    esme, smsc = bound(), make(Role.SMSC, State.BOUND_TRX)
    template = codec.SubmitTemplate(source_addr="10086", registered_delivery=1)
    for token in range(10):
        esme.submit(template, "8613905310001", "回音".encode("utf-16-be"), 0, token, data_coding=8)
    for octet in esme.data_to_send():
        for event in smsc.receive(bytes((octet,)), 0):
            assert isinstance(event, events.Request)
            smsc.answer(
                event.pdu.sequence_number, event.pdu.command_id, message_id=f"{event.pdu.sequence_number:08x}"
            )
    answered: list[events.Event] = []
    for octet in smsc.data_to_send():
        answered += esme.receive(bytes((octet,)), 0)
    assert [event.token for event in answered if isinstance(event, events.Answered)] == list(range(10))
