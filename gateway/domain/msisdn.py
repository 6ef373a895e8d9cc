"""Customers' numbers: read as people write them, kept as E.164 digits, masked where they are shown.

The numbering plans are our own short ones of mobile numbers: this runs for every message and every fact.
"""

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple, NewType

#: E.164 digits without the plus sign.
Msisdn = NewType("Msisdn", str)

BUCKETS: Final = 256  # an installation constant: rows are placed by it


class Plan(NamedTuple):
    """A region's country code, its mobile numbers without it, and the digit dialled before them at home."""

    country_code: str
    mobile: str
    trunk: str = ""


PLANS: Final = {
    "cn": Plan("86", "1(?:3[0-9]|4[014-9]|5[0-35-9]|6[12567]|7[0-8]|8[0-9]|9[0-35-9])[0-9]{8}", "0"),
    "hk": Plan("852", "(?:4[0-9]|5[1-9]|6[0-9]|7[0-3]|8[4-9]|9[0-9])[0-9]{6}"),
    "mo": Plan("853", "6[0-9]{7}"),
    "tw": Plan("886", "9[0-9]{8}", "0"),
    "sg": Plan("65", "[89][0-9]{7}"),
    "my": Plan("60", "1(?:1[0-9]{8}|[02-9][0-9]{7,8})", "0"),
    "th": Plan("66", "(?:14|6[0-9]|8[0-9]|9[0-9])[0-9]{7}", "0"),
    "jp": Plan("81", "[6-9]0[0-9]{8}", "0"),
    "kr": Plan("82", "1[0-9]{8,9}", "0"),
    "gb": Plan("44", "7[1-57-9][0-9]{8}", "0"),
    "de": Plan("49", "1[567][0-9]{8,9}", "0"),
    "fr": Plan("33", "[67][0-9]{8}", "0"),
    "us": Plan("1", "[2-9][0-9]{2}[2-9][0-9]{6}", "1"),
    "ca": Plan("1", "[2-9][0-9]{2}[2-9][0-9]{6}", "1"),
    "au": Plan("61", "4[0-9]{8}", "0"),
    "in": Plan("91", "[6-9][0-9]{9}", "0"),
    "ru": Plan("7", "9[0-9]{9}", "8"),
}

DEFAULT_REGIONS: Final = ("cn",)

# What people put between digits, and full-width forms of digits and the plus sign.
_TIDY: Final = {
    ord(char): None
    for char in " \t\r\n\u00a0\u2009\u200b\u202a\u202b\u202c\u202d\u202e\u3000-\u2010\u2011\u2013.()（）－"
} | {
    0xFF0B: "+",
    **{0xFF10 + digit: str(digit) for digit in range(10)},
}


@lru_cache(maxsize=64)
def _reader(region: str) -> tuple[re.Pattern[str], str]:
    """Group 1 of a match is the national number. KeyError for a region without a plan."""
    code, mobile, trunk = PLANS[region]
    at_home = f"|{trunk}" if trunk else ""
    return re.compile(f"(?:(?:\\+|00)?{code}{at_home}|)({mobile})"), code


def parse_msisdn(raw: str, regions: Sequence[str] = DEFAULT_REGIONS) -> Msisdn | None:
    """The customer a written number means, or None if it can't be a mobile number of these regions.

    `13905310001`, `+86 139 0531 0001`, `008613905310001` and full-width `１３９０５３１０００１` are one
    customer. A number without its country code is read by the first region that it fits.
    """
    for region in regions:
        pattern, code = _reader(region)
        if (match := pattern.fullmatch(raw)) is not None:
            return Msisdn(code + match[1])
    if raw.isascii() and raw.isdigit():
        return None
    tidy = raw.translate(_TIDY)
    return parse_msisdn(tidy, regions) if tidy != raw else None


def mask(msisdn: str) -> str:
    """A number as it may be shown: `139****0001`. Home numbers go without their country code."""
    if msisdn.startswith("86") and len(msisdn) == 13:
        msisdn = msisdn[2:]
    if len(msisdn) < 8:
        return "****" + msisdn[-2:]
    return f"{msisdn[:3]}****{msisdn[-4:]}"


def bucket_of(msisdn: str) -> int:
    """Where this customer's rows live, 0 to 255: the same on every node and in every version."""
    return zlib.crc32(msisdn.encode()) & (BUCKETS - 1)
