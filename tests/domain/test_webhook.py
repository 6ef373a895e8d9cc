"""Webhooks: patterns, requests and signatures; these are read as receivers do, by the peers' library."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.domain.event import Callback
from gateway.domain.ids import IdSource, Kind, public
from gateway.domain.webhook import (
    EVENT_TYPES,
    Endpoint,
    fault_in_pattern,
    matches,
    new_secret,
    signature,
)

IDS = IdSource()
NOW = datetime.now(UTC)
OLD, NEW = new_secret(b"o" * 32), new_secret(b"n" * 32)


def endpoint(*secrets: str) -> Endpoint:
    return Endpoint(
        id=IDS.new(0, 0), url="https://example.com/hook", events=("*",), secrets=secrets, created_at=NOW
    )


def callback(data: dict[str, object]) -> Callback:
    payload = {"id": "evt_01", "type": "survey.answered", "timestamp": NOW.isoformat(), "data": data}
    subject, uid = IDS.new(3, 0), IDS.new(3, 0)
    return Callback(3, uid, "webhook", "whk_1", "survey.answered", subject, payload, NOW, "waiting", 0, NOW)


def test_the_request_is_a_standard_webhook() -> None:
    owed = callback({"survey": {"score": 8, "comment": "满意"}})
    request = endpoint(NEW).request(owed, NOW)
    headers = dict(request.headers)
    assert Webhook(NEW).verify(request.body or b"", headers) == owed.payload
    assert (request.method, request.url) == ("POST", "https://example.com/hook")
    assert headers["webhook-id"] == "evt_01"
    assert headers["Idempotency-Key"] == public(Kind.CALLBACK, owed.id)
    assert json.loads(request.body or b"")["data"]["survey"]["comment"] == "满意"


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_during_a_rotation_either_secret_verifies(secret: str) -> None:
    request = endpoint(NEW, OLD).request(callback({}), NOW)
    Webhook(secret).verify(request.body or b"", dict(request.headers))


def test_after_a_rotation_the_old_secret_does_not() -> None:
    request = endpoint(NEW).request(callback({}), NOW)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(request.body or b"", dict(request.headers))


@given(text=st.text(st.characters(codec="utf-8")), noise=st.binary(min_size=24, max_size=64))
def test_signatures_agree_with_the_peers(text: str, noise: bytes) -> None:
    secret, body = new_secret(noise), json.dumps({"text": text})
    ours = signature([secret], "evt_1", int(NOW.timestamp()), body.encode())
    assert ours == Webhook(secret).sign("evt_1", NOW, body)


def test_a_secret_is_not_shown_by_accident() -> None:
    assert NEW not in repr(endpoint(NEW))


@pytest.mark.parametrize(
    ("patterns", "event_type", "wanted"),
    [
        (("*",), "survey.answered", True),
        (("survey.*",), "survey.answered", True),
        (("survey.*",), "message.failed", False),
        (("survey.answered",), "survey.revised", False),
        (("message.failed", "survey.revised"), "survey.revised", True),
        (("campaign.*",), "campaign.started", True),
    ],
)
def test_patterns_choose_events(patterns: tuple[str, ...], event_type: str, wanted: bool) -> None:
    assert matches(patterns, event_type) is wanted


@pytest.mark.parametrize("pattern", ["*", "survey.*", "campaign.*", "campaign.finished", *EVENT_TYPES])
def test_patterns_that_match_something_are_taken(pattern: str) -> None:
    assert fault_in_pattern(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("survey.answerd", "did you mean survey.answered?"),
        ("surveys.*", "did you mean survey.*?"),
        ("mesage.failed", "did you mean message.failed?"),
        ("contact.optedout", "did you mean contact.opted_out?"),
        ("zzz", "known are *, "),
        ("**", "did you mean *?"),
        ("", "known are *, "),
    ],
)
def test_a_typo_is_answered_with_the_nearest_name(pattern: str, meant: str) -> None:
    assert meant in (fault_in_pattern(pattern) or "")
