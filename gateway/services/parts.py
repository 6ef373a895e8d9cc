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


class Group(NamedTuple):
    """The parts of one long text that are there, in the order they were given, and what they say so far."""

    parts: tuple[Part, ...]
    text: str
    complete: bool

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
            self.complete,
            False,
            last.received_at,
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
    return [
        Group(
            parts=tuple(by_id[each] for each in sorted(text.parts, key=places.__getitem__)),
            text=text.text,
            complete=isinstance(text, Complete),
        )
        for text in found
    ]


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
