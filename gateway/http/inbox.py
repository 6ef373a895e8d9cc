"""`/v1/inbox`: replies that need a person, and what the person reads in them."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.ids import Kind
from gateway.domain.msisdn import mask
from gateway.domain.request import Number
from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.messages import not_a_number
from gateway.http.ports import Services
from gateway.http.problem import ALREADY_RESOLVED, UNFITTING, problem, unknown_id
from gateway.http.routes import Gives, Route
from gateway.http.schema import Moment, Paged, PageOf, listing, page_of
from gateway.services.inbox import Gone, Judgement, Refused, Resolved
from gateway.services.keys import Scope
from gateway.services.lookups import Reply, UnknownNumber


class InboxItem(msgspec.Struct, frozen=True, kw_only=True):
    """A reply that nobody but a person understands. Without `pii:read` number and text are masked."""

    id: str
    received_at: Moment
    to: Annotated[str, Meta(description="the customer, E.164 digits; masked without pii:read")]
    address: Annotated[str, Meta(description="access number and extension that it was sent to")]
    text: Annotated[str, Meta(description="null without pii:read")] | None
    complete: Annotated[bool, Meta(description="false: parts of it never came")]
    reason: Annotated[str, Meta(description="why it stands here")] | None
    survey: Annotated[str, Meta(description="the survey that it answers, if it answers one")] | None
    about: Annotated[str, Meta(description="the conversation that it belongs to: srv_, cnf_, mnu_ …")] | None
    masked: bool


class InboxQuery(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filters of the list."""

    to: Number | None = None


class Judged(msgspec.Struct, frozen=True):
    """The reply is out of the inbox."""

    id: str
    as_: str = msgspec.field(name="as")


def _item(reply: Reply, whole: bool) -> InboxItem:
    kind = Kind[reply.kind.upper()] if reply.kind else None
    about = ids.public(kind, reply.conversation_id) if kind and reply.conversation_id else None
    return InboxItem(
        id=ids.public(Kind.REPLY, reply.id),
        received_at=reply.received_at,
        to=reply.msisdn if whole else mask(reply.msisdn),
        address=reply.address,
        text=reply.text if whole else None,
        complete=reply.complete,
        reason=reply.reason,
        survey=about if about is not None and reply.kind == "survey" else None,
        about=about,
        masked=not whole,
    )


async def list_(request: Request, services: Services) -> Answer:
    """GET /v1/inbox"""
    query: InboxQuery = request.query
    page = page_of(query)
    if isinstance(page, Answer):
        return page
    try:
        rows = await services.lookups.inbox(page, to=query.to)
    except UnknownNumber as unknown:
        return not_a_number(unknown)
    whole = request.open_book
    return json_answer(200, listing(rows, query, lambda row: row.id, lambda row: _item(row, whole)))


async def resolve(request: Request, services: Services) -> Answer:
    """POST /v1/inbox/{id}/resolve"""
    judgement: Judgement = request.payload
    reply_id = ids.parse(Kind.REPLY, request.params[0])
    who = request.key.name if request.key else ""
    outcome: Any = None if reply_id is None else await services.inbox.resolve(reply_id, judgement, who)
    match outcome:
        case Resolved():
            return json_answer(200, Judged(request.params[0], outcome.as_))
        case Gone():
            return problem(
                ALREADY_RESOLVED, "Somebody was quicker, or a later reply settled it. Read the list anew."
            )
        case Refused():
            return problem(UNFITTING, outcome.detail)
        case _:
            return unknown_id("reply", request.params[0])


ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/inbox",
        name="listInbox",
        handler=list_,
        told="Replies that need a person, newest first",
        scope=Scope.READ,
        query=InboxQuery,
        gives={200: Gives("A page", PageOf[InboxItem])},
    ),
    Route(
        method="POST",
        path="/v1/inbox/{id}/resolve",
        name="resolveReply",
        handler=resolve,
        told="Say what a reply means",
        more='`{"as": "score", "score": 8}` writes the score into its ticket, `"yes"` and `"no"` answer a '
        'confirmation, `"ticket"` makes a new case of it, `"nothing"` puts it aside.',
        scope=Scope.TICKETS_WRITE,
        takes=Judgement,
        gives={200: Gives("Done", Judged)},
        problems={409: "Somebody was quicker"},
    ),
)
