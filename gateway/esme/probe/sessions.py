"""Questions about sessions: which binds are taken, how many, what comes with them, what is not understood."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from gateway.esme.probe.caller import Answer, Caller, calling
from gateway.esme.probe.findings import Findings
from gateway.esme.probe.stock import Seen
from gateway.esme.probe.target import Bounds, Target
from gateway.esme.route import BindMode
from gateway.smpp import status, tlv
from gateway.smpp.codec import HEADER
from gateway.smpp.constants import CommandId, Tag
from gateway.smpp.pdu import Pdu

TOPIC: Final = "sessions"
#: No version of SMPP has it.
NO_COMMAND: Final = 0x0000AFFE
_STOCK: Final = {
    BindMode.TRANSMITTER: "bind_transmitter",
    BindMode.RECEIVER: "bind_receiver",
    BindMode.TRANSCEIVER: "bind_transceiver",
}


async def kinds(target: Target, bounds: Bounds, findings: Findings, stock: Seen) -> set[BindMode]:
    """Which kinds of bind are accepted. Raises OSError where nobody answers at all."""
    accepted: set[BindMode] = set()
    for mode, name in _STOCK.items():
        async with calling(target, bounds, mode) as caller:
            if caller.is_bound:
                accepted.add(mode)
            findings.saw(TOPIC, name, _bind(caller.bind), stock.binds.get(name))
            if mode is BindMode.TRANSCEIVER and caller.is_bound:
                alive = await caller.ask_alive()
                findings.saw(TOPIC, "enquire_link", _alive(alive), stock.alive or None)
        await asyncio.sleep(bounds.rest)
    findings.bound = bool(accepted)
    return accepted


def _bind(pdu: Pdu | None) -> str:
    if pdu is None:
        return "no answer, or the connection was closed"
    if pdu.command_status:
        row = status.lookup(pdu.command_status)
        return f"refused: {row.name} ({row.sentence.rstrip('.')})"
    words = ["accepted", f"as {getattr(pdu, 'system_id', '') or '(no system_id)'}"]
    version = tlv.octet(pdu.tlvs, Tag.SC_INTERFACE_VERSION)
    words.append("no sc_interface_version" if version is None else f"sc_interface_version {version:#04x}")
    others = [tlv.name(tag) for tag in pdu.tlvs if tag != Tag.SC_INTERFACE_VERSION]
    return ", ".join(words + [f"with {name}" for name in others])


def _alive(answer: Answer) -> str:
    if answer.pdu is None:
        return "no answer"
    if answer.pdu.command_id != CommandId.ENQUIRE_LINK_RESP:
        return f"answered {type(answer.pdu).__name__}"
    return f"answered after {answer.seconds * 1000:.0f} ms"


def mode_for(accepted: set[BindMode], *, send: bool) -> BindMode | None:
    """The kind of bind to ask the rest with."""
    wanted = (BindMode.TRANSCEIVER, BindMode.TRANSMITTER if send else BindMode.RECEIVER)
    return next((mode for mode in wanted if mode in accepted), None)


async def how_many(target: Target, bounds: Bounds, findings: Findings, mode: BindMode) -> None:
    """Open sessions until one is refused, or it is enough; then close them all."""
    async with AsyncExitStack() as stack:
        held: list[Caller] = []
        refused = ""
        for _ in range(bounds.binds):
            try:
                caller = await stack.enter_async_context(calling(target, bounds, mode))
            except OSError:
                refused = "the connection was refused"
                break
            if not caller.is_bound:
                refused = _bind(caller.bind)
                break
            held.append(caller)
        alive = sum(caller.is_bound for caller in held)
    question = f"sessions of one account at a time (tried {bounds.binds})"
    if refused or alive < len(held):
        why = refused or f"{len(held) - alive} of them were closed by the SMSC"
        findings.saw(TOPIC, question, f"{alive}; the next: {why}")
        findings.is_so(
            "limits.binds", alive, f"sessions, of which a pair takes two; the next was not accepted: {why}"
        )
    else:
        findings.saw(TOPIC, question, f"{len(held)} accepted, none refused")
        findings.not_known(f"how many sessions it allows beyond {len(held)}")
    await asyncio.sleep(bounds.rest)


async def versions(target: Target, bounds: Bounds, findings: Findings, mode: BindMode) -> None:
    """Whether other versions of the interface are taken."""
    for version, name in ((0x33, "3.3"), (0x50, "5.0")):
        async with calling(target, bounds, mode, version) as caller:
            findings.saw(
                TOPIC, f"bind with interface_version {version:#04x} (SMPP {name})", _bind(caller.bind)
            )
        await asyncio.sleep(bounds.rest)


async def unknown_command(target: Target, bounds: Bounds, findings: Findings, mode: BindMode) -> None:
    """A command that nobody knows: generic_nack by the standard (SMPP 3.4 §3.3)."""
    async with calling(target, bounds, mode) as caller:
        answer = await caller.ask_raw(HEADER.pack(16, NO_COMMAND, 0, 0))
        if answer.pdu is not None:
            words = f"{type(answer.pdu).__name__} with {status.name(answer.pdu.command_status)}"
        else:
            words = "closed the connection" if caller.closed else "no answer"
    findings.saw(TOPIC, "an unknown command", words)
