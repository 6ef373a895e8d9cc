"""Customers' short messages: stored as they came, put together, understood, acknowledged after the commit.

Whatever waits is taken in by one transaction: raw parts, whole texts, and all that follows from them.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from gateway.domain.address import split_address
from gateway.domain.ids import IdSource, Kind, made_at, public
from gateway.domain.msisdn import bucket_of
from gateway.domain.routing import ReplyStatus, Why
from gateway.domain.timer import Timer, TimerKind
from gateway.services.commit import GroupCommit
from gateway.services.conversations import COLLISIONS, Changes, Conversations, OutrunError
from gateway.services.lately import Lately
from gateway.services.parts import REGROUP_AFTER, WAIT, Whole, identical, place_of, regroup, single
from gateway.services.redelivery import ANSWERED_LATE, Redelivery
from gateway.services.understanding import Understanding, reply_of
from gateway.sms import coding, udh
from gateway.storage import replies as reply_rows
from gateway.storage.database import Connection, StorageUnavailable
from gateway.storage.replies import Part, Reply
from gateway.telemetry import REPLIES

log = logging.getLogger(__name__)

MAX_ADDRESSES: Final = 10_000
MAX_PIECES: Final = 300  # one text has at most 255
ATTEMPTS: Final = 8
BATCH: Final = 250  # calls; each brings what one read from a link held


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortMessage:
    """One deliver_sm as the link took it: what a customer sent, or a part of it."""

    route: str
    session: str  #: the connection it came on
    msisdn: str  #: normalised
    address: str  #: where it was sent to, as the SMSC wrote it
    esm_class: int
    data_coding: int
    payload: bytes  #: the octets, header included
    received_at: datetime
    reference: int | None = None  #: these three from sar_* TLVs, if any
    total: int | None = None
    number: int | None = None


class Store(Protocol):
    """A database, or one connection of its own."""

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """A transaction, committed at the end."""


class Inbound:
    """Takes customers' short messages in."""

    def __init__(
        self,
        database: Store,
        conversations: Conversations,
        ids: IdSource,
        senders: Mapping[str, int],
        now: Callable[[], datetime],
        *,
        alphabets: Mapping[str, coding.DefaultAlphabet] | None = None,
        is_live: Callable[[str], bool] = lambda _session: False,
        wait: timedelta = WAIT,
    ) -> None:
        """`senders` gives each access number with its count of extension digits, `alphabets` by route what
        data_coding 0 means, `is_live` whether a session is up: a copy on another one is then the customer's;
        `wait` is how long a text waits for its missing parts.
        """
        self._database = database
        self._conversations = conversations
        self._ids = ids
        self._senders = senders
        self._now = now
        self._alphabets = alphabets or {}
        self._redelivery = Redelivery(is_live)
        self._wait = wait
        self._addresses: dict[str, str] = {}
        self._understanding = Understanding(senders)
        self._pieces = Lately()  # parts of long texts
        self._commit: GroupCommit[Sequence[ShortMessage], None] = GroupCommit(
            "inbound", self._flush, limit=BATCH
        )

    async def store(self, short_messages: Sequence[ShortMessage]) -> None:
        """Take them in; returns after the commit. After `StorageUnavailable` nothing may be answered OK."""
        if short_messages:
            await self._commit.add(short_messages)

    async def on_reassembly(
        self, connection: Connection, timers: Sequence[Timer], now: datetime
    ) -> list[Callable[[], None]]:
        """Handler of reassembly timers: parts that two nodes stored at once, texts that never came whole."""
        changes = self._conversations.changes(now)
        subjects = [(timer.bucket, timer.subject) for timer in timers]
        since = min(made_at(subject) for _bucket, subject in subjects) - self._wait
        begun = await reply_rows.parts_of(connection, subjects, since)
        parts = await reply_rows.siblings(connection, begun, since) if begun else []
        groups = regroup(parts, self._alphabets, self._wait)
        told = await reply_rows.existing(connection, [(part.bucket, part.reply_id) for part in parts])
        wholes = []
        for group in groups:
            if any(part.reply_id in told for part in group.parts):
                continue
            begun_at = group.parts[0].received_at
            due = begun_at + self._wait
            if group.complete or now >= due or (group.likely and now >= begun_at + REGROUP_AFTER):
                wholes.append(group.whole(group.reply_id))
            else:
                changes.set_timer(Timer(group.parts[0].bucket, due, TimerKind.REASSEMBLY, group.reply_id))
        replies = await self._understanding.all(connection, wholes, changes)
        await reply_rows.insert(connection, replies)
        await changes.write(connection)
        return [lambda: self._conversations.hand_over(changes)]

    async def _flush(self, batches: list[Sequence[ShortMessage]]) -> list[None]:
        parts = [self._read(each) for batch in batches for each in batch]
        self._redelivery.hear(parts)
        try:
            await self._store(parts)
        except StorageUnavailable:
            self._redelivery.doubt(parts)  # the commit may have been made unseen, and they will come again
            raise
        if self._now() - parts[0].received_at > ANSWERED_LATE:
            self._redelivery.doubt(parts)
        return [None] * len(batches)

    async def _store(self, parts: Sequence[Part]) -> None:
        """All in one transaction; when that fails, one by one, so that a bad one holds nobody up."""
        try:
            await self._take_in(parts, understand=True)
            return
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("replies stored one by one", extra={"count": len(parts)})
        for part in parts:
            try:
                await self._take_in([part], understand=True)
            except StorageUnavailable:
                raise
            except Exception:
                log.exception("reply not understood", extra={"reply_id": public(Kind.REPLY, part.reply_id)})
                await self._keep(part)

    async def _keep(self, part: Part) -> None:
        """Store what came, whatever it means. What can't even be kept is not acknowledged."""
        try:
            await self._take_in([part], understand=False)
        except StorageUnavailable:
            raise
        except Exception as error:
            log.exception("reply not stored", extra={"reply_id": public(Kind.REPLY, part.reply_id)})
            raise StorageUnavailable("a reply can't be stored") from error

    async def _take_in(self, parts: Sequence[Part], *, understand: bool) -> None:
        for _ in range(ATTEMPTS):
            changes = self._conversations.changes(self._now())
            try:
                async with self._database.transaction() as connection:
                    replies = await self._write(connection, parts, changes, understand=understand)
                break
            except (OutrunError, *COLLISIONS) as error:
                collision = error
        else:
            raise collision  # not by chance: one by one, the others are stored
        self._conversations.hand_over(changes)
        statuses = Counter(reply.status for reply in replies)
        for status, count in statuses.items():
            REPLIES.labels(status).inc(count)
        log.info("replies stored", extra={"parts": len(parts), **statuses})

    async def _write(
        self, connection: Connection, parts: Sequence[Part], changes: Changes, *, understand: bool
    ) -> list[Reply]:
        parts = await self._redelivery.flag(connection, parts)
        wholes = [single(part) for part in parts if part.total == 1]
        pieces = [part for part in parts if part.total > 1 and not self._is_too_many(part)]
        if len(wholes) + len(pieces) < len(parts):
            joinable = {piece.id for piece in pieces}
            strays = [part for part in parts if part.total > 1 and part.id not in joinable]
            wholes += [single(part)._replace(complete=False) for part in strays]
        if pieces:
            pieces, completed = await self._join(connection, pieces, changes)
            joined = {piece.id: piece for piece in pieces}
            parts = [joined.get(part.id, part) for part in parts]
            wholes = sorted([*wholes, *completed], key=lambda whole: whole.received_at)
        if understand:
            replies = await self._understanding.all(connection, wholes, changes)
        else:
            replies = [reply_of(whole, ReplyStatus.INBOX, Why.ERROR) for whole in wholes]
        await reply_rows.insert_parts(connection, parts)
        if replies:
            await reply_rows.insert(connection, replies)
        await changes.write(connection)
        return replies

    def _read(self, came: ShortMessage) -> Part:
        header, octets = udh.take(came.payload, came.esm_class)
        decoded = coding.decode(octets, came.data_coding, self._alphabets.get(came.route, "gsm7"), header)
        reference, total, number = place_of(header, came.reference, came.total, came.number)
        bucket = bucket_of(came.msisdn)
        now = came.received_at.timestamp()
        return Part(
            bucket,
            self._ids.new(bucket, now),
            came.received_at,
            came.route,
            came.session,
            came.msisdn,
            self._address(came.address),
            came.esm_class,
            came.data_coding,
            reference,
            total,
            number,
            came.payload,
            decoded.text,
            decoded.ill_formed or header.ill_formed,
            False,
            self._ids.new(bucket, now),
        )

    def _address(self, written: str) -> str:
        """One of our numbers as we write it; one that is none of ours as it came."""
        address = self._addresses.get(written)
        if address is None:
            found = split_address(written, self._senders)
            address = written if found is None else str(found)
            if len(self._addresses) >= MAX_ADDRESSES:
                self._addresses.clear()
            self._addresses[written] = address
        return address

    async def _join(
        self, connection: Connection, pieces: Sequence[Part], changes: Changes
    ) -> tuple[list[Part], list[Whole]]:
        """The new pieces, each with the reply that it belongs to, and the texts that they complete."""
        stored = await reply_rows.siblings(connection, pieces, changes.now - self._wait)
        new = {piece.id: piece for piece in pieces}
        groups = [
            group
            for group in regroup([*stored, *pieces], self._alphabets, self._wait)
            if any(part.id in new for part in group.parts)
        ]
        told = await reply_rows.existing(
            connection, [(group.parts[0].bucket, group.reply_id) for group in groups if group.complete]
        )
        joined = dict(new)
        wholes = []
        for group in groups:
            first = group.parts[0]
            reply_id = group.reply_id
            if reply_id in told:  # it was given up a moment ago
                reply_id = self._ids.new(first.bucket, changes.now.timestamp())
            for part in group.parts:
                if part.id in new:
                    joined[part.id] = part._replace(reply_id=reply_id)
            if group.complete:
                wholes.append(group.whole(reply_id))
            elif first.id in new:
                due = first.received_at + min(REGROUP_AFTER, self._wait)
                changes.set_timer(Timer(first.bucket, due, TimerKind.REASSEMBLY, reply_id))
        grouped = {part.id for group in groups for part in group.parts}
        for piece in pieces:
            if piece.id not in grouped and (copy := identical(piece, stored)) is not None:
                joined[piece.id] = piece._replace(reply_id=copy.reply_id)
        return [joined[piece.id] for piece in pieces], wholes

    def _is_too_many(self, piece: Part) -> bool:
        """Whether so many parts came from this customer that no more are joined: each costs a look at all."""
        return self._pieces.count(piece.msisdn, piece.id, piece.received_at, self._wait) > MAX_PIECES
