"""Webhooks: which events an endpoint hears of, and its requests, signed after Standard Webhooks."""

import base64
import binascii
import difflib
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from gateway.domain.backoff import Backoff
from gateway.domain.callback import Request
from gateway.domain.event import Callback
from gateway.domain.ids import Kind, public

#: Every type of event that is told outside.
EVENT_TYPES: Final = (
    "message.submitted",
    "message.delivered",
    "message.failed",
    "survey.answered",
    "survey.revised",
    "survey.expired",
    "survey.low_score",
    "survey.follow_up",
    "confirmation.accepted",
    "confirmation.declined",
    "confirmation.expired",
    "confirmation.active",
    "confirmation.failed",
    "subscription.cancelled",
    "contact.opted_out",
    "contact.opted_in",
    "reply.unmatched",
    "ticket.requested",
    "ticket.created",
)

#: Families whose members are not listed: campaigns tell of each step in their life.
OPEN_FAMILIES: Final = ("campaign",)

FAMILIES: Final = tuple(dict.fromkeys([name.partition(".")[0] for name in EVENT_TYPES] + list(OPEN_FAMILIES)))
PATTERNS: Final = ("*", *(f"{family}.*" for family in FAMILIES), *EVENT_TYPES)

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix, not a secret
SECRET_OCTETS: Final = 32

TIMEOUT: Final = timedelta(seconds=15)
CONCURRENCY: Final = 8
BREAKER_FAILURES: Final = 5
BREAKER_PAUSE: Final = timedelta(seconds=30)
BACKOFF: Final = Backoff()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A registered address, what it wants to hear, and its secrets, the newest first."""

    id: UUID
    url: str
    events: tuple[str, ...]
    secrets: tuple[str, ...] = field(repr=False)
    created_at: datetime

    @property
    def name(self) -> str:
        """Its public id, which is also the target of its callbacks."""
        return public(Kind.WEBHOOK, self.id)

    def wants(self, event_type: str) -> bool:
        return matches(self.events, event_type)

    def request(self, callback: Callback, now: datetime) -> Request:
        """The signed POST. `webhook-id` is the event's and stays for all tries, the signature does not."""
        body = msgspec.json.encode(callback.payload)
        event_id = str(callback.payload["id"])
        timestamp = int(now.timestamp())
        headers = (
            ("Content-Type", "application/json"),
            ("webhook-id", event_id),
            ("webhook-timestamp", str(timestamp)),
            ("webhook-signature", signature(self.secrets, event_id, timestamp, body)),
            ("Idempotency-Key", public(Kind.CALLBACK, callback.id)),
        )
        return Request("POST", self.url, headers, body, TIMEOUT.total_seconds())


def matches(patterns: Iterable[str], event_type: str) -> bool:
    """Whether one of the patterns (`*`, `survey.*`, `survey.answered`) covers this type."""
    family = event_type.partition(".")[0]
    return any(pattern in ("*", event_type, f"{family}.*") for pattern in patterns)


def fault_in_pattern(pattern: str) -> str | None:
    """Why no event will ever match this, naming the nearest pattern that does; None if some may."""
    if pattern in PATTERNS:
        return None
    family = pattern.partition(".")[0]
    if family in OPEN_FAMILIES and re.fullmatch(r"[a-z]+\.[a-z_]+", pattern):
        return None
    near = difflib.get_close_matches(pattern, PATTERNS, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(PATTERNS)}"
    return f"there is no event {pattern!r}{meant}"


def new_secret(noise: bytes) -> str:
    """A secret as receivers are given it, from 24 to 64 random octets."""
    return SECRET_PREFIX + base64.b64encode(noise).decode()


def signature(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,…` a secret, so that either will do during a rotation."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_sign(secret, signed)}" for secret in secrets)


def _sign(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook's secret is not base64") from error
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
