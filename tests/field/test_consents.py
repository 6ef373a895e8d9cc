"""Every answer to a confirmation is read as a careful person reads it, or asked again: never a wrong yes."""

import re
from pathlib import Path
from typing import Final

import pytest

from gateway.domain.consent import No, Reason, Unclear, Yes, read_consent
from tests.field import Exhibit, exhibits

PAGE: Final = Path(__file__).parents[2] / "docs" / "replies.md"

CODE = "37"
FILES = [
    pytest.param("consent.tsv", None, id="one question"),
    pytest.param("consent-code.tsv", CODE, id="a code asked for"),
]


def read(exhibit: Exhibit, code: str | None) -> str:
    """The reading in the words of the file."""
    match read_consent(exhibit.reply, code=code):
        case Yes():
            return "yes"
        case No():
            return "no"
        case Unclear(reason):
            return f"?{reason}"


@pytest.mark.parametrize(("file", "code"), FILES)
def test_every_answer_is_read_as_the_museum_says(file: str, code: str | None) -> None:
    turned = [
        f"line {each.line}: {each.reply!r} was {expected}, is {found}"
        for each in exhibits(file)
        if (found := read(each, code)) != (expected := f"?{each.why}" if each.why else str(each.reading))
    ]
    assert not turned, "\n" + "\n".join(turned)


@pytest.mark.parametrize(("file", "code"), FILES)
def test_no_answer_is_a_yes_that_a_person_does_not_see(file: str, code: str | None) -> None:
    wrong = [
        f"line {each.line}: {each.reply!r}"
        for each in exhibits(file)
        if read(each, code) == "yes" and each.reading != "yes"
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_yes_is_one_where_a_code_is_asked_for() -> None:
    assert [each.reply for each in exhibits("consent.tsv") if read(each, "38") == "yes"] == []


def test_a_yes_with_another_code_is_none() -> None:
    codes = (None, "", "38", "3", "7", "73")
    exhibited = exhibits("consent-code.tsv")
    assert [
        each.reply for each in exhibited for code in codes if "37" in each.reply and read(each, code) == "yes"
    ] == []


@pytest.mark.parametrize(("file", "code"), FILES)
def test_the_museum_holds_each_answer_once_and_every_reason(file: str, code: str | None) -> None:
    replies = [each.reply for each in exhibits(file)]
    assert len(replies) == len(set(replies))
    assert len(replies) >= (1_500 if code is None else 250)
    reasons = {each.why for each in exhibits(file)} - {None}
    assert reasons <= set(Reason)
    if code is None:
        assert reasons == set(Reason) - {Reason.CODE_MISSING, Reason.CODE_WRONG}


def _unescaped(reply: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), reply)


def test_the_page_tells_how_answers_are_read() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Yes and no")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    told = {row[0].strip(" `"): row[1].strip().split(" · ") for row in rows if len(row) > 1}
    yes = [reply for language in ("all", "zh-CN, zh-TW", "en") for reply in told[language]]
    assert {read_consent(reply) for reply in yes} == {Yes()}
    for reason in set(Reason) - {Reason.CODE_MISSING, Reason.CODE_WRONG, Reason.CODE_UNASKED}:
        read_as = {reply: read_consent(_unescaped(reply)) for reply in told[reason] if reply}
        assert read_as == dict.fromkeys(read_as, Unclear(reason))
        assert read_as
