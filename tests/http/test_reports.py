"""Reports by HTTP: which days, which groups, JSON or CSV, and the way from a figure to its cases."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import msgspec
import pytest

from gateway.domain.figures import Outcome
from gateway.domain.ids import IdSource
from gateway.domain.msisdn import bucket_of
from gateway.domain.scale import Scale
from gateway.domain.survey import Revision, State, Status, Subject, Survey
from gateway.domain.timeliness import Answered
from gateway.http.reports import SatisfactionReport, TimelinessReport
from gateway.services.keys import Scope
from gateway.services.lookups import Lookups
from gateway.services.reports import Reports, TooWide
from gateway.storage import conversations as rows
from gateway.storage.database import Database
from tests.http.fakes import FakeReports, World, world

SATISFACTION, TIMELINESS = "/v1/reports/satisfaction", "/v1/reports/timeliness"
CHINA = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 22)
BOTH = pytest.mark.parametrize("path", [SATISFACTION, TIMELINESS], ids=["satisfaction", "timeliness"])


@pytest.fixture
def figures() -> FakeReports:
    good = Outcome("ten", "answered", None, 10, False, False, False, False, 3)
    bad = Outcome("three", "answered", None, 3, True, True, True, True, 1)
    never = Outcome("ten", "suppressed", "asked-lately", None, False, False, False, False, 2)
    return FakeReports(
        surveys={"=2+5": [good, never], "-net": [bad], None: [good]},
        tickets={"it": [Answered(5, 3), Answered(80, 1)], None: [Answered(None, 1)]},
    )


@pytest.fixture
async def here(figures: FakeReports) -> AsyncIterator[World]:
    async with world(reports=figures) as running:
        running.ring.add("reader", Scope.READ)
        running.ring.add("writer", Scope.TICKETS_WRITE)
        yield running


async def got(api: World, path: str, token: str = "reader", status: int = 200) -> Any:
    async with api.http.get(path, headers={"Authorization": f"Bearer {token}"}) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def read(api: World, path: str) -> tuple[bytes, list[list[str]]]:
    headers = {"Authorization": "Bearer reader", "Accept": "text/csv"}
    async with api.http.get(path, headers=headers) as response:
        assert (response.status, response.content_type, response.charset) == (200, "text/csv", "utf-8")
        body = await response.read()
        assert response.headers["Content-Disposition"].startswith('attachment; filename="')
    return body, list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))


@BOTH
async def test_reports_are_for_readers(here: World, path: str) -> None:
    await got(here, path)
    assert (await got(here, path, "writer", 403))["type"] == "/problems/missing-scope"


@BOTH
@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        pytest.param("", TODAY - timedelta(days=29), TODAY, id="the last 30 days"),
        pytest.param("?from=2026-11-01", date(2026, 11, 1), TODAY, id="since a day"),
        pytest.param("?to=2026-03-02", date(2026, 2, 1), date(2026, 3, 2), id="30 days until a day"),
        pytest.param("?from=2026-10-01&to=2026-10-01", date(2026, 10, 1), date(2026, 10, 1), id="a day"),
        pytest.param("?from=2025-11-22", date(2025, 11, 22), TODAY, id="a year and a day"),
        pytest.param("?to=1971-01-02", date(1971, 1, 1), date(1971, 1, 2), id="no days before there are any"),
    ],
)
async def test_which_days_are_meant(
    here: World, figures: FakeReports, path: str, query: str, first: date, last: date
) -> None:
    body = await got(here, path + query)
    assert (body["from"], body["to"], body["time_zone"]) == (str(first), str(last), "Asia/Shanghai")
    (period, by, _) = figures.asked[0]
    assert (period.first, period.last, by) == (first, last, "day")


@BOTH
@pytest.mark.parametrize(
    ("query", "pointer", "told"),
    [
        pytest.param("from=2026-13-01", "/from", "must be a day, as 2026-11-22", id="no such month"),
        pytest.param("to=yesterday", "/to", "must be a day, as 2026-11-22", id="no day"),
        pytest.param("from=2026-11-23", "/from", "must not be after to, which is 2026-11-22", id="backwards"),
        pytest.param("from=2025-11-21", "/from", "must be less than 366 days before to", id="too long"),
        pytest.param("to=9999-12-31", "/to", "must be from 1971-01-01 to 2999-12-31", id="too late"),
        pytest.param("from=0001-01-01", "/from", "must be from 1971-01-01 to 2999-12-31", id="too early"),
        pytest.param("by=weather", "/by", "must be one of day, department, type", id="no group"),
        pytest.param("route=main", "/route", "is not a parameter here", id="no filter"),
        pytest.param("since=2026-11-01", "/since", "is not a parameter here", id="a name inside"),
        pytest.param("department=" + "x" * 201, "/department", "must have at most 200", id="a long name"),
        pytest.param("bom=yes", "/bom", "must be true or false", id="neither true nor false"),
    ],
)
async def test_what_is_wrong_is_pointed_at(
    here: World, path: str, query: str, pointer: str, told: str
) -> None:
    body = await got(here, f"{path}?{query}", status=422)
    assert body["type"] == "/problems/invalid-query"
    assert body["errors"][0]["pointer"] == pointer
    assert told in body["errors"][0]["detail"]


@BOTH
async def test_too_much_to_read_is_told(here: World, figures: FakeReports, path: str) -> None:
    figures.fails = TooWide()
    assert "Ask for fewer days" in (await got(here, path, status=422))["detail"]


async def test_filters_reach_the_figures(here: World, figures: FakeReports) -> None:
    await got(here, f"{SATISFACTION}?by=agent&department=it&type=&touchpoint=hotline&agent=A1&scale=five")
    await got(here, f"{TIMELINESS}?by=handler&department=it&type=x&handler=A1")
    (_, by, wanted), (_, by_handler, of_handler) = figures.asked
    assert (by, tuple(wanted)) == ("agent", ("hotline", "it", "", "A1", "five"))
    assert (by_handler, tuple(of_handler)) == ("handler", (None, "it", "x", "A1", None))


async def test_each_group_has_its_figures_and_a_way_to_its_cases(here: World) -> None:
    query = "from=2026-10-01&to=2026-10-31"
    body = await got(here, f"{SATISFACTION}?{query}&by=department&touchpoint=hotline")
    report = msgspec.convert(body, SatisfactionReport)
    assert [group.key for group in report.groups] == ["=2+5", "-net", None]
    assert (report.total.surveys, report.groups[0].figures.suppressed) == (9, {"asked-lately": 2})
    path, _, cases = report.groups[0].cases.partition("?")
    assert path == "/v1/surveys"
    month = {"since": ["2026-10-01T00:00:00+08:00"], "until": ["2026-11-01T00:00:00+08:00"]}
    assert parse_qs(cases) == month | {"touchpoint": ["hotline"], "department": ["=2+5"]}
    nobody = parse_qs(urlsplit(report.groups[2].cases).query, keep_blank_values=True)
    assert nobody == month | {"touchpoint": ["hotline"], "department": [""]}
    tickets = msgspec.convert(await got(here, f"{TIMELINESS}?{query}&by=handler"), TimelinessReport)
    assert parse_qs(urlsplit(tickets.cases).query) == month | {"touchpoint": ["complaint"]}
    assert parse_qs(urlsplit(tickets.groups[0].cases).query) == month | {
        "touchpoint": ["complaint"],
        "agent": ["it"],
    }


async def test_satisfaction_as_a_sheet(here: World) -> None:
    body, (header, *lines) = await read(here, f"{SATISFACTION}?by=department")
    assert body.startswith(b"department,surveys,asked,answered,response_rate,")
    assert {len(line) for line in (header, *lines)} == {len(header)}
    assert [line[0] for line in lines] == ["'=2+5", "'-net", "", "total"]
    shown = [dict(zip(header, line, strict=True)) for line in lines]
    assert (shown[0]["ten_average"], shown[0]["ten_10"], shown[0]["three_average"]) == ("10.0", "3", "")
    assert (shown[0]["suppressed"], shown[0]["suppressed_why"]) == ("2", "asked-lately: 2")
    assert (shown[1]["three_3"], shown[1]["low"], shown[1]["set_by_person"]) == ("1", "1", "1")
    assert (shown[3]["surveys"], shown[3]["answered"]) == ("9", "7")


async def test_timeliness_as_a_sheet_for_excel(here: World) -> None:
    body, lines = await read(here, f"{TIMELINESS}?by=department&bom=true")
    assert body.startswith(b"\xef\xbb\xbfdepartment,resolutions,")
    assert lines[1:] == [
        ["it", "4", "3", "0", "1", "0", "0", "0.75", "5"],
        ["", "1", "0", "0", "0", "1", "0", "", ""],
        ["total", "5", "3", "0", "1", "1", "0", "0.75", "5"],
    ]


# With a real database behind it

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def real(database_dsn: str) -> AsyncIterator[World]:
    async with await Database.open(database_dsn, size=4) as database:
        async with database.transaction() as connection:
            await rows.insert(connection, [_survey(n) for n in range(40)])
        lookups = Lookups(database, lambda: NOW)
        async with world(reports=Reports(database, lambda: NOW, CHINA), lookups=lookups) as running:
            running.ring.add("reader", Scope.READ)
            yield running


def _survey(n: int) -> Survey:
    msisdn = f"861390531{n:04}"
    at = NOW - timedelta(hours=7 * n)
    complaint = n % 2 == 0
    about = {"id": f"TS-{n}", "type": f"type {n % 5}", "department": "a&b=c"} if complaint else None
    if about and n % 3:
        about |= {"dispatched_at": (at - timedelta(hours=4 * n)).isoformat(), "answered_at": at.isoformat()}
    low = n % 4 == 0
    return Survey(
        bucket_of(msisdn),
        IdSource().new(bucket_of(msisdn), at.timestamp()),
        "survey",
        msisdn,
        "10086",
        "complaint" if complaint else "热线",
        about["id"] if about else None,
        Status.ANSWERED if n % 3 else Status.EXPIRED,
        at,
        at + timedelta(hours=72),
        None,
        Subject(scale=Scale.TEN, ticket=about, department=("a&b=c", None, "+x")[n % 3], agent=f"A{n % 2}"),
        State(revisions=(Revision(score=n % 10 + 1, at=at),), low=low) if n % 3 else State(),
        1,
    )


@pytest.mark.parametrize("by", ["day", "department", "type", "touchpoint", "agent", "scale"])
async def test_the_cases_behind_a_figure_are_as_many_as_it_says(real: World, by: str) -> None:
    report = await got(real, f"{SATISFACTION}?by={by}&agent=A0")
    for group in [{"figures": report["total"], "cases": report["cases"]}, *report["groups"]]:
        cases = (await got(real, f"{group['cases']}&limit=200"))["data"]
        assert len(cases) == group["figures"]["surveys"]
        low = (await got(real, f"{group['cases']}&low=true"))["data"]
        assert len(low) == group["figures"]["low"]
        expired = (await got(real, f"{group['cases']}&status=expired"))["data"]
        assert len(expired) == group["figures"]["expired"]


@pytest.mark.parametrize("by", ["day", "department", "type", "handler"])
async def test_the_cases_behind_late_answers_are_as_many_as_it_says(real: World, by: str) -> None:
    report = await got(real, f"{TIMELINESS}?by={by}")
    assert report["total"]["problem"] > 0
    for group in [{"figures": report["total"], "cases": report["cases"]}, *report["groups"]]:
        assert (
            len((await got(real, f"{group['cases']}&limit=200"))["data"]) == group["figures"]["resolutions"]
        )
        for kind in ("on-time", "overdue", "problem", "untimed", "backwards"):
            cases = (await got(real, f"{group['cases']}&timeliness={kind}"))["data"]
            assert len(cases) == group["figures"][kind.replace("-", "_")]


async def test_pages_of_cases_follow_each_other(real: World) -> None:
    found: list[str] = []
    path = "/v1/surveys?low=false&touchpoint=complaint&limit=3"
    cursor: str | None = ""
    while cursor is not None:
        body = await got(real, path + (f"&cursor={cursor}" if cursor else ""))
        found += [each["ticket"] for each in body["data"]]
        cursor = body["next_cursor"]
    assert found == [f"TS-{n}" for n in range(40) if n % 2 == 0 and (n % 4 or n % 3 == 0)]
