"""What a fault does to a connection: the answer that does not come as it should, and the link that fails."""

from typing import TYPE_CHECKING, Final

from gateway.simulator.behaviour import CONNECTION_FAULTS, Do, Fault
from gateway.simulator.record import Arrival
from gateway.smpp import codec
from gateway.smpp.constants import HEADER_LENGTH
from gateway.smpp.pdu import GenericNack, SubmitSmResp, response_to

if TYPE_CHECKING:
    from gateway.simulator.bind import Bind

Answer = tuple[Arrival, int, int, int]  #: the message, sequence_number, command_status, command_id

_STRANGE: Final = 0x40000000  # far from any sequence number in use
_TOO_LONG: Final = 0x7FFFFFFF
_MISSING: Final = 3  #: octets by which an answer says to be shorter than it is


def happen(  # noqa: PLR0912 - one line for each thing that can happen
    fault: Fault, bind: "Bind", answer: Answer, now: float
) -> None:
    """Do to the answer, or to the connection, what the fault says."""
    arrival, sequence_number, command_status, command_id = answer
    match fault.do:
        case Do.DROP_BEFORE_ANSWER:
            bind.close()
        case Do.DROP_AFTER_ANSWER:
            bind.answer(*answer)
            bind.close()
        case Do.RESET:
            bind.reset()
        case Do.ANSWER_LATE | Do.RECEIPT_FIRST:
            bind.later(now, fault.lasts, bind.answer, *answer)
        case Do.ANSWER_TWICE:
            bind.answer(*answer)
            bind.answer(*answer)
        case Do.ANSWER_OUT_OF_ORDER:
            bind.hold(answer, now, fault.lasts)
        case Do.ANSWER_WITHOUT_ID:
            bind.answer(*answer, without_id=True)
        case Do.UNKNOWN_SEQUENCE:
            bind.session.answer(sequence_number ^ _STRANGE, command_id, command_status, arrival.message_id)
            bind.stir()
        case Do.REFUSE:
            bind.answer(*answer)
        case Do.NACK:
            bind.refuse(GenericNack(sequence_number, command_status), arrival)
        case Do.UNBIND | Do.UNBIND_SILENT:
            bind.unbind_now(answer if fault.do is Do.UNBIND else None, now, fault.lasts)
        case Do.HALF_OPEN:
            bind.answer(*answer)
            befall(fault, bind, now)
        case Do.DEAF | Do.SLOW_READER:
            if fault.do is Do.SLOW_READER:
                bind.answer(*answer)
            befall(fault, bind, now)
        case Do.NEVER_ANSWER:
            pass
        case _:
            _spoil(fault, bind, answer)


def befall(fault: Fault, bind: "Bind", now: float) -> None:
    """What can happen to a connection without a message."""
    span = None if fault.for_ever else fault.lasts
    match fault.do:
        case Do.DROP_BEFORE_ANSWER | Do.DROP_AFTER_ANSWER:
            bind.close()
        case Do.RESET:
            bind.reset()
        case Do.HALF_OPEN:
            bind.fall_silent(now, span)
        case Do.DEAF:
            bind.go_deaf(now, span)
        case Do.SLOW_READER:
            bind.read_nothing(now, span)
        case Do.UNBIND | Do.UNBIND_SILENT:
            bind.unbind_now(None, now, fault.lasts)
        case Do.GARBAGE:
            bind.session.raw(bind.dice.randbytes(bind.dice.randint(16, 64)))
            bind.stir()
        case _:
            raise ValueError(misplaced(fault.do))


def misplaced(do: Do) -> str:
    """Why this can't befall a connection, and what can."""
    there_are = ", ".join(CONNECTION_FAULTS)
    return f"{do} happens to messages or binds, not to a connection; there are {there_are}"


def _spoil(fault: Fault, bind: "Bind", answer: Answer) -> None:
    """An answer that can't be read; it counts as none."""
    arrival, sequence_number, command_status, command_id = answer
    dice = bind.dice
    response = (response_to(command_id) or SubmitSmResp)(sequence_number, command_status)
    response.message_id = arrival.message_id  # type: ignore[attr-defined]  # both kinds have the field
    octets = codec.encode(response)
    length = len(octets)
    match fault.do:
        case Do.GARBAGE:
            octets = dice.randbytes(dice.randint(16, 64))
        case Do.GARBAGE_BODY:  # no NUL in it: the id does not end
            octets = octets[:HEADER_LENGTH] + bytes(
                dice.randint(1, 255) for _ in range(length - HEADER_LENGTH)
            )
        case Do.BAD_LENGTH:
            octets = (length - _MISSING).to_bytes(4, "big") + octets[4:]
        case Do.LONG_LENGTH:
            octets = _TOO_LONG.to_bytes(4, "big") + octets[4:]
        case _:  # cut-pdu
            octets = octets[: length // 2]
    bind.session.raw(octets)
    bind.stir()
    if fault.do is Do.CUT_PDU:
        bind.close()
