"""Calendar days of the operator's time zone, each with the ids that are made on it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.domain.ids import floor_at

#: Days that ids can be made on and that every time zone has whole.
FIRST_DAY: Final = date(1971, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)
_ONE: Final = timedelta(days=1)


class Day(NamedTuple):
    """A day, and the ids made on it: from `first` to below `end`."""

    date: date
    first: UUID
    end: UUID


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day, in UTC: not always midnight, where clocks are put forward then."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day that a moment lies on."""
    return moment.astimezone(zone).date()


def days(first: date, last: date, zone: ZoneInfo) -> list[Day]:
    """The days from `first` to `last`, both included."""
    return list(_days(first, last, zone))


def _days(first: date, last: date, zone: ZoneInfo) -> Iterator[Day]:
    start = floor_at(start_of(first, zone))
    while first <= last:
        following = first + _ONE
        end = floor_at(start_of(following, zone))
        yield Day(first, start, end)
        first, start = following, end
