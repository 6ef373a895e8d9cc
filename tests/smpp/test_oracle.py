"""Our codec against smpplib, in both directions; where smpplib is wrong, what is right stands here."""

from typing import Any

import pytest
import smpplib.consts
import smpplib.exceptions
import smpplib.smpp
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp import codec, pdu, status, tlv
from gateway.smpp.constants import CommandId, Tag
from gateway.smpp.errors import EncodeError, PduError
from gateway.smpp.pdu import fields_of
from tests.smpp.making import OCTET

#: What smpplib speaks, by its name for it.
COMMON: dict[str, type[pdu.Pdu]] = {
    "bind_transmitter": pdu.BindTransmitter,
    "bind_transmitter_resp": pdu.BindTransmitterResp,
    "bind_receiver": pdu.BindReceiver,
    "bind_receiver_resp": pdu.BindReceiverResp,
    "bind_transceiver": pdu.BindTransceiver,
    "bind_transceiver_resp": pdu.BindTransceiverResp,
    "data_sm": pdu.DataSm,
    "data_sm_resp": pdu.DataSmResp,
    "generic_nack": pdu.GenericNack,
    "submit_sm": pdu.SubmitSm,
    "submit_sm_resp": pdu.SubmitSmResp,
    "deliver_sm": pdu.DeliverSm,
    "deliver_sm_resp": pdu.DeliverSmResp,
    "query_sm": pdu.QuerySm,
    "query_sm_resp": pdu.QuerySmResp,
    "unbind": pdu.Unbind,
    "unbind_resp": pdu.UnbindResp,
    "enquire_link": pdu.EnquireLink,
    "enquire_link_resp": pdu.EnquireLinkResp,
    "alert_notification": pdu.AlertNotification,
}


class Client:
    """All that smpplib's PDUs want of their client."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=5)


def values_of(cls: type[pdu.Pdu]) -> st.SearchStrategy[dict[str, Any]]:
    """Values that both can carry: smpplib drops empty texts and fixes the version of a bind."""
    known = {"short_message": st.binary(min_size=1, max_size=254), "interface_version": st.just(0x34)}
    kinds = {str: ASCII, int: OCTET}
    return st.fixed_dictionaries(
        {
            name: known[name] if name in known else kinds[type(getattr(cls(), name))]
            for name, _ in fields_of(cls)
        }
    )


@pytest.mark.parametrize("name", COMMON)
def test_smpplib_reads_what_we_write_and_we_read_what_it_writes(name: str) -> None:
    cls = COMMON[name]

    @settings(max_examples=40, deadline=None)
    @given(values_of(cls), st.integers(1, 0x7FFFFFFF))
    def holds(values: dict[str, Any], number: int) -> None:
        ours = cls(sequence_number=number, **values)
        octets = codec.encode(ours)
        theirs = smpplib.smpp.parse_pdu(octets, client=Client())
        assert (theirs.command, theirs.sequence, theirs.status) == (name, number, 0)
        for field, value in values.items():
            read = getattr(theirs, field)
            assert (read.decode() if isinstance(value, str) else read) == value
        made = smpplib.smpp.make_pdu(name, client=Client(), **values)
        made.sequence = number
        assert made.generate() == octets
        assert codec.decode(made.generate()) == ours

    holds()


@pytest.mark.parametrize(
    ("name", "value", "octets"),
    [
        pytest.param("user_message_reference", 0x1234, b"\x12\x34", id="two octets"),
        pytest.param("sar_total_segments", 3, b"\x03", id="one octet"),
        pytest.param("message_payload", b"\0\1text", b"\0\1text", id="octets"),
        pytest.param("receipted_message_id", "0123abc", b"0123abc\0", id="string"),
        pytest.param("message_state", 2, b"\x02", id="state"),
    ],
)
def test_both_write_the_same_parameters(name: str, value: object, octets: bytes) -> None:
    tag = Tag[name.upper()]
    made = smpplib.smpp.make_pdu("deliver_sm", client=Client(), **{name: value})
    assert made.generate() == codec.encode(pdu.DeliverSm(tlvs={int(tag): octets}))
    assert codec.decode(made.generate()).tlvs == {int(tag): octets}
    assert tlv.name(tag) == name


def test_the_statuses_that_smpplib_knows_are_known() -> None:
    theirs = {
        value
        for name, value in vars(smpplib.consts).items()
        if name.startswith("SMPP_ESME_R") and type(value) is int
    }
    assert theirs - set(status.TABLE) == set()


def test_the_parameters_that_smpplib_knows_are_known() -> None:
    ours = {tag.name.lower(): int(tag) for tag in Tag}
    theirs = dict(smpplib.consts.OPTIONAL_PARAMS)
    assert {name: value for name, value in theirs.items() if ours.get(name) != value} == {}


# Where smpplib is wrong


def test_an_unknown_parameter_is_kept() -> None:
    octets = codec.encode(pdu.DeliverSm(tlvs={0x1400: b"own"}))
    with pytest.raises(smpplib.exceptions.UnknownCommandError):
        smpplib.smpp.parse_pdu(octets, client=Client())
    assert codec.decode(octets).tlvs == {0x1400: b"own"}


def test_a_parameter_without_its_nul_loses_nothing() -> None:
    octets = codec.encode(pdu.DeliverSm(tlvs={int(Tag.RECEIPTED_MESSAGE_ID): b"12345"}))
    assert smpplib.smpp.parse_pdu(octets, client=Client()).receipted_message_id == b"1234"
    assert tlv.text(codec.decode(octets).tlvs, Tag.RECEIPTED_MESSAGE_ID) == "12345"


def test_a_message_id_without_its_nul_loses_nothing() -> None:
    octets = b"\0\0\0\x15" + int(CommandId.SUBMIT_SM_RESP).to_bytes(4, "big") + b"\0\0\0\0\0\0\0\1" + b"12345"
    with pytest.raises(smpplib.exceptions.UnknownCommandError):  # it takes the id for a parameter
        smpplib.smpp.parse_pdu(octets, client=Client())
    assert codec.decode(octets) == pdu.SubmitSmResp(1, message_id="12345")


def test_a_too_long_address_is_an_error_and_not_another_address() -> None:
    made = smpplib.smpp.make_pdu("submit_sm", client=Client(), destination_addr="1" * 25, short_message=b"x")
    made.sequence = 1
    cut = codec.decode(made.generate())
    assert isinstance(cut, pdu.SubmitSm)
    assert cut.destination_addr == "1" * 20
    with pytest.raises(EncodeError):
        codec.encode(pdu.SubmitSm(destination_addr="1" * 25))


def test_data_sm_carries_the_long_addresses_of_its_own() -> None:
    made = smpplib.smpp.make_pdu("data_sm", client=Client(), source_addr="a" * 60)
    made.sequence = 1
    cut = codec.decode(made.generate())
    assert isinstance(cut, pdu.DataSm)
    assert len(cut.source_addr) == 20
    assert codec.decode(codec.encode(pdu.DataSm(source_addr="a" * 60))) == pdu.DataSm(source_addr="a" * 60)


def test_a_truncated_text_is_an_error() -> None:
    octets = codec.encode(pdu.DeliverSm(short_message=b"whole text"))
    octets = (len(octets) - 4).to_bytes(4, "big") + octets[4:-4]
    assert smpplib.smpp.parse_pdu(octets, client=Client()).short_message == b"whole "
    with pytest.raises(PduError):
        codec.decode(octets)


@pytest.mark.parametrize(
    "cls", [cls for cls in pdu.PDUS if cls not in COMMON.values()], ids=lambda cls: cls.__name__
)
def test_commands_that_smpplib_does_not_know_are_read(cls: type[pdu.Pdu]) -> None:
    octets = codec.encode(cls(sequence_number=1))
    with pytest.raises((smpplib.exceptions.UnknownCommandError, AttributeError)):
        smpplib.smpp.parse_pdu(octets, client=Client()).short_message  # noqa: B018 - it must not get here
    assert codec.decode(octets) == cls(sequence_number=1)
