"""What is due is dealt with once, and a bad timer holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from gateway.domain.conversation import Conversation
from gateway.domain.message import Status as MessageStatus
from gateway.domain.message import Step
from gateway.domain.rulebook import Rules
from gateway.domain.rules import Duration
from gateway.domain.survey import Status
from gateway.domain.survey_rules import Nudge, Surveys
from gateway.domain.timer import Timer
from gateway.services.timers import PUT_OFF, Timers
from gateway.storage import messages as message_rows
from gateway.storage import timers as timer_rows
from gateway.storage.database import Connection
from tests.services.customers import RULES, START, World, a_world


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn) as world:
        yield world


async def set_timers(world: World, *timers: Timer) -> None:
    async with world.database.connection() as connection:
        await timer_rows.insert(connection, timers)


def timer_of(survey: Conversation, due_at: datetime) -> Timer:
    return Timer(survey.bucket, due_at, "conversation", survey.id)


async def test_a_survey_expires_once_and_the_ticket_says_so(world: World) -> None:
    survey = await world.asks()
    await set_timers(world, timer_of(survey, survey.expires_at))
    await world.later(hours=71)
    assert (await world.survey(survey)).status is Status.OPEN
    await world.later(hours=1)
    assert (await world.survey(survey)).status is Status.EXPIRED
    (call,) = await world.calls("ticket.satisfaction")
    assert (call["status"], call["score"]) == ("expired", None)
    assert len(await world.calls("survey.expired")) == 1
    assert await world.rows("SELECT * FROM timers") == []
    assert len(world.called) == 2


async def test_the_end_of_an_answered_survey_is_nothing(world: World) -> None:
    survey = await world.asks()
    await world.hears("8")
    await set_timers(world, timer_of(survey, survey.expires_at))
    await world.later(hours=72)
    assert (await world.survey(survey)).status is Status.ANSWERED
    assert len(await world.calls("ticket.satisfaction")) == 1


async def test_words_that_stayed_unclear_reach_the_inbox_at_the_end(world: World) -> None:
    survey = await world.asks()
    await world.hears("什么意思")
    await set_timers(world, timer_of(survey, survey.expires_at))
    await world.later(hours=72)
    assert (await world.survey(survey)).status is Status.UNPARSED
    assert await world.replies() == [("什么意思", "inbox", "not-understood: no-number")]


async def test_one_reminder_and_then_the_end(database_dsn: str) -> None:
    rules = Rules(surveys=Surveys(reminder=Nudge(Duration(hours=24))), access_numbers=RULES.access_numbers)
    async with a_world(database_dsn, rules) as world:
        survey = await world.asks()
        await set_timers(world, timer_of(survey, START + timedelta(hours=24)))
        await world.later(hours=23)
        assert world.answers() == []
        await world.later(hours=1)
        assert world.answers() == ["survey/reminder"]
        assert await timers(world) == [timer_of(survey, survey.expires_at)]
        await world.later(hours=48)
        assert (await world.survey(survey)).status is Status.EXPIRED
        assert world.answers() == ["survey/reminder"]


@pytest.mark.parametrize(
    ("fate", "status"),
    [
        pytest.param(MessageStatus.FAILED, Status.CANCELLED, id="failed"),
        pytest.param(MessageStatus.EXPIRED, Status.CANCELLED, id="expired"),
        pytest.param(MessageStatus.SUPPRESSED, Status.CANCELLED, id="suppressed"),
        pytest.param(MessageStatus.UNKNOWN, Status.OPEN, id="unknown: it may have arrived"),
        pytest.param(MessageStatus.DELIVERED, Status.OPEN, id="delivered"),
    ],
)
async def test_a_question_that_failed_cancels_its_survey(
    world: World, fate: MessageStatus, status: Status
) -> None:
    survey = await world.asks()
    assert survey.message_id is not None
    steps = [
        Step(survey.bucket, survey.message_id, 0, START, "attempt", "submitting"),
        Step(survey.bucket, survey.message_id, 1, START, "some", fate),
    ]
    async with world.database.connection() as connection:
        await message_rows.append(connection, steps)
    await set_timers(world, timer_of(survey, START))
    await world.later(seconds=0)
    after = await world.survey(survey)
    assert after.status is status
    assert after.state.reason == ("undeliverable" if status is Status.CANCELLED else None)
    assert len(await world.calls("ticket.satisfaction")) == (1 if status is Status.CANCELLED else 0)


async def timers(world: World) -> list[Timer]:
    rows = await world.rows("SELECT bucket, due_at, kind, subject FROM timers ORDER BY due_at, subject")
    return [Timer(**row) for row in rows]


class Recorder:
    """A handler that notes what it was given, and fails for one subject."""

    def __init__(self, bad: UUID | None = None) -> None:
        self.bad = bad
        self.dealt: list[UUID] = []
        self.after: list[int] = []

    async def __call__(
        self, connection: Connection, due: Sequence[Timer], now: datetime
    ) -> list[Callable[[], None]]:
        if any(timer.subject == self.bad for timer in due):
            raise RuntimeError("a bug")
        self.dealt += [timer.subject for timer in due]
        return [lambda: self.after.append(len(due))]


def some(count: int, bucket: int = 3) -> list[Timer]:
    return [Timer(bucket, START, "message", UUID(int=at)) for at in range(count)]


async def test_a_bad_timer_is_put_off_and_the_others_are_dealt_with(world: World) -> None:
    due = some(5)
    recorder = Recorder(bad=due[2].subject)
    world.timers.register("message", recorder)
    await set_timers(world, *due)
    await world.later(seconds=0)
    assert sorted(recorder.dealt) == [each.subject for each in due if each is not due[2]]
    assert await timers(world) == [due[2]._replace(due_at=world.now + PUT_OFF)]


async def test_only_our_buckets_and_kinds_are_looked_at(world: World) -> None:
    recorder = Recorder()
    world.timers.register("message", recorder)
    ours, theirs, strange = some(1)[0], some(1, bucket=4)[0], some(1)[0]._replace(kind="strange")
    await set_timers(world, ours, theirs, strange)
    assert await world.timers.once([3]) is False
    assert recorder.dealt == [ours.subject]
    assert len(await timers(world)) == 2


async def test_two_nodes_deal_with_a_timer_once(database_dsn: str) -> None:
    async with a_world(database_dsn) as here, a_world(database_dsn) as there:
        recorder = Recorder()
        here.timers.register("message", recorder)
        there.timers.register("message", recorder)
        await set_timers(here, *some(300))
        await asyncio.gather(here.later(seconds=0), there.later(seconds=0))
        assert sorted(recorder.dealt) == [UUID(int=at) for at in range(300)]


async def test_more_than_a_batch_is_dealt_with_at_once(world: World) -> None:
    recorder = Recorder()
    world.timers.register("message", recorder)
    await set_timers(world, *some(1200))
    await world.later(seconds=0)
    assert len(recorder.dealt) == 1200
    assert sum(recorder.after) == 1200


async def test_the_loop_is_woken(world: World) -> None:
    recorder = Recorder()
    loop = Timers(world.database, lambda: world.now)
    loop.register("message", recorder)
    task = asyncio.create_task(loop.run(lambda: [3]))
    try:
        await set_timers(world, *some(1))
        loop.wake()
        while not recorder.after:
            await asyncio.sleep(0.01)
    finally:
        task.cancel()
    assert recorder.dealt == [UUID(int=0)]
