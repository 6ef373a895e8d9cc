"""The journal of the simulated SMSC: a line of JSON for each thing seen, as it happens; nothing is changed
afterwards."""

import asyncio
import io
from pathlib import Path

import msgspec


class Line(msgspec.Struct, tag_field="e", gc=False):
    at: float


class SubmitLine(Line, tag="submit", omit_defaults=True):
    """A message came in. `message_id` is empty when it was refused. The end: what few say."""

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
    registered_delivery: int = 0
    validity_period: str = ""
    schedule_delivery_time: str = ""
    priority_flag: int = 0
    protocol_id: int = 0
    service_type: str = ""
    replace_if_present_flag: int = 0
    tlvs: dict[str, str] = {}


class AnswerLine(Line, tag="answer"):
    """Its answer was handed to the connection."""

    number: int
    message_id: str
    status: int


class ReplaceLine(Line, tag="replace"):
    """Its text was replaced before it was delivered."""

    number: int
    message_id: str
    octets: str


class CancelLine(Line, tag="cancel"):
    """It was deleted before it was delivered, at the client's bidding."""

    number: int
    message_id: str


class ReceiptLine(Line, tag="receipt"):
    """A receipt went out."""

    number: int
    message_id: str
    state: str


class ReceiptAnswerLine(Line, tag="receipt-answer"):
    number: int
    message_id: str
    status: int


class MoLine(Line, tag="mo", omit_defaults=True):
    """A customer's message was put in, in this part."""

    mo: int
    part: int
    source: str
    destination: str
    octets: str
    data_coding: int
    esm_class: int
    text: str
    tlvs: dict[str, str] = {}


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
