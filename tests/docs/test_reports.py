"""docs/reports.md tells each figure, group and promptness that there is."""

import re
from pathlib import Path

import pytest

from gateway.domain.figures import Satisfaction, Scores
from gateway.domain.timeliness import Promptness, Timeliness
from gateway.services.reports import By, TicketsBy

TEXT = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
API = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
TOLD = set(re.findall(r"`([a-z_]+)`", TEXT))


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(set(Satisfaction.__struct_fields__), id="satisfaction"),
        pytest.param(set(Scores.__struct_fields__) - {"answered"}, id="scores"),
        pytest.param(set(Timeliness.__struct_fields__) - {"resolutions"}, id="timeliness"),
        pytest.param({*By, *TicketsBy}, id="groups"),
    ],
)
def test_each_figure_is_told(names: set[str]) -> None:
    assert names - TOLD == set()


def test_each_promptness_is_a_filter_that_is_told() -> None:
    assert [each for each in Promptness if f"`{each}`" not in API] == []
