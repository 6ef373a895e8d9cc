"""What the simulated SMSC saw: each message that arrived, each answer that it wrote, each receipt and MO with
the answers to them; in memory up to a bound, and line by line in a journal."""

import asyncio
import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.sms import coding, udh

KEPT: Final = 100_000
STATUSES: Final = 20  #: kept of the answers to one MO; the journal has them all


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
    status: int | None = None  #: of the answer that was written; none: no answer went out
    answers: int = 0
    state: str = ""  #: of the receipt
    receipts_sent: int = 0
    receipts_taken: int = 0  #: those answered with ESME_ROK

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
            "registered_delivery": self.registered_delivery,
            "validity_period": self.validity_period,
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
            "sent": self.sent,
            "sent_at": self.sent_at or None,
            "answered_at": self.answered_at,
            "statuses": list(self.statuses),
        }


# The journal's lines, told apart by `e`. A line each, as it happens; nothing is changed afterwards.


class Line(msgspec.Struct, tag_field="e", gc=False):
    at: float


class SubmitLine(Line, tag="submit"):
    """A message came in. `message_id` is empty when it was refused."""

    number: int
    system_id: str
    bind: int
    source: str
    destination: str
    message_id: str
    octets: str
    data_coding: int
    esm_class: int
    udh: tuple[int, int, int] | None
    text: str


class AnswerLine(Line, tag="answer"):
    """Its answer was handed to the connection."""

    number: int
    message_id: str
    status: int


class ReceiptLine(Line, tag="receipt"):
    """A receipt went out."""

    number: int
    message_id: str
    state: str


class ReceiptAnswerLine(Line, tag="receipt-answer"):
    number: int
    message_id: str
    status: int


class MoLine(Line, tag="mo"):
    """A customer's message was put in, in this part."""

    mo: int
    part: int
    source: str
    destination: str
    octets: str
    data_coding: int
    esm_class: int
    text: str


class MoSentLine(Line, tag="mo-sent"):
    mo: int
    part: int
    bind: int


class MoAnswerLine(Line, tag="mo-answer"):
    mo: int
    part: int
    status: int


class BindLine(Line, tag="bind"):
    """A session began (`what` is its kind), was refused, or ended."""

    bind: int
    system_id: str
    what: str


class Journal:
    """NDJSON, appended to. Lines gather until the event loop comes round, and are written in one call."""

    def __init__(self, path: Path) -> None:
        self._file: io.FileIO = path.open("ab", buffering=0)
        self._encode = msgspec.json.Encoder().encode_lines
        self._lines: list[Line] = []
        self._waiting = False
        self._loop = asyncio.get_running_loop()

    def add(self, line: Line) -> None:
        self._lines.append(line)
        if not self._waiting:
            self._waiting = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        self._waiting = False
        if self._lines and not self._file.closed:
            octets = memoryview(self._encode(self._lines))
            self._lines.clear()
            while octets:
                octets = octets[self._file.write(octets) :]

    def close(self) -> None:
        self.flush()
        self._file.close()


class Counts(msgspec.Struct):
    """How many of each, since the start."""

    binds: int = 0
    submits: int = 0  #: that came in, the refused included
    taken: int = 0  #: that were given a message id
    throttled: int = 0
    refused: int = 0  #: for another reason
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

    def receipt_sent(self, arrival: Arrival, at: float) -> None:
        self.counts.receipts_sent += 1
        arrival.receipts_sent += 1
        if self._journal is not None:
            self._journal.add(ReceiptLine(at, arrival.number, arrival.message_id, arrival.state))

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
