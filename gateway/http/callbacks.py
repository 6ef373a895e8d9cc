"""`/v1/callbacks`: calls out that wait, were made or are parked, with their answers; send one again."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.callback import Try
from gateway.domain.event import CallbackKind, CallbackStatus
from gateway.domain.ids import Kind
from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.ports import Services
from gateway.http.problem import unknown_id
from gateway.http.routes import Gives, Route
from gateway.http.schema import Moment, Paged, PageOf, Word, listing, page_of
from gateway.services.keys import Scope
from gateway.storage.callbacks import Delivery
from gateway.telemetry import masked


class TryView(msgspec.Struct, frozen=True):
    """One try, and what came back."""

    at: Moment
    seconds: Annotated[float, Meta(description="until the answer, to the millisecond")]
    http_status: Annotated[int, Meta(description="null: there was no answer")] | None
    answer: (
        Annotated[
            str,
            Meta(
                description="the head of the body, or what went wrong, with numbers masked; null without "
                "pii:read: the other side may quote what it was told"
            ),
        ]
        | None
    )


class CallbackView(msgspec.Struct, frozen=True, kw_only=True):
    """A call into somebody's system: a connector's, or an event told to a webhook endpoint."""

    id: str
    kind: CallbackKind
    target: Annotated[str, Meta(description="the connector's name, or the endpoint's id")]
    event: str
    status: CallbackStatus
    tries: int
    payload: Annotated[dict[str, Any], Meta(description="what is told; null without pii:read")] | None
    created_at: Moment
    due_at: Annotated[Moment, Meta(description="of the next try, while it waits")]
    settled_at: Moment | None
    answers: Annotated[list[TryView], Meta(description="of each try, first to last")]


class CallbackQuery(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filters of the list."""

    status: CallbackStatus | None = None
    target: Word | None = None


class SentAgain(msgspec.Struct, frozen=True):
    """It is on its way again."""

    id: str
    status: CallbackStatus


def _try(one: Try, whole: bool) -> TryView:
    answer = str(masked(one.answer)) if whole else None
    return TryView(one.at, round(one.seconds, 3), one.http_status, answer)


def view(delivery: Delivery, tries: Sequence[Try], whole: bool) -> CallbackView:
    """A call as the API shows it."""
    return CallbackView(
        id=ids.public(Kind.CALLBACK, delivery.id),
        kind=CallbackKind(delivery.kind),
        target=delivery.target,
        event=delivery.event,
        status=CallbackStatus(delivery.status),
        tries=delivery.tries,
        payload=delivery.payload if whole else None,
        created_at=delivery.created_at,
        due_at=delivery.due_at,
        settled_at=delivery.settled_at,
        answers=[_try(one, whole) for one in tries],
    )


async def list_(request: Request, services: Services) -> Answer:
    """GET /v1/callbacks"""
    query: CallbackQuery = request.query
    page = page_of(query)
    if isinstance(page, Answer):
        return page
    rows = await services.callbacks.list(
        status=query.status, target=query.target, before=page.before, limit=page.limit
    )
    whole = request.open_book
    return json_answer(
        200, listing(rows, query, lambda row: row[0].id, lambda row: view(row[0], row[1], whole))
    )


async def redeliver(request: Request, services: Services) -> Answer:
    """POST /v1/callbacks/{id}/redeliver"""
    callback_id = ids.parse(Kind.CALLBACK, request.params[0])
    if callback_id is None or not await services.callbacks.redeliver(callback_id):
        return unknown_id("callback", request.params[0])
    return json_answer(202, SentAgain(request.params[0], CallbackStatus.WAITING))


ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/callbacks",
        name="listCallbacks",
        handler=list_,
        told="Calls out, newest first, with the answers that they got",
        more="`status=parked` are those that were given up after three days or refused for good.",
        scope=Scope.READ,
        query=CallbackQuery,
        gives={200: Gives("A page", PageOf[CallbackView])},
    ),
    Route(
        method="POST",
        path="/v1/callbacks/{id}/redeliver",
        name="redeliverCallback",
        handler=redeliver,
        told="Send a call again, now",
        more="It carries the same Idempotency-Key as before.",
        scope=Scope.ADMIN,
        gives={202: Gives("It is on its way", SentAgain)},
    ),
)
