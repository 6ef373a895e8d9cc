"""`/v1/reports`: satisfaction and timeliness in figures, as JSON or CSV; each figure leads to its cases."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from gateway.domain.days import FIRST_DAY, LAST_DAY, start_of
from gateway.domain.figures import Satisfaction
from gateway.domain.request import Fault, ScaleName
from gateway.domain.scale import Scale
from gateway.domain.timeliness import Timeliness
from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.ports import Services
from gateway.http.problem import INVALID_QUERY, problem
from gateway.http.routes import Gives, Route
from gateway.http.schema import Choice
from gateway.http.sheet import Cell, sheet, wants_sheet
from gateway.services.keys import Scope
from gateway.services.reports import By, Group, Period, RecordedReport, Report, TicketsBy, TooWide, Wanted

MOST_DAYS: Final = 366
USUAL: Final = timedelta(days=29)
#: The touchpoint of resolutions.
COMPLAINT: Final = "complaint"

F = TypeVar("F", Satisfaction, Timeliness)

Key = Annotated[str, Meta(description="a day as 2026-11-22, or a name; null: those without one")]
Cases = Annotated[
    str, Meta(description="GET this for the surveys behind the figures; further filters narrow it")
]
FirstDay = Annotated[date, Meta(description="the first day, as 2026-11-01; absent: 29 days before `to`")]
LastDay = Annotated[date, Meta(description="the last day, included; absent: today")]
Bom = Annotated[bool, Meta(description="CSV: begin with a byte order mark, by which Excel knows UTF-8")]


class SatisfactionQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which surveys, and how they are grouped."""

    since: FirstDay | None = msgspec.field(default=None, name="from")
    to: LastDay | None = None
    by: By = By.DAY
    department: Choice | None = None
    type: Choice | None = None
    touchpoint: Choice | None = None
    agent: Choice | None = None
    scale: ScaleName | None = None
    bom: Bom = False


class TimelinessQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which resolutions, and how they are grouped."""

    since: FirstDay | None = msgspec.field(default=None, name="from")
    to: LastDay | None = None
    by: TicketsBy = TicketsBy.DAY
    department: Choice | None = None
    type: Choice | None = None
    handler: Choice | None = None
    bom: Bom = False


class SatisfactionGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The surveys that have one thing in common."""

    key: Key | None
    figures: Satisfaction
    cases: Cases


class SatisfactionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Surveys count for the day on which they were opened, whenever they are answered."""

    since: date = msgspec.field(name="from")
    to: date
    time_zone: Annotated[str, Meta(description="of the days", examples=["Asia/Shanghai"])]
    by: By
    total: Satisfaction
    cases: Cases
    groups: Annotated[
        list[SatisfactionGroup], Meta(description="days in their order, others the largest first")
    ]


class TimelinessGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The resolutions that have one thing in common."""

    key: Key | None
    figures: Timeliness
    cases: Cases


class TimelinessReport(msgspec.Struct, frozen=True, kw_only=True):
    """Resolutions count for the day on which they came; a ticket that was resolved twice counts twice."""

    since: date = msgspec.field(name="from")
    to: date
    time_zone: Annotated[str, Meta(description="of the days", examples=["Asia/Shanghai"])]
    by: TicketsBy
    total: Timeliness
    cases: Cases
    recorded: Annotated[
        RecordedReport,
        Meta(description="how soon customers' own words had a number (每诉必录), whatever the filters"),
    ]
    groups: Annotated[
        list[TimelinessGroup], Meta(description="days in their order, others the largest first")
    ]


async def satisfaction(request: Request, services: Services) -> Answer:
    """GET /v1/reports/satisfaction"""
    query: SatisfactionQuery = request.query
    reports = services.reports
    period = _period(query.since, query.to, reports.today(), reports.zone)
    if isinstance(period, Answer):
        return period
    wanted = Wanted(query.touchpoint, query.department, query.type, query.agent, query.scale)
    try:
        report = await reports.satisfaction(period, query.by, wanted)
    except TooWide:
        return _too_wide()
    if wants_sheet(request.accept):
        rows = ((group.key, *_satisfaction_cells(group.figures)) for group in _with_total(report))
        return _sheet("satisfaction", period, (query.by.value, *_SATISFACTION), rows, query.bom)
    cases = _CasesOf(period, query.by.value, wanted._asdict())
    groups = [
        SatisfactionGroup(key=group.key, figures=group.figures, cases=cases.of(group.key))
        for group in report.groups
    ]
    return json_answer(
        200,
        SatisfactionReport(
            since=period.first,
            to=period.last,
            time_zone=period.zone.key,
            by=query.by,
            total=report.total,
            cases=cases.all(),
            groups=groups,
        ),
    )


async def timeliness(request: Request, services: Services) -> Answer:
    """GET /v1/reports/timeliness"""
    query: TimelinessQuery = request.query
    reports = services.reports
    period = _period(query.since, query.to, reports.today(), reports.zone)
    if isinstance(period, Answer):
        return period
    wanted = Wanted(department=query.department, type=query.type, agent=query.handler)
    try:
        report = await reports.timeliness(period, query.by, wanted)
    except TooWide:
        return _too_wide()
    if wants_sheet(request.accept):
        rows = ((group.key, *msgspec.structs.astuple(group.figures)) for group in _with_total(report))
        return _sheet("timeliness", period, (query.by.value, *_TIMELINESS), rows, query.bom)
    try:
        recorded = await reports.recorded(period)
    except TooWide:
        return _too_wide()
    by = "agent" if query.by is TicketsBy.HANDLER else query.by.value
    cases = _CasesOf(period, by, wanted._asdict() | {"touchpoint": COMPLAINT})
    groups = [
        TimelinessGroup(key=group.key, figures=group.figures, cases=cases.of(group.key))
        for group in report.groups
    ]
    return json_answer(
        200,
        TimelinessReport(
            since=period.first,
            to=period.last,
            time_zone=period.zone.key,
            by=query.by,
            total=report.total,
            cases=cases.all(),
            recorded=recorded,
            groups=groups,
        ),
    )


def _period(first: date | None, last: date | None, today: date, zone: ZoneInfo) -> Period | Answer:
    """The days that are meant; or 422."""
    last = last or max(FIRST_DAY, min(today, LAST_DAY))
    pointer, told = "/to", ""
    if not FIRST_DAY <= last <= LAST_DAY:
        told = f"must be from {FIRST_DAY} to {LAST_DAY}"
    elif first is None:
        first = max(last - USUAL, FIRST_DAY)
    else:
        pointer = "/from"
        if not FIRST_DAY <= first <= LAST_DAY:
            told = f"must be from {FIRST_DAY} to {LAST_DAY}"
        elif first > last:
            told = f"must not be after to, which is {last}"
        elif (last - first).days >= MOST_DAYS:
            told = f"must be less than {MOST_DAYS} days before to, which is {last}"
    if told or first is None:
        return problem(INVALID_QUERY, f"{pointer[1:]} {told}.", (Fault(pointer, told),))
    return Period(first=first, last=last, zone=zone)


def _too_wide() -> Answer:
    return problem(
        INVALID_QUERY, "Too many cases would be read. Ask for fewer days: a later from, or an earlier to."
    )


@dataclass(frozen=True, slots=True)
class _CasesOf:
    """Where the surveys behind a group's figures are listed: the same days, the same filters."""

    period: Period
    by: str
    filters: Mapping[str, str | None]

    def all(self) -> str:
        return self._query(self.period.first, self.period.last, {})

    def of(self, key: str | None) -> str:
        if self.by == By.DAY:
            day = date.fromisoformat(key or "")
            return self._query(day, day, {})
        return self._query(self.period.first, self.period.last, {self.by: key or ""})

    def _query(self, first: date, last: date, more: Mapping[str, str]) -> str:
        zone = self.period.zone
        bounds = {
            "since": start_of(first, zone).astimezone(zone).isoformat(),
            "until": start_of(last + timedelta(days=1), zone).astimezone(zone).isoformat(),
        }
        filters = {name: value for name, value in self.filters.items() if value is not None}
        return f"/v1/surveys?{urlencode(bounds | filters | dict(more))}"


# CSV

_PLAIN: Final = (
    "surveys",
    "asked",
    "answered",
    "response_rate",
    "satisfied",
    "satisfied_rate",
    "low",
    "followed_up",
    "revised",
    "set_by_person",
    "waiting",
    "expired",
    "unparsed",
    "undeliverable",
)
_BY_SCALE: Final = ("answered", "average", "top", "top_rate", "satisfied", "satisfied_rate")
_SATISFACTION: Final = (
    *_PLAIN,
    "cancelled",
    "cancelled_why",
    "suppressed",
    "suppressed_why",
    *(
        f"{scale.value}_{name}"
        for scale in Scale
        for name in (*_BY_SCALE, *map(str, range(1, scale.highest + 1)))
    ),
)
_TIMELINESS: Final = Timeliness.__struct_fields__
#: The key of the last line, which is all together.
TOTAL: Final = "total"


def _satisfaction_cells(figures: Satisfaction) -> Iterator[Cell]:
    """As `_SATISFACTION` names them."""
    yield from (getattr(figures, name) for name in _PLAIN)
    for reasons in (figures.cancelled, figures.suppressed):
        yield sum(reasons.values())
        yield "; ".join(f"{reason}: {count}" for reason, count in reasons.items())
    for scale in Scale:
        scores = figures.scales.get(scale.value)
        if scores is None:
            yield from (None for _ in range(len(_BY_SCALE) + scale.highest))
        else:
            yield from (getattr(scores, name) for name in _BY_SCALE)
            yield from scores.distribution.values()


def _with_total(report: Report[F]) -> Iterator[Group[F]]:
    yield from report.groups
    yield Group(key=TOTAL, figures=report.total)


def _sheet(
    name: str, period: Period, header: Sequence[str], rows: Iterable[Sequence[Cell]], bom: bool
) -> Answer:
    file = f"{name}-{period.first}-{period.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return sheet(header, rows, bom=bom)._replace(headers=headers)


_MORE: Final = (
    "Days are those of the operator's time zone (`regions.time_zone`), both ends included; at most 366. "
    "`cases` lists what is behind a group. A filter given empty (`department=`) means those without one. "
    "With `Accept: text/csv` a sheet, its last line all together; cells that a spreadsheet would take for a "
    "formula begin with an apostrophe."
)

ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/reports/satisfaction",
        name="reportSatisfaction",
        handler=satisfaction,
        told="How customers answered: response rate, scores on each scale, low ones",
        more="A survey counts for the day on which it was opened, so late answers and revised scores change "
        "the figures of that day. Further filters of `cases`: `low=true`, `status=expired` … " + _MORE,
        scope=Scope.READ,
        query=SatisfactionQuery,
        gives={200: Gives("The figures", SatisfactionReport, sheet=True)},
    ),
    Route(
        method="GET",
        path="/v1/reports/timeliness",
        name="reportTimeliness",
        handler=timeliness,
        told="How soon tickets were answered: within 48 hours, overdue, problem",
        more='From the times of the tickets in `POST /v1/resolutions`, but for those with `"survey": false`. '
        "Each resolution counts, also of a ticket that was opened again, for the day on which it came. "
        "Further filters of `cases`: `timeliness=overdue` … " + _MORE,
        scope=Scope.READ,
        query=TimelinessQuery,
        gives={200: Gives("The figures", TimelinessReport, sheet=True)},
    ),
)
