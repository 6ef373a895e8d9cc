"""The survey's machine, input by input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from gateway.domain import survey as machine
from gateway.domain.effect import Announce, Effect, FollowUp, Inbox, OutOfInbox, Reply, SetTimer, WriteBack
from gateway.domain.rules import Duration
from gateway.domain.score import Scale
from gateway.domain.survey import (
    Cancel,
    PromptFailed,
    Reminder,
    ReplyText,
    State,
    Status,
    Subject,
    Superseded,
    Survey,
    TimeUp,
    Verdict,
    Why,
)
from gateway.domain.survey_rules import Nudge, SurveyRules

T0 = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
RULES = SurveyRules()


def opened(scale: Scale = Scale.TEN, ticket: bool = True) -> Survey:
    return Survey(
        bucket=7,
        id=UUID(int=7),
        kind="survey",
        msisdn="8613905310001",
        address="10086001",
        touchpoint="complaint",
        ticket_id="TS-1" if ticket else None,
        status=Status.OPEN,
        opened_at=T0,
        expires_at=T0 + timedelta(hours=72),
        message_id=UUID(int=8),
        subject=Subject(scale=scale, ticket={"id": "TS-1"} if ticket else None),
        state=State(),
        version=1,
    )


def write(text: str) -> ReplyText:
    return ReplyText(uuid4(), text)


def after(
    *given: machine.Input, scale: Scale = Scale.TEN, minutes: float = 1, rules: SurveyRules = RULES
) -> tuple[Survey, list[Effect]]:
    """The survey after inputs that come so many minutes apart, and the effects of the last one."""
    survey, effects = opened(scale), list[Effect]()
    for at, each in enumerate(given):
        survey, effects = machine.step(survey, each, T0 + timedelta(minutes=1 + at * minutes), rules)
    return survey, effects


def kinds(effects: list[Effect]) -> list[str]:
    """Short names of effects, in order."""
    names = []
    for effect in effects:
        match effect:
            case Reply(template):
                names.append(template)
            case Announce(event_type):
                names.append(event_type)
            case Inbox(_, reason):
                names.append(f"inbox {reason}")
            case _:
                names.append(type(effect).__name__)
    return names


GIVEN: dict[str, machine.Input] = {
    "score": write("8"),
    "words": write("你们什么时候来人"),
    "prompt failed": PromptFailed(),
    "time up": TimeUp(),
    "reminder": Reminder(),
    "verdict": Verdict(uuid4(), "可以", 9, "li"),
    "superseded": Superseded(),
    "cancel": Cancel(),
}

WAYS: dict[Status, tuple[machine.Input, ...]] = {
    Status.OPEN: (),
    Status.CLARIFYING: (GIVEN["words"],),
    Status.ANSWERED: (write("7"),),
    Status.EXPIRED: (TimeUp(),),
    Status.UNPARSED: (GIVEN["words"], GIVEN["words"]),
    Status.CANCELLED: (PromptFailed(),),
}

#: Each input in each status: the next status, or None where it can't come.
TABLE = {
    "score": "answered answered answered None answered answered",
    "words": "clarifying unparsed answered None unparsed unparsed",
    "prompt failed": "cancelled clarifying answered expired unparsed cancelled",
    "time up": "expired unparsed answered expired unparsed cancelled",
    "reminder": "open clarifying answered expired unparsed cancelled",
    "verdict": "answered answered answered answered answered answered",
    "superseded": "cancelled cancelled None None cancelled None",
    "cancel": "cancelled cancelled None None cancelled None",
}


@pytest.mark.parametrize(
    ("given", "status", "expected"),
    [
        pytest.param(GIVEN[name], status, expected, id=f"{name} when {status}")
        for name, row in TABLE.items()
        for status, expected in zip(WAYS, row.split(), strict=True)
    ],
)
def test_each_input_moves_each_status_as_the_table_says(
    given: machine.Input, status: Status, expected: str
) -> None:
    survey, _ = after(*WAYS[status])
    assert survey.status is status
    if expected == "None":
        with pytest.raises(ValueError, match="can't be"):
            machine.step(survey, given, T0 + timedelta(minutes=20), RULES)
    else:
        moved, _ = machine.step(survey, given, T0 + timedelta(minutes=20), RULES)
        assert moved.status == expected


@pytest.mark.parametrize(
    ("texts", "scale", "scores", "effects"),
    [
        pytest.param(
            ["8"], Scale.TEN, [8], ["survey/thanks", "WriteBack", "survey.answered"], id="a good score"
        ),
        pytest.param(
            ["6"],
            Scale.TEN,
            [6],
            ["survey/low-score", "WriteBack", "survey.answered", "survey.low_score", "FollowUp"],
            id="a low score is apologised for and followed up",
        ),
        pytest.param(
            ["7"], Scale.TEN, [7], ["survey/thanks", "WriteBack", "survey.answered"], id="just above"
        ),
        pytest.param(
            ["3"],
            Scale.THREE,
            [3],
            ["survey/low-score", "WriteBack", "survey.answered", "survey.low_score", "FollowUp"],
            id="on three, 3 is low",
        ),
        pytest.param(
            ["1"], Scale.THREE, [1], ["survey/thanks", "WriteBack", "survey.answered"], id="1 of three"
        ),
        pytest.param(
            ["什么意思"], Scale.TEN, [], ["survey/clarify"], id="what is not understood is asked once more"
        ),
        pytest.param(
            ["什么意思", "再说一遍"],
            Scale.TEN,
            [],
            ["inbox not-understood", "OutOfInbox", "WriteBack"],
            id="and then it is for a person",
        ),
        pytest.param(
            ["什么意思", "9"],
            Scale.TEN,
            [9],
            ["survey/thanks", "OutOfInbox", "WriteBack", "survey.answered"],
            id="a score after the second asking",
        ),
        pytest.param(
            ["什么意思", "再说一遍", "9"],
            Scale.TEN,
            [9],
            ["survey/thanks", "OutOfInbox", "WriteBack", "survey.answered"],
            id="a clear score still counts after two unclear ones",
        ),
        pytest.param(["8", "9"], Scale.TEN, [8, 9], ["WriteBack", "survey.revised"], id="a second score"),
        pytest.param(["8", "8"], Scale.TEN, [8], [], id="the same score again is nothing new"),
        pytest.param(
            ["8", "2"],
            Scale.TEN,
            [8, 2],
            ["survey/low-score", "WriteBack", "survey.revised", "survey.low_score", "FollowUp"],
            id="a revision downwards is apologised for",
        ),
        pytest.param(
            ["2", "8"], Scale.TEN, [2, 8], ["WriteBack", "survey.revised"], id="a revision upwards is not"
        ),
        pytest.param(
            ["2", "3"],
            Scale.TEN,
            [2, 3],
            ["WriteBack", "survey.revised"],
            id="still low: one apology, one follow-up",
        ),
        pytest.param(["8", "师傅很好"], Scale.TEN, [8], ["WriteBack", "survey.revised"], id="further words"),
        pytest.param(["8", "师傅很好", "师傅很好"], Scale.TEN, [8], [], id="the same words again"),
    ],
)
def test_replies_have_their_effects(
    texts: list[str], scale: Scale, scores: list[int], effects: list[str]
) -> None:
    survey, last = after(*map(write, texts), scale=scale)
    assert [each.score for each in survey.state.revisions] == scores
    assert kinds(last) == effects


def test_a_second_score_after_the_window_is_a_comment() -> None:
    survey, effects = after(write("8"), write("9"), minutes=31)
    assert [each.score for each in survey.state.revisions] == [8]
    assert survey.state.comment == "9"
    assert kinds(effects) == ["WriteBack", "survey.revised"]


def test_the_write_back_has_all_that_is_known() -> None:
    _, effects = after(write("3 师傅没来"), write("9，来了"))
    (data,) = [effect.data for effect in effects if isinstance(effect, WriteBack)]
    assert data["score"] == 9
    assert data["text"] == "9，来了"
    assert data["comment"] == "师傅没来\n来了"
    assert data["scale"] == "ten"
    assert data["ticket"] == {"id": "TS-1"}
    assert data["set_by_person"] is False
    assert data["answered_at"] == T0 + timedelta(minutes=1)
    assert data["revised_at"] == T0 + timedelta(minutes=2)
    assert [each["score"] for each in data["revisions"]] == [3, 9]


def test_a_persons_score_says_so_and_draws_no_sms() -> None:
    words = write("什么意思")
    survey, effects = after(words, Verdict(words.reply_id, words.text, 4, "li"))
    assert survey.status is Status.ANSWERED
    assert kinds(effects) == ["WriteBack", "survey.answered", "survey.low_score", "FollowUp"]
    (data,) = [effect.data for effect in effects if isinstance(effect, WriteBack)]
    assert (data["set_by_person"], data["person"], data["text"]) == (True, "li", "什么意思")


def test_the_end_of_the_time_is_told_to_the_ticket() -> None:
    _, effects = after(TimeUp())
    assert kinds(effects) == ["WriteBack", "survey.expired"]
    (data,) = [effect.data for effect in effects if isinstance(effect, WriteBack)]
    assert (data["status"], data["score"]) == ("expired", None)


def test_unclear_words_at_the_end_of_the_time_are_for_a_person() -> None:
    words = write("什么意思")
    survey, effects = after(words, TimeUp())
    assert survey.status is Status.UNPARSED
    assert Inbox(words.reply_id, Why.NOT_UNDERSTOOD) in effects


def test_a_failed_question_cancels_and_an_answer_to_it_counts_all_the_same() -> None:
    survey, effects = after(PromptFailed())
    assert (survey.status, survey.state.reason) == (Status.CANCELLED, "undeliverable")
    assert kinds(effects) == ["WriteBack"]
    assert machine.is_waiting(survey, T0 + timedelta(hours=1))
    survey, _ = after(PromptFailed(), write("8"))
    assert survey.status is Status.ANSWERED
    assert survey.state.reason is None


@pytest.mark.parametrize(
    ("given", "waits"),
    [
        pytest.param([], True, id="open"),
        pytest.param([Superseded()], False, id="superseded"),
        pytest.param([Cancel()], False, id="cancelled"),
        pytest.param([TimeUp()], False, id="expired"),
        pytest.param([write("8")], False, id="answered"),
        pytest.param([write("啊"), write("啊啊")], True, id="unparsed"),
    ],
)
def test_what_waits_for_an_answer(given: list[machine.Input], waits: bool) -> None:
    survey, _ = after(*given)
    assert machine.is_waiting(survey, T0 + timedelta(hours=1)) is waits
    assert machine.is_waiting(survey, T0 + timedelta(hours=73)) is False


def test_one_reminder_goes_out_where_the_rules_have_one() -> None:
    rules = SurveyRules(reminder=Nudge(Duration(hours=24)))
    survey, effects = after(Reminder(), rules=rules)
    assert effects == [Reply("survey/reminder", {"scale": "ten"}), SetTimer(survey.expires_at)]
    _, effects = after(Reminder(), Reminder(), rules=rules)
    assert effects == [SetTimer(survey.expires_at)]


def test_no_reminder_goes_out_without_a_rule() -> None:
    survey, effects = after(Reminder())
    assert effects == [SetTimer(survey.expires_at)]


def test_a_survey_without_a_ticket_is_announced_and_written_nowhere() -> None:
    _, effects = machine.step(opened(ticket=False), write("8"), T0, RULES)
    assert kinds(effects) == ["survey/thanks", "survey.answered"]


def test_no_follow_up_where_the_rules_want_none() -> None:
    _, effects = after(write("1"), rules=SurveyRules(follow_up=False))
    assert not [effect for effect in effects if isinstance(effect, FollowUp)]


def test_revisions_and_comments_are_bounded() -> None:
    texts = [write(str(8 + at % 2)) for at in range(30)] + [
        write("好" * 900 + str(at) + "天") for at in range(4)
    ]
    survey, _ = after(*texts, minutes=0.1)
    assert len(survey.state.revisions) == machine.MAX_REVISIONS
    assert len(survey.state.comment) == machine.MAX_COMMENT


def test_the_reply_that_waited_leaves_the_inbox() -> None:
    first, second = write("什么意思"), write("再说一遍")
    _, effects = after(first, second, write("8"))
    assert OutOfInbox(second.reply_id) in effects
