"""Whatever the batches, copies and nodes: the ticket has the first valid score, or its revision."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from gateway.domain.conversation import Conversation
from gateway.domain.survey import Status
from gateway.services.inbound import ShortMessage
from tests.services.customers import a_world, mo

TEXTS = ("8", "3", "10分", "什么意思", "你们什么时候来人", "谢谢", "师傅很好", "7或8", "。")
SCORES = {"8": 8, "3": 3, "10分": 10}


@dataclass
class Customer:
    """One customer with a question, and what the ticket should say in the end."""

    survey: Conversation
    written: int = 0
    scores: list[int] = field(default_factory=list)

    def writes(self, random: Random, at: datetime) -> tuple[ShortMessage, bool]:
        """One more text, unlike all before it, and whether the SMSC will miss our answer to it."""
        text = random.choice(TEXTS)
        if text in SCORES and (not self.scores or SCORES[text] != self.scores[-1]):
            self.scores.append(SCORES[text])
        self.written += 1
        missed = random.random() < 0.3
        session = f"doomed-{random.random()}" if missed else "main"
        return mo(
            text + " " * self.written, self.survey.msisdn, self.survey.address, at, session=session
        ), missed


def chatter(random: Random, customers: list[Customer], at: datetime) -> Iterator[list[ShortMessage]]:
    """Batches in which customers write, and the SMSC delivers some of it again."""
    copies: list[ShortMessage] = []
    for _ in range(25):
        batch, again = [], copies
        copies = []
        for customer in random.sample(customers, 12):
            at += timedelta(milliseconds=7)
            came, missed = customer.writes(random, at)
            batch.append(came)
            if missed:
                copies.append(replace(came, session="main", received_at=at + timedelta(seconds=20)))
        yield batch
        if again:
            yield again  # late: their customers may have written something else in the meantime


@pytest.mark.parametrize("seed", range(4))
async def test_the_ticket_has_the_first_valid_score_or_its_revision(database_dsn: str, seed: int) -> None:
    random = Random(seed)
    live: dict[str, Any] = {"is_live": "main".__eq__}
    async with a_world(database_dsn, **live) as here, a_world(database_dsn, **live) as there:
        customers = [
            Customer(await here.asks(f"86139053100{at:02}", address=f"10086{at:03}")) for at in range(40)
        ]
        for batch in chatter(random, customers, here.now):
            here.now = there.now = batch[-1].received_at
            halves = batch[::2], batch[1::2]
            await asyncio.gather(here.inbound.store(halves[0]), there.inbound.store(halves[1]))
        by_ticket = {
            call["survey"]: call for call in await here.calls("ticket.satisfaction")
        }  # the last one holds: they go out one after the other
        for customer in customers:
            after = await here.survey(customer.survey)
            scores = [each.score for each in after.state.revisions]
            assert scores == customer.scores
            if scores:
                assert after.status is Status.ANSWERED
                told = by_ticket[f"srv_{after.id.hex}"]
                assert told["score"] == scores[-1]
            assert sum(each.msisdn == after.msisdn for each in here.sent + there.sent) <= 3
        stored = await here.rows("SELECT count(*) AS parts FROM parts")
        replies = await here.rows("SELECT count(*) AS replies FROM replies")
        assert stored[0]["parts"] == replies[0]["replies"] > 300
