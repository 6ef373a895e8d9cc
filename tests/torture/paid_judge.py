"""What the service platform and the ticket system got, held against what customers wrote."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.simulator.tickets import CallLine
from tests.torture.journal import Call, by

#: A text that accepts; `tests/torture/paid.py` lets customers write no other yes.
PLAIN_YES: Final = frozenset({"Y", "y", "是", "Ｙ", "确认", "同意", "yes", "Y。"})

#: How a confirmation must stand when all is at rest, by what its customer wrote.
ENDS: Final = {
    "yes": {"active"},
    "many": {"active"},
    "late yes": {"active"},
    "no": {"declined"},
    "junk": {"pending"},
    "taken back": {"cancelled"},
    "all at once": {"active", "declined", "cancelled"},
}


@dataclass(slots=True)
class Person:
    """One customer: what the caller asked, and what he wrote himself."""

    to: str
    kind: str  #: buyer, leaver, scorer
    mode: str
    asked: bool = False  #: the caller has a 2xx
    address: str = ""  #: where the question came from; empty: it never came
    said: list[tuple[float, str, str]] = field(default_factory=list)  #: when, to where, what
    services: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)  #: to be cancelled
    agreed: bool = False  #: to cancelling all
    score: int | None = None

    @property
    def msisdn(self) -> str:
        return f"86{self.to}"


@dataclass(slots=True, kw_only=True)
class Seen:
    """What there is at the end, outside the gateway and over its interface."""

    calls: Sequence[CallLine]  #: that the platform got
    scores: Sequence[Call]  #: that the ticket system got
    confirmations: Sequence[Mapping[str, Any]]
    subscriptions: Mapping[str, Mapping[str, str]]  #: of leavers: service → status
    evidence: Mapping[str, Any]


@dataclass(slots=True)
class Paid:
    """The judgement."""

    breaches: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def breach(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        self.breaches.append(f"{kind}: {what}")


def judge(people: Iterable[Person], seen: Seen) -> Paid:
    """Hold all of it against each other."""
    paid = Paid()
    calls = by(seen.calls, lambda call: call.path.split("/")[2])
    confirmations = by(seen.confirmations, lambda row: row["to"])
    scores = by(seen.scores, lambda call: call.ticket)
    for person in people:
        mine: Sequence[CallLine] = calls.pop(person.msisdn, [])
        match person.kind:
            case "buyer":
                _buyer(paid, person, confirmations.get(person.msisdn, []), mine)
            case "leaver":
                _leaver(paid, person, seen.subscriptions.get(person.to, {}), mine)
            case _:
                _scorer(paid, person, scores.get(f"T{person.to}", []))
    for stranger, found in calls.items():
        paid.breach("stranger", f"{stranger}: {len(found)} calls for who is nobody's customer")
    if not seen.evidence.get("intact"):
        paid.breach("evidence", f"{seen.evidence}")
    paid.counts["evidence rows"] = int(seen.evidence.get("rows", 0))
    return paid


def _effects(paid: Paid, who: str, calls: Sequence[CallLine], wanted: int) -> None:
    """So many effects, each under one key however often it was called."""
    keys = {call.key for call in calls}
    applied = sum(call.applied for call in calls)
    paid.counts["calls"] += len(calls)
    paid.counts["effects"] += applied
    paid.counts["calls made again"] += max(0, len(calls) - len(keys))
    if len(keys) > wanted:
        paid.breach("two keys", f"{who}: {sorted(keys)}")
    if applied > wanted:
        paid.breach("effect too many", f"{who}: {applied} and not {wanted}")
    if applied < wanted:
        paid.breach("no effect", f"{who}: {applied} and not {wanted}, {len(calls)} calls")


def _buyer(paid: Paid, person: Person, rows: Sequence[Mapping[str, Any]], calls: Sequence[CallLine]) -> None:
    who = f"{person.mode} {person.to}"
    if len(rows) > 1 or (person.asked and not rows):
        paid.breach("confirmation", f"{who}: {len(rows)} of them")
    if not rows:
        return
    (row, *_) = rows
    status = row["status"]
    paid.counts["confirmations"] += 1
    paid.counts[f"confirmations {status}"] += 1
    activations = [call for call in calls if call.body["action"] == "activate"]
    cancellations = [call for call in calls if call.body["action"] == "cancel"]
    if any(call.body["confirmation"] != row["id"] for call in activations):
        paid.breach("stranger", f"{who}: a call for another confirmation")
    accepted = status == "active" or (status == "cancelled" and row["activated_at"] is not None)
    _effects(paid, f"activation, {who}", activations, int(accepted))
    _effects(paid, f"cancellation, {who}", cancellations, int(status == "cancelled"))
    if activations:
        first = min(call.at for call in activations)
        paid.counts["activated"] += 1
        if not any(at < first and to == row["address"] and text in PLAIN_YES for at, to, text in person.said):
            paid.breach("without a yes", f"{who}: {person.said}")
    ends = ENDS[person.mode] if person.address else {"pending"}
    if status not in ends:
        paid.breach("answer lost", f"{who}: {status}, {row['reason']}, after {person.said}")


def _leaver(paid: Paid, person: Person, held: Mapping[str, str], calls: Sequence[CallLine]) -> None:
    wanted = set(person.wanted if person.mode != "every" or person.agreed else ())
    paid.counts["cancellations wanted"] += len(wanted)
    found = by(calls, lambda call: call.path.split("/")[3])
    for service in {*person.services, *found}:
        who = f"{person.mode} {person.to} {service}"
        _effects(paid, who, found.get(service, []), int(service in wanted))
        status = held.get(service)
        if person.asked and status != ("cancelled" if service in wanted else "active"):
            paid.breach("mirror", f"{who}: {status}")


def _scorer(paid: Paid, person: Person, calls: Sequence[Call]) -> None:
    applied = [call for call in calls if call.applied]
    if person.score is None:
        if any(call.score is not None for call in calls):
            paid.breach("wrong score", f"{person.to}: {calls}, and nothing was said")
        return
    paid.counts["scores"] += 1
    if [call.score for call in applied[-1:]] != [person.score]:
        paid.breach("wrong score", f"{person.to}: {applied[-1:]} and not {person.score}")
    if len({call.key for call in calls if call.score is not None}) > 1:
        paid.breach("score written twice", f"{person.to}: {calls}")
