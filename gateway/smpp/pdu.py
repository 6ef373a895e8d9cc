"""Every PDU of SMPP 3.4 and 5.0 as a value. A field's annotation says how it travels, in the order of the
wire, so that this file is the one table which the codec walks in both directions."""

from functools import cache
from typing import Annotated, Any, ClassVar, Final, TypeAlias, get_args, get_type_hints

import msgspec

from gateway.smpp import status as st
from gateway.smpp.constants import RESPONSE, VERSION_34, CommandId
from gateway.smpp.fields import (
    CString,
    Destination,
    Destinations,
    DistributionList,
    Failures,
    Octet,
    ShortMessage,
    UnsuccessSme,
    Wire,
)

ServiceType: TypeAlias = Annotated[str, CString(6, st.ESME_RINVSERTYP)]
SourceTon: TypeAlias = Annotated[int, Octet(st.ESME_RINVSRCTON)]
SourceNpi: TypeAlias = Annotated[int, Octet(st.ESME_RINVSRCNPI)]
SourceAddress: TypeAlias = Annotated[str, CString(21, st.ESME_RINVSRCADR)]
LongSourceAddress: TypeAlias = Annotated[str, CString(65, st.ESME_RINVSRCADR)]
DestTon: TypeAlias = Annotated[int, Octet(st.ESME_RINVDSTTON)]
DestNpi: TypeAlias = Annotated[int, Octet(st.ESME_RINVDSTNPI)]
DestAddress: TypeAlias = Annotated[str, CString(21, st.ESME_RINVDSTADR)]
LongDestAddress: TypeAlias = Annotated[str, CString(65, st.ESME_RINVDSTADR)]
EsmClass: TypeAlias = Annotated[int, Octet(st.ESME_RINVESMCLASS)]
ProtocolId: TypeAlias = Annotated[int, Octet(st.ESME_RINVCMDLEN)]
PriorityFlag: TypeAlias = Annotated[int, Octet(st.ESME_RINVPRTFLG)]
Schedule: TypeAlias = Annotated[str, CString(17, st.ESME_RINVSCHED)]
Validity: TypeAlias = Annotated[str, CString(17, st.ESME_RINVEXPIRY)]
RegisteredDelivery: TypeAlias = Annotated[int, Octet(st.ESME_RINVREGDLVFLG)]
ReplaceFlag: TypeAlias = Annotated[int, Octet(st.ESME_RINVREPFLAG)]
Coding: TypeAlias = Annotated[int, Octet(st.ESME_RINVDCS)]
PredefinedId: TypeAlias = Annotated[int, Octet(st.ESME_RINVDFTMSGID)]
Message: TypeAlias = Annotated[bytes, ShortMessage()]
MessageId: TypeAlias = Annotated[str, CString(65, st.ESME_RINVMSGID)]
GivenId: TypeAlias = Annotated[str, CString(65, st.ESME_RINVMSGID, lenient=True)]
SystemId: TypeAlias = Annotated[str, CString(16, st.ESME_RINVSYSID, reads=65)]
GivenSystemId: TypeAlias = Annotated[str, CString(16, st.ESME_RINVSYSID, lenient=True)]
# SMPP 3.4 §5.2.2 says 9 octets. Operators give out longer ones and their SMSCs expect them whole.
Password: TypeAlias = Annotated[str, CString(65, st.ESME_RINVPASWD)]
SystemType: TypeAlias = Annotated[str, CString(13, st.ESME_RINVSYSTYP)]
Plain: TypeAlias = Annotated[int, Octet(st.ESME_RINVCMDLEN)]


class Pdu(msgspec.Struct, gc=False):
    """What all PDUs have. `tlvs` holds the first parameter of each tag, `more_tlvs` those that repeat one."""

    #: Set by each PDU; 0 is no command.
    command_id: ClassVar[int] = 0
    #: A response that says no carries no body (SMPP 3.4 §4.1.2, §4.4.2).
    bare_when_refused: ClassVar[bool] = False
    #: What an SMSC brings: all its mandatory fields being there, torn parameters do not cost the message.
    survives_torn_tlvs: ClassVar[bool] = False

    sequence_number: int = 0
    command_status: int = st.ESME_ROK
    tlvs: dict[int, bytes] = {}
    more_tlvs: tuple[tuple[int, bytes], ...] = ()

    @property
    def is_response(self) -> bool:
        return bool(self.command_id & RESPONSE)


class GenericNack(Pdu):
    command_id = CommandId.GENERIC_NACK


class _Bind(Pdu):
    system_id: SystemId = ""
    password: Password = ""
    system_type: SystemType = ""
    interface_version: Plain = VERSION_34
    addr_ton: Plain = 0
    addr_npi: Plain = 0
    address_range: Annotated[str, CString(41, st.ESME_RBINDFAIL)] = ""


class _BindResp(Pdu):
    bare_when_refused = True

    system_id: GivenSystemId = ""


class BindReceiver(_Bind):
    command_id = CommandId.BIND_RECEIVER


class BindReceiverResp(_BindResp):
    command_id = CommandId.BIND_RECEIVER_RESP


class BindTransmitter(_Bind):
    command_id = CommandId.BIND_TRANSMITTER


class BindTransmitterResp(_BindResp):
    command_id = CommandId.BIND_TRANSMITTER_RESP


class BindTransceiver(_Bind):
    command_id = CommandId.BIND_TRANSCEIVER


class BindTransceiverResp(_BindResp):
    command_id = CommandId.BIND_TRANSCEIVER_RESP


class Outbind(Pdu):
    command_id = CommandId.OUTBIND

    system_id: SystemId = ""
    password: Password = ""


class Unbind(Pdu):
    command_id = CommandId.UNBIND


class UnbindResp(Pdu):
    command_id = CommandId.UNBIND_RESP


class EnquireLink(Pdu):
    command_id = CommandId.ENQUIRE_LINK


class EnquireLinkResp(Pdu):
    command_id = CommandId.ENQUIRE_LINK_RESP


class _ShortMessagePdu(Pdu):
    service_type: ServiceType = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddress = ""
    dest_addr_ton: DestTon = 0
    dest_addr_npi: DestNpi = 0
    destination_addr: DestAddress = ""
    esm_class: EsmClass = 0
    protocol_id: ProtocolId = 0
    priority_flag: PriorityFlag = 0
    schedule_delivery_time: Schedule = ""
    validity_period: Validity = ""
    registered_delivery: RegisteredDelivery = 0
    replace_if_present_flag: ReplaceFlag = 0
    data_coding: Coding = 0
    sm_default_msg_id: PredefinedId = 0
    short_message: Message = b""


class SubmitSm(_ShortMessagePdu):
    command_id = CommandId.SUBMIT_SM


class SubmitSmResp(Pdu):
    command_id = CommandId.SUBMIT_SM_RESP
    bare_when_refused = True

    message_id: GivenId = ""


class DeliverSm(_ShortMessagePdu):
    command_id = CommandId.DELIVER_SM
    survives_torn_tlvs = True


class DeliverSmResp(Pdu):
    command_id = CommandId.DELIVER_SM_RESP

    message_id: GivenId = ""


class SubmitMulti(Pdu):
    command_id = CommandId.SUBMIT_MULTI

    service_type: ServiceType = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddress = ""
    dest_addresses: Annotated[tuple[Destination | DistributionList, ...], Destinations()] = ()
    esm_class: EsmClass = 0
    protocol_id: ProtocolId = 0
    priority_flag: PriorityFlag = 0
    schedule_delivery_time: Schedule = ""
    validity_period: Validity = ""
    registered_delivery: RegisteredDelivery = 0
    replace_if_present_flag: ReplaceFlag = 0
    data_coding: Coding = 0
    sm_default_msg_id: PredefinedId = 0
    short_message: Message = b""


class SubmitMultiResp(Pdu):
    command_id = CommandId.SUBMIT_MULTI_RESP
    bare_when_refused = True

    message_id: GivenId = ""
    unsuccess_smes: Annotated[tuple[UnsuccessSme, ...], Failures()] = ()


class DataSm(Pdu):
    command_id = CommandId.DATA_SM
    survives_torn_tlvs = True

    service_type: ServiceType = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: LongSourceAddress = ""
    dest_addr_ton: DestTon = 0
    dest_addr_npi: DestNpi = 0
    destination_addr: LongDestAddress = ""
    esm_class: EsmClass = 0
    registered_delivery: RegisteredDelivery = 0
    data_coding: Coding = 0


class DataSmResp(Pdu):
    command_id = CommandId.DATA_SM_RESP

    message_id: GivenId = ""


class QuerySm(Pdu):
    command_id = CommandId.QUERY_SM

    message_id: MessageId = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddress = ""


class QuerySmResp(Pdu):
    command_id = CommandId.QUERY_SM_RESP

    message_id: MessageId = ""
    final_date: Annotated[str, CString(17, st.ESME_RINVEXPIRY)] = ""
    message_state: Plain = 0
    error_code: Plain = 0


class CancelSm(Pdu):
    command_id = CommandId.CANCEL_SM

    service_type: ServiceType = ""
    message_id: MessageId = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddress = ""
    dest_addr_ton: DestTon = 0
    dest_addr_npi: DestNpi = 0
    destination_addr: DestAddress = ""


class CancelSmResp(Pdu):
    command_id = CommandId.CANCEL_SM_RESP


class ReplaceSm(Pdu):
    command_id = CommandId.REPLACE_SM

    message_id: MessageId = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddress = ""
    schedule_delivery_time: Schedule = ""
    validity_period: Validity = ""
    registered_delivery: RegisteredDelivery = 0
    sm_default_msg_id: PredefinedId = 0
    short_message: Message = b""


class ReplaceSmResp(Pdu):
    command_id = CommandId.REPLACE_SM_RESP


class AlertNotification(Pdu):
    command_id = CommandId.ALERT_NOTIFICATION

    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: LongSourceAddress = ""
    esme_addr_ton: DestTon = 0
    esme_addr_npi: DestNpi = 0
    esme_addr: LongDestAddress = ""


class BroadcastSm(Pdu):
    command_id = CommandId.BROADCAST_SM

    service_type: ServiceType = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddress = ""
    message_id: MessageId = ""
    priority_flag: PriorityFlag = 0
    schedule_delivery_time: Schedule = ""
    validity_period: Validity = ""
    replace_if_present_flag: ReplaceFlag = 0
    data_coding: Coding = 0
    sm_default_msg_id: PredefinedId = 0


class BroadcastSmResp(Pdu):
    command_id = CommandId.BROADCAST_SM_RESP

    message_id: GivenId = ""


class QueryBroadcastSm(Pdu):
    command_id = CommandId.QUERY_BROADCAST_SM

    message_id: MessageId = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddress = ""


class QueryBroadcastSmResp(Pdu):
    command_id = CommandId.QUERY_BROADCAST_SM_RESP

    message_id: MessageId = ""


class CancelBroadcastSm(Pdu):
    command_id = CommandId.CANCEL_BROADCAST_SM

    service_type: ServiceType = ""
    message_id: MessageId = ""
    source_addr_ton: SourceTon = 0
    source_addr_npi: SourceNpi = 0
    source_addr: SourceAddress = ""


class CancelBroadcastSmResp(Pdu):
    command_id = CommandId.CANCEL_BROADCAST_SM_RESP


PDUS: Final[tuple[type[Pdu], ...]] = (
    GenericNack,
    BindReceiver,
    BindReceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    BindTransceiver,
    BindTransceiverResp,
    Outbind,
    Unbind,
    UnbindResp,
    EnquireLink,
    EnquireLinkResp,
    SubmitSm,
    SubmitSmResp,
    DeliverSm,
    DeliverSmResp,
    SubmitMulti,
    SubmitMultiResp,
    DataSm,
    DataSmResp,
    QuerySm,
    QuerySmResp,
    CancelSm,
    CancelSmResp,
    ReplaceSm,
    ReplaceSmResp,
    AlertNotification,
    BroadcastSm,
    BroadcastSmResp,
    QueryBroadcastSm,
    QueryBroadcastSmResp,
    CancelBroadcastSm,
    CancelBroadcastSmResp,
)

BY_COMMAND: Final[dict[int, type[Pdu]]] = {int(cls.command_id): cls for cls in PDUS}

_HEADER_FIELDS: Final = frozenset(Pdu.__struct_fields__)


@cache
def fields_of(cls: type[Pdu]) -> tuple[tuple[str, Wire], ...]:
    """The PDU's mandatory fields in the order of the wire: name and kind."""
    hints: dict[str, Any] = get_type_hints(cls, include_extras=True)
    return tuple(
        (name, get_args(hints[name])[1]) for name in cls.__struct_fields__ if name not in _HEADER_FIELDS
    )


def response_to(command_id: int) -> type[Pdu] | None:
    """The response's class; None for outbind and alert_notification, which have none, and the unknown."""
    return BY_COMMAND.get(command_id | RESPONSE) if command_id in BY_COMMAND else None
