"""What a caller's fields mean, before anything is looked up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import wishes
from gateway.domain.handling import Handling
from gateway.domain.request import Fault, HandlingWish, MessageRequest

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
    assert found == Fault("/to", "is not a mobile number of a region in regions.accept (cn, hk)")


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


def wished(**fields: object) -> Handling | list[Fault]:
    return wishes.handling(HandlingWish(**fields), None, NOW)  # type: ignore[arg-type]


def test_how_a_message_is_carried() -> None:
    at = NOW + timedelta(hours=9)
    assert wished(flash=True, priority=3, deliver_at=at, parameters={"0x1403": "0a0b"}) == Handling(
        flash=True, priority=3, deliver_at=at, parameters={0x1403: b"\x0a\x0b"}
    )
    assert wishes.handling(None, None, NOW) == Handling()


def test_a_delivery_that_is_due_already_is_made_at_once() -> None:
    assert wished(deliver_at=NOW) == Handling()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        pytest.param({"priority": 4}, "/handling/priority", id="priority"),
        pytest.param({"deliver_at": datetime(2026, 11, 23)}, "/handling/deliver_at", id="without an offset"),  # noqa: DTZ001
        pytest.param(
            {"deliver_at": NOW + timedelta(days=400)}, "/handling/deliver_at", id="in more than a year"
        ),
        pytest.param({"parameters": {"1403": "0a"}}, "/handling/parameters/1403", id="no tag"),
        pytest.param({"parameters": {"0x0424": "0a"}}, "/handling/parameters/0x0424", id="a tag of ours"),
        pytest.param({"parameters": {"0x1403": "0"}}, "/handling/parameters/0x1403", id="no octets"),
        pytest.param({"parameters": {"a/b~": "00"}}, "/handling/parameters/a~1b~0", id="escaped"),
        pytest.param({"parameters": {"0x1": "", "0x01": ""}}, "/handling/parameters/0x01", id="twice"),
        pytest.param({"parameters": {"0x1": "00" * 1021}}, "/handling/parameters", id="too much"),
    ],
)
def test_a_wish_at_fault_is_pointed_at(fields: dict[str, object], pointer: str) -> None:
    faults = wished(**fields)
    assert isinstance(faults, list)
    assert [fault.pointer for fault in faults] == [pointer]


def test_all_wishes_at_fault_are_told() -> None:
    faults = wished(priority=9, parameters={"x": "x", "0x0424": ""})
    assert isinstance(faults, list)
    assert [fault.pointer for fault in faults] == [
        "/handling/priority",
        "/handling/parameters/x",
        "/handling/parameters/x",
        "/handling/parameters/0x0424",
    ]


def test_as_many_parameters_as_go() -> None:
    assert isinstance(wished(parameters={"0x1403": "00" * 1020}), Handling)


def test_the_smsc_can_not_deliver_before_we_send() -> None:
    send_at, wish = NOW + timedelta(hours=2), HandlingWish(deliver_at=NOW + timedelta(hours=1))
    assert wishes.handling(wish, send_at, NOW) == [
        Fault("/handling/deliver_at", "must not be before send_at")
    ]


def test_validity_counts_from_the_last_of_these_moments() -> None:
    found = wishes.times(NOW + timedelta(hours=1), "2h", NOW, NOW + timedelta(hours=5))
    assert found == wishes.Times(NOW + timedelta(hours=1), NOW + timedelta(hours=7))
