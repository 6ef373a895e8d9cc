"""`/v1/surveys`: ask a customer for a score, and read what came of it."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.ids import Kind
from gateway.domain.msisdn import mask
from gateway.domain.request import Asked, Number, ScaleName, SurveyRequest
from gateway.domain.survey import Revision, State, Status, Subject
from gateway.domain.survey_state import Because, told
from gateway.domain.timeliness import Promptness
from gateway.http import intake
from gateway.http.exchange import Answer, Request, json_answer
from gateway.http.messages import not_a_number
from gateway.http.ports import Services
from gateway.http.problem import INVALID_QUERY, problem, unknown_id
from gateway.http.routes import Gives, Route
from gateway.http.schema import Choice, Moment, Paged, PageOf, Word, listing, page_of
from gateway.services.keys import Scope
from gateway.services.lookups import Conversation, Like, Reply, SurveyRecord, TooWide, UnknownNumber


class RevisionView(msgspec.Struct, frozen=True):
    """A score that counted from `at` on. The last one is the survey's score."""

    score: int
    at: Moment
    by: Annotated[str, Meta(description="the person who set it; null: the customer's own")] | None


class FollowUpView(msgspec.Struct, frozen=True):
    """The task that the ticket system was asked for, to call this customer back."""

    because: Annotated[Because, Meta(description="callback: the rules picked the ticket")]
    asked_at: Moment
    number: Annotated[str, Meta(description="as the ticket system gave it")] | None
    at: (
        Annotated[Moment, Meta(description="the ticket system has it since; null: not as far as is known")]
        | None
    )
    failed: Annotated[str, Meta(description="why the ticket system did not take it")] | None


class ReplyView(msgspec.Struct, frozen=True):
    """What the customer wrote, as it came."""

    id: str
    at: Moment
    text: Annotated[str, Meta(description="null without pii:read")] | None
    complete: Annotated[bool, Meta(description="false: parts of it never came")]
    redelivery: Annotated[bool, Meta(description="looks like one that the SMSC delivered twice")]
    status: Annotated[str, Meta(description="what it was taken for")]
    reason: str | None


class SurveySummary(msgspec.Struct, frozen=True, kw_only=True):
    """A survey in a list. Without the scope `pii:read` numbers and texts are masked, and `masked` is true."""

    id: str
    status: Status
    reason: Annotated[str, Meta(description="why it was suppressed or cancelled")] | None
    to: Annotated[str, Meta(description="E.164 digits; masked without pii:read", examples=["8613905310001"])]
    touchpoint: str
    ticket: Annotated[str, Meta(description="the ticket's id")] | None
    agent: str | None
    department: str | None
    ref: str | None
    scale: Annotated[str, Meta(examples=["ten"])]
    score: int | None
    comment: (
        Annotated[str, Meta(description="all else that the customer wrote; null without pii:read")] | None
    )
    revisions: list[RevisionView]
    low: Annotated[bool, Meta(description="whether its score is low, by the rules of its time")]
    follow_up: Annotated[FollowUpView, Meta(description="null: nobody was asked for one")] | None
    opened_at: Moment
    expires_at: Moment
    answered_at: Moment | None
    message_id: Annotated[str, Meta(description="the message that carried the question")] | None
    masked: bool


class SurveyDetail(SurveySummary, frozen=True, kw_only=True):
    """One survey with the customer's own words."""

    replies: list[ReplyView]


class SurveyQuery(Paged, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filters of the list."""

    to: Number | None = None
    ticket: Word | None = None
    status: Status | None = None
    since: Annotated[Moment, Meta(description="opened at this time or later")] | None = None
    until: Annotated[Moment, Meta(description="opened before this time")] | None = None
    touchpoint: Choice | None = None
    department: Choice | None = None
    type: Annotated[str, Meta(max_length=200, description="of the ticket; empty: without one")] | None = None
    agent: Choice | None = None
    scale: ScaleName | None = None
    low: Annotated[bool, Meta(description="whether its score is low, by the rules of its time")] | None = None
    timeliness: Annotated[Promptness, Meta(description="of the answer to its ticket")] | None = None


async def ask(request: Request, services: Services) -> Answer:
    """POST /v1/surveys"""
    outcome = await services.intake.survey(request.payload, request.caller, request.once(intake.render))
    return intake.answer(outcome)


def _revision(revision: Revision) -> RevisionView:
    return RevisionView(score=revision.score, at=revision.at, by=revision.by)


def _fields(survey: Conversation, whole: bool) -> dict[str, Any]:
    subject = msgspec.convert(survey.subject, Subject)
    state = msgspec.convert(survey.state, State)
    revisions = [_revision(revision) for revision in state.revisions]
    return {
        "id": ids.public(Kind.SURVEY, survey.id),
        "status": Status(survey.status),
        "reason": state.reason,
        "to": survey.msisdn if whole else mask(survey.msisdn),
        "touchpoint": survey.touchpoint,
        "ticket": survey.ticket_id,
        "agent": subject.agent,
        "department": subject.department,
        "ref": subject.ref,
        "scale": subject.scale,
        "score": revisions[-1].score if revisions else None,
        "comment": (state.comment or None) if whole else None,
        "revisions": revisions,
        "low": state.low,
        "follow_up": FollowUpView(**told(state.follow_up)) if state.follow_up else None,
        "opened_at": survey.opened_at,
        "expires_at": survey.expires_at,
        "answered_at": revisions[0].at if revisions else None,
        "message_id": ids.public(Kind.MESSAGE, survey.message_id) if survey.message_id else None,
        "masked": not whole,
    }


def reply_view(reply: Reply, whole: bool) -> ReplyView:
    """A reply as the API shows it."""
    return ReplyView(
        id=ids.public(Kind.REPLY, reply.id),
        at=reply.received_at,
        text=reply.text if whole else None,
        complete=reply.complete,
        redelivery=reply.redelivery,
        status=reply.status,
        reason=reply.reason,
    )


def detail(record: SurveyRecord, whole: bool) -> SurveyDetail:
    """A survey as the API shows it."""
    replies = [reply_view(reply, whole) for reply in record.replies]
    return SurveyDetail(**_fields(record.conversation, whole), replies=replies)


async def get(request: Request, services: Services) -> Answer:
    """GET /v1/surveys/{id}"""
    survey_id = ids.parse(Kind.SURVEY, request.params[0])
    record = None if survey_id is None else await services.lookups.survey(survey_id)
    if record is None:
        return unknown_id("survey", request.params[0])
    return json_answer(200, detail(record, request.open_book))


async def list_(request: Request, services: Services) -> Answer:
    """GET /v1/surveys"""
    query: SurveyQuery = request.query
    page = page_of(query)
    if isinstance(page, Answer):
        return page
    try:
        rows = await services.lookups.surveys(page, to=query.to, ticket=query.ticket, like=_like(query))
    except UnknownNumber as unknown:
        return not_a_number(unknown)
    except TooWide:
        return problem(INVALID_QUERY, "Too many surveys would be read. Give to or ticket, or a later since.")
    whole = request.open_book
    return json_answer(
        200, listing(rows, query, lambda row: row.id, lambda row: SurveySummary(**_fields(row, whole)))
    )


def _like(query: SurveyQuery) -> Like:
    return Like(
        status=query.status,
        since=query.since,
        until=query.until,
        touchpoint=query.touchpoint,
        department=query.department,
        type=query.type,
        agent=query.agent,
        scale=query.scale,
        low=query.low,
        timeliness=query.timeliness,
    )


ROUTES: Final = (
    Route(
        method="POST",
        path="/v1/surveys",
        name="askSurvey",
        handler=ask,
        told="A touchpoint asks for a score: hotline, counter, account manager …",
        more="A customer gets at most one survey in seven days and one open at a time per touchpoint (the "
        "operator's rules can say otherwise): the rest are `suppressed`, nothing is sent, and `reason` says "
        "why. `touchpoint` is one that has a template: `hotline` asks with `survey/hotline`.",
        scope=Scope.TICKETS_WRITE,
        takes=SurveyRequest,
        creates=True,
        gives={202: Gives("Durably stored; `status` says whether it is asked", Asked)},
    ),
    Route(
        method="GET",
        path="/v1/surveys/{id}",
        name="getSurvey",
        handler=get,
        told="One survey: score, comment, revisions, the customer's own words",
        scope=Scope.READ,
        gives={200: Gives("The survey", SurveyDetail)},
    ),
    Route(
        method="GET",
        path="/v1/surveys",
        name="listSurveys",
        handler=list_,
        told="Surveys, newest first",
        scope=Scope.READ,
        query=SurveyQuery,
        gives={200: Gives("A page", PageOf[SurveySummary])},
    ),
)
