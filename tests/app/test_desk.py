"""Templates and rules in force: what `check` refuses does not start, and a reload keeps the former."""

import shutil
from pathlib import Path

import pytest

from gateway.app.desk import Desk, FaultyFilesError
from gateway.config import Settings, shipped

LATE = "expires_in: 24h\nreminder: {after: 24h}"
LACKING = "templates: {clarify: survey/clarfy}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("rules", "templates"):
        shutil.copytree(shipped(name), tmp_path / name)
    return Settings(home=tmp_path)


@pytest.mark.parametrize("rules", [LATE, LACKING], ids=["late", "lacking"])
def test_faulty_files_do_not_start(settings: Settings, rules: str) -> None:
    settings.path("rules/surveys.yaml").write_text(rules)
    with pytest.raises(FaultyFilesError, match=r"surveys\.yaml: (reminder\.after|templates\.clarify): "):
        Desk(settings)


@pytest.mark.parametrize("rules", [LATE, LACKING], ids=["late", "lacking"])
def test_a_reload_of_faulty_files_changes_nothing(settings: Settings, rules: str) -> None:
    desk = Desk(settings)
    before = desk.rules, desk.catalogue
    settings.path("rules/surveys.yaml").write_text(rules)
    with pytest.raises(FaultyFilesError):
        desk.read()
    assert (desk.rules, desk.catalogue) == before
    settings.path("rules/surveys.yaml").write_text("expires_in: 48h")
    desk.use(desk.read())
    assert desk.rules.surveys.expires_in.total_seconds() == 48 * 3600
