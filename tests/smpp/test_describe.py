"""PDUs in words: names for codes, and neither a whole number nor a text nor a password."""

import pytest
from hypothesis import given

from gateway.smpp import codec, pdu
from gateway.smpp.describe import describe, describe_frame, mask
from gateway.smpp.fields import Destination, DistributionList, UnsuccessSme
from tests.smpp.making import ANY_PDU


@pytest.mark.parametrize(
    ("which", "words"),
    [
        pytest.param(pdu.EnquireLink(3), "enquire_link #3", id="nothing but its name"),
        pytest.param(
            pdu.BindTransceiver(1, system_id="huiyin", password="secret"),
            "bind_transceiver #1 system_id=huiyin password=*** interface_version=52",
            id="a password",
        ),
        pytest.param(
            pdu.SubmitSm(
                2,
                source_addr_ton=5,
                source_addr="HUIYIN",
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr="8613905310001",
                esm_class=0x40,
                registered_delivery=1,
                data_coding=8,
                short_message=b"x" * 140,
                tlvs={0x0424: b"secret", 0x1400: b"own", 0x020C: b"\0\7"},
            ),
            "submit_sm #2 source_addr_ton=alphanumeric source_addr=HUIYIN dest_addr_ton=international"
            " dest_addr_npi=isdn destination_addr=861***01 esm_class=message+udh registered_delivery=1"
            " data_coding=ucs2 short_message=<140 octets>"
            " message_payload=<6 octets> 0x1400=<3 octets> sar_msg_ref_num=7",
            id="a message",
        ),
        pytest.param(
            pdu.SubmitSmResp(2, 0x58, tlvs={0x0428: b"\x55"}),
            "submit_sm_resp #2 ESME_RTHROTTLED congestion_state=85",
            id="a refusal",
        ),
        pytest.param(
            pdu.DeliverSm(4, esm_class=0x84, tlvs={0x001E: b"abc\0", 0x0427: b"\2"}),
            "deliver_sm #4 esm_class=receipt+reply path receipted_message_id=abc message_state=delivered",
            id="a receipt",
        ),
        pytest.param(
            pdu.SubmitMulti(
                5, dest_addresses=(Destination(1, 1, "8613905310001"), DistributionList("night"))
            ),
            "submit_multi #5 dest_addresses=[861***01, night]",
            id="many destinations",
        ),
        pytest.param(
            pdu.SubmitMultiResp(5, unsuccess_smes=(UnsuccessSme(1, 1, "8613905310001", 0x0B),)),
            "submit_multi_resp #5 ESME_ROK unsuccess_smes=[861***01 ESME_RINVDSTADR]",
            id="refused destinations",
        ),
        pytest.param(
            pdu.DeliverSm(6, esm_class=0x3C, data_coding=0xF5),
            "deliver_sm #6 esm_class=0x3C data_coding=0xF5",
            id="codes without a name",
        ),
    ],
)
def test_a_pdu_is_told_in_words(which: pdu.Pdu, words: str) -> None:
    assert describe(which) == words


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("8613905310001", "861***01"),
        ("+8613905310001", "+86***01"),
        ("10086", "10086"),
        ("HUIYIN", "HUIYIN"),
        ("", ""),
    ],
)
def test_a_number_loses_its_middle(address: str, masked: str) -> None:
    assert mask(address) == masked


@given(ANY_PDU)
def test_any_pdu_can_be_told(which: pdu.Pdu) -> None:
    assert describe(which).split()[1] == f"#{which.sequence_number}"


@given(ANY_PDU)
def test_octets_are_told_as_their_pdu(which: pdu.Pdu) -> None:
    assert describe_frame(codec.encode(which)) == describe(which)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        pytest.param(b"", "0x00000000 #0 malformed: a frame shorter than a header (0 octets)", id="nothing"),
        pytest.param(
            bytes.fromhex("00000014 00000004 00000000 00000007 434d5458"),
            "submit_sm #7 malformed: a string without its end (20 octets)",
            id="a broken field",
        ),
        pytest.param(
            bytes.fromhex("00000010 0000affe 00000000 00000007"),
            "0x0000AFFE #7 malformed: unknown to SMPP 3.4 and 5.0 (16 octets)",
            id="an unknown command",
        ),
    ],
)
def test_octets_that_cannot_be_decoded_are_told_by_their_fault(octets: bytes, words: str) -> None:
    assert describe_frame(octets) == words
