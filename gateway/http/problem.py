"""Faults as RFC 9457 tells them: the list of every problem that this edge answers with, and their form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from gateway.domain.request import Fault, Rejected
from gateway.http.exchange import Answer

PROBLEM_JSON: Final = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457. `type` is stable, `detail` says what to do, `errors` points at each bad field."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem: the end of its URI, the HTTP status, the title."""

    code: str
    status: int
    title: str


BAD_HTTP: Final = Kind("bad-http", 400, "Not a request that HTTP allows")
MALFORMED_JSON: Final = Kind("malformed-json", 400, "The body is not JSON")
UNAUTHORIZED: Final = Kind("unauthorized", 401, "No valid API key")
MISSING_SCOPE: Final = Kind("missing-scope", 403, "The key may not do this")
NO_SUCH_PATH: Final = Kind("no-such-path", 404, "There is nothing here")
UNKNOWN_ID: Final = Kind("unknown-id", 404, "There is no such object")
METHOD_NOT_ALLOWED: Final = Kind("method-not-allowed", 405, "Not with this method")
TOO_SLOW: Final = Kind("too-slow", 408, "The request did not arrive in time")
TOO_LATE: Final = Kind("too-late", 409, "Its time for that is over")
ALREADY_RESOLVED: Final = Kind("already-resolved", 409, "It is no longer in the inbox")
STILL_RUNNING: Final = Kind("still-running", 409, "The first request with this key is still running")
NO_BINDS: Final = Kind("no-binds", 409, "This node has no binds")
ROTATION_OPEN: Final = Kind("rotation-open", 409, "A rotation of the secret has not been ended")
TOO_LARGE: Final = Kind("too-large", 413, "The body is too large")
UNSUPPORTED_TYPE: Final = Kind("unsupported-type", 415, "Not a form that is read here")
INVALID_REQUEST: Final = Kind("invalid-request", 422, "Invalid request")
UNFITTING: Final = Kind("unfitting", 422, "That can't be said of this reply")
INVALID_QUERY: Final = Kind("invalid-query", 422, "Invalid query")
INVALID_IDEMPOTENCY_KEY: Final = Kind("invalid-idempotency-key", 422, "The Idempotency-Key can't be used")
IDEMPOTENCY_CONFLICT: Final = Kind(
    "idempotency-conflict", 422, "The Idempotency-Key belongs to another request"
)
RATE_EXCEEDED: Final = Kind("rate-exceeded", 429, "Too many requests")
INTERNAL: Final = Kind("internal", 500, "A fault of ours")
OVERLOADED: Final = Kind("overloaded", 503, "Too many requests at once")
STORAGE_UNAVAILABLE: Final = Kind("storage-unavailable", 503, "Nothing can be stored now")

KINDS: Final[Mapping[str, Kind]] = {
    kind.code: kind for kind in list(globals().values()) if isinstance(kind, Kind)
}

_encode = msgspec.json.Encoder().encode


def problem(
    kind: Kind, detail: str, errors: tuple[Fault, ...] = (), headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer that tells this problem."""
    body = _encode(Problem(f"/problems/{kind.code}", kind.title, kind.status, detail, errors))
    return Answer(kind.status, body, PROBLEM_JSON, headers)


def of_rejected(rejected: Rejected) -> Problem:
    """A refusal of the services in the form of this edge."""
    return Problem(
        f"/problems/{rejected.code}", rejected.title, rejected.status, rejected.detail, rejected.errors
    )


def rejection(rejected: Rejected) -> Answer:
    """The answer to a request that the services refused."""
    return Answer(rejected.status, _encode(of_rejected(rejected)), PROBLEM_JSON)


def unknown_id(what: str, text: str) -> Answer:
    """404 for an id that is well formed or not, but nobody's."""
    return problem(
        UNKNOWN_ID, f"There is no {what} {text[:64]!r}. Ids are given with the answer that made it."
    )
