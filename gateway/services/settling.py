"""What the SMSC said of a segment, brought into memory and into steps for the log."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.domain.event import Callback
from gateway.domain.message import Event, Status, Step
from gateway.domain.timer import Timer, TimerKind
from gateway.services.backlog import Backlog
from gateway.services.carrier import EarlyReceipts, Fate, Outcome
from gateway.services.flights import SENDER_REFUSED, Flights, Leg, Outgoing, Segment, resendable
from gateway.services.heeding import Asked
from gateway.services.ledger import Entry
from gateway.services.notices import Notices
from gateway.telemetry import ACCEPT_TO_SUBMIT, MAYBE_DUPLICATE, SETTLED, UNKNOWN

#: Pauses after a temporary refusal; one more, and it is final.
PATIENCE: Final = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
#: What is due later than this rests in the table, not in memory.
REST: Final = timedelta(seconds=60)
PAUSE_SECONDS: Final = 0.2
MAYBE: Final = "maybe_duplicate"
#: Why an attempt was taken back, where nobody says more.
NOT_WRITTEN: Final = "it was not written"


class Page:
    """What is to be stored together, while it is written."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.timers: list[Timer] = []
        self.callbacks: list[Callback] = []
        self.asks: list[Asked] = []

    def entry(self) -> Entry:
        """For the ledger."""
        return Entry(self.steps, self.timers, self.callbacks, asks=self.asks)


class Settling:
    """Judges outcomes. Nothing here waits for anything."""

    def __init__(
        self,
        *,
        flights: Flights,
        backlog: Backlog,
        notices: Notices,
        unknown_wait: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._flights = flights
        self._backlog = backlog
        self._notices = notices
        self._unknown_wait = unknown_wait
        self._now = now
        self._returned: list[Outgoing] = []
        self.early: EarlyReceipts | None = None

    def settle(self, outcomes: Sequence[Outcome]) -> Page:
        """Bring memory up to date; what the log needs to know is returned."""
        page = Page()
        now = self._now()
        for outcome in outcomes:
            segment = outcome.token
            if outcome.fate is Fate.UNSENT:
                self._take_back(segment, outcome, now, page)
            elif segment.state in _DONE:
                self._answered_again(outcome, now, page)
            elif outcome.fate is not Fate.LOST or segment.state is Leg.FLYING:
                self._answered(segment, outcome, now, page)
            # else: it timed out before, and now its link broke as well
            if self._flights.leaving:
                self._flights.landed(segment.outgoing)
        return page

    def finish(self, outgoing: Outgoing, step: Step, page: Page) -> None:
        """The SMSC has all of it, or it is final: memory lets go, and those who care are told."""
        message = outgoing.message
        self._flights.let_go(outgoing)
        if outgoing.status is Status.SUBMITTED:
            ACCEPT_TO_SUBMIT.labels(message.lane).observe((step.at - message.accepted_at).total_seconds())
        else:
            SETTLED.labels(message.lane, outgoing.status).inc()
        self._notices.of(outgoing, step, page.timers, page.callbacks)

    def _answered(self, segment: Segment, outcome: Outcome, now: datetime, page: Page) -> None:
        outgoing = segment.outgoing
        was_final = outgoing.final
        fields: dict[str, Any] = {
            "copy": segment.copy,
            "route": outcome.route,
            "smsc_id": outcome.smsc_id,
            "command_status": outcome.command_status,
            "reason": outcome.reason,
        }
        event, pause = self._judge(segment, outcome, now, fields)
        step = outgoing.advance(event, now, segment.number, **fields)
        page.steps.append(step)
        if not was_final and outgoing.status in (Status.SUBMITTED, Status.FAILED):
            self.finish(outgoing, step, page)
        away = outgoing.message.id in self._flights.leaving
        if event is Event.DEFERRED and not outgoing.final and not away:
            self._backlog.hold(outgoing)  # a late refusal of what was unknown: it was let go, and goes on
        if outcome.fate is Fate.HELD:
            self._put_back_first(outgoing)
        elif event is Event.DEFERRED:
            self._put_off(outgoing, pause, now, page)
        elif event is Event.LOST:
            self._unknown(segment, outcome, now)
        elif outcome.key is not None and outgoing.message.report:
            self._await_receipt(segment, outcome, outcome.key)
        if event is Event.SUBMITTED and outgoing.status is Status.SUBMITTED:
            self._told_before(outgoing, now, page)
        if not outgoing.busy:
            self._flights.let_go(outgoing)

    def _told_before(self, outgoing: Outgoing, now: datetime, page: Page) -> None:
        """The one receipt for all parts may have come while the SMSC still had to answer for the others."""
        if not self._flights.has_arrived(outgoing):
            return
        reported = next(segment for segment in outgoing.segments if segment.state is Leg.ARRIVED)
        reason = f"the receipt for part {reported.number} tells of all parts"
        step = outgoing.advance(Event.DELIVERED, now, reported.number, route=reported.route, reason=reason)
        page.steps.append(step)
        self.finish(outgoing, step, page)

    def _answered_again(self, outcome: Outcome, now: datetime, page: Page) -> None:
        """Both copies of a segment were answered: the second one's receipt must find its message too."""
        segment = outcome.token
        if outcome.fate is not Fate.TAKEN or outcome.key is None:
            return
        if self._flights.find(outcome.route, outcome.key) is segment:
            return  # the same answer twice
        self._flights.find_again(segment, outcome.route)
        step = segment.outgoing.advance(
            Event.ACCEPTED,
            now,
            segment.number,
            copy=segment.copy,
            route=outcome.route,
            smsc_id=outcome.smsc_id,
            reason=MAYBE,
        )
        page.steps.append(step)
        if segment.outgoing.message.report:
            self._await_receipt(segment, outcome, outcome.key)

    def _await_receipt(self, segment: Segment, outcome: Outcome, key: str) -> None:
        if self._flights.reports(segment):
            self._flights.await_receipt(outcome.route, key, segment)
        if self.early is not None:
            self.early.claim(outcome.route, key, segment)

    def _judge(
        self, segment: Segment, outcome: Outcome, now: datetime, fields: dict[str, Any]
    ) -> tuple[Event, timedelta]:
        """Which event an answer is, where it leaves the segment; how long a refusal for now holds."""
        if segment.state is Leg.UNKNOWN:
            self._flights.settle_unknown(segment, outcome.route)
        pauses = PATIENCE if outcome.pauses is None else outcome.pauses
        pause = timedelta()
        match outcome.fate:
            case Fate.TAKEN:
                segment.state = Leg.TAKEN
                segment.route = outcome.route
                last = all(other.state in (Leg.TAKEN, Leg.ARRIVED) for other in segment.outgoing.segments)
                return (Event.SUBMITTED if last else Event.ACCEPTED), pause
            case Fate.PUT_OFF if segment.patience < len(pauses):
                pause = pauses[segment.patience]
                segment.patience += 1
            case Fate.HELD:  # not the message's fault: it does not count, and nothing of it has left
                fields["reason"] = f"{SENDER_REFUSED}: {outcome.reason}" if outcome.reason else SENDER_REFUSED
            case Fate.LOST:
                segment.state = Leg.UNKNOWN
                return Event.LOST, pause
            case _:
                segment.state = Leg.LOST
                fields["detail"] = outcome.detail
                return Event.REFUSED, pause
        segment.state = Leg.WAITING
        segment.refusals += 1
        fields["detail"] = (now + pause).isoformat()
        return Event.DEFERRED, pause

    def _put_off(self, outgoing: Outgoing, pause: timedelta, now: datetime, page: Page) -> None:
        if outgoing.final:
            return
        message = outgoing.message
        if pause > REST:
            page.timers.append(Timer(message.bucket, now + pause, TimerKind.MESSAGE, message.id))
            if all(other.state is not Leg.FLYING and not _again(other) for other in outgoing.segments):
                self._flights.let_go(outgoing)
                return
        self._backlog.later(now + pause, outgoing)

    def _unknown(self, segment: Segment, outcome: Outcome, now: datetime) -> None:
        UNKNOWN.labels(outcome.route, outcome.reason or "").inc()
        self._flights.lose(segment)
        if segment.outgoing.final:
            return
        self._flights.mark_unknown(segment)
        if self.early is not None:
            self.early.claim_unknown(segment)
        if _again(segment):
            self._backlog.later(now + self._unknown_wait, segment)
            MAYBE_DUPLICATE.labels(outcome.route).inc()

    def _take_back(self, segment: Segment, outcome: Outcome, now: datetime, page: Page) -> None:
        """Not one octet left: the attempt does not count, and the segment waits again.

        That is on record: whoever has only the log would have to think that it may have left.
        """
        if segment.state is not Leg.FLYING:
            return
        page.steps.append(take_back(segment, now, outcome.route, outcome.reason))
        self._put_back_first(segment.outgoing)

    def _put_back_first(self, outgoing: Outgoing) -> None:
        """Before all others of its lane, after a moment."""
        if outgoing.taken or self._flights.open.get(outgoing.message.id) is not outgoing:
            return
        outgoing.taken = True
        if not self._returned:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._put_back)
        self._returned.append(outgoing)

    def _put_back(self) -> None:
        returned, self._returned = self._returned, []
        self._backlog.put_back(returned)


_DONE: Final = frozenset({Leg.TAKEN, Leg.ARRIVED, Leg.LOST})


def take_back(segment: Segment, now: datetime, route: str | None = None, reason: str | None = None) -> Step:
    """The last attempt of a segment was never written. The step is to be stored by the caller."""
    copy = segment.copy
    segment.state = Leg.WAITING
    segment.copy -= 1
    return segment.outgoing.advance(
        Event.RETURNED, now, segment.number, copy=copy, route=route, reason=reason or NOT_WRITTEN
    )


def _again(segment: Segment) -> bool:
    return segment.state is Leg.UNKNOWN and resendable(segment)
