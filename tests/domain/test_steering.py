"""Where messages go: the first rule that matches, else any route."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.message import Lane
from gateway.domain.steering import Rule, Steering, is_of, shadowed

MAIN, OTHER, THIRD = (("main", 1),), (("other", 1),), (("third", 1),)
TABLE = Steering(
    [
        Rule(name="urgent", to=THIRD, lanes=frozenset({"emergency"})),
        Rule(name="north", to=OTHER, prefixes=("86139", "861"), lanes=frozenset({"survey"})),
        Rule(name="bank", to=MAIN, senders=("95588",), backup=("other",)),
        Rule(name="one town", to=(("main", 3), ("other", 1)), prefixes=("861390531",)),
    ],
    ["main", "other"],
)


@pytest.mark.parametrize(
    ("msisdn", "sender", "lane", "course"),
    [
        pytest.param("8613905310001", "10086", "emergency", "urgent", id="by lane"),
        pytest.param("8613905310001", "10086", "survey", "north", id="by prefix, before a longer one"),
        pytest.param("8618905310001", "10086", "survey", "north", id="by the shorter prefix"),
        pytest.param("4479110001", "10086", "survey", "all", id="no prefix fits"),
        pytest.param("8613905310001", "95588", "service", "bank", id="by sender"),
        pytest.param("8613905310001", "95588001", "service", "bank", id="by sender with an extension"),
        pytest.param("8613905310001", "9558", "service", "one town", id="less than the sender"),
        pytest.param("8613905310001", "Bank", "service", "one town", id="a sender of letters"),
        pytest.param("8618905310001", "10086", "service", "all", id="nothing fits"),
    ],
)
def test_the_first_rule_that_fits_is_taken(msisdn: str, sender: str, lane: str, course: str) -> None:
    assert TABLE.course(msisdn, sender, lane).name == course


def test_a_rules_course_is_always_the_same_one() -> None:
    assert TABLE.course("8613905310001", "10086", "service") is TABLE.course(
        "8613905310002", "10001", "survey2"
    )
    assert [course.name for course in TABLE.courses] == ["urgent", "north", "bank", "one town", "all"]
    assert TABLE.courses[3].first == "main"
    assert Steering([], []).default.first is None


DIGITS = st.text("12", min_size=1, max_size=4)
RULES = st.lists(
    st.builds(
        Rule,
        name=st.just("rule"),
        to=st.just(MAIN),
        prefixes=st.lists(DIGITS, max_size=3).map(tuple),
        lanes=st.frozensets(st.sampled_from(["survey", "service"]), max_size=2),
        senders=st.lists(DIGITS, max_size=2).map(tuple),
    ),
    max_size=6,
)


def by_hand(rules: Sequence[Rule], msisdn: str, sender: str, lane: str) -> int:
    for number, rule in enumerate(rules):
        if (
            (not rule.lanes or lane in rule.lanes)
            and (not rule.senders or any(is_of(sender, each) for each in rule.senders))
            and (not rule.prefixes or msisdn.startswith(rule.prefixes))
        ):
            return number
    return len(rules)


@given(RULES, st.lists(st.tuples(DIGITS, DIGITS, st.sampled_from([*Lane])), max_size=20))
def test_the_quick_way_finds_what_the_slow_way_finds(
    rules: list[Rule], messages: list[tuple[str, str, str]]
) -> None:
    steering = Steering(rules, ["main"])
    for message in messages:
        assert steering.course(*message).number == by_hand(rules, *message)


@given(RULES, st.lists(st.tuples(DIGITS, DIGITS, st.sampled_from(["survey", "service"])), max_size=20))
def test_what_is_said_never_to_be_reached_is_not(
    rules: list[Rule], messages: list[tuple[str, str, str]]
) -> None:
    steering = Steering(rules, ["main"])
    never = shadowed(rules)
    for message in messages:
        assert steering.course(*message).number not in never
