"""A message's way in words, step by step: what `huiyin explain` prints."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from gateway.domain.handling import read_handling
from gateway.domain.message import Event, Message, Step, status_of
from gateway.services.flights import SENDER_REFUSED, SILENT
from gateway.services.lookups import MessageRecord
from gateway.services.whereabouts import parts_of
from gateway.smpp import status

_JOINS: Final = {
    "udh8": "joined by a header",
    "udh16": "joined by a header with a 16-bit reference",
    "sar": "joined by sar_* parameters",
    "payload": "left to the SMSC to cut (message_payload)",
}


def lines(name: str, record: MessageRecord) -> Iterator[str]:
    """What is printed, line by line. No text and no whole number is in it."""
    message, steps = record.message, record.steps
    parts = parts_of(message, steps)
    yield f"{name}: {status_of(message, steps)}"
    template = f", template {message.template} ({message.language})" if message.template else ""
    yield f"  lane {message.lane}, from {message.sender}, {message.segments} × {message.encoding}{template}"
    if wishes := _wishes(message):
        yield f"  asked for: {', '.join(wishes)}"
    reason = f": {message.reason}" if message.reason else ""
    yield f"{_moment(message.accepted_at)}  accepted as {message.status}{reason}"
    if message.due_at:
        yield f"{'':23}  not before {_moment(message.due_at)}"
    if message.expires_at:
        yield f"{'':23}  not after {_moment(message.expires_at)}"
    for step in steps:
        yield f"{_moment(step.at)}  {', '.join(_told(step, len(parts)))}"
    for part in parts if len(parts) > 1 else ():
        by = f", by {part.route}" if part.route else ""
        ids = f", id {', '.join(part.smsc_ids)}" if part.smsc_ids else ""
        yield f"  part {part.number} of {len(parts)}: {part.state}{by}{ids}"


def _wishes(message: Message) -> list[str]:
    known = read_handling(message.handling)
    if known is None:
        return []
    told = ["flash"] if known.flash else []
    told += [f"priority {known.priority}"] if known.priority is not None else []
    told += [f"kept by the SMSC until {_moment(known.deliver_at)}"] if known.deliver_at else []
    return told + [f"parameter 0x{tag:04X}" for tag in known.parameters]


def _told(step: Step, parts: int) -> Iterator[str]:
    part = f" part {step.segment} of {parts}" if step.segment and parts > 1 else ""
    yield f"{step.kind}{part} → {step.status}"
    if step.route:
        yield f"by {step.route}"
    if step.smsc_id:
        yield f"id {step.smsc_id}"
    if step.copy and step.copy > 1:
        yield f"copy {step.copy}"
    if step.command_status:
        known = status.lookup(step.command_status)
        yield f"0x{step.command_status:02X} {known.name}: {known.sentence.rstrip('.')}"
        if step.reason and step.reason != known.name:
            yield step.reason
    elif step.reason:
        yield step.reason
    match step.kind:
        case Event.ATTEMPT:
            yield from _cut(step.detail)
        case Event.DEFERRED:
            yield from _pause(step)


def _cut(detail: str | None) -> Iterator[str]:
    """`sar/3`, `udh8/3#41=ucs2 silent`; nothing where it was cut as usual."""
    if detail is None:
        return
    cut, _, encoding = detail.removesuffix(SILENT).partition("=")
    join, _, rest = cut.partition("/")
    total, _, reference = rest.partition("#")
    if total != "1" or join == "payload":
        yield f"cut into {total}, {_JOINS.get(join, join)}"
    if encoding:
        yield f"in {encoding}"
    if reference:
        yield f"reference {reference}"
    if detail.endswith(SILENT):
        yield "no receipt asked for with this part"


def _pause(step: Step) -> Iterator[str]:
    if (step.reason or "").startswith(SENDER_REFUSED):
        yield "waits until the SMSC takes this sender again"
    elif step.detail:
        due = datetime.fromisoformat(step.detail)
        yield f"again at {_moment(due)}, after {(due - step.at).total_seconds():.0f} s"


def _moment(moment: datetime | None) -> str:
    return moment.astimezone().isoformat(" ", "milliseconds")[:23] if moment else ""
