"""Evidence as people ask for it: all of one confirmation, whether chains are whole, and heads to keep."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gateway.domain.evidence import Entry, Head, Seal
from gateway.domain.ids import BUCKETS, bucket_of_id
from gateway.domain.tampering import Cause, Chain, Finding, Kept
from gateway.domain.testimony import Body, read
from gateway.storage import evidence as table
from gateway.storage.database import Connection, Database

#: A gateway that is at work stops for no longer than so many rows take to be hashed.
SMALL_PAGE: Final = 250

#: What is found about rows that, for all that is wrong with them, are surely the confirmation's they name.
_ANOTHERS: Final = frozenset({Cause.HASH, Cause.PREVIOUS, Cause.PLACE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One chain, from its first row to its last."""

    bucket: int
    rows: int
    head: Head | None
    seal: Seal | None
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """One entry: as it stands, what it says (None: not known here), and what is wrong with it."""

    entry: Entry
    says: Body | None
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that is on record of one confirmation, and whether it is as it was written.

    `doubts` are findings of its chain that may concern it: its own rows, and such whose owner is not known,
    because they are missing or what stands in them is not what was written. `elsewhere` counts the others.
    """

    confirmation_id: UUID
    made_at: datetime
    testimonies: Sequence[Attested]
    chain: Looked
    doubts: Sequence[Finding]
    elsewhere: int

    @property
    def intact(self) -> bool:
        return not self.doubts


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """How many rows went because their time was over, and whose chains' did not, for something is wrong."""

    rows: int
    doubted: Sequence[int]


class Evidence:
    """Reads, but for `retire`. Every method raises `StorageUnavailable` when the database can't be asked."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def dossier(self, confirmation_id: UUID, kept: Sequence[Kept] = ()) -> Dossier | None:
        """All of one confirmation, or None: there is nothing on record. Its whole chain is walked."""
        bucket = bucket_of_id(confirmation_id)
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            entries = await table.of(connection, bucket, confirmation_id)
            if not entries:
                return None
            chain = await _look(connection, bucket, kept, SMALL_PAGE)
        doubts = [each for each in chain.findings if may_concern(each, confirmation_id)]
        return Dossier(
            confirmation_id=confirmation_id,
            made_at=self._now(),
            testimonies=[_attested(entry, chain.findings) for entry in entries],
            chain=chain,
            doubts=doubts,
            elsewhere=len(chain.findings) - len(doubts),
        )

    async def look(self, bucket: int, kept: Sequence[Kept] = ()) -> Looked:
        """One chain, as it stands at one moment; other chains are not locked out meanwhile."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await _look(connection, bucket, kept, table.PAGE)

    async def verify(
        self, kept: Sequence[Kept] = (), told: Callable[[Looked], None] = lambda looked: None
    ) -> list[Looked]:
        """All chains, one after the other, and rows of buckets that there are not; each is told when done."""
        by_bucket: dict[int, list[Kept]] = defaultdict(list)
        for each in kept:
            by_bucket[each.head.bucket].append(each)
        async with self._database.connection() as connection:
            strays = await table.stray_buckets(connection)
        done: list[Looked] = []
        for bucket in sorted({*range(BUCKETS), *strays}):
            done.append(await self.look(bucket, by_bucket[bucket]))
            told(done[-1])
        return done

    async def heads(self) -> tuple[list[Head], datetime]:
        """Where all chains end, and when that was."""
        async with self._database.connection() as connection:
            return await table.heads(connection), self._now()

    async def retire(self, before: datetime) -> Retired:
        """Remove what is older, a part of each chain at a time, and seal the chains there.

        What is not as it was written stays, for it is evidence of another kind.
        """
        async with self._database.connection() as connection:
            buckets = await table.old(connection, before)
        rows, doubted = 0, []
        for bucket in buckets:
            async with self._database.transaction() as connection:
                end = await table.cut(connection, bucket, before)
                if end is None:
                    continue
                looked = await _look(connection, bucket, (), SMALL_PAGE, end)
                if looked.findings:
                    doubted.append(bucket)
                else:
                    rows += await table.seal(connection, end, before, self._now())
        return Retired(rows=rows, doubted=doubted)


async def _look(
    connection: Connection, bucket: int, kept: Sequence[Kept], page: int, end: Head | None = None
) -> Looked:
    """A chain to its head, or to the row that `end` says."""
    head = end or next(iter(await table.heads(connection, bucket)), None)
    seal = next(iter(await table.seals(connection, bucket)), None)
    chain = Chain(bucket, head, seal, [each for each in kept if each.head.bucket == bucket])
    async for entries in table.walk(connection, bucket, page, end.n if end else None):
        for entry in entries:
            chain.take(entry)
    return Looked(bucket=bucket, rows=chain.rows, head=head, seal=seal, findings=chain.end())


def may_concern(finding: Finding, confirmation_id: UUID) -> bool:
    """Whether a row of this confirmation may be meant. Only a hash that fits vouches for whose a row is."""
    return finding.confirmation_id == confirmation_id or finding.cause not in _ANOTHERS


def _attested(entry: Entry, findings: Sequence[Finding]) -> Attested:
    return Attested(
        entry=entry,
        says=read(entry.kind, entry.body),
        findings=[each for each in findings if each.n <= entry.n <= each.last],
    )
