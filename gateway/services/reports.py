"""Reports: how satisfied customers are, and how soon complaints are answered.

Reads, and keeps the figures of the days that are over counted in the background.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Generic, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from gateway.domain.case import CaseRules
from gateway.domain.days import Day, day_of, days
from gateway.domain.figures import Outcome, Satisfaction, satisfaction
from gateway.domain.ids import made_at
from gateway.domain.timeliness import Answered, Recorded, Timeliness, timeliness
from gateway.storage import reports as table
from gateway.storage.database import Connection, Database, StorageUnavailable
from gateway.storage.lookups import TooWide
from gateway.storage.reports import By, Outrun, TicketsBy, Wanted

__all__ = [
    "By",
    "Group",
    "Period",
    "RecordedDay",
    "RecordedReport",
    "Report",
    "Reports",
    "TicketsBy",
    "TooWide",
    "Wanted",
]

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 600.0
PAUSE_SECONDS: Final = 0.2  # between two days that are counted: others work here
#: So many reports are made at a time by one node; each holds a connection.
AT_ONCE: Final = 2

F = TypeVar("F", Satisfaction, Timeliness)
R = TypeVar("R", Outcome, Answered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From the first day to the last, both included, in a time zone."""

    first: date
    last: date
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Generic[F]):
    """One line of a report. The key of those without a department, type … is None."""

    key: str | None
    figures: F


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Generic[F]):
    """All together, and group by group: days in their order, other groups the largest first."""

    total: F
    groups: list[Group[F]]


class RecordedDay(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of a day: of those who wrote on it."""

    key: Annotated[str, Meta(description="the day, as 2026-11-22")]
    figures: Recorded


class RecordedReport(msgspec.Struct, frozen=True, kw_only=True):
    """Cases count for the day on which the customer wrote; a day without any is left out."""

    promise_seconds: Annotated[int, Meta(description="what within_15m is measured by")]
    latest_seconds: Annotated[int, Meta(description="what within_12h is measured by")]
    total: Recorded
    days: list[RecordedDay]


class Reports:
    """Every method raises `StorageUnavailable` when the database can't be asked."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        zone: ZoneInfo,
        rules: Callable[[], CaseRules] = CaseRules,
    ) -> None:
        self._rules = rules
        self._database = database
        self._now = now
        self.zone = zone
        self._room = asyncio.Semaphore(AT_ONCE)

    def today(self) -> date:
        """The day that it is in the operator's time zone."""
        return day_of(self._now(), self.zone)

    async def satisfaction(self, period: Period, by: By, wanted: Wanted) -> Report[Satisfaction]:
        """What came of the surveys that were opened in a period. Raises `TooWide`."""
        async with self._snapshot() as connection:
            found = await table.satisfaction(connection, _days(period), by, wanted)
        return _report(found, satisfaction, lambda figures: figures.surveys, in_order=by is By.DAY)

    async def timeliness(self, period: Period, by: TicketsBy, wanted: Wanted) -> Report[Timeliness]:
        """How soon the tickets were answered whose resolutions came in a period. Raises `TooWide`."""
        async with self._snapshot() as connection:
            found = await table.timeliness(connection, _days(period), by, wanted)
        return _report(found, timeliness, lambda figures: figures.resolutions, in_order=by is TicketsBy.DAY)

    async def recorded(self, period: Period) -> RecordedReport:
        """How soon customers' own words had a number, by the rules of now. Raises `TooWide`."""
        rules = self._rules()
        async with self._snapshot() as connection:
            found = await table.recorded(connection, _days(period), rules.promise, rules.latest)
        total = found.pop(None)
        return RecordedReport(
            promise_seconds=int(rules.promise.total_seconds()),
            latest_seconds=int(rules.latest.total_seconds()),
            total=total,
            days=[RecordedDay(key=day or "", figures=figures) for day, figures in found.items()],
        )

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        async with self._room, self._database.transaction() as connection:
            await connection.execute(table.ONE_SNAPSHOT)
            yield connection

    # In the background

    async def run(self) -> None:
        """Keep the figures counted, for ever."""
        while True:
            try:
                await self.count()
            except Outrun:
                log.debug("another node counts")
            except StorageUnavailable as error:
                log.warning("counting put off", extra={"why": str(error)})
            except Exception:
                log.exception("counting failed")
            await asyncio.sleep(EVERY_SECONDS)

    async def count(self) -> int:
        """Count the days that are settled and not counted as they stand now; the latest first.

        How many days. Raises `Outrun` and `StorageUnavailable`.
        """
        async with self._snapshot() as connection:
            now = min(
                self._now(), await table.clock(connection)
            )  # a fast clock of ours would count too early
            oldest = await table.oldest(connection)
            if oldest is None:
                return 0
            settled = day_of(now - table.COUNTED_AFTER, self.zone) - timedelta(days=1)
            candidates = days(day_of(made_at(oldest), self.zone), settled, self.zone)
            stands = await table.counted(connection, candidates)
        due = [day for day in reversed(candidates) if day.date not in stands]
        for day in due:
            async with self._database.transaction() as connection:
                await table.count(connection, day, now)
            await asyncio.sleep(PAUSE_SECONDS)
        if due:
            log.info("days counted", extra={"days": len(due)})
        return len(due)


def _days(period: Period) -> list[Day]:
    return days(period.first, period.last, period.zone)


def _report(
    found: dict[str | None, list[R]],
    figures_of: Callable[[list[R]], F],
    size: Callable[[F], int],
    *,
    in_order: bool,
) -> Report[F]:
    groups = [Group(key=key, figures=figures_of(rows)) for key, rows in found.items()]
    groups.sort(key=lambda group: group.key or "")
    if not in_order:
        groups.sort(key=lambda group: (group.key is None, -size(group.figures)))
    return Report(total=figures_of([row for rows in found.values() for row in rows]), groups=groups)
