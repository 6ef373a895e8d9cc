"""Set algebra over the journals: what was promised, what arrived, what became known, and where they differ.

Nothing here asks the database. `judge` takes what caller, SMSC and ticket system wrote down and what the
gateway's public interface says at the end, and returns every breach as a line.
"""

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.simulator.record import SubmitLine
from tests.torture.journal import NEVER_AGAIN, Asked, Call, Journals, Said, Smsc, by
from tests.torture.states import States

FINAL: Final = frozenset({"delivered", "failed", "expired", "suppressed", "cancelled"})
#: Ends at which nothing need have arrived, so long as a reason is named.
WITHOUT_ARRIVAL: Final = frozenset({"failed", "expired", "suppressed", "cancelled"})
UNSETTLED: Final = frozenset({"queued", "scheduled", "held", "submitting", "retrying"})
AUTOMATIC: Final = ("感谢您的评价", "未能识别", "请直接回复", "回复", "尊敬的客户")
TOLD: Final = frozenset({"receipt", "arrived", "delivered", "undelivered"})  #: steps that are receipts
MOST_COPIES: Final = 2
_SAR: Final = ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")
TAG_LENGTH: Final = 9

Part = tuple[str, int]  #: a message's tag, and which part of it


@dataclass(slots=True)
class Verdict:
    """What the journals say."""

    breaches: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def breach(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        self.breaches.append(f"{kind}: {what}")


@dataclass(slots=True)
class Copies:
    """How often each part of each message reached the SMSC."""

    of_parts: dict[Part, list[SubmitLine]] = field(default_factory=dict)
    automatic: dict[tuple[str, str], list[SubmitLine]] = field(default_factory=dict)
    strange: list[SubmitLine] = field(default_factory=list)

    def parts(self, tag: str, segments: int) -> list[int]:
        """Copies of each part."""
        return [len(self.of_parts.get((tag, number), ())) for number in range(1, segments + 1)]


def tag_in(text: str) -> str | None:
    """The caller's tag in a text."""
    start = text.find("T0")
    tag = text[start : start + TAG_LENGTH]
    return tag if start >= 0 and len(tag) == TAG_LENGTH and tag[1:].isdecimal() else None


def gather_copies(smsc: Smsc, asked: dict[str, Asked]) -> Copies:
    """Whose each submit_sm is: by the tag in its text, or in the text of another part of the same one."""
    copies = Copies()
    whole: dict[tuple[str, int, int], str] = {}
    alone = {f"86{each.to}": each.tag for each in asked.values() if each.segments > 1 or each.resolution}
    taken = [line for line in smsc.submits if line.message_id]
    for line in taken:
        if (part := part_of(line)) is not None and (tag := tag_in(line.text)) is not None:
            whole[line.destination, part[0], part[1]] = tag
    for line in taken:
        part = part_of(line)
        number = part[2] if part else 1
        tag = tag_in(line.text)
        if tag is None and part is not None:
            tag = whole.get((line.destination, part[0], part[1]))
            if tag is None and not any(word in line.text for word in AUTOMATIC):
                tag = alone.get(line.destination)
        if tag is None:
            copies.automatic.setdefault((line.destination, line.octets), []).append(line)
        elif tag in asked:
            copies.of_parts.setdefault((tag, number), []).append(line)
        else:
            copies.strange.append(line)
    return copies


def part_of(line: SubmitLine) -> tuple[int, int, int] | None:
    """Reference, total and number of a part, by its header or its parameters."""
    if line.udh is not None:
        return line.udh
    found = [line.tlvs.get(name) for name in _SAR]
    return None if None in found else tuple(int(each or "", 16) for each in found)  # type: ignore[return-value]


def ids_alike(one: str, other: str) -> bool:
    """Whether two ids are one number, in hex here and in decimal there perhaps, or with zeros before it."""
    return bool(_forms(one) & _forms(other))


def _forms(written: str) -> set[str | int]:
    forms: set[str | int] = {written.lower().lstrip("0")}
    for base in (10, 16):
        with contextlib.suppress(ValueError):
            forms.add(int(written, base))
    return forms


def wanted_details(journals: Journals, smsc: Smsc, states: States) -> set[str]:
    """The messages whose history decides something: flags, losses, receipts."""
    copies = gather_copies(smsc, journals.asked)
    ids: set[str] = set()
    for asked in journals.asked.values():
        mine = copies.parts(asked.tag, asked.segments)
        whole = all(number == 1 for number in mine)
        for uid in asked.ids:
            listed = states.messages.get(uid)
            if listed is None or not whole or listed["status"] != "delivered":
                ids.add(uid)
    by_ref = by(states.messages.values(), lambda row: row["ref"])
    for (tag, _), lines in copies.of_parts.items():
        if len(lines) > 1:
            ids.update(row["id"] for row in by_ref.get(tag, ()))
    numbers = {destination for (destination, _), lines in copies.automatic.items() if len(lines) > 1}
    ids.update(row["id"] for row in states.messages.values() if row["to"] in numbers)
    return ids


def judge(journals: Journals, smsc: Smsc, states: States) -> Verdict:
    """All invariants that these journals can decide."""
    verdict = Verdict()
    copies = gather_copies(smsc, journals.asked)
    _what_was_accepted(journals, copies, states, verdict)
    _copies(journals, copies, states, verdict)
    _one_key_one_effect(journals, states, verdict)
    _receipts(journals, smsc, copies, states, verdict)
    _words(journals.said, smsc, states, verdict)
    _scores(journals, smsc, states, verdict)
    _final_is_final(states, verdict)
    _drained(states, verdict)
    for line in copies.strange:
        verdict.breach("invented", f"submit {line.number} to {line.destination} belongs to nobody")
    return verdict


# I1: accepted is never lost


def _what_was_accepted(journals: Journals, copies: Copies, states: States, verdict: Verdict) -> None:
    for asked in journals.asked.values():
        if not asked.accepted:
            continue
        verdict.counts["accepted"] += 1
        uid = asked.ids[0]
        arrived = copies.parts(asked.tag, asked.segments)
        state = states.messages.get(uid)
        if state is None:
            verdict.breach("lost", f"{uid} {asked.tag} was accepted, and the gateway does not know it")
            continue
        status = state["status"]
        verdict.counts[f"status {status}"] += 1
        if all(arrived):
            verdict.counts["submitted"] += 1
            if asked.cancelled:
                verdict.breach("taken-back", f"{uid} {asked.tag} was cancelled and sent")
        elif status in WITHOUT_ARRIVAL and state["reason"]:
            verdict.counts["final with a reason"] += 1
        elif status == "unknown" and asked.lane == NEVER_AGAIN:
            verdict.counts["unknown, never again"] += 1
        elif status == "unknown" and _spent(states.details.get(uid)):
            verdict.counts["unknown, both sendings"] += 1
        else:
            verdict.breach("lost", f"{uid} {asked.tag} is {status}, and the SMSC has {arrived} of its parts")
        if status == "unknown":
            verdict.counts["unknown"] += 1


def _spent(detail: dict[str, Any] | None) -> bool:
    """Whether each part that is unknown was on its way twice: nothing may be sent again."""
    if detail is None:
        return False
    last: dict[int, dict[str, Any]] = {}
    for entry in detail["history"]:
        if entry.get("segment"):
            last[entry["segment"]] = entry
    return all(entry.get("copy") == MOST_COPIES for entry in last.values() if entry["kind"] == "lost")


# I2, I3: how many copies


def _copies(journals: Journals, copies: Copies, states: States, verdict: Verdict) -> None:
    by_ref = by(states.messages.values(), lambda row: row["ref"])
    doubled = {
        tag: max(len(copies.of_parts.get((tag, part), ())) for part in parts)
        for tag, parts in (
            (tag, [part for _, part in group])
            for tag, group in by(copies.of_parts, lambda part: part[0]).items()
        )
    }
    for tag, most in doubled.items():
        if most < MOST_COPIES:
            continue
        asked = journals.asked[tag]
        details = [states.details.get(row["id"]) for row in by_ref.get(tag, ())]
        if asked.lane == NEVER_AGAIN:
            verdict.breach("never-again doubled", f"{tag} reached the SMSC {most} times")
        elif most > MOST_COPIES:
            verdict.breach("too many copies", f"{tag} reached the SMSC {most} times")
        elif not any(detail and detail["maybe_duplicate"] for detail in details):
            verdict.breach("unflagged duplicate", f"{tag} reached the SMSC {most} times")
        else:
            verdict.counts["flagged duplicates"] += 1
    at = by(states.messages.values(), lambda row: row["to"])
    for (destination, _), lines in copies.automatic.items():
        if len(lines) < MOST_COPIES:
            continue
        ours = [states.details.get(row["id"]) for row in at.get(destination, ()) if row["ref"] is None]
        flagged = sum(bool(detail and detail["maybe_duplicate"]) for detail in ours)
        if len(lines) > len(ours) + flagged:
            verdict.breach(
                "unflagged duplicate", f"{lines[0].text!r} reached {destination} {len(lines)} times"
            )
        else:
            verdict.counts["flagged duplicates"] += flagged


# I11: one key, one effect


def _one_key_one_effect(journals: Journals, states: States, verdict: Verdict) -> None:
    by_ref = by(states.messages.values(), lambda row: row["ref"])
    for asked in journals.asked.values():
        known = [row["id"] for row in by_ref.get(asked.tag, ())]
        heard = set(asked.ids)
        if len(known) > 1 or len(heard) > 1:
            verdict.breach("two effects", f"{asked.tag}: stored {known}, answered {sorted(heard)}")
        verdict.counts["asked"] += 1
        if known and not heard:
            verdict.counts["stored, answer never seen"] += 1


# I5: receipts that were answered OK


def _receipts(journals: Journals, smsc: Smsc, copies: Copies, states: States, verdict: Verdict) -> None:
    """A receipt of an id that the gateway has on record must have found its message."""
    for asked in journals.asked.values():
        if not asked.accepted or (state := states.messages.get(asked.ids[0])) is None:
            continue
        if state["status"] == "delivered":
            verdict.counts["delivered"] += 1
            continue
        detail = states.details.get(asked.ids[0])
        if detail is None:
            continue
        recorded = {e.get("smsc_id") for e in detail["history"] if e["kind"] in ("accepted", "submitted")}
        told = {e.get("smsc_id") for e in detail["history"] if e["kind"] in TOLD}
        told = {each for each in recorded if any(ids_alike(each or "", other or "") for other in told)} | told
        parts = _of(copies, asked)
        known = recorded & told
        if state["status"] == "submitted" and all(
            any(line.message_id in known and line.number in smsc.receipts_taken for line in lines)
            for lines in parts
        ):
            verdict.breach("receipt without effect", f"{asked.ids[0]} {asked.tag} is confirmed in all parts")
        for line in (line for lines in parts for line in lines):
            if line.number not in smsc.receipts_taken:
                continue
            if line.message_id in recorded and line.message_id not in told:
                verdict.breach("receipt lost", f"{asked.ids[0]} {asked.tag}: that of {line.message_id}")
            elif (
                line.message_id not in recorded | told
                and state["status"] == "unknown"
                and asked.lane == NEVER_AGAIN
            ):
                verdict.counts["receipt kept, its message unknown"] += 1


def _of(copies: Copies, asked: Asked) -> list[list[SubmitLine]]:
    return [copies.of_parts.get((asked.tag, number), []) for number in range(1, asked.segments + 1)]


# I4: what customers wrote


def _words(said: list[Said], smsc: Smsc, states: States, verdict: Verdict) -> None:
    inbox = Counter(states.inbox)
    replies = {
        ticket: [reply for survey in surveys for reply in survey["replies"]]
        for ticket, surveys in states.surveys.items()
    }
    sent = [one for one in said if one.mo in smsc.mos]  # nothing is left of one whose only part was lost
    for (msisdn, text, ticket), same in by(sent, lambda one: (one.msisdn, one.text, one.ticket)).items():
        answered = [one for one in same if smsc.taken(one.mo)]
        verdict.counts["texts"] += len(answered)
        if len(answered) < len(same):
            verdict.breach("not taken", f"{text!r} of {msisdn} was never answered OK")
        if ticket is None:
            known = inbox[msisdn, text]
        else:
            mine = [reply for reply in replies.get(ticket, ()) if reply["text"] == text]
            known = sum(not reply["redelivery"] for reply in mine)
            if not known:  # the question was not open any more, or never was: it stands in the inbox
                known = inbox[msisdn, text]
        if answered and not known and _shown_in_pieces(answered, smsc, states):
            verdict.counts["shown in pieces"] += 1
        elif answered and not known:
            verdict.breach("words lost", f"{text!r} of {msisdn}, answered OK {len(answered)} times")
        elif known < len(answered) and _on_one_session(answered, smsc):
            verdict.breach("words swallowed", f"{text!r} of {msisdn}: {len(answered)} times, known {known}")
        elif known > len(same):
            verdict.breach("words doubled", f"{text!r} of {msisdn}: {len(same)} times, known {known}")


def _shown_in_pieces(said: list[Said], smsc: Smsc, states: States) -> bool:
    """Whether all parts that came stand in the inbox, as a text whose rest never came."""
    shown = [text for msisdn, text in states.pieces if msisdn == said[0].msisdn]
    return all(any(line.text in text for text in shown) for one in said for line in smsc.mos[one.mo].values())


def _on_one_session(said: list[Said], smsc: Smsc) -> bool:
    """Whether each was delivered once, and all on one connection: nothing looks like a redelivery."""
    binds = [smsc.mos_sent.get((one.mo, part), []) for one in said for part in smsc.mos[one.mo]]
    return all(len(each) == 1 for each in binds) and len({each[0] for each in binds}) == 1


# I10: the ticket's score


def _scores(journals: Journals, smsc: Smsc, states: States, verdict: Verdict) -> None:
    calls = by(journals.calls, lambda call: call.ticket)
    stated = by((one for one in journals.said if one.score is not None), lambda one: one.ticket)
    for ticket, answers in stated.items():
        given = [one.score for one in answers if one.mo in smsc.mos and smsc.taken(one.mo)]
        if not given:
            continue
        verdict.counts["scores"] += 1
        applied: list[Call] = [call for call in calls.get(ticket, ()) if call.applied]
        final = applied[-1].score if applied else None
        if final != given[-1]:
            verdict.breach("wrong score", f"{ticket} has {final}, the customer wrote {given}")
        if len({call.key for call in applied if call.score is not None}) > len(given):
            verdict.breach("score written twice", f"{ticket}: {[call.key for call in applied]}")
        shown = {survey["score"] for survey in states.surveys.get(ticket, ())}
        if given[-1] not in shown:
            verdict.breach("wrong score", f"{ticket}: the survey says {shown}, the customer wrote {given}")
    for ticket, some in calls.items():
        if ticket not in stated and any(call.score is not None for call in some):
            verdict.breach("wrong score", f"{ticket} got one that nobody wrote")


# I12 and I14


def _final_is_final(states: States, verdict: Verdict) -> None:
    for uid, detail in states.details.items():
        reached = [entry["status"] for entry in detail["history"]]
        ends = [at for at, status in enumerate(reached) if status in FINAL]
        if ends and set(reached[ends[0] :]) != {reached[ends[0]]}:
            verdict.breach("final changed", f"{uid}: {reached}")


def _drained(states: States, verdict: Verdict) -> None:
    for uid, row in states.messages.items():
        if row["status"] in UNSETTLED:
            verdict.breach("stuck", f"{uid} {row['ref']} is still {row['status']}")
    if states.parked:
        verdict.breach("stuck", f"{states.parked} calls to the ticket system are parked")
