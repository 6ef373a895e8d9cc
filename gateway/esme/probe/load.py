"""How much at a time and how fast: a burst for the window, a measured pace for the rate; both bounded."""

import asyncio
import time
from collections import Counter, deque
from typing import Final, NamedTuple

from gateway.esme.probe.caller import Answer
from gateway.esme.probe.findings import Findings
from gateway.esme.probe.talk import Talk, is_throttle
from gateway.smpp import status, tlv
from gateway.smpp.constants import Tag
from gateway.smpp.status import Verdict

TOPIC: Final = "load"
#: Before each of the two, so that what went before does not count.
REST: Final = 1.1
#: Unanswered at a time while the pace is measured, unless the window is smaller.
OPEN: Final = 20


class Burst(NamedTuple):
    """So many written at once: where the first was refused, and as what."""

    written: int
    taken: int
    refused_at: int | None
    statuses: Counter[int]
    unanswered: int


async def window(talk: Talk, findings: Findings) -> Burst | None:
    """Write as many at once as the bounds allow, and see which are taken."""
    await asyncio.sleep(min(REST, talk.bounds.pace * 11))
    count = talk.budget.take(talk.bounds.window)
    if count < 2 or not talk.alive:
        findings.not_known("how many requests it takes unanswered: no message is left to spend")
        return None
    futures = [talk.write(talk.pdu(b"Huiyin probe: window")) for _ in range(count)]
    answers = [await future for future in futures]
    codes = [None if each.pdu is None else each.pdu.command_status for each in answers]
    refused = [at for at, code in enumerate(codes) if code]
    burst = Burst(
        written=count,
        taken=codes.count(0),
        refused_at=refused[0] if refused else None,
        statuses=Counter(code for code in codes if code),
        unanswered=codes.count(None),
    )
    words = f"{burst.taken} of {count} taken"
    words += f"; refused: {_names(burst.statuses)}, from number {refused[0] + 1} on" if refused else ""
    words += f"; {burst.unanswered} never answered" if burst.unanswered else ""
    findings.saw(TOPIC, f"{count} at once", f"{words}; {_latency(answers)}")
    _congestion(findings, answers)
    return burst


async def rate(talk: Talk, findings: Findings, burst: Burst | None) -> None:
    """Write at the highest pace that is allowed, few unanswered at a time, and count what is taken."""
    await asyncio.sleep(min(REST, talk.bounds.pace * 11))
    limit = OPEN
    if burst is not None and burst.refused_at:
        limit = max(1, min(OPEN, burst.refused_at // 2))
    count = talk.budget.take(round(talk.bounds.rate * talk.bounds.spell))
    if count < 10 or not talk.alive:
        findings.not_known("how many a second it takes: no message is left to spend")
        _judge_window(findings, burst, None, paced=False)
        return
    # With few messages left rather slower than shorter: a moment's worth is taken by many at any pace.
    aimed = min(float(talk.bounds.rate), count / min(1.0, talk.bounds.spell))
    answered = await _paced(talk, count, limit, aimed)
    began, ended = answered[0][0], answered[-1][0]
    refusals = [(at, code) for at, code in answered if code]
    slower = [(at, code) for at, code in refusals if is_throttle(code) or code == status.ESME_RSUBMITFAIL]
    pace = len(answered) / max(ended - began, 0.01)
    if not slower:
        words = f"{len(answered)} at {pace:.0f} a second, none refused for being too fast"
        findings.saw(TOPIC, f"rate, up to {aimed:.0f} a second", words)
        findings.not_known(f"what it takes beyond {pace:.0f} a second")
        _judge_window(findings, burst, None, paced=True)
        return
    first = slower[0][0]
    after = [code for at, code in answered if at > first]
    span = max(ended - first, 0.01)
    measured = max(1, round(after.count(0) / span))
    names = _names(Counter(code for _, code in slower))
    words = f"{len(slower)} of {len(answered)} refused with {names} at {pace:.0f} a second"
    findings.saw(TOPIC, f"rate, up to {aimed:.0f} a second", f"{words}; {measured} a second taken")
    findings.is_so("limits.rate", measured, f"taken a second while others were refused with {names}")
    _throttle_status(findings, [code for _, code in slower])
    _judge_window(findings, burst, measured, paced=True)


async def _paced(talk: Talk, count: int, limit: int, pace: float) -> list[tuple[float, int | None]]:
    """Write `count` at the pace; when each was written, and its command_status (None: no answer)."""
    began = time.monotonic()
    waiting: deque[tuple[float, asyncio.Future[Answer]]] = deque()
    written: list[tuple[float, asyncio.Future[Answer]]] = []
    for number in range(count):
        due = began + number / pace
        if (ahead := due - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        while waiting and waiting[0][1].done():
            waiting.popleft()
        if len(waiting) >= limit:
            await waiting.popleft()[1]
        if not talk.alive:
            break
        pair = (time.monotonic(), talk.write(talk.pdu(b"Huiyin probe: rate")))
        waiting.append(pair)
        written.append(pair)
    codes: list[tuple[float, int | None]] = []
    for at, future in written:
        answer = await future
        codes.append((at, None if answer.pdu is None else answer.pdu.command_status))
    return codes or [(began, None)]


def _judge_window(findings: Findings, burst: Burst | None, measured: int | None, *, paced: bool) -> None:
    """Whether the burst's refusals were for its width. A rate refuses after a tenth of a second's or a
    second's worth, and goes on refusing what is paced; a window does not."""
    if burst is None:
        return
    if burst.refused_at is None:
        if not burst.unanswered:
            findings.not_known(f"how many requests it takes unanswered beyond {burst.written}")
        else:
            why = f"of {burst.written} at once {burst.unanswered} were never answered"
            findings.is_so("limits.window", max(1, burst.written - burst.unanswered), why)
        return
    if measured is not None or not paced:
        findings.not_known("its window: refusals of a burst can't be told from those for its rate")
        return
    why = f"of {burst.written} at once those from number {burst.refused_at + 1} on were refused"
    findings.is_so("limits.window", max(1, burst.refused_at), f"{why} ({_names(burst.statuses)})")
    _throttle_status(findings, list(burst.statuses))


def _throttle_status(findings: Findings, codes: list[int]) -> None:
    """A status of its own for: slower."""
    strange = {_key(code) for code in codes if status.lookup(code).verdict is not Verdict.THROTTLE}
    if strange:
        rulings = dict.fromkeys(sorted(strange), Verdict.THROTTLE.value)
        findings.is_so("statuses", rulings, "so it refuses what comes too fast")


def _key(code: int) -> str:
    """As a profile names it."""
    name = status.name(code)
    return name if status.code_of(name) == code else f"{code:#06x}"


def _names(statuses: Counter[int]) -> str:
    return ", ".join(status.name(code) for code, _ in statuses.most_common(3))


def _latency(answers: list[Answer]) -> str:
    seconds = sorted(each.seconds for each in answers if each.pdu is not None)
    if not seconds:
        return "no answer"
    middle, last = seconds[len(seconds) // 2], seconds[-1]
    return f"answered after {middle * 1000:.0f} ms, the slowest after {last * 1000:.0f} ms"


def _congestion(findings: Findings, answers: list[Answer]) -> None:
    told = [
        value
        for each in answers
        if each.pdu is not None and (value := tlv.octet(each.pdu.tlvs, Tag.CONGESTION_STATE)) is not None
    ]
    words = f"told, {min(told)} to {max(told)}" if told else "not told"
    findings.saw(TOPIC, "congestion_state", words)
