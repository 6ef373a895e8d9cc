"""Questions that cost messages: which encodings, joins and options are taken."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from gateway.esme.probe.findings import Findings
from gateway.esme.probe.talk import Sent, Talk
from gateway.smpp import times
from gateway.smpp.constants import ESM_UDHI, Tag
from gateway.sms import udh

TOPIC: Final = "messages"
LONG: Final = b"Huiyin probe: a long text in two parts. " * 6
UNKNOWN_TAG: Final = 0x1403
#: How long a message waits that is to be sent later: long enough to see, soon enough to end.
LATER: Final = timedelta(minutes=2)


class Try(NamedTuple):
    """One message that asks something."""

    label: str
    text: bytes
    fields: dict[str, Any]


def alphabets() -> list[Try]:
    """One for each data_coding."""
    plain = b"Huiyin probe: %s"
    ucs2 = "Huiyin 回音".encode("utf-16-be")
    return [
        Try("data_coding 0x00 (its default alphabet)", plain % b"default alphabet", {"data_coding": 0x00}),
        Try("data_coding 0x01 (ASCII)", plain % b"ASCII", {"data_coding": 0x01}),
        Try("data_coding 0x03 (Latin-1)", plain % b"Latin-1", {"data_coding": 0x03}),
        Try("data_coding 0x04 (binary)", plain % b"binary", {"data_coding": 0x04}),
        Try("data_coding 0x08 (UCS-2)", ucs2, {"data_coding": 0x08}),
        Try("data_coding 0x18 (UCS-2, flash)", ucs2, {"data_coding": 0x18}),
        Try("data_coding 0x10 (flash)", plain % b"flash", {"data_coding": 0x10}),
        Try("data_coding 0xF0 (flash)", plain % b"flash", {"data_coding": 0xF0}),
    ]


def joins() -> list[Try]:
    """The ways to send a long text; the reference is the time's, so that two probes do not mix."""
    reference = int(time.time())
    parts = (LONG[:130], LONG[130:])

    def headed(name: str, wide: bool) -> list[Try]:
        head = [udh.concatenation(reference & (0xFFFF if wide else 0xFF), 2, n, wide) for n in (1, 2)]
        return [Try(f"{name} {n}/2", head[n - 1] + parts[n - 1], {"esm_class": ESM_UDHI}) for n in (1, 2)]

    return [
        *headed("udh8", False),
        *headed("udh16", True),
        *(
            Try(
                f"sar {n}/2",
                parts[n - 1],
                {
                    "tlvs": {
                        int(Tag.SAR_MSG_REF_NUM): (reference & 0xFFFF).to_bytes(2, "big"),
                        int(Tag.SAR_TOTAL_SEGMENTS): b"\2",
                        int(Tag.SAR_SEGMENT_SEQNUM): bytes((n,)),
                    }
                },
            )
            for n in (1, 2)
        ),
        Try("payload", b"", {"tlvs": {int(Tag.MESSAGE_PAYLOAD): LONG}}),
        Try("long short_message", LONG[:220], {}),
    ]


def options(now: datetime) -> list[Try]:
    """Fields that an SMSC may refuse."""
    text = b"Huiyin probe: options"
    day, later = timedelta(days=1), now + LATER
    return [
        Try("validity, relative", text, {"validity_period": times.relative(day)}),
        Try("validity, absolute", text, {"validity_period": times.absolute(now + day)}),
        Try("schedule, absolute", text, {"schedule_delivery_time": times.absolute(later)}),
        Try("schedule, relative", text, {"schedule_delivery_time": times.relative(LATER)}),
        Try("priority_flag 1", text, {"priority_flag": 1}),
        Try("priority_flag 3", text, {"priority_flag": 3}),
        Try("intermediate notification asked for", text, {"registered_delivery": 0x11}),
        Try(f"an unknown parameter {UNKNOWN_TAG:#06x}", text, {"tlvs": {UNKNOWN_TAG: b"\x0a\x0b"}}),
    ]


#: As many as these questions take, tries after a throttle not counted.
MESSAGES: Final = len(alphabets()) + len(joins()) + len(options(datetime.now(UTC)))


async def ask(talk: Talk, findings: Findings, tries: list[Try]) -> list[Sent]:
    """Send them, one after the other; what is refused, or ends the session, is put down."""
    sent: list[Sent] = []
    for each in tries:
        outcome = await talk.send(each.label, each.text, **each.fields)
        if outcome is not None:
            sent.append(outcome)
            told = f" after {outcome.answer.seconds * 1000:.0f} ms" if outcome.answer.pdu is not None else ""
            told += "" if talk.alive else ", and the SMSC ended the session"
            findings.saw(TOPIC, each.label, outcome.words + told)
        elif talk.alive:
            why = "it was refused for being too fast" if talk.budget.left else "no message is left to spend"
            findings.not_known(f"{each.label}: {why}")
        if not talk.alive and not await talk.renew():
            findings.not_known(f"what comes after {each.label}: the SMSC ends each session")
            break
    return sent


def conclude(findings: Findings, sent: list[Sent]) -> None:
    """What the profile should say, after these answers."""
    taken = {each.label: each.taken for each in sent if each.answer.pdu is not None}

    def takes(*labels: str) -> bool | None:
        """Whether all are taken; None: not all were tried."""
        return all(taken[label] for label in labels) if all(label in taken for label in labels) else None

    ways = {
        "udh8": takes("udh8 1/2", "udh8 2/2"),
        "udh16": takes("udh16 1/2", "udh16 2/2"),
        "sar": takes("sar 1/2", "sar 2/2"),
        "payload": takes("payload"),
    }
    good = [way for way, works in ways.items() if works]
    if good and ways["udh8"] is False:
        findings.is_so("text.join", good[0], f"udh8 is refused; taken: {', '.join(good)}")
    elif ways["udh8"] is False:
        findings.not_known("how to send a long text: every way was refused")
    ucs2, flash = takes("data_coding 0x08 (UCS-2)"), takes("data_coding 0x10 (flash)")
    if ucs2 is False and takes("data_coding 0x18 (UCS-2, flash)"):
        findings.is_so("text.ucs2_coding", 0x18, "0x08 is refused, 0x18 is taken")
    if flash is False and takes("data_coding 0xF0 (flash)"):
        findings.is_so("text.flash", "f0", "0x10 is refused, 0xF0 is taken")
    _times(findings, "validity", ("relative", "absolute"), takes)
    _times(findings, "schedule", ("absolute", "relative"), takes)


def _times(findings: Findings, name: str, forms: tuple[str, str], takes: Any) -> None:
    usual, other = (takes(f"{name}, {form}") for form in forms)
    if usual is False and other:
        findings.is_so(name, forms[1], f"{forms[0]} times are refused, {forms[1]} ones are taken")
    elif usual is False and other is False:
        findings.is_so(name, "none", "refused in either form")


async def alone(talk: Talk, count: int = 2) -> list[Sent]:
    """Messages of which each waits for its receipt, so that the two belong together for certain."""
    sent: list[Sent] = []
    for number in range(1, count + 1):
        one = await talk.send(f"alone {number}", b"Huiyin probe: message %d" % number)
        if one is None:
            break
        sent.append(one)
        if one.taken:
            await talk.receipt_for(one, talk.bounds.receipt)
            if not one.receipts:
                break  # the next would not get one either, or late: then it could be this one's
    return sent


async def await_all(talk: Talk, sent: list[Sent], came: list[Any], seconds: float) -> None:
    """Until there are as many receipts as messages were taken, or nothing has come for a while."""
    wanted = sum(each.taken for each in sent)
    end = time.monotonic() + seconds
    quiet = min(seconds, 2.0)
    last = time.monotonic()
    while len(came) < wanted and talk.alive and time.monotonic() < end:
        news = talk.news()
        came += news
        if news:
            last = time.monotonic()
        if came and time.monotonic() - last > quiet:
            return
        await talk.hearer.stirred(0.1)
        await asyncio.sleep(0)
