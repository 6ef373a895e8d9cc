"""The machine of a paid confirmation: its table, and what no sequence of inputs can bring about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.domain import confirmation as machine
from gateway.domain.confirmation import TRANSITIONS, Confirmation, Happening, State, Status, Subject
from gateway.domain.confirmation_rules import ConfirmationRules, Review
from gateway.domain.effect import Announce, CallOut, Effect, Record, Reply
from gateway.domain.given import (
    CallDone,
    CallFailed,
    Cancel,
    Given,
    Heard,
    Judged,
    PromptFailed,
    Reminder,
    ReplyText,
    Superseded,
    TimeUp,
)
from gateway.domain.ids import IdSource
from gateway.domain.testimony import Became, Carried, Part, Service, attest

T0 = datetime(2026, 11, 22, 1, tzinfo=UTC)
RULES = ConfirmationRules()
PROMPT = UUID(int=9)
ADDRESS = "10086001"
IDS = IdSource()


def offered(price: str = "10.00", **subject: Any) -> Confirmation:
    return Confirmation(
        7,
        IDS.new(7, T0.timestamp()),
        "confirmation",
        "8613905310001",
        ADDRESS,
        machine.TOUCHPOINT,
        None,
        Status.PENDING,
        T0,
        T0 + timedelta(hours=24),
        PROMPT,
        Subject(
            service=Service(code="video", name="视频会员", price=price, period="month"),
            text="回复Y",
            deadline="2026-11-23T09:00:00+08:00",
            **subject,
        ),
        State(),
        1,
    )


def sent(status: str = "submitted", at: datetime = T0) -> Carried:
    parts = (Part(at=at, what="attempt", segment=1), Part(at=at, what="submitted", segment=1))
    return Carried(message_id=PROMPT, status=status, parts=parts)


def write(
    text: str, address: str = ADDRESS, log: Carried | None = None, uid: int = 1, **heard: Any
) -> ReplyText:
    return ReplyText(UUID(int=uid), text, heard=Heard(address=address, sent=log or sent(), **heard))


def calls(effects: list[Effect]) -> list[str]:
    return [each.connector for each in effects if isinstance(each, CallOut)]


def test_every_status_is_reached_and_every_happening_has_its_place() -> None:
    assert {status for status, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(Status)
    assert {happening for _, happening in TRANSITIONS} == set(Happening)


def test_nothing_leads_to_a_call_but_a_yes() -> None:
    """All ways into `activating` and `active` begin with an agreement."""
    into = {
        status: {before for (before, _), after in TRANSITIONS.items() if after is status} for status in Status
    }
    assert into[Status.ACTIVATING] == {Status.ACCEPTED, Status.ACTIVATING}
    assert into[Status.ACCEPTED] == {Status.PENDING}
    assert TRANSITIONS[Status.PENDING, Happening.AGREED] is Status.ACCEPTED
    assert into[Status.ACTIVE] == {Status.ACTIVATING, Status.ACTIVE, Status.ACTIVATION_FAILED}


@pytest.mark.parametrize("status", machine.OVER)
def test_what_is_over_stays_so(status: Status) -> None:
    assert not [happening for before, happening in TRANSITIONS if before is status]


@pytest.mark.parametrize(
    ("status", "accepts"),
    [(each, each in ("submitting", "unknown", "submitted", "delivered"))
     for each in ("queued", "retrying", "held", "scheduled", "failed", "expired", "suppressed", "cancelled",
                  "submitting", "unknown", "submitted", "delivered")],
)  # fmt: skip
def test_an_answer_counts_once_the_smsc_may_have_the_prompt(status: str, accepts: bool) -> None:
    after, effects = machine.step(offered(), write("Y", log=sent(status)), T0 + timedelta(minutes=1), RULES)
    assert (calls(effects) == [machine.ACTIVATE]) is accepts
    assert after.status is (Status.ACTIVATING if accepts else Status.PENDING)


@pytest.mark.parametrize(
    ("reply", "at", "status"),
    [
        pytest.param(write("Y"), timedelta(hours=24), Status.EXPIRED, id="at the deadline"),
        pytest.param(write("Y"), timedelta(hours=24, microseconds=-1), Status.ACTIVATING, id="just in time"),
        pytest.param(write("Y", "10086"), timedelta(hours=1), Status.PENDING, id="to another address"),
        pytest.param(write("Y", alone=False), timedelta(hours=1), Status.PENDING, id="ambiguous"),
        pytest.param(write("Y", garbled=True), timedelta(hours=1), Status.PENDING, id="garbled"),
        pytest.param(write("N", "10086"), timedelta(hours=1), Status.DECLINED, id="a no counts anywhere"),
        pytest.param(ReplyText(UUID(int=1), "Y"), timedelta(hours=1), Status.PENDING, id="unheard"),
    ],
)
def test_a_yes_is_one_to_this_very_question(reply: ReplyText, at: timedelta, status: Status) -> None:
    after, _ = machine.step(offered(), reply, T0 + at, RULES)
    assert after.status is status


@pytest.mark.parametrize(
    ("text", "bare", "alone", "accepts"),
    [
        pytest.param("Y37", False, False, True, id="the code"),
        pytest.param("Y37", True, True, True, id="the code where none was asked for"),
        pytest.param("Y", False, True, False, id="a code is missing"),
        pytest.param("Y", True, True, True, id="none is needed"),
        pytest.param("Y", True, False, False, id="two could be meant"),
        pytest.param("Y38", True, True, False, id="another code"),
    ],
)
def test_a_code_tells_offers_apart(text: str, bare: bool, alone: bool, accepts: bool) -> None:
    reply = write(text, alone=alone)
    _, effects = machine.step(offered(code="37", bare=bare), reply, T0 + timedelta(hours=1), RULES)
    assert bool(calls(effects)) is accepts


def test_volume_for_one_service_is_held() -> None:
    rules = ConfirmationRules(review=Review(above="1.00"))
    reply = write("Y", agreed_by_all=1001)
    after, effects = machine.step(offered(), reply, T0 + timedelta(hours=1), rules)
    assert (after.status, calls(effects)) == (Status.ACCEPTED, [])


NUMBERS = count(100)


class Machine(RuleBasedStateMachine):
    """Anything, in any order. I6: active only by a valid yes. I7: one activation call."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.it = offered("30.00")
        self.agreed = False  #: a plain yes, in time, to the address that asked, once it had
        self.activations = 0
        self.cancellations = 0
        self.open_calls: list[CallOut] = []
        self.events: list[str] = []
        self.status = sent("queued")
        self.replies: list[UUID] = []
        self.subject = self.it.subject

    def give(self, given: Given) -> None:
        before = self.it
        self.it, effects = machine.step(self.it, given, self.now, RULES)
        became = [each.body for each in effects if isinstance(each, Record) and isinstance(each.body, Became)]
        if self.it.status is not before.status:
            assert became[-1].status == self.it.status
        for each in effects:
            match each:
                case CallOut(connector=machine.ACTIVATE):
                    self.activations += 1
                    assert self.agreed
                    self.open_calls.append(each)
                case CallOut():
                    self.cancellations += 1
                    assert self.it.state.retracted_at is not None
                    self.open_calls.append(each)
                case Announce(type=event):
                    self.events.append(event)
                case Record(body):
                    attest(self.it.id, self.now, body)  # can be written
                case Reply(purpose=purpose):
                    assert purpose
                case _:
                    pass

    @rule(minutes=st.integers(0, 400))
    def time_goes_by(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(status=st.sampled_from(["queued", "submitting", "unknown", "submitted", "delivered", "failed"]))
    def the_prompt_is_carried(self, status: str) -> None:
        self.status = sent(status, self.now)

    @rule(
        text=st.sampled_from(["Y", "y。", "是", "N", "不要", "TD", "Y?", "好的", "", "YN", "Y37", "投诉"]),
        address=st.sampled_from([ADDRESS, ADDRESS, ADDRESS, "10086"]),
        alone=st.booleans(),
        garbled=st.sampled_from([False, False, True]),
        agreed=st.sampled_from([0, 0, 9]),
    )
    def the_customer_writes(self, text: str, address: str, alone: bool, garbled: bool, agreed: int) -> None:
        uid = next(NUMBERS)
        self.replies.append(UUID(int=uid))
        asked = self.status.status in ("submitting", "unknown", "submitted", "delivered")
        waits = self.it.status is Status.PENDING and self.now < self.it.expires_at
        plain = text in ("Y", "y。", "是")
        if plain and waits and asked and address == ADDRESS and alone and not garbled:
            self.agreed = True
        before = self.activations
        self.give(write(text, address, self.status, uid, alone=alone, garbled=garbled, agreed=agreed))
        assert self.activations == before or plain

    @precondition(lambda self: self.replies)
    @rule(data=st.data(), yes=st.booleans())
    def a_person_judges(self, data: st.DataObject, yes: bool) -> None:
        reply = data.draw(st.sampled_from(self.replies))
        if yes and self.it.status is Status.PENDING and reply == self.it.state.unclear:
            self.agreed = self.agreed or self.now < self.it.expires_at
        self.give(Judged(reply, "", yes, "Li"))

    @precondition(lambda self: self.open_calls)
    @rule(data=st.data(), done=st.booleans(), twice=st.booleans())
    def the_platform_answers(self, data: st.DataObject, done: bool, twice: bool) -> None:
        call = data.draw(st.sampled_from(self.open_calls))
        answer: Given = (
            CallDone(call.connector, None, call.key)
            if done
            else CallFailed(call.connector, "HTTP 422", call.key)
        )
        for _ in range(2 if twice else 1):
            self.give(answer)

    @rule(given=st.sampled_from([PromptFailed(), Reminder(), Superseded(), Cancel()]))
    def something_else_happens(self, given: Given) -> None:
        self.give(given)

    @precondition(lambda self: self.now >= self.it.expires_at)
    @rule()
    def its_time_is_over(self) -> None:
        self.give(TimeUp())

    @invariant()
    def active_only_by_a_valid_yes(self) -> None:
        if self.it.status in (Status.ACTIVATING, Status.ACTIVE, Status.ACTIVATION_FAILED):
            assert self.agreed
            assert self.activations == 1

    @invariant()
    def one_call_of_each_kind(self) -> None:
        assert self.activations <= 1
        assert self.cancellations <= 1

    @invariant()
    def each_event_is_told_once(self) -> None:
        assert len(self.events) == len(set(self.events))

    @invariant()
    def the_offer_never_changes(self) -> None:
        assert self.it.subject is self.subject


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
