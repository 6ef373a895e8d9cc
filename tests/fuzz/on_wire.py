"""The codec, the cutting of streams into frames, and the times of SMPP."""

import struct
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Final

from gateway.smpp import codec, times
from gateway.smpp.constants import MAX_PDU_LENGTH, RESPONSE
from gateway.smpp.describe import describe, describe_frame
from gateway.smpp.errors import EncodeError, FramingError, PduError
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu, fields_of, response_to
from tests.fuzz import corpus, mutate
from tests.fuzz.program import Program, Script
from tests.fuzz.target import Target, must

HEADER: Final = 16


# The codec


def make_frame(random: Random) -> bytes:
    """A frame, nearly always one whose length holds: the others are the framing's matter."""
    frame = mutate.frame(random, corpus.FRAMES)
    if random.randrange(20):
        frame = struct.pack(">I", len(frame)) + frame[4:]
    return frame


def run_codec(data: bytes) -> None:
    """A PDU or a `PduError`; alike by the quick way and by the table; what was read can be written again."""
    try:
        pdu: Pdu | PduError = codec.decode(data)
    except PduError as error:
        pdu = error
    describe_frame(data)
    if len(data) >= HEADER:
        _alike(data, pdu)
    if isinstance(pdu, PduError):
        _refused(data, pdu)
    else:
        _round_trip(pdu)


def _alike(data: bytes, quick: Pdu | PduError) -> None:
    try:
        by_table: Pdu | PduError = codec.decode_by_table(data)
    except PduError as error:
        by_table = error
    if isinstance(quick, PduError) and isinstance(by_table, PduError):
        must((quick.status, quick.reason) == (by_table.status, by_table.reason), "both ways refuse alike")
    else:
        must(quick == by_table, "both ways read alike")


def _round_trip(pdu: Pdu) -> None:
    describe(pdu)
    try:
        octets = codec.encode(pdu)
    except EncodeError:
        return  # read more generously than written: long ids, names and texts
    again = codec.decode(octets)
    if pdu.is_response and pdu.command_status and octets[HEADER : HEADER + 1] < b" ":
        return  # a refusal without an id may be written in the other of its two forms
    must(again == pdu, "what was read comes back as it was written again")
    must(codec.encode(again) == octets, "and is written alike")


def _refused(data: bytes, error: PduError) -> None:
    answer = codec.refusal(error)
    if error.command_id & RESPONSE:
        must(answer is None, "a response is never answered")
    elif len(data) >= HEADER:
        must(answer is not None, "a request is always answered")
        said = codec.decode(answer or b"")
        expected = response_to(error.command_id)
        must(said.command_id == (expected.command_id if expected else RESPONSE), "by its response, or a nack")
        must(
            (said.sequence_number, said.command_status) == (error.sequence_number, error.status), "its number"
        )
        must(said.command_status != 0, "a refusal says no")
    if error.salvaged is not None:
        must(
            error.salvaged.is_response or type(error.salvaged) in (DeliverSm, DataSm),
            "only these are salvaged",
        )
        must(error.salvaged.sequence_number == error.sequence_number, "the salvaged keeps its number")
        if not error.salvaged.is_response:
            _salvaged(data, error.salvaged)


def _salvaged(data: bytes, salvaged: Pdu) -> None:
    """Without its parameters, and with the length that then holds, the same octets are a whole PDU."""
    at = HEADER
    for _, wire in fields_of(type(salvaged)):
        _, at = wire.read(data, at)
    whole = codec.decode(struct.pack(">I", at) + data[4:at])
    for name, _ in fields_of(type(salvaged)):
        must(getattr(whole, name) == getattr(salvaged, name), f"{name} is salvaged whole")


# Frames


def make_stream(random: Random) -> bytes:
    script = Script(random)
    frames = [mutate.frame(random, corpus.FRAMES) for _ in range(random.randint(1, 8))]
    if random.randrange(4):  # mostly a stream that holds to its end or near it
        frames = [struct.pack(">I", max(HEADER, len(frame))) + frame[4:] for frame in frames]
    script.octet(random.choice((0, 1, 1, 2, 3, 7, 15, 16, 17, 60, 255)))
    script.octet(random.randrange(256))
    script.rest(b"".join(frames)[: random.choice((1 << 20, 1 << 20, random.randint(0, 400)))])
    return script.octets()


def run_framing(data: bytes) -> None:
    """However it is cut: the same frames, the same end, and no more held than one PDU."""
    program = Program(data)
    step, variety = program.octet(), program.octet()
    stream = program.rest()
    whole, broken = _frames(codec.FrameReader(), [stream])
    pieces, at, turn = [], 0, 0
    while at < len(stream):
        size = 1 + (step + turn * variety) % 331 if variety & 1 else step or len(stream)
        pieces.append(stream[at : at + size])
        at, turn = at + size, turn + 1
    reader = codec.FrameReader()
    cut, broken_cut = _frames(reader, pieces)
    must((cut, broken_cut) == (whole, broken), "a stream gives the same frames however it is cut")
    must(b"".join(whole) == stream[: sum(map(len, whole))], "frames are the stream's own octets")
    must(
        all(len(frame) == struct.unpack_from(">I", frame)[0] for frame in whole), "each is as long as it says"
    )
    if broken is None:
        must(reader.buffered == len(stream) - sum(map(len, whole)), "what is no frame yet is kept")
        must(reader.buffered < MAX_PDU_LENGTH, "never a whole PDU")


def _frames(reader: codec.FrameReader, pieces: list[bytes]) -> tuple[list[bytes], int | None]:
    found: list[bytes] = []
    for piece in pieces:
        try:
            found += reader.feed(piece)
        except FramingError as error:
            must(
                not HEADER <= error.length <= MAX_PDU_LENGTH, "only a length that can't be breaks the stream"
            )
            must(reader.buffered == 0, "nothing is kept of a broken stream")
            return found + error.frames, error.length
    return found, None


# Times

NOW: Final = datetime(2026, 11, 22, 9, 44, tzinfo=UTC)
_ZONES: Final = (UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-9, minutes=-30)))


def make_time(random: Random) -> bytes:
    text = random.choice(corpus.TIMES)
    if random.randrange(3):
        text = "".join(
            random.choice("0123456789") for _ in range(random.choice((10, 12, 14, 15, 15, 15)))
        ).encode()
        text += random.choice((b"R", b"+", b"-", b"", b"r"))
    return random.randbytes(4) + (mutate.mutate(random, text, 2) if random.randrange(2) else text)


def run_times(data: bytes) -> None:
    """Any string is a moment or none; what we write means what was to be written."""
    program = Program(data)
    seconds, zone = program.pair() * 40, _ZONES[program.pair() % len(_ZONES)]
    text = program.rest().decode("latin-1")
    moment = times.moment(text, NOW)
    must(moment is None or moment.tzinfo is not None, "a moment has its zone")
    receipted = times.receipt_moment(text, zone)
    must(receipted is None or receipted.tzinfo is zone, "a receipt's date is in the zone given")
    after = timedelta(seconds=seconds)
    must(times.moment(times.relative(after), NOW) == NOW + after, "a relative time comes back")
    at = (NOW + after).astimezone(zone)
    must(times.moment(times.absolute(at), NOW) == at, "an absolute time comes back")
    if moment is not None and datetime(2000, 1, 1, tzinfo=UTC) < moment < datetime(2060, 1, 1, tzinfo=UTC):
        must(times.moment(times.absolute(moment), NOW) == moment, "and so does one that was read")


TARGETS: Final = (
    Target("codec", "PDUs bent in their structure, read, refused, written again", make_frame, run_codec),
    Target("framing", "streams cut anywhere, with lengths that lie", make_stream, run_framing),
    Target("times", "validity and schedule times, dates of receipts", make_time, run_times),
)
