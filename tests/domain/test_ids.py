"""Ids sort by time, carry their bucket, and are told apart by their kind."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ids import BUCKETS, IdSource, Kind, bucket_of_id, floor_at, made_at, parse, public

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
BUCKET = st.integers(0, BUCKETS - 1)


@given(bucket=BUCKET, moment=MOMENTS)
def test_an_id_tells_its_bucket_and_its_millisecond(bucket: int, moment: datetime) -> None:
    uid = IdSource().new(bucket, moment.timestamp())
    assert bucket_of_id(uid) == bucket
    assert abs(made_at(uid) - moment) <= timedelta(milliseconds=1)
    assert (uid.version, uid.variant) == (7, "specified in RFC 4122")


@given(
    moments=st.lists(MOMENTS, min_size=2, max_size=2, unique_by=lambda m: int(m.timestamp() * 1000)),
    bucket=BUCKET,
)
def test_ids_sort_by_time(moments: list[datetime], bucket: int) -> None:
    source = IdSource()
    earlier, later = (source.new(bucket, moment.timestamp()) for moment in sorted(moments))
    assert earlier < later
    assert floor_at(min(moments)) <= earlier


def test_ids_never_repeat() -> None:
    sources = [IdSource(), IdSource()]
    ids = {source.new(7, NOW.timestamp()) for source in sources for _ in range(5000)}
    assert len(ids) == 10_000


@given(kind=st.sampled_from(Kind), bucket=BUCKET)
def test_a_public_id_is_read_back_as_its_kind_only(kind: Kind, bucket: int) -> None:
    uid = IdSource().new(bucket, NOW.timestamp())
    written = public(kind, uid)
    assert parse(kind, written) == uid
    assert all(parse(other, written) is None for other in Kind if other is not kind)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("msg_", id="no digits"),
        pytest.param("msg_" + "0" * 31, id="one too few"),
        pytest.param("msg_" + "g" * 32, id="no digits at all"),
        pytest.param("msg-" + "0" * 32, id="another sign"),
        pytest.param("0" * 32, id="no prefix"),
    ],
)
def test_what_is_no_id_is_none(text: str) -> None:
    assert parse(Kind.MESSAGE, text) is None


@given(st.text())
def test_reading_never_raises(text: str) -> None:
    assert parse(Kind.MESSAGE, text) is None or text.startswith("msg_")
    parse(Kind.MESSAGE, f"msg_{text}")
