"""Why a session did not come about or ended, in words."""

from __future__ import annotations

import logging

import pytest

from gateway.esme.outages import SUMMARY_SECONDS, Outages
from gateway.esme.trouble import ended_in_words, refused_in_words, unbound_in_words
from gateway.smpp import status

CLOSED = "the SMSC closed the connection"
UNANSWERED = f"{CLOSED} and had not answered our bind"
WANTS_TLS = f"{UNANSWERED}: it may want TLS on this port"


@pytest.mark.parametrize(
    ("error", "known", "told"),
    [
        pytest.param(None, False, WANTS_TLS, id="closed"),
        pytest.param(ConnectionResetError(), False, WANTS_TLS, id="reset"),
        pytest.param(None, True, UNANSWERED, id="it was bound before"),
        pytest.param(TimeoutError(), False, "no answer in time", id="something else"),
    ],
)
def test_who_closes_before_the_bind_is_answered_may_want_tls(
    error: Exception | None, known: bool, told: str
) -> None:
    assert unbound_in_words(error, tls=False, connected=True, known=known) == told


def test_a_bound_session_that_ends_says_nothing_of_tls() -> None:
    assert ended_in_words(None) == ended_in_words(ConnectionResetError()) == CLOSED


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(status.ESME_RINVPASWD, "The password is wrong. (ESME_RINVPASWD)", id="password"),
        pytest.param(status.ESME_RBINDFAIL, "The bind failed. (ESME_RBINDFAIL) Too many sessions", id="hint"),
    ],
)
def test_a_refused_bind_has_its_status(code: int, told: str) -> None:
    assert refused_in_words(code).startswith(told)


def test_the_same_reason_is_logged_once_and_then_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    outages = Outages("main")
    with caplog.at_level(logging.WARNING):
        for second in range(0, int(SUMMARY_SECONDS) + 10, 10):
            for bind in ("main/1", "main/2"):
                outages.failed(bind, "nothing listens there", 10.0, float(second))
        outages.failed("main/1", "no answer in time", 10.0, SUMMARY_SECONDS)
        assert [record.message for record in caplog.records] == ["bind down", "binds still down", "bind down"]
        summary = caplog.records[1].__dict__
        assert (summary["binds"], summary["tries"], summary["minutes"]) == (2, 121, 10)
        outages.ended()
        outages.failed("main/1", "nothing listens there", 10.0, SUMMARY_SECONDS)
    assert caplog.records[-1].message == "bind down"
