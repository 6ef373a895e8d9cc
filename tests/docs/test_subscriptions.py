"""docs/subscriptions.md shows the table that the code goes by, and its examples are read as it says."""

from __future__ import annotations

import re

import pytest

from gateway.domain.choice import All, Chosen, Unclear, read_choice
from tests.docs.subscriptions import PAGE, redrawn

NAMES = ["手机报", "视频会员", "彩铃", "云盘", "来电显示"]
TABLE = PAGE.read_text(encoding="utf-8").partition("| the customer writes |")[2].partition("\n\n")[0]


def texts(row: int) -> list[str]:
    """The texts of a row of the table of what customers write, from 1."""
    return re.findall("`([^`]+)`", TABLE.splitlines()[row + 1].split("|")[1])


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert redrawn(page) == page, "run: python -m tests.docs.subscriptions"


def test_a_page_without_its_markers_is_noticed() -> None:
    with pytest.raises(ValueError, match="markers of the menu table"):
        redrawn("# Subscriptions\n")


def test_what_customers_write_is_read_as_the_page_says() -> None:
    assert all(read_choice(text, NAMES, 5) == Chosen((1,)) for text in texts(1))
    assert all(read_choice(text, NAMES, 5) == Chosen((1, 3)) for text in texts(2))
    assert all(read_choice(text, NAMES, 5) == All() for text in texts(3) if text != "00000")
    assert all(isinstance(read_choice(text, NAMES, 5), Unclear) for text in texts(6))
    assert len(texts(6)) == 7
