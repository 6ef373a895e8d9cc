"""Many answers to one question that costs money, and many questions to one customer, all at the same time.

`HUIYIN_RACES=100` runs a hundred races where the usual run has three.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

import pytest

from gateway.domain.callback import Done
from gateway.domain.confirmation import Confirmation
from gateway.domain.menu import Menu
from gateway.domain.msisdn import bucket_of
from gateway.domain.subscription import Status, Subscription
from gateway.domain.survey import Survey
from gateway.services.changes import OutrunError
from gateway.services.inbound import ShortMessage
from gateway.storage import conversations, subscriptions
from tests.services.confirming import Shop, a_shop
from tests.services.customers import make_survey, mo

RACES: Final = int(os.environ.get("HUIYIN_RACES", "3"))
ANSWERS: Final = 1000
YES: Final = ("Y", "y", "是", "Ｙ", "yes", "确认", "Y。")
NO: Final = ("N", "n", "不要", "退订")
JUNK: Final = ("Y?", "YN", "好的", "什么意思", "8", "不Y", "Y37", "如果免费就Y", "谢谢", "👍", "0", "")
SESSIONS: Final = ("main-1", "main-2", "other-1", "other-2")

Nodes = tuple[Shop, Shop]


@pytest.fixture
async def nodes(database_dsn: str) -> AsyncIterator[Nodes]:
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(a_shop(database_dsn)) for _ in range(2)]
        yield here, there


def texts(draw: Random, offered: Confirmation, now: Shop, *, nos: bool) -> list[ShortMessage]:
    """A thousand answers: yes in its ways, perhaps no, junk, and a fifth of all of them delivered again."""
    written: list[ShortMessage] = []
    while len(written) < ANSWERS:
        kind = draw.choices((YES, JUNK, NO), (6, 3, 1 if nos else 0))[0]
        at = now.now + timedelta(microseconds=len(written))
        text, session = draw.choice(kind), draw.choice(SESSIONS)
        written.append(mo(text, offered.msisdn, offered.address, at, session=session))
        if draw.random() < 0.2:
            other = draw.choice([each for each in SESSIONS if each != session])
            written.append(mo(text, offered.msisdn, offered.address, at, session=other))
    return written[:ANSWERS]


@pytest.mark.parametrize("seed", range(RACES))
async def test_a_thousand_different_answers_at_once_are_one_outcome(nodes: Nodes, seed: int) -> None:
    """Without a no among them there is one activation. With one, whichever came first holds, and a no that
    came after the yes is one cancellation."""
    draw = Random(seed)
    here, there = nodes
    nos = seed % 2 == 1
    offered = await here.offers(f"138{seed:08}")
    there.now = here.now
    written = texts(draw, offered, here, nos=nos)
    size = draw.choice((1, 7, 20, 50))
    pieces = [written[at : at + size] for at in range(0, len(written), size)]
    draw.shuffle(pieces)
    await asyncio.gather(*(draw.choice(nodes).inbound.store(piece) for piece in pieces))

    status = await here.status(offered)
    yes = status == "activating"
    assert yes or (nos and status == "declined"), status
    owed = await here.rows("SELECT id FROM callbacks WHERE target LIKE 'service.%'")
    called = [*here.calls(), *there.calls()]
    assert (len(owed), len(called)) == (yes, yes)
    rows = await here.rows("SELECT count(*) AS n FROM replies WHERE msisdn = $1", offered.msisdn)
    assert rows[0]["n"] == ANSWERS
    kinds = Counter(await here.testimony(offered))
    assert kinds["called"] == int(yes)

    for call in called:
        settled = [node.answers(call, Done()) for node in nodes]
        outrun = await asyncio.gather(*settled, return_exceptions=True)
        assert all(each is None or isinstance(each, OutrunError) for each in outrun), outrun
        await there.answers(call, Done())  # as the one that was outrun does
    ends = {"active", "cancelled"} if nos else {"active"}
    after = await here.status(offered)
    assert after in (ends if yes else {"declined"})
    cancels = [*here.calls("service.cancel"), *there.calls("service.cancel")]
    for call in cancels:
        await here.answers(call, Done())
    if cancels:
        assert (nos, await here.status(offered)) == (True, "cancelled")
    assert len(cancels) <= 1
    assert all(not looked.findings for looked in await here.evidence.verify())


# Ten questions at once


ORDERS: Final = 100
TOUCHPOINTS: Final = ("complaint", "branch", "hotline", "broadband")
SERVICES: Final = ("video", "news", "ring", "cloud", "games")


async def ten(shop: Shop, msisdn: str) -> list[tuple[str, Survey | Confirmation | Menu]]:
    """Ten open questions to one customer, each with the answer that is its own."""
    bucket = bucket_of(msisdn)
    asked: list[tuple[str, Survey | Confirmation | Menu]] = []
    for place, touchpoint in enumerate(TOUCHPOINTS):
        survey = make_survey(shop.ids, msisdn, f"1008690{place}", shop.now, touchpoint)
        survey = survey._replace(ticket_id=f"TS-{place}")
        asked.append((str(6 + place), survey))
    held = [
        Subscription(
            bucket, msisdn, f"old-{at}", f"业务{at}", Decimal("5.00"), "month", Status.ACTIVE, False,
            shop.now + timedelta(seconds=at), None, None, shop.now,
        )
        for at in range(9)
    ]  # fmt: skip
    async with shop.database.transaction() as connection:
        await conversations.insert(connection, [each for _, each in asked])
        await subscriptions.put(connection, held)
    asked += [("Y", await shop.offers(msisdn, code=code)) for code in SERVICES]
    await shop.hears("0000", msisdn=msisdn, address="10086")
    rows = await shop.rows("SELECT id FROM conversations WHERE msisdn = $1 AND kind = 'menu'", msisdn)
    async with shop.database.connection() as connection:
        found = await conversations.load(connection, [(bucket, rows[0]["id"])])
    (menu,) = found.values()
    assert isinstance(menu, Menu)
    asked.append(("8", menu))
    assert len({each.address for _, each in asked}) == len(asked) == 10
    return asked


async def test_ten_questions_at_once_get_each_their_own_answer_in_any_order(nodes: Nodes) -> None:
    """The same `8` is a score to one and a cancellation to another; the same `Y` activates five services."""
    here, there = nodes
    draw = Random(10)
    for number in range(ORDERS):
        msisdn = f"86137{number:08}"
        asked = await ten(here, msisdn)
        refused = draw.randrange(len(SERVICES))
        answers = [
            (("N" if place == len(TOUCHPOINTS) + refused else text), each)
            for place, (text, each) in enumerate(asked)
        ]
        draw.shuffle(answers)
        there.now = here.now
        for text, each in answers:
            at = max(here.now, there.now) + timedelta(seconds=1)
            here.now = there.now = at
            await draw.choice(nodes).inbound.store([mo(text, msisdn, each.address, at)])
        here.now = there.now = here.now + timedelta(seconds=1)

        found = await here.rows("SELECT id, status FROM conversations WHERE msisdn = $1", msisdn)
        status = {row["id"]: row["status"] for row in found}
        wrong = []
        for place, (text, each) in enumerate(asked):
            if isinstance(each, Survey):
                (after,) = await here.rows("SELECT state FROM conversations WHERE id = $1", each.id)
                scores = [revision["score"] for revision in after["state"]["revisions"]]
                wrong += [] if scores == [int(text)] else [(each.touchpoint, scores)]
            elif isinstance(each, Confirmation):
                end = "declined" if place == len(TOUCHPOINTS) + refused else "activating"
                wrong += [] if status[each.id] == end else [(each.subject.service.code, status[each.id])]
        assert not wrong
        owed = await here.rows(
            "SELECT target, payload FROM callbacks WHERE target LIKE 'service.%' AND bucket = $1"
            " AND payload ->> 'to' = $2",
            bucket_of(msisdn),
            msisdn,
        )
        wanted = [("service.activate", code) for at, code in enumerate(SERVICES) if at != refused]
        wanted.append(("service.cancel", "old-6"))
        assert sorted((row["target"], row["payload"]["service"]["code"]) for row in owed) == sorted(wanted)
    assert all(not looked.findings for looked in await here.evidence.verify())
