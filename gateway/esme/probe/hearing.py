"""What the receipts that came say of the SMSC's habits."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.esme.probe.caller import Delivered
from gateway.esme.probe.findings import Findings
from gateway.esme.probe.ids import id_habits, looks, telling
from gateway.esme.probe.talk import BARE, Sent
from gateway.smpp import constants as c
from gateway.smpp import receipt, times, tlv
from gateway.smpp.constants import MessageState, Tag
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.receipt import Habits, State

TOPIC: Final = "receipts"
_QUARTER: Final = timedelta(minutes=15)


def receipts_in(came: Sequence[Delivered]) -> list[Delivered]:
    """Those among what came that read as receipts."""
    return [each for each in came if receipt.parse(each.pdu, BARE) is not None]


def ids(findings: Findings, alone: Sequence[Sent], stock: tuple[str, str]) -> Habits:
    """From messages whose receipt is theirs for certain: how ids are written on both sides."""
    pairs: list[tuple[str, str]] = []
    for sent in alone:
        if sent.message_id and sent.receipts:
            pairs += _pairs(findings, sent)
    if stock[0] and stock[1]:
        pairs.append(stock)
    if not pairs:
        findings.not_known("whether ids of receipts are written like those of responses: no receipt came")
        return receipt.DEFAULT
    responded, receipted = pairs[0]
    habits = id_habits(pairs)
    if not telling(pairs):
        findings.not_known(
            f"whether ids are hex on one side: {responded} (response) and {receipted} (receipt) are "
            "too short to tell; probe again when the SMSC counts higher"
        )
    if habits is None:
        findings.not_known(f"how the ids {responded} (response) and {receipted} (receipt) belong together")
        return receipt.DEFAULT
    why = f"response {responded}, its receipt {receipted}"
    for name in ("response_id", "receipt_id", "ignore_zeros", "ignore_case"):
        value = getattr(habits, name)
        if value != getattr(receipt.DEFAULT, name):
            findings.is_so(f"receipts.{name}", getattr(value, "value", value), why)
    return habits


def _pairs(findings: Findings, sent: Sent) -> list[tuple[str, str]]:
    """The response's id with that of the receipt; where text and parameter differ, the one that fits."""
    pdu = sent.receipts[0].pdu
    in_text = _text_id(pdu)
    in_tlv = tlv.text(pdu.tlvs, Tag.RECEIPTED_MESSAGE_ID) or ""
    if in_text and in_tlv and in_text != in_tlv:
        fits = [each for each in (in_tlv, in_text) if id_habits([(sent.message_id, each)]) is not None]
        findings.saw(TOPIC, "ids in one receipt", f"text {in_text}, receipted_message_id {in_tlv}")
        if fits == [in_text]:
            why = f"receipted_message_id {in_tlv} is not the response's {sent.message_id}"
            findings.is_so("receipts.prefer_tlv_id", False, why)
        return [(sent.message_id, each) for each in fits[:1]]
    found = in_tlv or in_text
    return [(sent.message_id, found)] if found else []


def forms_of_ids(findings: Findings, sent: Sequence[Sent], came: Sequence[Delivered]) -> None:
    """What all ids that were seen look like, in responses and in receipts."""
    responses = [each.message_id for each in sent if each.taken]
    receipts = [tlv.text(each.pdu.tlvs, Tag.RECEIPTED_MESSAGE_ID) or _text_id(each.pdu) for each in came]
    for name, seen in (("ids in responses", responses), ("ids in receipts", receipts)):
        if ids := [each for each in seen if each]:
            findings.saw(TOPIC, name, f"{ids[0]}: {looks(*ids)}")
        elif seen:
            findings.saw(TOPIC, name, "none")


def _text_id(pdu: DeliverSm | DataSm) -> str:
    """The id in the text, whatever the parameter says."""
    read = receipt.parse(pdu, BARE)
    return read.message_id if read is not None else ""


def forms(findings: Findings, came: Sequence[Delivered], to: str) -> None:
    """How receipts travel, and how they are written."""
    if not came:
        findings.not_known("how receipts are written: none came while it was waited for")
        return
    pdus = [each.pdu for each in came]
    read = [receipt.parse(pdu, BARE) for pdu in pdus]
    declared = sum(pdu.esm_class & c.ESM_TYPE_MASK != 0 for pdu in pdus)
    both = sum(Tag.RECEIPTED_MESSAGE_ID in pdu.tlvs and Tag.MESSAGE_STATE in pdu.tlvs for pdu in pdus)
    findings.saw(TOPIC, "they come", f"{len(pdus)} in all, {_ways(came)}")
    findings.saw(TOPIC, "esm_class says so", _share(declared, len(pdus)))
    findings.saw(TOPIC, "receipted_message_id and message_state", _share(both, len(pdus)))
    if declared < len(pdus) and both < len(pdus):
        why = f"{len(pdus) - declared} of {len(pdus)} came with esm_class 0x00"
        findings.is_so("receipts.without_esm_class", True, why)
    _customer(findings, came, to)
    words = Counter(each.word or "(none)" for each in read if each is not None)
    findings.saw(TOPIC, "stat", ", ".join(f"{word} × {count}" for word, count in words.most_common(6)))
    _words(findings, came)
    errs = sorted({each.err for each in read if each is not None and each.err})
    findings.saw(TOPIC, "err", ", ".join(errs[:6]) or "absent")
    _dates(findings, came)


def _ways(came: Sequence[Delivered]) -> str:
    ways = Counter(
        "data_sm"
        if isinstance(each.pdu, DataSm)
        else "deliver_sm with message_payload"
        if Tag.MESSAGE_PAYLOAD in each.pdu.tlvs
        else "deliver_sm"
        for each in came
    )
    return ", ".join(f"{count} by {way}" for way, count in ways.items())


def _share(count: int, whole: int) -> str:
    return "yes" if count == whole else "no" if not count else f"on {count} of {whole}"


def _customer(findings: Findings, came: Sequence[Delivered], to: str) -> None:
    """Which address is the customer's: the end of the number decides, whatever is before it."""
    tail = to.lstrip("+0")[-8:]
    source = sum(each.pdu.source_addr.endswith(tail) for each in came)
    destination = sum(each.pdu.destination_addr.endswith(tail) for each in came)
    if destination > source:
        why = "receipts bear the customer's number as their destination"
        findings.is_so("receipts.customer", "destination", why)
    where = "source" if source > destination else "destination" if destination > source else "neither"
    findings.saw(TOPIC, "the customer's number", f"in the {where} address")


def _words(findings: Findings, came: Sequence[Delivered]) -> None:
    """Words of its own, with the state that the parameter beside them tells."""
    words: dict[str, str] = {}
    for each in came:
        read = receipt.parse(each.pdu, Habits(without_esm_class=True, prefer_tlv_state=True))
        if read is None or not read.word or read.word in receipt.WORDS:
            continue
        state = tlv.octet(each.pdu.tlvs, Tag.MESSAGE_STATE)
        if state is not None and state in set(MessageState):
            words[read.word] = State[MessageState(state).name].value
        else:
            findings.not_known(f"what its word {read.word!r} means: say it in receipts.words")
    if words:
        findings.is_so("receipts.words", words, "as message_state beside them says")


def _dates(findings: Findings, came: Sequence[Delivered]) -> None:
    """The SMSC's clock: the date that it was done at, against ours when it came."""
    for each in came:
        read = receipt.parse(each.pdu, BARE)
        done = times.receipt_moment(read.done_date, UTC) if read is not None else None
        if read is None or done is None:
            continue
        ahead = done - datetime.fromtimestamp(each.at, UTC)
        quarters = round((ahead + timedelta(seconds=30)) / _QUARTER)
        digits = f"{len(read.done_date)} digits"
        if abs(ahead - quarters * _QUARTER) > timedelta(minutes=5) or abs(quarters) > 56:
            findings.saw(TOPIC, "dates", f"{digits}, {read.done_date}: {ahead} from our clock")
            findings.not_known("the SMSC's time zone: its dates are no whole quarter of an hour from ours")
            return
        hours, minutes = divmod(abs(quarters) * 15, 60)
        zone = f"{'-' if quarters < 0 else '+'}{hours:02}:{minutes:02}"
        findings.saw(TOPIC, "dates", f"{digits}, zone {zone}")
        findings.is_so("zone", zone, f"done date {read.done_date}, come at {_utc(each.at)}")
        return
    findings.not_known("the SMSC's time zone: its receipts bear no date that can be read")


def _utc(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%y%m%d%H%M} UTC"


def parts(findings: Findings, sent: Sequence[Sent], came: Sequence[Delivered], habits: Habits) -> None:
    """Of which part of a long text it reports."""
    ours = [each for each in sent if each.label in ("udh8 1/2", "udh8 2/2") and each.taken]
    if len(ours) < 2:
        ours = [each for each in sent if each.label in ("udh16 1/2", "udh16 2/2") and each.taken]
    if len(ours) < 2:
        findings.not_known("for which part of a long text it reports: none was taken by header")
        return
    read = [receipt.parse(each.pdu, BARE) for each in came]
    reported = [
        any(one is not None and receipt.same_id(each.message_id, one.message_id, habits) for one in read)
        for each in ours
    ]
    name = {(True, True): "each", (True, False): "first", (False, True): "last"}.get(
        (reported[0], reported[1])
    )
    if name is None:
        findings.not_known("for which part of a long text it reports: no receipt came for either")
        return
    findings.saw(TOPIC, "parts of a long text", f"reported: {name}")
    if name != "each":
        findings.is_so("receipts.parts", name, f"of two parts only the {name} one was reported")
