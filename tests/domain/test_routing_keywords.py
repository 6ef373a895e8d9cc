"""Keywords of the business hall among all else that a reply may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.conversation import Conversation
from gateway.domain.keywords import Entry, Keywords
from gateway.domain.reply_rules import Phrases, ReplyRules
from gateway.domain.routing import Outcome, route
from gateway.domain.rulebook import Rules
from gateway.domain.survey import Status, Survey
from tests.domain.test_routing import BARE, NOW, RULES, A, asked

HALL: Rules = replace(
    RULES,
    replies=ReplyRules(courtesy=("谢谢",), help=Phrases(whole=("人工",))),
    keywords=Keywords(
        entries={
            "balance": Entry(words=("余额",), template="hall/balance", lookup="balance"),
            "help": Entry(words=("0",), template="hall/help"),
            "human": Entry(words=("人工",), template="hall/human"),
        }
    ),
)


def over(address: str) -> Conversation:
    """A survey that expired."""
    survey = asked(address)
    assert isinstance(survey, Survey)
    return survey._replace(status=Status.EXPIRED, expires_at=NOW - timedelta(days=1))


WAITING = [asked(A)]
OVER = [over(A)]


@pytest.mark.parametrize(
    ("text", "address", "conversations", "outcome"),
    [
        pytest.param("余额", BARE, [], Outcome.ENQUIRY, id="nothing open"),
        pytest.param("余额", A, WAITING, Outcome.ENQUIRY, id="a question open here"),
        pytest.param("余额", BARE, WAITING, Outcome.ENQUIRY, id="a question open elsewhere"),
        pytest.param("余额", A, OVER, Outcome.ENQUIRY, id="a question that is over"),
        pytest.param("余额少了", BARE, [], Outcome.UNMATCHED, id="a sentence"),
        pytest.param("0", BARE, [], Outcome.ENQUIRY, id="a number, nothing open"),
        pytest.param("0", A, OVER, Outcome.ENQUIRY, id="a number, a question that is over"),
        pytest.param("0", A, WAITING, Outcome.HOME, id="a number that may be an answer"),
        pytest.param("人工", BARE, [], Outcome.ENQUIRY, id="a wish for a person, nothing open"),
        pytest.param("人工", A, WAITING, Outcome.HOME, id="a wish for a person in answer"),
        pytest.param("TD", BARE, [], Outcome.OPT_OUT_MARKETING, id="an opt-out"),
        pytest.param("0000", BARE, [], Outcome.MENU, id="0000"),
        pytest.param("9", A, WAITING, Outcome.HOME, id="a score"),
    ],
)
def test_where_a_keyword_goes(
    text: str, address: str, conversations: list[Conversation], outcome: Outcome
) -> None:
    found = route(text, address, NOW, conversations, HALL)
    assert found.outcome is outcome
    assert (found.keyword is not None) is (outcome is Outcome.ENQUIRY)
