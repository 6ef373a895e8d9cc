"""The mirror of subscriptions: the last word holds, however the words come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from gateway.domain.msisdn import bucket_of
from gateway.domain.subscription import Status, Subscription
from gateway.storage import subscriptions
from gateway.storage.database import Connection, connect
from tests.services.customers import ANNA, BEN, START

NEWS = Subscription(
    bucket_of(ANNA),
    ANNA,
    "news",
    "手机报",
    Decimal("5.00"),
    "month",
    Status.ACTIVE,
    False,
    START,
    None,
    None,
    START,
)
A = (NEWS.bucket, ANNA)


@pytest.fixture
async def connection(database_dsn: str) -> AsyncIterator[Connection]:
    connection = await connect(database_dsn)
    yield connection
    await connection.close()


def at(minutes: int, **changes: Any) -> Subscription:
    return NEWS._replace(updated_at=START + timedelta(minutes=minutes), **changes)


async def test_a_subscription_is_read_as_it_was_written(connection: Connection) -> None:
    trial = NEWS._replace(trial=True, expires_at=START + timedelta(days=3), period=None)
    assert await subscriptions.put(connection, [trial]) == {(ANNA, "news")}
    assert await subscriptions.of(connection, [A]) == {ANNA: [trial]}
    assert await subscriptions.load(connection, *A, "news") == trial
    assert await subscriptions.load(connection, *A, "other") is None


async def test_only_the_customers_asked_for_are_found(connection: Connection) -> None:
    other = NEWS._replace(bucket=bucket_of(BEN), msisdn=BEN)
    await subscriptions.put(connection, [NEWS, other])
    assert list(await subscriptions.of(connection, [A])) == [ANNA]


async def test_older_news_changes_nothing_in_whatever_order(connection: Connection) -> None:
    news = [at(1, name="one"), at(2, name="two"), at(3, status=Status.CANCELLED)]
    for order in permutations(news):
        await connection.execute("DELETE FROM subscriptions")
        for each in order:
            await subscriptions.put(connection, [each])
        assert await subscriptions.of(connection, [A]) == {ANNA: [news[-1]]}


async def test_the_same_again_changes_nothing_and_of_two_in_one_batch_the_last_counts(
    connection: Connection,
) -> None:
    assert await subscriptions.put(connection, [at(1), at(1, name="later")]) == {(ANNA, "news")}
    assert await subscriptions.put(connection, [at(1, name="later")]) == {(ANNA, "news")}
    assert await subscriptions.put(connection, [at(0)]) == set()
    assert await subscriptions.of(connection, [A]) == {ANNA: [at(1, name="later")]}


@pytest.mark.parametrize(
    ("was", "mark", "then"),
    [
        pytest.param("active", "cancelling", "cancelling", id="asked for"),
        pytest.param("cancelling", "cancelled", "cancelled", id="done"),
        pytest.param("active", "cancelled", "cancelled", id="done at once"),
        pytest.param("cancelling", "active", "active", id="failed"),
        pytest.param("cancelled", "active", "cancelled", id="a failure brings nothing back"),
        pytest.param("cancelled", "cancelling", "cancelled", id="nothing left to ask for"),
    ],
)
async def test_a_cancellation_is_noted_step_by_step(
    connection: Connection, was: str, mark: str, then: str
) -> None:
    await subscriptions.put(connection, [at(0, status=Status(was))])
    when = START + timedelta(minutes=1)
    await subscriptions.mark(connection, [(*A, "news", Status(mark), when)])
    ((found,),) = (await subscriptions.of(connection, [A])).values()
    assert found.status == then
    assert found.updated_at == (when if was != then or was == mark else START)


async def test_a_mark_sets_no_clock_back(connection: Connection) -> None:
    await subscriptions.put(connection, [at(10)])
    await subscriptions.mark(connection, [(*A, "news", Status.CANCELLED, START)])
    ((found,),) = (await subscriptions.of(connection, [A])).values()
    assert found == at(10, status=Status.CANCELLED)
