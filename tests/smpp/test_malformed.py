"""Every PDU cut at every octet, every string at its longest and one beyond, parameters of every wrong shape:
the field's own status, or a reading that loses nothing, and never anything else."""

import struct
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest

from gateway.smpp import codec, pdu, tlv
from gateway.smpp import status as s
from gateway.smpp.constants import MAX_PDU_LENGTH, MAX_SHORT_MESSAGE, RESPONSE
from gateway.smpp.errors import EncodeError, FramingError, PduError
from gateway.smpp.fields import CString, Wire
from tests.fuzz import corpus

TYPICAL = [each for each in corpus.PDU_VALUES if each.sequence_number == 2]
EACH = pytest.mark.parametrize("sent", TYPICAL, ids=lambda sent: type(sent).__name__)


def frame(command_id: int, body: bytes, status: int = 0) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command_id, status, 2) + body


def ends_of_fields(sent: pdu.Pdu, octets: bytes) -> list[tuple[int, Wire]]:
    """Where each mandatory field ends."""
    ends, at = [], 16
    for _, wire in pdu.fields_of(type(sent)):
        _, at = wire.read(octets, at)
        ends.append((at, wire))
    return ends


def test_the_corpus_has_every_pdu() -> None:
    assert [type(each) for each in TYPICAL if each.tlvs] == list(pdu.PDUS)


def read(octets: bytes) -> Any:
    """The PDU, or the error as a value."""
    try:
        return codec.decode(octets)
    except PduError as error:
        return error


@EACH
def test_a_pdu_cut_anywhere_names_the_field_it_is_cut_in(sent: pdu.Pdu) -> None:
    octets = codec.encode(sent)
    fields = ends_of_fields(sent, octets)
    for end in range(16, len(octets)):
        found = read(frame(sent.command_id, octets[16:end]))
        missing = [wire for field_end, wire in fields if field_end > end]
        if not isinstance(found, PduError):
            # Whole again only where nothing mandatory lacks: a response that ends with its header, an id
            # whose NUL alone is gone, and the border between two parameters.
            assert not missing or sent.is_response, end
            assert set(found.tlvs) <= set(sent.tlvs), end
            continue
        assert found.status != 0, end
        if missing and isinstance(missing[0], CString) and not missing[0].lenient:
            assert found.status == missing[0].status, end
        assert (found.salvaged is not None) >= sent.is_response, end
        assert (codec.refusal(found) is None) == sent.is_response, end


@EACH
def test_what_an_smsc_brings_is_read_wherever_its_parameters_are_cut(sent: pdu.Pdu) -> None:
    if not sent.survives_torn_tlvs:
        return
    octets = codec.encode(sent)
    body_end = ends_of_fields(sent, octets)[-1][0]
    for end in range(body_end, len(octets)):
        cut = frame(sent.command_id, octets[16:end])
        found = read(cut)
        kept = found.salvaged if isinstance(found, PduError) else found
        assert type(kept) is type(sent)
        # The id may lack its NUL, of which its length tells.
        whole = {tag: value.rstrip(b"\0") for tag, value in sent.tlvs.items()}
        assert all(value.rstrip(b"\0") == whole[tag] for tag, value in kept.tlvs.items())
        assert [getattr(kept, name) for name, _ in pdu.fields_of(type(sent))] == [
            getattr(sent, name) for name, _ in pdu.fields_of(type(sent))
        ]


STRINGS = [
    (cls, name, wire) for cls in pdu.PDUS for name, wire in pdu.fields_of(cls) if isinstance(wire, CString)
]
EACH_STRING = pytest.mark.parametrize(
    ("cls", "name", "wire"), STRINGS, ids=[f"{cls.__name__} {name}" for cls, name, _ in STRINGS]
)


@EACH_STRING
def test_a_string_is_written_and_read_up_to_its_longest(cls: Any, name: str, wire: CString) -> None:
    for size in (0, 1, wire.size - 2, wire.size - 1):
        sent = cls(sequence_number=2, **{name: "9" * size})
        assert codec.decode(codec.encode(sent)) == sent
    with pytest.raises(EncodeError, match=name):
        codec.encode(cls(**{name: "9" * wire.size}))


@EACH_STRING
@pytest.mark.parametrize("beyond", [1, 2, 100, 255, 65000])
def test_a_string_beyond_its_longest_is_refused_by_name(
    cls: type[pdu.Pdu], name: str, wire: CString, beyond: int
) -> None:
    longest = max(wire.size, wire.reads) - 1
    whole = codec.encode(cls(sequence_number=2))
    at = 16
    for field, each in pdu.fields_of(cls):
        if field == name:
            break
        _, at = each.read(whole, at)
    octets = frame(cls.command_id, whole[16:at] + b"9" * (longest + beyond) + whole[at:])
    if wire.lenient:
        assert getattr(codec.decode(octets), name) == "9" * (longest + beyond)
        return
    with pytest.raises(PduError) as caught:
        codec.decode(octets)
    assert caught.value.status == wire.status


@pytest.mark.parametrize("size", [0, 1, 139, 140, 253, 254])
def test_a_text_is_written_up_to_254_octets(size: int) -> None:
    sent = pdu.DeliverSm(2, short_message=b"\0" * size)
    assert codec.decode(codec.encode(sent)) == sent


def test_a_text_of_255_octets_is_read_and_not_written() -> None:
    octets = codec.encode(pdu.DeliverSm(2, short_message=b"x" * MAX_SHORT_MESSAGE))
    body = octets[16:-255] + b"\xff" + b"x" * 255
    found = codec.decode(frame(pdu.DeliverSm.command_id, body))
    assert isinstance(found, pdu.DeliverSm)
    assert found.short_message == b"x" * 255
    with pytest.raises(EncodeError):
        codec.encode(found)


# Parameters


def parameter(tag: int, value: bytes, length: int | None = None) -> bytes:
    return struct.pack(">HH", tag, len(value) if length is None else length) + value


@pytest.mark.parametrize(
    ("tail", "first", "more"),
    [
        pytest.param(parameter(0x0424, b""), {0x0424: b""}, (), id="of no octets"),
        pytest.param(parameter(0, b""), {0: b""}, (), id="tag nought, of no octets"),
        pytest.param(parameter(0x1400, b"own"), {0x1400: b"own"}, (), id="unknown"),
        pytest.param(parameter(0xFFFF, b"\xff" * 9), {0xFFFF: b"\xff" * 9}, (), id="the last tag"),
        pytest.param(
            parameter(0x0381, b"1")
            + parameter(0x0427, b"\2")
            + parameter(0x0381, b"2")
            + parameter(0x0381, b"1"),
            {0x0381: b"1", 0x0427: b"\2"},
            ((0x0381, b"2"), (0x0381, b"1")),
            id="one tag three times",
        ),
        pytest.param(
            parameter(0x0424, parameter(0x001E, b"A1\0")),
            {0x0424: b"\0\x1e\0\3A1\0"},
            (),
            id="one in another",
        ),
        pytest.param(parameter(0x0424, b"x" * 60000), {0x0424: b"x" * 60000}, (), id="a long one"),
    ],
)
@EACH
def test_parameters_are_kept_as_they_came(
    sent: pdu.Pdu, tail: bytes, first: dict[int, bytes], more: tuple[tuple[int, bytes], ...]
) -> None:
    bare = type(sent)(sequence_number=2)
    found = codec.decode(frame(sent.command_id, codec.encode(bare)[16:] + tail))
    assert (found.tlvs, found.more_tlvs) == (first, more)
    assert codec.encode(found)[16:] == codec.encode(bare)[16:] + tail


@pytest.mark.parametrize("length", [2, 3, 4, 255, 256, 65535])
@EACH
def test_a_parameter_longer_than_the_pdu_is_told(sent: pdu.Pdu, length: int) -> None:
    bare = codec.encode(type(sent)(sequence_number=2))[16:]
    octets = frame(sent.command_id, bare + parameter(0x0427, b"\2") + parameter(0x0424, b"x", length))
    if not bare:
        assert codec.decode(octets).tlvs == {}
        return
    with pytest.raises(PduError) as caught:
        codec.decode(octets)
    assert caught.value.status == s.ESME_RINVPARLEN
    if sent.is_response or sent.survives_torn_tlvs:
        assert caught.value.salvaged is not None
        assert caught.value.salvaged.tlvs == {0x0427: b"\2", 0x0424: b"x"}
    else:
        assert caught.value.salvaged is None


def test_a_torn_repetition_is_kept_beside_the_first() -> None:
    found, more, fault = tlv.read(parameter(0x0424, b"one") + parameter(0x0424, b"tw", 9), 0)
    assert (found, more) == ({0x0424: b"one"}, ((0x0424, b"tw"),))
    assert fault is not None


# Lengths


@pytest.mark.parametrize("length", [0, 1, 15, MAX_PDU_LENGTH + 1, 1 << 24, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("command", [4, 5, 0x15, 0x80000004], ids=hex)
def test_a_length_that_cannot_be_costs_nothing(command: int, length: int) -> None:
    reader = codec.FrameReader()
    with pytest.raises(FramingError) as caught:
        reader.feed(struct.pack(">IIII", length, command, 0, 9))
    assert (caught.value.sequence_number, caught.value.frames, reader.buffered) == (9, [], 0)


@pytest.mark.parametrize("length", [MAX_PDU_LENGTH, MAX_PDU_LENGTH + 1, 0xFFFFFFFF])
def test_nothing_is_allocated_for_what_a_peer_only_announces(length: int) -> None:
    announced = struct.pack(">IIII", length, 5, 0, 9)
    tracemalloc.start()
    try:
        reader = codec.FrameReader()
        with suppress(FramingError):
            reader.feed(announced)
        assert tracemalloc.get_traced_memory()[1] < 8192
        assert reader.buffered <= len(announced)
    finally:
        tracemalloc.stop()


def test_the_response_bit_alone_decides_what_is_answered() -> None:
    for command in (*pdu.BY_COMMAND, 0x00010201, 0x80010201):
        found = read(frame(command, b"\xff" * 3))
        assert not isinstance(found, PduError) or (codec.refusal(found) is None) == bool(command & RESPONSE)
