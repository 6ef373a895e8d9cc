"""rules/confirmations.yaml and its templates as `huiyin check` judges them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway import config
from gateway.config import read_files, shipped


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copytree(shipped("rules"), tmp_path / "rules")
    shutil.copytree(shipped("templates"), tmp_path / "templates")
    (tmp_path / "huiyin.toml").write_text("")
    return tmp_path


def faults(home: Path) -> list[str]:
    return [each for each in read_files(config.load(home / "huiyin.toml", {})).faults if "confirm" in each]


def test_the_shipped_ones_are_in_order(home: Path) -> None:
    assert faults(home) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param('review: {above: "ten"}', "confirmations.yaml:1:", id="no price"),
        pytest.param("review: {quicker_then: 2s}", "quicker_than", id="a slip of the pen"),
        pytest.param("expires_in: soon", "confirmations.yaml:1:", id="no length of time"),
        pytest.param("templates: {prompt: confirmation/ask}", "there is no template", id="no template"),
        pytest.param(
            "templates: {prompt: complaint/clarify}", "is given", id="a template that asks otherwise"
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(home: Path, text: str, told: str) -> None:
    (home / "rules" / "confirmations.yaml").write_text(text)
    assert any(told in each for each in faults(home)), faults(home)


def test_a_prompt_that_is_no_order_is_a_fault(home: Path) -> None:
    prompt = home / "templates" / "sms" / "confirmation" / "confirm.en.j2"
    prompt.write_text(prompt.read_text().replace("order: true\n", ""))
    (told,) = faults(home)
    assert "lacks `order: true`" in told


def test_own_templates_from_before_are_a_doubt_only(home: Path) -> None:
    shutil.rmtree(home / "templates" / "sms" / "confirmation")
    (home / "rules" / "confirmations.yaml").unlink()
    files = read_files(config.load(home / "huiyin.toml", {}))
    assert [each for each in files.faults if "confirm" in each] == []
    assert any("confirmation/confirm" in each for each in files.doubts)
