"""From what somebody wants said to a message ready to be stored: template, language, sender, encoding, id."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final
from uuid import UUID

import msgspec

from gateway.domain import wishes
from gateway.domain.handling import Handling
from gateway.domain.ids import IdSource
from gateway.domain.message import Lane, Message, OnUnknown, Status
from gateway.domain.msisdn import bucket_of
from gateway.domain.request import Fault, Rejected
from gateway.domain.survey_rules import Surveys
from gateway.domain.template import Catalogue, Problem, Template
from gateway.sms.cutting import PLAIN, Cutting
from gateway.sms.segment import measure

#: Longest text, in segments: an SMSC may take 255, but nobody reads that.
MAX_SEGMENTS: Final = 10
#: So many templates are named to who named none of them.
SOME: Final = 8
REMINDER: Final = "survey/reminder"  # is no touchpoint where the rules remind nobody either
#: The template of a touchpoint's question is this and its name.
ASKING: Final = "survey/"
DEFAULT_LANE: Final = Lane.SERVICE
VALID_FOR: Final = timedelta(hours=48)


@dataclass(slots=True, kw_only=True)
class Draft:
    """What is to be said to whom. Either `template` with its `params`, or `text`."""

    to: str  #: MSISDN, normalised
    template: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    language: str | None = None
    lane: Lane | None = None  #: default: the template's, else service
    sender: str | None = None  #: access number and extension; default: the default sender
    on_unknown: OnUnknown | None = None  #: default: by lane
    report: bool = True
    ref: str | None = None
    due_at: datetime | None = None
    expires_at: datetime | None = None
    key_id: UUID | None = None
    request_id: str | None = None
    conversation_id: UUID | None = None
    handling: Handling | None = None


#: What happens to a message of a lane when nobody knows whether the SMSC took it.
ON_UNKNOWN: Final = {
    Lane.EMERGENCY: OnUnknown.RESEND,
    Lane.TRANSACTIONAL: OnUnknown.RESEND,
    Lane.SERVICE: OnUnknown.RESEND,
    Lane.SURVEY: OnUnknown.RESEND,
    Lane.MARKETING: OnUnknown.NEVER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One of our access numbers, with how many digits the SMSC lets us append for replies."""

    number: str
    extensions: int


class Composer:
    """Makes messages. It knows the templates and the senders, and holds no state of its own."""

    def __init__(
        self,
        catalogue: Callable[[], Catalogue],
        senders: Mapping[str, Sender],
        ids: IdSource,
        *,
        language: str,
        valid_for: timedelta = VALID_FOR,
        estimate: Callable[[str, str, str], Cutting] = lambda _to, _sender, _lane: PLAIN,
        unable: Callable[[str, str, str, Handling], str] = lambda _to, _sender, _lane, _handling: "",
    ) -> None:
        """`estimate` says how a text to a customer, from a sender, in a lane will probably be cut; `unable`,
        why no SMSC that it may go by can do what it asks for."""
        self._estimate = estimate
        self._unable = unable
        self._catalogue = catalogue
        self._senders = senders
        self._by_number = {sender.number: sender for sender in senders.values()}
        self.ids = ids
        self._language = language
        self._default = senders["default"].number
        self._valid_for = valid_for

    def sender(self, name: str | None) -> Sender | Rejected:
        """The sender by its configured name or its number; None means the default one."""
        found = self._senders.get(name or "default") or self._by_number.get(name or "")
        if found is None:
            return Rejected(
                code="unknown-sender",
                title="Unknown sender",
                status=422,
                detail=f"Use one of: {', '.join(sorted(self._senders))}.",
                errors=(Fault("/sender", "no sender of this name or number is configured"),),
            )
        return found

    def compose(self, draft: Draft, now: datetime) -> Message | Rejected:
        """The message, not yet stored, queued or scheduled; or why it can't be made."""
        template: Template | None = None
        if draft.template is not None:
            rendered = self._render(draft)
            if isinstance(rendered, Rejected):
                return rendered
            template, body = rendered
        else:
            body = draft.text or ""
        lane = draft.lane or (Lane(template.head.lane) if template else DEFAULT_LANE)
        sender = draft.sender or self._default
        measured = measure(body, self._estimate(draft.to, sender, lane))
        if measured.segments > MAX_SEGMENTS:
            return Rejected(
                code="text-too-long",
                title="Text too long",
                status=422,
                detail=f"The text makes {measured.segments} short messages; at most {MAX_SEGMENTS} are sent.",
                errors=(Fault("/params" if template else "/text", "shorten it"),),
            )
        due_at = draft.due_at if draft.due_at is not None and draft.due_at > now else None
        expires_at = draft.expires_at or self.expires_at(due_at or now, draft)
        deliver_at = draft.handling.deliver_at if draft.handling else None
        if deliver_at is not None and deliver_at >= expires_at:
            return kept_too_long(expires_at, "its validity")
        if draft.handling and (why := self._unable(draft.to, sender, lane, draft.handling)):
            return wishes.invalid([Fault("/handling/deliver_at", f"can't be: {why}")])
        bucket = bucket_of(draft.to)
        return Message(
            bucket,
            self.ids.new(bucket, now.timestamp()),
            now,
            draft.to,
            sender,
            lane,
            template.category if template else None,
            draft.on_unknown or ON_UNKNOWN[lane],
            template.name if template else None,
            template.version if template else None,
            template.language if template else draft.language,
            body,
            measured.encoding,
            measured.segments,
            Status.SCHEDULED if due_at else Status.QUEUED,
            None,
            due_at,
            expires_at,
            draft.report,
            draft.ref,
            draft.key_id,
            draft.request_id,
            draft.conversation_id,
            draft.handling.written() if draft.handling else None,
        )

    def expires_at(self, due_at: datetime, draft: Draft) -> datetime:
        """Until when a message that is sent from this moment on has a sense, unless its caller says when."""
        deliver_at = draft.handling.deliver_at if draft.handling else None
        return max(due_at, deliver_at or due_at) + self._valid_for

    def template(self, name: str, language: str | None) -> Template | None:
        """The template of this name in the nearest language."""
        return self._catalogue().get(name, language or self._language)

    def _render(self, draft: Draft) -> tuple[Template, str] | Rejected:
        template = self.template(draft.template or "", draft.language)
        if template is None:
            return Rejected(
                code="unknown-template",
                title="Unknown template",
                status=422,
                detail=f"There is no template {draft.template!r}. {self._others(draft.template or '')}",
                errors=(Fault("/template", self._suggestion(draft.template or "")),),
            )
        body = template.render(draft.params)
        if isinstance(body, str):
            return template, body
        return refused_parameters(template, body)

    def _suggestion(self, name: str) -> str:
        near = get_close_matches(name, self._catalogue().names(), n=1)
        return f"is no template; did you mean {near[0]}?" if near else "is no template of this gateway"

    def _others(self, name: str) -> str:
        """Some templates there are, the nearest first."""
        names = self._catalogue().names()
        near = get_close_matches(name, names, n=SOME, cutoff=0.4)
        shown = [*near, *(each for each in names if each not in near)][:SOME]
        more = len(names) - len(shown)
        return f"There are {', '.join(shown)}{f' and {more} others' if more else ''}."

    def touchpoints(self, answering: Collection[str]) -> list[str]:
        """Where a survey of its own can be asked: the templates under survey/ but those that only answer."""
        names = (name for name in self._catalogue().names() if name not in answering)
        return [name.removeprefix(ASKING) for name in names if name.startswith(ASKING)]


def kept_too_long(until: datetime, what: str) -> Rejected:
    """The answer to a message that the SMSC is to keep beyond its own end, or that of its question."""
    fault = Fault(
        "/handling/deliver_at", f"must be before the end of {what}: {until.isoformat('T', 'seconds')}"
    )
    return wishes.invalid([fault])


def answering(surveys: Surveys) -> set[str]:
    """The templates that ask nobody anew: answers, and reminders of a question."""
    every = (surveys, *(surveys.at(touchpoint) for touchpoint in surveys.touchpoints))
    answers = {str(name) for rules in every for name in msgspec.structs.astuple(rules.templates)}
    return answers | {rules.reminder.template for rules in every if rules.reminder} | {REMINDER}


def unknown_touchpoint(name: str, known: Sequence[str]) -> Rejected:
    """The answer to a touchpoint that has no template to ask with."""
    near, names = get_close_matches(name, known, n=1), ", ".join(known) or "none yet"
    return Rejected(
        code="unknown-touchpoint",
        title="Unknown touchpoint",
        status=422,
        detail=f"There is no template {ASKING}{name} to ask with. Touchpoints are: {names}. "
        "Or name a template.",
        errors=(Fault("/touchpoint", f"did you mean {near[0]}?" if near else f"is none of: {names}"),),
    )


def refused_parameters(template: Template, problems: Sequence[Problem]) -> Rejected:
    """The answer to parameters that a template can't take."""
    return Rejected(
        code="bad-parameters",
        title="Parameters do not fit the template",
        status=422,
        detail=f"{template.name} takes: {', '.join(template.head.parameters) or 'no parameters'}.",
        errors=tuple(Fault(f"/params{problem.pointer}", problem.detail) for problem in problems),
    )
