"""Figures on a real database, held against a plain count of the same surveys, counted or not."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest

from gateway.domain import case
from gateway.domain.days import days
from gateway.domain.figures import Satisfaction
from gateway.domain.ids import IdSource
from gateway.domain.msisdn import bucket_of
from gateway.domain.rules import Duration
from gateway.domain.scale import Scale
from gateway.domain.survey import Revision, State, Status, Subject, Survey, Why
from gateway.domain.timeliness import Promptness, Recorded, hours_begun, promptness
from gateway.services import reports
from gateway.services.lookups import Like, Lookups, Page, TooWide
from gateway.services.reports import By, Period, Report, Reports, TicketsBy, Wanted
from gateway.storage import conversations as rows
from gateway.storage import reports as table
from gateway.storage.database import Database, StorageUnavailable
from gateway.storage.reports import Outrun

CHINA = ZoneInfo("Asia/Shanghai")
#: Real time: how old a conversation is, the database says by its own clock.
NOW = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0)
TODAY = NOW.astimezone(CHINA).date()
IDS = IdSource()


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with await Database.open(database_dsn, size=4) as database:
        yield database


@pytest.fixture
def told(database: Database) -> Reports:
    return Reports(database, lambda: NOW, CHINA)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PAUSE_SECONDS", 0)


async def stored(database: Database, *surveys: Survey) -> None:
    async with database.transaction() as connection:
        await rows.insert(connection, surveys)


async def moved(database: Database, survey: Survey) -> None:
    async with database.transaction() as connection:
        assert await rows.update(connection, [survey]) == set()


def asked(n: int, at: datetime, status: Status = Status.OPEN, **changes: Any) -> Survey:
    """A survey of customer `n`."""
    msisdn = f"861390531{n:04}"
    uid = IDS.new(bucket_of(msisdn), at.timestamp())
    given: dict[str, Any] = {
        "touchpoint": "hotline",
        "ticket": None,
        "scale": Scale.TEN,
        "department": None,
        "agent": None,
        "scores": (),
        "by": None,
        "low": False,
        "reason": None,
    } | changes
    revisions = tuple(Revision(score=score, at=at, by=given["by"]) for score in given["scores"])
    low = given["low"]
    return Survey(
        bucket_of(msisdn),
        uid,
        "survey",
        msisdn,
        f"10086{n:04}",
        given["touchpoint"],
        given["ticket"]["id"] if given["ticket"] else None,
        status,
        at,
        at + timedelta(hours=72),
        None,
        Subject(
            scale=given["scale"], ticket=given["ticket"], department=given["department"], agent=given["agent"]
        ),
        State(revisions=revisions, low=low, followed_up=low, reason=given["reason"]),
        1,
    )


def ticket(n: int, hours: float | None, **more: Any) -> dict[str, Any]:
    times = {}
    if hours is not None:
        answered = datetime(2026, 11, 3, 12, tzinfo=CHINA)
        dispatched = answered - timedelta(hours=hours)
        times = {"dispatched_at": dispatched.isoformat(), "answered_at": answered.isoformat()}
    return {"id": f"TS-{n}", **times, **more}


def period(first: date = TODAY, last: date = TODAY) -> Period:
    return Period(first=first, last=last, zone=CHINA)


def keys(report: Report[Any]) -> dict[str | None, int]:
    return {
        group.key: group.figures.surveys
        if isinstance(group.figures, Satisfaction)
        else group.figures.resolutions
        for group in report.groups
    }


async def test_how_soon_own_words_were_recorded(database: Database, told: Reports) -> None:
    def words(n: int, status: case.Status, seconds: float | None = None, at: datetime = NOW) -> case.Case:
        survey = asked(n, at)
        state = case.State(recorded_at=None if seconds is None else at + timedelta(seconds=seconds))
        subject = case.Subject(reply_id=survey.id, text="断了")
        return case.Case(
            *survey._replace(kind="case", touchpoint=case.TOUCHPOINT)[:7],
            status,
            *survey[8:11],
            subject,
            state,
            1,
        )

    yesterday = NOW - timedelta(days=1)
    done = case.Status.RECORDED
    rows_ = [
        words(1, done, 900),
        words(2, done, 900.001),
        words(3, done, 12 * 3600),
        words(4, done, 12 * 3600 + 1),
        words(5, case.Status.OPEN),
        words(6, case.Status.FAILED),
        words(7, case.Status.CANCELLED),
        words(8, done, 2.5, yesterday),
    ]
    async with database.transaction() as connection:
        await rows.insert(connection, [*rows_, asked(9, NOW)])
    report = await told.recorded(period(TODAY - timedelta(days=1)))
    today = Recorded(cases=6, within_15m=1, within_12h=2, later=1, open=1, failed=1, median_seconds=901)
    before = Recorded(cases=1, within_15m=1, within_12h=0, later=0, open=0, failed=0, median_seconds=3)
    assert [(day.key, day.figures) for day in report.days] == [
        (str(TODAY - timedelta(days=1)), before),
        (str(TODAY), today),
    ]
    assert (report.total.cases, report.total.within_15m, report.total.median_seconds) == (7, 2, 901)
    assert (report.promise_seconds, report.latest_seconds) == (900, 43200)
    strict = Reports(database, lambda: NOW, CHINA, lambda: case.CaseRules(promise=Duration(seconds=2)))
    assert (await strict.recorded(period())).total.within_15m == 0
    nobody = await told.recorded(period(TODAY - timedelta(days=9), TODAY - timedelta(days=8)))
    assert (nobody.days, nobody.total.cases, nobody.total.median_seconds) == ([], 0, None)


async def test_a_day_by_hand(database: Database, told: Reports) -> None:
    await stored(
        database,
        asked(1, NOW, Status.ANSWERED, scores=(10,), department="it"),
        asked(2, NOW, Status.ANSWERED, scores=(9,), department="it"),
        asked(3, NOW, Status.ANSWERED, scores=(8, 5), low=True, department="net"),
        asked(4, NOW, Status.ANSWERED, scores=(2,), low=True, by="anna", department="net"),
        asked(5, NOW, Status.ANSWERED, scores=(1,), scale=Scale.THREE, department="net"),
        asked(6, NOW, Status.EXPIRED),
        asked(7, NOW),
        asked(8, NOW, Status.CLARIFYING),
        asked(9, NOW, Status.UNPARSED),
        asked(10, NOW, Status.CANCELLED, reason=str(Why.UNDELIVERABLE)),
        asked(11, NOW, Status.CANCELLED, reason=str(Why.SUPERSEDED)),
        asked(12, NOW, Status.SUPPRESSED, reason="asked-lately"),
        asked(13, NOW, Status.SUPPRESSED, reason="asked-lately"),
        asked(14, NOW, Status.SUPPRESSED, reason="opted-out"),
    )
    report = await told.satisfaction(period(), By.DEPARTMENT, Wanted())
    total = report.total
    assert (total.surveys, total.asked, total.answered, total.response_rate) == (14, 10, 5, 0.5)
    assert (total.satisfied, total.satisfied_rate, total.low, total.followed_up) == (3, 0.6, 2, 2)
    assert (total.revised, total.set_by_person) == (1, 1)
    assert (total.waiting, total.expired, total.unparsed, total.undeliverable) == (2, 1, 1, 1)
    assert (total.cancelled, total.suppressed) == ({"superseded": 1}, {"asked-lately": 2, "opted-out": 1})
    ten, three = total.scales["ten"], total.scales["three"]
    assert (ten.answered, ten.average, ten.top, ten.top_rate, ten.satisfied) == (4, 6.5, 1, 0.25, 2)
    assert {score: count for score, count in ten.distribution.items() if count} == {
        "2": 1,
        "5": 1,
        "9": 1,
        "10": 1,
    }
    assert (three.answered, three.average, three.top) == (1, 1.0, 1)
    assert three.distribution == {"1": 1, "2": 0, "3": 0}
    assert keys(report) == {"net": 3, "it": 2, None: 9}
    assert [group.key for group in report.groups] == ["net", "it", None]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        pytest.param(0, Promptness.ON_TIME, id="at once"),
        pytest.param(48, Promptness.ON_TIME, id="48 hours"),
        pytest.param(48 + 1 / 3600, Promptness.OVERDUE, id="a second over 48 hours"),
        pytest.param(72, Promptness.OVERDUE, id="72 hours"),
        pytest.param(72 + 1e-6 / 3.6, Promptness.PROBLEM, id="a millisecond over 72 hours"),
        pytest.param(24 * 365, Promptness.PROBLEM, id="a year"),
        pytest.param(-1 / 3600, Promptness.BACKWARDS, id="answered before it was dispatched"),
        pytest.param(None, Promptness.UNTIMED, id="no times"),
    ],
)
async def test_how_soon_a_ticket_was_answered(
    database: Database, told: Reports, hours: float | None, expected: Promptness
) -> None:
    await stored(database, asked(1, NOW, ticket=ticket(1, hours), touchpoint="complaint", agent="A1"))
    found = (await told.timeliness(period(), TicketsBy.HANDLER, Wanted())).groups[0]
    assert found.key == "A1"
    counts = msgspec.structs.asdict(found.figures)
    assert {each: counts[each.replace("-", "_")] for each in Promptness} == {
        each: int(each is expected) for each in Promptness
    }
    listed = Lookups(database, lambda: NOW)
    for each in Promptness:
        rows_found = await listed.surveys(Page(), like=Like(timeliness=each))
        assert len(rows_found) == int(each is expected)


async def test_timeliness_counts_each_resolution_and_leaves_surveys_without_a_ticket_out(
    database: Database, told: Reports
) -> None:
    times = [1, 47, 48, 50, 71, 80, None, -1]
    resolutions = [
        asked(n, NOW, Status.ANSWERED, ticket=ticket(7, hours), touchpoint="complaint", department="it")
        for n, hours in enumerate(times)
    ]
    await stored(database, *resolutions, asked(99, NOW))
    total = (await told.timeliness(period(), TicketsBy.DEPARTMENT, Wanted(department="it"))).total
    assert (total.resolutions, total.on_time, total.overdue, total.problem) == (8, 3, 2, 1)
    assert (total.untimed, total.backwards, total.rate, total.median_hours) == (1, 1, 0.5, 48)
    nothing = (await told.timeliness(period(), TicketsBy.DAY, Wanted(department=""))).total
    assert (nothing.resolutions, nothing.rate, nothing.median_hours) == (0, None, None)


# Held against a plain count of the same surveys

DEPARTMENTS = (None, "it", "net", "=cmd", "a b&c")
REASONS = {
    Status.CANCELLED: ("undeliverable", "superseded", "opted-out"),
    Status.SUPPRESSED: ("asked-lately", "one-open-already"),
}
#: What a group is called, by what it is grouped by.
ASPECTS: dict[str, Callable[[Survey], str | None]] = {
    "day": lambda survey: survey.opened_at.astimezone(CHINA).date().isoformat(),
    "department": lambda survey: survey.subject.department,
    "type": lambda survey: (survey.subject.ticket or {}).get("type"),
    "touchpoint": lambda survey: survey.touchpoint,
    "agent": lambda survey: survey.subject.agent,
    "handler": lambda survey: survey.subject.agent,
    "scale": lambda survey: survey.subject.scale.value,
}


def some_survey(n: int, chance: random.Random) -> Survey:
    at = NOW - timedelta(days=chance.choice((0, 1, 3, 5, 6, 9, 20)), seconds=chance.randrange(86400))
    status = chance.choice(list(Status))
    scale = chance.choice(list(Scale))
    scores: Sequence[int] = ()
    if status is Status.ANSWERED:
        scores = [chance.randint(1, scale.highest) for _ in range(chance.choice((1, 1, 2, 3)))]
    complaint = chance.random() < 0.6
    hours = chance.choice((None, -2, 0, 5, 47.9, 48, 48.1, 72, 72.5, 500))
    about = ticket(n, hours, **({"type": chance.choice("xyz")} if chance.random() < 0.8 else {}))
    return asked(
        n,
        at,
        status,
        touchpoint="complaint" if complaint else chance.choice(("hotline", "counter")),
        ticket=about if complaint else None,
        scale=scale,
        department=chance.choice(DEPARTMENTS),
        agent=chance.choice((None, "A1", "A2", "A3")),
        scores=scores,
        low=bool(scores) and chance.random() < 0.3,
        by=chance.choice((None, "anna")),
        reason=chance.choice(REASONS[status]) if status in REASONS else None,
    )


def plainly(surveys: Sequence[Survey]) -> dict[str, Any]:
    """The same figures, counted one by one."""
    answered = [each for each in surveys if each.status == "answered"]
    suppressed = [each for each in surveys if each.status == "suppressed"]
    cancelled = [each for each in surveys if each.status == "cancelled"]
    lost = [each for each in cancelled if each.state.reason == "undeliverable"]
    expected: dict[str, Any] = {
        "surveys": len(surveys),
        "asked": len(surveys) - len(suppressed) - len(lost),
        "answered": len(answered),
        "low": sum(each.state.low for each in answered),
        "revised": sum(len(each.state.revisions) > 1 for each in answered),
        "set_by_person": sum(each.state.revisions[-1].by is not None for each in answered),
        "waiting": sum(each.status in ("open", "clarifying") for each in surveys),
        "expired": sum(each.status == "expired" for each in surveys),
        "unparsed": sum(each.status == "unparsed" for each in surveys),
        "undeliverable": len(lost),
        "suppressed": dict(Counter(each.state.reason for each in suppressed)),
        "cancelled": dict(Counter(each.state.reason for each in cancelled if each not in lost)),
    }
    for scale in ("ten", "five", "three"):
        scores = [each.state.revisions[-1].score for each in answered if each.subject.scale == scale]
        if scores:
            expected[scale] = (len(scores), round(sum(scores) / len(scores), 2), dict(Counter(scores)))
    return expected


def as_told(figures: Satisfaction) -> dict[str, Any]:
    told = msgspec.to_builtins(figures)
    shown = {name: told[name] for name in plainly([]) if name in told}
    for scale, scores in figures.scales.items():
        given = {int(score): count for score, count in scores.distribution.items() if count}
        shown[scale] = (scores.answered, scores.average, given)
    return shown


def matches(survey: Survey, wanted: Wanted) -> bool:
    return all(
        given is None or (ASPECTS[name](survey) or "") == given for name, given in wanted._asdict().items()
    )


@pytest.mark.parametrize("seed", range(3))
async def test_reports_agree_with_a_plain_count(database: Database, told: Reports, seed: int) -> None:
    """Whatever the grouping and the filters: with nothing counted, with days counted, after late changes."""
    chance = random.Random(seed)
    surveys = [some_survey(n, chance) for n in range(250)]
    await stored(database, *surveys)
    await agree(told, surveys, chance)
    assert await told.count() > 0
    await agree(told, surveys, chance)
    for at in chance.sample(range(len(surveys)), 40):
        new = some_survey(at, chance)
        surveys[at] = surveys[at]._replace(status=new.status, state=new.state)
        if new.subject.scale is not surveys[at].subject.scale:
            surveys[at] = surveys[at]._replace(status=Status.EXPIRED, state=State())
        await moved(database, surveys[at])
    await agree(told, surveys, chance)
    assert await told.count() > 0
    await agree(told, surveys, chance)
    assert await told.count() == 0


async def agree(told: Reports, surveys: Sequence[Survey], chance: random.Random) -> None:
    filters = [
        Wanted(),
        Wanted(department=chance.choice(("", "it", "=cmd"))),
        Wanted(agent=chance.choice(("", "A1")), scale="ten"),
        Wanted(touchpoint="complaint", type="x"),
    ]
    spans = [(30, 0), (6, 5), (4, 0), (9, 9)]
    for by in By:
        (first, last), wanted = chance.choice(spans), chance.choice(filters)
        span = period(TODAY - timedelta(days=first), TODAY - timedelta(days=last))
        report = await told.satisfaction(span, by, wanted)
        meant = [
            each
            for each in surveys
            if matches(each, wanted) and span.first <= each.opened_at.astimezone(CHINA).date() <= span.last
        ]
        assert as_told(report.total) == plainly(meant)
        by_key = {group.key: as_told(group.figures) for group in report.groups}
        names = {ASPECTS[by](each) for each in meant}
        assert by_key == {
            name: plainly([each for each in meant if ASPECTS[by](each) == name]) for name in names
        }
    for tickets_by in TicketsBy:
        answers = await told.timeliness(period(TODAY - timedelta(days=30)), tickets_by, Wanted())
        expected: dict[str | None, Counter[Promptness]] = {}
        for each in surveys:
            if (about := each.subject.ticket) is not None:
                times = [
                    datetime.fromisoformat(about[name]) if name in about else None
                    for name in ("dispatched_at", "answered_at")
                ]
                kind = promptness(hours_begun(*times))
                expected.setdefault(ASPECTS[tickets_by](each), Counter())[kind] += 1
        for group in answers.groups:
            given = msgspec.structs.asdict(group.figures)
            counts = {each: count for each in Promptness if (count := given[each.replace("-", "_")])}
            assert counts == expected.pop(group.key)
        assert expected == {}


# Counted days

OLD = NOW - timedelta(days=10)


async def satisfied(told: Reports) -> tuple[int, int]:
    """How many surveys and how many answers there are in all."""
    total = (await told.satisfaction(period(TODAY - timedelta(days=30)), By.TOUCHPOINT, Wanted())).total
    return total.surveys, total.answered


def answered(survey: Survey) -> Survey:
    return survey._replace(
        status=Status.ANSWERED, state=State(revisions=(Revision(score=9, at=NOW, by="anna"),))
    )


async def of_table(database: Database, statement: str) -> list[Any]:
    async with database.connection() as connection:
        return [row[0] for row in await connection.fetch(statement)]


async def test_only_days_that_settled_are_counted(database: Database, told: Reports) -> None:
    assert await told.count() == 0
    await stored(database, *(asked(n, NOW - timedelta(days=n)) for n in range(9)))
    assert await told.count() == 4
    counted = await of_table(database, "SELECT day FROM report_days ORDER BY day")
    assert counted == [TODAY - timedelta(days=n) for n in (8, 7, 6, 5)]
    assert await told.count() == 0
    assert await satisfied(told) == (9, 0)


async def test_a_clock_that_runs_ahead_counts_nothing_too_early(database: Database) -> None:
    await stored(database, asked(1, NOW - timedelta(days=1)))
    ahead = Reports(database, lambda: NOW + timedelta(days=30), CHINA)
    assert await ahead.count() == 0


async def test_each_survey_is_counted_with_its_agent_and_for_all_agents(
    database: Database, told: Reports
) -> None:
    await stored(database, *(asked(n, OLD, agent=f"A{n}") for n in range(5)))
    await told.count()
    rows_of = "SELECT surveys FROM satisfaction_days WHERE by_agent = {} ORDER BY 1"
    assert await of_table(database, rows_of.format("true")) == [1] * 5
    assert await of_table(database, rows_of.format("false")) == [5]
    span = period(TODAY - timedelta(days=30))
    assert keys(await told.satisfaction(span, By.AGENT, Wanted())) == {f"A{n}": 1 for n in range(5)}
    assert keys(await told.satisfaction(span, By.TOUCHPOINT, Wanted(agent="A3"))) == {"hotline": 1}
    assert keys(await told.satisfaction(span, By.TOUCHPOINT, Wanted())) == {"hotline": 5}


async def test_only_late_changes_are_put_on_record(database: Database) -> None:
    old, young = asked(1, OLD), asked(2, NOW - timedelta(days=3))
    await stored(database, old, young)
    await moved(database, answered(young))
    assert await of_table(database, "SELECT id FROM report_changes") == []
    await moved(database, answered(old))
    assert await of_table(database, "SELECT id FROM report_changes") == [old.id]


async def test_a_change_that_was_outrun_is_not_put_on_record(database: Database) -> None:
    old = asked(1, OLD)
    await stored(database, old)
    async with database.transaction() as connection:
        assert await rows.update(connection, [old._replace(version=7)]) == {old.id}
    assert await of_table(database, "SELECT id FROM report_changes") == []


async def test_a_change_under_way_while_its_day_is_counted_is_not_lost(
    database: Database, told: Reports
) -> None:
    old = asked(1, OLD)
    await stored(database, old)
    async with database.transaction() as connection:
        await rows.update(connection, [answered(old)])
        assert await told.count() > 0  # sees nothing of it
        assert await satisfied(told) == (1, 0)
    assert await satisfied(told) == (1, 1)
    assert await told.count() == 1
    assert await satisfied(told) == (1, 1)
    assert await of_table(database, "SELECT id FROM report_changes") == []


async def test_several_nodes_count_each_day_once(database: Database, told: Reports) -> None:
    await stored(database, *(asked(n, NOW - timedelta(days=5 + n)) for n in range(12)))
    others = [told, *(Reports(database, lambda: NOW, CHINA) for _ in range(3))]
    done = await asyncio.gather(*(each.count() for each in others), return_exceptions=True)
    assert [each for each in done if not isinstance(each, int | Outrun)] == []
    await told.count()
    assert await satisfied(told) == (12, 0)
    assert await of_table(database, "SELECT sum(surveys) FROM satisfaction_days WHERE by_agent") == [12]


async def test_who_counts_by_an_older_view_gives_way(database: Database, told: Reports) -> None:
    """Between our snapshot and our lock the other node has counted the same day."""
    survey = asked(1, OLD)
    await stored(database, survey)
    (day,) = days(OLD.astimezone(CHINA).date(), OLD.astimezone(CHINA).date(), CHINA)

    class Late:
        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        async def fetchval(self, query: str, *arguments: Any) -> Any:
            await self._connection.fetchval("SELECT 1 FROM report_days")
            async with database.transaction() as other:
                await table.count(other, day, NOW)
            return await self._connection.fetchval(query, *arguments)

    with pytest.raises(Outrun):
        async with database.transaction() as connection:
            await table.count(Late(connection), day, NOW)
    assert await satisfied(told) == (1, 0)


async def test_another_time_zone_has_other_days(database: Database, told: Reports) -> None:
    late = NOW.replace(hour=20) - timedelta(days=10)  # the next day in China
    await stored(database, asked(1, late))
    await told.count()
    here = Reports(database, lambda: NOW, ZoneInfo("UTC"))
    span = Period(first=TODAY - timedelta(days=30), last=TODAY, zone=here.zone)
    for _ in range(2):
        assert keys(await here.satisfaction(span, By.DAY, Wanted())) == {late.date().isoformat(): 1}
        await here.count()
    in_china = late.astimezone(CHINA).date().isoformat()
    assert keys(await told.satisfaction(period(TODAY - timedelta(days=30)), By.DAY, Wanted())) == {
        in_china: 1
    }
    assert in_china != late.date().isoformat()


async def test_a_report_that_takes_too_long_is_given_up(
    database: Database, told: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "ONE_SNAPSHOT", table.ONE_SNAPSHOT.replace("'10s'", "'50ms'"))
    async with database.transaction() as connection:
        await connection.execute("LOCK TABLE conversations")
        with pytest.raises(TooWide):
            await told.satisfaction(period(), By.DAY, Wanted())
        with pytest.raises(TooWide):
            await told.timeliness(period(), TicketsBy.DAY, Wanted())
    assert await satisfied(told) == (0, 0)


async def test_a_report_changes_nothing(database: Database, told: Reports) -> None:
    async with told._snapshot() as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("DELETE FROM report_days")


async def test_days_are_counted_in_the_background(
    database: Database, told: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "EVERY_SECONDS", 0.01)
    counts, failures = told.count, [Outrun(), StorageUnavailable("gone"), ValueError("a bug")]
    again = asyncio.Event()

    async def count() -> int:
        if failures:
            raise failures.pop()
        found = await counts()
        again.set()
        return found

    monkeypatch.setattr(told, "count", count)
    await stored(database, asked(1, OLD))
    task = asyncio.create_task(told.run())
    try:
        async with asyncio.timeout(10):
            await again.wait()
    finally:
        task.cancel()
    assert len(await of_table(database, "SELECT day FROM report_days")) > 1
