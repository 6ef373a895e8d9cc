"""The filters of the field: money, data volumes, dates, masked numbers and shortened texts, by language."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from gateway.domain.msisdn import mask
from gateway.sms import alphabet, graphemes

_CENT: Final = Decimal("0.01")
_WINDOW: Final = 64
_GB: Final = Decimal(1024)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Filter = Callable[..., str]


def filters_for(language: str) -> dict[str, Filter]:
    """The filters as a text in this language needs them."""
    chinese = language.lower().startswith("zh")

    def money(amount: Decimal) -> str:
        return _money_zh(amount) if chinese else _money_en(amount)

    def data(megabytes: Decimal) -> str:
        return _data(megabytes, "" if chinese else " ")

    def date_(moment: date, style: str = "date") -> str:
        return (_date_zh if chinese else _date_en)(moment, style)

    return {"money": money, "data": data, "date": date_, "mask": mask, "shorten": shorten}


def shorten(text: str, length: int) -> str:
    """At most `length` characters, no grapheme torn, an ellipsis at the end of a cut one.

    A GSM text gets three dots: one `…` would triple its price.
    """
    if len(text) <= length:
        return text
    ellipsis = "..." if alphabet.is_gsm(text[:length]) else "…"
    room = max(0, length - len(ellipsis))
    # Only the last few characters are looked at: no grapheme worth keeping is longer.
    start = max(0, room - _WINDOW)
    end = start + max(graphemes.boundaries(text[start : room + 1]), default=0)
    return (text[:end].rstrip() + ellipsis)[:length]


def _plain(number: Decimal) -> str:
    """At most two decimals, and none that say nothing: 20, 19.90."""
    rounded = number.quantize(_CENT, ROUND_HALF_UP)
    return f"{rounded:f}" if rounded % 1 else f"{rounded:.0f}"


def _money_zh(amount: Decimal) -> str:
    return _plain(amount) + "元"


def _money_en(amount: Decimal) -> str:
    sign = "-" if amount < 0 else ""
    return f"{sign}CNY {_plain(abs(amount))}"


def _data(megabytes: Decimal, space: str) -> str:
    amount, unit = (megabytes / _GB, "GB") if megabytes >= _GB else (megabytes, "MB")
    rounded = amount.quantize(_CENT, ROUND_HALF_UP)
    digits = f"{rounded:f}".rstrip("0").rstrip(".")
    return f"{digits}{space}{unit}"


def _clock(moment: date) -> str:
    return f"{moment:%H:%M}" if isinstance(moment, datetime) else ""


def _date_zh(moment: date, style: str) -> str:
    day = f"{moment.month}月{moment.day}日"
    if style == "day":
        return day
    if style == "time":
        return day + _clock(moment)
    return f"{moment.year}年{day}"


def _date_en(moment: date, style: str) -> str:
    day = f"{moment.day} {_MONTHS[moment.month - 1]}"
    if style == "day":
        return day
    if style == "time":
        return f"{day} {_clock(moment)}".rstrip()
    return f"{day} {moment.year}"
