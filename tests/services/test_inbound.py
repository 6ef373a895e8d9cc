"""From a short message to what follows from it, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from gateway.domain.message import Message
from gateway.domain.msisdn import bucket_of
from gateway.domain.request import Rejected
from gateway.domain.routing import Route, route
from gateway.domain.score import Scale
from gateway.domain.survey import Status, Subject
from gateway.services import inbound, understanding
from gateway.services.compose import Draft
from gateway.services.conversations import Changes
from gateway.sms import udh
from gateway.sms.reassembly import GAP
from gateway.storage.database import Connection, StorageUnavailable
from tests.services.customers import ANNA, BEN, FakeComposer, World, a_world, mo


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn) as world:
        yield world


async def test_a_score_lands_in_the_conversation_and_is_owed_to_the_ticket(world: World) -> None:
    survey = await world.asks()
    await world.hears("8，处理得很快")
    after = await world.survey(survey)
    assert after.status is Status.ANSWERED
    assert [each.score for each in after.state.revisions] == [8]
    assert await world.replies() == [("8，处理得很快", "read", None)]
    (call,) = await world.calls("ticket.satisfaction")
    assert call["ticket"] == {"id": "TS-1", "department": "it-centre"}
    assert (call["score"], call["scale"], call["comment"], call["text"]) == (
        8,
        "ten",
        "处理得很快",
        "8，处理得很快",
    )
    assert call["set_by_person"] is False
    assert world.answers() == ["survey/thanks"]
    assert {each.event for each in world.called} == {"ticket.satisfaction", "survey.answered"}


async def test_two_replies_in_one_batch_see_each_other(world: World) -> None:
    survey = await world.asks()
    await world.hears("8", "9", "谢谢", "师傅很好")
    after = await world.survey(survey)
    assert [each.score for each in after.state.revisions] == [8, 9]
    assert after.state.comment == "师傅很好"
    assert [status for _, status, _ in await world.replies()] == ["read", "read", "courtesy", "read"]
    assert [call["score"] for call in await world.calls("ticket.satisfaction")] == [8, 9, 9]
    assert world.answers() == ["survey/thanks"]
    assert after.version == 2


async def test_what_is_not_understood_is_asked_once_more_and_then_stands_in_the_inbox(world: World) -> None:
    survey = await world.asks()
    await world.hears("什么意思")
    assert (await world.survey(survey)).status is Status.CLARIFYING
    await world.hears("你们什么时候来人")
    assert (await world.survey(survey)).status is Status.UNPARSED
    assert await world.replies() == [
        ("什么意思", "read", "not-understood: no-number"),
        ("你们什么时候来人", "inbox", "not-understood: no-number"),
    ]
    assert world.answers() == ["survey/clarify"]
    await world.hears("8")
    assert (await world.survey(survey)).status is Status.ANSWERED
    assert [status for _, status, _ in await world.replies()] == ["read", "read", "read"]


async def test_the_low_score_opens_a_follow_up(world: World) -> None:
    await world.asks()
    await world.hears("2，问题没解决")
    assert world.answers() == ["survey/low-score"]
    (follow_up,) = await world.calls("ticket.create")
    assert (follow_up["kind"], follow_up["score"], follow_up["ticket"]["id"]) == ("follow_up", 2, "TS-1")
    assert len(await world.calls("survey.low_score")) == 1


async def test_an_answer_goes_out_from_where_the_customer_wrote_to(world: World) -> None:
    await world.asks(address="10086042")
    await world.hears("8", address="+8610086042")
    (answer,) = world.sent
    assert (answer.msisdn, answer.sender) == (ANNA, "10086042")


async def test_each_customer_answers_his_own_question(world: World) -> None:
    hers, his = await world.asks(ANNA), await world.asks(BEN)
    await world.inbound.store([mo("9", BEN, "10086001", world.now), mo("3", ANNA, "10086001", world.now)])
    assert (await world.survey(hers)).state.revisions[0].score == 3
    assert (await world.survey(his)).state.revisions[0].score == 9


async def test_his_own_words_are_announced_and_stand_in_the_inbox(world: World) -> None:
    await world.hears("家里宽带断了", address="10086")
    assert await world.replies() == [("家里宽带断了", "inbox", "unmatched")]
    (event,) = await world.calls("reply.unmatched")
    assert (event["to"], event["text"]) == (ANNA, "家里宽带断了")


async def test_a_machine_is_held_back(world: World) -> None:
    await world.hears(*[f"第{at}条广告请看" for at in range(13)], address="10086")
    statuses = [(status, reason) for _, status, reason in await world.replies()]
    assert statuses == [("inbox", "unmatched")] * 10 + [("held", "flood")] * 3
    assert len(await world.calls("reply.unmatched")) == 10


async def test_a_machine_in_a_dialogue_is_held_back_and_a_clear_answer_is_not(world: World) -> None:
    survey = await world.asks()
    await world.hears(*[f"第{at}条广告请看" for at in range(13)], "8")
    statuses = [status for _, status, _ in await world.replies()]
    assert statuses == ["read"] * 10 + ["held"] * 3 + ["read"]
    assert (await world.survey(survey)).status is Status.ANSWERED
    assert len(world.answers()) == 2


async def test_stop_ends_the_dialogue_and_the_surveys(world: World) -> None:
    survey = await world.asks()
    await world.hears("退订")
    after = await world.survey(survey)
    assert (after.status, after.state.reason) == (Status.CANCELLED, "opted-out")
    assert await world.replies() == [("退订", "opt-out", None)]
    assert await world.rows("SELECT msisdn, opt_outs FROM contacts") == [
        {"msisdn": ANNA, "opt_outs": ["category:survey"]}
    ]
    assert len(await world.calls("contact.opted_out")) == 1
    (receipt,) = world.sent
    assert (receipt.body, receipt.sender) == ("contact/opted-out survey", "10086001")


@pytest.mark.parametrize(
    ("texts", "opt_outs"),
    [
        pytest.param(["TD"], ["lane:marketing"], id="out"),
        pytest.param(["TD", "T"], ["lane:marketing"], id="out twice"),
        pytest.param(["TD", "恢复订阅"], [], id="out and in"),
        pytest.param(["TD", "恢复订阅", "TD"], ["lane:marketing"], id="the last word holds"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_opt_outs_and_opt_ins(
    world: World, texts: list[str], opt_outs: list[str], together: bool
) -> None:
    if together:
        await world.hears(*texts, address="10086")
    else:
        for text in texts:
            await world.hears(text, address="10086")
    contacts = await world.rows("SELECT opt_outs FROM contacts")
    assert [contact["opt_outs"] for contact in contacts] in ([opt_outs], [opt_outs][: len(opt_outs)])


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_an_opt_out_has_one_receipt_a_day(world: World, together: bool) -> None:
    texts = ["TD", "T", "恢复订阅", "退订", "恢复订阅"]
    for batch in [texts] if together else [[each] for each in texts]:
        await world.hears(*batch, address="10086")
    assert [each.body for each in world.sent] == ["contact/opted-out marketing", "contact/opted-in"]
    await world.later(hours=25)
    await world.hears("TD", address="10086")
    assert world.answers()[2:] == ["contact/opted-out"]


async def test_an_opt_out_of_surveys_and_one_of_marketing_have_a_receipt_each(world: World) -> None:
    await world.asks()
    await world.hears("TD")
    await world.hears("TD", address="10086")
    assert [each.body for each in world.sent] == ["contact/opted-out survey", "contact/opted-out marketing"]


async def test_two_nodes_send_one_receipt(database_dsn: str) -> None:
    async with a_world(database_dsn) as here, a_world(database_dsn) as there:
        many = [f"86139053100{at:02}" for at in range(20)]
        await asyncio.gather(
            *(node.hears("TD", msisdn=each, address="10086") for each in many for node in (here, there))
        )
        assert sorted(each.msisdn for each in here.sent + there.sent) == many


@pytest.mark.parametrize(
    ("language", "subject", "told"),
    [
        pytest.param("en", None, "en", id="the contact's"),
        pytest.param("en", "zh-TW", "zh-TW", id="the question's before it"),
        pytest.param(None, None, None, id="else the default"),
    ],
)
async def test_a_receipt_speaks_the_customers_language(
    world: World, monkeypatch: pytest.MonkeyPatch, language: str | None, subject: str | None, told: str | None
) -> None:
    spoken = []
    compose = FakeComposer.compose

    def noted(composer: FakeComposer, draft: Draft, now: datetime) -> Message | Rejected:
        spoken.append(draft.language)
        return compose(composer, draft, now)

    monkeypatch.setattr(FakeComposer, "compose", noted)
    if language:
        async with world.database.connection() as connection:
            await connection.execute(
                "INSERT INTO contacts (bucket, msisdn, language, updated_at) VALUES ($1, $2, $3, now())",
                bucket_of(ANNA),
                ANNA,
                language,
            )
    await world.asks(subject=Subject(scale=Scale.TEN, language=subject))
    await world.hears("TD")
    assert spoken == [told]


async def test_a_plea_stands_in_the_inbox_at_once_and_a_score_leaves_it_there(world: World) -> None:
    survey = await world.asks()
    await world.hears("我要投诉，还是慢")
    assert await world.replies() == [("我要投诉，还是慢", "inbox", "asks-for-help")]
    assert world.answers() == ["survey/help"]
    await world.hears("8")
    assert [(status, reason) for _, status, reason in await world.replies()] == [
        ("inbox", "asks-for-help"),
        ("read", None),
    ]
    after = await world.survey(survey)
    assert ([each.score for each in after.state.revisions], after.state.comment) == ([8], "我要投诉，还是慢")


async def test_a_plea_after_a_score_is_comment_and_for_a_person(world: World) -> None:
    await world.asks()
    await world.hears("9")
    await world.hears("我要投诉，宽带又坏了，请回电")
    assert (await world.replies())[1] == ("我要投诉，宽带又坏了，请回电", "inbox", "asks-for-help")
    assert [call["comment"] for call in await world.calls("ticket.satisfaction")] == [
        None,
        "我要投诉，宽带又坏了，请回电",
    ]


async def test_a_correction_reaches_the_ticket(world: World) -> None:
    await world.asks()
    await world.hears("9")
    await world.hears("打错了，8分")
    assert [call["score"] for call in await world.calls("ticket.satisfaction")] == [9, 8]
    assert [(status, reason) for _, status, reason in await world.replies()] == [("read", None)] * 2


async def test_what_takes_a_score_back_in_words_is_for_a_person_until_it_is_clear(world: World) -> None:
    await world.asks()
    await world.hears("9", "打错了")
    assert (await world.replies())[1] == ("打错了", "inbox", "revision-unclear: no-number")
    await world.hears("6")
    assert (await world.replies())[1] == ("打错了", "read", "revision-unclear: no-number")
    assert [call["score"] for call in await world.calls("ticket.satisfaction")] == [9, 9, 6]


async def test_late_scores_are_for_a_person(world: World) -> None:
    survey = await world.asks()
    await world.later(hours=72)
    assert (await world.survey(survey)).status is Status.OPEN  # nobody set its timer here
    await world.later(seconds=1)
    await world.hears("8")
    assert await world.replies() == [("8", "inbox", "late")]


class TestRedelivery:
    """A copy has its effect once and is kept."""

    async def test_on_another_session_once_the_first_is_gone(self, world: World) -> None:
        await world.asks()
        await world.hears("什么意思")
        await world.later(seconds=30)
        await world.hears("什么意思", session="main-2")
        assert [(status, reason) for _, status, reason in await world.replies()] == [
            ("read", "not-understood: no-number"),
            ("duplicate", None),
        ]
        assert world.answers() == ["survey/clarify"]
        parts = await world.rows("SELECT redelivery FROM parts ORDER BY received_at, id")
        assert [part["redelivery"] for part in parts] == [False, True]

    async def test_in_one_batch_on_two_sessions(self, world: World) -> None:
        later = world.now + timedelta(milliseconds=5)
        copies = [
            mo("退订", ANNA, "10086", world.now),
            mo("退订", ANNA, "10086", later, session="main-2"),
        ]
        await world.inbound.store(copies)
        assert [status for _, status, _ in await world.replies()] == ["opt-out", "duplicate"]

    async def test_answered_late_on_the_same_session(self, world: World) -> None:
        came = world.now
        world.now += timedelta(seconds=6)
        await world.inbound.store([mo("断网了", ANNA, "10086", came)])
        await world.inbound.store([mo("断网了", ANNA, "10086", world.now)])
        assert [status for _, status, _ in await world.replies()] == ["inbox", "duplicate"]

    async def test_a_second_answer_on_the_same_session_is_the_customers(self, world: World) -> None:
        await world.hears("断网了", address="10086")
        await world.hears("断网了", address="10086")
        assert [status for _, status, _ in await world.replies()] == ["inbox", "inbox"]

    async def test_after_ten_minutes_it_is_the_customers(self, world: World) -> None:
        await world.hears("断网了", address="10086")
        await world.later(minutes=11)
        await world.hears("断网了", address="10086", session="main-2")
        assert [status for _, status, _ in await world.replies()] == ["inbox", "inbox"]

    async def test_after_a_session_that_went_on_for_a_while_it_is_the_customers(self, world: World) -> None:
        await world.hears("断网了", address="10086")
        await world.later(seconds=10)
        await world.hears("你好", msisdn=BEN, address="10086")
        await world.hears("断网了", address="10086", session="main-2")
        assert ("断网了", "duplicate", None) not in await world.replies()

    async def test_on_another_session_while_the_first_lives_it_is_the_customers(
        self, database_dsn: str
    ) -> None:
        async with a_world(database_dsn, is_live=lambda session: session == "main-1") as world:
            await world.hears("断网了", address="10086")
            await world.hears("断网了", address="10086", session="main-2")
            assert [status for _, status, _ in await world.replies()] == ["inbox", "inbox"]


LONG = "你们上次派来的师傅说周三再来，结果等了一整天都没有人，电话也打不通，" * 4


def long_parts(text: str, reference: int = 7, size: int = 134) -> list[bytes]:
    octets = text.encode("utf-16-be")
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    return [
        udh.concatenation(reference, len(pieces), number) + piece
        for number, piece in enumerate(pieces, start=1)
    ]


class TestLongTexts:
    """Put together from the table, whoever stored the parts and when."""

    @pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2]], ids=str)
    @pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
    async def test_in_any_order(self, world: World, order: list[int], together: bool) -> None:
        parts = long_parts(LONG)
        assert len(parts) == 3
        came = [mo(parts[at], ANNA, "10086", world.now, esm_class=0x40) for at in order]
        for batch in [came] if together else [[each] for each in came]:
            await world.inbound.store(batch)
        assert await world.replies() == [(LONG, "inbox", "unmatched")]
        assert len(await world.rows("SELECT DISTINCT reply_id FROM parts")) == 1
        await world.later(minutes=11)
        assert len(await world.replies()) == 1

    async def test_by_sar_tlvs(self, world: World) -> None:
        octets = "8，很满意".encode("utf-16-be")
        survey = await world.asks()
        for number, piece in enumerate((octets[:4], octets[4:]), start=1):
            came = mo(piece, ANNA, "10086001", world.now, reference=9, total=2, number=number)
            await world.inbound.store([came])
        assert (await world.survey(survey)).state.revisions[0].score == 8

    async def test_across_a_restart(self, database_dsn: str) -> None:
        async with a_world(database_dsn) as world:
            survey = await world.asks()
        for at, part in enumerate(long_parts("8，" + "师傅很好，" * 30)):
            async with a_world(database_dsn) as world:
                world.now += timedelta(seconds=at)
                await world.inbound.store([mo(part, ANNA, "10086001", world.now, esm_class=0x40)])
        async with a_world(database_dsn) as world:
            assert (await world.survey(survey)).state.revisions[0].score == 8

    async def test_a_part_delivered_again_changes_nothing(self, world: World) -> None:
        first, second, third = (
            mo(part, ANNA, "10086", world.now, esm_class=0x40) for part in long_parts(LONG)
        )
        for batch in ([first], [first, second], [second], [third], [third], [first]):
            await world.inbound.store(batch)
        assert await world.replies() == [(LONG, "inbox", "unmatched")]
        assert len(await world.rows("SELECT DISTINCT reply_id FROM parts")) == 1

    async def test_two_customers_with_one_reference(self, world: World) -> None:
        for ann, ben in zip(long_parts(LONG), long_parts(LONG[::-1]), strict=True):
            await world.inbound.store([mo(ann, ANNA, "10086", world.now, esm_class=0x40)])
            await world.inbound.store([mo(ben, BEN, "10086", world.now, esm_class=0x40)])
        assert {text for text, _, _ in await world.replies()} == {LONG, LONG[::-1]}

    async def test_a_reference_that_comes_round_is_another_text(self, world: World) -> None:
        for text in (LONG, LONG[::-1]):
            for part in long_parts(text):
                world.now += timedelta(seconds=1)
                await world.inbound.store([mo(part, ANNA, "10086", world.now, esm_class=0x40)])
        assert {text for text, _, _ in await world.replies()} == {LONG, LONG[::-1]}

    @pytest.mark.parametrize("session", ["main", "main-2"])
    async def test_a_second_text_that_begins_like_the_first_is_put_together(
        self, world: World, session: str
    ) -> None:
        again = LONG[:134] + "这次是另一个故障，" * 8
        for text, on in ((LONG[:134] + LONG[::-1][:60], "main"), (again[:194], session)):
            for part in long_parts(text):
                world.now += timedelta(seconds=1)
                await world.inbound.store([mo(part, ANNA, "10086", world.now, esm_class=0x40, session=on)])
        await world.later(seconds=12)
        assert [text for text, _, _ in await world.replies()] == [
            LONG[:134] + LONG[::-1][:60],
            again[:194],
        ]

    async def test_a_part_delivered_again_is_not_taken_for_one_of_the_next_text(self, world: World) -> None:
        parts, others = long_parts(LONG), long_parts(LONG[::-1])
        for part in (*parts, parts[0], *others[1:]):
            world.now += timedelta(seconds=1)
            await world.inbound.store([mo(part, ANNA, "10086", world.now, esm_class=0x40)])
        await world.later(seconds=5)
        await world.inbound.store([mo(others[0], ANNA, "10086", world.now, esm_class=0x40)])
        await world.later(seconds=12)
        assert [text for text, _, _ in await world.replies()] == [LONG, LONG[::-1]]

    async def test_what_stays_incomplete_is_delivered_and_marked(self, world: World) -> None:
        survey = await world.asks()
        first, _, third = long_parts("8，" + LONG)
        for part in (third, first):
            await world.inbound.store([mo(part, ANNA, "10086001", world.now, esm_class=0x40)])
        await world.later(seconds=15)
        assert await world.replies() == []
        await world.later(minutes=10)
        ((text, status, reason),) = await world.replies()
        assert text.startswith("8，你们")
        assert GAP in text
        assert (status, reason) == ("inbox", "incomplete")
        assert await world.rows("SELECT complete, conversation_id FROM replies") == [
            {"complete": False, "conversation_id": survey.id}
        ]
        assert (await world.survey(survey)).status is Status.OPEN  # a text with holes is no score

    async def test_it_is_waited_for_as_long_as_the_settings_say(self, database_dsn: str) -> None:
        async with a_world(database_dsn, wait=timedelta(seconds=30)) as world:
            first, _, third = long_parts(LONG)
            for part in (third, first):
                await world.inbound.store([mo(part, ANNA, "10086", world.now, esm_class=0x40)])
            await world.later(seconds=25)
            assert await world.replies() == []
            await world.later(seconds=10)
            assert [status for _, *status in await world.replies()] == [["inbox", "incomplete"]]

    async def test_parts_stored_by_two_nodes_at_once_are_found(self, database_dsn: str) -> None:
        parts = long_parts(LONG)
        async with a_world(database_dsn) as here, a_world(database_dsn) as there:
            # Each node looks before the other has committed.
            async with here.database.transaction() as connection:
                changes = here.conversations.changes(here.now)
                mine = [here.inbound._read(mo(parts[0], ANNA, "10086", here.now, esm_class=0x40))]
                await here.inbound._write(connection, mine, changes, understand=True)
                for part in parts[1:]:
                    await there.inbound.store([mo(part, ANNA, "10086", there.now, esm_class=0x40)])
            assert await here.replies() == []
            await there.later(seconds=11)
            assert await here.replies() == [(LONG, "inbox", "unmatched")]
            await here.later(minutes=11)
            assert len(await here.replies()) == 1

    async def test_endless_parts_are_held_back(self, world: World) -> None:
        header = udh.concatenation(7, 255, 1)
        endless = [
            mo(header + bytes((0, 65 + at % 26, 0, at % 200)), ANNA, "10086", world.now, esm_class=0x40)
            for at in range(inbound.MAX_PIECES + 20)
        ]
        await world.inbound.store(endless)
        statuses = [(status, reason) for _, status, reason in await world.replies()]
        assert statuses.count(("inbox", "incomplete")) == 10
        assert statuses.count(("held", "flood")) == 10
        assert await world.rows("SELECT count(*) AS parts FROM parts") == [{"parts": len(endless)}]


class TestTrouble:
    """One bad reply, two nodes, no database."""

    async def test_a_poison_reply_holds_nobody_up(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        survey = await world.asks()

        def poisoned(text: str, *arguments: Any) -> Route:
            if text == "毒":
                raise RuntimeError("a bug")
            return route(text, *arguments)

        monkeypatch.setattr(understanding, "route", poisoned)
        await world.hears("毒", "8")
        assert await world.replies() == [("毒", "inbox", "error"), ("8", "read", None)]
        assert (await world.survey(survey)).status is Status.ANSWERED

    async def test_what_the_database_refuses_is_stored_without_its_effects(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hers, his = await world.asks(ANNA), await world.asks(BEN)
        write = Changes.write

        async def refused(changes: Changes, connection: Connection) -> None:
            if any(each.msisdn == BEN for each in changes._conversations.values()):
                raise asyncpg.DataError("a bug")
            await write(changes, connection)

        monkeypatch.setattr(Changes, "write", refused)
        await world.inbound.store([mo("9", BEN, "10086001", world.now), mo("3", ANNA, "10086001", world.now)])
        assert (await world.survey(hers)).status is Status.ANSWERED
        assert (await world.survey(his)).status is Status.OPEN
        assert sorted(await world.replies()) == [("3", "read", None), ("9", "inbox", "error")]

    async def test_two_nodes_at_one_customer_do_not_overwrite_each_other(self, database_dsn: str) -> None:
        async with a_world(database_dsn) as here, a_world(database_dsn) as there:
            surveys = [await here.asks(f"86139053100{at:02}") for at in range(40)]
            first = [mo("8", each.msisdn, "10086001", here.now) for each in surveys]
            second = [mo("9", each.msisdn, "10086001", here.now) for each in reversed(surveys)]
            await asyncio.gather(
                *(here.inbound.store([each]) for each in first),
                *(there.inbound.store([each]) for each in second),
            )
            for survey in surveys:
                after = await here.survey(survey)
                assert sorted(each.score for each in after.state.revisions) == [8, 9]
                assert after.version == 3
            assert len(await here.calls("survey.answered")) == 40
            assert len(await here.calls("survey.revised")) == 40
            assert len(here.sent) + len(there.sent) == 40

    async def test_callers_at_the_same_time_share_a_commit(self, world: World) -> None:
        await asyncio.gather(*(world.hears(str(at), msisdn=BEN, address="10086") for at in range(50)))
        rows = await world.rows(
            "SELECT count(DISTINCT xmin::text) AS commits, count(*) AS replies FROM replies"
        )
        assert rows[0]["replies"] == 50
        assert rows[0]["commits"] <= 3

    async def test_nothing_is_acknowledged_without_the_database(self, world: World) -> None:
        await world.database.close()
        with pytest.raises(StorageUnavailable):
            await world.hears("8")

    @pytest.mark.parametrize(
        ("payload", "data_coding", "text"),
        [
            pytest.param(b"\xd8\x00", 8, "\ufffd", id="half a surrogate pair"),
            pytest.param(b"\x00" * 4, 8, "", id="NULs"),
            pytest.param(b"", 0, "", id="nothing"),
            pytest.param(b"\xff\xfe\xfd", 4, "ÿþý", id="binary"),
        ],
    )
    async def test_ill_formed_texts_are_kept(
        self, world: World, payload: bytes, data_coding: int, text: str
    ) -> None:
        await world.inbound.store([mo(payload, ANNA, "10086", world.now, data_coding=data_coding)])
        assert [each for each, _, _ in await world.replies()] == [text]
        assert await world.rows("SELECT payload FROM parts") == [{"payload": payload}]

    async def test_a_template_that_fails_loses_no_score(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refusal = Rejected(code="unknown-template", title="Unknown", status=422, detail="none")
        monkeypatch.setattr(FakeComposer, "compose", lambda *_: refusal)
        survey = await world.asks()
        await world.hears("8")
        assert (await world.survey(survey)).status is Status.ANSWERED
        assert len(await world.calls("ticket.satisfaction")) == 1
