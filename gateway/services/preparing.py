"""A message made ready for its route: cut as the SMSC there wants it, an attempt for each segment."""

from datetime import datetime
from typing import Final

from gateway.domain.handling import read_handling
from gateway.domain.message import Event, Step
from gateway.services.carrier import Carrier, Parcel, Place
from gateway.services.cuts import cut, in_order
from gateway.services.flights import Leg, Outgoing
from gateway.services.references import References
from gateway.services.settling import MAYBE
from gateway.sms.cutting import Join
from gateway.sms.segment import Split

#: The text itself does not say which part it is, or that it is all of it.
BESIDE: Final = frozenset({Join.SAR, Join.PAYLOAD})


class Preparing:
    """Makes messages ready: attempts for the record, and parcels to be sent once they are on it."""

    def __init__(self, habits: Carrier, references: References) -> None:
        self._habits = habits
        self._references = references

    def prepare(
        self, outgoing: Outgoing, route: str, epoch: int | None, now: datetime
    ) -> tuple[list[Step], list[Parcel]]:
        """All that waits of a message. Raises ValueError, with nothing changed, when it can't be cut."""
        message = outgoing.message
        habits = self._habits
        made = cut(outgoing, route, habits.cutting, self._references)
        handling = read_handling(message.handling)
        steps: list[Step] = []
        parcels: list[Parcel] = []
        for segment in in_order(outgoing, habits.order(route), habits.report_on(route)):
            maybe = MAYBE if segment.doubtful else None
            segment.state = Leg.FLYING
            segment.copy += 1
            segment.sent_at = now
            segment.route = route
            steps.append(
                outgoing.advance(
                    Event.ATTEMPT,
                    now,
                    segment.number,
                    copy=segment.copy,
                    epoch=epoch,
                    route=route,
                    reason=maybe,
                    detail=outgoing.told_of(segment),
                )
            )
            parcels.append(
                Parcel(
                    segment,
                    route,
                    message.msisdn,
                    message.sender,
                    made.payloads[segment.number - 1],
                    made.esm_class,
                    made.data_coding,
                    message.report and not segment.silent,
                    message.expires_at,
                    None if made.join not in BESIDE else _place(made, segment.number),
                    handling,
                )
            )
        return steps, parcels


def _place(made: Split, number: int) -> Place:
    return Place(str(made.join), made.reference, len(made.payloads), number)
