"""API keys: made, listed and revoked; and the ring of live ones that every request is held against.

A key reads `hk_<id>_<secret>`: the id leads to the row, the secret is 256 random bits of which only the
SHA-256 is stored. The ring is a copy in memory, read anew every second: a revocation is in force within two.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest
from typing import Final
from uuid import UUID

from gateway.domain.ids import IdSource, Kind, public
from gateway.storage import keys as table
from gateway.storage.database import Database, StorageUnavailable
from gateway.storage.keys import KeyRow

log = logging.getLogger(__name__)

PREFIX: Final = "hk"
REFRESH_SECONDS: Final = 1.0
#: A key that the ring does not know may be just made: the table is asked, but not more often than this.
MISS_SECONDS: Final = 0.2


class Scope(StrEnum):
    """What a key may do."""

    MESSAGES_WRITE = "messages:write"
    TICKETS_WRITE = "tickets:write"
    CONFIRMATIONS_WRITE = "confirmations:write"
    EVENTS_WRITE = "events:write"
    CAMPAIGNS_WRITE = "campaigns:write"
    CAMPAIGNS_APPROVE = "campaigns:approve"
    TEMPLATES_WRITE = "templates:write"
    TEMPLATES_APPROVE = "templates:approve"
    CONTACTS_WRITE = "contacts:write"
    READ = "read"
    PII_READ = "pii:read"  #: sees whole numbers and texts where others see them masked
    ADMIN = "admin"  #: opens every other door, but does not show personal data


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key without its secret."""

    id: UUID
    name: str
    scopes: frozenset[str]
    rate: int | None  #: requests a second; None: unlimited
    created_at: datetime
    revoked_at: datetime | None = None

    @property
    def public_id(self) -> str:
        return public(Kind.KEY, self.id)

    def may(self, scope: Scope) -> bool:
        """Whether this key opens that door."""
        return scope in self.scopes or (Scope.ADMIN in self.scopes and scope is not Scope.PII_READ)

    @property
    def sees_personal_data(self) -> bool:
        return Scope.PII_READ in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key as it is shown once: `token` is what the caller sends."""

    key: Key
    token: str


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Those that no door asks for, sorted."""
    return sorted(set(scopes) - set(Scope))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _key(row: KeyRow) -> Key:
    return Key(
        id=row.id,
        name=row.name,
        scopes=frozenset(row.scopes),
        rate=row.rate,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


class Keys:
    """Makes, lists and revokes."""

    def __init__(self, database: Database, ids: IdSource, now: Callable[[], datetime]) -> None:
        self._database = database
        self._ids = ids
        self._now = now

    async def create(self, name: str, scopes: Sequence[Scope], rate: int | None = None) -> NewKey:
        """A new key. Its token can't be had again. Raises `StorageUnavailable`."""
        now = self._now()
        secret = secrets.token_urlsafe(32)
        row = KeyRow(
            id=self._ids.new(0, now.timestamp()),
            name=name,
            hash=_hash(secret),
            scopes=sorted(set(scopes)),
            rate=rate,
            created_at=now,
            revoked_at=None,
        )
        async with self._database.transaction() as connection:
            await table.insert(connection, row)
        log.info("key created", extra={"key_id": str(row.id), "name_of_key": name})
        return NewKey(key=_key(row), token=f"{PREFIX}_{row.id.hex}_{secret}")

    async def list(self) -> list[Key]:
        """All keys ever made, newest first. Raises `StorageUnavailable`."""
        async with self._database.connection() as connection:
            return [_key(row) for row in await table.every(connection)]

    async def revoke(self, key_id: UUID) -> bool:
        """Revoke for good. False: there is no such key. Raises `StorageUnavailable`."""
        async with self._database.transaction() as connection:
            known = await table.revoke(connection, key_id, self._now())
        if known:
            log.info("key revoked", extra={"key_id": str(key_id)})
        return known


class Allowance:
    """A token bucket: `rate` requests a second, and as many at once."""

    __slots__ = ("_at", "_left", "rate")

    def __init__(self, rate: int, tick: float) -> None:
        self.rate = rate
        self._left = float(rate)
        self._at = tick

    def take(self, tick: float) -> float:
        """0.0 when the request may go, else the seconds until the next one may."""
        self._left = min(self.rate, self._left + (tick - self._at) * self.rate)
        self._at = tick
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self.rate


class KeyRing:
    """The live keys, in memory, with what is left of their rates. Each node counts rates by itself."""

    def __init__(self, database: Database, tick: Callable[[], float], rate: int | None = None) -> None:
        """`tick` is a monotonic clock in seconds; `rate` is for keys without one of their own."""
        self._database = database
        self._tick = tick
        self._rate = rate or None
        self._keys: dict[str, tuple[bytes, Key]] = {}
        self._allowances: dict[UUID, Allowance] = {}
        self._loaded_at = float("-inf")
        self._failed_at = float("-inf")
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """Read the table. Raises `StorageUnavailable`; the ring then stays as it was."""
        async with self._loading:
            await self._load()

    async def _load(self) -> None:
        started = self._tick()
        try:
            async with self._database.connection() as connection:
                found = await table.live(connection)
        except StorageUnavailable:
            self._failed_at = self._tick()
            raise
        rows = [row if row.rate is not None else row._replace(rate=self._rate) for row in found]
        self._keys = {row.id.hex: (row.hash, _key(row)) for row in rows}
        live = {row.id: row.rate for row in rows}
        for key_id, allowance in list(self._allowances.items()):
            if live.get(key_id) != allowance.rate:
                del self._allowances[key_id]
        self._loaded_at = started

    async def run(self) -> None:
        """Keep the ring fresh until cancelled. While the database is away the ring stays as it was."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.load()
            except StorageUnavailable:
                log.debug("keys not refreshed: storage is unavailable")

    async def find(self, token: str) -> Key | None:
        """The key that a token opens with, or None. Raises `StorageUnavailable` if it can't be known."""
        prefix, _, rest = token.partition("_")
        key_id, _, secret = rest.partition("_")
        if prefix != PREFIX or len(key_id) != 32 or not secret:
            return None
        entry = self._keys.get(key_id)
        if entry is None:
            await self._read_since(self._tick())
            entry = self._keys.get(key_id)
        if entry is None or not compare_digest(entry[0], _hash(secret)):
            return None
        return entry[1]

    async def _read_since(self, asked: float) -> None:
        """Know the keys as they are now. Those who ask with unknown ones share a look, and wait for it."""
        async with self._loading:
            now = self._tick()
            if now - self._failed_at < MISS_SECONDS:  # those who waited do not all try it again
                raise StorageUnavailable("the keys can't be read")
            if self._loaded_at < asked:
                await asyncio.sleep(max(0.0, self._loaded_at + MISS_SECONDS - now))
                await self._load()

    def take(self, key: Key) -> float:
        """Count one request of this key: 0.0 when it may go, else the seconds to wait."""
        if key.rate is None:
            return 0.0
        allowance = self._allowances.get(key.id)
        if allowance is None:
            allowance = self._allowances[key.id] = Allowance(key.rate, self._tick())
        return allowance.take(self._tick())
