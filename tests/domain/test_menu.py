"""The machine behind 0000 under whatever comes in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.domain.choice import Word
from gateway.domain.effect import Announce, CallOut, Effect, Inbox, Reply, Unsubscribe
from gateway.domain.given import CallDone, CallFailed, Cancel, Given, Reminder, ReplyText, Superseded, TimeUp
from gateway.domain.menu import (
    CANCEL,
    TOUCHPOINT,
    TRANSITIONS,
    Happening,
    Item,
    Menu,
    MenuRules,
    Progress,
    State,
    Status,
    Subject,
    begun,
    is_waiting,
    listed,
    step,
    understands,
)
from gateway.domain.subscription import Status as SubscriptionStatus
from gateway.domain.subscription import Subscription

T0 = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
RULES = MenuRules(page=3)
SHANGHAI = ZoneInfo("Asia/Shanghai")
CODES = ("news", "video", "ring", "cloud", "mail")


def menu(count: int = 5, word: Word = Word.LIST) -> tuple[Menu, list[Effect]]:
    """A list that was just sent."""
    items = tuple(
        Item(service=code, name=f"名{code}", price="5.00", period="month") for code in CODES[:count]
    )
    new = Menu(
        7,
        UUID(int=7),
        "menu",
        "8613905310001",
        "10086001",
        TOUCHPOINT,
        None,
        Status.OPEN,
        T0,
        T0 + RULES.holds,
        None,
        Subject(reply_id=UUID(int=1), items=items),
        State(),
        1,
    )
    return begun(new, word, RULES)


def says(text: str, reply: int = 2) -> ReplyText:
    return ReplyText(UUID(int=reply), text)


def test_what_is_over_or_being_cancelled_is_not_listed() -> None:
    row = Subscription(
        7,
        "8613905310001",
        "news",
        "手机报",
        Decimal("5.00"),
        "month",
        SubscriptionStatus.ACTIVE,
        False,
        T0,
        None,
        None,
        T0,
    )
    rows = [
        row,
        row._replace(service="a", status=SubscriptionStatus.CANCELLING),
        row._replace(service="b", status=SubscriptionStatus.CANCELLED),
        row._replace(service="c", expires_at=T0),
        row._replace(service="d", expires_at=datetime(2026, 12, 30, 16, 0, tzinfo=UTC), trial=True),
    ]
    assert [(item.service, item.expires) for item in listed(rows, T0, SHANGHAI)] == [
        ("news", None),
        ("d", "2026-12-31"),  # where the customer lives
    ]


def test_a_page_tells_numbers_and_prices_and_whether_there_is_more() -> None:
    after, effects = menu()
    (first, _) = effects
    assert isinstance(first, Reply)
    assert (first.params["total"], first.params["first"], first.params["more"]) == (5, True, True)
    assert [row["number"] for row in first.params["services"]] == [2, 3, 4]
    assert first.params["services"][0]["price"] == "5.00"
    after, effects = step(after, says("更多"), T0, RULES)
    (second,) = effects
    assert isinstance(second, Reply)
    assert (second.params["first"], second.params["more"]) == (False, False)
    assert [row["number"] for row in second.params["services"]] == [5, 6]
    assert not understands(after, "更多")


@pytest.mark.parametrize("happening", Happening)
@pytest.mark.parametrize("status", Status)
def test_a_closed_list_stays_closed(status: Status, happening: Happening) -> None:
    after = TRANSITIONS.get((status, happening))
    if status in (Status.OPEN, Status.CONFIRMING):
        assert after is not None or (status, happening) in {
            (Status.OPEN, Happening.AGREED),
            (Status.OPEN, Happening.REFUSED),
            (Status.CONFIRMING, Happening.ALL),
        }
    else:
        assert after in (None, status)


SAID = "1 2 3 4 5 6 2、3 退订4 更多 Y N 全部退订 ? 好的 9 谢谢 确认退订"
TEXTS = st.sampled_from(SAID.split())
STRANGE: list[Given] = [CallDone("other", None, "news"), CallDone(CANCEL, None, "nothing"), Cancel()]


class AList(RuleBasedStateMachine):
    """One list, its calls, and what the customer was told."""

    @initialize(word=st.sampled_from(Word), count=st.integers(1, 5))
    def sent(self, word: Word, count: int) -> None:
        self.now = T0
        self.menu, effects = menu(count, word)
        self.calls: list[str] = []
        self.meant: set[str] = set()
        self.announced: list[str] = []
        self.replies = 1
        self.settle(effects)

    def settle(self, effects: list[Effect]) -> None:
        self.calls += [effect.key for effect in effects if isinstance(effect, CallOut)]
        self.announced += [
            effect.data["service"]["code"] for effect in effects if isinstance(effect, Announce)
        ]

    def give(self, given: Given) -> list[Effect]:
        before = self.menu
        self.menu, effects = step(self.menu, given, self.now, RULES)
        assert self.menu.status is before.status or self.menu.status in {
            after for (status, _), after in TRANSITIONS.items() if status is before.status
        }
        self.settle(effects)
        return effects

    @rule(text=TEXTS)
    def write(self, text: str) -> None:
        self.replies += 1
        waiting, confirming = is_waiting(self.menu, self.now), self.menu.status is Status.CONFIRMING
        shown = self.menu.state.shown
        if waiting and confirming and text in ("Y", "确认退订"):
            self.meant |= {item.service for item in self.menu.subject.items}
        digits = {int(sign) for sign in text if sign.isdigit()}
        if waiting and digits and all(2 <= digit < shown + 2 for digit in digits):
            self.meant |= {self.menu.subject.items[digit - 2].service for digit in digits}
        effects = self.give(says(text, self.replies))
        if not waiting:
            assert [type(effect) for effect in effects] == [Reply]
        assert sum(isinstance(effect, Reply) for effect in effects) <= 1

    @precondition(lambda self: self.calls)
    @rule(at=st.integers(0, 9), done=st.booleans())
    def platform_answers(self, at: int, done: bool) -> None:
        service = self.calls[at % len(self.calls)]
        before = {each.service: each.progress for each in self.menu.state.cancellations}[service]
        effects = self.give(CallDone(CANCEL, None, service) if done else CallFailed(CANCEL, "500", service))
        if before is Progress.DONE:
            assert effects == []
        if before is Progress.ASKED and not done:
            assert any(isinstance(effect, Inbox) for effect in effects)
            assert Unsubscribe(service, SubscriptionStatus.ACTIVE) in effects

    @rule(given=st.sampled_from(STRANGE))
    def others_come(self, given: Given) -> None:
        self.give(given)

    @rule(minutes=st.integers(0, 12))
    def time_goes_by(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.give(TimeUp() if self.now >= self.menu.expires_at else Reminder())

    @rule()
    def a_newer_list(self) -> None:
        self.give(Superseded())

    @invariant()
    def one_call_for_each_that_was_meant(self) -> None:
        if hasattr(self, "menu"):
            assert len(self.calls) == len(set(self.calls))
            assert set(self.calls) <= self.meant

    @invariant()
    def what_is_done_was_announced_once(self) -> None:
        if hasattr(self, "menu"):
            done = [each.service for each in self.menu.state.cancellations if each.progress is Progress.DONE]
            assert sorted(self.announced) == sorted(done)

    @invariant()
    def the_subject_never_changes_and_the_row_can_be_stored(self) -> None:
        if hasattr(self, "menu"):
            stored = msgspec.json.encode(self.menu.state)
            assert msgspec.json.decode(stored, type=State) == self.menu.state
            assert self.menu.subject.items == menu(len(self.menu.subject.items))[0].subject.items

    def teardown(self) -> None:
        """When all is answered and time has gone by, the customer knows all of it."""
        if not hasattr(self, "menu"):
            return
        for each in self.menu.state.cancellations:
            if each.progress is Progress.ASKED:
                self.give(CallDone(CANCEL, None, each.service))
        self.now += timedelta(hours=1)
        self.give(TimeUp())
        assert all(each.told for each in self.menu.state.cancellations)


TestAList = AList.TestCase
TestAList.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
