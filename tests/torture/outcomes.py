"""One fault's run as figures: what the SMSC's record says of each message against what the gateway says,
whether anybody was overtaken, and what an operator was told meanwhile."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gateway.simulator.record import SubmitLine
from gateway.smpp import status
from tests.torture.checker import TOLD, Verdict, gather_copies
from tests.torture.journal import Asked, Journals, Smsc, by
from tests.torture.states import States

#: States of receipts after which another one follows.
PASSING: Final = frozenset({"ENROUTE", "SCHEDULED", "ACCEPTED", "UNKNOWN"})
ARRIVED: Final = "DELIVERED"
#: Answers after which a message goes first, before all others to its number.
THROTTLED: Final = frozenset({status.ESME_RTHROTTLED, status.ESME_RMSGQFUL, status.ESME_RSUBMITFAIL})


@dataclass(slots=True, kw_only=True)
class Row:
    """What happened under one fault."""

    name: str
    profile: str
    accepted: int = 0
    taken: int = 0  #: all parts of them at the SMSC
    lost: int = 0
    flagged: int = 0  #: messages of which the SMSC got a second copy, and which say so
    unflagged: int = 0  #: and which do not, or had no right to one
    failed: int = 0  #: with a reason
    unknown: int = 0
    receipts: int = 0  #: that the gateway answered OK
    unmatched: int = 0  #: of them that no message shows
    contradicted: int = 0  #: messages whose end the SMSC's record does not bear out
    silent: int = 0  #: reported in full, and without an end all the same
    texts: int = 0
    texts_wrong: int = 0  #: lost, swallowed, doubled
    scores: int = 0
    scores_wrong: int = 0
    overtaken: int = 0
    drained: float = 0.0  #: seconds from the last accepted until nothing moved
    binds: str = ""  #: bound at the end, of how many
    attempts: int = 0  #: to bind, over the whole run
    rss: int = 0  #: MiB, at the end
    told: list[str] = field(default_factory=list)  #: what /v1/binds said in words
    log: dict[str, int] = field(default_factory=dict)  #: warnings and errors, and how often
    breaches: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Nothing went wrong that the fault itself does not bring."""
        return not self.breaches


def figures(row: Row, journals: Journals, smsc: Smsc, states: States, verdict: Verdict) -> None:
    """Fill the row in from the journals. What is wrong beyond the verdict is added to the verdict."""
    counts = verdict.counts
    row.accepted, row.taken, row.lost = counts["accepted"], counts["submitted"], counts["lost"]
    row.flagged = counts["flagged duplicates"]
    row.unflagged = sum(
        counts[kind] for kind in ("unflagged duplicate", "never-again doubled", "too many copies")
    )
    row.unknown, row.failed = counts["unknown"], counts["status failed"]
    row.texts, row.scores = counts["texts"], counts["scores"]
    row.texts_wrong = sum(counts[kind] for kind in ("words lost", "words swallowed", "words doubled"))
    row.scores_wrong = counts["wrong score"] + counts["score written twice"]
    row.receipts = sum(smsc.heard.values())
    shown = sum(
        entry["kind"] in TOLD or (entry["kind"] == "receipt")
        for detail in states.details.values()
        for entry in detail["history"]
    )
    row.unmatched = max(0, row.receipts - shown)
    _against_the_record(row, journals, smsc, states, verdict)
    _order(row, journals, smsc, states, verdict)


def _against_the_record(row: Row, journals: Journals, smsc: Smsc, states: States, verdict: Verdict) -> None:
    copies = gather_copies(smsc, journals.asked)
    for asked in journals.asked.values():
        shown = states.messages.get(asked.ids[0]) if asked.ids else None
        if shown is None:
            continue
        parts = [copies.of_parts.get((asked.tag, number), []) for number in range(1, asked.segments + 1)]
        words = [_words(lines, smsc) for lines in parts]
        reported = [some for some in words if some]
        end = shown["status"]
        if end == "delivered" and not all(some[0] == ARRIVED or ARRIVED in some for some in reported):
            row.contradicted += 1
            verdict.breach("contradicts", f"{asked.tag} is delivered, the SMSC said {words}")
        elif end == "delivered" and not reported:
            row.contradicted += 1
            verdict.breach("contradicts", f"{asked.tag} is delivered, and no receipt said so")
        elif end == "delivered" and any(some[-1] != ARRIVED for some in reported):
            row.contradicted += 1
            verdict.counts["last word otherwise"] += 1
        elif end == "failed" and reported and all(set(some) == {ARRIVED} for some in words):
            row.contradicted += 1
            verdict.breach("contradicts", f"{asked.tag} failed, the SMSC said {words}")
        elif end == "submitted" and all(words):
            row.silent += 1
            verdict.breach("receipts without effect", f"{asked.tag} is {end}, the SMSC said {words}")


def _words(lines: list[SubmitLine], smsc: Smsc) -> list[str]:
    """The last words about all copies of a part, of those that the gateway has answered OK."""
    words: list[str] = []
    for line in lines:
        told = smsc.states.get(line.number, ())[: smsc.heard[line.number]]
        words += [state for state in told if state not in PASSING]
    return words


# Order


def _order(row: Row, journals: Journals, smsc: Smsc, states: States, verdict: Verdict) -> None:
    """Messages to one number in one lane arrive in the order in which they were accepted, unless one of them
    had to be tried again."""
    copies = gather_copies(smsc, journals.asked)
    stumbled = _stumbled(smsc)
    for same in by(journals.asked.values(), lambda asked: (asked.to, asked.lane)).values():
        smooth = [
            (asked, lines[0].number)
            for asked in same
            if asked.ids
            and asked.segments == 1
            and len(lines := copies.of_parts.get((asked.tag, 1), [])) == 1
            and lines[0].number not in stumbled
            and _tried_once(states.details.get(asked.ids[0]))
        ]
        for at, (one, arrived) in enumerate(smooth):
            for other, later in smooth[at + 1 :]:
                if _before(one, other) and later < arrived:
                    row.overtaken += 1
                    verdict.breach("overtaken", f"{one.tag} by {other.tag}, to {one.to}")


def _before(one: Asked, other: Asked) -> bool:
    """Whether one was accepted before the other was asked for."""
    return bool(one.heard_at) and one.heard_at < other.asked_at


def _stumbled(smsc: Smsc) -> set[int]:
    """Submits that were not answered as they should."""
    return {line.number for line in smsc.submits if smsc.answered.get(line.number) != status.ESME_ROK}


def _tried_once(detail: dict[str, Any] | None) -> bool:
    """Whether its history has one attempt, and was not planned for later."""
    if detail is None:
        return False
    kinds = Counter(entry["kind"] for entry in detail["history"])
    return kinds["attempt"] == 1 and not kinds["deferred"] + kinds["released"] + kinds["lost"]


# What an operator saw


def read_log(path: Path) -> tuple[dict[str, int], list[str]]:
    """Warnings and errors with their counts; and lines that are none of ours, as of a traceback."""
    told: Counter[str] = Counter()
    strange: list[str] = []
    for line in path.read_text(errors="replace").splitlines():
        if not line or line.startswith("---"):
            continue
        try:
            entry = json.loads(line)
        except ValueError:
            strange.append(line)
            continue
        said = entry.get("message") or entry.get("event") or "?"
        told[f"{entry.get('level', '?')}: {said}"] += 1
        if "exception" in entry or "traceback" in entry or "Traceback" in line:
            strange.append(line[:2000])
    return dict(told), strange
