"""The journals kept outside the gateway: what callers asked and heard, what the ticket system got, what
customers wrote. The SMSC keeps its own."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from gateway.simulator import record

T = TypeVar("T")

NEVER_AGAIN: Final = "marketing"  #: the lane whose messages are never sent a second time


@dataclass(slots=True)
class Asked:
    """One message that a caller asked for, alone or in a batch, and every answer that he saw."""

    tag: str  #: stands in the text and is the caller's reference
    to: str
    lane: str
    key: str | None = None  #: Idempotency-Key
    resolution: bool = False
    segments: int = 1  #: as the caller counts; checked against the answer
    ids: list[str] = field(default_factory=list)  #: one for each 2xx
    survey: str | None = None
    refused: list[int] = field(default_factory=list)  #: statuses that were no 2xx
    unanswered: int = 0  #: times that no answer came
    cancelled: bool = False  #: our wish to take it back was answered with 200
    asked_at: float = 0.0  #: when it was first asked for, monotonic
    heard_at: float = 0.0  #: when the first 2xx came

    @property
    def accepted(self) -> bool:
        return bool(self.ids)


@dataclass(slots=True)
class Call:
    """One call that the ticket system got."""

    at: float
    key: str  #: Idempotency-Key
    ticket: str
    score: int | None
    answered: int  #: HTTP status; 0: the connection was cut
    applied: bool


@dataclass(slots=True)
class Said:
    """One text that a customer wrote, and what it should come to."""

    mo: int  #: its number at the SMSC
    msisdn: str
    text: str
    ticket: str | None = None  #: the ticket whose question it answers
    score: int | None = None  #: the score that it states


@dataclass(slots=True, kw_only=True)
class Journals:
    """All that was seen from outside."""

    asked: dict[str, Asked] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    smsc: Path | None = None

    def keep(self, folder: Path) -> None:
        """Write them down, for whoever wants to look at a failure."""
        for name in ("asked", "calls", "said"):
            rows = getattr(self, name)
            rows = rows.values() if isinstance(rows, dict) else rows
            lines = [json.dumps(asdict(row), ensure_ascii=False) for row in rows]
            (folder / f"{name}.ndjson").write_text("\n".join(lines), "utf-8")


_LINE: Final = (
    record.SubmitLine
    | record.AnswerLine
    | record.ReceiptLine
    | record.ReceiptAnswerLine
    | record.MoLine
    | record.MoSentLine
    | record.MoAnswerLine
    | record.BindLine
    | record.CancelLine
    | record.ReplaceLine
)


@dataclass(slots=True)
class Smsc:
    """The SMSC's journal, read."""

    submits: list[record.SubmitLine] = field(default_factory=list)
    answered: dict[int, int] = field(default_factory=dict)  #: submit → status, if an answer was written
    receipts_taken: set[int] = field(default_factory=set)  #: submits whose receipt was answered OK
    receipts_sent: set[int] = field(default_factory=set)
    #: submit → the states of its receipts, in their order, and how many of them were answered OK
    states: dict[int, list[str]] = field(default_factory=dict)
    heard: Counter[int] = field(default_factory=Counter)
    binds: list[record.BindLine] = field(default_factory=list)
    mos: dict[int, dict[int, record.MoLine]] = field(default_factory=dict)  #: MO → part → line
    mos_sent: dict[tuple[int, int], list[int]] = field(default_factory=dict)  #: (MO, part) → binds
    mos_taken: set[tuple[int, int]] = field(default_factory=set)  #: (MO, part) answered OK

    def taken(self, mo: int) -> bool:
        """Whether all parts of a customer's message were answered OK."""
        return all((mo, part) in self.mos_taken for part in self.mos.get(mo, ()))


def read_smsc(path: Path) -> Smsc:
    """The SMSC's journal from its file."""
    return gather(msgspec.json.Decoder(_LINE).decode_lines(path.read_bytes()))


def gather(lines: Iterable[Any]) -> Smsc:
    """The SMSC's journal from its lines."""
    seen = Smsc()
    for line in lines:
        match line:
            case record.SubmitLine():
                seen.submits.append(line)
            case record.AnswerLine(number=number, status=status):
                seen.answered[number] = status
            case record.ReceiptLine(number=number, state=state):
                seen.receipts_sent.add(number)
                seen.states.setdefault(number, []).append(state)
            case record.ReceiptAnswerLine(number=number, status=0):
                seen.receipts_taken.add(number)
                seen.heard[number] += 1
            case record.BindLine():
                seen.binds.append(line)
            case record.MoLine(mo=mo, part=part):
                seen.mos.setdefault(mo, {})[part] = line
            case record.MoSentLine(mo=mo, part=part, bind=bind):
                seen.mos_sent.setdefault((mo, part), []).append(bind)
            case record.MoAnswerLine(mo=mo, part=part, status=0):
                seen.mos_taken.add((mo, part))
            case _:
                pass
    return seen


def by(rows: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    """Rows in groups."""
    groups: dict[Any, list[T]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
