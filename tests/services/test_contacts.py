"""What is known of numbers, and opt-outs by word and by call, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from gateway.domain.message import Lane
from gateway.domain.msisdn import bucket_of
from gateway.domain.request import Rejected
from gateway.services.compose import Draft
from gateway.services.contacts import Contact, Contacts, ContactWish
from gateway.storage import messages as message_rows
from tests.services.customers import ANNA, BEN, FakeComposer, World, a_world

KEY = UUID(int=7)


@pytest.fixture
async def world(database_dsn: str) -> AsyncIterator[World]:
    async with a_world(database_dsn) as world:
        yield world


def contacts_of(world: World) -> Contacts:
    return Contacts(world.database, world.conversations, lambda: world.now, lambda: ("cn",))


async def known(world: World, msisdn: str = ANNA) -> Contact:
    found = await contacts_of(world).load(msisdn)
    assert isinstance(found, Contact)
    return found


async def scopes(world: World, msisdn: str = ANNA) -> list[str]:
    return [each.scope for each in (await known(world, msisdn)).opt_outs]


async def offer(world: World, sender: str = "10086001", category: str | None = "offers") -> None:
    """A marketing message went out."""
    message = FakeComposer(world.ids).compose(Draft(to=ANNA, template="offers/autumn"), world.now)
    assert not isinstance(message, Rejected)
    row = message._replace(lane=Lane.MARKETING, category=category, sender=sender, language="en")
    async with world.database.connection() as connection:
        await message_rows.insert(connection, [row])


async def test_of_most_numbers_nothing_is_known(world: World) -> None:
    assert await known(world) == Contact(msisdn=ANNA)


@pytest.mark.parametrize("number", ["13905310001", "+8613905310001", "8613905310001"])
async def test_a_number_is_one_customer_however_it_is_written(world: World, number: str) -> None:
    await contacts_of(world).put(number, ContactWish(language="en", tier="vip"))
    found = await known(world)
    assert (found.msisdn, found.language, found.tier) == (ANNA, "en", "vip")


async def test_what_is_no_number_is_refused(world: World) -> None:
    contacts = contacts_of(world)
    outcomes = [
        await contacts.load("12345"),
        await contacts.put("12345", ContactWish()),
        await contacts.opt_out("12345", "lane:marketing", "key_1", KEY),
        await contacts.opt_in("12345", None, "key_1", KEY),
    ]
    assert [each.status for each in outcomes if isinstance(each, Rejected)] == [422] * 4


async def test_language_and_tier_leave_opt_outs_alone(world: World) -> None:
    contacts = contacts_of(world)
    await contacts.opt_out(ANNA, "category:offers", "key_1", KEY)
    await contacts.put(ANNA, ContactWish(language="en"))
    assert await scopes(world) == ["category:offers"]
    await contacts.put(ANNA, ContactWish())
    assert (await known(world)).language is None


async def test_an_opt_out_says_who_and_when_and_is_told_once(world: World) -> None:
    contacts, first = contacts_of(world), world.now
    await contacts.opt_out(ANNA, "lane:marketing", "key_1", KEY)
    world.now += timedelta(hours=1)
    await contacts.opt_out(ANNA, "lane:marketing", "key_2", KEY)
    ((scope, by, at),) = (await known(world)).opt_outs
    assert (scope, by, at) == ("lane:marketing", "key_1", first)
    assert await world.calls("contact.opted_out") == [{"to": ANNA, "scope": "lane:marketing", "by": "key_1"}]


@pytest.mark.parametrize(
    ("back", "left", "told"),
    [
        pytest.param("lane:marketing", ["category:offers"], 1, id="one"),
        pytest.param(None, [], 1, id="all"),
        pytest.param("lane:survey", ["category:offers", "lane:marketing"], 0, id="one that was not stopped"),
    ],
)
async def test_opt_outs_are_taken_back(world: World, back: str | None, left: list[str], told: int) -> None:
    contacts = contacts_of(world)
    for scope in ("lane:marketing", "category:offers"):
        await contacts.opt_out(ANNA, scope, "key_1", KEY)
    await contacts.opt_in(ANNA, back, "key_1", KEY)
    assert await scopes(world) == left
    assert len(await world.calls("contact.opted_in")) == told


@pytest.mark.parametrize(
    ("text", "address", "scope", "receipt"),
    [
        pytest.param("TD", "10086001", "category:offers", "category", id="where it came from"),
        pytest.param("退订", "10086001", "category:offers", "category", id="in Chinese"),
        pytest.param("STOP", "10086001", "category:offers", "category", id="in English"),
        pytest.param("TDALL", "10086001", "lane:marketing", "marketing", id="all of it"),
        pytest.param("全部退订", "10086001", "lane:marketing", "marketing", id="all of it, in Chinese"),
        pytest.param("TD", "10086002", "lane:marketing", "marketing", id="somewhere else"),
    ],
)
async def test_an_opt_out_word_is_of_what_it_answers(
    world: World, text: str, address: str, scope: str, receipt: str
) -> None:
    await offer(world)
    await world.hears(text, address=address)
    assert await scopes(world) == [scope]
    assert [message.body for message in world.sent] == [f"contact/opted-out {receipt}"]
    assert (await known(world)).opt_outs[0].by == "reply"


async def test_an_old_offer_is_not_what_is_answered(world: World) -> None:
    await offer(world)
    world.now += timedelta(days=3, seconds=1)
    await world.hears("TD", address="10086001")
    assert await scopes(world) == ["lane:marketing"]


async def test_the_last_offer_counts(world: World) -> None:
    await offer(world, category="offers")
    world.now += timedelta(seconds=1)
    await offer(world, category="games")
    await world.hears("TD", address="10086001")
    assert await scopes(world) == ["category:games"]


async def test_an_offer_without_a_category_is_of_all_marketing(world: World) -> None:
    await offer(world, category=None)
    await world.hears("TD", address="10086001")
    assert await scopes(world) == ["lane:marketing"]


async def test_a_survey_open_elsewhere_is_not_what_an_offer_is_left_for(world: World) -> None:
    survey = await world.asks(address="10086005")
    await offer(world, sender="10086")
    await world.hears("TD", address="10086")
    assert await scopes(world) == ["category:offers"]
    assert (await world.survey(survey)).status == "open"


async def test_back_in_by_word_is_back_in_to_all(world: World) -> None:
    await contacts_of(world).opt_out(ANNA, "category:offers", "key_1", KEY)
    await contacts_of(world).opt_out(BEN, "category:offers", "key_1", KEY)
    await world.hears("TD", "恢复订阅", address="10086")
    assert await scopes(world) == []
    assert await scopes(world, BEN) == ["category:offers"]
    await world.hears("恢复订阅", "TD", address="10086")
    assert await scopes(world) == ["lane:marketing"]


async def test_receipts_go_out_once_a_day(world: World) -> None:
    for _ in range(3):
        await world.hears("TD", address="10086")
    assert len(world.sent) == 1
    await world.later(days=1, seconds=1)
    await world.hears("TD", address="10086")
    assert len(world.sent) == 2


async def test_old_opt_outs_have_nobody_to_their_name(world: World) -> None:
    async with world.database.connection() as connection:
        await connection.execute(
            "INSERT INTO contacts (bucket, msisdn, opt_outs, updated_at) VALUES ($1, $2, $3, now())",
            bucket_of(ANNA),
            ANNA,
            ["lane:marketing"],
        )
    ((_, by, at),) = (await known(world)).opt_outs
    assert (by, at) == (None, None)
