"""The survey under any sequence of inputs: what must hold whatever comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.domain import given
from gateway.domain import survey as machine
from gateway.domain.effect import Effect, FollowUp, Inbox, OutOfInbox, Reply, WriteBack
from gateway.domain.survey import Status
from tests.domain.test_survey import RULES, T0, opened

SCORES = st.integers(1, 10)
WORDS = st.sampled_from(["你们什么时候来人", "网络还是不行", "7或8", "什么"])


class AnySurvey(RuleBasedStateMachine):
    """A customer, a clock and a person at the inbox, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.survey = opened()
        self.ticket: dict[str, Any] | None = None
        self.expected: int | None = None
        self.first_at = T0
        self.replies: list[str] = []
        self.follow_ups = 0
        self.waiting: set[Any] = set()
        self.pleas: set[Any] = set()

    def give(self, what: given.Given) -> None:
        before = self.survey
        self.survey, effects = machine.step(before, what, self.now, RULES)
        for effect in effects:
            self._note(effect)

    def _note(self, effect: Effect) -> None:
        match effect:
            case WriteBack(data):
                self.ticket = data
            case Reply(template):
                self.replies.append(template)
            case FollowUp():
                self.follow_ups += 1
            case Inbox(reply_id):
                self.waiting.add(reply_id)
            case OutOfInbox(reply_id):
                self.waiting.discard(reply_id)

    def expect(self, score: int) -> None:
        if self.expected is None:
            self.expected, self.first_at = score, self.now
        elif self.now - self.first_at <= RULES.revision_window:
            self.expected = score

    @rule(minutes=st.integers(0, 45))
    def time_goes_by(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.survey.status is not Status.EXPIRED and self.heard())
    @rule(score=SCORES)
    def customer_scores(self, score: int) -> None:
        if len(self.survey.state.revisions) < machine.MAX_REVISIONS:
            self.expect(score)
        self.give(given.ReplyText(uuid4(), str(score)))

    @precondition(lambda self: self.survey.status is not Status.EXPIRED and self.heard())
    @rule(words=WORDS)
    def customer_writes(self, words: str) -> None:
        self.give(given.ReplyText(uuid4(), words))

    @precondition(lambda self: self.survey.status is not Status.EXPIRED and self.heard())
    @rule(words=WORDS)
    def customer_asks_for_help(self, words: str) -> None:
        reply = uuid4()
        before = self.follow_ups
        self.give(given.ReplyText(reply, words, asks_for_help=True))
        if self.follow_ups == before:
            self.pleas.add(reply)

    @rule()
    def question_fails(self) -> None:
        self.give(given.PromptFailed())

    @rule()
    def reminder_is_due(self) -> None:
        self.give(given.Reminder())

    @rule()
    def time_is_up(self) -> None:
        self.give(given.TimeUp())

    @precondition(lambda self: self.survey.status in machine.WAITING)
    @rule()
    def superseded(self) -> None:
        self.give(given.Superseded())

    def heard(self) -> bool:
        """Whether routing would give a reply to this survey."""
        return self.survey.status is Status.ANSWERED or machine.is_waiting(self.survey, self.now)

    @invariant()
    def ticket_has_the_first_score_or_its_revision(self) -> None:
        if self.expected is not None:
            assert self.survey.status is Status.ANSWERED
            assert self.ticket is not None
            assert self.ticket["score"] == self.expected
        elif self.ticket is not None:
            assert self.ticket["score"] is None

    @invariant()
    def customers_get_few_answers(self) -> None:
        assert self.replies.count("survey/clarify") + self.replies.count("survey/help") <= 1
        assert self.replies.count("survey/low-score") <= 1
        assert self.replies.count("survey/thanks") <= 1
        assert len(self.replies) <= 3

    @invariant()
    def one_customer_is_called_back_once(self) -> None:
        assert self.follow_ups <= 1

    @invariant()
    def unparsed_words_reach_a_person(self) -> None:
        if self.survey.status is Status.UNPARSED:
            assert self.survey.state.unclear in self.waiting

    @invariant()
    def who_asked_for_help_stands_in_the_inbox(self) -> None:
        if self.pleas:
            assert self.pleas & self.waiting or self.survey.state.unclear in self.waiting

    @invariant()
    def all_that_changed_the_status_was_told(self) -> None:
        if self.survey.status not in (Status.OPEN, Status.CLARIFYING):
            assert self.ticket is not None
            assert self.ticket["status"] == self.survey.status


AnySurvey.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAnySurvey = AnySurvey.TestCase
