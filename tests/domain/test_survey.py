"""The survey's machine, input by input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from gateway.domain import survey as machine
from gateway.domain.effect import Announce, Effect, FollowUp, Inbox, OutOfInbox, Reply, SetTimer, WriteBack
from gateway.domain.given import (
    Cancel,
    Given,
    PromptFailed,
    Reminder,
    ReplyText,
    Superseded,
    TimeUp,
    Verdict,
)
from gateway.domain.rules import Duration
from gateway.domain.score import Scale
from gateway.domain.survey import State, Status, Subject, Survey
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
    *given: Given, scale: Scale = Scale.TEN, minutes: float = 1, rules: SurveyRules = RULES
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


GIVEN: dict[str, Given] = {
    "score": write("8"),
    "words": write("你们什么时候来人"),
    "prompt failed": PromptFailed(),
    "time up": TimeUp(),
    "reminder": Reminder(),
    "verdict": Verdict(uuid4(), "可以", 9, "li"),
    "superseded": Superseded(),
    "cancel": Cancel(),
}

WAYS: dict[Status, tuple[Given, ...]] = {
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
def test_each_input_moves_each_status_as_the_table_says(given: Given, status: Status, expected: str) -> None:
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
            ["什么意思"],
            Scale.TEN,
            [],
            ["survey/clarify", "Noted"],
            id="what is not understood is asked once more",
        ),
        pytest.param(
            ["什么意思", "再说一遍"],
            Scale.TEN,
            [],
            ["inbox not-understood: other-unit", "OutOfInbox", "WriteBack"],
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
    assert Inbox(words.reply_id, "not-understood: no-number") in effects


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
def test_what_waits_for_an_answer(given: list[Given], waits: bool) -> None:
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


def plead(text: str) -> ReplyText:
    return ReplyText(uuid4(), text, asks_for_help=True)


def doubt(text: str) -> ReplyText:
    return ReplyText(uuid4(), text, takes_back=True)


PLEA = "inbox asks-for-help"


@pytest.mark.parametrize(
    ("given", "scores", "effects"),
    [
        pytest.param(
            [plead("我要投诉")],
            [],
            ["survey/help", PLEA, "WriteBack"],
            id="a plea is for a person at once, and asked about once",
        ),
        pytest.param(
            [plead("我要投诉"), write("快点")],
            [],
            [PLEA, "OutOfInbox", "WriteBack"],
            id="it stays one whatever follows",
        ),
        pytest.param(
            [write("什么意思"), plead("我要投诉")],
            [],
            [PLEA, "OutOfInbox", "WriteBack"],
            id="a plea after other words",
        ),
        pytest.param(
            [plead("我要投诉"), write("8")],
            [8],
            ["survey/thanks", "WriteBack", "survey.answered"],
            id="a score does not hear it",
        ),
        pytest.param(
            [plead("8，请回电")],
            [8],
            ["survey/thanks", "WriteBack", "survey.answered", PLEA],
            id="beside a score",
        ),
        pytest.param(
            [plead("2，请回电")],
            [2],
            ["survey/low-score", "WriteBack", "survey.answered", "survey.low_score", "FollowUp"],
            id="beside a low score the follow-up carries it",
        ),
        pytest.param(
            [write("8"), plead("我要投诉，请回电")],
            [8],
            ["WriteBack", "survey.revised", PLEA],
            id="after a score",
        ),
        pytest.param(
            [write("2"), plead("请回电")],
            [2],
            ["WriteBack", "survey.revised", PLEA],
            id="after a low score",
        ),
        pytest.param([PromptFailed(), plead("请回电")], [], [PLEA, "WriteBack"], id="the question got there"),
    ],
)
def test_a_plea_for_help_reaches_a_person(given: list[Given], scores: list[int], effects: list[str]) -> None:
    survey, last = after(*given)
    assert [each.score for each in survey.state.revisions] == scores
    assert kinds(last) == effects


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(write("7或8"), "revision-unclear: several", id="two numbers"),
        pytest.param(write("不给9分"), "revision-unclear: negated", id="denied"),
        pytest.param(write("11"), "revision-unclear: off-scale", id="off the scale"),
        pytest.param(doubt("打错了"), "revision-unclear: no-number", id="taken back in words"),
        pytest.param(write("师傅很好"), None, id="a remark"),
        pytest.param(write("打了3次电话"), None, id="a remark with a number"),
    ],
)
def test_what_may_be_another_score_is_for_a_person(given: ReplyText, reason: str | None) -> None:
    survey, effects = after(write("9"), given)
    assert [each.score for each in survey.state.revisions] == [9]
    assert survey.state.comment == given.text
    assert not [effect for effect in effects if isinstance(effect, Reply)]
    assert [effect for effect in effects if isinstance(effect, Inbox)] == (
        [Inbox(given.reply_id, reason)] if reason else []
    )


def test_a_doubt_after_the_window_is_a_comment() -> None:
    _, effects = after(write("9"), doubt("打错了"), minutes=31)
    assert kinds(effects) == ["WriteBack", "survey.revised"]


@pytest.mark.parametrize("score", ["6", "9"])
def test_doubts_leave_the_inbox_when_the_score_is_clear(score: str) -> None:
    doubts = [doubt("打错了"), write("不是9")]
    survey, effects = after(write("9"), *doubts, write(score))
    assert [each.reply_id for each in effects if isinstance(each, OutOfInbox)] == [
        each.reply_id for each in doubts
    ]
    assert survey.state.doubts == ()


@pytest.mark.parametrize(
    ("text", "score"),
    [
        pytest.param("打错了，8分", 8, id="mistyped"),
        pytest.param("不对，应该是6", 6, id="should be"),
        pytest.param("改成7分", 7, id="changed to"),
    ],
)
def test_a_correction_is_a_revision_within_the_window(text: str, score: int) -> None:
    survey, effects = after(write("9"), write(text))
    assert [each.score for each in survey.state.revisions] == [9, score]
    data = next(effect.data for effect in effects if isinstance(effect, WriteBack))
    assert (data["score"], data["text"], [each["score"] for each in data["revisions"]]) == (
        score,
        text,
        [9, score],
    )
    assert not [effect for effect in effects if isinstance(effect, Inbox)]


def test_a_correction_after_the_window_changes_no_score() -> None:
    survey, _ = after(write("9"), write("打错了，8分"), minutes=31)
    assert [each.score for each in survey.state.revisions] == [9]


def test_the_ticket_has_all_words_that_were_not_understood() -> None:
    survey, effects = after(write("什么意思"), write("网还是慢"), write("再说一遍"))
    data = next(effect.data for effect in effects if isinstance(effect, WriteBack))
    assert data["text"] == survey.state.unclear_text == "什么意思\n网还是慢\n再说一遍"


def test_words_that_were_not_understood_are_comment_beside_a_score() -> None:
    survey, _ = after(write("什么意思"), write("网还是慢"), write("8，好了"))
    assert survey.state.comment == "什么意思\n网还是慢\n好了"


def test_what_is_too_long_for_one_entry_stays_two() -> None:
    first, second = write("慢" * 1500), write("断" * 1500)
    _, effects = after(first, second)
    assert [effect.reply_id for effect in effects if isinstance(effect, Inbox)] == [
        second.reply_id,
        first.reply_id,
    ]
    assert not [effect for effect in effects if isinstance(effect, OutOfInbox)]


def test_words_under_a_question_that_is_closed_reach_a_person() -> None:
    words = write("网还是慢")
    _, effects = after(words, Superseded())
    assert Inbox(words.reply_id, "not-understood: no-number") in effects
