"""A connector: how an event becomes a call into one of the operator's systems, and how its answer is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec

from gateway.domain.backoff import Backoff
from gateway.domain.call_template import (
    Fill,
    TemplateFault,
    body_template,
    header_template,
    is_template,
    url_template,
)
from gateway.domain.callback import ANY, KEPT, READ, Request, Success
from gateway.domain.event import Callback, CallbackKind
from gateway.domain.ids import Kind, public
from gateway.domain.target import fault_in_url

USUAL: Final = Backoff()
#: Connectors of such names are asked for what a customer waits for.
LOOKUP: Final = "lookup."
#: So long a look-up is tried, unless its definition says otherwise.
LOOKUP_PATIENCE: Final = timedelta(minutes=1)
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Set by us, or by the protocol.
_RESERVED: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "idempotency-key",
        "te",
        "trailer",
        "transfer-encoding",
    }
    | {"upgrade", "keep-alive", "proxy-connection", "accept-encoding"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One configured call, compiled."""

    name: str
    method: str = "POST"
    url: Fill = field(repr=False)
    headers: tuple[tuple[str, Fill], ...] = field(default=(), repr=False)
    body: Fill | None = field(default=None, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    success: Success = ANY
    result: str = ""  #: JSON pointer to what is wanted of the answer
    timeout: timedelta = timedelta(seconds=10)
    backoff: Backoff = USUAL
    concurrency: int = 8
    breaker_failures: int = 5
    breaker_pause: timedelta = timedelta(seconds=30)

    @property
    def hidden(self) -> tuple[str, ...]:
        """What must not be seen in an answer that we keep."""
        return tuple(secret for secret in self.secrets.values() if len(secret) > 3)

    def request(self, callback: Callback) -> Request:
        """The call for this callback. Raises TemplateFault if the event lacks what a template names."""
        known = known_of(callback)
        context = self._with_secrets(known)
        body = self._body(known, context)
        headers = [(name, _in("headers", name, fill, context)) for name, fill in self.headers]
        headers.append(("Idempotency-Key", public(Kind.CALLBACK, callback.id)))
        return Request(
            self.method,
            _in("url", "", self.url, context),
            tuple(headers),
            body,
            self.timeout.total_seconds(),
            READ if self.success.pointer or self.result else KEPT,
        )

    def _with_secrets(self, known: dict[str, Any]) -> dict[str, Any]:
        if not self.secrets:
            return known
        return {**known, "secrets": self.secrets, "secret": self.secrets.get("secret", "")}

    def _body(self, known: dict[str, Any], context: dict[str, Any]) -> bytes | None:
        if self.body is not None:
            filled: bytes = _in("body", "", self.body, context)
            return filled
        return msgspec.json.encode(known) if self.method in WITH_BODY else None


def ends_quietly(callback: Callback) -> bool:
    """Whether a call that is given up is of no use to anybody any more: it is not parked for a person."""
    return callback.kind == CallbackKind.CONNECTOR and callback.target.startswith(LOOKUP)


def known_of(callback: Callback) -> dict[str, Any]:
    """All that is known, under plain names: what a template may use, and the body of a connector without one.

    The event's data as it is (`to`, `score`, `comment`, `ticket` …), `ticket_id`, and which call it is.
    """
    known: dict[str, Any] = {"event": callback.event, "at": callback.created_at.isoformat()}
    known |= callback.payload
    ticket = known.get("ticket")
    if isinstance(ticket, dict) and "id" in ticket:
        known.setdefault("ticket_id", ticket["id"])
    return known


def _in(part: str, name: str, fill: Fill, context: dict[str, Any]) -> Any:
    try:
        return fill(context)
    except TemplateFault as fault:
        raise TemplateFault(f"{part}{f' {name}' if name else ''}: {fault}") from None


def load_connectors(
    definitions: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, Connector], list[str]]:
    """Compile definitions, as configured, into connectors; and every fault of theirs as a sentence.

    Names of fields are those of the configuration; durations are timedeltas, `secret` (and each of
    `secrets`) is the secret itself. A connector with a fault is left out.
    """
    connectors, faults = {}, []
    for name, definition in definitions.items():
        reader = _Reader(name, definition)
        connector = reader.connector()
        if reader.faults:
            faults += reader.faults
        else:
            connectors[name] = connector
    return connectors, faults


class _Reader:
    """Reads one definition and collects what is wrong with it."""

    def __init__(self, name: str, definition: Mapping[str, Any]) -> None:
        self.name = name
        self.definition = {key: value for key, value in definition.items() if value is not None}
        self.faults: list[str] = []

    def connector(self) -> Connector:
        given = self.definition
        method = str(given.get("method", "POST")).upper()
        if method not in METHODS:
            self._fault("method", f"{method} is none of {', '.join(METHODS)}")
        secrets = {str(key): str(value) for key, value in (given.get("secrets") or {}).items()}
        if given.get("secret"):
            secrets["secret"] = str(given["secret"])
        self._asks_for_secrets(secrets)
        return Connector(
            name=self.name,
            method=method,
            url=self._url(str(given.get("url", ""))),
            headers=self._headers(given.get("headers") or {}, bool(given.get("body")) or method in WITH_BODY),
            body=self._compiled("body", body_template, given["body"]) if given.get("body") else None,
            secrets=secrets,
            success=self._success(given.get("success") or {}),
            result=self._pointer("result", given.get("result", "")),
            timeout=self._duration("timeout", timedelta(seconds=10), longest=timedelta(minutes=5)),
            backoff=Backoff(
                first=self._duration("first_pause", USUAL.first),
                longest=self._duration("longest_pause", USUAL.longest),
                patience=self._patience(),
            ),
            concurrency=self._count("concurrency", 8, 1000),
            breaker_failures=self._count("breaker_failures", 5, 10000),
            breaker_pause=self._duration("breaker_pause", timedelta(seconds=30)),
        )

    def _fault(self, place: str, told: str) -> None:
        self.faults.append(f'connectors."{self.name}".{place}: {told}')

    def _compiled(self, place: str, compile_: Any, source: Any) -> Fill:
        try:
            fill: Fill = compile_(source)
        except TemplateFault as fault:
            self._fault(place, str(fault))
            return lambda _: ""
        return fill

    def _url(self, source: str) -> Fill:
        if not source:
            self._fault("url", "is missing")
        elif told := fault_in_url(re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "0", source)):
            self._fault("url", told)
        return self._compiled("url", url_template, source)

    def _headers(self, given: Mapping[str, Any], has_body: bool) -> tuple[tuple[str, Fill], ...]:
        headers = []
        for name, source in given.items():
            if not _TOKEN.fullmatch(name):
                self._fault("headers", f"{name!r} is no name of a header")
            elif name.lower() in _RESERVED:
                self._fault("headers", f"{name} is set by the gateway; leave it out")
            headers.append((name, self._compiled(f"headers.{name}", header_template, str(source))))
        named = {name.lower() for name, _ in headers}
        if has_body and "content-type" not in named:
            headers.append(("Content-Type", header_template("application/json")))
        if "accept" not in named:
            headers.append(("Accept", header_template("application/json")))
        return tuple(headers)

    def _asks_for_secrets(self, secrets: Mapping[str, str]) -> None:
        """A template that names a secret which was not given would fail at the first call: say so now."""
        for place, source in _strings(self.definition):
            if place.startswith("secret") or not is_template(source):
                continue
            for name in re.findall(r"\bsecrets\.(\w+)", source):
                if name not in secrets:
                    self._fault(place, f"secrets.{name} is not given")
            if re.search(r"(?<![\w.])secret\b(?!\s*[(:])", source) and "secret" not in secrets:
                self._fault(place, "secret is not given; set secret_file")

    def _success(self, given: Mapping[str, Any]) -> Success:
        statuses = given.get("statuses") or ()
        if not all(isinstance(status, int) and 200 <= status <= 599 for status in statuses):
            self._fault("success.statuses", "write HTTP statuses from 200 to 599")
            statuses = ()
        pointer = self._pointer("success.pointer", given.get("pointer", ""))
        if given.get("equals") is not None and not pointer:
            self._fault("success.equals", "says what stands at a pointer; give success.pointer")
        return Success(statuses=frozenset(statuses), pointer=pointer, equals=given.get("equals"))

    def _pointer(self, place: str, pointer: Any) -> str:
        if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
            self._fault(place, "write a JSON pointer, as /result/code")
            return ""
        return pointer

    def _duration(self, place: str, default: timedelta, longest: timedelta = timedelta(days=30)) -> timedelta:
        value = self.definition.get(place, default)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = timedelta(seconds=value)
        if not isinstance(value, timedelta) or not timedelta(0) < value <= longest:
            self._fault(place, f"write a duration above 0 and up to {int(longest.total_seconds())} s")
            return default
        return value

    def _patience(self) -> timedelta:
        patience = self._duration("retry_for", USUAL.patience)
        return LOOKUP_PATIENCE if self.name.startswith(LOOKUP) and patience == USUAL.patience else patience

    def _count(self, place: str, default: int, highest: int) -> int:
        value = self.definition.get(place, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= highest:
            self._fault(place, f"write a number from 1 to {highest}")
            return default
        return value


def _strings(value: Any, place: str = "") -> list[tuple[str, str]]:
    """Every string of a definition, with where it stands."""
    if isinstance(value, str):
        return [(place, value)]
    if isinstance(value, Mapping):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        items = [(str(at), item) for at, item in enumerate(value)]
    else:
        return []
    return [found for key, item in items for found in _strings(item, f"{place}.{key}" if place else key)]
