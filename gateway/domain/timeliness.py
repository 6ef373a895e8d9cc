"""How soon complaints are answered: the promise of 48 hours, and what many answers together make of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

_HOUR: Final = timedelta(hours=1)
#: Hours begun are not counted further than this; SQL counts alike.
MOST_HOURS: Final = 1000
#: Instead of hours, where a ticket says that it was answered before it was dispatched.
BACKWARDS: Final = -1
PROMISED_HOURS: Final = 48
PROBLEM_HOURS: Final = 72


class Promptness(StrEnum):
    """How soon a ticket was answered."""

    ON_TIME = "on-time"  #: within 48 hours of its dispatch, the last second included
    OVERDUE = "overdue"  #: 超时工单: over 48 hours
    PROBLEM = "problem"  #: 问题工单: over 72 hours
    UNTIMED = "untimed"  #: dispatch or answer has no time
    BACKWARDS = "backwards"  #: answered before it was dispatched: one of the times is wrong


#: Which hours begun are which promptness: from, to, both included. UNTIMED has none.
SPANS: Final = {
    Promptness.BACKWARDS: (BACKWARDS, BACKWARDS),
    Promptness.ON_TIME: (0, PROMISED_HOURS),
    Promptness.OVERDUE: (PROMISED_HOURS + 1, PROBLEM_HOURS),
    Promptness.PROBLEM: (PROBLEM_HOURS + 1, MOST_HOURS),
}


def hours_begun(dispatched_at: datetime | None, answered_at: datetime | None) -> int | None:
    """Hours from dispatch to answer, a begun one counted as whole: 48 hours are 48, a second more is 49."""
    if dispatched_at is None or answered_at is None:
        return None
    if answered_at < dispatched_at:
        return BACKWARDS
    return min(-((dispatched_at - answered_at) // _HOUR), MOST_HOURS)


def promptness(hours: int | None) -> Promptness:
    """What hours begun mean."""
    if hours is None:
        return Promptness.UNTIMED
    return next(each for each, (least, most) in SPANS.items() if least <= hours <= most)


class Answered(NamedTuple):
    """So many resolutions were alike."""

    hours: int | None
    resolutions: int


Count = Annotated[int, Meta(ge=0)]
Rate = Annotated[float, Meta(ge=0, le=1)]


class Timeliness(msgspec.Struct, frozen=True, kw_only=True):
    """Answers to tickets. A ticket that was opened again and resolved twice counts twice."""

    resolutions: Annotated[Count, Meta(description="all of the following together")]
    on_time: Annotated[Count, Meta(description="answered within 48 hours of the dispatch")]
    overdue: Annotated[Count, Meta(description="over 48 hours, up to 72")]
    problem: Annotated[Count, Meta(description="over 72 hours")]
    untimed: Annotated[Count, Meta(description="without a time of dispatch or answer; not in the rate")]
    backwards: Annotated[
        Count, Meta(description="answered before their dispatch, says the ticket; not in the rate")
    ]
    rate: (
        Annotated[Rate, Meta(description="on_time of on_time, overdue and problem; null: there are none")]
        | None
    )
    median_hours: (
        Annotated[Count, Meta(description="half took at most so many hours, a begun one counted; up to 1000")]
        | None
    )


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """How soon customers' own words had a number in the ticket system (每诉必录)."""

    cases: Annotated[Count, Meta(description="all of the following together")]
    within_15m: Annotated[
        Count, Meta(description="recorded within `promise` of rules/cases.yaml, 15 minutes")
    ]
    within_12h: Annotated[Count, Meta(description="recorded later, within `latest` of it, 12 hours")]
    later: Annotated[Count, Meta(description="recorded later than that")]
    open: Annotated[Count, Meta(description="the ticket system was asked, and has not answered")]
    failed: Annotated[Count, Meta(description="refused or not answered in time: in the inbox")]
    median_seconds: (
        Annotated[Count, Meta(description="half of those recorded took at most so many; null: none was")]
        | None
    )


def timeliness(answers: Iterable[Answered]) -> Timeliness:
    """The figures of answers to tickets."""
    counts = dict.fromkeys(Promptness, 0)
    by_hours: dict[int, int] = {}
    for hours, resolutions in answers:
        kind = promptness(hours)
        counts[kind] += resolutions
        if hours is not None and kind is not Promptness.BACKWARDS:
            by_hours[hours] = by_hours.get(hours, 0) + resolutions
    timed = sum(by_hours.values())
    return Timeliness(
        resolutions=sum(counts.values()),
        on_time=counts[Promptness.ON_TIME],
        overdue=counts[Promptness.OVERDUE],
        problem=counts[Promptness.PROBLEM],
        untimed=counts[Promptness.UNTIMED],
        backwards=counts[Promptness.BACKWARDS],
        rate=round(counts[Promptness.ON_TIME] / timed, 4) if timed else None,
        median_hours=_median(by_hours, timed),
    )


def _median(by_hours: dict[int, int], timed: int) -> int | None:
    seen = 0
    for hours, resolutions in sorted(by_hours.items()):
        seen += resolutions
        if 2 * seen >= timed:
            return hours
    return None
