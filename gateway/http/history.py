"""A message's parts, wishes and history, as the API shows them."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.domain.handling import read_handling
from gateway.domain.message import Event, Message, Step
from gateway.domain.request import HandlingWish
from gateway.http.schema import Moment
from gateway.services.whereabouts import PartState, parts_of
from gateway.telemetry import masked


class HistoryEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened to a message."""

    at: Moment
    kind: Annotated[str, Meta(description="what happened: accepted, attempt, submitted, delivered …")]
    status: Annotated[str, Meta(description="of the message from then on")]
    segment: Annotated[int, Meta(description="1…n; absent: the whole message")] | None = None
    copy: Annotated[int, Meta(description="2: the segment was sent a second time")] | None = None
    route: str | None = None
    smsc_id: str | None = None
    command_status: int | None = None
    reason: str | None = None
    detail: Annotated[
        str | None,
        Meta(
            description="of `attempt`: how the text was cut where this is not as usual, as sar/3 (join and "
            "parts), =ucs2 (encoding); silent: no receipt was asked for this part. Of `deferred`: when it is "
            "due again. Of `refused`: the PDU, where the fault is ours. Of receipts: the receipt"
        ),
    ] = None


class MessagePart(msgspec.Struct, frozen=True, omit_defaults=True):
    """One short message of a text."""

    number: int
    state: Annotated[
        PartState,
        Meta(
            description="with it: delivered, as the receipt of another part says for all; not sent: the "
            "message ended before"
        ),
    ]
    copies: Annotated[int, Meta(description="how often the SMSC may have got it; more than one: flagged")]
    route: str | None = None
    smsc_ids: Annotated[list[str], Meta(description="what the SMSC called it, copy by copy")] = []


#: Steps whose detail is a receipt or a PDU as it was: it quotes the customer's number and the text.
_QUOTING: Final = frozenset({Event.RECEIPT, Event.ARRIVED, Event.DELIVERED, Event.UNDELIVERED, Event.REFUSED})


def _discreet(step: Step) -> str | None:
    """What a step tells to those who may not see personal data."""
    return None if step.detail is None or step.kind in _QUOTING else str(masked(step.detail))


def entry(step: Step, whole: bool) -> HistoryEntry:
    """One step; `whole`: to those who may see personal data."""
    return HistoryEntry(
        at=step.at,
        kind=step.kind,
        status=step.status,
        segment=step.segment,
        copy=step.copy,
        route=step.route,
        smsc_id=step.smsc_id,
        command_status=step.command_status,
        reason=step.reason,
        detail=step.detail if whole else _discreet(step),
    )


def parts(message: Message, steps: Sequence[Step]) -> list[MessagePart]:
    """Each short message of its text."""
    return [
        MessagePart(part.number, part.state, part.copies, part.route, list(part.smsc_ids))
        for part in parts_of(message, steps)
    ]


def handling_of(message: Message, whole: bool) -> HandlingWish | None:
    """What the caller wished. Parameters may hold numbers, as that of a call back."""
    known = read_handling(message.handling)
    if known is None:
        return None
    return HandlingWish(
        flash=known.flash,
        priority=known.priority,
        deliver_at=known.deliver_at,
        parameters={f"0x{tag:04X}": octets.hex() for tag, octets in known.parameters.items()}
        if whole and known.parameters
        else None,
    )
