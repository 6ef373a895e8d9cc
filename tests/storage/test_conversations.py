"""Questions, timers and opt-outs in their tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from gateway.domain.ids import IdSource
from gateway.domain.msisdn import bucket_of
from gateway.domain.policy import Standing
from gateway.domain.survey import Revision, State, Status, Survey
from gateway.storage import contacts, conversations
from gateway.storage.database import Connection, connect
from tests.services.customers import ANNA, BEN, START, make_survey

IDS = IdSource()


@pytest.fixture
async def connection(database_dsn: str) -> AsyncIterator[Connection]:
    connection = await connect(database_dsn)
    yield connection
    await connection.close()


def asked(msisdn: str = ANNA, days_ago: int = 0, status: Status = Status.OPEN, **changes: Any) -> Survey:
    at = START - timedelta(days=days_ago)
    return make_survey(IDS, msisdn, "10086001", at)._replace(status=status, **changes)


def key(survey: Survey) -> tuple[int, str]:
    return survey.bucket, survey.msisdn


async def test_a_survey_is_read_as_it_was_written(connection: Connection) -> None:
    state = State(revisions=(Revision(score=8, at=START, text="8分"),), comment="好", answered_by_us=(START,))
    survey = asked(status=Status.ANSWERED, state=state)
    await conversations.insert(connection, [survey])
    assert await conversations.load(connection, [(survey.bucket, survey.id)]) == {survey.id: survey}


async def test_the_recent_ones_and_those_that_wait_are_found(connection: Connection) -> None:
    recent = asked(status=Status.ANSWERED, days_ago=3)
    waiting = asked(days_ago=90)
    rows = [
        recent,
        waiting,
        asked(status=Status.SUPPRESSED),
        asked(status=Status.ANSWERED, days_ago=60),
        asked(BEN),
    ]
    await conversations.insert(connection, rows)
    found = await conversations.recent(connection, [key(recent)], START - timedelta(days=30))
    assert found == {ANNA: [recent, waiting]}


async def test_only_who_read_the_latest_version_moves_a_survey_on(connection: Connection) -> None:
    hers, his = asked(ANNA), asked(BEN)
    await conversations.insert(connection, [hers, his])
    assert await conversations.update(connection, [hers._replace(status=Status.EXPIRED)]) == set()
    both = [each._replace(status=Status.CANCELLED) for each in (hers, his)]
    assert await conversations.update(connection, both) == {hers.id}
    found = await conversations.load(connection, [(each.bucket, each.id) for each in both])
    assert (found[hers.id].status, found[hers.id].version) == (Status.EXPIRED, 2)
    assert (found[his.id].status, found[his.id].version) == (Status.CANCELLED, 2)


async def test_one_open_question_at_a_time_per_touchpoint(connection: Connection) -> None:
    await conversations.insert(
        connection, [asked(), asked(touchpoint="hotline"), asked(status=Status.UNPARSED)]
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await conversations.insert(connection, [asked(status=Status.CLARIFYING)])


async def test_opt_outs_add_up_and_are_taken_back(connection: Connection) -> None:
    bucket = bucket_of(ANNA)
    surveys, marketing = (bucket, ANNA, "category:survey"), (bucket, ANNA, "lane:marketing")
    for scopes in ([surveys, marketing, surveys], [marketing]):
        await contacts.opt_out(connection, scopes, START)
    found = await contacts.standings(connection, [(bucket, ANNA), (bucket_of(BEN), BEN)])
    assert found == {ANNA: Standing(opt_outs=frozenset({"category:survey", "lane:marketing"}))}
    await contacts.opt_in(connection, [surveys, marketing], START)
    assert (await contacts.standings(connection, [(bucket, ANNA)]))[ANNA].opt_outs == frozenset()
