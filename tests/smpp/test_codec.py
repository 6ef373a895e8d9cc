"""The codec: both directions of every PDU, the quick ways against the table, and whatever a peer may send."""

import copy
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.smpp import codec, pdu
from gateway.smpp import status as s
from gateway.smpp.constants import MAX_PDU_LENGTH, RESPONSE, CommandId
from gateway.smpp.errors import EncodeError, FramingError, PduError
from gateway.smpp.fields import Destination, DistributionList, UnsuccessSme
from tests.smpp.making import ANY_PDU, OCTET, TLVS, pdus, strings

DELIVER = pdu.DeliverSm(
    sequence_number=7,
    source_addr_ton=1,
    source_addr_npi=1,
    source_addr="8613905310001",
    destination_addr="10086",
    esm_class=0x40,
    data_coding=8,
    short_message=b"\x05\x00\x03\x01\x02\x01" + "回音".encode("utf-16-be"),
    tlvs={0x001E: b"abc\0", 0x0427: b"\x02"},
)


def frame(command_id: int, body: bytes = b"", *, status: int = 0, sequence_number: int = 1) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command_id, status, sequence_number) + body


@pytest.mark.parametrize("cls", pdu.PDUS, ids=lambda cls: cls.__name__)
def test_a_pdu_comes_back_as_it_went(cls: type[pdu.Pdu]) -> None:
    @settings(max_examples=40)
    @given(pdus(cls))
    def holds(sent: pdu.Pdu) -> None:
        octets = codec.encode(sent)
        assert codec.decode(octets) == sent
        assert codec.decode_by_table(octets) == sent
        assert codec.encode(codec.decode(octets)) == octets

    holds()


@pytest.mark.parametrize("cls", pdu.PDUS, ids=lambda cls: cls.__name__)
def test_a_pdu_of_defaults_comes_back(cls: type[pdu.Pdu]) -> None:
    assert codec.decode(codec.encode(cls())) == cls()


def test_every_command_has_its_pdu() -> None:
    assert {int(command) for command in CommandId} == set(pdu.BY_COMMAND)


def test_submit_sm_is_laid_out_as_the_specification_says() -> None:
    sent = pdu.SubmitSm(
        sequence_number=2,
        service_type="CMT",
        source_addr_ton=5,
        source_addr_npi=0,
        source_addr="HUIYIN",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="8613905310001",
        esm_class=0x40,
        protocol_id=1,
        priority_flag=2,
        schedule_delivery_time="",
        validity_period="000001000000000R",
        registered_delivery=1,
        data_coding=8,
        sm_default_msg_id=3,
        short_message=b"hi",
        tlvs={0x0204: b"\x00\x09"},
    )
    assert codec.encode(sent) == (
        b"\0\0\0\x4f" b"\0\0\0\x04" b"\0\0\0\0" b"\0\0\0\x02"
        b"CMT\0" b"\x05\x00" b"HUIYIN\0" b"\x01\x01" b"8613905310001\0" b"\x40\x01\x02"
        b"\0" b"000001000000000R\0" b"\x01\x00\x08\x03" b"\x02hi" b"\x02\x04\0\x02\0\x09"
    )  # fmt: skip


def test_submit_multi_carries_addresses_and_lists() -> None:
    sent = pdu.SubmitMulti(
        dest_addresses=(Destination(1, 1, "8613905310001"), DistributionList("night shift")),
        short_message=b"hi",
    )
    assert codec.decode(codec.encode(sent)) == sent


def test_submit_multi_resp_carries_its_failures() -> None:
    sent = pdu.SubmitMultiResp(message_id="9", unsuccess_smes=(UnsuccessSme(1, 1, "8613905310001", 0x0B),))
    assert codec.decode(codec.encode(sent)) == sent


def test_a_parameter_that_repeats_is_kept() -> None:
    areas = ((0x0606, b"\x00north"), (0x0606, b"\x00south"))
    octets = codec.encode(pdu.BroadcastSm(tlvs={0x0606: b"\x00east"}, more_tlvs=areas))
    decoded = codec.decode(octets)
    assert decoded.tlvs == {0x0606: b"\x00east"}
    assert decoded.more_tlvs == areas


def test_a_deliver_sm_that_repeats_a_parameter_keeps_both() -> None:
    sent = pdu.DeliverSm(tlvs={0x0381: b"1"}, more_tlvs=((0x0381, b"2"),))
    assert codec.decode(codec.encode(sent)) == sent


# Responses are read as generously as they can be.


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        pytest.param(b"abc\0", "abc", id="as specified"),
        pytest.param(b"abc", "abc", id="without its end"),
        pytest.param(b"", "", id="no body at all"),
        pytest.param(b"\0", "", id="empty"),
        pytest.param(b"0000123\0", "0000123", id="leading zeros kept"),
        pytest.param(b"F" * 100 + b"\0", "F" * 100, id="longer than allowed"),
    ],
)
@pytest.mark.parametrize("status", [0, 0x58])
@pytest.mark.parametrize(
    "command", [CommandId.SUBMIT_SM_RESP, CommandId.DATA_SM_RESP, CommandId.BROADCAST_SM_RESP]
)
def test_a_message_id_is_read_however_it_ends(
    body: bytes, message_id: str, status: int, command: CommandId
) -> None:
    decoded = codec.decode(frame(command, body, status=status))
    assert decoded == pdu.BY_COMMAND[command](1, status, message_id=message_id)  # type: ignore[call-arg]


def test_a_failure_cut_in_its_status_is_salvaged_without_it() -> None:
    octets = codec.encode(pdu.SubmitMultiResp(message_id="9", unsuccess_smes=(UnsuccessSme(1, 1, "2", 3),)))
    with pytest.raises(PduError) as caught:
        codec.decode(struct.pack(">I", len(octets) - 2) + octets[4:-2])
    assert caught.value.salvaged == pdu.SubmitMultiResp(message_id="9")


def test_a_refusing_submit_sm_resp_has_no_body() -> None:
    assert len(codec.encode(pdu.SubmitSmResp(sequence_number=1, command_status=s.ESME_RTHROTTLED))) == 16


def test_a_refusing_response_keeps_its_parameters() -> None:
    sent = pdu.SubmitSmResp(sequence_number=1, command_status=s.ESME_RTHROTTLED, tlvs={0x0428: b"\x60"})
    assert codec.decode(codec.encode(sent)) == sent


def test_a_malformed_response_is_salvaged() -> None:
    with pytest.raises(PduError) as caught:
        codec.decode(frame(CommandId.SUBMIT_SM_RESP, b"abc\0\x04"))
    assert caught.value.salvaged == pdu.SubmitSmResp(sequence_number=1, message_id="abc")
    assert codec.refusal(caught.value) is None


REFUSED = s.ESME_RSUBMITFAIL
REASON = b"\x00\x1d\0\x05later"
CONGESTED = b"\x04\x28\0\x01\x60"


@pytest.mark.parametrize(
    ("body", "message_id", "tlvs"),
    [
        pytest.param(b"", "", {}, id="no body"),
        pytest.param(b"\0", "", {}, id="an empty id"),
        pytest.param(b"\0" + CONGESTED, "", {0x0428: b"\x60"}, id="an empty id and a parameter"),
        pytest.param(b"A1\0" + CONGESTED, "A1", {0x0428: b"\x60"}, id="an id and a parameter"),
        pytest.param(CONGESTED, "", {0x0428: b"\x60"}, id="a parameter alone"),
        pytest.param(REASON, "", {0x001D: b"later"}, id="a parameter alone whose tag begins with a NUL"),
        pytest.param(REASON + CONGESTED, "", {0x001D: b"later", 0x0428: b"\x60"}, id="two parameters alone"),
        pytest.param(
            b"\x04\x23\0\3\0\0\0", "", {0x0423: b"\0\0\0"}, id="what could be an id and a parameter"
        ),
        pytest.param(b"\x04\x24\1\1" + b"x" * 256 + b"\0", "", {0x0424: b"x" * 256 + b"\0"}, id="a long one"),
        pytest.param(b"\0\0\0\0\0", "", {0: b""}, id="an empty id, then nought"),
    ],
)
@pytest.mark.parametrize(
    "command", [CommandId.SUBMIT_SM_RESP, CommandId.DATA_SM_RESP, CommandId.DELIVER_SM_RESP]
)
def test_a_refusals_parameters_are_read_with_an_id_and_without(
    body: bytes, message_id: str, tlvs: dict[int, bytes], command: CommandId
) -> None:
    octets = frame(command, body, status=REFUSED)
    expected = pdu.BY_COMMAND[command](1, REFUSED, tlvs=tlvs, message_id=message_id)  # type: ignore[call-arg]
    assert codec.decode(octets) == codec.decode_by_table(octets) == expected


def test_an_accepting_response_always_has_its_id() -> None:
    with pytest.raises(PduError):
        codec.decode(frame(CommandId.SUBMIT_SM_RESP, CONGESTED))


def test_a_malformed_response_keeps_the_parameters_before_the_fault() -> None:
    with pytest.raises(PduError) as caught:
        codec.decode(frame(CommandId.SUBMIT_SM_RESP, b"abc\0" + CONGESTED + b"\x04\x28\0\x09x"))
    assert caught.value.salvaged == pdu.SubmitSmResp(1, message_id="abc", tlvs={0x0428: b"\x60"})


# What an SMSC brings survives its torn parameters.

STATE = b"\x04\x27\0\x01\x02"


@pytest.mark.parametrize(
    ("tail", "tlvs"),
    [
        pytest.param(b"\x04", {}, id="half a head"),
        pytest.param(b"\x00\x1e\0\x0bA1", {}, id="an id that is not all there is none"),
        pytest.param(b"\x00\x1e\0\x03A1", {0x001E: b"A1"}, id="an id that lacks its NUL alone is whole"),
        pytest.param(b"\x00\x1e\0\x01", {}, id="of an id nothing"),
        pytest.param(STATE + b"\x00\x1e\0\x0bA1", {0x0427: b"\2"}, id="what stands before it is kept"),
        pytest.param(STATE + b"\x00\x1e\xff\xff", {0x0427: b"\2"}, id="nothing but a head"),
        pytest.param(b"\x04\x24\0\x098\x52\x06", {0x0424: b"8\x52\x06"}, id="of a text what is there"),
        pytest.param(b"\x04\x24\0\x09", {}, id="of a text nothing"),
        pytest.param(b"\x14\x00\0\x09" + STATE, {}, id="what an unknown one has swallowed is lost"),
    ],
)
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(pdu.DeliverSm(1, source_addr="8613905310001", short_message=b"8"), id="deliver_sm"),
        pytest.param(pdu.DataSm(1, source_addr="8613905310001", esm_class=4), id="data_sm"),
    ],
)
def test_a_message_is_salvaged_from_torn_parameters(
    sent: pdu.Pdu, tail: bytes, tlvs: dict[int, bytes]
) -> None:
    with pytest.raises(PduError) as caught:
        codec.decode(frame(sent.command_id, codec.encode(sent)[16:] + tail))
    sent = copy.copy(sent)
    sent.tlvs = tlvs
    assert caught.value.salvaged == sent
    assert caught.value.status in {s.ESME_RINVPARLEN, s.ESME_RINVOPTPARSTREAM}


@pytest.mark.parametrize("command", [CommandId.SUBMIT_SM, CommandId.DELIVER_SM])
def test_nothing_is_salvaged_of_a_submit_or_where_a_field_is_missing(command: CommandId) -> None:
    body = codec.encode(DELIVER)[16:-1] if command is CommandId.SUBMIT_SM else b"\0\1\1" + b"10086\0"
    with pytest.raises(PduError) as caught:
        codec.decode(frame(command, body))
    assert caught.value.salvaged is None


# Faults in requests name their field.

_HEAD = b"\0\1\1" + b"10086\0" + b"\1\1" + b"8613905310001\0"


@pytest.mark.parametrize(
    ("command", "body", "status"),
    [
        pytest.param(4, b"TOOLONG\0", s.ESME_RINVSERTYP, id="service_type too long"),
        pytest.param(4, b"CMT", s.ESME_RINVSERTYP, id="service_type without end"),
        pytest.param(4, b"", s.ESME_RINVSERTYP, id="no body"),
        pytest.param(4, b"\0", s.ESME_RINVSRCTON, id="ends before source_addr_ton"),
        pytest.param(4, b"\0\1", s.ESME_RINVSRCNPI, id="ends before source_addr_npi"),
        pytest.param(4, b"\0\1\1" + b"1" * 21 + b"\0", s.ESME_RINVSRCADR, id="source_addr too long"),
        pytest.param(
            4, b"\0\1\1" + b"1\0" + b"\1\1" + b"2" * 21 + b"\0", s.ESME_RINVDSTADR, id="destination_addr"
        ),
        pytest.param(4, _HEAD, s.ESME_RINVESMCLASS, id="ends before esm_class"),
        pytest.param(4, _HEAD + b"\0\0", s.ESME_RINVPRTFLG, id="ends before priority_flag"),
        pytest.param(4, _HEAD + b"\0\0\0" + b"1" * 17 + b"\0", s.ESME_RINVSCHED, id="schedule too long"),
        pytest.param(4, _HEAD + b"\0\0\0\0" + b"1" * 17 + b"\0", s.ESME_RINVEXPIRY, id="validity too long"),
        pytest.param(4, _HEAD + b"\0\0\0\0\0", s.ESME_RINVREGDLVFLG, id="ends before registered_delivery"),
        pytest.param(4, _HEAD + b"\0\0\0\0\0\1\0", s.ESME_RINVDCS, id="ends before data_coding"),
        pytest.param(4, _HEAD + b"\0\0\0\0\0\1\0\0\0", s.ESME_RINVMSGLEN, id="ends before sm_length"),
        pytest.param(4, _HEAD + b"\0\0\0\0\0\1\0\0\0\5hi", s.ESME_RINVMSGLEN, id="ends inside short_message"),
        pytest.param(
            4, _HEAD + b"\0\0\0\0\0\1\0\0\0\2hi\4", s.ESME_RINVOPTPARSTREAM, id="half a parameter's head"
        ),
        pytest.param(
            4, _HEAD + b"\0\0\0\0\0\1\0\0\0\2hi\4\x24\0\5x", s.ESME_RINVPARLEN, id="half a parameter"
        ),
        pytest.param(
            5, _HEAD + b"\0\0\0\0\0\1\0\0\0\5hi", s.ESME_RINVMSGLEN, id="deliver_sm ends in its text"
        ),
        pytest.param(
            4, _HEAD + b"\0\0\0\0\0\1\0\0\0\2hi\0\0\4", s.ESME_RINVOPTPARSTREAM, id="half a head in NULs"
        ),
        pytest.param(9, b"1" * 65 + b"\0", s.ESME_RINVSYSID, id="system_id too long"),
        pytest.param(9, b"huiyin\0" + b"1" * 65 + b"\0", s.ESME_RINVPASWD, id="password too long"),
        pytest.param(0x21, b"\0\1\1" + b"1\0" + b"\1\7", s.ESME_RINVDESTFLAG, id="dest_flag unknown"),
        pytest.param(
            0x21, b"\0\1\1" + b"1\0" + b"\2\2" + b"x" * 21 + b"\0", s.ESME_RINVDLNAME, id="dl_name too long"
        ),
    ],
)
def test_a_malformed_field_is_refused_with_its_status(command: int, body: bytes, status: int) -> None:
    with pytest.raises(PduError) as caught:
        codec.decode(frame(command, body, sequence_number=0x77))
    assert (caught.value.command_id, caught.value.sequence_number, caught.value.status) == (
        command,
        0x77,
        status,
    )
    assert codec.refusal(caught.value) is not None
    answer = codec.decode(codec.refusal(caught.value) or b"")
    assert (answer.command_id, answer.sequence_number, answer.command_status) == (
        command | RESPONSE,
        0x77,
        status,
    )


# Habits of peers that cost nobody anything.


@pytest.mark.parametrize("nuls", [1, 2, 3])
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(pdu.EnquireLink(7), id="no body"),
        pytest.param(
            pdu.DeliverSm(7, source_addr="8613905310001", short_message="8分".encode()), id="a text"
        ),
        pytest.param(pdu.DeliverSm(7, esm_class=4, tlvs={0x001E: b"00A1\0", 0x0427: b"\2"}), id="parameters"),
        pytest.param(pdu.SubmitSmResp(7, message_id="00A1"), id="an id"),
        pytest.param(pdu.QuerySmResp(7, message_id="00A1", message_state=2), id="a state"),
    ],
)
def test_nuls_behind_the_body_are_padding(sent: pdu.Pdu, nuls: int) -> None:
    body = codec.encode(sent)[16:] + b"\0" * nuls
    assert codec.decode(frame(sent.command_id, body, sequence_number=7)) == sent


@pytest.mark.parametrize("command", [0x15, 0x80000015, 6, 0x80000006, 0x80000000, 0x80000008])
@pytest.mark.parametrize("body", [b"\xff", b"huiyin", b"\x04\x24\0\x09x"], ids=repr)
def test_what_has_no_body_is_read_whatever_follows(command: int, body: bytes) -> None:
    read = codec.decode(frame(command, body, sequence_number=7))
    assert (read.command_id, read.sequence_number, read.tlvs) == (command, 7, {})


@pytest.mark.parametrize("command", [1, 2, 9, 0x0B])
def test_a_peers_long_name_and_password_are_read(command: int) -> None:
    name, password = "operator-east-gateway-01", "correct-horse-battery"
    rest = b"" if command == 0x0B else b"\0\x34\0\0\0"
    read: Any = codec.decode(frame(command, f"{name}\0{password}\0".encode() + rest))
    assert (read.system_id, read.password) == (name, password)


def test_a_password_longer_than_the_standards_is_sent_whole() -> None:
    assert b"\0twelve-signs\0" in codec.encode(
        pdu.BindTransceiver(system_id="huiyin", password="twelve-signs")
    )


@pytest.mark.parametrize("command", [0x00010201, 0x0000000A, 0x00000000])
def test_an_unknown_request_is_nacked(command: int) -> None:
    with pytest.raises(PduError) as caught:
        codec.decode(frame(command, b"\1\2\3", sequence_number=5))
    assert codec.refusal(caught.value) == frame(
        CommandId.GENERIC_NACK, status=s.ESME_RINVCMDID, sequence_number=5
    )


def test_a_frame_that_lies_about_its_length_is_refused() -> None:
    with pytest.raises(PduError, match="calls itself"):
        codec.decode(frame(CommandId.ENQUIRE_LINK) + b"\0")


@pytest.mark.parametrize("size", range(16))
def test_less_than_a_header_is_refused(size: int) -> None:
    with pytest.raises(PduError, match="shorter than a header"):
        codec.decode(b"\0" * size)


# Values of ours that do not fit.


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        pytest.param(pdu.SubmitSm(source_addr="1" * 21), "source_addr", id="too long"),
        pytest.param(pdu.SubmitSm(destination_addr="1\x002"), "destination_addr", id="a NUL inside"),
        pytest.param(pdu.SubmitSm(source_addr="回音"), "source_addr", id="no latin-1"),
        pytest.param(pdu.SubmitSm(esm_class=256), "esm_class", id="no octet"),
        pytest.param(pdu.SubmitSm(short_message=b"x" * 255), "short_message", id="text too long"),
        pytest.param(pdu.BindTransceiver(system_id="1" * 16), "system_id", id="system_id too long"),
        pytest.param(pdu.BindTransceiver(password="1" * 65), "password", id="password too long"),
        pytest.param(
            pdu.SubmitMulti(dest_addresses=(DistributionList("x"),) * 256), "dest_addresses", id="256"
        ),
        pytest.param(
            pdu.SubmitMultiResp(unsuccess_smes=(UnsuccessSme(1, 1, "1", 0),) * 256),
            "unsuccess_smes",
            id="256 failures",
        ),
        pytest.param(
            pdu.SubmitMultiResp(unsuccess_smes=(UnsuccessSme(1, 1, "1", -1),)),
            "unsuccess_smes",
            id="no status",
        ),
        pytest.param(pdu.Unbind(2**32), "sequence_number", id="sequence_number beyond 32 bits"),
        pytest.param(pdu.UnbindResp(1, -1), "command_status", id="command_status below nought"),
        pytest.param(pdu.SubmitSm(tlvs={0x10000: b""}), "optional parameter", id="tag too large"),
        pytest.param(pdu.SubmitSm(tlvs={0x0424: b"x" * 65535}), "a PDU of", id="PDU too large"),
    ],
)
def test_what_a_field_cannot_carry_is_not_encoded(wrong: pdu.Pdu, names: str) -> None:
    with pytest.raises(EncodeError, match=names):
        codec.encode(wrong)


# Frames

STREAM = [codec.encode(DELIVER), codec.encode(pdu.EnquireLink(sequence_number=8)), codec.encode(DELIVER)]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 16, 17, 50, 10_000])
def test_frames_are_found_however_the_stream_is_cut(step: int) -> None:
    reader, stream, found = codec.FrameReader(), b"".join(STREAM), list[bytes]()
    for at in range(0, len(stream), step):
        found += reader.feed(stream[at : at + step])
    assert found == STREAM
    assert reader.buffered == 0


def test_a_tail_waits_for_its_rest() -> None:
    reader = codec.FrameReader()
    assert reader.feed(STREAM[0] + STREAM[1][:5]) == [STREAM[0]]
    assert reader.buffered == 5
    assert reader.feed(STREAM[1][5:] + STREAM[2][:1]) == [STREAM[1]]
    assert reader.feed(STREAM[2][1:]) == [STREAM[2]]


@given(st.lists(ANY_PDU, max_size=4), st.lists(st.integers(1, 60)))
def test_any_stream_cut_anywhere_gives_the_same_frames(sent: list[pdu.Pdu], cuts: list[int]) -> None:
    frames = [codec.encode(each) for each in sent]
    reader, rest, found = codec.FrameReader(), b"".join(frames), list[bytes]()
    for cut in cuts:
        found += reader.feed(rest[:cut])
        rest = rest[cut:]
    assert found + reader.feed(rest) == frames


@pytest.mark.parametrize("length", [0, 1, 15, MAX_PDU_LENGTH + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_cannot_be_breaks_the_stream_at_once(length: int) -> None:
    reader = codec.FrameReader()
    with pytest.raises(FramingError) as caught:
        reader.feed(STREAM[0] + struct.pack(">I", length))
    assert (caught.value.length, caught.value.frames) == (length, [STREAM[0]])
    assert reader.buffered == 0


def test_the_longest_and_the_shortest_pdu_pass() -> None:
    longest = codec.encode(pdu.DataSm(tlvs={0x0424: b"x" * (MAX_PDU_LENGTH - 16 - 10 - 4)}))
    shortest = codec.encode(pdu.Unbind())
    assert (len(longest), len(shortest)) == (MAX_PDU_LENGTH, 16)
    assert codec.FrameReader().feed(longest + shortest) == [longest, shortest]


# The template

TEXT = "回音".encode("utf-16-be") * 35


@given(
    source=strings(21),
    destination=st.text(st.characters(min_codepoint=1, max_codepoint=0x7F), max_size=20),
    text=st.binary(max_size=254),
    flags=st.tuples(OCTET, OCTET, OCTET, OCTET, OCTET, OCTET, OCTET),
    times=st.tuples(strings(17), strings(17)),
    tlvs=TLVS,
    number=st.integers(1, 0x7FFFFFFF),
)
def test_a_template_gives_what_the_codec_gives(
    source: str,
    destination: str,
    text: bytes,
    flags: tuple[int, int, int, int, int, int, int],
    times: tuple[str, str],
    tlvs: dict[int, bytes],
    number: int,
) -> None:
    ton, npi, esm_class, priority, registered, coding, protocol = flags
    template = codec.SubmitTemplate(
        service_type="CMT",
        source_addr_ton=ton,
        source_addr_npi=npi,
        source_addr=source,
        dest_addr_ton=npi,
        dest_addr_npi=ton,
        protocol_id=protocol,
        tlvs=tlvs,
    )
    octets = template.encode(
        number,
        destination,
        text,
        esm_class,
        coding,
        priority_flag=priority,
        registered_delivery=registered,
        validity_period=times[0],
        schedule_delivery_time=times[1],
    )
    assert octets == codec.encode(
        pdu.SubmitSm(
            sequence_number=number,
            service_type="CMT",
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=source,
            dest_addr_ton=npi,
            dest_addr_npi=ton,
            destination_addr=destination,
            esm_class=esm_class,
            protocol_id=protocol,
            priority_flag=priority,
            schedule_delivery_time=times[1],
            validity_period=times[0],
            registered_delivery=registered,
            data_coding=coding,
            short_message=text,
            tlvs=tlvs,
        )
    )


def test_a_templates_own_values_hold_where_the_message_says_nothing() -> None:
    template = codec.SubmitTemplate(
        priority_flag=1,
        registered_delivery=1,
        validity_period="000001000000000R",
        replace_if_present_flag=1,
        sm_default_msg_id=4,
        tlvs={0x1400: b"own"},
    )
    decoded = codec.decode(template.encode(3, "8613905310001", b"", tlvs={0x0424: b"long"}))
    assert isinstance(decoded, pdu.SubmitSm)
    assert (decoded.priority_flag, decoded.registered_delivery) == (1, 1)
    assert (decoded.replace_if_present_flag, decoded.sm_default_msg_id) == (1, 4)
    assert decoded.validity_period == "000001000000000R"
    assert decoded.tlvs == {0x1400: b"own", 0x0424: b"long"}


def test_a_template_keeps_its_cache_small() -> None:
    template = codec.SubmitTemplate()
    for second in range(3 * template.MIDDLES):
        expiry = f"261122{second:06d}000+"
        decoded = codec.decode(template.encode(1, "1", b"", validity_period=expiry[:16]))
        assert isinstance(decoded, pdu.SubmitSm)
        assert decoded.validity_period == expiry[:16]
    assert len(template._middles) <= template.MIDDLES


@pytest.mark.parametrize(
    ("destination", "text", "flags"),
    [
        pytest.param("1" * 21, b"", {}, id="destination too long"),
        pytest.param("1\0", b"", {}, id="a NUL inside"),
        pytest.param("回", b"", {}, id="no ASCII"),
        pytest.param("1", b"x" * 255, {}, id="text too long"),
        pytest.param("1", b"", {"esm_class": 256}, id="no octet"),
        pytest.param("1", b"", {"tlvs": {0x0424: b"x" * 65535}}, id="PDU too large"),
    ],
)
def test_a_template_refuses_what_does_not_fit(destination: str, text: bytes, flags: dict[str, int]) -> None:
    with pytest.raises(EncodeError):
        codec.SubmitTemplate().encode(1, destination, text, **flags)  # type: ignore[arg-type]


# Anything at all

MUTATION = st.tuples(st.integers(0, 400), st.integers(0, 255))


def outcome(decode: object, octets: bytes) -> object:
    """What decoding gives: the PDU, or what the error says."""
    assert callable(decode)
    try:
        return decode(octets)
    except PduError as error:
        return (error.command_id, error.sequence_number, error.status, error.reason, error.salvaged)


@settings(max_examples=1500, deadline=None)
@given(ANY_PDU, st.lists(MUTATION, max_size=6), st.integers(0, 400), st.booleans())
def test_mutated_frames_give_a_pdu_or_a_pdu_error_alike_both_ways(
    sent: pdu.Pdu, mutations: list[tuple[int, int]], keep: int, cut: bool
) -> None:
    octets = bytearray(codec.encode(sent))
    for at, value in mutations:
        octets[4 + at % (len(octets) - 4)] = value
    if cut:
        octets = octets[: max(16, keep)]
    octets[:4] = struct.pack(">I", len(octets))
    assert outcome(codec.decode, bytes(octets)) == outcome(codec.decode_by_table, bytes(octets))


@settings(max_examples=500)
@given(st.sampled_from([4, 5, 0x80000004, 0x80000005]), st.binary(max_size=120))
def test_octets_of_any_kind_are_read_alike_both_ways(command: int, body: bytes) -> None:
    octets = frame(command, body)
    assert outcome(codec.decode, octets) == outcome(codec.decode_by_table, octets)


@given(st.binary(max_size=200))
def test_a_reader_raises_nothing_but_framing_errors(data: bytes) -> None:
    reader = codec.FrameReader()
    try:
        frames = reader.feed(data)
    except FramingError as error:
        frames = error.frames
    assert sum(map(len, frames)) <= len(data)
