"""The routing table: which routes may carry a message, in which shares, and which stand in for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

#: Pairs of sender and lane whose part of the table is kept ready; senders with extensions make many.
KNOWN: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table. What is left empty matches all."""

    name: str
    to: tuple[tuple[str, int], ...]  #: routes with their weights, in the order of the configuration
    prefixes: tuple[str, ...] = ()  #: of the customer's number, country code first
    lanes: frozenset[str] = frozenset()
    senders: tuple[str, ...] = ()  #: numbers of ours; one matches with any extension
    backup: tuple[str, ...] = ()
    shared: bool = False  #: `to` gives shares that are held, and not only a list of who may take it


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Where a rule leads. There is one for each rule, and it is compared by identity."""

    number: int
    name: str
    to: tuple[tuple[str, int], ...]
    backup: tuple[str, ...] = ()
    shared: bool = False

    @property
    def first(self) -> str | None:
        """The route that carries most of it."""
        return max(self.to, key=lambda each: each[1])[0] if self.to else None


@dataclass(slots=True)
class _Part:
    """What of the table is left when sender and lane are known: prefixes, and the first rule without any."""

    plain: Course
    lengths: list[int] = field(default_factory=list)
    prefixes: dict[str, Course] = field(default_factory=dict)


class Steering:
    """The whole table. The first rule that matches wins; where none does, all routes share the work."""

    def __init__(self, rules: Sequence[Rule], routes: Sequence[str]) -> None:
        self.rules: Final = tuple(rules)
        self._courses = [
            Course(number, rule.name, rule.to, rule.backup, rule.shared)
            for number, rule in enumerate(self.rules)
        ]
        self.default: Final = Course(len(self.rules), "all", tuple((route, 1) for route in routes))
        self._parts: dict[tuple[str, str], _Part] = {}

    @property
    def courses(self) -> Sequence[Course]:
        """All courses, in the order of the table; the default comes last."""
        return [*self._courses, self.default]

    def course(self, msisdn: str, sender: str, lane: str) -> Course:
        """Where a message goes."""
        part = self._parts.get((sender, lane))
        if part is None:
            part = self._part(sender, lane)
        if not part.lengths:
            return part.plain
        best = part.plain
        for length in part.lengths:
            found = part.prefixes.get(msisdn[:length])
            if found is not None and found.number < best.number:
                best = found
        return best

    def _part(self, sender: str, lane: str) -> _Part:
        part = _Part(self.default)
        for rule, course in zip(self.rules, self._courses, strict=True):
            if rule.lanes and lane not in rule.lanes:
                continue
            if rule.senders and not any(is_of(sender, number) for number in rule.senders):
                continue
            if not rule.prefixes:
                part.plain = course
                break
            for prefix in rule.prefixes:
                part.prefixes.setdefault(prefix, course)
        part.lengths = sorted({len(prefix) for prefix in part.prefixes})
        if len(self._parts) >= KNOWN:
            self._parts.clear()
        self._parts[sender, lane] = part
        return part


def is_of(sender: str, number: str) -> bool:
    """Whether a sender address is this number of ours, perhaps with an extension."""
    return sender == number or (number.isdecimal() and sender.isdecimal() and sender.startswith(number))


def shadowed(rules: Sequence[Rule]) -> Mapping[int, int]:
    """Rules that are never reached, each with the earlier one that takes all of theirs. Positions from 0."""
    found: dict[int, int] = {}
    for later, rule in enumerate(rules):
        for earlier, before in enumerate(rules[:later]):
            if _covers(before, rule):
                found[later] = earlier
                break
    return found


def _covers(wide: Rule, narrow: Rule) -> bool:
    return (
        (not wide.lanes or (bool(narrow.lanes) and narrow.lanes <= wide.lanes))
        and (
            not wide.senders
            or (bool(narrow.senders) and all(any(is_of(n, w) for w in wide.senders) for n in narrow.senders))
        )
        and (
            not wide.prefixes
            or (bool(narrow.prefixes) and all(n.startswith(wide.prefixes) for n in narrow.prefixes))
        )
    )
