"""All questions in their order. Whatever the SMSC does, it ends, and what was found until then is told."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Final

from gateway.esme.probe import hearing, load, messages, sessions, stock
from gateway.esme.probe.caller import calling
from gateway.esme.probe.findings import Findings
from gateway.esme.probe.talk import Talk, talking
from gateway.esme.probe.target import Bounds, Budget, Target
from gateway.esme.route import BindMode
from gateway.smpp import status
from gateway.smpp.errors import SmppError

_LOGIN_REFUSED: Final = frozenset({status.ESME_RINVPASWD, status.ESME_RINVSYSID})


def messages_planned(bounds: Bounds) -> int:
    """How many messages the probe sends at most."""
    wanted = 3 + messages.MESSAGES + bounds.window + round(bounds.rate * bounds.spell)
    return min(bounds.messages, wanted)


async def probe(target: Target, bounds: Bounds) -> Findings:
    """Ask everything that the bounds allow."""
    findings = Findings(address=f"{target.host}:{target.port}", system_id=target.system_id)
    budget = Budget(bounds.messages)
    try:
        async with asyncio.timeout(bounds.whole):
            await _all(target, bounds, budget, findings)
    except TimeoutError:
        findings.not_known(f"the rest: {bounds.whole:.0f} seconds were over, or a connection took too long")
    except OSError as error:
        what = "the connection broke" if findings.lines else f"no connection to {findings.address}"
        findings.not_known(f"the rest: {what} ({error.strerror or error})")
    findings.messages = budget.spent
    return findings


async def _all(target: Target, bounds: Bounds, budget: Budget, findings: Findings) -> None:
    send = bool(target.to) and budget.left > 0
    # One of ours first, alone: a refused login is not tried again and again until the account is shut.
    async with calling(target, bounds, BindMode.TRANSCEIVER) as caller:
        refused = caller.bind.command_status if caller.bind is not None else 0
    if refused in _LOGIN_REFUSED:
        findings.saw(sessions.TOPIC, "bind_transceiver", f"refused: {status.lookup(refused).name}")
        findings.not_known("everything else: the login is refused; it was tried once, lest it be locked")
        return
    await asyncio.sleep(bounds.rest)
    budget.take(1 if send else 0)
    seen = await asyncio.to_thread(stock.ask, target, bounds, send=send)
    budget.sent(seen.sent)
    accepted = await sessions.kinds(target, bounds, findings, seen)
    mode = sessions.mode_for(accepted, send=send)
    if mode is None:
        findings.not_known("everything else: no bind is accepted")
        return
    await _guarded(findings, "how many sessions it allows", sessions.how_many(target, bounds, findings, mode))
    await _guarded(findings, "other versions", sessions.versions(target, bounds, findings, mode))
    await _guarded(findings, "unknown commands", sessions.unknown_command(target, bounds, findings, mode))
    if not send:
        findings.not_known("everything about messages: no number was given to send to (--to)")
        return
    findings.saw("messages", "a plain message", "see below", seen.taken or None)
    await _converse(target, bounds, budget, findings, accepted=accepted, seen=seen)


async def _converse(
    target: Target,
    bounds: Bounds,
    budget: Budget,
    findings: Findings,
    *,
    accepted: set[BindMode],
    seen: stock.Seen,
) -> None:
    """All that takes messages, over one session or pair; a second one where the first was ended."""
    async with talking(target, bounds, budget, accepted) as talk:
        if talk is None:
            findings.not_known("everything about messages: no session that sends can be bound")
            return
        talk.not_ours = seen.message_id
        alone = await messages.alone(talk)
        plain = alone[0].words if alone else "not sent"
        stock_said = seen.taken or None
        findings.lines[-1] = type(findings.lines[-1])(
            topic="messages", question="a plain message", ours=plain, stock=stock_said
        )
        receipted = "came" if alone and alone[0].receipts else f"none in {bounds.receipt:.0f} s"
        findings.saw("receipts", "a receipt of a plain message", receipted, seen.receipt or None)
        habits = hearing.ids(findings, alone, (seen.message_id, seen.receipted_id))
        tries = messages.alphabets() + messages.joins() + messages.options(datetime.now(UTC))
        sent = await messages.ask(talk, findings, tries)
        messages.conclude(findings, sent)
        came = [each for one in alone for each in one.receipts]
        wait = bounds.receipt if came else min(bounds.receipt, 2.0)
        await messages.await_all(talk, [*alone, *sent], came, wait)
        came = hearing.receipts_in(came)
        findings.receipts = len(came) + bool(seen.receipted_id)
        hearing.forms_of_ids(findings, [*alone, *sent], came)
        hearing.forms(findings, came, target.to)
        hearing.parts(findings, sent, came, habits)
        await _load(talk, findings)


async def _load(talk: Talk, findings: Findings) -> None:
    try:
        burst = await load.window(talk, findings)
        await load.rate(talk, findings, burst)
    except SmppError as error:
        findings.not_known(f"how much it takes: {error}")
    if talk.sender.unbound_us:
        findings.saw("load", "under load", "it unbound us")
    elif not talk.alive:
        findings.saw("load", "under load", "it closed the connection")


async def _guarded(findings: Findings, what: str, question: Awaitable[None]) -> None:
    """One question that may fail without costing the others."""
    try:
        await question
    except (OSError, TimeoutError, SmppError) as error:
        findings.not_known(f"{what}: {error or type(error).__name__}")
