"""What this edge needs of the floors below, as small protocols: `app` hands in the real ones."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from gateway.domain.request import Accepted, MessageRequest, Rejected, ResolutionRequest, SurveyRequest
from gateway.services.intake import Caller, Conflict, Once, Replay
from gateway.services.keys import KeyRing
from gateway.services.lookups import Lookups


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
    ) -> Accepted | Rejected | Replay | Conflict: ...


class Dispatch(Protocol):
    """Takes a message back: "cancelled", "too-late" or "unknown-id"."""

    async def cancel(self, message_id: UUID) -> str: ...


#: Whether a part can do its work, and if not, why.
Check = Callable[[], Awaitable[tuple[bool, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that handlers call."""

    intake: Intake
    dispatch: Dispatch
    lookups: Lookups
    keys: KeyRing
    now: Callable[[], datetime]
    exposition: Callable[[], bytes]  #: the figures, as Prometheus reads them
    document: Callable[[], bytes]  #: the OpenAPI document
    checks: Mapping[str, Check] = field(default_factory=dict)  #: by the part's name
