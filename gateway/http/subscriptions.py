"""`/v1/subscriptions`: the mirror of what a number subscribes to, which 0000 lists."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.ids import Kind
from gateway.domain.msisdn import mask
from gateway.domain.request import Number, Rejected
from gateway.domain.subscription import Status, Subscription
from gateway.http import intake
from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.messages import not_a_number
from gateway.http.ports import Services
from gateway.http.problem import unknown_id
from gateway.http.routes import Gives, Route
from gateway.http.schema import Moment, Paged, PageOf, listing, page_of
from gateway.services.keys import Scope
from gateway.services.lookups import UnknownNumber
from gateway.services.subscriptions import Wish, place_of


class SubscribedService(msgspec.Struct, frozen=True):
    """What is subscribed to."""

    code: str
    name: str
    price: Annotated[str, Meta(description="yuan", examples=["10.00"])]
    period: Annotated[str, Meta(description="null: once", examples=["month"])] | None


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription. Without `pii:read` the number is masked, and `masked` is true."""

    to: Annotated[str, Meta(description="E.164 digits; masked without pii:read", examples=["8613905310001"])]
    service: SubscribedService
    status: Status
    trial: bool
    started_at: Moment
    expires_at: Annotated[Moment, Meta(description="null: until it is cancelled")] | None
    confirmation: Annotated[str, Meta(description="that led to it, if it was one of ours")] | None
    updated_at: Annotated[Moment, Meta(description="since when this is so")]
    masked: bool


class SubscriptionPut(SubscriptionView, frozen=True, kw_only=True):
    """How it stands now."""

    changed: Annotated[bool, Meta(description="false: what is known is newer than `at`, and stays")]


class SubscriptionQuery(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose, and which of them."""

    to: Number
    status: Status | None = None


class RemovalQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Since when it is cancelled."""

    at: Annotated[Moment, Meta(description="default: now; older than what is known, it changes nothing")] | (
        None
    ) = None


def _view(subscription: Subscription, whole: bool) -> SubscriptionView:
    return SubscriptionView(
        to=subscription.msisdn if whole else mask(subscription.msisdn),
        service=SubscribedService(
            subscription.service, subscription.name, str(subscription.price), subscription.period
        ),
        status=subscription.status,
        trial=subscription.trial,
        started_at=subscription.started_at,
        expires_at=subscription.expires_at,
        confirmation=ids.public(Kind.CONFIRMATION, subscription.source) if subscription.source else None,
        updated_at=subscription.updated_at,
        masked=not whole,
    )


async def list_(request: Request, services: Services) -> Answer:
    """GET /v1/subscriptions"""
    query: SubscriptionQuery = request.query
    page = page_of(query)
    if isinstance(page, Answer):
        return page
    try:
        rows = await services.subscriptions.list(query.to, query.status, before=page.before, limit=page.limit)
    except UnknownNumber as unknown:
        return not_a_number(unknown)
    whole = request.open_book
    return json_answer(200, listing(rows, query, place_of, lambda row: _view(row, whole)))


async def put(request: Request, services: Services) -> Answer:
    """PUT /v1/subscriptions/{msisdn}/{service}"""
    wish: Wish = request.payload
    outcome = await services.subscriptions.put(request.params[0], request.params[1], wish)
    if isinstance(outcome, Rejected):
        return intake.finished(*intake.render(outcome))
    view = _view(outcome.subscription, request.open_book)
    return json_answer(200, SubscriptionPut(**msgspec.structs.asdict(view), changed=outcome.changed))


async def remove(request: Request, services: Services) -> Answer:
    """DELETE /v1/subscriptions/{msisdn}/{service}"""
    query: RemovalQuery = request.query
    outcome = await services.subscriptions.remove(request.params[0], request.params[1], query.at)
    if isinstance(outcome, Rejected):
        return intake.finished(*intake.render(outcome))
    if outcome is None:
        return unknown_id("subscription", request.params[1])
    return Answer(204, content_type="")


ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/subscriptions",
        name="listSubscriptions",
        handler=list_,
        told="What a number subscribes to, the latest first",
        more="A mirror of what service platforms say and what confirmations and 0000 changed.",
        scope=Scope.READ,
        query=SubscriptionQuery,
        gives={200: Gives("A page", PageOf[SubscriptionView])},
    ),
    Route(
        method="PUT",
        path="/v1/subscriptions/{msisdn}/{service}",
        name="putSubscription",
        handler=put,
        told="Say how a subscription stands",
        more="The last word holds: what is older by its `at` than what is known changes nothing, so words "
        "may come twice and in any order. Leave out `expires_at` for what renews itself.",
        scope=Scope.CONFIRMATIONS_WRITE,
        takes=Wish,
        gives={200: Gives("How it stands now", SubscriptionPut)},
    ),
    Route(
        method="DELETE",
        path="/v1/subscriptions/{msisdn}/{service}",
        name="removeSubscription",
        handler=remove,
        told="Say that a subscription is over",
        more="Twice is once. It stays in the list as `cancelled`, so that older words can't bring it back.",
        scope=Scope.CONFIRMATIONS_WRITE,
        query=RemovalQuery,
        gives={204: Gives("It is over", content_type="")},
    ),
)
