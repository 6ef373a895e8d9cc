"""What a client asks beside submit_sm: several destinations at once, and what became of a message, to be
cancelled or to be replaced. What an SMSC of this kind does not do is refused in words of the protocol."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gateway.simulator.outcomes import state_number, well_formed
from gateway.simulator.record import Arrival
from gateway.smpp import status, times
from gateway.smpp.fields import Destination, DistributionList, UnsuccessSme
from gateway.smpp.pdu import (
    CancelSm,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
)
from gateway.smpp.receipt import FINAL_STATES

if TYPE_CHECKING:
    from gateway.simulator.bind import Bind
    from gateway.simulator.smsc import Smsc

_CANCEL_FAILED = 0x11
_REPLACE_FAILED = 0x13
_QUERY_FAILED = 0x67


def answer(bind: "Bind", pdu: Pdu, now: float) -> None:
    """Answer a request that is neither a bind nor one message."""
    session = bind.session
    match pdu:
        case SubmitMulti():
            _submit_multi(bind, pdu, now)
        case QuerySm():
            session.respond(_query(bind.smsc, pdu, now))
        case CancelSm():
            session.answer(pdu.sequence_number, int(pdu.command_id), _cancel(bind.smsc, pdu, now))
        case ReplaceSm():
            session.respond(ReplaceSmResp(pdu.sequence_number, _replace(bind.smsc, pdu, now)))
        case _:  # broadcasts: what there is not, is not there (SMPP 5.0 §4.7.6)
            session.answer(pdu.sequence_number, int(pdu.command_id), status.ESME_RINVCMDID)
    bind.stir()


def _submit_multi(bind: "Bind", pdu: SubmitMulti, now: float) -> None:
    """Each destination is a message of its own; they have one id (SMPP 3.4 §4.5)."""
    smsc = bind.smsc
    shared: dict[str, Any] = {
        name: getattr(pdu, name) for name in SubmitSm.__struct_fields__ if hasattr(pdu, name)
    }
    failed: list[UnsuccessSme] = []
    taken: list[Arrival] = []
    message_id = None
    for each in pdu.dest_addresses:
        if isinstance(each, DistributionList):
            failed.append(UnsuccessSme(0, 0, each.dl_name, status.ESME_RINVDLNAME))
            continue
        fields = shared | {
            "dest_addr_ton": each.dest_addr_ton,
            "dest_addr_npi": each.dest_addr_npi,
            "destination_addr": each.destination_addr,
        }
        arrival, command_status, _ = smsc.take(bind, SubmitSm(**fields), now, message_id)
        if command_status:
            failed.append(UnsuccessSme(*Destination(*each), command_status))
            smsc.record.answered([(arrival, command_status)], smsc.wall)
        else:
            message_id = arrival.message_id
            taken.append(arrival)
    command_status = status.ESME_ROK
    if not taken:
        command_status = failed[0].error_status_code if failed else status.ESME_RINVNUMDESTS
    response = SubmitMultiResp(pdu.sequence_number, command_status)
    if taken:
        response.message_id, response.unsuccess_smes = taken[0].message_id, tuple(failed)
    bind.session.respond(response)
    smsc.record.answered([(each, command_status) for each in taken], smsc.wall)
    for arrival in taken:
        if arrival.registered_delivery & 3 or smsc.counts_queues:
            smsc.outcomes.plan(arrival, now, smsc.last_id)


def _query(smsc: "Smsc", pdu: QuerySm, now: float) -> QuerySmResp:
    arrival = smsc.look_up(pdu.message_id)
    if arrival is None:
        return QuerySmResp(pdu.sequence_number, status.ESME_RINVMSGID)
    if pdu.source_addr and pdu.source_addr != arrival.source:
        return QuerySmResp(pdu.sequence_number, _QUERY_FAILED)
    state = smsc.outcomes.state_of(arrival, now)
    final_date = ""
    if state in FINAL_STATES:
        final_date = times.absolute(datetime.fromtimestamp(arrival.concluded_at or smsc.wall, UTC))
    return QuerySmResp(
        pdu.sequence_number,
        message_id=pdu.message_id,
        final_date=final_date,
        message_state=state_number(state),
    )


def _cancel(smsc: "Smsc", pdu: CancelSm, now: float) -> int:
    """Delete what has not been delivered: the message of this id, or, without one, all between two numbers
    (SMPP 3.4 §4.9)."""
    if pdu.message_id:
        arrival = smsc.look_up(pdu.message_id)
        if arrival is None:
            return status.ESME_RINVMSGID
        found = [arrival] if arrival.source == pdu.source_addr else []
    else:
        found = [
            each
            for each in smsc.waiting_messages(pdu.source_addr, pdu.destination_addr)
            if not pdu.service_type or each.service_type == pdu.service_type
        ]
    pending = [each for each in found if smsc.outcomes.state_of(each, now) not in FINAL_STATES]
    for each in pending:
        smsc.record.cancelled(each, smsc.wall)
        smsc.outcomes.cancel(each)
    return status.ESME_ROK if pending else _CANCEL_FAILED


def _replace(smsc: "Smsc", pdu: ReplaceSm, now: float) -> int:
    """Put another text in place of one that has not been delivered (SMPP 3.4 §4.10)."""
    arrival = smsc.look_up(pdu.message_id)
    if arrival is None:
        return status.ESME_RINVMSGID
    if pdu.schedule_delivery_time and not well_formed(pdu.schedule_delivery_time):
        return status.ESME_RINVSCHED
    if pdu.validity_period and not well_formed(pdu.validity_period):
        return status.ESME_RINVEXPIRY
    if arrival.source != pdu.source_addr or smsc.outcomes.state_of(arrival, now) in FINAL_STATES:
        return _REPLACE_FAILED
    arrival.octets = pdu.short_message
    arrival.validity_period = pdu.validity_period or arrival.validity_period
    arrival.schedule_delivery_time = pdu.schedule_delivery_time or arrival.schedule_delivery_time
    arrival.registered_delivery = pdu.registered_delivery
    smsc.record.replaced(arrival, smsc.wall)
    return status.ESME_ROK
