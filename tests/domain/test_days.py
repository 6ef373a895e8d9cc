"""Days of a time zone: without gaps, whatever clocks do, with the ids that are made on them."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.days import FIRST_DAY, LAST_DAY, day_of, days, start_of
from gateway.domain.ids import IdSource

ZONES = ("Asia/Shanghai", "UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia")


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        pytest.param("Asia/Shanghai", date(2026, 11, 22), "2026-11-21T16:00", id="Shanghai"),
        pytest.param("Europe/Berlin", date(2026, 3, 30), "2026-03-29T22:00", id="after clocks went forward"),
        pytest.param("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00", id="there is no midnight"),
    ],
)
def test_a_day_begins(zone: str, day: date, start: str) -> None:
    assert start_of(day, ZoneInfo(zone)) == datetime.fromisoformat(start).replace(tzinfo=UTC)


@given(st.sampled_from(ZONES), st.dates(FIRST_DAY, date(2099, 1, 1)), st.integers(0, 40))
def test_days_follow_each_other_without_a_gap(name: str, first: date, more: int) -> None:
    found = days(first, first + timedelta(days=more), ZoneInfo(name))
    assert [day.date for day in found] == [first + timedelta(days=n) for n in range(more + 1)]
    assert all(day.first <= day.end for day in found)
    assert all(day.end == after.first for day, after in pairwise(found))


@given(st.integers(1_577_836_800, 2_051_222_400))
def test_an_id_is_made_on_the_day_that_its_moment_lies_on(seconds: int) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    at = datetime.fromtimestamp(seconds, UTC)
    (day,) = days(day_of(at, zone), day_of(at, zone), zone)
    assert day.first <= IdSource().new(7, at.timestamp()) < day.end


def test_the_first_and_the_last_day_have_bounds_in_every_zone() -> None:
    for name in ZONES:
        assert days(FIRST_DAY, FIRST_DAY, ZoneInfo(name))
        assert days(LAST_DAY, LAST_DAY, ZoneInfo(name))
