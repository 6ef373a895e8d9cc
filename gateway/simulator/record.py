"""What the simulated SMSC saw: each message that arrived, each answer that it wrote, each receipt and MO with
the answers to them; in memory up to a bound, and line by line in a journal."""

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from gateway.simulator.journal import (
    AnswerLine,
    BindLine,
    CancelLine,
    Journal,
    Line,
    MoAnswerLine,
    MoLine,
    MoSentLine,
    ReceiptAnswerLine,
    ReceiptLine,
    ReplaceLine,
    SubmitLine,
)
from gateway.smpp import tlv
from gateway.smpp.constants import Tag
from gateway.sms import coding, udh

__all__ = [
    "KEPT",
    "AnswerLine",
    "Arrival",
    "BindLine",
    "CancelLine",
    "Counts",
    "Journal",
    "Line",
    "MoAnswerLine",
    "MoLine",
    "MoPart",
    "MoSentLine",
    "ReceiptAnswerLine",
    "ReceiptLine",
    "Record",
    "ReplaceLine",
    "SubmitLine",
]

KEPT: Final = 100_000
STATUSES: Final = 20  #: kept of the answers to one MO; the journal has them all


_SAR: Final = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)


def shown_tlvs(tlvs: dict[int, bytes]) -> dict[str, str]:
    """Parameters by their names, in hex; the text's own is shown as `octets`."""
    return {tlv.name(tag): value.hex() for tag, value in tlvs.items() if tag != Tag.MESSAGE_PAYLOAD}


class Arrival(msgspec.Struct, gc=False):
    """One submit_sm or data_sm, and what became of it. Times are seconds since 1970."""

    number: int
    at: float
    system_id: str
    bind: int
    source: str
    destination: str
    data_coding: int
    esm_class: int
    octets: bytes  #: with the header, as they came
    registered_delivery: int
    source_kind: bytes  #: TON and NPI
    destination_kind: bytes
    validity_period: str
    message_id: str  #: empty when it was not taken
    tlvs: dict[int, bytes] = {}
    status: int | None = None  #: of the answer that was written; none: no answer went out
    answers: int = 0
    state: str = ""  #: of the receipt
    receipts_sent: int = 0
    receipts_taken: int = 0  #: those answered with ESME_ROK
    service_type: str = ""
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    replace_if_present_flag: int = 0
    withdrawn: bool = False  #: cancelled or replaced before it was delivered
    concluded_at: float = 0.0  #: when its receipt said the last word

    @property
    def part(self) -> tuple[int, int, int] | None:
        """Reference, total and number of this part of a long text, by its header or its sar_* parameters."""
        header = self.header
        if header is not None:
            return header[:3]
        found = [tlv.octet(self.tlvs, tag) for tag in _SAR]
        return None if None in found else (found[0] or 0, found[1] or 0, found[2] or 0)

    @property
    def header(self) -> udh.Concatenation | None:
        """Which part of which long text this is."""
        return udh.take(self.octets, self.esm_class)[0].concatenation

    @property
    def text(self) -> str:
        """What the segment says."""
        return coding.decode(udh.take(self.octets, self.esm_class)[1], self.data_coding).text

    def shown(self) -> dict[str, Any]:
        """As the control interface and the journal show it."""
        parsed, octets = udh.take(self.octets, self.esm_class)
        part = parsed.concatenation
        return {
            "number": self.number,
            "at": self.at,
            "system_id": self.system_id,
            "bind": self.bind,
            "source": self.source,
            "destination": self.destination,
            "text": coding.decode(octets, self.data_coding).text,
            "octets": self.octets.hex(),
            "data_coding": self.data_coding,
            "esm_class": self.esm_class,
            "udh": None if part is None else [part.reference, part.total, part.number],
            "message_class": coding.scheme_of(self.data_coding).message_class,
            "registered_delivery": self.registered_delivery,
            "validity_period": self.validity_period,
            "schedule_delivery_time": self.schedule_delivery_time,
            "priority_flag": self.priority_flag,
            "protocol_id": self.protocol_id,
            "service_type": self.service_type,
            "replace_if_present_flag": self.replace_if_present_flag,
            "tlvs": shown_tlvs(self.tlvs),
            "message_id": self.message_id,
            "status": self.status,
            "answers": self.answers,
            "state": self.state,
            "receipts_sent": self.receipts_sent,
            "receipts_taken": self.receipts_taken,
        }


class MoPart(msgspec.Struct, gc=False):
    """One deliver_sm of a customer's message, and the answers that it got."""

    mo: int  #: the message that it belongs to
    part: int  #: 1 for the first
    at: float
    source: str
    destination: str
    data_coding: int
    esm_class: int
    octets: bytes
    sent: int = 0  #: how often it went out
    sent_at: float = 0.0  #: last
    answered_at: float | None = None  #: with ESME_ROK
    statuses: list[int] = []
    tlvs: dict[int, bytes] | None = None
    in_payload: bool = False  #: in message_payload, however short

    @property
    def taken(self) -> bool:
        return self.answered_at is not None

    def shown(self) -> dict[str, Any]:
        """As the control interface and the journal show it."""
        octets = udh.take(self.octets, self.esm_class)[1]
        return {
            "mo": self.mo,
            "part": self.part,
            "at": self.at,
            "source": self.source,
            "destination": self.destination,
            "text": coding.decode(octets, self.data_coding).text,
            "octets": self.octets.hex(),
            "data_coding": self.data_coding,
            "esm_class": self.esm_class,
            "tlvs": shown_tlvs(self.tlvs or {}),
            "sent": self.sent,
            "sent_at": self.sent_at or None,
            "answered_at": self.answered_at,
            "statuses": list(self.statuses),
        }


class Counts(msgspec.Struct):
    """How many of each, since the start."""

    binds: int = 0
    submits: int = 0  #: that came in, the refused included
    taken: int = 0  #: that were given a message id
    throttled: int = 0
    refused: int = 0  #: for another reason
    cancelled: int = 0  #: by cancel_sm
    replaced: int = 0  #: by replace_sm, or by a message that bade so
    answers: int = 0  #: written
    receipts_sent: int = 0
    receipts_taken: int = 0
    receipts_refused: int = 0
    mos: int = 0  #: deliver_sm of customers, each part one
    mos_sent: int = 0
    mos_taken: int = 0
    mos_refused: int = 0
    malformed: int = 0
    faults: int = 0


class Record:
    """All that was seen, the last `kept` of each kind, and the counts of everything."""

    def __init__(self, journal: Journal | None = None, kept: int = KEPT) -> None:
        self.counts = Counts()
        self.arrivals: deque[Arrival] = deque(maxlen=kept)
        self.mos: deque[MoPart] = deque(maxlen=kept)
        self._journal = journal

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def messages(self, to: str = "", since: int = 0) -> Iterator[Arrival]:
        """What arrived for a number, or for all, after the one numbered `since`; oldest first."""
        return (each for each in self.arrivals if each.number > since and each.destination.endswith(to))

    def copies(self, to: str = "") -> list[list[Arrival]]:
        """What was taken more than once, of what is kept: same source, destination and octets."""
        alike: dict[tuple[str, str, bytes], list[Arrival]] = {}
        for each in self.arrivals:
            if each.message_id and each.destination.endswith(to):
                alike.setdefault((each.source, each.destination, each.octets), []).append(each)
        return [same for same in alike.values() if len(same) > 1]

    def copy_figures(self) -> dict[str, int]:
        """How many were taken more than once, the copies beyond the first, and of one at most."""
        alike = Counter(
            (each.source, each.destination, each.octets) for each in self.arrivals if each.message_id
        )
        several = [times for times in alike.values() if times > 1]
        return {
            "messages": len(alike),
            "repeated": len(several),
            "extra": sum(several) - len(several),
            "most": max(several, default=min(len(alike), 1)),
        }

    def bound(self, at: float, bind: int, system_id: str, what: str) -> None:
        self.counts.binds += what.startswith("bind_")
        if self._journal is not None:
            self._journal.add(BindLine(at, bind, system_id, what))

    def arrived(self, arrival: Arrival) -> None:
        self.counts.submits += 1
        if arrival.message_id:
            self.counts.taken += 1
        self.arrivals.append(arrival)
        if self._journal is not None:
            parsed, octets = udh.take(arrival.octets, arrival.esm_class)
            part = parsed.concatenation
            self._journal.add(
                SubmitLine(
                    arrival.at,
                    arrival.number,
                    arrival.system_id,
                    arrival.bind,
                    arrival.source,
                    arrival.destination,
                    arrival.message_id,
                    arrival.octets.hex(),
                    arrival.data_coding,
                    arrival.esm_class,
                    part and part[:3],
                    coding.decode(octets, arrival.data_coding).text,
                    arrival.registered_delivery,
                    arrival.validity_period,
                    arrival.schedule_delivery_time,
                    arrival.priority_flag,
                    arrival.protocol_id,
                    arrival.service_type,
                    arrival.replace_if_present_flag,
                    shown_tlvs(arrival.tlvs) if arrival.tlvs else {},
                )
            )

    def answered(self, written: list[tuple[Arrival, int]], at: float) -> None:
        """These answers have been handed to the connection."""
        self.counts.answers += len(written)
        for arrival, status in written:
            arrival.status = status
            arrival.answers += 1
            if self._journal is not None:
                self._journal.add(AnswerLine(at, arrival.number, arrival.message_id, status))

    def replaced(self, arrival: Arrival, at: float) -> None:
        self.counts.replaced += 1
        if self._journal is not None:
            line = ReplaceLine(at, arrival.number, arrival.message_id, arrival.octets.hex())
            self._journal.add(line)

    def cancelled(self, arrival: Arrival, at: float) -> None:
        self.counts.cancelled += 1
        if self._journal is not None:
            self._journal.add(CancelLine(at, arrival.number, arrival.message_id))

    def receipt_sent(self, arrival: Arrival, at: float, said: str = "") -> None:
        """A receipt went out; `said` is the state in it where it is not the message's."""
        self.counts.receipts_sent += 1
        arrival.receipts_sent += 1
        if self._journal is not None:
            self._journal.add(ReceiptLine(at, arrival.number, arrival.message_id, said or arrival.state))

    def receipt_answered(self, arrival: Arrival, status: int, at: float) -> None:
        if status == 0:
            self.counts.receipts_taken += 1
            arrival.receipts_taken += 1
        else:
            self.counts.receipts_refused += 1
        if self._journal is not None:
            self._journal.add(ReceiptAnswerLine(at, arrival.number, arrival.message_id, status))

    def injected(self, part: MoPart) -> None:
        self.counts.mos += 1
        self.mos.append(part)
        if self._journal is not None:
            text = coding.decode(udh.take(part.octets, part.esm_class)[1], part.data_coding).text
            self._journal.add(
                MoLine(
                    part.at,
                    part.mo,
                    part.part,
                    part.source,
                    part.destination,
                    part.octets.hex(),
                    part.data_coding,
                    part.esm_class,
                    text,
                    shown_tlvs(part.tlvs) if part.tlvs else {},
                )
            )

    def mo_sent(self, part: MoPart, bind: int, at: float) -> None:
        self.counts.mos_sent += 1
        part.sent += 1
        part.sent_at = at
        if self._journal is not None:
            self._journal.add(MoSentLine(at, part.mo, part.part, bind))

    def mo_answered(self, part: MoPart, status: int, at: float) -> None:
        if len(part.statuses) < STATUSES:
            part.statuses.append(status)
        if status == 0:
            self.counts.mos_taken += 1
            part.answered_at = part.answered_at or at
        else:
            self.counts.mos_refused += 1
        if self._journal is not None:
            self._journal.add(MoAnswerLine(at, part.mo, part.part, status))
