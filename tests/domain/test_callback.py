"""How answers are judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.callback import (
    ANY,
    Answer,
    Done,
    Fault,
    Park,
    Retry,
    Success,
    Verdict,
    answer_text,
    at_pointer,
    judge,
    wish_of,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
INSIDE = Success(pointer="/result/code", equals=0)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        pytest.param(Answer(200), Done, id="200"),
        pytest.param(Answer(204), Done, id="204"),
        pytest.param(Answer(301, location="http://127.0.0.1/"), Retry, id="301"),
        pytest.param(Answer(304), Retry, id="304"),
        pytest.param(Answer(400), Park, id="400"),
        pytest.param(Answer(401), Retry, id="401"),
        pytest.param(Answer(403), Retry, id="403"),
        pytest.param(Answer(404), Retry, id="404"),
        pytest.param(Answer(408), Retry, id="408"),
        pytest.param(Answer(409), Retry, id="409"),
        pytest.param(Answer(410), Park, id="410"),
        pytest.param(Answer(422), Park, id="422"),
        pytest.param(Answer(425), Retry, id="425"),
        pytest.param(Answer(429), Retry, id="429"),
        pytest.param(Answer(500), Retry, id="500"),
        pytest.param(Answer(599), Retry, id="599"),
        pytest.param(Answer(fault=Fault.TIMED_OUT), Retry, id="time-out"),
        pytest.param(Answer(fault=Fault.UNREACHABLE), Retry, id="no connection"),
        pytest.param(Answer(fault=Fault.FORBIDDEN), Retry, id="forbidden address"),
    ],
)
def test_each_answer_has_its_verdict(answer: Answer, verdict: type[Verdict]) -> None:
    assert isinstance(judge(answer, ANY, NOW), verdict)


@pytest.mark.parametrize(
    ("status", "blames"), [(500, True), (401, True), (429, True), (404, False), (409, False)]
)
def test_the_target_is_blamed_for_what_would_meet_other_calls_too(status: int, blames: bool) -> None:
    verdict = judge(Answer(status), ANY, NOW)
    assert isinstance(verdict, Retry)
    assert verdict.blames is blames


@pytest.mark.parametrize(
    ("success", "body", "done"),
    [
        (INSIDE, b'{"result": {"code": 0}}', True),
        (INSIDE, b'{"result": {"code": 7}}', False),
        (INSIDE, b'{"result": {"code": false}}', False),
        (INSIDE, b'{"result": {"code": "0"}}', False),
        (INSIDE, b"{}", False),
        (INSIDE, b"<html>\xff", False),
        (INSIDE, b"", False),
        (Success(pointer="/id"), b'{"id": 5}', True),
        (Success(pointer="/id"), b'{"id": null}', False),
        (Success(pointer="/ok", equals=True), b'{"ok": 1}', False),
        (Success(statuses=frozenset({200, 404})), b"", True),
        (Success(statuses=frozenset({201})), b"", False),
    ],
)
def test_success_is_read_out_of_the_answer(success: Success, body: bytes, done: bool) -> None:
    assert isinstance(judge(Answer(200, body), success, NOW), Done) is done


def test_what_is_wanted_is_taken_out_of_a_success() -> None:
    assert judge(Answer(201, b'{"ticket": {"id": 4711}}'), ANY, NOW, "/ticket/id") == Done(4711)
    assert judge(Answer(201, b"created"), ANY, NOW, "/ticket/id") == Done(None)


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        (None, None),
        ("120", timedelta(seconds=120)),
        ("Sun, 22 Nov 2026 09:02:00 GMT", timedelta(seconds=120)),
        ("Sun, 22 Nov 2026 08:00:00 GMT", timedelta(0)),
        ("-5", None),
        ("soon", None),
        ("9" * 50, timedelta(seconds=10**7)),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, wish: timedelta | None) -> None:
    assert wish_of(header, NOW) == wish


@given(header=st.text(max_size=60), body=st.binary(max_size=200), status=st.integers(100, 999))
def test_no_answer_is_too_strange_to_be_judged(header: str, body: bytes, status: int) -> None:
    answer = Answer(status, body, retry_after=header)
    assert isinstance(judge(answer, INSIDE, NOW, "/a"), Done | Retry | Park)
    assert "\x00" not in answer_text(answer, "")


CONTENT = {"a": [{"b/c": 1, "d~e": None}], "": {"": 2}}


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", CONTENT),
        ("/a/0/b~1c", 1),
        ("/a/0/d~0e", None),
        ("/a/1", None),
        ("/a/x", None),
        ("//", 2),
        ("/a/0/b", None),
    ],
)
def test_pointers_follow_rfc_6901(pointer: str, found: Any) -> None:
    assert at_pointer(CONTENT, pointer) == found


def test_a_kept_answer_is_short_and_hides_secrets() -> None:
    text = answer_text(Answer(401, b"bad token s3cret " + b"x" * 10000), "HTTP 401", ("s3cret",))
    assert text.startswith("HTTP 401\nbad token *** xxx")
    assert len(text) == 4096
