"""Evidence of paid confirmations: how an entry is written, hashed, and chained to the one before it.

One chain for each bucket. The first entry of a chain is number 1 and follows `ORIGIN`; an entry's hash covers
all that stands in it and the hash before it (docs/evidence.md shows how to make it by hand).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

#: Parts the hashes of evidence from all others that anybody makes of the same octets.
DOMAIN: Final = "huiyin evidence 1"

#: What stands before the first entry of a chain.
ORIGIN: Final = bytes(32)

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class New(NamedTuple):
    """What is to be put on record; its place in the chain is found when it is stored."""

    bucket: int
    confirmation_id: UUID
    at: datetime
    kind: str
    body: str  #: as `canonical` wrote it


class Entry(NamedTuple):
    """One row of `evidence`, in the order of its columns."""

    bucket: int
    n: int  #: its number in the chain, from 1 without a gap
    confirmation_id: UUID
    at: datetime | None  #: None, on reading: what stands there is no time of the calendar
    kind: str
    body: str
    previous: bytes  #: the hash of entry n - 1
    hash: bytes


class Head(NamedTuple):
    """The last entry of a bucket's chain: one row of `evidence_heads`. An empty chain has 0 and `ORIGIN`."""

    bucket: int
    n: int
    hash: bytes


class Seal(NamedTuple):
    """Entries up to `n` were removed because their time was over: one row of `evidence_seals`."""

    bucket: int
    n: int
    hash: bytes  #: of entry n, which entry n + 1 follows
    before: datetime  #: what was older than this went
    sealed_at: datetime


def canonical(value: Any) -> str:
    """The one way in which a value is written as JSON: sorted keys, no blanks, times in UTC, octets in hex.

    Decimals and UUIDs are written as text. `TypeError`: a float, or something that has no one way.
    `ValueError`: a time without its zone, a decimal that is no number.
    """
    text = json.dumps(
        _plain(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    # Half of a pair, out of a damaged text, is no UTF-8.
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _plain(value: Any) -> Any:  # noqa: PLR0912 - a table of types
    match value:
        case None | bool():
            return value
        case str():
            return str(value)
        case int():
            return int(value)
        case datetime():
            return instant(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{value} is no amount")
            return f"{value:f}"
        case UUID():
            return str(value)
        case Mapping():
            if strange := [key for key in value if not isinstance(key, str)]:
                raise TypeError(f"a key that is no text: {strange[0]!r}")
            return {str(key): _plain(item) for key, item in value.items()}
        case msgspec.Struct():
            return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
        case list() | tuple():
            return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"evidence has no one way to write a {type(value).__name__}")


def instant(at: datetime) -> str:
    """RFC 3339, in UTC and to the microsecond: `2026-11-22T09:00:00.000000Z`."""
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def preimage(previous: bytes, entry: Entry) -> bytes:
    """The octets that are hashed: lines, of which the last two say how long they are before they begin.

    So no two entries have the same octets, whatever stands in them.
    """
    kind, body = entry.kind.encode(), entry.body.encode()
    at = instant(entry.at) if entry.at is not None else "-"
    head = (
        f"{DOMAIN}\n{entry.bucket}\n{entry.n}\n{entry.confirmation_id}\n{at}\n{previous.hex()}\n{len(kind)}:"
    )
    return b"%b%b\n%d:%b" % (head.encode(), kind, len(body), body)


def link(previous: bytes, entry: Entry) -> bytes:
    """The hash of an entry that follows one with the hash `previous`. Its own hashes are not looked at."""
    return hashlib.sha256(preimage(previous, entry)).digest()


def follow(head: Head, entries: Sequence[New]) -> tuple[list[Entry], Head]:
    """New entries of one bucket chained to its head, and the head after them."""
    chained: list[Entry] = []
    bucket, n, previous = head
    for new in entries:
        if new.bucket != bucket:
            raise ValueError(f"an entry of bucket {new.bucket} in the chain of {bucket}")
        n += 1
        entry = Entry(bucket, n, new.confirmation_id, new.at, new.kind, new.body, previous, b"")
        previous = link(previous, entry)
        chained.append(entry._replace(hash=previous))
    return chained, Head(bucket, n, previous)
