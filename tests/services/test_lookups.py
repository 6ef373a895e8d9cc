"""What is on record, on a real database: histories, pages, filters."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.domain.survey import Status
from gateway.services.lookups import FIRST, Like, Page, TooWide, UnknownNumber
from gateway.storage import lookups as table
from tests.services.book import LI, NOW, WANG, Book, book_in


@pytest.fixture
async def book(database_dsn: str) -> AsyncIterator[Book]:
    async with book_in(database_dsn) as book:
        yield book


async def test_a_message_comes_with_its_steps_in_order(book: Book) -> None:
    uid = await book.message(LI, 0, ("attempt", "submitting"), ("submitted", "submitted"))
    record = await book.lookups.message(uid)
    assert record is not None
    assert (record.message.msisdn, [step.kind for step in record.steps]) == (LI, ["attempt", "submitted"])
    assert await book.lookups.message(book.id(LI, 0)) is None


async def listed(book: Book, **filters: Any) -> list[UUID]:
    return [row.message.id for row in await book.lookups.messages(Page(), **filters)]


async def test_lists_are_newest_first_across_customers_and_weeks(book: Book) -> None:
    made = [await book.message(who, minute) for minute, who in ((-10080, LI), (0, LI), (1, WANG), (2, LI))]
    assert await listed(book) == made[::-1]
    assert await listed(book, to="139 0531 0001") == [made[3], made[1], made[0]]
    assert await listed(book, since=NOW) == made[:0:-1]
    assert await listed(book, since=datetime(1, 1, 1, tzinfo=UTC)) == made[::-1]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({"status": "queued"}, ["new"], id="no step yet"),
        pytest.param({"status": "delivered"}, ["done"], id="by its last step"),
        pytest.param({"status": "submitting"}, [], id="not by one before"),
        pytest.param({"status": "failed"}, ["failed"], id="in trouble"),
        pytest.param({"status": "unknown"}, [], id="was in trouble"),
        pytest.param({"status": "suppressed"}, ["never"], id="suppressed at the door"),
        pytest.param({"lane": "marketing"}, ["never"], id="lane"),
        pytest.param({"ref": "r-1"}, ["done"], id="ref"),
        pytest.param({"ref": "r-1", "status": "queued"}, [], id="ref and another status"),
        pytest.param({"to": LI, "ref": "r-1"}, ["done"], id="customer and ref"),
        pytest.param({"to": WANG}, [], id="another customer"),
        pytest.param({"to": LI, "status": "failed", "lane": "service"}, ["failed"], id="three"),
    ],
)
async def test_messages_are_filtered(book: Book, filters: dict[str, Any], expected: Sequence[str]) -> None:
    made = {
        "new": await book.message(LI, 0),
        "done": await book.message(
            LI, 1, ("attempt", "submitting"), ("lost", "unknown"), ("delivered", "delivered"), ref="r-1"
        ),
        "failed": await book.message(LI, 2, ("attempt", "submitting"), ("refused", "failed")),
        "never": await book.message(LI, 3, status="suppressed", lane="marketing"),
    }
    assert await listed(book, **filters) == [made[name] for name in expected]


@pytest.mark.parametrize(
    "filters", [{}, {"to": LI}, {"status": "failed"}], ids=["all", "customer", "trouble"]
)
async def test_pages_follow_each_other_without_gap_or_repeat(book: Book, filters: dict[str, Any]) -> None:
    made = [await book.message(LI, minute, ("refused", "failed")) for minute in range(7)]
    found: list[UUID] = []
    page = Page(limit=3)
    while rows := await book.lookups.messages(page, **filters):
        found += [row.message.id for row in rows]
        page = Page(limit=3, before=found[-1])
    assert found == made[::-1]


async def test_a_status_is_found_however_far_back(book: Book) -> None:
    await book.message(LI, 2, ("submitted", "submitted"))
    made = [await book.message(LI, minute) for minute in (-10_000, -3_000, -400, -90, -1, 1)]
    assert await listed(book, status="queued") == made[::-1]
    rows = await book.lookups.messages(Page(limit=3, before=made[4]), status="queued")
    assert [row.message.id for row in rows] == made[3:0:-1]
    assert await listed(book, status="queued", since=NOW - timedelta(minutes=401)) == made[:1:-1]


async def test_a_search_that_takes_too_long_is_given_up(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    await book.message(LI, 0)
    monkeypatch.setattr(table, "CAREFUL", "SET LOCAL statement_timeout = '20ms'")
    monkeypatch.setattr(
        table, "ACROSS", "SELECT pg_sleep(60), $1::uuid, $2::uuid, $3::int, $4::text, $5::text"
    )
    with pytest.raises(TooWide):
        await book.lookups.messages(Page())


async def test_a_number_that_is_none_is_a_finding(book: Book) -> None:
    with pytest.raises(UnknownNumber):
        await book.lookups.messages(Page(), to="12345")


async def test_surveys_by_customer_ticket_and_status(book: Book) -> None:
    first = await book.survey(LI, 0, Status.ANSWERED, ticket="TS-1")
    second = await book.survey(WANG, 1, Status.OPEN, ticket="TS-1")
    third = await book.survey(LI, 2, Status.OPEN)

    async def found(to: str | None = None, ticket: str | None = None, **like: Any) -> list[UUID]:
        rows = await book.lookups.surveys(Page(), to=to, ticket=ticket, like=Like(**like))
        return [row.id for row in rows]

    assert await found() == [third, second, first]
    assert await found(ticket="TS-1") == [second, first]
    assert await found(to=LI) == [third, first]
    assert await found(to=LI, ticket="TS-1", status="open") == []
    assert await found(status="open") == [third, second]
    assert [row.id for row in await book.lookups.surveys(Page(limit=1, before=third))] == [second]


async def test_a_survey_comes_with_the_customers_words(book: Book) -> None:
    uid = await book.survey(LI, 0, Status.ANSWERED)
    words = [await book.reply(LI, minute, "routed", uid) for minute in (1, 2)]
    await book.reply(LI, 3, "routed")
    record = await book.lookups.survey(uid)
    assert record is not None
    assert [reply.id for reply in record.replies] == words
    assert await book.lookups.survey(FIRST) is None


async def test_the_inbox_holds_what_needs_a_person(book: Book) -> None:
    first, second = await book.reply(LI, 0, "inbox"), await book.reply(WANG, 1, "inbox")
    await book.reply(LI, 2, "routed")
    assert [row.id for row in await book.lookups.inbox(Page())] == [second, first]
    assert [row.id for row in await book.lookups.inbox(Page(), to=LI)] == [first]
