"""How people type the words of the business hall, and what is none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.consent import Unclear, read_consent
from gateway.domain.keywords import Entry, Keywords
from gateway.domain.rules import load_text

RULES = Path(__file__).parents[2] / "rules" / "keywords.yaml"


@pytest.fixture(scope="module")
def shipped() -> Keywords:
    read = load_text("keywords.yaml", RULES.read_text("utf-8"), Keywords)
    assert isinstance(read, Keywords), read
    return read


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        pytest.param("CXYE", "balance", id="as printed"),
        pytest.param("cxye", "balance", id="lower case"),
        pytest.param("ＣＸＹＥ", "balance", id="full width"),
        pytest.param(" C X Y E ", "balance", id="blanks"),
        pytest.param("cxye。", "balance", id="closing punctuation"),
        pytest.param("“CXYE”", "balance", id="quoted"),
        pytest.param("查余额", "balance", id="simplified"),
        pytest.param("查餘額！", "balance", id="traditional"),
        pytest.param("余额？", "balance", id="asked"),
        pytest.param("Check  balance.", "balance", id="English"),
        pytest.param("查流量\r\n", "usage", id="a line break"),
        pytest.param("帳單", "bill", id="a bill, traditional"),
        pytest.param("积分", "points", id="points"),
        pytest.param("my plan", "package", id="plan"),
        pytest.param("HELP", "help", id="help"),
        pytest.param("0", "help", id="zero"),
        pytest.param("０", "help", id="zero, full width"),
        pytest.param("人工", "human", id="a person"),
    ],
)
def test_a_word_in_any_dress_is_the_word(shipped: Keywords, text: str, entry: str) -> None:
    assert shipped.find(text) == entry


@pytest.mark.parametrize(
    "text",
    [
        "我的余额怎么又少了",
        "余额不足还让我交费",
        "查余额和流量",
        "balance is wrong",
        "what is my bill for",
        "CXYE CXLL",
        "00",
        "0000",
        "10",
        "",
        "。",
        "余额" * 40,
        "套餐外扣费",
    ],
)
def test_a_sentence_is_no_keyword(shipped: Keywords, text: str) -> None:
    assert shipped.find(text) is None


def test_no_shipped_word_says_yes_or_no(shipped: Keywords) -> None:
    words = [word for entry in shipped.entries.values() for word in entry.words]
    assert [word for word in words if not isinstance(read_consent(word), Unclear)] == []


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        pytest.param("en", ["BALANCE"], id="the customer's"),
        pytest.param(None, ["CXYE 查余额"], id="not known: the first"),
        pytest.param("fr", ["CXYE 查余额"], id="not written: the first"),
    ],
)
def test_help_speaks_the_customers_language(language: str | None, lines: list[str]) -> None:
    keywords = Keywords(
        entries={
            "balance": Entry(
                words=("余额",), template="hall/balance", line={"zh-CN": "CXYE 查余额", "en": "BALANCE"}
            ),
            "help": Entry(words=("帮助",), template="hall/help", lists=True),
        }
    )
    assert [each["line"] for each in keywords.lines(language)] == lines
