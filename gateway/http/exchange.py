"""What a handler gets and gives: a request authenticated and decoded, an answer ready to be written."""

import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from gateway.services.intake import Caller, Once
from gateway.services.keys import Key

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
HTML: Final = "text/html"

_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """A response, whole; or, with `pieces`, one that goes on for as long as they come."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] | None = None
    pieces: AsyncGenerator[bytes, None] | None = None


@dataclass(slots=True, kw_only=True)
class Request:
    """One call. `payload` and `query` have the types that its route declares."""

    id: str
    operation: str  #: method and path as declared: "POST /v1/messages"
    params: tuple[str, ...] = ()  #: what stood for {…} in the path
    query: Any = None
    payload: Any = None
    body: bytes = b""
    form: str = JSON  #: content type of the body
    key: Key | None = None  #: None only where the route asks for no scope
    idempotency_key: str | None = None
    accept: str = ""  #: what the caller wants, where its route has a choice

    @property
    def caller(self) -> Caller:
        return Caller(key_id=self.key.id if self.key else None, request_id=self.id)

    @property
    def open_book(self) -> bool:
        """Whether numbers and texts are shown whole."""
        return self.key is not None and self.key.sees_personal_data

    def once(self, render: Callable[[Any], tuple[int, bytes]]) -> Once | None:
        """What makes this call happen once, if the caller asked for that."""
        if self.idempotency_key is None or self.key is None:
            return None
        name = b"\0".join((self.key.id.bytes, self.operation.encode(), self.idempotency_key.encode()))
        # The path's ids are part of what is asked.
        content = "\0".join((*self.params, "")).encode() + self.body
        return Once(
            key_hash=hashlib.sha256(name).digest(),
            request_hash=hashlib.sha256(content).digest(),
            render=render,
        )


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """A value of ours as JSON."""
    return Answer(status, _encode(value), JSON, headers)
