"""Delivery receipts: matched in memory, else in the tables, else kept; stored before they are answered."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from gateway.domain.address import split_address
from gateway.domain.event import Callback
from gateway.domain.ids import IdSource
from gateway.domain.message import Event, Step
from gateway.domain.msisdn import bucket_of
from gateway.domain.timer import Timer
from gateway.services.commit import GroupCommit
from gateway.services.flights import Flights, Leg, Segment
from gateway.services.ledger import Entry, Ledger
from gateway.services.matching import Ids, Name, Receipt, Tables, Verdict, is_anothers, name_of
from gateway.services.notices import Notices
from gateway.storage import messages as message_rows
from gateway.storage.database import Connection, Database, StorageUnavailable
from gateway.telemetry import RECEIPTS, RECEIPTS_UNMATCHED, SETTLED

__all__ = ["Ids", "Receipt", "Receipts", "Verdict"]

#: How long a receipt waits for its message, and how far back its message is looked for.
KEPT: Final = timedelta(days=7)
#: How long a receipt is looked after again and again.
YOUNG: Final = timedelta(minutes=5)
#: After so long without its response a receipt may be about a message that was accepted long ago.
SETTLED_AFTER: Final = timedelta(seconds=5)
MAX_EARLY: Final = 50_000
AT_ONCE: Final = 500
#: How often a receipt is applied anew when another owner wrote into its message's log at the same time.
ATTEMPTS: Final = 3


class _Kept(NamedTuple):
    bucket: int
    id: UUID
    received_at: datetime
    receipt: Receipt


_Find = Callable[[Sequence[Receipt], datetime], Awaitable[dict[Name, tuple[Segment, Receipt]]]]


class _Plan:
    """What one flush has to store."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.steps: list[Step] = []
        self.timers: list[Timer] = []
        self.callbacks: list[Callback] = []
        self.early: list[_Kept] = []
        self.applied: dict[tuple[UUID, int], Receipt] = {}


class Receipts:
    """The receipts' service. `store` returns after the commit, and only then are they answered."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        flights: Flights,
        notices: Notices,
        ids: IdSource,
        smsc_ids: Ids,
        now: Callable[[], datetime],
        senders: Mapping[str, int] | None = None,
    ) -> None:
        """`senders` gives each access number with its count of extension digits."""
        self._senders = senders or {}
        self._database = database
        self._ledger = ledger
        self._flights = flights
        self._notices = notices
        self._ids = ids
        self._smsc_ids = smsc_ids
        self._tables = Tables(database, flights, smsc_ids)
        self._now = now
        self._sought: set[UUID] = set()  # young ones whose message is none of long ago
        self._early: dict[tuple[str, str], list[_Kept]] = {}
        self._early_to: dict[str, set[tuple[str, str]]] = {}  # their places, by customer
        self._commit: GroupCommit[Sequence[Receipt], None] = GroupCommit("receipts", self._flush, limit=200)

    async def load(self) -> None:
        """Read the receipts that wait for their message, and look for it once more."""
        async with self._database.connection() as connection:
            rows = await message_rows.early(connection, self._now() - KEPT, MAX_EARLY)
        kept = [self._read(row) for row in rows]
        await self._match_again(kept, self._tables.find)
        left = self._since(self._now() - KEPT)
        await self._match_again(left, self._tables.find_older)

    def _read(self, row: message_rows.EarlyReceipt) -> _Kept:
        receipt = Receipt(
            row.route,
            row.smsc_id,
            self._smsc_ids.receipt_key(row.route, row.smsc_id),
            row.msisdn,
            Verdict[row.verdict],
            row.state,
            row.error,
            row.detail,
        )
        return _Kept(row.bucket, row.id, row.received_at, receipt)

    async def look_again(self) -> None:
        """Look in the tables for the messages of receipts that came lately and matched nothing.

        Another node may have had their response after we had them. Raises `StorageUnavailable`.
        """
        now = self._now()
        await self._match_again(self._since(now - YOUNG), self._tables.find)
        young = self._since(now - YOUNG)
        settled = [each for each in young if each.received_at <= now - SETTLED_AFTER]
        await self._match_again(
            [each for each in settled if each.id not in self._sought], self._tables.find_older
        )
        self._sought = {each.id for each in settled}

    def _since(self, moment: datetime) -> list[_Kept]:
        return [kept for some in self._early.values() for kept in some if kept.received_at >= moment]

    async def _match_again(self, kept: Sequence[_Kept], find: _Find) -> None:
        """The response may be on record by now: another node had it, or a process that ended right after."""
        for start in range(0, len(kept), AT_ONCE):
            await self._match_some(kept[start : start + AT_ONCE], find)

    async def _match_some(self, some: Sequence[_Kept], find: _Find) -> None:
        for kept in some:
            self._remember(kept)
        found = await find([kept.receipt for kept in some], self._now() - KEPT)
        plan = _Plan()
        matched: dict[tuple[UUID, int], _Kept] = {}
        for kept in some:
            match = found.get(name_of(kept.receipt))
            if match is None or not self._let_go(kept):
                continue
            self._apply(*match, plan)
            matched[plan.steps[-1].message_id, plan.steps[-1].seq] = kept
        if not matched:
            return
        lost: Collection[tuple[UUID, int]] = matched
        try:
            lost = await self._ledger.record(Entry(plan.steps, plan.timers, plan.callbacks))
        finally:
            for place in lost:
                if place in matched:
                    self._remember(matched.pop(place))
        async with self._database.connection() as connection:  # later: twice on record is better than never
            await message_rows.forget_early(connection, [(kept.bucket, kept.id) for kept in matched.values()])

    async def store(self, receipts: Sequence[Receipt]) -> None:
        """Store and apply receipts. Raises `StorageUnavailable`: then they are to be refused."""
        await self._commit.add(receipts)

    def claim(self, route: str, key: str, segment: Segment) -> None:
        """A response names an id: apply the receipt that came before it, if one did."""
        kept = self._take_early((route, key))
        if not kept:
            here = self._early_to.get(segment.outgoing.message.msisdn, ())
            alike = [p for p in here if p[0] == route and self._smsc_ids.alike(key, p[1])]
            kept = self._take_early(alike[0]) if len(alike) == 1 else []
        if kept:
            self._apply_early(
                segment, [item._replace(receipt=item.receipt._replace(key=key)) for item in kept]
            )

    def claim_unknown(self, segment: Segment) -> None:
        """No response came: the receipts of this customer that nobody could place must be about it.

        There may be as many of a route as it has copies there without an answer.
        """
        for route in sorted({route for route, _ in self._early_to.get(segment.outgoing.message.msisdn, ())}):
            self._claim_unknown(segment, route)

    def _claim_unknown(self, segment: Segment, route: str) -> None:
        message = segment.outgoing.message
        places = [place for place in self._early_to.get(message.msisdn, ()) if place[0] == route]
        copies, since = self._flights.nameless(segment, route)
        if not places or len(places) > copies:
            return
        if self._flights.only_unknown_to(message.msisdn, route) is not segment:
            return
        known = [self._early[place] for place in places]
        decided = any(item.receipt.verdict is not Verdict.NOTHING_YET for kept in known for item in kept)
        if decided and all(kept[0].received_at >= (since or message.accepted_at) for kept in known):
            for place in sorted(places, key=lambda place: self._early[place][0].received_at):
                if segment.state is not Leg.UNKNOWN:  # of the next copy
                    self._flights.find_again(segment, route)
                self._apply_early(segment, self._take_early(place))

    def _apply_early(self, segment: Segment, kept: Sequence[_Kept]) -> None:
        plan = _Plan()
        for item in kept:
            self._apply(segment, item.receipt, plan)
        places = [(item.bucket, item.id) for item in kept]

        async def forget(connection: Connection) -> None:
            await message_rows.forget_early(connection, places)

        self._ledger.later(Entry(plan.steps, plan.timers, plan.callbacks, forget))

    async def _flush(self, batches: list[Sequence[Receipt]]) -> list[None]:
        plan = _Plan()
        strange: list[Receipt] = []
        for receipts in batches:
            for receipt in receipts:
                segment = self._flights.find(receipt.route, receipt.key)
                if segment is not None and not is_anothers(receipt, segment):
                    self._apply(segment, receipt, plan)
                else:
                    strange.append(self._of_customer(receipt))
        try:
            await self._put_on_record(plan, strange)
        except StorageUnavailable:
            self._take_back(plan)
            raise
        return [None] * len(batches)

    def _of_customer(self, receipt: Receipt) -> Receipt:
        """The same, under its customer's number: some SMSCs send it from ours to the customer's."""
        if receipt.other and split_address(receipt.msisdn, self._senders) is not None:
            return receipt._replace(msisdn=receipt.other, other=receipt.msisdn)
        return receipt

    async def _put_on_record(self, plan: _Plan, strange: Sequence[Receipt]) -> None:
        for _ in range(ATTEMPTS):
            if strange:
                await self._look_up(strange, plan)
            entry = Entry(plan.steps, plan.timers, plan.callbacks, self._keeping(plan))
            lost = await self._ledger.record(entry)
            strange = [plan.applied[place] for place in lost if place in plan.applied]
            if not strange:
                return
            # Another owner went on with these messages: what memory thinks of them is stale.
            for receipt in strange:
                self._flights.forget(receipt.route, receipt.key)
            for message_id, _ in lost:
                self._flights.disown(message_id)
            plan.clear()
        raise StorageUnavailable("others wrote about the same messages each time; it will come again")

    def _take_back(self, plan: _Plan) -> None:
        """The receipts will come again. The steps that memory has taken are stored when they can be."""
        for kept in plan.early:
            place = (kept.receipt.route, kept.receipt.key)
            for other in self._take_early(place):
                if other is not kept:
                    self._remember(other)
        if plan.steps:
            self._ledger.later(Entry(plan.steps, plan.timers, plan.callbacks))

    def _keeping(self, plan: _Plan) -> Any:
        if not plan.early:
            return None
        rows = [
            message_rows.EarlyReceipt(
                kept.bucket,
                kept.id,
                kept.received_at,
                kept.receipt.route,
                kept.receipt.smsc_id,
                kept.receipt.msisdn,
                kept.receipt.verdict.name,
                kept.receipt.state,
                kept.receipt.error,
                kept.receipt.detail,
            )
            for kept in plan.early
        ]

        async def keep(connection: Connection) -> None:
            await message_rows.keep_early(connection, rows)

        return keep

    def _apply(self, segment: Segment, receipt: Receipt, plan: _Plan) -> None:
        """One receipt about one segment."""
        outgoing = segment.outgoing
        if segment.state is Leg.UNKNOWN:
            self._flights.settle_unknown(segment, receipt.route)
        event = self._judge(segment, receipt)
        was_final = outgoing.final
        step = outgoing.advance(
            event,
            self._now(),
            segment.number,
            copy=segment.copy,
            route=receipt.route,
            smsc_id=receipt.smsc_id,
            reason=f"{receipt.state} {receipt.error}".strip(),
            detail=receipt.detail,
        )
        plan.steps.append(step)
        plan.applied[step.message_id, step.seq] = receipt
        RECEIPTS.labels(receipt.route, receipt.state).inc()
        if receipt.verdict is not Verdict.NOTHING_YET:
            self._flights.forget(receipt.route, receipt.key, segment)
        if not outgoing.busy:
            self._flights.let_go(outgoing)
        if outgoing.final and not was_final:
            SETTLED.labels(outgoing.message.lane, outgoing.status).inc()
            self._notices.of(outgoing, step, plan.timers, plan.callbacks)

    def _judge(self, segment: Segment, receipt: Receipt) -> Event:
        outgoing = segment.outgoing
        if outgoing.final or receipt.verdict is Verdict.NOTHING_YET:
            return Event.RECEIPT
        if segment.state is Leg.ARRIVED and receipt.verdict is Verdict.FAILED:
            return Event.RECEIPT  # that it has arrived was its last word
        if receipt.verdict is Verdict.FAILED:
            segment.state = Leg.LOST
            return Event.UNDELIVERED
        segment.state = Leg.ARRIVED
        return Event.DELIVERED if self._flights.has_arrived(outgoing) else Event.ARRIVED

    # What memory does not know

    async def _look_up(self, receipts: Sequence[Receipt], plan: _Plan) -> None:
        """Find the messages of receipts that memory does not know; keep the receipts that have none."""
        found = await self._tables.find(receipts, self._now() - KEPT)
        for receipt in receipts:
            segment = self._flights.find(receipt.route, receipt.key)
            match = found.get(name_of(receipt))
            if segment is not None and is_anothers(receipt, segment):
                segment = None
            if segment is None and match is not None:
                self._apply(*match, plan)
                continue
            if segment is None and receipt.verdict is not Verdict.NOTHING_YET:
                segment = self._flights.only_unknown_to(receipt.msisdn, receipt.route)
            if segment is not None:
                self._apply(segment, receipt, plan)
                continue
            bucket = bucket_of(receipt.msisdn)
            now = self._now()
            kept = _Kept(bucket, self._ids.new(bucket, now.timestamp()), now, receipt)
            plan.early.append(kept)
            self._remember(kept)

    def _remember(self, kept: _Kept) -> None:
        place = (kept.receipt.route, kept.receipt.key)
        here = self._early.setdefault(place, [])
        if kept in here:
            return
        here.append(kept)
        self._early_to.setdefault(kept.receipt.msisdn, set()).add(place)
        if len(self._early) > MAX_EARLY:
            self._take_early(next(iter(self._early)))
        RECEIPTS_UNMATCHED.set(len(self._early))

    def _let_go(self, kept: _Kept) -> bool:
        """Take one out of memory; False: a response has claimed it in the meantime."""
        place = (kept.receipt.route, kept.receipt.key)
        if kept not in self._early.get(place, ()):
            return False
        for other in self._take_early(place):
            if other is not kept:
                self._remember(other)
        return True

    def _take_early(self, place: tuple[str, str]) -> list[_Kept]:
        kept = self._early.pop(place, [])
        for item in kept:
            places = self._early_to.get(item.receipt.msisdn)
            if places is not None:
                places.discard(place)
                if not places:
                    del self._early_to[item.receipt.msisdn]
        RECEIPTS_UNMATCHED.set(len(self._early))
        return kept
