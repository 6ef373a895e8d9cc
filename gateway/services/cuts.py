"""A text as the segments of its message: cut as its route wants it, and cut alike when it goes again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from gateway.services.flights import Outgoing, Segment, due_segments, reference_of
from gateway.services.references import References
from gateway.sms.cutting import Cutting, Join
from gateway.sms.segment import Split, split

Order = Literal["first-first", "last-first"]
ReportOn = Literal["each", "last-sent"]


def cut(
    outgoing: Outgoing, route: str, cutting_of: Callable[[str], Cutting], references: References
) -> Split:
    """The octets of each segment. The message has as many segments afterwards, and knows how it was cut.

    What has left in part is cut as the route of its first attempt cuts, into octets that this one's SMSC
    reads. Raises ValueError when that is not possible.
    """
    if outgoing.untouched:
        outgoing.cut_for = route
        return _anew(outgoing, cutting_of(route), references)
    here = cutting_of(route)
    first = cutting_of(outgoing.cut_for) if outgoing.cut_for else here
    before = f"{outgoing.encoding} in {len(outgoing.segments)}"
    found: list[str] = []
    for like in (first, here, Cutting()):
        made = _alike(outgoing, like, here)
        found.append(f"{made.encoding} in {len(made.payloads)}")
        if found[-1] == before:
            return made
    raise ValueError(f"sent as {before} segments, cut as {found[0]} now")


def _alike(outgoing: Outgoing, like: Cutting, here: Cutting) -> Split:
    join = Join((outgoing.cut or Join.UDH8).partition("/")[0])
    shifts = like.shifts if here.default == "gsm7" else ()
    cutting = replace(like, join=join, default=here.default, flash=here.flash, shifts=shifts)
    return split(outgoing.message.body, outgoing.reference, cutting)


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
    outgoing.encoding = found.encoding
    return found


def in_order(outgoing: Outgoing, order: Order, report_on: ReportOn) -> Sequence[Segment]:
    """The segments to be sent now, as the route writes them; those that ask for no receipt are marked so."""
    due = due_segments(outgoing)
    if order == "last-first":
        due = due[::-1]
    for segment in due:
        segment.silent = report_on == "last-sent" and segment is not due[-1]
    return due
