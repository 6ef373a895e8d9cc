"""Which messages are unsettled, page by page."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.domain.message import Message, Status, Step
from gateway.storage import messages as table
from gateway.storage import partitions
from gateway.storage.database import Connection, connect
from tests.services.road import message_to

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
BUCKETS = (3, 4, 5, 6)
NEVER = UUID(int=(1 << 128) - 1)
SETTLED = 5  # each so-manieth


@pytest.fixture
async def connection(database_dsn: str) -> AsyncIterator[Connection]:
    connection = await connect(database_dsn)
    await partitions.ensure(connection, ["messages", "steps"], START)
    yield connection
    await connection.close()


def at(number: int) -> UUID:
    """The id of the so-manieth message: a second after the one before."""
    milliseconds = int((START + timedelta(seconds=number)).timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0x2 << 62 | BUCKETS[number % len(BUCKETS)])


async def filled(connection: Connection, count: int) -> list[UUID]:
    """So many messages in four buckets, of which some have been submitted; the ids of the others."""
    messages: list[Message] = [
        message_to(id=at(n), bucket=BUCKETS[n % len(BUCKETS)], accepted_at=START) for n in range(count)
    ]
    await table.insert(connection, messages)
    done = [message for n, message in enumerate(messages) if n % SETTLED == 0]
    await table.append(
        connection, [Step(m.bucket, m.id, 1, START, "submitted", Status.SUBMITTED) for m in done]
    )
    return [message.id for message in messages if message not in done]


async def test_pages_that_end_where_one_bucket_says_hold_all_that_is_unsettled(
    connection: Connection,
) -> None:
    wanted = await filled(connection, 80)
    read: list[UUID] = []
    since: UUID | None = at(0)
    pages = 0
    while since is not None:
        before = await table.unsettled_at(connection, BUCKETS[pages % len(BUCKETS)], since, 3)
        read += [m.id for m in await table.unsettled(connection, BUCKETS, since, before or NEVER, 1000)]
        since = before
        pages += 1
    assert read == wanted
    assert pages > 3


@pytest.mark.parametrize(
    ("place", "number"),
    [
        pytest.param(0, 4, id="the first one is settled"),
        pytest.param(1, 8, id="the next"),
        pytest.param(15, 76, id="the last"),
        pytest.param(16, None, id="there are not so many"),
    ],
)
async def test_a_place_in_one_bucket_is_counted_without_the_settled(
    connection: Connection, place: int, number: int | None
) -> None:
    await filled(connection, 80)
    found = await table.unsettled_at(connection, BUCKETS[0], at(0), place)
    assert found == (None if number is None else at(number))
