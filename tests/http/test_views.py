"""Messages, surveys and the inbox as the API shows them, from a real database: whole, or masked."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from gateway.domain.handling import Handling
from gateway.domain.ids import Kind, public
from gateway.domain.survey import Revision, State, Status
from gateway.domain.survey_state import Because, Task
from gateway.http.messages import MessageDetail
from gateway.http.surveys import SurveyDetail
from gateway.services.keys import Scope
from tests.http.fakes import World, world
from tests.services.book import LI, NOW, Book, book_in


@pytest.fixture
async def book(database_dsn: str) -> AsyncIterator[Book]:
    async with book_in(database_dsn) as book:
        yield book


@pytest.fixture
async def shown(book: Book) -> AsyncIterator[World]:
    async with world(lookups=book.lookups) as running:
        running.ring.add("reader", Scope.READ)
        yield running


async def got(api: World, path: str, token: str = "all") -> Any:
    async with api.http.get(path, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == 200
        return await response.json()


RECEIPT = f"id:a1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:{LI}"


async def test_a_message_tells_its_history(book: Book, shown: World) -> None:
    uid = await book.message(
        LI,
        0,
        ("attempt", "submitting"),
        ("submitted", "submitted"),
        ("delivered", "delivered"),
        detail=RECEIPT,
    )
    name = public(Kind.MESSAGE, uid)
    body = await got(shown, f"/v1/messages/{name}")
    message = msgspec.convert(body, MessageDetail)
    assert (message.id, message.to, message.text, message.status) == (name, LI, "您好", "delivered")
    assert (message.route, message.maybe_duplicate, message.masked) == ("main", False, False)
    assert [entry.kind for entry in message.history] == ["accepted", "attempt", "submitted", "delivered"]
    assert message.history[0].at == NOW
    assert message.history[-1].detail == RECEIPT


async def test_without_the_scope_numbers_and_texts_stay_out_of_sight(book: Book, shown: World) -> None:
    uid = await book.message(LI, 0, ("attempt", "submitting"), ("delivered", "delivered"), detail=RECEIPT)
    body = await got(shown, f"/v1/messages/{public(Kind.MESSAGE, uid)}", "reader")
    assert (body["to"], body["text"], body["masked"]) == ("139****0001", None, True)
    assert LI not in str(body)
    assert LI not in str(await got(shown, "/v1/messages", "reader"))


async def test_how_a_message_is_carried_is_shown_without_numbers_to_whom_they_are_hidden(
    book: Book, shown: World
) -> None:
    handling = Handling(flash=True, priority=2, deliver_at=NOW, parameters={0x0381: LI.encode()})
    uid = await book.message(LI, 0, handling=handling.written())
    path = f"/v1/messages/{public(Kind.MESSAGE, uid)}"
    whole, hidden = (await got(shown, path))["handling"], (await got(shown, path, "reader"))["handling"]
    assert whole.pop("parameters") == {"0x0381": LI.encode().hex()}
    assert whole == hidden == {"flash": True, "priority": 2, "deliver_at": "2026-11-22T09:00:00Z"}


async def test_each_part_of_a_message_is_shown(book: Book, shown: World) -> None:
    uid = await book.message(LI, 0, ("attempt", "submitting"), ("delivered", "delivered"), segments=2)
    body = await got(shown, f"/v1/messages/{public(Kind.MESSAGE, uid)}")
    assert body["handling"] is None
    assert body["parts"] == [
        {"number": 1, "state": "delivered", "copies": 1, "route": "main"},
        {"number": 2, "state": "not sent", "copies": 0},
    ]


async def test_the_pdu_of_a_refusal_is_for_those_who_may_see_numbers(book: Book, shown: World) -> None:
    uid = await book.message(LI, 0, ("attempt", "submitting"), ("refused", "failed"), detail="sar/1")
    path = f"/v1/messages/{public(Kind.MESSAGE, uid)}"
    assert [step.get("detail") for step in (await got(shown, path))["history"]] == [None, "sar/1", "sar/1"]
    hidden = await got(shown, path, "reader")
    assert [step.get("detail") for step in hidden["history"]] == [None, "sar/1", None]


async def test_a_second_sending_is_flagged(book: Book, shown: World) -> None:
    uid = await book.message(
        LI, 0, ("attempt", "submitting"), ("lost", "unknown"), ("attempt", "submitting"), copy=2
    )
    assert (await got(shown, f"/v1/messages/{public(Kind.MESSAGE, uid)}"))["maybe_duplicate"]


async def test_pages_of_the_list_lead_on(book: Book, shown: World) -> None:
    made = [public(Kind.MESSAGE, await book.message(LI, minute)) for minute in range(5)]
    page = await got(shown, "/v1/messages?limit=2")
    found = [item["id"] for item in page["data"]]
    while page["next_cursor"]:
        page = await got(shown, f"/v1/messages?limit=2&cursor={page['next_cursor']}")
        found += [item["id"] for item in page["data"]]
    assert found == made[::-1]


async def test_a_survey_tells_score_comment_and_words(book: Book, shown: World) -> None:
    revisions = (Revision(score=7, at=NOW), Revision(score=8, at=NOW, by="Wang"))
    state = State(revisions=revisions, comment="thanks")
    uid = await book.survey(LI, 0, Status.ANSWERED, ticket="TS-1", state=state)
    await book.reply(LI, 1, "routed", uid)
    name = public(Kind.SURVEY, uid)
    survey = msgspec.convert(await got(shown, f"/v1/surveys/{name}"), SurveyDetail)
    assert (survey.status, survey.score, survey.comment, survey.ticket) == ("answered", 8, "thanks", "TS-1")
    assert [(one.score, one.by) for one in survey.revisions] == [(7, None), (8, "Wang")]
    assert (survey.answered_at, [reply.text for reply in survey.replies]) == (NOW, ["8分"])
    hidden = await got(shown, f"/v1/surveys/{name}", "reader")
    assert (hidden["score"], hidden["comment"], hidden["to"]) == (8, None, "139****0001")
    assert [reply["text"] for reply in hidden["replies"]] == [None]
    page = await got(shown, "/v1/surveys?ticket=TS-1&status=answered")
    assert [item["id"] for item in page["data"]] == [name]


async def test_a_survey_tells_whether_a_low_score_was_followed_up(book: Book, shown: World) -> None:
    revisions = (Revision(score=2, at=NOW),)
    task = Task(because=Because.LOW_SCORE, asked_at=NOW, number="TS-9", at=NOW)
    for minute, each in enumerate((task, None)):
        state = State(revisions=revisions, low=True, follow_up=each)
        await book.survey(LI, minute, Status.ANSWERED, ticket="TS-1", state=state)
    without, followed = (await got(shown, "/v1/surveys?ticket=TS-1"))["data"]
    assert (without["low"], without["follow_up"]) == (True, None)
    assert (followed["low"], followed["follow_up"]["because"]) == (True, "low-score")
    assert (followed["follow_up"]["number"], followed["follow_up"]["failed"]) == ("TS-9", None)


async def test_the_inbox_shows_words_to_those_who_may_read_them(book: Book, shown: World) -> None:
    uid = await book.reply(LI, 0, "inbox")
    whole, hidden = await got(shown, "/v1/inbox"), await got(shown, f"/v1/inbox?to={LI}", "reader")
    assert [(item["id"], item["text"]) for item in whole["data"]] == [(public(Kind.REPLY, uid), "8分")]
    assert [(item["to"], item["text"]) for item in hidden["data"]] == [("139****0001", None)]


async def test_a_filter_by_an_impossible_number_is_refused(shown: World) -> None:
    async with shown.http.get("/v1/messages?to=12345") as response:
        body = await response.json()
    assert (response.status, body["errors"][0]["pointer"]) == (422, "/to")
