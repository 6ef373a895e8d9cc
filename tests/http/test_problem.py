"""Every problem is told in the documents, with its status."""

from pathlib import Path

import pytest

from gateway.http.problem import KINDS, Kind

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_a_problem_stands_in_the_documents(kind: Kind) -> None:
    assert f"| `/problems/{kind.code}` | {kind.status} |" in DOCS
