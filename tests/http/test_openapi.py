"""The OpenAPI document is true: a fuzzer that reads it finds no answer that it does not describe."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.domain.figures import Outcome
from gateway.domain.ids import IdSource
from gateway.domain.scale import Scale
from gateway.domain.survey import Status
from gateway.domain.timeliness import Answered
from gateway.http.openapi import problems_of
from gateway.http.resources import ROUTES, openapi
from gateway.http.routes import Route
from tests.http.fakes import FakeReports, World, delivery

DOCUMENT = json.loads(openapi())


def test_every_route_is_described_once() -> None:
    described = {f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item}
    assert described == {route.operation for route in ROUTES}
    names = [operation["operationId"] for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere_and_has_a_plain_name() -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert names <= set(DOCUMENT["components"]["schemas"])
    assert [name for name in DOCUMENT["components"]["schemas"] if not re.fullmatch("[A-Za-z]+", name)] == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_every_answer_of_a_route_is_described(route: Route) -> None:
    operation: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    described = {int(status) for status in operation["responses"]}
    assert described == set(route.gives) | set(problems_of(route))
    assert all("X-Request-Id" in answer["headers"] for answer in operation["responses"].values())
    assert bool(operation["security"]) == (route.scope is not None) == route.path.startswith("/v1/")


async def test_what_is_served_is_what_is_described(api: World) -> None:
    async with api.http.get("/openapi.json") as response:
        assert await response.json() == DOCUMENT


async def test_a_fuzzer_finds_no_answer_that_is_not_described(api: World, tmp_path: Path) -> None:
    ids = IdSource()
    api.callbacks.rows = [delivery(ids) for _ in range(3)]
    await api.webhooks.create("https://crm.example.com", ["*"])
    fake = cast(FakeReports, api.reports)
    fake.surveys = {
        "-it": [Outcome(scale, "answered", None, 1, True, True, True, True, 2) for scale in Scale],
        None: [
            Outcome("ten", status, "asked-lately", None, False, False, False, False, 1)
            for status in Status
            if status is not Status.ANSWERED
        ],
    }
    fake.tickets = {"it": [Answered(hours, 2) for hours in (None, -1, 0, 48, 49, 73, 1000)], None: []}
    fuzzer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json"),
        *("--header", "Authorization: Bearer all", "--phases", "examples,coverage,fuzzing"),
        # What a schema can't say (which numbers exist) is refused with 422 although it fits the schema.
        *("--exclude-checks", "positive_data_acceptance"),
        *("--max-examples", "10", "--generation-deterministic", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    report, _ = await fuzzer.communicate()
    assert fuzzer.returncode == 0, report.decode()
