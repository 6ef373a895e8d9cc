"""A text as the segments of its message: cut as its route wants it, and cut alike when it goes again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from gateway.services.flights import Outgoing, Segment, due_segments, reference_of
from gateway.services.references import References
from gateway.sms.cutting import Cutting, Join
from gateway.sms.segment import Split, split

Order = Literal["first-first", "last-first"]
ReportOn = Literal["each", "last-sent"]


def cut(outgoing: Outgoing, cutting: Cutting, references: References) -> Split:
    """The octets of each segment. The message has as many segments afterwards, and knows how it was cut.

    Raises ValueError when what has left in part can't be cut alike by this route.
    """
    if outgoing.untouched:
        return _anew(outgoing, cutting, references)
    join = Join((outgoing.cut or Join.UDH8).partition("/")[0])
    for like in (replace(cutting, join=join), Cutting(join=join)):
        found = split(outgoing.message.body, outgoing.reference, like)
        if len(found.payloads) == len(outgoing.segments):
            return found
    raise ValueError(f"sent as {len(outgoing.segments)} segments, cut into {len(found.payloads)} now")


def _anew(outgoing: Outgoing, cutting: Cutting, references: References) -> Split:
    message, join = outgoing.message, cutting.join
    reference = reference_of(message.id, join)
    found = split(message.body, reference, cutting)
    total = len(found.payloads)
    how = f"{join}/{total}"
    if total == 1 and join is not Join.PAYLOAD:
        how = "udh8/1"  # nothing is joined
    elif join is Join.UDH8:
        free = references.take(message.msisdn, message.id, reference)
        if free != reference:
            found = split(message.body, free, cutting)
            how += f"#{free}"
    outgoing.cut_into(total, how)
    return found


def in_order(outgoing: Outgoing, order: Order, report_on: ReportOn) -> Sequence[Segment]:
    """The segments to be sent now, as the route writes them; those that ask for no receipt are marked so."""
    due = due_segments(outgoing)
    if order == "last-first":
        due = due[::-1]
    for segment in due:
        segment.silent = report_on == "last-sent" and segment is not due[-1]
    return due
