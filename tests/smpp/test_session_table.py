"""Every PDU, whole or malformed, in every state of either role, held against the table of the specification.

The table is written here from SMPP 3.4 §2.3 and SMPP 5.0 §2.4, and not taken from the code.
"""

import struct
from typing import Final, NamedTuple

import pytest

from gateway.smpp import codec, pdu
from gateway.smpp import status as s
from gateway.smpp.constants import RESPONSE, CommandId
from gateway.smpp.events import State
from gateway.smpp.session import Role, Session
from gateway.smpp.timers import Timers
from tests.smpp.test_session import BINDS, make, sent

# Who may send what where: E the ESME, S the SMSC. enquire_link is in every state of SMPP 5.0's.
TABLE: Final = """
                        open  bound_tx  bound_rx  bound_trx  unbound
bind_transmitter        E     -         -         -          -
bind_receiver           E     -         -         -          -
bind_transceiver        E     -         -         -          -
outbind                 S     -         -         -          -
unbind                  -     ES        ES        ES         -
enquire_link            ES    ES        ES        ES         ES
submit_sm               -     E         -         E          -
submit_multi            -     E         -         E          -
data_sm                 -     E         S         ES         -
deliver_sm              -     -         S         S          -
query_sm                -     E         -         E          -
cancel_sm               -     E         -         E          -
replace_sm              -     E         -         E          -
broadcast_sm            -     E         -         E          -
query_broadcast_sm      -     E         -         E          -
cancel_broadcast_sm     -     E         -         E          -
alert_notification      -     -         S         S          -
"""
SIGN: Final = {Role.ESME: "E", Role.SMSC: "S"}
PEER: Final = {Role.ESME: Role.SMSC, Role.SMSC: Role.ESME}


def _senders() -> dict[tuple[int, State], str]:
    head, *rows = TABLE.strip("\n").splitlines()
    states = [State(word) for word in head.split()]
    return {
        (int(CommandId[name.upper()]), state): senders
        for name, *columns in map(str.split, rows)
        for state, senders in zip(states, columns, strict=True)
    }


SENDERS: Final = _senders()
REQUESTS: Final = sorted({command for command, _ in SENDERS})
UNKNOWN: Final = (0x00000000, 0x0000000A, 0x00000101, 0x00010201, 0x7FFFFFFF)
UNANSWERED: Final = {int(CommandId.OUTBIND), int(CommandId.ALERT_NOTIFICATION)}
BIND_COMMANDS: Final = {int(bind.command_id) for bind in BINDS.values()}

# The status that names a PDU's first field, which an empty body lacks.
FIRST: Final = {
    "bind_transmitter": s.ESME_RINVSYSID,
    "bind_receiver": s.ESME_RINVSYSID,
    "bind_transceiver": s.ESME_RINVSYSID,
    "outbind": s.ESME_RINVSYSID,
    "submit_sm": s.ESME_RINVSERTYP,
    "submit_multi": s.ESME_RINVSERTYP,
    "data_sm": s.ESME_RINVSERTYP,
    "deliver_sm": s.ESME_RINVSERTYP,
    "broadcast_sm": s.ESME_RINVSERTYP,
    "cancel_sm": s.ESME_RINVSERTYP,
    "cancel_broadcast_sm": s.ESME_RINVSERTYP,
    "query_sm": s.ESME_RINVMSGID,
    "query_broadcast_sm": s.ESME_RINVMSGID,
    "replace_sm": s.ESME_RINVMSGID,
    "alert_notification": s.ESME_RINVSRCTON,
}


class Outcome(NamedTuple):
    """What follows from one PDU: what is written, what is told, and the state."""

    answers: list[tuple[int, int]]  #: command and status
    told: list[str]
    state: State


def refused(command: int, status: int) -> tuple[int, int]:
    """By the command's response; what has none, or is unknown, by generic_nack."""
    answered = command in REQUESTS and command not in UNANSWERED
    return (command | RESPONSE if answered else RESPONSE, status)


def whole(role: Role, state: State, command: int) -> Outcome:
    """What the specification wants for a sound request of the peer."""
    if SIGN[PEER[role]] not in SENDERS[command, state]:
        again = role is Role.SMSC and state in BINDS and command in BIND_COMMANDS
        return Outcome([refused(command, s.ESME_RALYBND if again else s.ESME_RINVBNDSTS)], [], state)
    if command == CommandId.ENQUIRE_LINK:
        return Outcome([(command | RESPONSE, 0)], [], state)
    if command == CommandId.UNBIND:
        return Outcome([(command | RESPONSE, 0)], ["PeerUnbound"], State.UNBOUND)
    return Outcome([], ["Notice" if command in UNANSWERED else "Request"], state)


def malformed(role: Role, state: State, command: int, status: int) -> Outcome:
    """Refused with the status that names the fault, whatever the state, and the session lives on."""
    return Outcome([refused(command, status)], ["Malformed"], state)


def torn(role: Role, state: State, command: int) -> Outcome:
    """Torn parameters: what an SMSC brings is taken all the same."""
    if role is Role.ESME and command in (CommandId.DELIVER_SM, CommandId.DATA_SM):
        taken = whole(role, state, command)
        return taken._replace(told=["Malformed", *taken.told])
    return malformed(role, state, command, s.ESME_RINVPARLEN)


def outcome(session: Session, octets: bytes) -> Outcome:
    told = [type(event).__name__ for event in session.receive(octets, 1)]
    written = sent(session)
    assert all(each.sequence_number == 77 for each in written)
    return Outcome([(int(each.command_id), each.command_status) for each in written], told, session.state)


def frame(command: int, body: bytes, number: int = 77) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, 0, number) + body


def body_of(command: int) -> bytes:
    return codec.encode(pdu.BY_COMMAND[command]())[16:]


TORN_TAIL: Final = b"\x02\x04\x00\x09\x01"
LIVING: Final = [(role, state) for role in Role for state in State if state is not State.CLOSED]
IN_EACH: Final = pytest.mark.parametrize(("role", "state"), LIVING, ids=[f"{r} {t}" for r, t in LIVING])
EACH_REQUEST: Final = pytest.mark.parametrize(
    "command", REQUESTS, ids=lambda command: CommandId(command).name
)
WITH_FIELDS: Final = [command for command in REQUESTS if CommandId(command).name.lower() in FIRST]
EACH_WITH_FIELDS: Final = pytest.mark.parametrize("command", WITH_FIELDS, ids=lambda c: CommandId(c).name)


@IN_EACH
@EACH_REQUEST
def test_a_sound_request(role: Role, state: State, command: int) -> None:
    assert outcome(make(role, state), frame(command, body_of(command))) == whole(role, state, command)


@IN_EACH
@EACH_WITH_FIELDS
def test_a_request_without_its_body(role: Role, state: State, command: int) -> None:
    status = FIRST[CommandId(command).name.lower()]
    assert outcome(make(role, state), frame(command, b"")) == malformed(role, state, command, status)


@IN_EACH
@EACH_WITH_FIELDS
def test_a_request_whose_first_string_never_ends(role: Role, state: State, command: int) -> None:
    status = FIRST[CommandId(command).name.lower()]
    if command == CommandId.ALERT_NOTIFICATION:  # two octets come before its first string
        status = s.ESME_RINVSRCADR
    assert outcome(make(role, state), frame(command, b"x" * 90)) == malformed(role, state, command, status)


@IN_EACH
@EACH_REQUEST
def test_a_request_with_torn_parameters(role: Role, state: State, command: int) -> None:
    body = body_of(command)
    # What has no fields is read whatever follows its header.
    expected = torn(role, state, command) if body else whole(role, state, command)
    assert outcome(make(role, state), frame(command, body + TORN_TAIL)) == expected


@IN_EACH
@pytest.mark.parametrize("body", [b"", b"\0\xff" * 20], ids=["no body", "a body"])
@pytest.mark.parametrize("command", UNKNOWN, ids=hex)
def test_a_request_that_nobody_knows(role: Role, state: State, command: int, body: bytes) -> None:
    assert outcome(make(role, state), frame(command, body)) == malformed(
        role, state, command, s.ESME_RINVCMDID
    )


@IN_EACH
@pytest.mark.parametrize("body", [b"", b"x" * 90, TORN_TAIL], ids=["no body", "a body", "torn parameters"])
@pytest.mark.parametrize("command", [*REQUESTS, *UNKNOWN], ids=hex)
def test_a_response_to_nothing_is_never_answered(role: Role, state: State, command: int, body: bytes) -> None:
    happened = outcome(make(role, state), frame(command | RESPONSE, body))
    assert (happened.answers, happened.state) == ([], state)
    assert [told for told in happened.told if told != "Malformed"] == ["Orphan"]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("command", [*REQUESTS, *UNKNOWN], ids=hex)
def test_after_the_end_nothing_is_taken(role: Role, command: int) -> None:
    for each in (command, command | RESPONSE):
        assert outcome(make(role, State.CLOSED), frame(each, b"\0" * 60)) == Outcome([], [], State.CLOSED)


# Requests of ours, and what may come back

TIMERS: Final = Timers(enquire_link=None, answer_timeout=None, response_timeout=20)
OURS: Final = [
    (role, state, command)
    for (command, state), senders in SENDERS.items()
    for role in Role
    if SIGN[role] in senders
    and state in BINDS
    and command not in UNANSWERED
    and command not in (CommandId.UNBIND, CommandId.ENQUIRE_LINK)
]
EACH_OF_OURS: Final = pytest.mark.parametrize(
    ("role", "state", "command"), OURS, ids=[f"{r} {t} {CommandId(c).name}" for r, t, c in OURS]
)
RIGHT, NACK, REFUSAL, BARE, TORN_ONE, OTHER, STRANGER = (
    "right",
    "generic_nack",
    "refusal",
    "without a body",
    "torn parameters",
    "of another kind",
    "with another number",
)


def answer(command: int, kind: str, number: int) -> bytes:
    response = command | RESPONSE
    other = CommandId.QUERY_SM_RESP if command != CommandId.QUERY_SM else CommandId.CANCEL_SM_RESP
    body = body_of(response)
    return {
        RIGHT: frame(response, body, number),
        NACK: frame(CommandId.GENERIC_NACK, b"", number),
        REFUSAL: codec.encode(pdu.BY_COMMAND[response](number, s.ESME_RSYSERR)),
        BARE: frame(response, b"", number),
        TORN_ONE: frame(response, body + TORN_TAIL, number),
        OTHER: frame(other, body_of(other), number),
        STRANGER: frame(response, body, number + 1000),
    }[kind]


@EACH_OF_OURS
@pytest.mark.parametrize("kind", [RIGHT, NACK, REFUSAL, BARE, TORN_ONE, OTHER, STRANGER])
@pytest.mark.parametrize("when", ["in time", "late", "after the peer's unbind"])
def test_what_comes_back_settles_its_request_once(
    role: Role, state: State, command: int, kind: str, when: str
) -> None:
    session = make(role, state, timers=TIMERS)
    number = session.request(pdu.BY_COMMAND[command](), 1, "token")
    now = 2.0
    if when == "late":
        assert [type(event).__name__ for event in session.tick(21)] == ["TimedOut"]
        now = 22.0
    elif when == "after the peer's unbind":
        session.receive(frame(CommandId.UNBIND, b""), 1)
    settled = "Late" if when == "late" else "Answered"
    expected = ["Orphan"] if kind in (OTHER, STRANGER) else [settled]
    if kind == TORN_ONE and body_of(command | RESPONSE):
        expected = ["Malformed", *expected]
    happened = session.receive(answer(command, kind, number), now)
    assert [type(event).__name__ for event in happened] == expected
    outstanding = kind in (OTHER, STRANGER) and when != "late"
    assert session.outstanding == outstanding
    again = session.receive(answer(command, RIGHT, number), now)
    first = ["Orphan"] if kind not in (OTHER, STRANGER) else [settled]
    assert [type(event).__name__ for event in again] == first
    [closed] = session.lost()
    assert closed.tokens == ()  # type: ignore[union-attr]
