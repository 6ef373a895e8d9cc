"""Who may be written to: an opt-out outweighs the rest, but not what a customer must know."""

import pytest

from gateway.domain.message import Lane
from gateway.domain.policy import NOBODY_KNOWN, Refuse, Send, Standing, concerns, decide
from tests.services.road import START


@pytest.mark.parametrize(
    ("lane", "category", "opt_outs", "reason"),
    [
        pytest.param(Lane.MARKETING, "offer", [], None, id="nothing against it"),
        pytest.param(
            Lane.MARKETING, "offer", ["lane:marketing"], "opted out of lane marketing", id="the lane"
        ),
        pytest.param(Lane.MARKETING, None, ["lane:all"], "opted out of lane marketing", id="all lanes"),
        pytest.param(
            Lane.MARKETING, "offer", ["category:offer"], "opted out of category offer", id="category"
        ),
        pytest.param(Lane.MARKETING, "offer", ["category:survey"], None, id="another category"),
        pytest.param(Lane.MARKETING, "offer", ["lane:survey"], None, id="another lane"),
        pytest.param(Lane.SERVICE, None, ["category:offer"], None, id="no category to opt out of"),
        pytest.param(
            Lane.SURVEY, None, ["category:survey"], "opted out of surveys", id="surveys stop their lane"
        ),
        pytest.param(
            Lane.SERVICE, "survey", ["lane:survey"], "opted out of surveys", id="the lane stops surveys"
        ),
        pytest.param(Lane.EMERGENCY, "x", ["lane:all", "lane:emergency"], None, id="emergency"),
        pytest.param(Lane.TRANSACTIONAL, "x", ["lane:all", "category:x"], None, id="transactional"),
    ],
)
def test_opt_outs(lane: Lane, category: str | None, opt_outs: list[str], reason: str | None) -> None:
    decision = decide(lane, category, Standing(opt_outs=frozenset(opt_outs)), START)
    assert decision == (Send() if reason is None else Refuse(reason=reason))


def test_of_most_customers_nothing_is_known() -> None:
    assert all(decide(lane, None, NOBODY_KNOWN, START) == Send() for lane in Lane)


def test_a_lane_that_no_standing_changes_needs_none() -> None:
    assert {lane for lane in Lane if not concerns(lane)} == {Lane.EMERGENCY, Lane.TRANSACTIONAL}
