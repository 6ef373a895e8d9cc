"""`/v1/contacts`: what is known of a number — language, tier — and what it wants no more of."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.domain.ids import Kind, public
from gateway.domain.msisdn import mask
from gateway.domain.request import Rejected
from gateway.http import intake
from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.ports import Services
from gateway.http.routes import Gives, Route
from gateway.http.schema import Moment
from gateway.services.contacts import Contact, ContactWish, OptOutWish
from gateway.services.contacts import Scope as OptOutScope
from gateway.services.keys import Scope


class OptOutView(msgspec.Struct, frozen=True):
    """One opt-out. `by` and `at` are null where it is older than what is kept of it."""

    scope: Annotated[str, Meta(examples=["lane:marketing"])]
    by: Annotated[str, Meta(description="reply: the customer wrote it; else the key that said so")] | None
    at: Moment | None


class ContactView(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a number. Without `pii:read` the number is masked, and `masked` is true."""

    to: Annotated[str, Meta(description="E.164 digits; masked without pii:read", examples=["8613905310001"])]
    language: Annotated[str, Meta(examples=["zh-CN"])] | None
    tier: Annotated[str, Meta(examples=["vip"])] | None
    opt_outs: list[OptOutView]
    updated_at: Annotated[Moment, Meta(description="null: nothing is known")] | None
    masked: bool


class OptOuts(msgspec.Struct, frozen=True):
    """What a number wants no more of."""

    data: list[OptOutView]


class OptInQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be sent again."""

    scope: OptOutScope | None = None


def _opt_outs(contact: Contact) -> list[OptOutView]:
    return [OptOutView(each.scope, each.by, each.at) for each in contact.opt_outs]


def _contact(outcome: Contact | Rejected, request: Request) -> Answer:
    if isinstance(outcome, Rejected):
        return intake.finished(*intake.render(outcome))
    whole = request.open_book
    view = ContactView(
        to=outcome.msisdn if whole else mask(outcome.msisdn),
        language=outcome.language,
        tier=outcome.tier,
        opt_outs=_opt_outs(outcome),
        updated_at=outcome.updated_at,
        masked=not whole,
    )
    return json_answer(200, view)


def _list(outcome: Contact | Rejected) -> Answer:
    if isinstance(outcome, Rejected):
        return intake.finished(*intake.render(outcome))
    return json_answer(200, OptOuts(_opt_outs(outcome)))


async def load(request: Request, services: Services) -> Answer:
    """GET /v1/contacts/{msisdn}"""
    return _contact(await services.contacts.load(request.params[0]), request)


async def put(request: Request, services: Services) -> Answer:
    """PUT /v1/contacts/{msisdn}"""
    return _contact(await services.contacts.put(request.params[0], request.payload), request)


async def opt_outs(request: Request, services: Services) -> Answer:
    """GET /v1/contacts/{msisdn}/opt-outs"""
    return _list(await services.contacts.load(request.params[0]))


async def opt_out(request: Request, services: Services) -> Answer:
    """POST /v1/contacts/{msisdn}/opt-outs"""
    wish: OptOutWish = request.payload
    key = request.key
    if key is None:
        raise RuntimeError("the route asks for a scope")
    who = public(Kind.KEY, key.id)
    return _list(await services.contacts.opt_out(request.params[0], wish.scope, who, key.id))


async def opt_in(request: Request, services: Services) -> Answer:
    """DELETE /v1/contacts/{msisdn}/opt-outs"""
    query: OptInQuery = request.query
    key = request.key
    if key is None:
        raise RuntimeError("the route asks for a scope")
    who = public(Kind.KEY, key.id)
    return _list(await services.contacts.opt_in(request.params[0], query.scope, who, key.id))


ROUTES: Final = (
    Route(
        method="GET",
        path="/v1/contacts/{msisdn}",
        name="getContact",
        handler=load,
        told="What is known of a number",
        more="Of most numbers nothing is: then all of it is null.",
        scope=Scope.READ,
        gives={200: Gives("What is known", ContactView)},
    ),
    Route(
        method="PUT",
        path="/v1/contacts/{msisdn}",
        name="putContact",
        handler=put,
        told="Say in which language a customer is written to, and of what tier he is",
        more="The last word holds. Opt-outs stay as they are: they have calls of their own.",
        scope=Scope.CONTACTS_WRITE,
        takes=ContactWish,
        gives={200: Gives("What is known now", ContactView)},
    ),
    Route(
        method="GET",
        path="/v1/contacts/{msisdn}/opt-outs",
        name="listOptOuts",
        handler=opt_outs,
        told="What a number wants no more of, by whom and since when",
        scope=Scope.READ,
        gives={200: Gives("All of it", OptOuts)},
    ),
    Route(
        method="POST",
        path="/v1/contacts/{msisdn}/opt-outs",
        name="optOut",
        handler=opt_out,
        told="Stop a lane or a category for a number",
        more="Once this is answered, nothing of it is sent any more that had not left before. Emergency and "
        "transactional messages are not stopped. Twice is once: it needs no Idempotency-Key.",
        scope=Scope.CONTACTS_WRITE,
        takes=OptOutWish,
        gives={200: Gives("All that is stopped now", OptOuts)},
    ),
    Route(
        method="DELETE",
        path="/v1/contacts/{msisdn}/opt-outs",
        name="optIn",
        handler=opt_in,
        told="Send a number again what it had opted out of",
        more="One `scope`, or without it all of them. Twice is once.",
        scope=Scope.CONTACTS_WRITE,
        query=OptInQuery,
        gives={200: Gives("All that is still stopped", OptOuts)},
    ),
)
