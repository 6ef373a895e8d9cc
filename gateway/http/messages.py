"""`/v1/messages`: send one or thousands, look one up with its history, list, take back."""

from collections.abc import Sequence
from functools import partial
from itertools import repeat
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.ids import Kind
from gateway.domain.message import Lane, Message, Status
from gateway.domain.msisdn import mask
from gateway.domain.request import Accepted, Fault, HandlingWish, MessageRequest, Number, Rejected
from gateway.http import intake
from gateway.http.exchange import JSON, NDJSON, Answer, Request, json_answer
from gateway.http.history import HistoryEntry, MessagePart, entry, handling_of, parts
from gateway.http.ports import Services
from gateway.http.problem import (
    INVALID_QUERY,
    INVALID_REQUEST,
    TOO_LATE,
    Problem,
    of_rejected,
    problem,
    unknown_id,
)
from gateway.http.reading import MOST_FAULTS, UNREADABLE, Faulty, Reader
from gateway.http.routes import BATCH_LIMIT, Gives, Route
from gateway.http.schema import Moment, Paged, PageOf, Word, listing, page_of
from gateway.services.intake import Conflict, Replay
from gateway.services.keys import Scope
from gateway.services.lookups import Listed, MessageRecord, TooWide, UnknownNumber

MOST_ITEMS: Final = 10_000

_encode = msgspec.json.Encoder().encode
_one = Reader(MessageRequest)
_decode_array = msgspec.json.Decoder(list[MessageRequest]).decode
_decode_lines = msgspec.json.Decoder(MessageRequest).decode_lines
_split = msgspec.json.Decoder(list[msgspec.Raw])
_problem_of = msgspec.json.Decoder(Problem)


# --- Send one -------------------------------------------------------------------------------------


async def send(request: Request, services: Services) -> Answer:
    """POST /v1/messages"""
    once = request.once(_render_single)
    outcome = await services.intake.messages((request.payload,), request.caller, once)
    if isinstance(outcome, Replay | Conflict):
        return intake.repeated(outcome)
    return intake.answer(outcome[0])


def _render_single(outcome: Sequence[Accepted | Rejected]) -> tuple[int, bytes]:
    return intake.render(outcome[0])


# --- Send many ------------------------------------------------------------------------------------


class BatchItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one message of a batch: an id and where it stands, or a problem."""

    index: Annotated[int, Meta(description="its place among the messages, from 0")]
    status: Annotated[int, Meta(description="the HTTP status that it would have had alone")]
    line: (
        Annotated[int, Meta(description="where it stands in NDJSON, from 1, blank lines counted")] | None
    ) = None
    id: str | None = None
    state: Annotated[str, Meta(description="where the message stands", examples=["queued"])] | None = None
    segments: int | None = None
    encoding: str | None = None
    reason: str | None = None
    problem: Problem | None = None


class BatchResult(msgspec.Struct, frozen=True):
    """One item a message, in the order of the batch."""

    accepted: int
    rejected: int
    data: list[BatchItem]


async def send_batch(request: Request, services: Services) -> Answer:
    """POST /v1/messages/batch"""
    lines: Sequence[int] | None = None
    if request.form == NDJSON:
        lines, items = _lines(request.body)
    else:
        found = _array(request.body)
        if isinstance(found, Answer):
            return found
        items = found
    if not items or len(items) > MOST_ITEMS:
        detail = f"A batch holds 1 to {MOST_ITEMS:,} messages, this one {len(items):,}."
        return problem(INVALID_REQUEST, detail, (Fault("", detail),))
    render = partial(_render_batch, lines)
    outcome = await services.intake.messages(items, request.caller, request.once(render))
    if isinstance(outcome, Replay | Conflict):
        return intake.repeated(outcome)
    return Answer(*render(outcome))


def _render_batch(lines: Sequence[int] | None, outcomes: Sequence[Accepted | Rejected]) -> tuple[int, bytes]:
    """`lines` are where the messages stand, in NDJSON."""
    data = [
        BatchItem(n, 202, line, one.id, one.status, one.segments, one.encoding, one.reason)
        if isinstance(one, Accepted)
        else BatchItem(n, one.status, line, problem=of_rejected(one))
        for n, (line, one) in enumerate(zip(lines or repeat(None), outcomes, strict=False))
    ]
    accepted = sum(item.status == 202 for item in data)
    return 200, _encode(BatchResult(accepted, len(data) - accepted, data))


def _array(body: bytes) -> Sequence[MessageRequest | Rejected] | Answer:
    """A JSON array: read at once, and one by one only where one of them has a fault."""
    try:
        if b"\\u0000" not in body:
            return _decode_array(body)
    except UNREADABLE:
        pass
    try:
        return [_item(raw) for raw in _split.decode(body)]
    except UNREADABLE as error:
        return Reader(list[Any]).explain(body, error)


def _lines(body: bytes) -> tuple[Sequence[int], Sequence[MessageRequest | Rejected]]:
    """NDJSON: one message a line, and the line that each stands in, from 1; blank ones are passed over."""
    lines = body.split(b"\n")
    numbers = [number for number, line in enumerate(lines, 1) if line and not line.isspace()]
    try:
        if b"\\u0000" not in body and len(found := _decode_lines(body)) == len(numbers):
            return numbers, found
    except UNREADABLE:
        pass
    return numbers, [_item(lines[number - 1]) for number in numbers]


def _item(raw: bytes | msgspec.Raw) -> MessageRequest | Rejected:
    try:
        request: MessageRequest = _one.read(raw)
    except Faulty as faulty:
        told = _problem_of.decode(faulty.answer.body)
        return Rejected(
            told.type.rpartition("/")[2], told.title, told.status, told.detail, told.errors[:MOST_FAULTS]
        )
    return request


# --- Look up --------------------------------------------------------------------------------------


class MessageSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A message in a list. Without the scope `pii:read` numbers are masked, and `masked` is true."""

    id: str
    to: Annotated[str, Meta(description="E.164 digits; masked without pii:read", examples=["8613905310001"])]
    status: Status
    reason: str | None
    lane: Lane
    sender: str
    ref: str | None
    template: str | None
    version: int | None
    encoding: str
    segments: int
    route: str | None
    accepted_at: Moment
    changed_at: Moment
    due_at: Moment | None
    expires_at: Moment | None
    masked: bool


class MessageDetail(MessageSummary, frozen=True, kw_only=True):
    """One message with all that happened to it."""

    text: Annotated[str, Meta(description="null without pii:read")] | None
    language: str | None
    report: bool
    handling: Annotated[HandlingWish, Meta(description="parameters are left out without pii:read")] | None
    request_id: str | None
    survey: Annotated[str, Meta(description="the survey that it asks for or belongs to")] | None
    maybe_duplicate: Annotated[
        bool, Meta(description="a segment was sent twice: its first response was lost")
    ]
    parts: list[MessagePart]
    history: list[HistoryEntry]


class MessageQuery(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filters of the list."""

    to: Number | None = None
    ref: Word | None = None
    status: Status | None = None
    lane: Lane | None = None
    since: Moment | None = None


def _common(message: Message, whole: bool) -> dict[str, Any]:
    return {
        "id": ids.public(Kind.MESSAGE, message.id),
        "to": message.msisdn if whole else mask(message.msisdn),
        "lane": message.lane,
        "sender": message.sender,
        "ref": message.ref,
        "template": message.template,
        "version": message.version,
        "encoding": message.encoding,
        "segments": message.segments,
        "accepted_at": message.accepted_at,
        "due_at": message.due_at,
        "expires_at": message.expires_at,
        "masked": not whole,
    }


def detail(record: MessageRecord, whole: bool) -> MessageDetail:
    """A message as the API shows it; the first entry of its history is its acceptance."""
    message, steps = record.message, record.steps
    last = steps[-1] if steps else None
    history = [
        HistoryEntry(at=message.accepted_at, kind="accepted", status=message.status, reason=message.reason)
    ]
    history += [entry(step, whole) for step in steps]
    return MessageDetail(
        **_common(message, whole),
        status=Status(last.status if last else message.status),
        reason=last.reason if last else message.reason,
        route=next((step.route for step in reversed(steps) if step.route), None),
        changed_at=last.at if last else message.accepted_at,
        text=message.body if whole else None,
        language=message.language,
        report=message.report,
        handling=handling_of(message, whole),
        request_id=message.request_id,
        survey=ids.public(Kind.SURVEY, message.conversation_id) if message.conversation_id else None,
        maybe_duplicate=any(step.copy is not None and step.copy > 1 for step in steps),
        parts=parts(message, steps),
        history=history,
    )


def _summary(listed: Listed, whole: bool) -> MessageSummary:
    return MessageSummary(
        **_common(listed.message, whole),
        status=Status(listed.status),
        reason=listed.reason,
        route=listed.route,
        changed_at=listed.changed_at,
    )


async def get(request: Request, services: Services) -> Answer:
    """GET /v1/messages/{id}"""
    message_id = ids.parse(Kind.MESSAGE, request.params[0])
    record = None if message_id is None else await services.lookups.message(message_id)
    if record is None:
        return unknown_id("message", request.params[0])
    return json_answer(200, detail(record, request.open_book))


async def list_(request: Request, services: Services) -> Answer:
    """GET /v1/messages"""
    query: MessageQuery = request.query
    page = page_of(query)
    if isinstance(page, Answer):
        return page
    try:
        rows = await services.lookups.messages(
            page, to=query.to, ref=query.ref, status=query.status, lane=query.lane, since=query.since
        )
    except UnknownNumber as unknown:
        return not_a_number(unknown)
    except TooWide:
        return problem(INVALID_QUERY, "Too many messages would be read. Give to or ref, or a later since.")
    whole = request.open_book
    return json_answer(
        200, listing(rows, query, lambda row: row.message.id, lambda row: _summary(row, whole))
    )


def not_a_number(unknown: UnknownNumber) -> Answer:
    """422: the filter `to` can't be a customer's number."""
    fault = Fault("/to", str(unknown))
    return problem(INVALID_QUERY, f"to {fault.detail}.", (fault,))


# --- Take back ------------------------------------------------------------------------------------


class Cancelled(msgspec.Struct, frozen=True):
    """The message will not be sent."""

    id: str
    status: Status


async def cancel(request: Request, services: Services) -> Answer:
    """POST /v1/messages/{id}/cancel"""
    message_id = ids.parse(Kind.MESSAGE, request.params[0])
    outcome = "unknown-id" if message_id is None else await services.dispatch.cancel(message_id)
    match outcome:
        case "cancelled":
            return json_answer(200, Cancelled(request.params[0], Status.CANCELLED))
        case "too-late":
            return problem(TOO_LATE, "It is on its way, or final. GET it to see where it stands.")
        case _:
            return unknown_id("message", request.params[0])


_REJECTED: Final = "the message is at fault: unknown template, missing parameter, impossible number …"

ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/messages",
        name="sendMessage",
        handler=send,
        told="Send one message: a template with its parameters, or a text",
        more="Accepted means stored: a 202 survives a crash. `send_at` sends later, `valid_for` bounds how "
        "long it makes sense. `handling` is for the few that the SMSC or the handset shall treat in a way of "
        "their own.",
        scope=Scope.MESSAGES_WRITE,
        takes=MessageRequest,
        creates=True,
        gives={202: Gives("Durably stored; `status` says whether it goes now or waits", Accepted)},
    ),
    Route(
        method="POST",
        path="/v1/messages/batch",
        name="sendMessages",
        handler=send_batch,
        told="Send up to 10,000 messages",
        more="A JSON array, or one message a line (NDJSON). One result each, in order; a bad one does not "
        "fail the others. All that were accepted are stored in one commit.",
        scope=Scope.MESSAGES_WRITE,
        takes=Annotated[list[MessageRequest], Meta(min_length=1, max_length=MOST_ITEMS)],
        whole=True,
        forms=(JSON, NDJSON),
        creates=True,
        limit=BATCH_LIMIT,
        gives={200: Gives("What became of each", BatchResult)},
    ),
    Route(
        method="GET",
        path="/v1/messages/{id}",
        name="getMessage",
        handler=get,
        told="One message with its history",
        scope=Scope.READ,
        gives={200: Gives("The message", MessageDetail)},
    ),
    Route(
        method="GET",
        path="/v1/messages",
        name="listMessages",
        handler=list_,
        told="Messages, newest first",
        scope=Scope.READ,
        query=MessageQuery,
        gives={200: Gives("A page", PageOf[MessageSummary])},
    ),
    Route(
        method="POST",
        path="/v1/messages/{id}/cancel",
        name="cancelMessage",
        handler=cancel,
        told="Take a message back while nothing of it is on its way",
        scope=Scope.MESSAGES_WRITE,
        gives={200: Gives("It will not be sent", Cancelled)},
        problems={409: "It is on its way, or final"},
    ),
)
