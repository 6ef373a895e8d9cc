"""`/v1/webhooks`: endpoints that hear of events, their secrets, and what was delivered to them."""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.event import CallbackStatus
from gateway.domain.ids import Kind
from gateway.domain.request import Rejected
from gateway.domain.webhook import Endpoint
from gateway.http import intake
from gateway.http.callbacks import CallbackView, SentAgain, view
from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.ports import Services
from gateway.http.problem import ROTATION_OPEN, problem, unknown_id
from gateway.http.routes import Gives, Route
from gateway.http.schema import Moment, Paged, PageOf, listing, page_of
from gateway.services.intake import Conflict, Replay
from gateway.services.keys import Scope
from gateway.services.webhooks import Created, Unended


class NewWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint to be registered."""

    url: Annotated[str, Meta(min_length=1, max_length=2000, examples=["https://crm.example.com/sms-events"])]
    events: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=100, examples=["survey.*"])]],
        Meta(min_length=1, max_length=50, description="types, families (`survey.*`), or `*`"),
    ]


class WebhookSecret(msgspec.Struct, frozen=True):
    """The secret is shown now and never again."""

    id: str
    secret: Annotated[str, Meta(description="`whsec_…`, as Standard Webhooks has it")]


class WebhookView(msgspec.Struct, frozen=True):
    """A registered endpoint."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: Moment
    rotating: Annotated[bool, Meta(description="several secrets sign, until the rotation is ended")]


class PlainQuery(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list without filters."""


def _view(endpoint: Endpoint) -> WebhookView:
    return WebhookView(
        endpoint.name, endpoint.url, endpoint.events, endpoint.created_at, len(endpoint.secrets) > 1
    )


def _endpoint_id(request: Request) -> UUID | None:
    return ids.parse(Kind.WEBHOOK, request.params[0])


def _unknown(request: Request) -> Answer:
    return unknown_id("webhook", request.params[0])


async def create(request: Request, services: Services) -> Answer:
    """POST /v1/webhooks"""
    asked: NewWebhook = request.payload
    created = await services.webhooks.create(asked.url, asked.events, request.once(_render))
    if isinstance(created, Replay | Conflict):
        return intake.repeated(created)
    return intake.finished(*_render(created))


def _render(created: Created | Rejected) -> tuple[int, bytes]:
    if isinstance(created, Rejected):
        return intake.render(created)
    return 201, intake.as_json(WebhookSecret(created.id, created.secret))


async def list_(request: Request, services: Services) -> Answer:
    """GET /v1/webhooks"""
    page = page_of(request.query)
    if isinstance(page, Answer):
        return page
    endpoints = sorted(await services.webhooks.list(), key=lambda endpoint: endpoint.id, reverse=True)
    rows = [endpoint for endpoint in endpoints if endpoint.id < page.before][: page.limit]
    return json_answer(200, listing(rows, request.query, lambda endpoint: endpoint.id, _view))


async def remove(request: Request, services: Services) -> Answer:
    """DELETE /v1/webhooks/{id}"""
    endpoint_id = _endpoint_id(request)
    if endpoint_id is None or not await services.webhooks.remove(endpoint_id):
        return _unknown(request)
    return Answer(204, content_type="")


async def rotate(request: Request, services: Services) -> Answer:
    """POST /v1/webhooks/{id}/rotate"""
    endpoint_id = _endpoint_id(request)
    created = None if endpoint_id is None else await services.webhooks.rotate(endpoint_id)
    if created is None:
        return _unknown(request)
    if isinstance(created, Unended):
        return problem(
            ROTATION_OPEN,
            f"{created.secrets} secrets sign already. Give the receiver the newest, then POST "
            f"/v1/webhooks/{request.params[0]}/end-rotation: it drops all the others.",
        )
    return json_answer(200, WebhookSecret(created.id, created.secret))


async def end_rotation(request: Request, services: Services) -> Answer:
    """POST /v1/webhooks/{id}/end-rotation"""
    endpoint_id = _endpoint_id(request)
    if endpoint_id is None or not await services.webhooks.end_rotation(endpoint_id):
        return _unknown(request)
    return Answer(204, content_type="")


async def deliveries(request: Request, services: Services) -> Answer:
    """GET /v1/webhooks/{id}/deliveries"""
    page = page_of(request.query)
    if isinstance(page, Answer):
        return page
    endpoint_id = _endpoint_id(request)
    known = {endpoint.id for endpoint in await services.webhooks.list()}
    if endpoint_id is None or endpoint_id not in known:
        return _unknown(request)
    rows = await services.webhooks.deliveries(endpoint_id, before=page.before, limit=page.limit)
    whole = request.open_book
    return json_answer(
        200, listing(rows, request.query, lambda row: row[0].id, lambda row: view(row[0], row[1], whole))
    )


async def redeliver(request: Request, services: Services) -> Answer:
    """POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver"""
    endpoint_id, delivery_id = _endpoint_id(request), ids.parse(Kind.CALLBACK, request.params[1])
    if endpoint_id is None:
        return _unknown(request)
    if delivery_id is None or not await services.webhooks.redeliver(endpoint_id, delivery_id):
        return unknown_id("delivery", request.params[1])
    return json_answer(202, SentAgain(request.params[1], CallbackStatus.WAITING))


ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/webhooks",
        name="createWebhook",
        handler=create,
        told="Register an endpoint for events",
        more="Events are POSTed, signed after Standard Webhooks, at least once and in order for each "
        "conversation; a call that fails is tried again with growing pauses for three days. Addresses of "
        "inner networks must be allowed in the configuration.",
        scope=Scope.ADMIN,
        takes=NewWebhook,
        creates=True,
        gives={201: Gives("Registered; the secret is shown once", WebhookSecret)},
    ),
    Route(
        method="GET",
        path="/v1/webhooks",
        name="listWebhooks",
        handler=list_,
        told="Registered endpoints, newest first",
        scope=Scope.READ,
        query=PlainQuery,
        gives={200: Gives("A page", PageOf[WebhookView])},
    ),
    Route(
        method="DELETE",
        path="/v1/webhooks/{id}",
        name="removeWebhook",
        handler=remove,
        told="Take an endpoint off; what it has not got, it will not get",
        scope=Scope.ADMIN,
        gives={204: Gives("It is gone", content_type="")},
    ),
    Route(
        method="POST",
        path="/v1/webhooks/{id}/rotate",
        name="rotateWebhookSecret",
        handler=rotate,
        told="A new secret; those of before sign as well until the rotation is ended",
        more="Nothing that the receiver may still verify with is dropped before that: when the answer was "
        "lost, rotate again.",
        scope=Scope.ADMIN,
        gives={200: Gives("The new secret, shown once", WebhookSecret)},
        problems={409: "As many secrets sign as may: end the rotation first"},
    ),
    Route(
        method="POST",
        path="/v1/webhooks/{id}/end-rotation",
        name="endWebhookRotation",
        handler=end_rotation,
        told="Forget all secrets but the newest",
        scope=Scope.ADMIN,
        gives={204: Gives("Only the newest signs", content_type="")},
    ),
    Route(
        method="GET",
        path="/v1/webhooks/{id}/deliveries",
        name="listDeliveries",
        handler=deliveries,
        told="What was or will be sent to an endpoint, newest first, with its answers",
        scope=Scope.READ,
        query=PlainQuery,
        gives={200: Gives("A page", PageOf[CallbackView])},
    ),
    Route(
        method="POST",
        path="/v1/webhooks/{id}/deliveries/{delivery}/redeliver",
        name="redeliver",
        handler=redeliver,
        told="Send one of them again, now",
        scope=Scope.ADMIN,
        gives={202: Gives("It is on its way", SentAgain)},
    ),
)
