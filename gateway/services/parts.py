"""Short messages read, and long texts put together from the parts in the database.

The table is the memory: whichever node gets the next part, after whatever crash, finds the earlier ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from gateway.sms import udh
from gateway.sms.coding import DefaultAlphabet
from gateway.sms.reassembly import Complete, Incomplete, Limits, Reassembler
from gateway.sms.reassembly import Part as Piece
from gateway.storage.replies import Part

#: So long a text waits for its missing parts; then it is delivered with what there is.
WAIT: Final = timedelta(minutes=10)
#: When to look again whether two nodes each got a part at the same moment.
REGROUP_AFTER: Final = timedelta(seconds=10)

#: The parts of one text come within this time.
NEAR: Final = timedelta(minutes=1)

Alphabets = Mapping[str, DefaultAlphabet]


class Whole(NamedTuple):
    """A customer's text, as complete as it will be."""

    reply_id: UUID
    bucket: int
    msisdn: str
    address: str
    text: str
    complete: bool
    redelivery: bool
    received_at: datetime
    parts: tuple[Part, ...] = ()  #: as they came


class Group(NamedTuple):
    """The parts of one long text that are there, in the order they were given, and what they say so far."""

    parts: tuple[Part, ...]
    text: str
    complete: bool
    #: Its text is whole with parts that were taken for second copies of an older text's. See `_fill`.
    likely: bool = False

    @property
    def reply_id(self) -> UUID:
        """The reply that these parts make: the one that the oldest began."""
        return self.parts[0].reply_id

    def whole(self, reply_id: UUID) -> Whole:
        """The text as a reply."""
        last = self.parts[-1]
        return Whole(
            reply_id,
            last.bucket,
            last.msisdn,
            last.address,
            self.text,
            self.complete or self.likely,
            False,
            last.received_at,
            self.parts,
        )


def single(part: Part) -> Whole:
    """The reply that a short message alone makes."""
    return Whole(
        part.reply_id,
        part.bucket,
        part.msisdn,
        part.address,
        part.text,
        True,
        part.redelivery,
        part.received_at,
        (part,),
    )


def regroup(parts: Iterable[Part], alphabets: Alphabets, wait: timedelta = WAIT) -> list[Group]:
    """All long texts that these parts, oldest first, belong to. A part that is there twice counts once.

    `wait` is how long a text waits for its missing parts.
    """
    by_id = {str(part.id): part for part in parts}
    places = {key: place for place, key in enumerate(by_id)}
    reassembler = Reassembler(Limits(wait=4 * wait))
    found: list[Complete | Incomplete] = []
    for part in by_id.values():
        complete = reassembler.add(_piece(part, alphabets), part.received_at)
        if complete is not None:
            found.append(complete)
    if by_id:
        found += reassembler.expire(max(part.received_at for part in by_id.values()) + 8 * wait)
    groups = [
        Group(
            parts=tuple(by_id[each] for each in sorted(text.parts, key=places.__getitem__)),
            text=text.text,
            complete=isinstance(text, Complete),
        )
        for text in found
    ]
    if len(by_id) > sum(len(group.parts) for group in groups):
        spare = _spare(by_id.values(), groups)
        groups = [group if group.complete else _fill(group, spare, alphabets) for group in groups]
    return groups


def _spare(parts: Iterable[Part], groups: Sequence[Group]) -> list[Part]:
    """What was taken for second copies of a whole text. One that came before it was whole is such a copy."""
    grouped = {part.id for group in groups for part in group.parts}
    whole_at: dict[tuple[object, ...], list[tuple[datetime, datetime]]] = {}
    for group in groups:
        if group.complete:
            span = group.parts[0].received_at, group.parts[-1].received_at
            whole_at.setdefault(key_of(group.parts[0]), []).append(span)
    return [
        part
        for part in parts
        if part.id not in grouped
        and not any(begun <= part.received_at < whole for begun, whole in whole_at.get(key_of(part), ()))
    ]


def _fill(group: Group, spare: Iterable[Part], alphabets: Alphabets) -> Group:
    """A text whose missing parts came just before, and were taken for second copies of an older text's.

    Two texts of one customer may begin or end alike, and a phone may know but few references. Alone such a
    part is a second delivery; with others that are new it is theirs, when no other one comes in its place.
    """
    first = group.parts[0]
    numbers = {part.number for part in group.parts}
    near = {
        part.number: part
        for part in spare
        if key_of(part) == key_of(first)
        and part.number not in numbers
        and timedelta() <= first.received_at - part.received_at <= NEAR
    }
    if len(numbers) + len(near) < first.total:
        return group
    together = Reassembler()
    whole: Complete | None = None
    for part in (*near.values(), *group.parts):
        whole = together.add(_piece(part, alphabets), part.received_at) or whole
    return group if whole is None else group._replace(text=whole.text, likely=True)


def key_of(part: Part) -> tuple[object, ...]:
    """What the parts of one long text have in common."""
    return part.route, part.msisdn, part.address, part.reference, part.total


def place_of(
    header: udh.Udh, reference: int | None, total: int | None, number: int | None
) -> tuple[int | None, int, int]:
    """Reference, total and number of a part, from its header, else from beside it; else a whole text's."""
    if (told := header.concatenation) is not None:
        # An 8-bit and a 16-bit reference of one value are two texts.
        return told.reference | (0x10000 if told.wide else 0), told.total, told.number
    if reference is not None and total is not None and number is not None and 1 <= number <= total <= 255:
        return reference | 0x20000, total, number
    return None, 1, 1


def identical(part: Part, among: Sequence[Part]) -> Part | None:
    """The earlier copy of a part."""
    return next(
        (each for each in among if each.payload == part.payload and key_of(each) == key_of(part)), None
    )


def _piece(part: Part, alphabets: Alphabets) -> Piece:
    header, octets = udh.take(part.payload, part.esm_class)
    return Piece(
        id=str(part.id),
        route=part.route,
        sender=part.msisdn,
        recipient=part.address,
        reference=part.reference or 0,
        total=part.total,
        number=part.number,
        octets=octets,
        data_coding=part.data_coding,
        default=alphabets.get(part.route, "gsm7"),
        header=header,
    )
