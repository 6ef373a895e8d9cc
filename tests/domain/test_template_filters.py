"""The filters, as a text in each language needs them."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.template_filters import filters_for, shorten

CHINESE, ENGLISH = filters_for("zh-TW"), filters_for("en")
NOON = datetime(2026, 11, 2, 9, 5, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize(
    ("amount", "chinese", "english"),
    [
        pytest.param("20", "20元", "CNY 20", id="whole"),
        pytest.param("20.00", "20元", "CNY 20", id="whole with cents"),
        pytest.param("19.9", "19.90元", "CNY 19.90", id="cents"),
        pytest.param("0.005", "0.01元", "CNY 0.01", id="rounded half up"),
        pytest.param("-3.5", "-3.50元", "-CNY 3.50", id="arrears"),
        pytest.param("100", "100元", "CNY 100", id="zeros stay"),
    ],
)
def test_money(amount: str, chinese: str, english: str) -> None:
    assert CHINESE["money"](Decimal(amount)) == chinese
    assert ENGLISH["money"](Decimal(amount)) == english


@pytest.mark.parametrize(
    ("megabytes", "chinese", "english"),
    [
        pytest.param("213", "213MB", "213 MB", id="MB"),
        pytest.param("0", "0MB", "0 MB", id="none"),
        pytest.param("1023.5", "1023.5MB", "1023.5 MB", id="just under a GB"),
        pytest.param("1024", "1GB", "1 GB", id="a GB"),
        pytest.param("10240", "10GB", "10 GB", id="zeros stay"),
        pytest.param("1536", "1.5GB", "1.5 GB", id="and a half"),
    ],
)
def test_data(megabytes: str, chinese: str, english: str) -> None:
    assert CHINESE["data"](Decimal(megabytes)) == chinese
    assert ENGLISH["data"](Decimal(megabytes)) == english


@pytest.mark.parametrize(
    ("moment", "style", "chinese", "english"),
    [
        pytest.param(NOON, "date", "2026年11月2日", "2 Nov 2026", id="date"),
        pytest.param(NOON, "day", "11月2日", "2 Nov", id="day"),
        pytest.param(NOON, "time", "11月2日09:05", "2 Nov 09:05", id="time"),
        pytest.param(date(2026, 11, 2), "time", "11月2日", "2 Nov", id="time of a mere date"),
    ],
)
def test_date(moment: date, style: str, chinese: str, english: str) -> None:
    assert CHINESE["date"](moment, style) == chinese
    assert ENGLISH["date"](moment, style) == english


def test_mask() -> None:
    assert CHINESE["mask"]("8613905310001") == "139****0001"


@pytest.mark.parametrize(
    ("text", "length", "shortened"),
    [
        pytest.param("流量包", 3, "流量包", id="fits"),
        pytest.param("流量包月套餐", 4, "流量包…", id="cut"),
        pytest.param("中" * 200 + "👨‍👩‍👧", 203, "中" * 200 + "…", id="far into a long text"),
        pytest.param("monthly plan", 8, "month...", id="dots in GSM"),
        pytest.param("您好👨‍👩‍👧家", 5, "您好…", id="no torn emoji"),
    ],
)
def test_shorten(text: str, length: int, shortened: str) -> None:
    assert shorten(text, length) == shortened


@given(st.text(), st.integers(1, 50))
def test_shortened_text_is_short(text: str, length: int) -> None:
    assert len(shorten(text, length)) <= length
