"""Group commit: who comes during a flush shares the next one, and a bad item harms nobody else."""

import asyncio

import pytest

from gateway.services.commit import Failed, GroupCommit
from gateway.storage.database import StorageUnavailable


class Flush:
    """Doubles numbers; "bad" raises, and nothing happens before `go`."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        await self.go.wait()
        if self.error is not None:
            raise self.error
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


async def test_what_comes_during_a_flush_shares_the_next() -> None:
    flush = Flush()
    commit = GroupCommit("test", flush, limit=100)
    flush.go.clear()
    first = asyncio.create_task(commit.add(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.create_task(commit.add(n)) for n in (2, 3, 4)]
    await asyncio.sleep(0)
    assert commit.waiting == 3
    flush.go.set()
    assert await asyncio.gather(first, *rest) == [2, 4, 6, 8]
    assert flush.batches == [[1], [2, 3, 4]]


async def test_under_load_a_flush_waits_a_moment_for_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.services.commit.COMPANY_SECONDS", 0.2)
    flush = Flush()
    commit = GroupCommit("test", flush, limit=100)
    flush.go.clear()
    first = asyncio.create_task(commit.add(1))
    await asyncio.sleep(0)
    second = asyncio.create_task(commit.add(2))
    await asyncio.sleep(0)
    flush.go.set()
    await first
    third = asyncio.create_task(commit.add(3))
    await asyncio.gather(second, third)
    assert flush.batches == [[1], [2, 3]]


async def test_one_after_the_other_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.services.commit.COMPANY_SECONDS", 3600.0)
    flush = Flush()
    commit = GroupCommit("test", flush, limit=100)
    async with asyncio.timeout(5):
        for number in range(3):
            await commit.add(number)
    assert flush.batches == [[0], [1], [2]]


async def test_no_flush_is_larger_than_the_limit() -> None:
    flush = Flush()
    commit = GroupCommit("test", flush, limit=2)
    assert await asyncio.gather(*(commit.add(n) for n in range(5))) == [0, 2, 4, 6, 8]
    assert [len(batch) for batch in flush.batches] == [2, 2, 1]


async def test_a_bad_item_harms_nobody_else() -> None:
    commit = GroupCommit("test", Flush(), limit=100)
    answers = await asyncio.gather(*(commit.add(n) for n in (1, 13, 3)), return_exceptions=True)
    assert [answers[0], answers[2]] == [2, 6]
    assert isinstance(answers[1], ValueError)


async def test_a_database_that_is_away_is_everybodys_trouble_and_tried_once() -> None:
    flush = Flush()
    flush.error = StorageUnavailable("away")
    commit = GroupCommit("test", flush, limit=100)
    answers = await asyncio.gather(*(commit.add(n) for n in (1, 2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StorageUnavailable] * 2
    assert flush.batches == [[1, 2]]
    flush.error = None
    assert await commit.add(4) == 8


async def test_a_result_can_be_one_items_failure() -> None:
    async def flush(items: list[int]) -> list[object]:
        return [Failed(KeyError("mine")) if item == 2 else item for item in items]

    commit: GroupCommit[int, object] = GroupCommit("test", flush, limit=10)
    answers = await asyncio.gather(commit.add(1), commit.add(2), return_exceptions=True)
    assert answers[0] == 1
    assert isinstance(answers[1], KeyError)


async def test_who_goes_away_leaves_the_others_their_results() -> None:
    flush = Flush()
    commit = GroupCommit("test", flush, limit=100)
    flush.go.clear()
    gone, stays = asyncio.create_task(commit.add(1)), asyncio.create_task(commit.add(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gone.cancel()
    flush.go.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone
    await commit.drain()
