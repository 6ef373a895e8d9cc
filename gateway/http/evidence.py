"""`GET /v1/confirmations/{id}/evidence`: what is on record of a confirmation, as JSON or a page to print."""

import base64
import hashlib
from typing import Annotated, Any, Final, Literal, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from gateway.domain import ids
from gateway.domain.ids import Kind
from gateway.domain.msisdn import mask
from gateway.domain.tampering import Cause, Finding, What
from gateway.http.evidence_page import STYLE, page
from gateway.http.exchange import HTML, Answer, Request, json_answer
from gateway.http.problem import INVALID_QUERY, problem, unknown_id
from gateway.http.schema import Moment
from gateway.services.evidence import Attested, Dossier
from gateway.telemetry import masked

DEFAULT_ZONE: Final = "Asia/Shanghai"

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
#: The page loads nothing, runs nothing, and is kept by nobody on the way.
HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

#: Fields that hold what a customer, the wire or another system wrote: withheld without pii:read.
_WITHHELD: Final = frozenset({"payload", "answer", "request", "receipt"})

#: Fields that hold no customer's number, however many digits they have.
_OURS: Final = frozenset({"address", "smsc_id", "ref", "code", "at", "received_at", "expires_at"})
_IDS: Final = {
    "message_id": Kind.MESSAGE,
    "reply_id": Kind.REPLY,
    "callback_id": Kind.CALLBACK,
    "key_id": Kind.KEY,
}


class Dossiers(Protocol):
    """Puts together what is on record of a confirmation; None: nothing is. Raises `StorageUnavailable`."""

    async def dossier(self, confirmation_id: UUID) -> Dossier | None: ...


class EvidenceQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the page is written."""

    language: Literal["zh-CN", "en"] = "zh-CN"
    zone: Annotated[str, Meta(max_length=64, description="IANA name", examples=["Asia/Shanghai"])] | None = (
        None
    )


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong with the chain: rows `n` to `last`."""

    what: What
    cause: Cause
    n: int
    last: int


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One entry."""

    n: Annotated[int, Meta(description="its row in the chain")]
    at: Annotated[Moment, Meta(description="null: what stands there is no time")] | None
    kind: str
    says: Annotated[dict[str, Any], Meta(description="null: a kind or form that is not known")] | None
    body: Annotated[str, Meta(description="the text that was hashed; null without pii:read")] | None
    previous: str
    hash: str
    findings: list[FindingView]


class ChainView(msgspec.Struct, frozen=True, kw_only=True):
    """The chain that the entries stand in. All of it was checked."""

    bucket: int
    rows: int
    head: Annotated[int, Meta(description="number of its last row; null: its head is gone")] | None
    head_hash: str | None
    sealed_below: Annotated[Moment, Meta(description="older rows were removed by retention")] | None


class EvidenceView(msgspec.Struct, frozen=True, kw_only=True):
    """All that is on record of a confirmation. Without pii:read numbers and customers' words are masked."""

    id: str
    made_at: Moment
    intact: Annotated[bool, Meta(description="false: something that may concern these entries is wrong")]
    masked: bool
    entries: list[EntryView]
    chain: ChainView
    doubts: Annotated[list[FindingView], Meta(description="all that may concern these entries")]
    elsewhere: Annotated[int, Meta(description="findings in this chain that concern others")]


async def answer(request: Request, dossiers: Dossiers, *, default_zone: str = DEFAULT_ZONE) -> Answer:
    """The evidence of the confirmation in the path; as HTML where the caller accepts that before JSON."""
    query = request.query if isinstance(request.query, EvidenceQuery) else EvidenceQuery()
    try:
        zone = ZoneInfo(query.zone or default_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return problem(INVALID_QUERY, "zone is no IANA time zone; write it as Asia/Shanghai.")
    confirmation_id = ids.parse(Kind.CONFIRMATION, request.params[0])
    dossier = None if confirmation_id is None else await dossiers.dossier(confirmation_id)
    if dossier is None:
        return unknown_id("evidence of a confirmation", request.params[0])
    whole = request.open_book
    if not wants_html(request.accept):
        return json_answer(200, view(dossier, whole), {"Cache-Control": "no-store"})
    body = page(dossier, says=[redacted(each, whole) for each in dossier.testimonies], whole=whole,
                zone=zone, language=query.language)  # fmt: skip
    return Answer(200, body.encode(errors="replace"), f"{HTML}; charset=utf-8", HEADERS)


def wants_html(accept: str) -> bool:
    """Whether HTML is named, and not after JSON: browsers do, programs that take anything don't."""
    types = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if HTML not in types:
        return False
    return "application/json" not in types or types.index(HTML) < types.index("application/json")


def view(dossier: Dossier, whole: bool) -> EvidenceView:
    """A dossier as the API shows it."""
    chain = dossier.chain
    return EvidenceView(
        id=ids.public(Kind.CONFIRMATION, dossier.confirmation_id),
        made_at=dossier.made_at,
        intact=dossier.intact,
        masked=not whole,
        entries=[
            EntryView(
                n=each.entry.n,
                at=each.entry.at,
                kind=each.entry.kind,
                says=redacted(each, whole),
                body=each.entry.body if whole else None,
                previous=each.entry.previous.hex(),
                hash=each.entry.hash.hex(),
                findings=[_finding(one) for one in each.findings],
            )
            for each in dossier.testimonies
        ],
        chain=ChainView(
            bucket=chain.bucket,
            rows=chain.rows,
            head=chain.head.n if chain.head else None,
            head_hash=chain.head.hash.hex() if chain.head else None,
            sealed_below=chain.seal.before if chain.seal else None,
        ),
        doubts=[_finding(one) for one in dossier.doubts],
        elsewhere=dossier.elsewhere,
    )


def _finding(finding: Finding) -> FindingView:
    return FindingView(what=finding.what, cause=finding.cause, n=finding.n, last=finding.last)


def redacted(testimony: Attested, whole: bool) -> dict[str, Any] | None:
    """What an entry says, with its fields by name; masked as the caller may see it."""
    if testimony.says is None:
        return None
    says: dict[str, Any] = msgspec.to_builtins(testimony.says)
    if not whole:
        says = {name: _shown(testimony.entry.kind, name, value) for name, value in says.items()}
    for name, kind in _IDS.items():
        if says.get(name) is not None:
            says[name] = ids.public(kind, UUID(says[name]))
    return says


def _shown(kind: str, name: str, value: Any) -> Any:
    if name in ("to", "sender") and isinstance(value, str):
        return mask(value)
    if name in _OURS:
        return value
    if value is not None and (name in _WITHHELD or (kind == "replied" and name == "text")):
        return None
    if isinstance(value, dict):
        return {key: _shown(kind, key, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(kind, name, item) for item in value]
    return value if name in _IDS else masked(value)
