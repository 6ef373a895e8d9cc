"""What this edge needs of the floors below, as small protocols: `app` hands in the real ones."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.domain.callback import Try
from gateway.domain.event import CallbackStatus
from gateway.domain.figures import Satisfaction
from gateway.domain.request import (
    Accepted,
    Asked,
    ConfirmationRequest,
    MessageRequest,
    Rejected,
    ResolutionRequest,
    SurveyRequest,
)
from gateway.domain.subscription import Status as SubscriptionStatus
from gateway.domain.subscription import Subscription
from gateway.domain.timeliness import Timeliness
from gateway.domain.webhook import Endpoint
from gateway.services.confirmations import Cancelled, TooLate
from gateway.services.contacts import Contact, ContactWish
from gateway.services.evidence import Dossier
from gateway.services.inbox import Gone, Judgement, NotFound, Refused, Resolved
from gateway.services.intake import Caller, Conflict, Once, Replay
from gateway.services.keys import KeyRing
from gateway.services.lookups import Lookups
from gateway.services.reports import By, Period, RecordedReport, Report, TicketsBy, Wanted
from gateway.services.subscriptions import Put, Wish
from gateway.services.ways import Ways
from gateway.services.webhooks import Created, Unended
from gateway.storage.callbacks import Delivery


class Intake(Protocol):
    """Takes messages and questions in. Returns after the commit; raises `StorageUnavailable`."""

    async def messages(
        self, requests: Sequence[MessageRequest | Rejected], caller: Caller, once: Once | None = None
    ) -> list[Accepted | Rejected] | Replay | Conflict: ...

    async def resolution(
        self, request: ResolutionRequest, caller: Caller, once: Once | None = None
    ) -> Accepted | Rejected | Replay | Conflict: ...

    async def survey(
        self, request: SurveyRequest, caller: Caller, once: Once | None = None
    ) -> Asked | Rejected | Replay | Conflict: ...

    async def confirmation(
        self, request: ConfirmationRequest, caller: Caller, once: Once | None = None
    ) -> Asked | Rejected | Replay | Conflict: ...


class Confirmations(Protocol):
    """Takes confirmations back; None: there is no such one."""

    async def cancel(self, confirmation_id: UUID) -> Cancelled | TooLate | None: ...


class Evidence(Protocol):
    """What is on record of a confirmation; None: nothing is."""

    async def dossier(self, confirmation_id: UUID) -> Dossier | None: ...


class Dispatch(Protocol):
    """Takes a message back: "cancelled", "too-late" or "unknown-id"."""

    async def cancel(self, message_id: UUID) -> str: ...


class Callbacks(Protocol):
    """Calls out, as people look at them."""

    async def list(
        self,
        *,
        status: CallbackStatus | None = None,
        target: str | None = None,
        before: UUID | None = None,
        limit: int = 50,
    ) -> Sequence[tuple[Delivery, Sequence[Try]]]: ...

    async def redeliver(self, callback_id: UUID, target: str | None = None) -> bool: ...


class Webhooks(Protocol):
    """Endpoints that hear of events."""

    async def create(
        self, url: str, events: Sequence[str], once: Once | None = None
    ) -> Created | Rejected | Replay | Conflict: ...

    async def list(self) -> Sequence[Endpoint]: ...

    async def remove(self, endpoint_id: UUID) -> bool: ...

    async def rotate(self, endpoint_id: UUID) -> Created | Unended | None: ...

    async def end_rotation(self, endpoint_id: UUID) -> bool: ...

    async def deliveries(
        self, endpoint_id: UUID, *, before: UUID | None = None, limit: int = 50
    ) -> Sequence[tuple[Delivery, Sequence[Try]]]: ...

    async def redeliver(self, endpoint_id: UUID, callback_id: UUID) -> bool: ...


class Inbox(Protocol):
    """Replies that need a person."""

    async def resolve(
        self, reply_id: UUID, judgement: Judgement, who: str
    ) -> Resolved | Gone | NotFound | Refused: ...


class Reports(Protocol):
    """Figures. All raise `TooWide`."""

    zone: ZoneInfo  #: of the days

    def today(self) -> date: ...

    async def satisfaction(self, period: Period, by: By, wanted: Wanted) -> Report[Satisfaction]: ...

    async def timeliness(self, period: Period, by: TicketsBy, wanted: Wanted) -> Report[Timeliness]: ...

    async def recorded(self, period: Period) -> RecordedReport: ...


class Subscriptions(Protocol):
    """What numbers subscribe to."""

    async def list(
        self, to: str, status: SubscriptionStatus | None, *, before: UUID, limit: int
    ) -> Sequence[Subscription]: ...

    async def put(self, to: str, service: str, wish: Wish) -> Put | Rejected: ...

    async def remove(self, to: str, service: str, at: datetime | None) -> Subscription | Rejected | None: ...


class Contacts(Protocol):
    """What is known of numbers."""

    async def load(self, to: str) -> Contact | Rejected: ...

    async def put(self, to: str, wish: ContactWish) -> Contact | Rejected: ...

    async def opt_out(self, to: str, scope: str, by: str, cause: UUID) -> Contact | Rejected: ...

    async def opt_in(self, to: str, scope: str | None, by: str, cause: UUID) -> Contact | Rejected: ...


#: Whether a part can do its work, and if not, why.
Check = Callable[[], Awaitable[tuple[bool, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that handlers call."""

    intake: Intake
    dispatch: Dispatch
    confirmations: Confirmations
    evidence: Evidence
    callbacks: Callbacks
    webhooks: Webhooks
    inbox: Inbox
    lookups: Lookups
    reports: Reports
    subscriptions: Subscriptions
    contacts: Contacts
    keys: KeyRing
    ways: Ways | None = None  #: the binds; None: this node has none
    checks: Mapping[str, Check] = field(default_factory=dict)  #: by the part's name
