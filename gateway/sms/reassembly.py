"""Long texts from customers put together from their parts, in any order and with bounded memory.

Where the part numbers came from (header, sar_* TLVs) is the caller's knowledge.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple

from gateway.sms import coding, udh

#: Stands in an incomplete text where parts are missing.
GAP: Final = "[…]"


class Key(NamedTuple):
    """What the parts of one long text have in common."""

    route: str
    sender: str
    recipient: str
    reference: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part as it arrived: the octets after the header, septets unpacked, and the caller's id."""

    id: str
    route: str
    sender: str
    recipient: str
    reference: int
    total: int
    number: int  #: 1 to total
    octets: bytes
    data_coding: int
    default: coding.DefaultAlphabet = "gsm7"
    header: udh.Udh = udh.NO_UDH  #: names the languages of a GSM text

    @property
    def key(self) -> Key:
        return Key(self.route, self.sender, self.recipient, self.reference, self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """All parts are there; `parts` are their ids, in the order of the text."""

    key: Key
    text: str
    ill_formed: bool
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """Given up with what there is: the text has GAP where parts are missing, whose numbers are listed."""

    key: Key
    text: str
    ill_formed: bool
    parts: tuple[str, ...]
    missing: tuple[int, ...]


@dataclass(slots=True)
class _Group:
    first_at: datetime
    parts: dict[int, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how many parts wait for the rest of their text."""

    wait: timedelta = timedelta(hours=1)
    per_sender: int = 300  # parts; one text has at most 255
    in_all: int = 100_000
    remembered: int = 10_000  # texts completed, so that a part delivered again starts none


class Reassembler:
    """Collects parts. Call `expire` after each batch: it also gives out what had to leave."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._groups: OrderedDict[Key, _Group] = OrderedDict()  # oldest first
        self._by_sender: dict[tuple[str, str], OrderedDict[Key, None]] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._waiting = 0
        self._done: OrderedDict[Key, tuple[datetime, dict[int, int]]] = OrderedDict()
        self._given_up: list[Incomplete] = []

    def __len__(self) -> int:
        """How many parts wait."""
        return self._waiting

    def add(self, part: Part, now: datetime) -> Complete | None:
        """Take a part in; the whole text when it was the last one missing.

        A part already held, or of a text completed lately, changes nothing. A different part under a number
        already taken means that the sender's reference came round: the older text is given up.
        """
        if not 1 <= part.number <= part.total:
            return _complete(part.key, [part])  # its numbering is nonsense, its text is not
        key = part.key
        group = self._groups.get(key)
        # While another text is under way its parts may be like those of the last one: a phone may know but
        # one reference, and two texts end alike.
        if group is None and self._was_done(part, key, now):
            return None
        if group is not None and (held := group.parts.get(part.number)) is not None:
            if held.octets == part.octets:
                return None
            self._give_up(key)
            group = None
        if group is None:
            group = self._open(key, now)
        group.parts[part.number] = part
        self._waiting += 1
        self._counts[key[:2]] = self._counts.get(key[:2], 0) + 1
        if len(group.parts) == part.total:
            return self._finish(key, group, now)
        self._make_room(key[:2])
        return None

    def restore(self, parts: Iterable[tuple[Part, datetime]]) -> list[Complete]:
        """Take stored parts in again, oldest first, each with its time.

        Give those of texts already complete as well, for as long as Limits.wait, so that a part delivered
        again starts none; they come out once more, and the caller knows by their ids what it has told.
        """
        return [complete for part, at in parts if (complete := self.add(part, at)) is not None]

    def expire(self, now: datetime) -> list[Incomplete]:
        """What has waited too long, and what had to leave for want of room, as far as it came."""
        due = now - self._limits.wait
        while self._groups:
            key, group = next(iter(self._groups.items()))
            if group.first_at > due:
                break
            self._give_up(key)
        while self._done and next(iter(self._done.values()))[0] <= due:
            self._done.popitem(last=False)
        given_up, self._given_up = self._given_up, []
        return given_up

    def _was_done(self, part: Part, key: Key, now: datetime) -> bool:
        done = self._done.get(key)
        if done is None or done[0] <= now - self._limits.wait:
            return False
        return done[1].get(part.number) == hash(part.octets)

    def _open(self, key: Key, now: datetime) -> _Group:
        group = self._groups[key] = _Group(now)
        self._by_sender.setdefault(key[:2], OrderedDict())[key] = None
        return group

    def _finish(self, key: Key, group: _Group, now: datetime) -> Complete:
        self._remove(key)
        self._done.pop(key, None)
        self._done[key] = (now, {number: hash(part.octets) for number, part in group.parts.items()})
        if len(self._done) > self._limits.remembered:
            self._done.popitem(last=False)
        return _complete(key, [group.parts[number] for number in range(1, key.total + 1)])

    def _make_room(self, sender: tuple[str, str]) -> None:
        while self._counts.get(sender, 0) > self._limits.per_sender:
            self._give_up(next(iter(self._by_sender[sender])))
        while self._waiting > self._limits.in_all:
            self._give_up(next(iter(self._groups)))

    def _give_up(self, key: Key) -> None:
        self._given_up.append(_incomplete(key, self._remove(key)))

    def _remove(self, key: Key) -> _Group:
        group = self._groups.pop(key)
        sender = key[:2]
        self._waiting -= len(group.parts)
        self._counts[sender] -= len(group.parts)
        self._by_sender[sender].pop(key)
        if not self._by_sender[sender]:
            del self._by_sender[sender], self._counts[sender]
        return group


def _complete(key: Key, parts: list[Part]) -> Complete:
    text, ill_formed = _decode(parts)
    return Complete(key=key, text=text, ill_formed=ill_formed, parts=tuple(part.id for part in parts))


def _incomplete(key: Key, group: _Group) -> Incomplete:
    pieces, ids, ill_formed = [], [], False
    missing = tuple(number for number in range(1, key.total + 1) if number not in group.parts)
    for there, numbers in groupby(range(1, key.total + 1), group.parts.__contains__):
        if not there:
            pieces.append(GAP)
            continue
        parts = [group.parts[number] for number in numbers]
        text, ill = _decode(parts)
        pieces.append(text)
        ids += [part.id for part in parts]
        ill_formed = ill_formed or ill
    return Incomplete(key=key, text="".join(pieces), ill_formed=ill_formed, parts=tuple(ids), missing=missing)


def _decode(parts: list[Part]) -> tuple[str, bool]:
    """The text of successive parts. Octets are joined first: others split escapes and surrogate pairs."""
    text, ill_formed = "", False
    for _alike, group in groupby(parts, lambda part: (part.data_coding, part.default, part.header.languages)):
        run = list(group)
        octets = b"".join(part.octets for part in run)
        decoded = coding.decode(octets, run[0].data_coding, run[0].default, run[0].header)
        text += decoded.text
        ill_formed = ill_formed or decoded.ill_formed
    return text, ill_formed
