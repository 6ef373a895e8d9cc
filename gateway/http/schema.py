"""The forms of answers, the parameters of lists, and what lists have in common."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from gateway.domain.request import Fault
from gateway.http.exchange import Answer
from gateway.http.problem import INVALID_QUERY, problem
from gateway.services.lookups import Page

T = TypeVar("T")

Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with offset")]
Limit = Annotated[int, Meta(ge=1, le=200, description="at most so many")]
Cursor = Annotated[str, Meta(max_length=64, description="`next_cursor` of the page before")]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Choice = Annotated[str, Meta(max_length=200, description="empty: those without one")]


class Listing(msgspec.Struct, frozen=True):
    """Any list: the newest first; `next_cursor` is null on the last page."""

    data: Sequence[Any]
    next_cursor: str | None


class PageOf(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list, newest first."""

    data: list[T]
    next_cursor: Annotated[str, Meta(description="give it as `cursor` for the next page")] | None


class Paged(msgspec.Struct, frozen=True, kw_only=True):
    """What every list takes."""

    limit: Limit = 50
    cursor: Cursor | None = None


def page_of(query: Paged) -> Page | Answer:
    """Which part is asked for; 422 for a cursor not of ours. One row more is read: do others follow?"""
    if query.cursor is None:
        return Page(limit=query.limit + 1)
    try:
        raw = base64.urlsafe_b64decode(query.cursor.encode("ascii") + b"==")
    except ValueError:
        raw = b""
    if len(raw) != 16:
        return problem(
            INVALID_QUERY,
            "cursor is not one that this list gave. Leave it out to begin anew.",
            (Fault("/cursor", "is not a cursor of this list"),),
        )
    return Page(limit=query.limit + 1, before=UUID(bytes=raw))


def listing(rows: Sequence[T], query: Paged, id_of: Callable[[T], UUID], show: Callable[[T], Any]) -> Listing:
    """The rows of a page as shown, and the cursor of the next one."""
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    cursor = base64.urlsafe_b64encode(id_of(shown[-1]).bytes).rstrip(b"=").decode() if more else None
    return Listing([show(row) for row in shown], cursor)
