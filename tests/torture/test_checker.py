"""The checker on journals written by hand: it names each breach, and is silent where all is well."""

from typing import Any

import pytest

from gateway.simulator.record import MoAnswerLine, MoLine, MoSentLine, ReceiptAnswerLine, SubmitLine
from tests.torture.checker import judge, tag_in
from tests.torture.journal import Asked, Call, Journals, Said, gather
from tests.torture.states import States

TAG, TO = "T00000001", "13905310001"
NUMBER = f"86{TO}"
TEXT = f"业务受理单{TAG}已登记。"


def submit(number: int, text: str = TEXT, udh: tuple[int, int, int] | None = None) -> SubmitLine:
    return SubmitLine(0.0, number, "huiyin", 1, "10086", NUMBER, f"a{number}", f"{number}", 8, 0, udh, text)


def state(status: str = "delivered", **more: Any) -> dict[str, Any]:
    row = {"id": "msg_1", "ref": TAG, "to": NUMBER, "status": status, "reason": None}
    return row | {"maybe_duplicate": False, "history": []} | more


def entry(kind: str, status: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "status": status} | more


def breaches(
    lines: list[Any],
    row: dict[str, Any] | None = None,
    *,
    lane: str = "service",
    ids: tuple[str, ...] = ("msg_1",),
    segments: int = 1,
    calls: tuple[Call, ...] = (),
    said: tuple[Said, ...] = (),
    **states: Any,
) -> set[str]:
    asked = Asked(TAG, TO, lane, segments=segments, ids=list(ids))
    journals = Journals(asked={TAG: asked}, calls=list(calls), said=list(said))
    known = States(**states)
    if row is not None:
        known.messages[row["id"]] = known.details[row["id"]] = row
    return {breach.partition(":")[0] for breach in judge(journals, gather(lines), known).breaches}


@pytest.mark.parametrize(
    ("copies", "row", "lane", "named"),
    [
        pytest.param(1, state(), "service", set(), id="arrived once"),
        pytest.param(0, None, "service", {"lost"}, id="accepted and not known"),
        pytest.param(0, state("submitted"), "service", {"lost"}, id="said to be submitted, never arrived"),
        pytest.param(0, state("queued"), "service", {"lost", "stuck"}, id="still waits at the end"),
        pytest.param(0, state("failed", reason="ESME_RINVDSTADR"), "service", set(), id="failed, and why"),
        pytest.param(0, state("failed"), "service", {"lost"}, id="failed without a reason"),
        pytest.param(0, state("unknown"), "marketing", set(), id="unknown, never again"),
        pytest.param(1, state("unknown"), "marketing", set(), id="unknown, and arrived"),
        pytest.param(2, state(), "marketing", {"never-again doubled"}, id="never again, and twice"),
        pytest.param(2, state(), "service", {"unflagged duplicate"}, id="twice without a flag"),
        pytest.param(2, state(maybe_duplicate=True), "service", set(), id="twice with a flag"),
        pytest.param(3, state(maybe_duplicate=True), "service", {"too many copies"}, id="three times"),
        pytest.param(
            0,
            state("unknown", history=[entry("lost", "unknown", segment=1, copy=1)]),
            "service",
            {"lost"},
            id="unknown, and not sent again",
        ),
        pytest.param(
            0,
            state("unknown", history=[entry("lost", "unknown", segment=1, copy=2)]),
            "service",
            set(),
            id="unknown, both times",
        ),
    ],
)
def test_copies_and_states_are_held_against_each_other(
    copies: int, row: dict[str, Any] | None, lane: str, named: set[str]
) -> None:
    assert breaches([submit(number) for number in range(1, copies + 1)], row, lane=lane) == named


def test_a_missing_part_is_a_loss() -> None:
    first = submit(1, udh=(7, 2, 1))
    assert breaches([first], state(), segments=2) == {"lost"}
    assert breaches([first, submit(2, "请保持电话畅通。", (7, 2, 2))], state(), segments=2) == set()


def test_one_key_has_one_effect() -> None:
    assert "two effects" in breaches([submit(1)], state(), ids=("msg_1", "msg_2"))


def test_final_is_final() -> None:
    history = [entry("delivered", "delivered"), entry("lost", "unknown")]
    assert breaches([submit(1)], state(history=history)) == {"final changed"}


def test_a_submit_of_nobody_is_named() -> None:
    assert breaches([submit(1), submit(2, "业务受理单T00000009已登记。")], state()) == {"invented"}


@pytest.mark.parametrize(
    ("told", "named"),
    [
        pytest.param((), {"receipt lost"}, id="nowhere"),
        pytest.param(
            (entry("receipt", "submitted", smsc_id="a1"),), {"receipt without effect"}, id="without effect"
        ),
    ],
)
def test_a_receipt_answered_ok_has_its_effect(told: tuple[dict[str, Any], ...], named: set[str]) -> None:
    history = [entry("submitted", "submitted", smsc_id="a1"), *told]
    lines = [submit(1), ReceiptAnswerLine(0.0, 1, "a1", 0)]
    assert breaches(lines, state("submitted", history=history)) == named


def mo(number: int, *binds: int, taken: bool = True) -> list[Any]:
    lines: list[Any] = [MoLine(0.0, number, 1, NUMBER, "10086", "00", 8, 0, "你好吗")]
    lines += [MoSentLine(0.0, number, 1, bind) for bind in binds]
    return [*lines, MoAnswerLine(0.0, number, 1, 0)] if taken else lines


@pytest.mark.parametrize(
    ("lines", "known", "named"),
    [
        pytest.param(mo(1, 1), 1, set(), id="known"),
        pytest.param(mo(1, 1), 0, {"words lost"}, id="answered OK and not known"),
        pytest.param(mo(1, 1, taken=False), 0, {"not taken"}, id="never answered"),
        pytest.param(mo(1, 1, 2), 2, {"words doubled"}, id="delivered twice and taken for two"),
    ],
)
def test_what_customers_wrote_is_known_once(lines: list[Any], known: int, named: set[str]) -> None:
    said = (Said(1, NUMBER, "你好吗"),)
    inbox = [(NUMBER, "你好吗")] * known
    assert breaches([submit(1), *lines], state(), said=said, inbox=inbox) == named


def test_the_same_words_twice_on_one_session_are_two() -> None:
    said = (Said(1, NUMBER, "你好吗"), Said(2, NUMBER, "你好吗"))
    inbox = [(NUMBER, "你好吗")]
    assert breaches([submit(1), *mo(1, 1), *mo(2, 1)], state(), said=said, inbox=inbox) == {"words swallowed"}
    assert breaches([submit(1), *mo(1, 1), *mo(2, 2)], state(), said=said, inbox=inbox) == set()


def call(key: str, score: int, *, applied: bool = True) -> Call:
    return Call(0.0, key, TAG, score, 200 if applied else 500, applied)


@pytest.mark.parametrize(
    ("calls", "named"),
    [
        pytest.param((call("k", 8),), set(), id="right"),
        pytest.param((call("k", 8), call("k", 8)), set(), id="twice under one key"),
        pytest.param((call("k", 8), call("l", 8)), {"score written twice"}, id="twice under two keys"),
        pytest.param((call("k", 7),), {"wrong score"}, id="another"),
        pytest.param((call("k", 8, applied=False),), {"wrong score"}, id="never taken"),
        pytest.param((), {"wrong score"}, id="none"),
    ],
)
def test_the_ticket_has_the_score_that_was_written(calls: tuple[Call, ...], named: set[str]) -> None:
    said = (Said(1, NUMBER, "8", ticket=TAG, score=8),)
    surveys = {TAG: [{"score": 8, "replies": [{"text": "8", "redelivery": False}]}]}
    assert breaches([submit(1), *mo(1, 1)], state(), calls=calls, said=said, surveys=surveys) == named


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        pytest.param("编号T00000012）", "T00000012", id="in a text"),
        pytest.param("T0000001", None, id="cut off"),
        pytest.param("感谢您的评价", None, id="none"),
    ],
)
def test_tags_are_found_whole(text: str, tag: str | None) -> None:
    assert tag_in(text) == tag
