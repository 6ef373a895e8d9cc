"""`/v1/confirmations`: ask a customer for a yes to a paid service, read what came of it, take it back."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.confirmation import State, Status, Subject
from gateway.domain.ids import Kind
from gateway.domain.msisdn import mask
from gateway.domain.request import Asked, ConfirmationRequest, Number
from gateway.http import evidence, intake
from gateway.http.evidence import EvidenceQuery, EvidenceView
from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.messages import not_a_number
from gateway.http.ports import Services
from gateway.http.problem import INVALID_QUERY, TOO_LATE, problem, unknown_id
from gateway.http.routes import Gives, Route
from gateway.http.schema import Moment, Paged, PageOf, listing, page_of
from gateway.http.surveys import ReplyView, reply_view
from gateway.services.confirmations import Cancelled, TooLate
from gateway.services.keys import Scope
from gateway.services.lookups import Conversation, SurveyRecord, TooWide, UnknownNumber


class ServiceView(msgspec.Struct, frozen=True):
    """What was offered."""

    code: str
    name: str
    price: Annotated[str, Meta(description="yuan", examples=["10.00"])]
    period: str


class ConfirmationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmation in a list. Without the scope `pii:read` numbers are masked, and `masked` is true."""

    id: str
    status: Status
    reason: Annotated[str, Meta(description="why it ended so, or could not be activated")] | None
    held: (
        Annotated[str, Meta(description="why a person looks at the yes before anything is activated")] | None
    )
    to: Annotated[str, Meta(description="E.164 digits; masked without pii:read", examples=["8613905310001"])]
    service: ServiceView
    channel: str | None
    ref: str | None
    address: Annotated[str, Meta(description="where the answer has to be written to", examples=["10086001"])]
    opened_at: Moment
    expires_at: Moment
    answered_at: Moment | None
    activated_at: Moment | None
    cancelled_at: Moment | None
    person: Annotated[str, Meta(description="who read the answer; null: the rules did")] | None
    message_id: Annotated[str, Meta(description="the message that asks")] | None
    masked: bool


class ConfirmationDetail(ConfirmationSummary, frozen=True, kw_only=True):
    """One confirmation with its prompt and the customer's own words."""

    text: Annotated[str, Meta(description="of the prompt")]
    replies: list[ReplyView]


class ConfirmationQuery(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filters of the list."""

    to: Number | None = None
    status: Status | None = None
    since: Annotated[Moment, Meta(description="opened at this time or later")] | None = None


class TakenBack(msgspec.Struct, frozen=True):
    """Nothing will be activated."""

    id: str
    status: Status


async def ask(request: Request, services: Services) -> Answer:
    """POST /v1/confirmations"""
    outcome = await services.intake.confirmation(request.payload, request.caller, request.once(intake.render))
    return intake.answer(outcome)


def _fields(row: Conversation, whole: bool) -> dict[str, Any]:
    subject = msgspec.convert(row.subject, Subject)
    state = msgspec.convert(row.state, State)
    service = subject.service
    return {
        "id": ids.public(Kind.CONFIRMATION, row.id),
        "status": Status(row.status),
        "reason": state.reason,
        "held": state.held,
        "to": row.msisdn if whole else mask(row.msisdn),
        "service": ServiceView(service.code, service.name, service.price, service.period),
        "channel": subject.channel,
        "ref": subject.ref,
        "address": row.address,
        "opened_at": row.opened_at,
        "expires_at": row.expires_at,
        "answered_at": state.answered_at,
        "activated_at": state.activated_at,
        "cancelled_at": state.cancelled_at,
        "person": state.person,
        "message_id": ids.public(Kind.MESSAGE, row.message_id) if row.message_id else None,
        "masked": not whole,
    }


def detail(record: SurveyRecord, whole: bool) -> ConfirmationDetail:
    """A confirmation as the API shows it."""
    row = record.conversation
    replies = [reply_view(reply, whole) for reply in record.replies]
    return ConfirmationDetail(
        **_fields(row, whole), text=msgspec.convert(row.subject, Subject).text, replies=replies
    )


async def get(request: Request, services: Services) -> Answer:
    """GET /v1/confirmations/{id}"""
    confirmation_id = ids.parse(Kind.CONFIRMATION, request.params[0])
    record = None if confirmation_id is None else await services.lookups.confirmation(confirmation_id)
    if record is None:
        return unknown_id("confirmation", request.params[0])
    return json_answer(200, detail(record, request.open_book))


async def list_(request: Request, services: Services) -> Answer:
    """GET /v1/confirmations"""
    query: ConfirmationQuery = request.query
    page = page_of(query)
    if isinstance(page, Answer):
        return page
    try:
        rows = await services.lookups.confirmations(page, to=query.to, status=query.status, since=query.since)
    except UnknownNumber as unknown:
        return not_a_number(unknown)
    except TooWide:
        return problem(INVALID_QUERY, "Too many confirmations would be read. Give to, or a later since.")
    whole = request.open_book
    return json_answer(
        200, listing(rows, query, lambda row: row.id, lambda row: ConfirmationSummary(**_fields(row, whole)))
    )


async def cancel(request: Request, services: Services) -> Answer:
    """POST /v1/confirmations/{id}/cancel"""
    confirmation_id = ids.parse(Kind.CONFIRMATION, request.params[0])
    outcome = None if confirmation_id is None else await services.confirmations.cancel(confirmation_id)
    match outcome:
        case Cancelled(prompt):
            if prompt is not None:
                await services.dispatch.cancel(prompt)  # if it has not left yet
            return json_answer(200, TakenBack(request.params[0], Status.CANCELLED))
        case TooLate(status):
            return problem(
                TOO_LATE, f"It is {status}. Only what is pending, or held for review, is taken back."
            )
        case None:
            return unknown_id("confirmation", request.params[0])


async def testify(request: Request, services: Services) -> Answer:
    """GET /v1/confirmations/{id}/evidence"""
    return await evidence.answer(request, services.evidence)


ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/confirmations",
        name="askConfirmation",
        handler=ask,
        told="Ask a customer to confirm the order of a paid service",
        more="The SMS states service, price, period, how to answer and until when. Only a clear yes to it "
        "leads to one call of the connector `service.activate`. A service that is offered to the same "
        "customer again takes the place of an offer that still waits.",
        scope=Scope.CONFIRMATIONS_WRITE,
        takes=ConfirmationRequest,
        creates=True,
        gives={202: Gives("Durably stored, and asked", Asked)},
    ),
    Route(
        method="GET",
        path="/v1/confirmations/{id}",
        name="getConfirmation",
        handler=get,
        told="One confirmation: where it stands, and the customer's own words",
        scope=Scope.READ,
        gives={200: Gives("The confirmation", ConfirmationDetail)},
    ),
    Route(
        method="GET",
        path="/v1/confirmations",
        name="listConfirmations",
        handler=list_,
        told="Confirmations, newest first",
        scope=Scope.READ,
        query=ConfirmationQuery,
        gives={200: Gives("A page", PageOf[ConfirmationSummary])},
    ),
    Route(
        method="POST",
        path="/v1/confirmations/{id}/cancel",
        name="cancelConfirmation",
        handler=cancel,
        told="Take a confirmation back while nothing was activated",
        more="Possible while it is `pending`, or `accepted` and held for review. An SMS that has left is not "
        "called back: who answers it is told how things stand.",
        scope=Scope.CONFIRMATIONS_WRITE,
        gives={200: Gives("It is cancelled", TakenBack)},
        problems={409: "It was answered, or is over"},
    ),
    Route(
        method="GET",
        path="/v1/confirmations/{id}/evidence",
        name="getEvidence",
        handler=testify,
        told="All that is on record of a confirmation, as JSON or as a page to print",
        more="`Accept: text/html` gives the page. The whole chain that the entries stand in is checked.",
        scope=Scope.READ,
        query=EvidenceQuery,
        gives={200: Gives("The evidence", EvidenceView, page=True)},
    ),
)
