"""How SMPP writes times: validity_period and schedule_delivery_time (SMPP 3.4 §7.1), dates of receipts."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

from gateway.smpp.errors import EncodeError

_QUARTER: Final = timedelta(minutes=15)
_MOST_QUARTERS: Final = 48  # SMPP 3.4 §7.1.1
_LONGEST: Final = timedelta(days=31)
_LONGEST_OF_MONTHS: Final = timedelta(days=364)  # twelve months of 30 days, and 4
#: Receipts' dates by their number of digits, most usual first (SMPP 3.4 appendix B has the first).
_RECEIPT_FORMS: Final = {10: ("%y%m%d%H%M",), 12: ("%y%m%d%H%M%S", "%Y%m%d%H%M"), 14: ("%Y%m%d%H%M%S",)}


def relative(after: timedelta, *, months: bool = False) -> str:
    """`after` from now on, as the SMSC's clock goes: `000001000000000R` is a day (SMPP 3.4 §7.1.1.2).

    Whole seconds, at most 31 days, because months and years of a relative time have no set length; with
    `months`, where a day more or less does not matter, at most 364 days in months of 30.
    Raises `EncodeError`.
    """
    longest = _LONGEST_OF_MONTHS if months else _LONGEST
    if not timedelta(0) <= after <= longest:
        raise EncodeError(f"a relative time of {after} where {longest.days} days may stand")
    hours, seconds = divmod(after.seconds, 3600)
    whole, days = divmod(after.days, 30) if months else (0, after.days)
    return f"00{whole:02}{days:02}{hours:02}{seconds // 60:02}{seconds % 60:02}000R"


def absolute(at: datetime) -> str:
    """A moment with its own offset to UTC, which SMPP counts in quarters of an hour: `261122094403032+`.

    More than twelve hours can't be told: then it is UTC. Raises `EncodeError` for a time without a zone.
    """
    offset = at.utcoffset()
    if offset is None:
        raise EncodeError("a time without its zone")
    if offset % _QUARTER or abs(offset) > _MOST_QUARTERS * _QUARTER:
        at, offset = at.astimezone(UTC), timedelta(0)
    quarters = abs(offset) // _QUARTER
    return f"{at:%y%m%d%H%M%S}{at.microsecond // 100_000}{quarters:02}{'-' if offset < timedelta(0) else '+'}"


def moment(text: str, now: datetime) -> datetime | None:
    """What a validity_period or schedule_delivery_time means at `now`; None for an empty or ill-formed one.

    Months of a relative time count as 30 days, years as 365.
    """
    if len(text) != 16 or not (text[:15].isascii() and text[:15].isdigit()):
        return None
    if text[15] == "R":
        years, months, days, hours, minutes, seconds = (int(text[at : at + 2]) for at in range(0, 12, 2))
        return now + timedelta(
            days=365 * years + 30 * months + days, hours=hours, minutes=minutes, seconds=seconds
        )
    quarters = int(text[13:15])
    if text[15] not in "+-" or quarters > 48 + 8:
        return None
    offset = quarters * _QUARTER * (1 if text[15] == "+" else -1)
    local = _read(text[:12], "%y%m%d%H%M%S")
    if local is None:
        return None
    return (local + timedelta(milliseconds=100 * int(text[12]))).replace(tzinfo=timezone(offset))


def receipt_moment(digits: str, zone: tzinfo) -> datetime | None:
    """A receipt's date of 10, 12 or 14 digits in the SMSC's own zone; None when it is no date."""
    for form in _RECEIPT_FORMS.get(len(digits), ()):
        if (read := _read(digits, form)) is not None:
            return read.replace(tzinfo=zone)
    return None


def _read(digits: str, form: str) -> datetime | None:
    if not (digits.isascii() and digits.isdigit()):
        return None
    try:
        # SMPP writes the zone elsewhere or not at all; who calls puts it in.
        return datetime.strptime(digits, form)  # noqa: DTZ007
    except ValueError:
        return None
