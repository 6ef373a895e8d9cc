"""Words of the business hall that could not be heard or answered are told with their place."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gateway.config import Settings, read_files
from gateway.config.files import shipped
from gateway.config.schema import Connector

RULES = """\
entries:
  balance:
    words: [余额, {word}]
    lookup: balance
    fields: [balance]
    template: hall/balance
  points:
    words: [积分]
    lookup: points
    fields: [points]
    template: hall/points
"""
LOOKUPS = {
    f"lookup.{name}": Connector(url="http://127.0.0.1:1/", method="GET", result="/result")
    for name in ("balance", "points")
}


def read(
    folder: Path, text: str, connectors: dict[str, Connector] | None = None
) -> tuple[list[str], list[str]]:
    """Faults and doubts about these keywords, without the folder's name."""
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    (rules / "keywords.yaml").write_text(text, encoding="utf-8")
    files = read_files(Settings(home=folder, connectors=LOOKUPS if connectors is None else connectors))
    told = [
        [each.rpartition("/rules/")[2] for each in part if "keywords" in each]
        for part in (files.faults, files.doubts)
    ]
    return told[0], told[1]


def test_what_is_in_order_is_taken(tmp_path: Path) -> None:
    assert read(tmp_path, RULES.format(word="CXYE")) == ([], [])


@pytest.mark.parametrize(
    ("word", "why"),
    [
        pytest.param("TD", "is an opt-out", id="an opt-out"),
        pytest.param("恢复订阅", "is an opt-out, or takes one back", id="back in"),
        pytest.param("0000", "opens the list", id="0000"),
        pytest.param("'00000'", "opens the list", id="00000"),
        pytest.param("Y", "is a yes or a no", id="yes"),
        pytest.param("不要", "is a yes or a no", id="no"),
        pytest.param("'8'", "is a score", id="a score"),
        pytest.param("非常满意", "is a score", id="a score in words"),
        pytest.param("'!!'", "has neither letters nor digits", id="nothing"),
        pytest.param("積分", "", id="the word of another entry, in another script"),
    ],
)
def test_words_that_could_not_be_heard_are_faults_with_their_place(
    tmp_path: Path, word: str, why: str
) -> None:
    faults, _ = read(tmp_path, RULES.format(word=f"'{word}'" if word == "0000" else word))
    (told,) = faults
    if why:
        assert re.match(r"keywords\.yaml:3:17: ", told)
        assert why in told
    else:
        assert told == "keywords.yaml:8:13: '积分' asks for balance already; a word asks for one thing"


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        pytest.param(
            "hall/balance",
            "hall/balence",
            "6:15: there is no template hall/balence; did you mean hall/balance?",
            id="an unknown template",
        ),
        pytest.param(
            "fields: [balance]", "fields: [amount]", "needs balance, which is none of", id="unfilled"
        ),
        pytest.param("fields: [balance]", "fields: [balance, balanse]", "takes no balanse", id="not taken"),
        pytest.param("    lookup: balance\n", "", "4:13: are of what was looked up", id="no look-up"),
        pytest.param("entries:", "polite_after: 3m\nentries:", "1:15: comes when", id="polite too late"),
        pytest.param(
            "entries:",
            "templates: {slow: hall/balance}\nentries:",
            "needs parameters, and gets none",
            id="slow",
        ),
        pytest.param("hall/points", "hall/help", "needs keywords", id="no list"),
    ],
)
def test_what_could_not_be_answered_is_a_fault(tmp_path: Path, was: str, now: str, why: str) -> None:
    faults, _ = read(tmp_path, RULES.format(word="CXYE").replace(was, now))
    assert any(why in told for told in faults), faults


@pytest.mark.parametrize(
    ("connectors", "why"),
    [
        pytest.param({}, "no connector lookup.balance, lookup.points is configured", id="none"),
        pytest.param(
            {"lookup.balanse": LOOKUPS["lookup.balance"], "lookup.points": LOOKUPS["lookup.points"]},
            "no connector lookup.balance is configured; did you mean lookup.balanse?",
            id="misspelt",
        ),
        pytest.param(
            {**LOOKUPS, "lookup.points": Connector(url="http://127.0.0.1:1/")},
            "has no result",
            id="no result",
        ),
    ],
)
def test_look_ups_that_nobody_answers_are_doubtful(
    tmp_path: Path, connectors: dict[str, Connector], why: str
) -> None:
    faults, doubts = read(tmp_path, RULES.format(word="CXYE"), connectors)
    assert faults == []
    assert any(why in told for told in doubts), doubts


def test_shipped_words_without_their_templates_are_left_out(tmp_path: Path) -> None:
    shutil.copytree(shipped("templates"), tmp_path / "templates")
    for path in (tmp_path / "templates" / "sms" / "hall").glob("points.*"):
        path.unlink()
    files = read_files(Settings(home=tmp_path))
    assert files.faults == ()
    assert "points" not in files.keywords.entries
    assert "balance" in files.keywords.entries
    assert any("there is no template hall/points" in told for told in files.doubts)
