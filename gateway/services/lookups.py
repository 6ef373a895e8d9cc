"""What is on record, for those who ask: messages with their history, surveys, the inbox. Changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.domain.ids import floor_at, made_at
from gateway.domain.message import Message, Step
from gateway.domain.msisdn import DEFAULT_REGIONS, bucket_of, parse_msisdn
from gateway.domain.timeliness import SPANS, Promptness
from gateway.domain.wishes import not_a_number
from gateway.storage import lookups as table
from gateway.storage.database import Database
from gateway.storage.lookups import Conversation, Listed, Reply, TooWide

__all__ = [
    "Conversation",
    "Like",
    "Listed",
    "Lookups",
    "MessageRecord",
    "Page",
    "Reply",
    "SurveyRecord",
    "TooWide",
    "UnknownNumber",
]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST: Final = UUID(int=0)
FIRST_SPAN: Final = timedelta(hours=1)
LAST: Final = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list: at most `limit`, older than the id `before`."""

    limit: int = 50
    before: UUID = LAST


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """A message and what became of it, first step to last."""

    message: Message
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRecord:
    """A survey and what the customer wrote, first to last."""

    conversation: Conversation
    replies: Sequence[Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Like:
    """Which surveys to list. None: any; "": those without one."""

    kind: str = "survey"
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None  #: opened before
    touchpoint: str | None = None
    department: str | None = None
    type: str | None = None  #: of the ticket
    agent: str | None = None
    scale: str | None = None
    low: bool | None = None
    timeliness: Promptness | None = None  #: of the answer to the ticket

    def filter(self) -> table.ConversationFilter:
        """The same for the table."""
        return table.ConversationFilter(
            kind=self.kind,
            before=LAST,
            limit=0,
            floor=FIRST if self.since is None else _floor_of(self.since),
            status=self.status,
            touchpoint=self.touchpoint,
            department=self.department,
            type=self.type,
            agent=self.agent,
            scale=self.scale,
            low=self.low,
            hours=None if self.timeliness is None else SPANS.get(self.timeliness),
            untimed=self.timeliness is Promptness.UNTIMED,
        )


ANY: Final = Like()


class UnknownNumber(Exception):  # noqa: N818 - a finding, which the edge tells the caller
    """A filter names a number that can't be a mobile number of a configured region; its message says so."""


def _floor_of(moment: datetime) -> UUID:
    return FIRST if moment < EPOCH else floor_at(moment)


class Lookups:
    """Read-only. Every method raises `StorageUnavailable` when the database can't be asked."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        regions: Callable[[], Sequence[str]] = lambda: DEFAULT_REGIONS,
    ) -> None:
        self._database = database
        self._now = now
        self._regions = regions

    def _customer(self, to: str | None) -> tuple[str | None, int | None]:
        """The normalised number and its bucket. Raises `UnknownNumber`."""
        if to is None:
            return None, None
        regions = self._regions()
        msisdn = parse_msisdn(to, regions)
        if msisdn is None:
            raise UnknownNumber(not_a_number(regions))
        return msisdn, bucket_of(msisdn)

    async def message(self, message_id: UUID) -> MessageRecord | None:
        """One message with its history."""
        async with self._database.connection() as connection:
            found = await table.message(connection, message_id)
        return None if found is None else MessageRecord(message=found[0], steps=found[1])

    async def messages(
        self,
        page: Page,
        *,
        to: str | None = None,
        ref: str | None = None,
        status: str | None = None,
        lane: str | None = None,
        since: datetime | None = None,
    ) -> list[Listed]:
        """Messages, newest first. Raises `UnknownNumber` and `TooWide`."""
        msisdn, bucket = self._customer(to)
        wanted = table.MessageFilter(
            floor=FIRST if since is None else _floor_of(since),
            before=page.before,
            limit=page.limit,
            msisdn=msisdn,
            bucket=bucket,
            ref=ref,
            status=status,
            lane=lane,
        )
        async with self._database.transaction() as connection:
            if msisdn is not None or ref is not None or status is None or status in table.TROUBLE:
                return await table.messages(connection, wanted)
            found: list[Listed] = []
            for floor in self._floors(wanted.floor):
                found += await table.messages(
                    connection, wanted._replace(floor=floor, limit=page.limit - len(found))
                )
                if len(found) >= page.limit:
                    break
                wanted = wanted._replace(before=min(wanted.before, floor))
            return found

    def _floors(self, lowest: UUID, below: UUID = LAST) -> Iterator[UUID]:
        """Bounds ever further back from now, or from `below`: who filters mostly means the latest ones."""
        newest = self._now()
        if below < floor_at(newest):
            newest = made_at(below)
        span = FIRST_SPAN
        while (moment := newest - span) > EPOCH and (floor := floor_at(moment)) > lowest:
            yield floor
            span *= 4
        yield lowest

    async def survey(self, survey_id: UUID) -> SurveyRecord | None:
        """One survey with the customer's own words."""
        return await self._conversation(survey_id, "survey")

    async def confirmation(self, confirmation_id: UUID) -> SurveyRecord | None:
        """One confirmation with the customer's own words."""
        return await self._conversation(confirmation_id, "confirmation")

    async def confirmations(
        self,
        page: Page,
        *,
        to: str | None = None,
        status: str | None = None,
        since: datetime | None = None,
    ) -> list[Conversation]:
        """Confirmations, newest first. Raises `UnknownNumber` and `TooWide`."""
        return await self.surveys(page, to=to, like=Like(kind="confirmation", status=status, since=since))

    async def _conversation(self, uid: UUID, kind: str) -> SurveyRecord | None:
        async with self._database.connection() as connection:
            found = await table.conversation(connection, uid, kind)
            if found is None:
                return None
            return SurveyRecord(conversation=found, replies=await table.replies_of(connection, found))

    async def surveys(
        self, page: Page, *, to: str | None = None, ticket: str | None = None, like: Like = ANY
    ) -> list[Conversation]:
        """Surveys, newest first. Raises `UnknownNumber` and `TooWide`."""
        msisdn, bucket = self._customer(to)
        wanted = like.filter()._replace(
            before=min(page.before, LAST if like.until is None else _floor_of(like.until)),
            limit=page.limit,
            msisdn=msisdn,
            bucket=bucket,
            ticket_id=ticket,
        )
        async with self._database.transaction() as connection:
            if msisdn is not None or ticket is not None or not wanted.is_selective:
                return await table.conversations(connection, wanted)
            found: list[Conversation] = []
            for floor in self._floors(wanted.floor, wanted.before):
                found += await table.conversations(
                    connection, wanted._replace(floor=floor, limit=page.limit - len(found))
                )
                if len(found) >= page.limit:
                    break
                wanted = wanted._replace(before=floor)
            return found

    async def inbox(self, page: Page, *, to: str | None = None) -> list[Reply]:
        """Replies that need a person, newest first. Raises `UnknownNumber`."""
        msisdn, bucket = self._customer(to)
        async with self._database.connection() as connection:
            return await table.inbox(connection, page.before, page.limit, msisdn, bucket)
