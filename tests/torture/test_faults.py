"""A small share of the faults campaign: those that are over soonest, one of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.simulator.scenario import Do
from tests.torture import habits, told
from tests.torture.campaign import tidy
from tests.torture.faults import Case, prepared, run
from tests.torture.gateway import Gateway
from tests.torture.outcomes import Row

MESSAGES = 150
SHARE = [
    "drop-before-answer",
    "receipt-first",
    "ids: hex and decimal, default profile",
    "mo-other-sender-same-reference",
]


@pytest.fixture(scope="module")
def like() -> Iterator[Gateway]:
    with prepared() as gateway:
        yield gateway


@pytest.mark.parametrize("case", [pytest.param(habits.BY_NAME[name], id=name) for name in SHARE])
async def test_a_fault_of_the_smsc_costs_no_message(case: Case, like: Gateway) -> None:
    row, folder = await run(case, like, seed=31, messages=MESSAGES)
    assert not row.breaches, "\n".join([*row.breaches[:20], f"see {folder}"])
    assert row.accepted >= MESSAGES
    assert row.taken + row.failed + row.unknown >= row.accepted * 0.9
    tidy(folder)


def test_each_scripted_fault_has_its_run() -> None:
    played = " ".join(case.plays for case in habits.ALL)
    assert [do for do in Do if f"do: {do}," not in played and f"do: {do}}}" not in played] == []
    assert len(habits.BY_NAME) == len(habits.ALL)


def test_the_table_in_the_docs_is_replaced_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "guarantees.md"
    page.write_text(f"before\n{told.BEGIN}\nold\n{told.END}\nafter\n")
    told.write([Row(name="reset", profile="default", accepted=1200, texts=3, texts_wrong=1)], page)
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1], "old" in lines) == ("before", "after", False)
    assert lines[4].startswith("| reset | default | 1,200 |")
    assert "2 of 3" in lines[4]
