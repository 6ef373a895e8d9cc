"""Receipts as the carrier read them, and which segment each is about, as the tables have it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from gateway.domain.message import Event, Message, Step
from gateway.domain.msisdn import bucket_of
from gateway.services.flights import Flights, Leg, Outgoing, Segment
from gateway.storage import messages as message_rows
from gateway.storage.database import Database

log = logging.getLogger(__name__)

MAX_CANDIDATES: Final = 5_000
#: How old a message may be whose receipt comes: scheduled for a year ahead at most, or valid for so long.
OLDEST: Final = timedelta(days=2 * 366)


class Verdict(Enum):
    """What a receipt decides."""

    DELIVERED = auto()
    FAILED = auto()
    NOTHING_YET = auto()  #: intermediate, or in words that nobody knows


class Receipt(NamedTuple):
    """The SMSC's word on one segment, as the carrier read it."""

    route: str
    smsc_id: str  #: as it came
    key: str  #: as the route's rules make it comparable with the response's
    msisdn: str
    verdict: Verdict
    state: str
    error: str
    detail: str  #: the whole of it, without the customer's text
    other: str = ""  #: the other address in it: the customer's where an SMSC leaves ours as the source


class Ids(Protocol):
    """How SMSCs write their ids."""

    def response_key(self, route: str, message_id: str) -> str:
        """What makes a response's id comparable, after the rules of its route."""

    def receipt_key(self, route: str, message_id: str) -> str:
        """The same, of a receipt's id."""

    def alike(self, responded: str, receipted: str) -> bool:
        """Whether two ids of one customer's messages may be one, written in ways that no setting names."""


Name = tuple[str, str, str]  #: route, key and customer: what a receipt says of its segment


def name_of(receipt: Receipt) -> Name:
    """By what its segment is found."""
    return receipt.route, receipt.key, receipt.msisdn


def is_anothers(receipt: Receipt, segment: Segment) -> bool:
    """Whether its number is another customer's, not this one's written otherwise: its id was used again."""
    told, ours = receipt.msisdn, segment.outgoing.message.msisdn
    return told != ours and len(told) == len(ours) and told.isdecimal()


def _by_customer(receipts: Sequence[Receipt]) -> dict[str, list[Receipt]]:
    ordered: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        ordered.setdefault(receipt.msisdn, []).append(receipt)
    return ordered


class _Found(NamedTuple):
    """Segments by what receipts say of them; those of final messages apart."""

    open: dict[Name, tuple[Segment, Receipt]]
    final: dict[Name, tuple[Segment, Receipt]]


class Tables:
    """What the log knows of ids."""

    def __init__(self, database: Database, flights: Flights, smsc_ids: Ids) -> None:
        self._database = database
        self._flights = flights
        self._smsc_ids = smsc_ids
        self._surprised: set[str] = set()  # routes whose ids were not written as their settings say

    async def find(self, receipts: Sequence[Receipt], since: datetime) -> dict[Name, tuple[Segment, Receipt]]:
        """The segments that these receipts name, among messages accepted since a moment.

        A receipt that was matched by likeness comes back with the key under which memory knows its segment.
        """
        by_customer = _by_customer(receipts)
        customers = [(bucket_of(msisdn), msisdn) for msisdn in by_customer]
        async with self._database.connection() as connection:
            messages = await message_rows.recent_to(connection, customers, since, MAX_CANDIDATES)
            steps = await message_rows.steps_of(connection, [(m.bucket, m.id) for m in messages])
        return self._among(messages, steps, by_customer)

    async def find_older(
        self, receipts: Sequence[Receipt], since: datetime
    ) -> dict[Name, tuple[Segment, Receipt]]:
        """The same among messages accepted before that and valid then: a look at many partitions."""
        by_customer = _by_customer(receipts)
        customers = [(bucket_of(msisdn), msisdn) for msisdn in by_customer]
        async with self._database.connection() as connection:
            accepted = (since - OLDEST, since)
            messages = await message_rows.still_valid_to(
                connection, customers, accepted, since, MAX_CANDIDATES
            )
            steps = await message_rows.steps_of(connection, [(m.bucket, m.id) for m in messages])
        return self._among(messages, steps, by_customer)

    def _among(
        self,
        messages: Sequence[Message],
        steps: Mapping[UUID, Sequence[Step]],
        by_customer: Mapping[str, Sequence[Receipt]],
    ) -> dict[Name, tuple[Segment, Receipt]]:
        """The newest unfinished message first; one that names its id as it is written before one alike."""
        known: dict[Name, tuple[Segment, Receipt]] = {}
        for same in (self._same, self._like):
            found = _Found({}, {})
            for message in messages:
                missing = [r for r in by_customer[message.msisdn] if name_of(r) not in known]
                self._match(message, steps.get(message.id, []), missing, same, found)
            known |= found.final | found.open
        return known

    def _match(
        self,
        message: Message,
        log_of_it: Sequence[Step],
        receipts: Sequence[Receipt],
        same: Callable[[str, Receipt], bool],
        found: _Found,
    ) -> None:
        """Which of these receipts are about this message; one about a newer message is found already."""
        outgoing: Outgoing | None = None
        answers = [s for s in log_of_it if s.smsc_id and s.segment and s.kind in _ANSWERS]
        for receipt in receipts:
            named: tuple[Segment, Receipt] | None = None
            for step in answers:
                if step.route != receipt.route or not same(step.smsc_id or "", receipt):
                    continue
                if outgoing is None:
                    outgoing = self._flights.known(message.id)
                if outgoing is None:
                    outgoing = Outgoing(message)
                    outgoing.replay(log_of_it)
                segment = outgoing.segments[(step.segment or 1) - 1]
                # Some SMSCs give all parts one id: then it is the next that has not arrived.
                if named is None or named[0].state is Leg.ARRIVED:
                    key = self._smsc_ids.response_key(receipt.route, step.smsc_id or "")
                    named = segment, receipt._replace(key=key)
            if named is not None and outgoing is not None:
                (found.final if outgoing.final else found.open).setdefault(name_of(receipt), named)

    def _same(self, responded: str, receipt: Receipt) -> bool:
        return self._smsc_ids.response_key(receipt.route, responded) == receipt.key

    def _like(self, responded: str, receipt: Receipt) -> bool:
        if not self._smsc_ids.alike(responded, receipt.smsc_id):
            return False
        if receipt.route not in self._surprised:
            self._surprised.add(receipt.route)
            log.warning(
                "receipts write ids otherwise than responses do; matched by likeness, which is slow",
                extra={"route": receipt.route, "response_id": responded, "receipt_id": receipt.smsc_id},
            )
        return True


_ANSWERS: Final = frozenset({Event.ACCEPTED, Event.SUBMITTED})
