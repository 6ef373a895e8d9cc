"""When a message ends before all of it has left: its validity is over, a rule forbids it, it can't be cut.

What has been begun is finished: parts that surely are not with the SMSC follow those that may be. What may be
there already is not sent a second time any more.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.message import Event, Message, Status
from gateway.domain.policy import NOBODY_KNOWN, Refuse, concerns, decide
from gateway.services.flights import Flights, Leg, Outgoing, Segment
from gateway.services.settling import Page, Settling
from gateway.storage import contacts as contact_rows
from gateway.storage.database import Database

OVERDUE: Final = "its validity ended before it could be sent"


class Ending:
    """Ends messages, and knows which have to end."""

    def __init__(
        self, database: Database, flights: Flights, settling: Settling, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._flights = flights
        self._settling = settling
        self._now = now

    async def forbidden(self, messages: Sequence[Message]) -> dict[UUID, str]:
        """The policy, asked again: who must not get it any more, and why."""
        asked = [message for message in messages if concerns(message.lane)]
        if not asked:
            return {}
        async with self._database.connection() as connection:
            known = await contact_rows.standings(connection, [(m.bucket, m.msisdn) for m in asked])
        now = self._now()
        refused: dict[UUID, str] = {}
        for message in asked:
            decision = decide(message.lane, message.category, known.get(message.msisdn, NOBODY_KNOWN), now)
            if isinstance(decision, Refuse):
                refused[message.id] = decision.reason
        return refused

    def ends(self, outgoing: Outgoing, forbidden: str | None, now: datetime, page: Page) -> bool:
        """Whether it is not to be sent any more, and so ends here. `forbidden`: why a rule stops it."""
        overdue = is_overdue(outgoing.message, now)
        if not overdue and forbidden is None:
            return False
        if outgoing.untouched:
            event, reason = (Event.OVERDUE, OVERDUE) if overdue else (Event.STOPPED, forbidden)
            self._end(outgoing, event, now, page, reason=reason)
            return True
        self._not_again(outgoing, "its validity ended" if overdue else f"{forbidden}", now, page)
        if any(segment.state is Leg.WAITING for segment in outgoing.segments):
            return False  # part of it has left; the rest follows
        self._flights.let_go(outgoing)
        return True

    def can_not_be_cut(self, outgoing: Outgoing, why: str, now: datetime, page: Page) -> None:
        """No route that could take it cuts it into short messages as it has to be cut."""
        if outgoing.untouched:
            self._end(outgoing, Event.STOPPED, now, page, reason="can't be cut into short messages")
            return
        self._not_again(outgoing, why, now, page, always=True)
        rest = [segment for segment in outgoing.segments if segment.state is Leg.WAITING]
        if rest:  # surely not with the SMSC: the text will never be whole
            rest[0].state = Leg.LOST
            self._end(outgoing, Event.REFUSED, now, page, rest[0], reason=f"the rest can't be sent: {why}")
        self._flights.let_go(outgoing)

    def _not_again(
        self, outgoing: Outgoing, why: str, now: datetime, page: Page, *, always: bool = False
    ) -> None:
        """Parts that the SMSC may have, and that were to be sent once more, stay unknown.

        The log is told where it says otherwise: a second attempt was refused or taken back. Or `always`.
        """
        for segment in outgoing.segments:
            if segment.state is not Leg.WAITING or not segment.doubtful:
                continue
            segment.state = Leg.UNKNOWN
            self._flights.mark_unknown(segment)
            if always or outgoing.status is not Status.UNKNOWN:
                reason = f"not sent a second time: {why}"
                fields = {"copy": segment.copy, "reason": reason}
                page.steps.append(outgoing.advance(Event.LOST, now, segment.number, **fields))

    def _end(
        self,
        outgoing: Outgoing,
        event: Event,
        now: datetime,
        page: Page,
        segment: Segment | None = None,
        *,
        reason: str | None,
    ) -> None:
        step = outgoing.advance(event, now, segment.number if segment else None, reason=reason)
        page.steps.append(step)
        self._settling.finish(outgoing, step, page)


def is_overdue(message: Message, now: datetime) -> bool:
    """Whether its validity is over."""
    return message.expires_at is not None and message.expires_at <= now


def is_too_late(segment: Segment, now: datetime) -> bool:
    """Whether a kept parcel comes too late: once it is taken back, nothing more of it would be sent."""
    outgoing = segment.outgoing
    if not is_overdue(outgoing.message, now):
        return False
    return segment.doubtful > 1 or all(
        other is segment or (other.state is Leg.WAITING and not other.doubtful) for other in outgoing.segments
    )
