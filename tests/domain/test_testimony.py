"""What evidence says is read as it was said."""

from datetime import timedelta

import pytest

from gateway.domain.message import Event, Status, Step
from gateway.domain.testimony import (
    BODIES,
    Body,
    Carried,
    Kind,
    Offered,
    Part,
    Replied,
    attest,
    carried,
    read,
)
from tests.services.road import message_to
from tests.services.testimony import START, cnf, story


def test_each_kind_has_its_body() -> None:
    assert BODIES.keys() == set(Kind)
    assert len(set(BODIES.values())) == len(Kind)
    assert {type(body) for body in story()} == set(BODIES.values())


@pytest.mark.parametrize("body", story(), ids=lambda body: type(body).__name__)
def test_what_was_said_is_read_again(body: Body) -> None:
    new = attest(cnf(1), START, body)
    assert (new.bucket, new.confirmation_id, new.at) == (7, cnf(1), START)
    assert BODIES[Kind(new.kind)] is type(body)
    assert read(new.kind, new.body) == body


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("gossip", "{}", id="kind"),
        pytest.param("offered", "{}", id="fields are missing"),
        pytest.param("became", '{"status":1}', id="another type"),
        pytest.param("became", "{", id="no JSON"),
        pytest.param("called", '{"connector":"a","key":"b","request":' + '{"a":' * 5000, id="too deep"),
    ],
)
def test_what_is_not_known_is_read_as_nothing(kind: str, body: str) -> None:
    assert read(kind, body) is None


def test_a_later_field_hinders_nobody() -> None:
    assert read("became", '{"status":"active","mood":"good"}') is not None


def test_the_log_of_an_sms_is_copied_with_ids_and_receipts() -> None:
    message = message_to()

    def step(seq: int, kind: Event, status: Status, **more: object) -> Step:
        at = START + timedelta(seconds=seq)
        return Step(message.bucket, message.id, seq, at, kind, status, 1, 1, route="main", **more)  # type: ignore[arg-type]

    steps = [
        step(1, Event.ATTEMPT, Status.SUBMITTING, detail="udh8/1"),
        step(2, Event.SUBMITTED, Status.SUBMITTED, smsc_id="a1", command_status=0),
        step(3, Event.DELIVERED, Status.DELIVERED, smsc_id="a1", detail="id:a1 stat:DELIVRD"),
    ]
    copied = carried(message, steps, "receipt")
    assert (copied.message_id, copied.status, copied.purpose) == (message.id, "delivered", "receipt")
    assert [(part.what, part.smsc_id, part.receipt) for part in copied.parts] == [
        ("attempt", None, None),
        ("submitted", "a1", None),
        ("delivered", "a1", "id:a1 stat:DELIVRD"),
    ]
    assert carried(message, []).status == message.status


def test_old_entries_can_be_read_without_what_came_later() -> None:
    """The least that ever stood in an entry. A field that is added has a default."""
    least = {
        Offered: '{"to":"1","address":"2","service":{"code":"a","name":"b","price":"1","period":"c"},'
        '"text":"d","expires_at":"2026-11-22T01:00:00Z"}',
        Carried: '{"message_id":"0199aaaa-0000-7000-8000-000000000007","status":"queued"}',
        Replied: '{"sender":"1","address":"2","text":"Y","received_at":"2026-11-22T01:00:00Z"}',
        Part: None,
    }
    for kind, body in BODIES.items():
        if text := least.get(body):
            assert read(kind, text) is not None
