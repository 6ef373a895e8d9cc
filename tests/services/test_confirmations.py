"""Paid confirmations, on a real database: one call for a plain yes, and none for anything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

from gateway.domain.callback import Done, Park
from gateway.domain.message import Event, OnUnknown, Status
from gateway.domain.request import Rejected
from gateway.domain.timer import Timer, TimerKind
from gateway.services.confirmations import Cancelled, Confirmations, TooLate
from gateway.services.inbox import Judgement, Refused, Resolved
from gateway.services.intake import Conflict, Once, Replay
from gateway.storage import timers as timer_rows
from tests.services.confirming import Shop, a_shop
from tests.services.customers import ANNA, BEN, mo

ACCEPTED = ["confirmation.accepted", "confirmation.active"]


@pytest.fixture
async def shop(database_dsn: str) -> AsyncIterator[Shop]:
    async with a_shop(database_dsn) as shop:
        yield shop


async def test_a_yes_is_activated_once_and_the_customer_gets_a_receipt(shop: Shop) -> None:
    offered = await shop.offers()
    prompt = shop.sent[0]
    assert ("视频会员" in prompt.body, "10元" in prompt.body) == (True, True)
    assert (prompt.lane, prompt.on_unknown, prompt.expires_at) == (
        "transactional", OnUnknown.NEVER, offered.expires_at,
    )  # fmt: skip
    await shop.hears("Y", address=offered.address)
    assert await shop.status(offered) == "activating"
    (call,) = shop.calls()
    assert call.payload["service"]["code"] == "video"
    await shop.answers(call, Done())
    assert await shop.status(offered) == "active"
    assert shop.told() == ["confirmation/confirm", "confirmation/active"]
    assert await shop.events() == ACCEPTED
    assert await shop.rows("SELECT service, status, source FROM subscriptions") == [
        {"service": "video", "status": "active", "source": offered.id}
    ]
    assert await shop.testimony(offered) == [
        "offered", "carried", "replied", "understood", "became", "became", "called",
        "answered", "became", "said", "carried",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["N", "不要", "退订", "TD"])
async def test_a_no_and_an_opt_out_word_decline(shop: Shop, text: str) -> None:
    offered = await shop.offers()
    await shop.hears(text, address=offered.address)
    assert await shop.status(offered) == "declined"
    assert shop.calls() == []
    assert shop.told()[1:] == ["confirmation/declined"]
    assert await shop.events() == ["confirmation.declined"]
    assert await shop.rows("SELECT * FROM contacts") == []


async def test_what_is_unclear_is_asked_once_more_and_then_for_a_person(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("Y?", address=offered.address)
    await shop.hears("什么意思", address=offered.address)
    await shop.hears("好的", address=offered.address)
    assert await shop.status(offered) == "pending"
    assert shop.told()[1:] == ["confirmation/clarify"]
    assert [status for _, status, _ in await shop.replies()] == ["read", "inbox", "inbox"]
    await shop.hears("Y", address=offered.address)
    assert await shop.status(offered) == "activating"


@pytest.mark.parametrize(
    "text",
    ["Y?", "YN", "Y N", "如果免费就Y", "Yes but no", "不Y", "回复Y确认订购", "y y", "可以吗", "ok", "1",
     "Ｙ？", "YY", "您正在订购“视频会员”，确认订购请回复Y", "是不是", "我不同意", "同意个鬼", "Y37", "👍",
     "确认什么", "", "。", "恢复订阅", "0000", "CXYE", "谢谢"],
)  # fmt: skip
async def test_nothing_but_a_plain_yes_activates(shop: Shop, text: str) -> None:
    offered = await shop.offers()
    await shop.hears(text, address=offered.address)
    assert shop.calls() == []
    assert await shop.status(offered) in ("pending", "declined")


async def test_a_yes_that_is_incomplete_or_garbled_activates_nothing(shop: Shop) -> None:
    offered = await shop.offers()
    header = bytes([5, 0, 3, 9, 2, 1])  # the first of two parts
    await shop.hears(header + "Y".encode("utf-16-be"), address=offered.address, esm_class=0x40)
    await shop.later(minutes=11)
    await shop.hears(b"\x00Y\x00", address=offered.address)  # half a character more
    await shop.hears(b"Y\x00", address=offered.address)  # the octets of each character exchanged
    assert shop.calls() == []
    assert await shop.status(offered) == "pending"


async def test_a_yes_from_another_number_or_to_another_address_activates_nothing(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("Y", address=offered.address, msisdn=BEN)
    await shop.hears("Y", address="10086")
    await shop.hears("Y", address="10010")
    assert shop.calls() == []
    assert await shop.status(offered) == "pending"
    assert shop.told()[1:] == ["confirmation/clarify"]


async def test_a_yes_before_the_prompt_has_left_is_none(shop: Shop) -> None:
    offered = await shop.offers(sent=False)
    await shop.hears("Y", address=offered.address)
    assert (await shop.status(offered), shop.calls()) == ("pending", [])
    await shop.carries(offered, Event.ATTEMPT, Status.SUBMITTING)
    await shop.hears("Y", address=offered.address)
    assert (await shop.status(offered), len(shop.calls())) == ("activating", 1)


async def test_a_prompt_of_which_nobody_knows_can_be_answered(shop: Shop) -> None:
    offered = await shop.offers(sent=False)
    await shop.carries(offered, Event.ATTEMPT, Status.SUBMITTING)
    await shop.carries(offered, Event.LOST, Status.UNKNOWN)
    await shop.hears("Y", address=offered.address)
    assert await shop.status(offered) == "activating"


async def test_a_prompt_that_never_arrives_ends_the_offer(shop: Shop) -> None:
    offered = await shop.offers(sent=False)
    await shop.carries(offered, Event.ATTEMPT, Status.SUBMITTING)
    await shop.carries(offered, Event.REFUSED, Status.FAILED)
    timer = Timer(offered.bucket, shop.now, TimerKind.CONVERSATION, offered.id)  # as settling sets it
    async with shop.database.transaction() as connection:
        await timer_rows.insert(connection, [timer])
    await shop.later(seconds=1)
    after = await shop.confirmation(offered)
    assert (after.status, after.state.reason) == ("expired", "undeliverable")
    assert await shop.events() == ["confirmation.expired"]


async def test_late_repeated_and_second_answers_change_nothing_and_are_answered(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("Y", address=offered.address)
    await shop.hears("Y ", address=offered.address)
    await shop.answers(shop.calls()[0], Done())
    await shop.hears("y", address=offered.address)
    await shop.later(hours=2)
    await shop.hears("N", address=offered.address)
    assert await shop.status(offered) == "active"
    assert len(shop.called) - len(shop.calls()) == 2  # the two events
    assert len(shop.calls()) == 1
    assert shop.told()[1:] == [
        "confirmation/standing", "confirmation/active", "confirmation/standing", "confirmation/standing",
    ]  # fmt: skip


@pytest.mark.parametrize("noticed", [True, False], ids=["expired", "its timer is late"])
async def test_a_yes_after_the_deadline_is_too_late(shop: Shop, noticed: bool) -> None:
    offered = await shop.offers(expires_in="1h")
    if noticed:
        await shop.later(hours=1)
    shop.now = offered.expires_at
    await shop.hears("Y", address=offered.address)
    assert (await shop.status(offered), shop.calls()) == ("expired", [])
    assert shop.told()[1:] == ["confirmation/standing"]
    assert await shop.events() == ["confirmation.expired"]


async def test_a_no_within_the_hour_cancels_what_is_active(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("Y", address=offered.address)
    await shop.answers(shop.calls()[0], Done())
    await shop.later(minutes=50)
    await shop.hears("N", address=offered.address)
    (cancel,) = shop.calls("service.cancel")
    assert (await shop.status(offered), cancel.payload["key"]) == ("active", "cancel")
    await shop.answers(cancel, Done())
    assert await shop.status(offered) == "cancelled"
    assert shop.told()[-2:] == ["confirmation/cancelling", "confirmation/cancelled"]
    assert await shop.events() == [*ACCEPTED, "subscription.cancelled"]
    assert await shop.rows("SELECT status FROM subscriptions") == [{"status": "cancelled"}]


async def test_a_no_while_it_is_activated_waits_for_that(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("Y", address=offered.address)
    await shop.hears("N", address=offered.address)
    assert shop.calls("service.cancel") == []
    await shop.answers(shop.calls()[0], Done())
    assert len(shop.calls("service.cancel")) == 1
    await shop.answers(shop.calls("service.cancel")[0], Park("HTTP 422"))
    assert await shop.status(offered) == "active"
    assert shop.told()[-2:] == ["confirmation/cancelling", "confirmation/not-cancelled"]
    assert (await shop.replies())[1][1:] == ("inbox", "not-cancelled: HTTP 422")


async def test_a_failed_activation_is_told_and_succeeds_when_it_is_sent_again(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("Y", address=offered.address)
    (call,) = shop.calls()
    await shop.answers(call, Park("HTTP 422"))
    await shop.answers(call, Park("HTTP 422"))
    assert await shop.status(offered) == "activation_failed"
    assert shop.told()[1:] == ["confirmation/failed"]
    await shop.answers(call, Done())
    await shop.answers(call, Done())
    assert await shop.status(offered) == "active"
    assert shop.told()[1:] == ["confirmation/failed", "confirmation/active"]
    assert await shop.events() == ["confirmation.accepted", "confirmation.failed", "confirmation.active"]
    assert len(shop.calls()) == 1


async def test_without_a_platform_nothing_is_activated_and_it_is_said(database_dsn: str) -> None:
    async with a_shop(database_dsn, connectors=frozenset()) as shop:
        offered = await shop.offers()
        await shop.hears("Y", address=offered.address)
        assert await shop.status(offered) == "activation_failed"
        assert shop.told()[1:] == ["confirmation/failed"]


# --- Review ------------------------------------------------------------------------------------------------


async def held(shop: Shop) -> UUID:
    """The id of the reply whose yes waits for a person."""
    (row,) = await shop.rows("SELECT id, reason FROM replies WHERE status = 'inbox'")
    assert row["reason"].startswith("review: ")
    uid: UUID = row["id"]
    return uid


@pytest.mark.parametrize(("price", "status"), [("10.01", "accepted"), ("10.00", "activating")])
async def test_a_yes_that_no_person_can_have_read_waits_above_a_price(
    shop: Shop, price: str, status: str
) -> None:
    offered = await shop.offers(price=price)
    shop.now -= timedelta(seconds=4)
    await shop.hears("Y", address=offered.address)
    assert await shop.status(offered) == status


@pytest.mark.parametrize(("verdict", "status"), [("yes", "activating"), ("no", "declined")])
async def test_a_person_decides_on_a_yes_that_is_held(shop: Shop, verdict: str, status: str) -> None:
    offered = await shop.offers(price="30.00")
    shop.now -= timedelta(seconds=4)
    await shop.hears("Y", address=offered.address)
    reply = await held(shop)
    assert shop.calls() == []
    outcome = await shop.inbox.resolve(reply, Judgement(verdict), "Li")  # type: ignore[arg-type]
    assert isinstance(outcome, Resolved)
    assert await shop.status(offered) == status
    assert len(shop.calls()) == (verdict == "yes")


async def test_a_no_ends_what_is_held(shop: Shop) -> None:
    offered = await shop.offers(price="30.00")
    shop.now -= timedelta(seconds=4)
    await shop.hears("Y", address=offered.address)
    await shop.hears("N", address=offered.address)
    assert await shop.status(offered) == "cancelled"
    assert [status for _, status, _ in await shop.replies()] == ["read", "read"]
    assert shop.calls() == []


async def test_many_yes_of_one_number_wait(shop: Shop) -> None:
    statuses = []
    for n in range(6):
        offered = await shop.offers(price="30.00", code=f"s{n}")
        await shop.hears("Y", address=offered.address)
        statuses.append(await shop.status(offered))
    assert statuses == ["activating"] * 5 + ["accepted"]


async def test_a_person_reads_yes_and_no_in_unclear_words(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("搞吧", "可以的搞吧", address=offered.address)
    (row,) = await shop.rows("SELECT id FROM replies WHERE status = 'inbox'")
    assert isinstance(await shop.inbox.resolve(row["id"], Judgement("yes"), "Li"), Resolved)
    assert await shop.status(offered) == "activating"
    assert (await shop.confirmation(offered)).state.person == "Li"


async def test_a_person_reads_no_yes_in_what_was_written_elsewhere_or_is_incomplete(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("Y", "Y ", address="10086")
    rows = await shop.rows("SELECT id FROM replies WHERE status = 'inbox'")
    assert len(rows) == 1
    assert isinstance(await shop.inbox.resolve(rows[0]["id"], Judgement("yes"), "Li"), Refused)
    assert (await shop.status(offered), shop.calls()) == ("pending", [])


# --- Several at once ---------------------------------------------------------------------------------------


async def test_each_offer_has_an_extension_of_its_own(shop: Shop) -> None:
    video, music = await shop.offers(), await shop.offers(code="music", name="音乐包")
    assert video.address != music.address
    await shop.hears("Y", address=music.address)
    assert (await shop.status(video), await shop.status(music)) == ("pending", "activating")


async def test_without_extensions_the_second_has_a_code_that_its_answer_repeats(shop: Shop) -> None:
    video = await shop.offers(sender="plain")
    music = await shop.offers(sender="plain", code="music", name="音乐包")
    assert video.address == music.address == "10010"
    assert (video.subject.bare, music.subject.bare) == (True, False)
    assert f"Y{music.subject.code}" in shop.sent[1].body
    await shop.hears("Y", address="10010")  # which of them?
    assert shop.calls() == []
    assert shop.told()[2:] == ["confirmation/clarify"]
    assert f"Y{video.subject.code}" in shop.sent[2].body
    await shop.hears(f"Y{music.subject.code}", address="10010")
    assert (await shop.status(video), await shop.status(music)) == ("pending", "activating")
    await shop.hears(f"Y{video.subject.code}", address="10010")
    assert await shop.status(video) == "activating"


async def test_a_yes_said_twice_is_not_taken_for_the_next_offer(shop: Shop) -> None:
    first = await shop.offers(sender="plain")
    await shop.hears("Y", address="10010")
    second = await shop.offers(sender="plain", code="music")
    await shop.hears("Y ", address="10010")
    assert (await shop.status(first), await shop.status(second)) == ("activating", "pending")


async def test_the_same_service_offered_again_takes_the_place_of_the_former(shop: Shop) -> None:
    first = await shop.offers(price="5.00")
    second = await shop.offers(price="8.00")
    await shop.hears("Y", address=first.address)
    after = await shop.confirmation(first)
    assert (after.status, after.state.reason, shop.calls()) == ("cancelled", "superseded", [])
    assert await shop.status(second) == "pending"


# --- The way in --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "pointer"),
    [
        pytest.param({"to": "12345"}, "/to", id="no mobile number"),
        pytest.param({"expires_in": "30s"}, "/expires_in", id="too short"),
        pytest.param({"expires_in": "8d"}, "/expires_in", id="too long"),
        pytest.param({"template": "complaint/resolution"}, "/template", id="no order"),
        pytest.param({"template": "confirmation/nothing"}, "/template", id="no template"),
        pytest.param({"sender": "nobody"}, "/sender", id="no sender"),
    ],
)
async def test_what_cannot_be_asked_is_refused(shop: Shop, wish: dict[str, Any], pointer: str) -> None:
    outcome = await shop.asks(wish.pop("to", ANNA), **wish)
    assert isinstance(outcome, Rejected)
    assert (outcome.status, outcome.errors[0].pointer) == (422, pointer)
    assert await shop.rows("SELECT * FROM conversations") == []


async def test_an_opt_out_does_not_stop_what_the_customer_ordered(shop: Shop) -> None:
    await shop.hears("TD", address="10086")
    offered = await shop.offers()
    assert await shop.status(offered) == "pending"


async def test_one_key_is_one_offer(shop: Shop) -> None:
    def once(body: str) -> Once:
        return Once(
            key_hash=sha256(b"k").digest(),
            request_hash=sha256(body.encode()).digest(),
            render=lambda outcome: (202, repr(outcome).encode()),
        )

    await shop.asks(once=once("a"))
    assert isinstance(await shop.asks(once=once("a")), Replay)
    assert await shop.asks(once=once("b")) is Conflict.OTHER_BODY
    assert len(await shop.rows("SELECT * FROM conversations")) == 1


async def test_the_caller_takes_back_what_is_pending_and_nothing_else(shop: Shop) -> None:
    service = Confirmations(shop.database, shop.conversations, lambda: shop.now)
    offered = await shop.offers()
    assert await service.cancel(offered.id) == Cancelled(offered.message_id)
    assert await service.cancel(offered.id) == TooLate("cancelled")
    await shop.hears("Y", address=offered.address)
    assert (await shop.status(offered), shop.calls()) == ("cancelled", [])
    other = await shop.offers()
    await shop.hears("Y", address=other.address)
    assert await service.cancel(other.id) == TooLate("activating")
    assert await service.cancel(shop.ids.new(7, 0.0)) is None


# --- Once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
async def test_a_thousand_answers_at_once_are_one_call(database_dsn: str, seed: int) -> None:
    """A crash has no place between the yes and the call: both are one commit, and the row's version is the
    claim. So it is enough that of many who answer at once, here and on another node, one wins."""
    async with a_shop(database_dsn) as here, a_shop(database_dsn) as there:
        offered = await here.offers()
        there.now = here.now
        texts = [
            mo("Y" + " " * (n % 40), ANNA, offered.address, here.now + timedelta(microseconds=n))
            for n in range(1000)
        ]
        await asyncio.gather(
            *((here, there)[(n + seed) % 2].inbound.store(texts[n * 20 : n * 20 + 20]) for n in range(50))
        )
        assert await here.status(offered) == "activating"
        owed = await here.rows("SELECT id FROM callbacks WHERE target = 'service.activate'")
        assert len(owed) == 1
        kinds = await here.testimony(offered)
        assert kinds.count("called") == 1


async def test_a_reply_delivered_again_and_an_answer_settled_twice_change_nothing(shop: Shop) -> None:
    offered = await shop.offers()
    await shop.hears("Y", address=offered.address, session="doomed")
    await shop.hears("Y", address=offered.address, session="main-1")
    (call,) = shop.calls()
    await shop.answers(call, Done())
    await shop.answers(call, Done())
    assert shop.told().count("confirmation/active") == 1
    assert len(shop.calls()) == 1
