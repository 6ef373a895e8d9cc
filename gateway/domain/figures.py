"""Satisfaction in figures: what surveys that are alike make together, on each scale by itself."""

from collections.abc import Iterable
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from gateway.domain.scale import Scale
from gateway.domain.survey_state import WAITING, Status, Why
from gateway.domain.timeliness import Count, Rate


class Outcome(NamedTuple):
    """So many surveys came out alike."""

    scale: str
    status: str
    reason: str | None
    score: int | None  #: the one that counts, the last
    low: bool  #: by the rules that held when it was given
    followed_up: bool
    revised: bool
    by_person: bool
    surveys: int


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """The answers on one scale. Scales are never mixed: on `three` 1 is the best."""

    answered: Count
    average: Annotated[float, Meta(ge=1, le=10)]
    top: Annotated[Count, Meta(description="the best score that there is: 10, 5, or 1 on `three`")]
    top_rate: Rate
    satisfied: Annotated[Count, Meta(description="all that are not low")]
    satisfied_rate: Rate
    distribution: Annotated[dict[str, int], Meta(description="how many gave each score, by the score")]


class Satisfaction(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the surveys of a group. Each counts for the day on which it was opened."""

    surveys: Annotated[Count, Meta(description="all: asked, suppressed and undeliverable")]
    asked: Annotated[Count, Meta(description="the question went out, as far as is known")]
    answered: Annotated[Count, Meta(description="there is a score")]
    response_rate: Annotated[Rate, Meta(description="answered of asked; null: nobody was asked")] | None
    satisfied: Annotated[Count, Meta(description="answered, and not low")]
    satisfied_rate: Annotated[Rate, Meta(description="satisfied of answered; null: none")] | None
    low: Annotated[Count, Meta(description="low by the rules that held when the score was given")]
    followed_up: Annotated[
        Count,
        Meta(
            description="of the low ones, those that were announced and, where the rules say so, handed to "
            "the ticket system as a task; what became of the task the ticket system knows"
        ),
    ]
    revised: Annotated[Count, Meta(description="answered, with another score in place of the first")]
    set_by_person: Annotated[Count, Meta(description="answered; a person read the score that counts")]
    waiting: Annotated[Count, Meta(description="asked, and may still be answered")]
    expired: Annotated[Count, Meta(description="asked; the time was over without a word")]
    unparsed: Annotated[Count, Meta(description="asked; there are words that nobody understood yet")]
    cancelled: Annotated[dict[str, int], Meta(description="asked and then taken back, by reason")]
    undeliverable: Annotated[Count, Meta(description="the question never arrived; not in asked")]
    suppressed: Annotated[dict[str, int], Meta(description="never asked, by reason")]
    scales: Annotated[dict[str, Scores], Meta(description="the scores, by scale: ten, five, three")]


_WAITING = frozenset(WAITING) - {Status.UNPARSED}


def satisfaction(outcomes: Iterable[Outcome]) -> Satisfaction:
    """The figures of surveys."""
    outcomes = list(outcomes)
    answered = [each for each in outcomes if each.status == Status.ANSWERED]
    cancelled = _by_reason(each for each in outcomes if each.status == Status.CANCELLED)
    undeliverable = cancelled.pop(str(Why.UNDELIVERABLE), 0)
    suppressed = _by_reason(each for each in outcomes if each.status == Status.SUPPRESSED)
    surveys = _sum(outcomes)
    asked = surveys - undeliverable - sum(suppressed.values())
    scored, low = _sum(answered), _sum(each for each in answered if each.low)
    return Satisfaction(
        surveys=surveys,
        asked=asked,
        answered=scored,
        response_rate=_rate(scored, asked),
        satisfied=scored - low,
        satisfied_rate=_rate(scored - low, scored),
        low=low,
        followed_up=_sum(each for each in answered if each.low and each.followed_up),
        revised=_sum(each for each in answered if each.revised),
        set_by_person=_sum(each for each in answered if each.by_person),
        waiting=_sum(each for each in outcomes if each.status in _WAITING),
        expired=_sum(each for each in outcomes if each.status == Status.EXPIRED),
        unparsed=_sum(each for each in outcomes if each.status == Status.UNPARSED),
        cancelled=cancelled,
        undeliverable=undeliverable,
        suppressed=suppressed,
        scales={
            scale.value: _scores(scale, of_scale)
            for scale in Scale
            if (of_scale := [each for each in answered if each.scale == scale])
        },
    )


def _scores(scale: Scale, answered: list[Outcome]) -> Scores:
    distribution = {str(score): 0 for score in range(1, scale.highest + 1)}
    for each in answered:
        distribution[str(each.score)] += each.surveys
    count = _sum(answered)
    top = distribution["1" if scale is Scale.THREE else str(scale.highest)]
    satisfied = _sum(each for each in answered if not each.low)
    return Scores(
        answered=count,
        average=round(sum(int(score) * surveys for score, surveys in distribution.items()) / count, 2),
        top=top,
        top_rate=round(top / count, 4),
        satisfied=satisfied,
        satisfied_rate=round(satisfied / count, 4),
        distribution=distribution,
    )


def _by_reason(outcomes: Iterable[Outcome]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in outcomes:
        reason = each.reason or "unknown"
        found[reason] = found.get(reason, 0) + each.surveys
    return dict(sorted(found.items()))


def _sum(outcomes: Iterable[Outcome]) -> int:
    return sum(each.surveys for each in outcomes)


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
