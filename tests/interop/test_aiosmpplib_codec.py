"""Our codec and aiosmpplib's, in both directions; where aiosmpplib is wrong, what is right stands here."""

import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from aiosmpplib import protocol
from aiosmpplib.state import NPI, TON, OptionalParam, PhoneNumber, SmppCommandStatus
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp import codec, pdu, times, tlv
from gateway.smpp import status as s
from gateway.smpp.constants import Tag
from gateway.sms import coding, udh

ASCII = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
TONS, NPIS = st.sampled_from(list(TON)), st.sampled_from(list(NPI))
NUMBERS = st.integers(1, 0x7FFFFFFF)
NOW = datetime(2026, 11, 22, 9, 44, tzinfo=UTC)


def theirs_of(cls: Any, octets: bytes) -> Any:
    """aiosmpplib's reading of octets."""
    return cls.from_pdu(octets, protocol.SmppMessage.parse_header(octets), "gsm0338", None)


def written(message: Any) -> bytes:
    octets: bytes = message.pdu()
    return octets


def of_length(most: int) -> st.SearchStrategy[str]:
    return st.text(ASCII, max_size=most)


BINDS = [
    (protocol.BindTransceiver, pdu.BindTransceiver),
    (protocol.BindTransmitter, pdu.BindTransmitter),
    (protocol.BindReceiver, pdu.BindReceiver),
]


@pytest.mark.parametrize(("their_class", "our_class"), BINDS, ids=lambda cls: cls.__name__)
def test_binds_go_both_ways(their_class: Any, our_class: Any) -> None:
    @settings(max_examples=40, deadline=None)
    @given(NUMBERS, of_length(15), of_length(8), of_length(12), TONS, NPIS, of_length(40))
    def holds(number: int, name: str, password: str, kind: str, ton: TON, npi: NPI, numbers: str) -> None:
        values = {
            "system_id": name,
            "password": password,
            "system_type": kind,
            "addr_ton": ton,
            "addr_npi": npi,
            "address_range": numbers,
        }
        theirs, ours = their_class(sequence_num=number, **values), our_class(sequence_number=number, **values)
        assert written(theirs) == codec.encode(ours)
        assert codec.decode(written(theirs)) == ours
        assert theirs_of(their_class, codec.encode(ours)) == theirs

    holds()


EMPTY = [
    (protocol.EnquireLink, pdu.EnquireLink),
    (protocol.EnquireLinkResp, pdu.EnquireLinkResp),
    (protocol.Unbind, pdu.Unbind),
    (protocol.UnbindResp, pdu.UnbindResp),
    (protocol.GenericNack, pdu.GenericNack),
]


@pytest.mark.parametrize(("their_class", "our_class"), EMPTY, ids=lambda cls: cls.__name__)
def test_what_has_no_body_goes_both_ways(their_class: Any, our_class: Any) -> None:
    assert written(their_class(sequence_num=7)) == codec.encode(our_class(7))
    assert codec.decode(written(their_class(sequence_num=7))) == our_class(7)


@settings(max_examples=80, deadline=None)
@given(NUMBERS, of_length(64), st.sampled_from([0, 8, 0x0B, 0x14, 0x58]))
def test_responses_go_both_ways(number: int, message_id: str, status: int) -> None:
    for their_class, our_class in (
        (protocol.SubmitSmResp, pdu.SubmitSmResp),
        (protocol.DeliverSmResp, pdu.DeliverSmResp),
    ):
        kind: Any = our_class
        ours = kind(number, status, message_id=message_id)
        theirs: Any = their_class(number, SmppCommandStatus(status), message_id=message_id)
        assert codec.decode(written(theirs)) == ours
        if not status or message_id:
            assert theirs_of(their_class, codec.encode(ours)).message_id == message_id


ALPHABETS = [
    pytest.param("gsm0338", 0, "Hello [you] €5 @£$ ÄÖ", id="GSM 03.38"),
    pytest.param("ascii", 1, "Hello you", id="ASCII"),
    pytest.param("latin_1", 3, "Grüße", id="Latin-1"),
    pytest.param("ucs2", 8, "事事有回音 👍", id="UCS-2"),
]


@pytest.mark.parametrize(("encoding", "data_coding", "text"), ALPHABETS)
@pytest.mark.parametrize(
    ("their_class", "our_class"),
    [(protocol.SubmitSm, pdu.SubmitSm), (protocol.DeliverSm, pdu.DeliverSm)],
    ids=["submit_sm", "deliver_sm"],
)
def test_messages_go_both_ways(
    their_class: Any, our_class: Any, encoding: str, data_coding: int, text: str
) -> None:
    @settings(max_examples=30, deadline=None)
    @given(
        NUMBERS,
        of_length(5),
        st.tuples(TONS, NPIS, of_length(20)),
        st.tuples(TONS, NPIS, of_length(20)),
        st.integers(0, 255).filter(lambda esm_class: not esm_class & udh.UDHI),
        st.tuples(st.integers(0, 255), st.integers(0, 3), st.integers(0, 31), st.integers(0, 1)),
        st.integers(0, 0xFFFF),
    )
    def holds(
        number: int,
        service: str,
        source: tuple[TON, NPI, str],
        to: tuple[TON, NPI, str],
        esm_class: int,
        flags: tuple[int, int, int, int],
        reference: int,
    ) -> None:
        common = {
            "service_type": service,
            "esm_class": esm_class,
            "protocol_id": flags[0],
            "priority_flag": flags[1],
            "registered_delivery": flags[2],
            "replace_if_present_flag": flags[3],
        }
        theirs = their_class(
            sequence_num=number,
            short_message=text,
            encoding=encoding,
            source=PhoneNumber(source[2], source[0], source[1]),
            destination=PhoneNumber(to[2], to[0], to[1]),
            optional_params=[OptionalParam(Tag.USER_MESSAGE_REFERENCE, reference)],
            **common,
        )
        theirs.set_encoding_info("gsm0338", None)
        octets = written(theirs)
        ours = codec.decode(octets)
        assert codec.encode(ours) == octets
        assert type(ours) is our_class
        assert {name: getattr(ours, name) for name in common} == common
        assert isinstance(ours, pdu.SubmitSm | pdu.DeliverSm)
        assert (ours.source_addr_ton, ours.source_addr_npi, ours.source_addr) == source
        assert (ours.dest_addr_ton, ours.dest_addr_npi, ours.destination_addr) == to
        assert (ours.data_coding, coding.decode(ours.short_message, data_coding).text) == (data_coding, text)
        assert tlv.octet(ours.tlvs, Tag.USER_MESSAGE_REFERENCE) == reference
        again = theirs_of(their_class, codec.encode(ours))
        assert (again.short_message, again.source, again.destination) == (
            text,
            theirs.source,
            theirs.destination,
        )

    holds()


@pytest.mark.parametrize("seconds", [0, 1, 59, 3600, 86_400, 2_591_999])
def test_relative_times_mean_the_same(seconds: int) -> None:
    after = timedelta(seconds=seconds)
    assert protocol.SubmitSm.smpp_time_to_datetime(times.relative(after)) == after
    assert times.moment(protocol.SubmitSm.datetime_to_smpp_time(after), NOW) == NOW + after


# Where aiosmpplib is wrong


def test_a_century_is_not_forgotten() -> None:
    # aiosmpplib reads the year 26 of an absolute time as the year 26.
    read: Any = protocol.SubmitSm.smpp_time_to_datetime("261122094400000+")
    assert read.year == 26
    assert times.moment("261122094400000+", NOW) == NOW


def test_a_zone_west_of_greenwich_is_written_and_read() -> None:
    # aiosmpplib counts the quarters of the day that is left: -3 h becomes 84 quarters west.
    at = datetime(2026, 11, 22, 9, 44, tzinfo=timezone(timedelta(hours=-3)))
    assert protocol.SubmitSm.datetime_to_smpp_time(at).endswith("84-")
    assert times.absolute(at) == "261122094400012-"
    assert times.moment("261122094400012-", NOW) == at


def test_a_16_bit_reference_is_two_octets() -> None:
    # aiosmpplib reads four: the reference takes in the total and the number.
    header = udh.concatenation(0x1234, 2, 1, wide=True)
    octets = codec.encode(pdu.DeliverSm(1, esm_class=udh.UDHI, short_message=header + b"part"))
    reference, number, total = theirs_of(protocol.DeliverSm, octets).get_segmentation_data()
    assert (reference, number, total) != (0x1234, 1, 2)
    place = udh.parse(header)[0].concatenation
    assert place == (0x1234, 2, 1, True)


def test_a_header_may_begin_with_another_element() -> None:
    # aiosmpplib takes whatever comes first for the concatenation.
    header = udh.build(
        [udh.Element(udh.PORTS_16, b"\x0b\x84\x0b\x84"), udh.Element(udh.CONCAT_8, b"\x2a\2\1")]
    )
    octets = codec.encode(pdu.DeliverSm(1, esm_class=udh.UDHI, short_message=header + b"part"))
    assert theirs_of(protocol.DeliverSm, octets).get_segmentation_data() != (0x2A, 1, 2)
    place = udh.parse(header)[0].concatenation
    assert place is not None
    assert place[:3] == (0x2A, 2, 1)


def test_an_id_ends_before_its_responses_parameters() -> None:
    # aiosmpplib takes all of the body for the id.
    octets = codec.encode(
        pdu.SubmitSmResp(1, message_id="A1", tlvs={int(Tag.USER_MESSAGE_REFERENCE): b"\0\1"})
    )
    assert theirs_of(protocol.SubmitSmResp, octets).message_id == "A1\0\2\4\0\2\0"
    read = codec.decode(octets)
    assert isinstance(read, pdu.SubmitSmResp)
    assert read.message_id == "A1"


@pytest.mark.parametrize("status", [0x400, 0x4FF, 0x110, 0x1000])
def test_a_status_that_nobody_knows_is_a_status(status: int) -> None:
    # aiosmpplib has no such member and loses the response.
    octets = codec.encode(pdu.SubmitSmResp(1, status))
    with pytest.raises(ValueError, match="SmppCommandStatus"):
        protocol.SmppMessage.parse_header(octets)
    assert codec.decode(octets).command_status == status


@pytest.mark.parametrize("command", [0x111, 0x112, 0x80000113], ids=hex)
def test_commands_of_smpp_5_are_read(command: int) -> None:
    # aiosmpplib has no such member and loses the PDU, and with it the connection.
    octets = codec.encode(pdu.BY_COMMAND[command](1))
    with pytest.raises(ValueError, match="SmppCommand"):
        protocol.SmppMessage.parse_header(octets)
    assert codec.decode(octets).command_id == command


@pytest.mark.parametrize(
    "tlvs",
    [
        pytest.param({int(Tag.MESSAGE_STATE): b"\0\0\2"}, id="a number of three octets"),
        pytest.param({0x1400: b"\xff\xfe"}, id="a vendor's octets"),
        pytest.param({int(Tag.RECEIPTED_MESSAGE_ID): b"\xe9\0"}, id="an id beyond ASCII"),
    ],
)
def test_parameters_of_any_shape_are_kept(tlvs: dict[int, bytes]) -> None:
    # aiosmpplib wants one of its widths and ASCII, and loses the message.
    octets = codec.encode(pdu.DeliverSm(1, tlvs=tlvs))
    with pytest.raises((KeyError, UnicodeDecodeError)):
        theirs_of(protocol.DeliverSm, octets)
    assert codec.decode(octets).tlvs == tlvs


@pytest.mark.parametrize(("ton", "npi"), [(7, 1), (1, 2), (255, 255)])
def test_a_kind_of_number_that_nobody_knows_is_kept(ton: int, npi: int) -> None:
    # aiosmpplib has no such member and loses the message.
    octets = codec.encode(pdu.DeliverSm(1, source_addr_ton=ton, source_addr_npi=npi, source_addr="1"))
    with pytest.raises(ValueError, match="is not a valid"):
        theirs_of(protocol.DeliverSm, octets)
    read = codec.decode(octets)
    assert isinstance(read, pdu.DeliverSm)
    assert (read.source_addr_ton, read.source_addr_npi) == (ton, npi)


def test_a_pdu_that_aiosmpplib_cannot_read_is_refused_by_name() -> None:
    body = b"\0\1\1" + b"1" * 21 + b"\0"
    octets = struct.pack(">IIII", 16 + len(body), 4, 0, 1) + body
    with pytest.raises((ValueError, struct.error)):
        theirs_of(protocol.SubmitSm, octets)
    with pytest.raises(Exception, match="more than 20") as caught:
        codec.decode(octets)
    assert getattr(caught.value, "status", None) == s.ESME_RINVSRCADR
