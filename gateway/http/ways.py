"""`/v1/binds` and `/v1/trace`: how the ways to the phone stand, and the PDUs that passed."""

import logging
from collections.abc import AsyncGenerator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.ids import Kind
from gateway.domain.request import Fault, Number
from gateway.http.exchange import NDJSON, Answer, Request, json_answer
from gateway.http.ports import Services
from gateway.http.problem import INVALID_QUERY, MISSING_SCOPE, NO_BINDS, UNKNOWN_ID, problem, unknown_id
from gateway.http.routes import Gives, Route
from gateway.http.schema import PageOf, Word
from gateway.services.keys import Scope
from gateway.services.ways import Frame, RouteState, Wanted, Ways

log = logging.getLogger(__name__)

#: Frames that a follower is shown of what was before.
BEFORE: Final = 10
_encode: Final = msgspec.json.Encoder().encode


class Trace(msgspec.Struct, frozen=True):
    """PDUs that passed, oldest first. Without `open=true` numbers and texts are masked."""

    data: list[Frame]


class TraceQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which PDUs; all that is said must hold."""

    bind: Annotated[Word, Meta(description="a bind's name, or a route's for all its binds")] | None = None
    to: Annotated[Number, Meta(description="the customer's number, either way")] | None = None
    message: Annotated[Word, Meta(description="msg_…: its attempts, answers and receipts")] | None = None
    limit: (
        Annotated[int, Meta(ge=1, le=1000, description="the last so many; 100, or 10 to follow")] | None
    ) = None
    follow: Annotated[bool, Meta(description="NDJSON of what passes, until the caller closes")] = False
    open: Annotated[bool, Meta(description="numbers, texts and octets whole; asks for pii:read")] = False
    quiet: Annotated[bool, Meta(description="leave enquire_link out")] = True


def _no_binds() -> Answer:
    return problem(
        NO_BINDS, "Its roles leave `sender` out. Ask a node that sends; each tells of its own binds."
    )


async def binds(_request: Request, services: Services) -> Answer:
    """GET /v1/binds"""
    if services.ways is None:
        return _no_binds()
    return json_answer(200, PageOf[RouteState](list(services.ways.routes()), None))


async def trace(request: Request, services: Services) -> Answer:
    """GET /v1/trace"""
    query: TraceQuery = request.query
    ways = services.ways
    if ways is None:
        return _no_binds()
    if query.open and not request.open_book:
        return problem(
            MISSING_SCOPE, "open=true shows customers' numbers and texts: it needs the scope 'pii:read'."
        )
    wanted = await _wanted(query, ways, services)
    if isinstance(wanted, Answer):
        return wanted
    if query.open:
        log.info(
            "trace opened", extra={"key": request.key and request.key.public_id, "request_id": request.id}
        )
    if query.follow:
        return Answer(200, content_type=NDJSON, pieces=_lines(ways, wanted, query.limit or BEFORE))
    frames = await ways.passed(wanted, query.limit or 100)
    if NDJSON in request.accept:
        return Answer(200, b"".join(map(_line, frames)), NDJSON)
    return json_answer(200, Trace(list(frames)))


async def _wanted(query: TraceQuery, ways: Ways, services: Services) -> Wanted | Answer:
    """What the binds are asked for; or why they can't be."""
    number: str | None = None
    smsc_ids: tuple[str, ...] = ()
    if query.bind is not None:
        routes = ways.routes()
        known = [name for route in routes for name in (route.name, *(bind.name for bind in route.binds))]
        if query.bind not in known:
            there = f"There are {', '.join(known)}." if known else "There are none."
            return problem(UNKNOWN_ID, f"There is no bind {query.bind[:64]!r}. {there}")
    if query.message is not None:
        message_id = ids.parse(Kind.MESSAGE, query.message)
        record = None if message_id is None else await services.lookups.message(message_id)
        if record is None:
            return unknown_id("message", query.message)
        number = record.message.msisdn
        smsc_ids = tuple(dict.fromkeys(step.smsc_id for step in record.steps if step.smsc_id))
    if query.to is not None:
        digits = "".join(filter(str.isdecimal, query.to)).lstrip("0")
        if len(digits) < 3:
            fault = Fault("/to", "must have three digits or more")
            return problem(INVALID_QUERY, f"to {fault.detail}.", (fault,))
        if number is not None and not number.endswith(digits[-10:]):
            fault = Fault("/to", "is not the number that the message went to")
            return problem(INVALID_QUERY, f"to {fault.detail}.", (fault,))
        number = number or digits
    return Wanted(bind=query.bind, number=number, smsc_ids=smsc_ids, quiet=query.quiet, open=query.open)


def _line(frame: Frame) -> bytes:
    return _encode(frame) + b"\n"


async def _lines(ways: Ways, wanted: Wanted, last: int) -> AsyncGenerator[bytes, None]:
    frames = ways.follow(wanted, last)
    try:
        async for frame in frames:
            yield _line(frame)
    finally:
        await frames.aclose()


ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/binds",
        name="listBinds",
        handler=binds,
        told="The routes to the SMSCs with their binds, as they stand now",
        more="Of the node that is asked. `learned` is what refusals taught the bind, `limit` what is "
        "configured; `receipts_outstanding` counts segments that the SMSC took and has not reported yet.",
        scope=Scope.READ,
        gives={200: Gives("All of them, in the order of the configuration", PageOf[RouteState])},
        problems={409: "This node has no binds"},
    ),
    Route(
        method="GET",
        path="/v1/trace",
        name="trace",
        handler=trace,
        told="The PDUs that passed the binds of this node",
        more="As far back as memory goes: some hundred kilobytes a bind. With `follow=true` the last ones "
        "and then each that passes, as NDJSON, until the caller closes; an empty line now and then says that "
        "it is alive, and a line with `lost` how many were left out because the caller was too slow. "
        "`Accept: application/x-ndjson` gives lines without following.",
        scope=Scope.ADMIN,
        query=TraceQuery,
        gives={200: Gives("Oldest first", Trace, lines=True)},
        problems={404: "There is no such bind or message", 409: "This node has no binds"},
    ),
)
