"""What a caller's fields mean, before anything is looked up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import wishes
from gateway.domain.request import Fault, MessageRequest

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        pytest.param("13905310001", "8613905310001", id="as people say it"),
        pytest.param("+8613905310001", "8613905310001", id="with a plus"),
        pytest.param("8613905310001", "8613905310001", id="E.164"),
        pytest.param("10086", None, id="a short code"),
        pytest.param("", None, id="empty"),
    ],
)
def test_numbers(raw: str, read: str | None) -> None:
    found = wishes.number(raw, ["cn"])
    assert (None if isinstance(found, Fault) else found) == read


def test_a_number_of_no_region_is_told_which_regions_there_are() -> None:
    found = wishes.number("10086", ["cn", "hk"])
    assert found == Fault("/to", "is not a mobile number of a configured region (cn, hk)")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param("72h", timedelta(hours=72), id="hours"),
        pytest.param("15m", timedelta(minutes=15), id="minutes"),
        pytest.param("PT15M", timedelta(minutes=15), id="ISO 8601"),
        pytest.param("0s", None, id="no time at all"),
        pytest.param("-5m", None, id="backwards"),
        pytest.param("400d", None, id="over a year"),
        pytest.param("soon", None, id="in words"),
    ],
)
def test_lengths_of_time(text: str, length: timedelta | None) -> None:
    found = wishes.length_of_time(text, "/valid_for")
    assert (None if isinstance(found, Fault) else found) == length


@pytest.mark.parametrize(
    ("text", "right"),
    [
        pytest.param("59s", False, id="just under"),
        pytest.param("1m", True, id="just so"),
        pytest.param("60s", True, id="in seconds"),
        pytest.param("PT0.5S", False, id="half a second"),
    ],
)
def test_a_question_waits_a_minute_at_least(text: str, right: bool) -> None:
    found = wishes.length_of_time(text, "/expires_in", wishes.SHORTEST_QUESTION)
    told = Fault("/expires_in", "must be a length of time from 1m to 366d, as 72h, 15m or PT15M")
    assert right == isinstance(found, timedelta) == (found != told)


@given(st.text(max_size=40))
def test_reading_a_length_never_raises(text: str) -> None:
    found = wishes.length_of_time(text, "/x")
    assert isinstance(found, Fault) or timedelta() < found <= wishes.FAR


@pytest.mark.parametrize(
    ("send_at", "valid_for", "expires_at"),
    [
        pytest.param(None, None, None, id="now, as long as the network likes"),
        pytest.param(None, "1h", NOW + timedelta(hours=1), id="an hour from now"),
        pytest.param(NOW + timedelta(days=1), "1h", NOW + timedelta(days=1, hours=1), id="from its time on"),
        pytest.param(
            NOW - timedelta(days=1), "1h", NOW + timedelta(hours=1), id="a time that is past is now"
        ),
    ],
)
def test_times(send_at: datetime | None, valid_for: str | None, expires_at: datetime | None) -> None:
    assert wishes.times(send_at, valid_for, NOW) == wishes.Times(send_at, expires_at)


@pytest.mark.parametrize(
    ("send_at", "valid_for", "pointer"),
    [
        pytest.param(NOW.replace(tzinfo=None), None, "/send_at", id="without an offset"),
        pytest.param(NOW + timedelta(days=400), None, "/send_at", id="over a year ahead"),
        pytest.param(None, "never", "/valid_for", id="no length"),
    ],
)
def test_faults_of_times(send_at: datetime | None, valid_for: str | None, pointer: str) -> None:
    found = wishes.times(send_at, valid_for, NOW)
    assert isinstance(found, Fault)
    assert found.pointer == pointer


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        pytest.param({"text": "x"}, [], id="a text"),
        pytest.param({"template": "a/b", "params": {"x": 1}}, [], id="a template"),
        pytest.param({}, ["/text"], id="nothing to say"),
        pytest.param({"text": "x", "template": "a/b"}, ["/text"], id="both"),
        pytest.param({"text": "x", "params": {"x": 1}}, ["/params"], id="a text with parameters"),
    ],
)
def test_there_is_one_thing_to_say(fields: dict[str, object], pointers: list[str]) -> None:
    request = MessageRequest(to="13905310001", **fields)  # type: ignore[arg-type]
    assert [fault.pointer for fault in wishes.content_faults(request)] == pointers


def test_the_first_fault_is_told_in_words_and_all_in_fields() -> None:
    rejected = wishes.invalid([Fault("/to", "wrong"), Fault("", "and that")])
    assert (rejected.status, rejected.detail) == (422, "/to: wrong.")
    assert len(rejected.errors) == 2
