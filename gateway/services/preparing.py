"""A message made ready for its route: cut as the SMSC there wants it, an attempt for each segment."""

from datetime import datetime
from typing import Protocol

from gateway.domain.message import Event, Step
from gateway.services.carrier import Order, Parcel, ReportOn
from gateway.services.flights import Leg, Outgoing, due_segments
from gateway.services.settling import MAYBE
from gateway.sms.cutting import Cutting
from gateway.sms.segment import split


class Habits(Protocol):
    """How the SMSC of a route wants texts: a part of `carrier.Carrier`."""

    def cutting(self, route: str) -> Cutting:
        """How they are cut."""

    def order(self, route: str) -> Order:
        """In which order the segments are written."""

    def report_on(self, route: str) -> ReportOn:
        """For which of them a receipt is asked."""


def prepare(
    outgoing: Outgoing, route: str, habits: Habits, epoch: int | None, now: datetime
) -> tuple[list[Step], list[Parcel]]:
    """The attempts, for the record, and the parcels to be sent after that. Raises when it can't be cut."""
    message = outgoing.message
    cut = split(message.body, outgoing.reference)
    if len(cut.payloads) != len(outgoing.segments):
        raise ValueError(f"cut into {len(cut.payloads)} segments, accepted as {message.segments}")
    steps: list[Step] = []
    parcels: list[Parcel] = []
    for segment in due_segments(outgoing):
        maybe = MAYBE if segment.doubtful else None
        segment.state = Leg.FLYING
        segment.copy += 1
        segment.sent_at = now
        steps.append(
            outgoing.advance(
                Event.ATTEMPT,
                now,
                segment.number,
                copy=segment.copy,
                epoch=epoch,
                route=route,
                reason=maybe,
            )
        )
        parcels.append(
            Parcel(
                segment,
                route,
                message.msisdn,
                message.sender,
                cut.payloads[segment.number - 1],
                cut.esm_class,
                cut.data_coding,
                message.report,
                message.expires_at,
            )
        )
    return steps, parcels
