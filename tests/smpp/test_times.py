"""SMPP's times: written, read, and what is none of them."""

# ruff: noqa: E501, DTZ001 - one time a line; the SMSC's dates have no zone, that is the point

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp import times
from gateway.smpp.errors import EncodeError

BEIJING = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 22, 9, 44, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "written"),
    [
        pytest.param(timedelta(0), "000000000000000R", id="now"),
        pytest.param(timedelta(minutes=5), "000000000500000R", id="five minutes"),
        pytest.param(timedelta(days=1), "000001000000000R", id="a day"),
        pytest.param(timedelta(days=2, hours=3, minutes=4, seconds=5), "000002030405000R", id="of all"),
        pytest.param(timedelta(days=31), "000031000000000R", id="the longest"),
    ],
)
def test_a_relative_time_is_written_and_read(after: timedelta, written: str) -> None:
    assert times.relative(after) == written
    assert times.moment(written, NOW) == NOW + after


@pytest.mark.parametrize("after", [timedelta(seconds=-1), timedelta(days=31, seconds=1)])
def test_a_relative_time_beyond_its_field_is_refused(after: timedelta) -> None:
    with pytest.raises(EncodeError):
        times.relative(after)


@pytest.mark.parametrize(
    ("after", "written"),
    [
        pytest.param(timedelta(days=29), "000029000000000R", id="less than a month"),
        pytest.param(timedelta(days=364), "001204000000000R", id="the longest"),
    ],
)
def test_a_relative_time_may_be_told_in_months_of_thirty_days(after: timedelta, written: str) -> None:
    assert times.relative(after, months=True) == written
    assert times.moment(written, NOW) == NOW + after
    with pytest.raises(EncodeError, match="364 days"):
        times.relative(timedelta(days=365), months=True)


@pytest.mark.parametrize(
    ("at", "written"),
    [
        pytest.param(NOW, "261122094403000+", id="UTC"),
        pytest.param(NOW.astimezone(BEIJING), "261122174403032+", id="Beijing"),
        pytest.param(NOW.astimezone(timezone(timedelta(hours=-3, minutes=-30))), "261122061403014-", id="west"),
        pytest.param(NOW.astimezone(timezone(timedelta(minutes=7))), "261122094403000+", id="no quarter of an hour"),
        pytest.param(NOW.astimezone(timezone(timedelta(hours=12))), "261122214403048+", id="furthest"),
        pytest.param(NOW.astimezone(timezone(timedelta(hours=13))), "261122094403000+", id="beyond what can be told"),
        pytest.param(NOW.replace(microsecond=700_000), "261122094403700+", id="tenths"),
    ],
)  # fmt: skip
def test_an_absolute_time_is_written_and_read(at: datetime, written: str) -> None:
    assert times.absolute(at) == written
    assert times.moment(written, NOW) == at


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(EncodeError):
        times.absolute(NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "261122094403000",
        "261322094403000+",
        "261122094403099+",
        "261122094403000X",
        "2611220944030²0+",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert times.moment(text, NOW) is None


@given(st.text(max_size=17) | st.from_regex(r"[0-9]{15}[-+R]", fullmatch=True))
def test_no_time_raises(text: str) -> None:
    read = times.moment(text, NOW)
    assert read is None or read.tzinfo is not None


@pytest.mark.parametrize(
    ("digits", "at"),
    [
        pytest.param("2611221744", datetime(2026, 11, 22, 17, 44), id="ten digits"),
        pytest.param("261122174403", datetime(2026, 11, 22, 17, 44, 3), id="twelve, with seconds"),
        pytest.param("202611221744", datetime(2026, 11, 22, 17, 44), id="twelve, with the century"),
        pytest.param("20261122174403", datetime(2026, 11, 22, 17, 44, 3), id="fourteen"),
        pytest.param("2613221744", None, id="no such month"),
        pytest.param("0000000000", None, id="zeros"),
        pytest.param("26112217440", None, id="eleven"),
        pytest.param("", None, id="empty"),
    ],
)  # fmt: skip
def test_receipts_dates_are_the_smscs_own_time(digits: str, at: datetime | None) -> None:
    expected = None if at is None else at.replace(tzinfo=BEIJING)
    assert times.receipt_moment(digits, BEIJING) == expected
