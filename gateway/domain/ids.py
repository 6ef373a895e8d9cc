"""Ids: UUIDv7 that carry their bucket in the last octet, and their typed public form (`msg_…`).

An id sorts by time, leads to its bucket without a look-up, and is safe to guess at: 66 bits of it are random.
"""

import os
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

BUCKETS: Final = 256

_VERSION_7: Final = 0x7 << 76
_VARIANT: Final = 0x2 << 62
_RANDOM_POOL: Final = 4096


class Kind(StrEnum):
    """The typed prefix of a public id."""

    MESSAGE = "msg"
    SURVEY = "srv"
    CONFIRMATION = "cnf"
    CASE = "cas"
    MENU = "mnu"
    ENQUIRY = "enq"
    REPLY = "rpl"
    CALLBACK = "cbk"
    KEY = "key"
    WEBHOOK = "whk"
    REQUEST = "req"
    EVENT = "evt"


class IdSource:
    """Makes ids. Within one source they never repeat; across sources 66 random bits keep them apart."""

    def __init__(self) -> None:
        self._pool = b""
        self._at = 0

    def new(self, bucket: int, now: float) -> UUID:
        """A fresh id of `bucket` (0…255) at `now` (Unix seconds)."""
        at = self._at
        if at + 9 > len(self._pool):
            self._pool = os.urandom(_RANDOM_POOL)
            at = 0
        self._at = at + 9
        noise = int.from_bytes(self._pool[at : at + 9], "big")
        value = (
            (int(now * 1000) & 0xFFFF_FFFF_FFFF) << 80
            | _VERSION_7
            | (noise & 0xFFF) << 64
            | _VARIANT
            | (noise >> 12 & 0x3F_FFFF_FFFF_FFFF) << 8
            | bucket
        )
        return UUID(int=value)


def bucket_of_id(uid: UUID) -> int:
    """The bucket that an id was made for: its last octet."""
    return uid.bytes[15]


def made_at(uid: UUID) -> datetime:
    """When an id was made, to the millisecond."""
    return datetime.fromtimestamp(int.from_bytes(uid.bytes[:6], "big") / 1000, UTC)


def floor_at(moment: datetime) -> UUID:
    """The smallest id that can have been made at `moment`: a bound for ranges by time."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def public(kind: Kind, uid: UUID) -> str:
    """The form that callers see: `msg_` and 32 hexadecimal digits."""
    return f"{kind}_{uid.bytes.hex()}"


def parse(kind: Kind, text: str) -> UUID | None:
    """The id behind a public form, or None if it is none of that kind."""
    prefix, _, digits = text.partition("_")
    if prefix != kind or len(digits) != 32:
        return None
    try:
        return UUID(hex=digits)
    except ValueError:
        return None
