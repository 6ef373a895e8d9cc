"""docs/confirmations.md shows the tables that the code goes by."""

from __future__ import annotations

import pytest

from tests.docs.confirmations import PAGE, redrawn


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert redrawn(page) == page, "run: python -m tests.docs.confirmations"


def test_a_page_without_its_markers_is_noticed() -> None:
    with pytest.raises(ValueError, match="markers of state table"):
        redrawn("# Confirmations\n")
