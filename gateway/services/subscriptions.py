"""The mirror of subscriptions as service platforms read and write it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

import msgspec

from gateway.domain import wishes
from gateway.domain.ids import floor_at
from gateway.domain.msisdn import Msisdn, bucket_of
from gateway.domain.request import Fault, Moment, Rejected
from gateway.domain.subscription import (
    Period,
    Price,
    ServiceCode,
    ServiceName,
    Status,
    Subscription,
)
from gateway.services.lookups import UnknownNumber
from gateway.storage import subscriptions as table
from gateway.storage.database import Database

#: A clock of somebody else's may be ahead of ours by so much. What is said to be later would outweigh all
#: that is said in the meantime.
AHEAD: Final = timedelta(minutes=5)


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a platform says of a subscription. Without `at` it is so since now."""

    name: ServiceName
    price: Price
    period: Period | None = None
    trial: bool = False
    started_at: Moment | None = None
    expires_at: Moment | None = None
    status: Literal["active", "cancelled"] = "active"
    at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """How it stands now. Not `changed`: what we know is newer."""

    subscription: Subscription
    changed: bool


class Subscriptions:
    """Reads and writes the mirror. Every method raises `StorageUnavailable`."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], regions: Callable[[], Sequence[str]]
    ) -> None:
        self._database = database
        self._now = now
        self._regions = regions

    async def list(self, to: str, status: Status | None, *, before: UUID, limit: int) -> list[Subscription]:
        """What a number subscribes to, the latest first. Raises `UnknownNumber`."""
        msisdn = wishes.number(to, self._regions())
        if isinstance(msisdn, Fault):
            raise UnknownNumber(msisdn.detail)
        customer = (bucket_of(msisdn), msisdn)
        async with self._database.connection() as connection:
            found = (await table.of(connection, [customer])).get(msisdn, [])
        asked = [each for each in found if status in (None, each.status) and place_of(each) < before]
        return sorted(asked, key=place_of, reverse=True)[:limit]

    async def put(self, to: str, service: str, wish: Wish) -> Put | Rejected:
        """Keep what a platform says, unless what we know is newer."""
        read = self._read(to, service, wish.at)
        if isinstance(read, Rejected):
            return read
        msisdn, at = read
        bucket = bucket_of(msisdn)
        async with self._database.transaction() as connection:
            before = await table.load(connection, bucket, msisdn, service)
            new = Subscription(
                bucket,
                msisdn,
                service,
                wish.name,
                Decimal(wish.price),
                wish.period,
                Status(wish.status),
                wish.trial,
                wish.started_at or (before.started_at if before else at),
                wish.expires_at,
                None,
                at,
            )
            changed = bool(await table.put(connection, [new]))
            now = await table.load(connection, bucket, msisdn, service)
        return Put(now or new, changed)

    async def remove(self, to: str, service: str, at: datetime | None) -> Subscription | Rejected | None:
        """It is cancelled, unless what we know is newer; None: this number never had it."""
        read = self._read(to, service, at)
        if isinstance(read, Rejected):
            return read
        msisdn, since = read
        async with self._database.transaction() as connection:
            before = await table.load(connection, bucket_of(msisdn), msisdn, service)
            if before is not None:
                await table.put(connection, [before._replace(status=Status.CANCELLED, updated_at=since)])
        return before

    def _read(self, to: str, service: str, at: datetime | None) -> tuple[Msisdn, datetime] | Rejected:
        """Whose it is, and since when it is so."""
        now = self._now()
        msisdn = wishes.number(to, self._regions())
        faults = [Fault("/msisdn", msisdn.detail)] if isinstance(msisdn, Fault) else []
        try:
            msgspec.convert(service, ServiceCode)
        except msgspec.ValidationError:
            faults.append(Fault("/service", "letters, digits, dots, hyphens and _, at most 64"))
        if at is not None and at > now + AHEAD:
            faults.append(Fault("/at", "is in the future: since when it is so, by a clock that is right"))
        if faults or isinstance(msisdn, Fault):
            return wishes.invalid(faults)
        return msisdn, min(at or now, now)


def place_of(subscription: Subscription) -> UUID:
    """Where it stands in a list: by its beginning, and by its code among those that began together."""
    code = hashlib.sha256(subscription.service.encode()).digest()
    return UUID(int=floor_at(subscription.started_at).int | int.from_bytes(code[:10]))
