"""What we know of numbers, as other systems read and write it: language, tier, opt-outs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from gateway.domain import wishes
from gateway.domain.message import ALWAYS_ALLOWED, Lane
from gateway.domain.msisdn import Msisdn, bucket_of
from gateway.domain.request import Fault, Rejected
from gateway.services.conversations import Conversations
from gateway.storage import contacts as table
from gateway.storage.contacts import OptedOut
from gateway.storage.database import Connection, Database

#: Lanes that opt-outs stop, and all of them.
LANES: Final = ("all", *(lane.value for lane in Lane if lane not in ALWAYS_ALLOWED))

Scope = Annotated[
    str,
    Meta(
        pattern=f"^(lane:({'|'.join(LANES)})|category:[a-z0-9-]{{1,64}})$",
        description="`lane:` and a lane, or `category:` and the part of templates' names before the slash",
        examples=["lane:marketing", "category:offers"],
    ),
]


class ContactWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be known of a number. What is left out is not known any more; opt-outs stay."""

    language: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$",
                description="of what the customer is sent, as in BCP 47",
                examples=["zh-CN"],
            ),
        ]
        | None
    ) = None
    tier: (
        Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}$", description="as rules name it", examples=["vip"])]
        | None
    ) = None


class OptOutWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be stopped."""

    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """All that is known of a number; nothing, of most."""

    msisdn: str
    language: str | None = None
    tier: str | None = None
    opt_outs: tuple[OptedOut, ...] = ()
    updated_at: datetime | None = None


class Contacts:
    """Reads and writes contacts. Every method raises `StorageUnavailable`; `Rejected` is a wrong number."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        now: Callable[[], datetime],
        regions: Callable[[], Sequence[str]],
    ) -> None:
        self._database = database
        self._conversations = conversations
        self._now = now
        self._regions = regions

    async def load(self, to: str) -> Contact | Rejected:
        """What is known of a number."""
        msisdn = self._number(to)
        if isinstance(msisdn, Rejected):
            return msisdn
        async with self._database.connection() as connection:
            return await _load(connection, msisdn)

    async def put(self, to: str, wish: ContactWish) -> Contact | Rejected:
        """Keep language and tier; the last word holds."""
        msisdn = self._number(to)
        if isinstance(msisdn, Rejected):
            return msisdn
        async with self._database.transaction() as connection:
            customer = (bucket_of(msisdn), msisdn)
            await table.put(connection, customer, wish.language, wish.tier, self._now())
            return await _load(connection, msisdn)

    async def opt_out(self, to: str, scope: str, by: str, cause: UUID) -> Contact | Rejected:
        """Stop what this scope names; after the commit nothing of it is sent. Twice is once."""
        msisdn = self._number(to)
        if isinstance(msisdn, Rejected):
            return msisdn
        changes = self._conversations.changes(self._now())
        bucket = bucket_of(msisdn)
        async with self._database.transaction() as connection:
            before = await _load(connection, msisdn)
            await table.opt_out(connection, [(bucket, msisdn, scope)], changes.now, by)
            if all(each.scope != scope for each in before.opt_outs):
                data = {"to": msisdn, "scope": scope, "by": by}
                changes.tell("contact.opted_out", bucket, cause, data)
            await changes.write(connection)
            after = await _load(connection, msisdn)
        self._conversations.hand_over(changes)
        return after

    async def opt_in(self, to: str, scope: str | None, by: str, cause: UUID) -> Contact | Rejected:
        """Take an opt-out back, or (None) all of them. What was not stopped stays so."""
        msisdn = self._number(to)
        if isinstance(msisdn, Rejected):
            return msisdn
        changes = self._conversations.changes(self._now())
        bucket = bucket_of(msisdn)
        async with self._database.transaction() as connection:
            wanted = [(bucket, msisdn, scope or table.EVERY)]
            if await table.opt_in(connection, wanted, changes.now):
                data = {"to": msisdn, "by": by} | ({"scope": scope} if scope else {})
                changes.tell("contact.opted_in", bucket, cause, data)
            await changes.write(connection)
            after = await _load(connection, msisdn)
        self._conversations.hand_over(changes)
        return after

    def _number(self, to: str) -> Msisdn | Rejected:
        msisdn = wishes.number(to, self._regions())
        return wishes.invalid([Fault("/msisdn", msisdn.detail)]) if isinstance(msisdn, Fault) else msisdn


async def _load(connection: Connection, msisdn: str) -> Contact:
    found = await table.load(connection, bucket_of(msisdn), msisdn)
    if found is None:
        return Contact(msisdn=msisdn)
    return Contact(
        msisdn=msisdn,
        language=found.language,
        tier=found.tier,
        opt_outs=found.opt_outs,
        updated_at=found.updated_at,
    )
