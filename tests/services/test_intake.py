"""The way in: stored before it is answered, once a key, decided by the policy."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from gateway.config import shipped
from gateway.domain import template
from gateway.domain.handling import Handling, read_handling
from gateway.domain.ids import IdSource, Kind, parse
from gateway.domain.message import Lane, Message
from gateway.domain.msisdn import bucket_of
from gateway.domain.request import (
    Accepted,
    Asked,
    HandlingWish,
    MessageRequest,
    Rejected,
    ResolutionRequest,
    SurveyRequest,
    SurveyWish,
    Ticket,
)
from gateway.domain.rulebook import Rules
from gateway.domain.rules import Duration
from gateway.domain.survey_rules import CallbackRule, Surveys
from gateway.services.compose import Composer, Sender
from gateway.services.conversations import Conversations
from gateway.services.intake import Caller, Conflict, Intake, Once, Replay
from gateway.services.planning import LARGE
from gateway.services.upkeep import prepare
from gateway.storage import contacts, idempotency
from gateway.storage.database import Database
from tests.services.customers import FakeOutbox
from tests.services.road import ANNA, BEN, START, Clock

CALLER = Caller(key_id=None, request_id="req_1")
CATALOGUE = template.load(shipped("templates") / "sms", template.DEFAULT_SIGNATURES, "zh-CN")
SENDERS = {"default": Sender(number="10086", extensions=3), "plain": Sender(number="10010", extensions=0)}


class Desk:
    """An Intake with what it needs."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.sent: list[Message] = []
        self.rules = Rules()

    async def intake(self) -> Intake:
        ids = IdSource()
        composer = Composer(lambda: CATALOGUE, SENDERS, ids, language="zh-CN")
        conversations = Conversations(
            composer,
            FakeOutbox(ids),
            lambda: self.rules,
            hand_over_messages=self.sent.extend,
            hand_over_callbacks=lambda _: None,
        )
        return Intake(
            database=self.database,
            connection=await self.database.dedicated("intake"),
            composer=composer,
            conversations=conversations,
            regions=("cn",),
            hand_over=self._hand_over,
            now=self.clock,
        )

    def _hand_over(self, messages: Sequence[Message]) -> None:
        self.sent.extend(messages)

    async def count(self, table: str) -> int:
        async with self.database.connection() as connection:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement)]


@asynccontextmanager
async def a_desk(dsn: str) -> AsyncIterator[Desk]:
    async with await Database.open(dsn, size=6) as database:
        async with database.connection() as connection:
            await prepare(connection, START)
        yield Desk(database)


@pytest.fixture
async def desk(database_dsn: str) -> AsyncIterator[Desk]:
    async with a_desk(database_dsn) as desk:
        yield desk


def once(key: str = "k", body: str = "b") -> Once:
    return Once(
        key_hash=sha256(key.encode()).digest(),
        request_hash=sha256(body.encode()).digest(),
        render=lambda outcome: (202, repr(outcome).encode()),
    )


def say(text: str = "您好", to: str = ANNA, **fields: Any) -> MessageRequest:
    return MessageRequest(to=to, text=text, **fields)


def resolve(
    ticket: str = "TS-1", to: str = ANNA, about: str | None = None, **fields: Any
) -> ResolutionRequest:
    return ResolutionRequest(
        to=to, ticket=Ticket(id=ticket, type=about), text="已为您关闭后台更新。", **fields
    )


async def accept(intake: Intake, *requests: MessageRequest | Rejected) -> Sequence[Accepted | Rejected]:
    outcome = await intake.messages(requests, CALLER)
    assert isinstance(outcome, list)
    return outcome


async def test_what_is_accepted_is_stored_and_handed_over(desk: Desk) -> None:
    intake = await desk.intake()
    [outcome] = await accept(intake, say(ref="r1"))
    assert isinstance(outcome, Accepted)
    assert (outcome.status, outcome.segments, outcome.encoding) == ("queued", 1, "ucs2")
    [message] = desk.sent
    assert message.id == parse(Kind.MESSAGE, outcome.id)
    assert (message.msisdn, message.ref, message.lane) == (ANNA, "r1", Lane.SERVICE)
    assert message.bucket == bucket_of(ANNA)
    assert await desk.count("messages") == 1


async def test_a_bad_one_does_not_fail_the_others(desk: Desk) -> None:
    intake = await desk.intake()
    standing = Rejected(code="invalid", title="x", status=422, detail="y", errors=())
    outcomes = await accept(
        intake,
        say(),
        standing,
        say(to="not a number"),
        say(template="complaint/resolution"),
        MessageRequest(to=ANNA, template="complaint/resolutoin"),
        say(sender="nobody"),
        say("长" * 700),
        say(to=BEN),
    )
    codes = [each.code if isinstance(each, Rejected) else each.status for each in outcomes]
    assert codes == [
        "queued",
        "invalid",
        "invalid-request",
        "invalid-request",
        "unknown-template",
        "unknown-sender",
        "text-too-long",
        "queued",
    ]
    assert isinstance(outcomes[4], Rejected)
    assert "complaint/resolution" in outcomes[4].errors[0].detail
    assert [message.msisdn for message in desk.sent] == [ANNA, BEN]
    assert await desk.count("messages") == 2


async def test_a_large_batch_keeps_its_order(desk: Desk) -> None:
    intake = await desk.intake()
    requests = [say(f"{n}", to=f"139{n:08}" if n % 7 else "0") for n in range(LARGE + 50)]
    outcomes = await accept(intake, *requests)
    assert [isinstance(each, Rejected) for each in outcomes] == [n % 7 == 0 for n in range(LARGE + 50)]
    assert [m.body for m in desk.sent] == [f"{n}" for n in range(LARGE + 50) if n % 7]


@pytest.mark.parametrize("resolutions", [False, True], ids=["messages", "resolutions"])
async def test_the_same_key_gives_the_first_answer_again(desk: Desk, resolutions: bool) -> None:
    intakes = [await desk.intake(), await desk.intake()]

    async def call(intake: Intake, once_: Once) -> Any:
        if resolutions:
            return await intake.resolution(resolve(), CALLER, once_)
        return await intake.messages([say()], CALLER, once_)

    first = await call(intakes[0], once())
    for intake in intakes:  # a restart, or another node
        again = await call(intake, once())
        assert again == Replay(http_status=202, body=repr(first).encode())
        assert await call(intake, once(body="other")) is Conflict.OTHER_BODY
    assert await desk.count("messages") == 1
    assert not isinstance(await call(intakes[0], once("another key")), Replay | Conflict)


async def test_a_question_that_is_not_asked_has_one_answer_too(desk: Desk) -> None:
    intake = await desk.intake()
    await intake.resolution(resolve(), CALLER)
    request = SurveyRequest(to=ANNA, touchpoint="hotline")
    answers = [await intake.survey(request, CALLER, once()) for _ in range(2)]
    assert isinstance(answers[0], Asked)
    assert (answers[0].status, answers[0].message_id) == ("suppressed", None)
    assert answers[1] == Replay(http_status=202, body=repr(answers[0]).encode())


async def test_while_a_call_runs_its_key_is_taken(desk: Desk) -> None:
    intake = await desk.intake()
    answers = await asyncio.gather(*(intake.messages([say()], CALLER, once()) for _ in range(3)))
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Conflict", "list"]
    assert {answer for answer in answers if isinstance(answer, Conflict)} == {Conflict.STILL_RUNNING}


@pytest.mark.parametrize("size", [1, LARGE + 1], ids=["one", "a large batch"])
async def test_two_nodes_with_one_key_at_once_have_one_effect(desk: Desk, size: int) -> None:
    intakes = [await desk.intake() for _ in range(3)]
    requests = [say(f"{n}") for n in range(size)]
    answers = await asyncio.gather(*(intake.messages(requests, CALLER, once()) for intake in intakes))
    assert sorted(type(answer).__name__ for answer in answers) == ["Replay", "Replay", "list"]
    assert await desk.count("messages") == size
    assert await desk.count("idempotency") == 1


async def test_a_call_that_stored_nothing_keeps_no_key(desk: Desk) -> None:
    intake = await desk.intake()
    await intake.messages([say(to="x")], CALLER, once())
    again = await intake.messages([say()], CALLER, once(body="mended"))
    assert isinstance(again, list)


async def test_first_answers_are_forgotten_after_their_time(desk: Desk) -> None:
    intake = await desk.intake()
    await intake.messages([say()], CALLER, once())
    async with desk.database.connection() as connection:
        await idempotency.forget_before(connection, START + timedelta(seconds=1))
    assert isinstance(await intake.messages([say()], CALLER, once()), list)


async def test_a_message_for_later_has_a_timer(desk: Desk) -> None:
    intake = await desk.intake()
    due = START + timedelta(hours=3)
    [outcome] = await accept(intake, say(send_at=due, valid_for="1h"))
    assert isinstance(outcome, Accepted)
    assert outcome.status == "scheduled"
    assert desk.sent[0].expires_at == due + timedelta(hours=1)
    assert await desk.rows("SELECT due_at, kind, subject FROM timers") == [(due, "message", desk.sent[0].id)]


async def test_a_time_that_is_past_means_now(desk: Desk) -> None:
    [outcome] = await accept(await desk.intake(), say(send_at=START - timedelta(hours=1)))
    assert isinstance(outcome, Accepted)
    assert outcome.status == "queued"
    assert await desk.count("timers") == 0


async def test_how_it_is_to_be_carried_is_stored_with_it(desk: Desk) -> None:
    at = START + timedelta(hours=3)
    wish = HandlingWish(flash=True, priority=1, deliver_at=at, parameters={"0x1403": "0a"})
    [plain, special] = await accept(await desk.intake(), say(), say(handling=wish, valid_for="1h"))
    assert isinstance(plain, Accepted)
    assert isinstance(special, Accepted)
    rows = await desk.rows("SELECT handling, expires_at FROM messages ORDER BY handling NULLS FIRST")
    assert rows[0][0] is None
    assert read_handling(rows[1][0]) == Handling(
        flash=True, priority=1, deliver_at=at, parameters={0x1403: b"\n"}
    )
    assert rows[1][1] == at + timedelta(hours=1)


async def test_a_resolution_can_not_be_kept_longer_than_its_answer_counts(desk: Desk) -> None:
    intake = await desk.intake()
    wish = HandlingWish(deliver_at=START + timedelta(hours=3))
    told = await intake.resolution(resolve(handling=wish, survey=SurveyWish(expires_in="2h")), CALLER)
    assert isinstance(told, Rejected)
    assert [fault.pointer for fault in told.errors] == ["/handling/deliver_at"]
    assert await desk.count("messages") == await desk.count("conversations") == 0
    assert isinstance(await intake.resolution(resolve(handling=wish), CALLER), Accepted)
    assert read_handling(desk.sent[0].handling) == Handling(deliver_at=wish.deliver_at)


@pytest.mark.parametrize(
    ("lane", "status"),
    [
        pytest.param(Lane.MARKETING, "suppressed", id="marketing"),
        pytest.param(Lane.TRANSACTIONAL, "queued", id="transactional"),
    ],
)
async def test_an_opt_out_is_heeded_at_acceptance(desk: Desk, lane: Lane, status: str) -> None:
    async with desk.database.connection() as connection:
        scopes = [(bucket_of(ANNA), ANNA, f"lane:{each}") for each in Lane]
        await contacts.opt_out(connection, scopes, START)
    [outcome] = await accept(await desk.intake(), say(lane=lane))
    assert isinstance(outcome, Accepted)
    assert outcome.status == status


@pytest.mark.parametrize("scope", ["category:survey", "lane:survey"])
async def test_who_wants_no_surveys_gets_none_however_they_are_sent(desk: Desk, scope: str) -> None:
    async with desk.database.connection() as connection:
        await contacts.opt_out(connection, [(bucket_of(ANNA), ANNA, scope)], START)
    outcomes = await accept(await desk.intake(), say(lane=Lane.SURVEY), say(lane=Lane.SERVICE))
    assert [each.status for each in outcomes] == ["suppressed", "queued"]


# Questions


async def test_a_resolution_asks_from_an_extension_of_its_own(desk: Desk) -> None:
    outcome = await (await desk.intake()).resolution(resolve(), CALLER)
    assert isinstance(outcome, Accepted)
    assert outcome.survey is not None
    assert outcome.survey.status == "open"
    [message] = desk.sent
    assert message.sender.startswith("10086")
    assert len(message.sender) == 8
    assert "10分" in message.body
    assert await desk.rows("SELECT status, address, message_id FROM conversations") == [
        ("open", message.sender, message.id)
    ]


async def test_a_resolution_that_the_rules_pick_is_called_back_asked_or_not(desk: Desk) -> None:
    rule = CallbackRule(share=1.0, types=("broadband",), after=Duration(hours=24))
    desk.rules = Rules(surveys=Surveys(callback=rule))
    intake = await desk.intake()
    await intake.resolution(resolve("TS-1", about="broadband"), CALLER)
    await intake.resolution(resolve("TS-2", about="broadband"), CALLER)  # asked lately: not asked
    await intake.resolution(resolve("TS-3", about="charges"), CALLER)
    rows = await desk.rows(
        "SELECT c.ticket_id, c.status, t.due_at FROM conversations c LEFT JOIN timers t "
        "ON t.subject = c.id AND t.due_at = (c.subject ->> 'callback_at')::timestamptz ORDER BY 1"
    )
    due = START + rule.after
    assert rows == [("TS-1", "open", due), ("TS-2", "suppressed", due), ("TS-3", "suppressed", None)]


async def test_a_resolution_without_a_survey_does_not_ask(desk: Desk) -> None:
    outcome = await (await desk.intake()).resolution(resolve(survey=False), CALLER)
    assert isinstance(outcome, Accepted)
    assert outcome.survey is None
    assert "回复" not in desk.sent[0].body
    assert await desk.count("conversations") == 0


async def test_a_touchpoint_is_told_its_survey_and_the_message_that_asks(desk: Desk) -> None:
    asked = await (await desk.intake()).survey(SurveyRequest(to=ANNA, touchpoint="hotline"), CALLER)
    assert isinstance(asked, Asked)
    [message] = desk.sent
    assert (parse(Kind.SURVEY, asked.id), asked.status) == (message.conversation_id, "open")
    assert parse(Kind.MESSAGE, asked.message_id or "") == message.id
    assert (asked.segments, asked.encoding) == (message.segments, message.encoding)


@pytest.mark.parametrize("touchpoint", ["hotlien", "thanks", "complaint", "no/such"])
async def test_an_unknown_touchpoint_is_told_which_there_are(desk: Desk, touchpoint: str) -> None:
    intake = await desk.intake()
    refused = await intake.survey(SurveyRequest(to=ANNA, touchpoint=touchpoint), CALLER)
    assert isinstance(refused, Rejected)
    assert (refused.code, [fault.pointer for fault in refused.errors]) == (
        "unknown-touchpoint",
        ["/touchpoint"],
    )
    assert "counter, hotline, manager" in refused.detail
    named = SurveyRequest(to=ANNA, touchpoint=touchpoint, template="survey/hotline")
    assert isinstance(await intake.survey(named, CALLER), Asked)


@pytest.mark.parametrize("expires_in", ["soon", "59s", "400d"])
async def test_how_long_an_answer_counts_is_refused_where_it_stands(desk: Desk, expires_in: str) -> None:
    intake = await desk.intake()
    wish = SurveyWish(expires_in=expires_in)
    resolution = await intake.resolution(resolve(to="0", survey=wish), CALLER)
    survey = await intake.survey(SurveyRequest(to=ANNA, touchpoint="hotline", expires_in=expires_in), CALLER)
    assert isinstance(resolution, Rejected)
    assert [fault.pointer for fault in resolution.errors] == ["/to", "/survey/expires_in"]
    assert isinstance(survey, Rejected)
    assert [fault.pointer for fault in survey.errors] == ["/expires_in"]


async def test_a_reopened_ticket_is_asked_about_again(desk: Desk) -> None:
    intake = await desk.intake()
    for _ in range(2):
        await intake.resolution(resolve(), CALLER)
    statuses = await desk.rows("SELECT status FROM conversations ORDER BY status")
    assert statuses == [("cancelled",), ("open",)]
    assert all("10分" in message.body for message in desk.sent)


async def test_who_was_asked_lately_gets_the_explanation_alone(desk: Desk) -> None:
    intake = await desk.intake()
    await intake.resolution(resolve("TS-1"), CALLER)
    outcome = await intake.resolution(resolve("TS-2"), CALLER)
    assert isinstance(outcome, Accepted)
    assert outcome.survey is not None
    assert outcome.survey.status == "suppressed"
    assert outcome.status == "queued"
    assert "回复" not in desk.sent[1].body
    assert desk.sent[1].sender == "10086"


async def test_of_two_nodes_that_ask_at_once_one_asks(desk: Desk) -> None:
    """Who is outrun decides anew, and then his text asks nothing."""
    intakes = [await desk.intake() for _ in range(4)]
    answers = await asyncio.gather(
        *(intake.resolution(resolve(f"TS-{n}"), CALLER) for n, intake in enumerate(intakes))
    )
    surveys = [answer.survey.status for answer in answers if isinstance(answer, Accepted) and answer.survey]
    assert sorted(surveys) == ["open", "suppressed", "suppressed", "suppressed"]
    assert sorted("回复" in message.body for message in desk.sent) == [False, False, False, True]
    assert await desk.count("messages") == 4


async def test_many_calls_share_a_flush_and_each_gets_its_own_answer(desk: Desk) -> None:
    intake = await desk.intake()
    calls = [intake.messages([say(f"{n}")], CALLER, once(f"{n % 40}")) for n in range(60)]
    calls += [intake.resolution(resolve(f"TS-{n}", to=f"139{n:08}"), CALLER) for n in range(20)]  # type: ignore[misc]
    answers = await asyncio.gather(*calls)
    assert sum(isinstance(answer, list) for answer in answers) == 40
    assert sum(answer is Conflict.STILL_RUNNING for answer in answers) == 20
    assert await desk.count("messages") == 60
    await intake.drain()
