"""Services in memory, and a server on a free port that speaks with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import aiohttp

from gateway.domain.callback import Try
from gateway.domain.figures import Outcome, Satisfaction, satisfaction
from gateway.domain.ids import IdSource, Kind, public
from gateway.domain.msisdn import bucket_of, parse_msisdn
from gateway.domain.request import (
    Accepted,
    Asked,
    ConfirmationRequest,
    Fault,
    MessageRequest,
    Rejected,
    ResolutionRequest,
    SurveyOutcome,
    SurveyRequest,
)
from gateway.domain.subscription import Status as SubscriptionStatus
from gateway.domain.subscription import Subscription
from gateway.domain.timeliness import Answered, Recorded, Timeliness, timeliness
from gateway.domain.webhook import Endpoint
from gateway.http import server
from gateway.http.ports import Check, Confirmations, Evidence, Reports, Services, Subscriptions, Webhooks
from gateway.services.confirmations import Cancelled, TooLate
from gateway.services.contacts import Contact, ContactWish
from gateway.services.evidence import Dossier
from gateway.services.inbox import Gone, Judgement, NotFound, Refused, Resolved
from gateway.services.intake import Caller, Conflict, Once, Replay
from gateway.services.keys import Key, KeyRing, Scope
from gateway.services.lookups import Lookups, UnknownNumber
from gateway.services.reports import By, Group, Period, RecordedDay, RecordedReport, Report, TicketsBy, Wanted
from gateway.services.subscriptions import Put, Wish, place_of
from gateway.services.ways import BindState, Frame, RoundTrip, RouteState
from gateway.services.ways import Wanted as WantedFrames
from gateway.services.webhooks import Created, Unended
from gateway.storage.callbacks import Delivery
from gateway.storage.contacts import OptedOut

T = TypeVar("T")
SUBJECT = UUID(int=7)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NO_NUMBER = Rejected(
    "invalid-number",
    "Not a mobile number",
    422,
    "Give a mobile number of a configured region.",
    (Fault("/to", "is not a mobile number of a configured region"),),
)


class FakeRing:
    """Keys by their token; a rate says how many calls are left, for ever."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.left: dict[UUID, int] = {}

    def add(self, token: str, *scopes: Scope, rate: int | None = None) -> str:
        key = Key(
            id=UUID(int=len(self.keys) + 1), name=token, scopes=frozenset(scopes), rate=rate, created_at=NOW
        )
        self.keys[token] = key
        self.left[key.id] = rate or 0
        return token

    async def find(self, token: str) -> Key | None:
        return self.keys.get(token)

    def take(self, key: Key) -> float:
        self.left[key.id] -= 1
        return 0.0 if self.left[key.id] >= 0 else 1.5


@dataclass
class FakeIntake:
    """Accepts everything that has a number, once for each key."""

    taken: list[Any] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)
    fails: Exception | None = None
    running: bool = False
    _first: dict[bytes, tuple[bytes, int, bytes]] = field(default_factory=dict)
    _ids: IdSource = field(default_factory=IdSource)

    async def messages(
        self, requests: Sequence[MessageRequest | Rejected], caller: Caller, once: Once | None = None
    ) -> list[Accepted | Rejected] | Replay | Conflict:
        return self._once(once, lambda: [self._one(request, caller) for request in requests])

    async def resolution(
        self, request: ResolutionRequest, caller: Caller, once: Once | None = None
    ) -> Accepted | Rejected | Replay | Conflict:
        return self._once(once, lambda: self._one(request, caller))

    async def confirmation(
        self, request: ConfirmationRequest, caller: Caller, once: Once | None = None
    ) -> Asked | Rejected | Replay | Conflict:
        return self._once(once, lambda: self._offer(request, caller))

    def _offer(self, request: ConfirmationRequest, caller: Caller) -> Asked | Rejected:
        sent = self._one(request, caller)
        if isinstance(sent, Rejected):
            return sent
        uid = self._ids.new(7, NOW.timestamp())
        return Asked(public(Kind.CONFIRMATION, uid), "pending", sent.id, sent.segments, sent.encoding)

    async def survey(
        self, request: SurveyRequest, caller: Caller, once: Once | None = None
    ) -> Asked | Rejected | Replay | Conflict:
        return self._once(once, lambda: self._ask(request, caller))

    def _ask(self, request: SurveyRequest, caller: Caller) -> Asked | Rejected:
        sent = self._one(request, caller)
        if isinstance(sent, Rejected):
            return sent
        assert sent.survey is not None
        return Asked(sent.survey.id, "open", sent.id, sent.segments, sent.encoding)

    def _once(self, once: Once | None, work: Callable[[], T]) -> T | Replay | Conflict:
        if self.fails is not None:
            raise self.fails
        if once is None:
            return work()
        if self.running:
            return Conflict.STILL_RUNNING
        if (first := self._first.get(once.key_hash)) is not None:
            return (
                Replay(http_status=first[1], body=first[2])
                if first[0] == once.request_hash
                else Conflict.OTHER_BODY
            )
        outcome = work()
        if not all(
            isinstance(one, Rejected) for one in (outcome if isinstance(outcome, list) else [outcome])
        ):
            self._first[once.key_hash] = (once.request_hash, *once.render(outcome))
        return outcome

    def _one(
        self,
        request: MessageRequest | ResolutionRequest | SurveyRequest | ConfirmationRequest | Rejected,
        caller: Caller,
    ) -> Accepted | Rejected:
        if isinstance(request, Rejected):
            return request
        msisdn = parse_msisdn(request.to)
        if msisdn is None:
            return NO_NUMBER
        self.taken.append(request)
        self.callers.append(caller)
        bucket = bucket_of(msisdn)
        survey = None
        if not isinstance(request, MessageRequest):
            survey = SurveyOutcome(public(Kind.SURVEY, self._ids.new(bucket, NOW.timestamp())), "open")
        message_id = public(Kind.MESSAGE, self._ids.new(bucket, NOW.timestamp()))
        return Accepted(message_id, "queued", 1, "ucs2", survey)


@dataclass
class FakeDispatch:
    """Says what it is told to say."""

    says: str = "cancelled"

    async def cancel(self, message_id: UUID) -> str:
        return self.says


@dataclass
class FakeConfirmations:
    """Says what it is told to say of every confirmation, and has nothing on record."""

    says: Cancelled | TooLate | None = None

    async def cancel(self, confirmation_id: UUID) -> Cancelled | TooLate | None:
        return self.says

    async def dossier(self, confirmation_id: UUID) -> Dossier | None:
        return None


@dataclass
class FakeCallbacks:
    """Holds the deliveries that it is given."""

    rows: list[tuple[Delivery, Sequence[Try]]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def list(self, **asked: Any) -> Sequence[tuple[Delivery, Sequence[Try]]]:
        self.asked.append(asked)
        return self.rows[: asked["limit"]]

    async def redeliver(self, callback_id: UUID, target: str | None = None) -> bool:
        return any(row.id == callback_id for row, _ in self.rows)


@dataclass
class FakeWebhooks:
    """Endpoints in memory."""

    callbacks: FakeCallbacks
    endpoints: dict[UUID, Endpoint] = field(default_factory=dict)
    unended: bool = False
    _ids: IdSource = field(default_factory=IdSource)

    async def create(
        self, url: str, events: Sequence[str], once: Once | None = None
    ) -> Created | Rejected | Replay | Conflict:
        if not url.startswith("https://"):
            fault = Fault("/url", "must be https")
            return Rejected("invalid-webhook", "Not registered", 422, "url must be https", (fault,))
        made = Endpoint(
            id=self._ids.new(0, NOW.timestamp()),
            url=url,
            events=tuple(events),
            secrets=("whsec_1",),
            created_at=NOW,
        )
        self.endpoints[made.id] = made
        return Created(made.name, "whsec_1")

    async def list(self) -> Sequence[Endpoint]:
        return list(self.endpoints.values())

    async def remove(self, endpoint_id: UUID) -> bool:
        return self.endpoints.pop(endpoint_id, None) is not None

    async def rotate(self, endpoint_id: UUID) -> Created | Unended | None:
        found = self.endpoints.get(endpoint_id)
        if self.unended:
            return Unended()
        return Created(found.name, "whsec_2") if found else None

    async def end_rotation(self, endpoint_id: UUID) -> bool:
        return endpoint_id in self.endpoints

    async def deliveries(self, endpoint_id: UUID, **asked: Any) -> Sequence[tuple[Delivery, Sequence[Try]]]:
        return await self.callbacks.list(**asked)

    async def redeliver(self, endpoint_id: UUID, callback_id: UUID) -> bool:
        return await self.callbacks.redeliver(callback_id)


@dataclass
class FakeReports:
    """Figures of nobody, but for those that it is given."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    surveys: dict[str | None, list[Outcome]] = field(default_factory=dict)
    tickets: dict[str | None, list[Answered]] = field(default_factory=dict)
    fails: Exception | None = None
    asked: list[tuple[Period, str, Wanted]] = field(default_factory=list)

    def today(self) -> date:
        return NOW.astimezone(self.zone).date()

    async def satisfaction(self, period: Period, by: By, wanted: Wanted) -> Report[Satisfaction]:
        self._heard(period, by, wanted)
        total = satisfaction(row for rows in self.surveys.values() for row in rows)
        if by is By.DAY:
            return Report(total=total, groups=[Group(key=str(period.last), figures=total)])
        groups = [Group(key=key, figures=satisfaction(rows)) for key, rows in self.surveys.items()]
        return Report(total=total, groups=groups)

    async def timeliness(self, period: Period, by: TicketsBy, wanted: Wanted) -> Report[Timeliness]:
        self._heard(period, by, wanted)
        total = timeliness(row for rows in self.tickets.values() for row in rows)
        if by is TicketsBy.DAY:
            return Report(total=total, groups=[Group(key=str(period.last), figures=total)])
        groups = [Group(key=key, figures=timeliness(rows)) for key, rows in self.tickets.items()]
        return Report(total=total, groups=groups)

    async def recorded(self, period: Period) -> RecordedReport:
        one = Recorded(cases=1, within_15m=1, within_12h=0, later=0, open=0, failed=0, median_seconds=7)
        days = [RecordedDay(key=str(period.last), figures=one)]
        return RecordedReport(promise_seconds=900, latest_seconds=43200, total=one, days=days)

    def _heard(self, period: Period, by: str, wanted: Wanted) -> None:
        if self.fails is not None:
            raise self.fails
        self.asked.append((period, by, wanted))


@dataclass
class FakeInbox:
    """Says what it is told to say."""

    says: Resolved | Gone | NotFound | Refused = field(default_factory=NotFound)
    heard: list[tuple[UUID, Judgement, str]] = field(default_factory=list)

    async def resolve(
        self, reply_id: UUID, judgement: Judgement, who: str
    ) -> Resolved | Gone | NotFound | Refused:
        self.heard.append((reply_id, judgement, who))
        return self.says


BIND = BindState(
    name="main/transceiver-1",
    route="main",
    mode="transceiver",
    system_id="huiyin",
    address="127.0.0.1:2775",
    state="bound_trx",
    since=NOW,
    again_at=None,
    in_flight=12,
    window=100,
    waiting=3,
    rate=350.0,
    limit=500.0,
    learned=350.0,
    congestion=84,
    paused_until=None,
    submitted=1000,
    refused=2,
    throttled=7,
    unanswered=1,
    delivered=900,
    round_trip=RoundTrip(count=1000, p50=12.0, p95=30.5, p99=80.0, slowest=120.0),
    heard_at=NOW,
    last_error="",
)
ROUTE = RouteState(
    name="main",
    profile="default",
    state="throttled",
    why="the SMSC says: slower",
    binds=[BIND],
    receipts_outstanding=42,
    oldest_receipt_due=NOW,
    stopped_senders=["10086"],
    alarms=["0x0A: the SMSC does not take the sender 10086"],
    unmapped={"0x0481": 3},
)


@dataclass
class FakeWays:
    """One route with one bind; what passed is what it is given."""

    frames: list[Frame] = field(default_factory=list)
    asked: list[tuple[WantedFrames, int]] = field(default_factory=list)
    goes_on: bool = False
    followers: int = 0

    def routes(self) -> Sequence[RouteState]:
        return [ROUTE]

    async def passed(self, wanted: WantedFrames, limit: int) -> Sequence[Frame]:
        self.asked.append((wanted, limit))
        return self.frames[-limit:]

    async def follow(self, wanted: WantedFrames, last: int = 0) -> AsyncGenerator[Frame, None]:
        self.asked.append((wanted, last))
        self.followers += 1
        try:
            for frame in self.frames:
                yield frame
            while self.goes_on:
                await asyncio.sleep(3600)
        finally:
            self.followers -= 1


def delivery(ids: IdSource) -> tuple[Delivery, list[Try]]:
    """A call to the ticket system that was refused and is parked."""
    made = Delivery(
        bucket=0,
        id=ids.new(0, NOW.timestamp()),
        kind="connector",
        target="ticket.satisfaction",
        event="survey.answered",
        subject=SUBJECT,
        payload={"to": "8613905310001"},
        created_at=NOW,
        status="parked",
        tries=1,
        due_at=NOW,
        settled_at=NOW,
    )
    return made, [Try(0, made.id, 1, NOW, 0.2504999, 500, "HTTP 500\nno ticket for 8613905310001: 太慢了")]


class NothingKnown:
    """Lookups over an empty database."""

    async def message(self, _id: UUID) -> None:
        return None

    async def survey(self, _id: UUID) -> None:
        return None

    async def confirmation(self, _id: UUID) -> None:
        return None

    async def confirmations(self, _page: Any, **_filters: Any) -> list[Any]:
        return []

    async def messages(self, _page: Any, **_filters: Any) -> list[Any]:
        return []

    async def surveys(self, _page: Any, **_filters: Any) -> list[Any]:
        return []

    async def inbox(self, _page: Any, **_filters: Any) -> list[Any]:
        return []


async def well() -> tuple[bool, str]:
    return True, "ok"


async def down() -> tuple[bool, str]:
    return False, "no bind is up"


ALL = tuple(Scope)


class FakeContacts:
    """One number's, in memory."""

    def __init__(self) -> None:
        self.contact = Contact(msisdn="8613905310001")

    async def load(self, to: str) -> Contact | Rejected:
        return NO_NUMBER if parse_msisdn(to) is None else self.contact

    async def put(self, to: str, wish: ContactWish) -> Contact | Rejected:
        self.contact = replace(self.contact, language=wish.language, tier=wish.tier, updated_at=NOW)
        return await self.load(to)

    async def opt_out(self, to: str, scope: str, by: str, cause: UUID) -> Contact | Rejected:
        self.contact = replace(self.contact, opt_outs=(OptedOut(scope, by, NOW),), updated_at=NOW)
        return await self.load(to)

    async def opt_in(self, to: str, scope: str | None, by: str, cause: UUID) -> Contact | Rejected:
        left = tuple(each for each in self.contact.opt_outs if scope not in (None, each.scope))
        self.contact = replace(self.contact, opt_outs=left, updated_at=NOW)
        return await self.load(to)


@dataclass
class FakeSubscriptions:
    """One number's, in memory."""

    rows: dict[str, Subscription] = field(default_factory=dict)

    async def list(
        self, to: str, status: SubscriptionStatus | None, *, before: UUID, limit: int
    ) -> list[Subscription]:
        if parse_msisdn(to) is None:
            raise UnknownNumber("is not a mobile number of a configured region")
        rows = [row for row in self.rows.values() if status in (None, row.status) and place_of(row) < before]
        return sorted(rows, key=place_of, reverse=True)[:limit]

    async def put(self, to: str, service: str, wish: Wish) -> Put | Rejected:
        msisdn = parse_msisdn(to)
        if msisdn is None:
            return NO_NUMBER
        row = Subscription(
            bucket_of(msisdn),
            msisdn,
            service,
            wish.name,
            Decimal(wish.price),
            wish.period,
            SubscriptionStatus(wish.status),
            wish.trial,
            wish.started_at or NOW,
            wish.expires_at,
            None,
            wish.at or NOW,
        )
        before = self.rows.get(service)
        if before is not None and before.updated_at > row.updated_at:
            return Put(before, changed=False)
        self.rows[service] = row
        return Put(row, changed=True)

    async def remove(self, to: str, service: str, at: datetime | None) -> Subscription | Rejected | None:
        return NO_NUMBER if parse_msisdn(to) is None else self.rows.get(service)


@dataclass
class World:
    """A running server, and the fakes behind it."""

    url: str
    http: aiohttp.ClientSession
    ring: FakeRing
    intake: FakeIntake
    dispatch: FakeDispatch
    callbacks: FakeCallbacks
    webhooks: FakeWebhooks
    inbox: FakeInbox
    ways: FakeWays
    listener: server.Listener
    reports: Reports = field(default_factory=FakeReports)


@asynccontextmanager
async def world(
    *,
    lookups: Lookups | None = None,
    reports: Reports | None = None,
    subscriptions: Subscriptions | None = None,
    confirmations: Confirmations | None = None,
    evidence: Evidence | None = None,
    checks: Mapping[str, Check] | None = None,
    webhooks: Webhooks | None = None,
    sends: bool = True,
) -> AsyncIterator[World]:
    """A server with the key `all`, which may do everything, and a client that uses it."""
    ring, intake, dispatch = FakeRing(), FakeIntake(), FakeDispatch()
    callbacks, inbox, ways = FakeCallbacks(), FakeInbox(), FakeWays()
    fake = FakeWebhooks(callbacks)
    ring.add("all", *ALL)
    services = Services(
        intake=intake,
        dispatch=dispatch,
        confirmations=confirmations or FakeConfirmations(),
        evidence=evidence or FakeConfirmations(),
        callbacks=callbacks,
        webhooks=webhooks or fake,
        inbox=inbox,
        lookups=lookups or cast(Lookups, NothingKnown()),
        reports=reports or FakeReports(),
        subscriptions=subscriptions or FakeSubscriptions(),
        contacts=FakeContacts(),
        keys=cast(KeyRing, ring),
        checks=checks or {"database": well},
        ways=ways if sends else None,
    )
    listener = await server.start(services, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.port}"
    try:
        async with aiohttp.ClientSession(url, headers={"Authorization": "Bearer all"}) as http:
            yield World(
                url, http, ring, intake, dispatch, callbacks, fake, inbox, ways, listener, services.reports
            )
    finally:
        await listener.stop(1.0)
