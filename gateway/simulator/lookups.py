"""The stand-in of billing: balance, usage, bill, points and package of each number, the same for one number
all day long."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

_PACKAGES: Final = (
    ("畅享5G套餐", "99.00"),
    ("校园流量卡", "39.00"),
    ("全家享套餐", "159.00"),
    ("8元保号套餐", "8.00"),
)

Found = dict[str, Any]


def _balance(seed: int, now: datetime) -> Found:
    return {"balance": f"{seed % 20_000 / 100 - 10:.2f}", "as_of": now.isoformat(timespec="seconds")}


def _usage(seed: int, now: datetime) -> Found:
    quota = (5, 10, 20, 40)[seed % 4] * 1024
    used = seed // 4 % quota
    return {"used": str(used), "left": str(quota - used), "as_of": now.isoformat(timespec="seconds")}


def _bill(seed: int, now: datetime) -> Found:
    last = now.replace(day=1) - timedelta(days=1)
    return {"month": f"{last:%Y-%m}", "amount": f"{18 + seed % 20_000 / 100:.2f}"}


def _points(seed: int, now: datetime) -> Found:
    points = seed % 20_000
    return {"points": points} | (
        {"expiring": points // 4, "expires": f"{now.year}-12-31"} if points >= 4 and seed % 2 else {}
    )


def _package(seed: int, now: datetime) -> Found:
    del now
    name, price = _PACKAGES[seed % len(_PACKAGES)]
    return {"name": name, "price": price}


KINDS: Final[dict[str, Callable[[int, datetime], Found]]] = {
    "balance": _balance,
    "usage": _usage,
    "bill": _bill,
    "points": _points,
    "package": _package,
}


def look_up(kind: str, msisdn: str, now: datetime) -> tuple[int, dict[str, Any]]:
    """Status and answer: the object with what was asked for stands at `result`."""
    find = KINDS.get(kind)
    if find is None:
        return 404, {"error": f"there are look-ups of {', '.join(KINDS)}"}
    if not msisdn.isdigit():
        return 422, {"error": "this is no number"}
    return 200, {"result": find(crc32(f"{kind} {msisdn}".encode()), now)}
