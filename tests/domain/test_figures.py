"""Satisfaction in figures: every survey is in one place, and no scale is mixed with another."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.figures import Outcome, satisfaction
from gateway.domain.scale import Scale
from gateway.domain.survey import Status


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    scale, status = draw(st.sampled_from(Scale)), draw(st.sampled_from(Status))
    scored = status is Status.ANSWERED
    low = scored and draw(st.booleans())
    return Outcome(
        scale=scale.value,
        status=status.value,
        reason=draw(st.sampled_from((None, "undeliverable", "superseded", "asked-lately"))),
        score=draw(st.integers(1, scale.highest)) if scored else None,
        low=low,
        followed_up=low and draw(st.booleans()),
        revised=scored and draw(st.booleans()),
        by_person=scored and draw(st.booleans()),
        surveys=draw(st.integers(1, 5)),
    )


@given(st.lists(outcomes(), max_size=20))
def test_every_survey_is_in_one_place(given_: list[Outcome]) -> None:
    told = satisfaction(given_)
    assert told.surveys == sum(each.surveys for each in given_)
    assert told.surveys == told.asked + told.undeliverable + sum(told.suppressed.values())
    taken_back = sum(told.cancelled.values())
    assert told.asked == told.answered + told.waiting + told.expired + told.unparsed + taken_back
    assert told.answered == told.satisfied + told.low == sum(each.answered for each in told.scales.values())
    for scores in told.scales.values():
        assert scores.answered == sum(scores.distribution.values())
        assert scores.top <= scores.answered
        assert 0 <= scores.satisfied_rate <= 1


def answer(scale: str, score: int, surveys: int, *, low: bool = False) -> Outcome:
    return Outcome(scale, "answered", None, score, low, low, False, False, surveys)


def test_the_best_is_ten_five_or_one() -> None:
    told = satisfaction(
        [
            answer("ten", 10, 3),
            answer("ten", 9, 1),
            answer("five", 5, 2),
            answer("five", 1, 2, low=True),
            answer("three", 1, 1),
            answer("three", 3, 3, low=True),
        ]
    )
    tops = {scale: (scores.top, scores.top_rate, scores.average) for scale, scores in told.scales.items()}
    assert tops == {"ten": (3, 0.75, 9.75), "five": (2, 0.5, 3.0), "three": (1, 0.25, 2.5)}
    assert (told.satisfied, told.low, told.satisfied_rate) == (7, 5, 0.5833)


def test_nothing_asked_has_no_rates() -> None:
    told = satisfaction([])
    assert (told.response_rate, told.satisfied_rate, told.scales) == (None, None, {})
