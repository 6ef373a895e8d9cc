"""Texts in every coding, headers, receipts of all dialects, and long texts put together from their parts."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, get_args

from gateway.smpp import receipt
from gateway.smpp.constants import ESM_UDHI, Tag
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.receipt import Habits, IdForm, Receipt
from gateway.sms import coding, reassembly, segment, shifts, udh
from gateway.sms.cutting import Cutting, Join
from tests.fuzz import corpus, mutate
from tests.fuzz.program import Program, Script
from tests.fuzz.target import Target, must

ALPHABETS: Final[tuple[coding.DefaultAlphabet, ...]] = get_args(coding.DefaultAlphabet)
LANGUAGES: Final = tuple(shifts.Shift)
CUTTINGS: Final = (
    *(Cutting(join=join) for join in Join),
    *(Cutting(join=join, fold=True) for join in Join),
    *(Cutting(join=join, shifts=LANGUAGES) for join in Join),
    *(Cutting(join=join, shifts=LANGUAGES[:2], fold=True) for join in Join),
    *(Cutting(default=default) for default in ALPHABETS),
    *(Cutting(default=default, fold=True, join=Join.UDH16) for default in ALPHABETS),
)

# Texts


def make_text(random: Random) -> bytes:
    script = Script(random)
    script.octet(random.choice((0, 0, 1, 3, 4, 8, 8, 15, 0x11, 0x18, 0xF1, random.randrange(256))))
    script.octet(random.randrange(256))
    script.octet(random.randrange(len(CUTTINGS)))
    kind = random.randrange(4)
    if kind == 0:
        script.rest(random.randbytes(random.randint(0, 300)))
    elif kind == 1:
        script.rest(random.choice(corpus.HEADERS) + random.choice(corpus.TEXT_OCTETS))
    elif kind == 2:
        pieces = [random.choice(corpus.TEXTS)[: random.randint(0, 90)] for _ in range(random.randint(1, 6))]
        script.rest("".join(pieces).encode("utf-8"))
    else:
        script.rest(mutate.mutate(random, random.choice(corpus.TEXT_OCTETS)))
    return script.octets()


def run_text(data: bytes) -> None:
    """Any octets give a text that can be stored; any text gives segments that give it back."""
    program = Program(data)
    data_coding, choice = program.octet(), program.octet()
    cutting = CUTTINGS[program.octet() % len(CUTTINGS)]
    octets = program.rest()
    header, text = udh.take(octets, choice & udh.UDHI)
    packed = bool(choice & 0x80)
    decoded = coding.decode(text, data_coding, ALPHABETS[choice % len(ALPHABETS)], header, packed)
    storable(decoded.text)
    must(len(decoded.text) <= 2 * len(text) + 1, "a text does not outgrow its octets")
    _segments(octets.decode("utf-8", "ignore" if choice & 0x20 else "surrogateescape"), choice, cutting)


def storable(text: str) -> None:
    text.encode("utf-8")  # no half of a surrogate pair
    must("\0" not in text, "no NUL, which no database takes")


def _segments(text: str, reference: int, cutting: Cutting) -> None:
    measured = segment.measure(text, cutting)
    if measured.segments > segment.MAX_SEGMENTS:
        return
    whole = segment.split(text, reference, cutting)
    must((whole.encoding, len(whole.payloads)) == measured, "as many parts as were measured, encoded so")
    must(
        (whole.join is None) == (len(whole.payloads) == 1) or whole.join is Join.PAYLOAD, "one needs no join"
    )
    again = []
    for number, payload in enumerate(whole.payloads, 1):
        header, rest = udh.take(payload, whole.esm_class)
        must(not header.ill_formed, "its header holds to the rules")
        if whole.join in (Join.UDH8, Join.UDH16):
            wide = whole.join is Join.UDH16
            must(
                header.concatenation == (reference, len(whole.payloads), number, wide),
                "a part knows its place",
            )
        if whole.join is not Join.PAYLOAD:
            _fits(len(payload) - len(rest), rest, whole, cutting)
        again.append(_read(rest, header, whole, cutting))
    chosen = segment.chosen_text(text, cutting)
    must(cutting.fold or chosen == text, "nobody asked for another text")
    must("".join(again) == _shown(chosen), "the parts are the text")
    must(_shown("".join(segment.pieces(text, cutting))) == _shown(chosen), "and so is what a preview shows")


def _shown(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in text)


def _fits(header: int, rest: bytes, whole: segment.Split, cutting: Cutting) -> None:
    if cutting.default != "gsm7":
        must(header + len(rest) <= 254, "a short_message")
    elif whole.encoding == "gsm7":
        must((8 * header + 6) // 7 + len(rest) <= 160, "160 septets on the air, the header's among them")
    else:
        must(header + len(rest) <= 140, "140 octets on the air")


def _read(rest: bytes, header: udh.Udh, whole: segment.Split, cutting: Cutting) -> str:
    if whole.encoding == "ucs2":
        return rest.decode("utf-16-be")  # raises where a surrogate pair is torn
    if cutting.default != "gsm7":
        return rest.decode(segment.codec_of(cutting.default))
    text, well_formed = shifts.tables(*header.languages).decode(rest)
    must(well_formed, "no escape is torn")
    return text


# Headers


def make_header(random: Random) -> bytes:
    header = random.choice(corpus.HEADERS) + random.choice(corpus.TEXT_OCTETS)[:40]
    return mutate.mutate(random, header) if random.randrange(8) else random.randbytes(random.randint(0, 30))


def run_udh(data: bytes) -> None:
    """The text is what is behind the header; a header that holds to the rules can be built again."""
    header, text = udh.parse(data)
    must(data.endswith(text), "the text is the message's end")
    if not header.ill_formed:
        must(udh.build(header.elements) + text == data, "the same elements are the same octets")
    if (found := header.concatenation) is not None:
        must(1 <= found.number <= found.total, "a part has a place in its text")
        must(0 <= found.reference <= (0xFFFF if found.wide else 0xFF), "and a reference of its width")
    must(udh.take(data, 0) == (udh.NO_UDH, data), "what no esm_class announces is none")


# Receipts

HABITS: Final = (
    receipt.DEFAULT,
    Habits(without_esm_class=True),
    Habits(prefer_tlv_id=False, prefer_tlv_state=True, accepted_is_final=True),
    Habits(response_id=IdForm.HEX, receipt_id=IdForm.DECIMAL, ignore_zeros=True, ignore_case=True),
)
FORGING: Final = 0x80


def make_receipt(random: Random) -> bytes:
    script = Script(random)
    script.octet(random.randrange(256))
    script.octet(random.choice((4, 4, 4, 0x20, 0x24, 0, 0x44, random.randrange(256))))
    script.piece(random.choice((b"", b"", b"1\0", random.randbytes(random.randint(0, 70)))))
    script.piece(random.choice((b"", b"", b"\2", b"\0\0\0\5", b"\x63")))
    text = random.choice(corpus.RECEIPTS)
    if random.randrange(4):
        text = mutate.mutate(random, text)
    script.piece(text)
    script.rest(mutate.splice(random, random.choice(corpus.RECEIPTS), random.choice(corpus.RECEIPTS)))
    return script.octets()


def run_receipt(data: bytes) -> None:
    """Never raises; and what stands behind `text:` gives no id, whoever wrote it."""
    program = Program(data)
    choice, esm_class = program.octet(), program.octet()
    tlvs: dict[int, bytes] = {}
    for tag in (Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE):
        if value := program.piece():
            tlvs[int(tag)] = value
    text, words = program.piece(), program.rest()
    habits = HABITS[choice % len(HABITS)]
    if choice & FORGING:
        _no_forgery(text, words, esm_class & ~ESM_UDHI, tlvs, habits)
        return
    in_payload = bool(choice & 0x40)
    cls: Any = DataSm if in_payload else DeliverSm
    more = tlvs | {int(Tag.MESSAGE_PAYLOAD): text} if in_payload else tlvs
    carried = {} if in_payload else {"short_message": text}
    _sound(receipt.parse(cls(esm_class=esm_class, tlvs=more, **carried), habits), habits)


def _sound(found: Receipt | None, habits: Habits) -> None:
    if found is None:
        return
    for field in Receipt.__struct_fields__:
        value = getattr(found, field)
        if isinstance(value, str):
            storable(value)
    for date in (found.submit_date, found.done_date):
        must(date == "" or (date.isdigit() and 10 <= len(date) <= 14), "a date is its digits")
    receipt.receipt_key(found.message_id, habits)
    receipt.response_key(found.message_id, habits)
    receipt.alike(found.message_id, "0123456789")


def _no_forgery(head: bytes, words: bytes, esm_class: int, tlvs: dict[int, bytes], habits: Habits) -> None:
    if len(head) < 2 or b"\0" in head[:2] or len(head) > 1500:
        return  # UCS-2 would take `text:` for other signs; beyond 2048 octets nothing is read
    parsed = [
        receipt.parse(
            DeliverSm(esm_class=esm_class, tlvs=tlvs, short_message=head + b" text:" + said), habits
        )
        for said in (b"", words)
    ]
    honest, forged = parsed
    _sound(forged, habits)
    if honest is not None:
        must(forged is not None, "words do not unmake a receipt")
    if honest is not None and forged is not None:
        must(forged.message_id == honest.message_id, "words behind text: give no id")
    if honest is None and forged is not None:
        must(forged.message_id == honest_id(head, tlvs, habits), "nor make one")


def honest_id(head: bytes, tlvs: dict[int, bytes], habits: Habits) -> str:
    """The id in the head alone, read as a receipt's."""
    pdu = DeliverSm(esm_class=4, tlvs=tlvs, short_message=head + b" text:")
    found = receipt.parse(pdu, habits)
    return found.message_id if found else ""


# Reassembly

LIMITS: Final = reassembly.Limits(wait=timedelta(minutes=10), per_sender=12, in_all=40, remembered=6)
START: Final = datetime(2026, 11, 22, tzinfo=UTC)


def make_parts(random: Random) -> bytes:
    script = Script(random)
    parts: list[bytes] = []
    for _ in range(random.randint(1, 6)):
        total = random.choice((1, 2, 2, 3, 3, 5, 14, 255))
        sender, reference = random.randrange(5), random.choice((0, 1, 1, 2, 255))
        text = random.choice(corpus.TEXT_OCTETS)
        parts += [
            bytes((sender, reference, total, number, random.choice((0, 8, 4)), 0)) + text[number:][:6]
            for number in range(1, min(total, 16) + 1)
        ]
    if random.randrange(3):
        random.shuffle(parts)
    for part in parts:
        for _ in range(random.choice((0, 1, 1, 1, 1, 2))):
            script.piece(mutate.mutate(random, part, 1) if not random.randrange(10) else part)
    return script.octets()


def run_parts(data: bytes) -> None:
    """Bounds kept; every part is given out, and once, unless it is one that was there before."""
    program = Program(data)
    reassembler, now = reassembly.Reassembler(LIMITS), START
    out: list[reassembly.Complete | reassembly.Incomplete] = []
    seen: dict[tuple[reassembly.Key, int, bytes], str] = {}
    repeated: set[str] = set()
    count = 0
    while program:
        fields = Program(program.piece())
        sender, reference, total, number, data_coding, wait = (fields.octet() for _ in range(6))
        count += 1
        part = reassembly.Part(
            id=str(count),
            route="route",
            sender=str(sender % 5),
            recipient="10086",
            reference=reference,
            total=total,
            number=number,
            octets=fields.rest(),
            data_coding=data_coding,
        )
        if seen.setdefault((part.key, number, part.octets), part.id) != part.id:
            repeated.add(part.id)
        now += timedelta(seconds=wait)
        if (complete := reassembler.add(part, now)) is not None:
            out.append(complete)
        must(len(reassembler) <= LIMITS.in_all, "no more waits than may")
        must(all(n <= LIMITS.per_sender for n in reassembler._counts.values()), "nor of one sender")
        must(len(reassembler._done) <= LIMITS.remembered, "nor is more remembered")
        if wait & 1:
            out += reassembler.expire(now)
    out += reassembler.expire(now + LIMITS.wait)
    _all_there(out, count, repeated)
    must(
        len(reassembler) == len(reassembler._groups) == len(reassembler._counts) == 0,
        "nothing is left behind",
    )


def _all_there(
    out: list[reassembly.Complete | reassembly.Incomplete], count: int, repeated: set[str]
) -> None:
    ids = [each for text in out for each in text.parts]
    must(len(ids) == len(set(ids)), "a part is given out once")
    lost = {str(n) for n in range(1, count + 1)} - set(ids) - repeated
    must(not lost, f"no part is lost ({lost})")
    for text in out:
        storable(text.text)
        if isinstance(text, reassembly.Incomplete):
            must(text.missing and reassembly.GAP in text.text, "what is missing is marked")


TARGETS: Final = (
    Target("text", "octets in every data_coding, texts cut into segments", make_text, run_text),
    Target("udh", "headers before a text", make_header, run_udh),
    Target(
        "receipts", "receipts of many dialects, and words that would forge them", make_receipt, run_receipt
    ),
    Target("reassembly", "parts in any order, doubled, lost and mixed", make_parts, run_parts),
)
