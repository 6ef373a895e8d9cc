"""The stand-in ticket system: cases in memory, the satisfaction that is written back into them, a page that
shows both, and the faults that such systems have. It plays the service platform as well."""

import asyncio
import contextlib
import re
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.simulator.cases import DEPARTMENTS, TYPES
from gateway.simulator.lookups import look_up
from gateway.simulator.platform import Platform
from gateway.simulator.record import Journal, Line

PAGE: Final = Path(__file__).parent / "page"
KEPT: Final = 10_000  #: tickets, and answers to keys
_FILES: Final = {
    "tickets.html": "text/html",
    "tickets.css": "text/css",
    "tickets.js": "text/javascript",
}
_POLICY: Final = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_FIVE_DIGITS: Final = re.compile(r"(?<=\d{5})\d{3}(?=\d{3})")


class Satisfaction(msgspec.Struct, frozen=True, kw_only=True):
    """What was written back, last."""

    score: int | None = None
    scale: str = "ten"
    comment: str | None = None
    status: str = ""
    text: str | None = None  #: as the customer wrote it
    at: str = ""
    revisions: int = 0  #: how many scores there have been


class Ticket(msgspec.Struct, kw_only=True):
    """One case."""

    id: str
    to: str  #: the customer's number
    type: str = "other"
    department: str = ""
    handler: str = ""
    complaint: str = ""
    resolution: str = ""
    status: str = "open"  #: open, resolved
    created_at: str
    answered_at: str | None = None
    kind: str = "complaint"  #: complaint, customer_words, follow_up
    survey: str | None = None
    satisfaction: Satisfaction | None = None
    calls: int = 0  #: write-backs applied
    follow_ups: int = 0

    def shown(self) -> dict[str, Any]:
        """As the page shows it: the number masked, type and department in words."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        value["customer"] = _FIVE_DIGITS.sub("***", self.to)
        value["type_told"] = " ".join(TYPES.get(self.type, (self.type,)))
        value["department_told"] = DEPARTMENTS.get(self.department, self.department)
        return value


class Do(StrEnum):
    """What can be wrong with a ticket system."""

    DOWN = "down"  #: closes the connection without an answer
    SLOW = "slow"  #: answers after `seconds`
    ERROR = "error"  #: 500, nothing applied
    FALSE_OK = "false-ok"  #: 200 with an error in the body, nothing applied
    APPLIED_SILENT = "applied-silent"  #: applies the call, and does not answer for `seconds`, then closes


class Trouble(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is wrong now with calls that write, `times` calls long; none: until it is changed."""

    do: Do
    seconds: float = 30.0
    times: int | None = None


class CallLine(Line, tag="call"):
    """A call that wrote, or tried to, and its answer; status 0 is none."""

    method: str
    path: str
    key: str
    body: Any
    status: int
    applied: bool
    replayed: bool


class TicketSystem:
    """Tickets, what is written into them, and who watches."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.tickets: OrderedDict[str, Ticket] = OrderedDict()
        self.platform = Platform()
        self.trouble: Trouble | None = None
        self.watchers: set[asyncio.Queue[Ticket | None]] = set()
        self.answers: OrderedDict[str, tuple[str, int, dict[str, Any]]] = OrderedDict()
        self._journal = journal
        self._numbers: dict[str, int] = {}

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def create(self, **fields: Any) -> Ticket:
        """A new case, with the next number of the day."""
        now = datetime.now().astimezone()
        day = now.strftime("%Y%m%d")
        self._numbers[day] = number = self._numbers.get(day, 0) + 1
        ticket = Ticket(id=f"TS-{day}-{number:04}", created_at=now.isoformat(timespec="seconds"), **fields)
        self.tickets[ticket.id] = ticket
        if len(self.tickets) > KEPT:
            self.tickets.popitem(last=False)
        self.changed(ticket)
        return ticket

    def changed(self, ticket: Ticket) -> None:
        """Tell who watches."""
        for watcher in self.watchers:
            if not watcher.full():
                watcher.put_nowait(ticket)

    def write_back(self, ticket_id: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Take satisfaction into a ticket: status and answer. One that came in elsewhere is taken in too."""
        satisfaction = read_satisfaction(body)
        if satisfaction is None:
            return 422, {"error": "no score, status or comment in the body"}
        ticket = self.tickets.get(ticket_id)
        if ticket is None:
            about = body.get("ticket")
            known = about if isinstance(about, Mapping) else {}
            ticket = self.tickets[ticket_id] = Ticket(
                id=ticket_id,
                to=str(body.get("to") or ""),
                type=str(known.get("type") or "other"),
                department=str(known.get("department") or ""),
                handler=str(known.get("handler") or ""),
                status="resolved",
                created_at=_now(),
            )
        ticket.satisfaction = satisfaction
        ticket.calls += 1
        self.changed(ticket)
        return 200, {"id": ticket.id, "satisfaction": msgspec.to_builtins(satisfaction)}

    def open_case(self, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """A customer's own words, or a second follow-up, as a new case."""
        kind = str(body.get("kind") or "customer_words")
        about = body.get("ticket")
        first = self.tickets.get(str(about.get("id"))) if isinstance(about, Mapping) else None
        words = _word(body, "text", "description", "complaint", "comment") or ""
        ticket = self.create(
            to=str(body.get("to") or ""),
            type=first.type if first else str(body.get("type") or "other"),
            department=first.department if first else str(body.get("department") or ""),
            complaint=f"二次回访 {first.id}：{words}" if first and kind == "follow_up" else words,
            kind=kind,
        )
        if first is not None and kind == "follow_up":
            first.follow_ups += 1
            self.changed(first)
        return 201, {"id": ticket.id, "number": ticket.id, "status": ticket.status}

    def note(self, request: web.Request, body: Any, status: int, *, applied: bool, replayed: bool) -> None:
        if self._journal is not None:
            key = request.headers.get("Idempotency-Key", "")
            line = CallLine(time.time(), request.method, request.path, key, body, status, applied, replayed)
            self._journal.add(line)

    def trouble_now(self) -> Trouble | None:
        """What is wrong with this call; it is counted."""
        trouble = self.trouble
        if trouble is not None and trouble.times is not None:
            trouble.times -= 1
            if trouble.times <= 0:
                self.trouble = None
        return trouble


def read_satisfaction(body: Mapping[str, Any]) -> Satisfaction | None:
    """What a write-back says: under plain names at the top, or inside `satisfaction`, `survey` or `reply`.

    None when it says nothing of satisfaction.
    """
    parts = (body.get(name) for name in ("satisfaction", "survey", "reply"))
    inside = [part for part in parts if isinstance(part, Mapping)]
    given: dict[str, Any] = {}
    for part in (*reversed(inside), body):
        given.update({key: value for key, value in part.items() if value is not None})
    score = given.get("score", given.get("rating"))
    if score is None and isinstance(body.get("satisfaction"), int | str):
        score = body["satisfaction"]
    try:
        score = None if score is None else int(score)
    except (TypeError, ValueError):
        return None
    revisions = given.get("revisions")
    said = _word(given, "comment"), _word(given, "status"), _word(given, "text", "raw")
    if score is None and not any(said):
        return None
    return Satisfaction(
        score=score,
        scale=_word(given, "scale") or "ten",
        comment=said[0],
        status=said[1] or "",
        text=said[2],
        at=_word(given, "revised_at", "answered_at", "received_at", "at") or _now(),
        revisions=len(revisions) if isinstance(revisions, list) else int(score is not None),
    )


def _word(given: Mapping[str, Any], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := given.get(name), str) and value), None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


_SYSTEM: Final = web.AppKey("system", TicketSystem)


def build(system: TicketSystem) -> web.Application:
    """The application; `control.serve` starts it."""
    app = web.Application()
    app[_SYSTEM] = system
    app.on_shutdown.append(_end_streams)
    app.add_routes(
        [
            web.get("/", _page),
            web.get("/{name:tickets\\.(?:css|js|html)}", _file),
            web.get("/healthz", _healthz),
            web.get("/tickets", _page),
            web.get("/tickets.json", _list),
            web.get("/tickets/stream", _stream),
            web.get("/tickets/{id}", _one),
            web.post("/tickets", _write),
            web.get("/lookups/{kind}/{msisdn}", _look_up),
            web.get("/services/{msisdn}", _services),
            web.post("/services/{msisdn}/{code}", _write),
            web.patch("/tickets/{id}", _write),
            web.put("/tickets/{id}", _write),
            web.post("/faults", _faults),
        ]
    )
    return app


def _answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json", headers=headers
    )


async def _page(request: web.Request) -> web.StreamResponse:
    return _served("tickets.html")


async def _file(request: web.Request) -> web.StreamResponse:
    return _served(request.match_info["name"])


def _served(name: str) -> web.Response:
    text = (PAGE / name).read_text(encoding="utf-8")
    return web.Response(text=text, content_type=_FILES[name], charset="utf-8", headers=_POLICY)


async def _healthz(request: web.Request) -> web.Response:
    return _answer({"status": "ok"})


async def _list(request: web.Request) -> web.Response:
    tickets = reversed(request.app[_SYSTEM].tickets.values())
    return _answer({"data": [ticket.shown() | {"to": ticket.to} for ticket in tickets]})


async def _one(request: web.Request) -> web.Response:
    ticket = request.app[_SYSTEM].tickets.get(request.match_info["id"])
    return _answer(ticket) if ticket is not None else _answer({"error": "no such ticket"}, 404)


async def _services(request: web.Request) -> web.Response:
    return _answer(request.app[_SYSTEM].platform.of(request.match_info["msisdn"]))


async def _stream(request: web.Request) -> web.StreamResponse:
    """What there is, and then each ticket as it changes."""
    system = request.app[_SYSTEM]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    watcher: asyncio.Queue[Ticket | None] = asyncio.Queue(1000)
    await response.prepare(request)
    system.watchers.add(watcher)
    try:
        await _send(response, "all", [ticket.shown() for ticket in system.tickets.values()])
        while True:
            try:
                ticket = await asyncio.wait_for(watcher.get(), 15.0)
            except TimeoutError:
                await response.write(b": still here\n\n")
            else:
                if ticket is None:
                    return response
                await _send(response, "ticket", ticket.shown())
    except ConnectionResetError:
        return response
    finally:
        system.watchers.discard(watcher)


async def _end_streams(app: web.Application) -> None:
    for watcher in app[_SYSTEM].watchers:
        with contextlib.suppress(asyncio.QueueFull):
            watcher.put_nowait(None)


async def _send(response: web.StreamResponse, event: str, value: Any) -> None:
    await response.write(b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(value)))


async def _faults(request: web.Request) -> web.Response:
    """Have trouble from now on: `{do, seconds, times}`; `null` or nothing ends it."""
    system = request.app[_SYSTEM]
    try:
        system.trouble = msgspec.json.decode(await request.read() or b"null", type=Trouble | None)
    except msgspec.DecodeError as error:
        return _answer({"error": str(error)}, 422)
    return _answer({"trouble": system.trouble})


async def _write(request: web.Request) -> web.StreamResponse:
    """PATCH of a ticket's satisfaction, POST of a new case or of a service: applied once for each key."""
    system = request.app[_SYSTEM]
    octets = await request.read()
    trouble = system.trouble_now()
    try:
        body: Any = msgspec.json.decode(octets) if octets else {}
    except msgspec.DecodeError:
        body = None
    if trouble is not None and trouble.do is Do.SLOW:
        await asyncio.sleep(trouble.seconds)
    elif trouble is not None and trouble.do is not Do.APPLIED_SILENT:
        return _troubled(request, system, trouble.do, body)
    status, answer, applied, replayed = _apply(request, system, body, octets)
    if trouble is not None and trouble.do is Do.APPLIED_SILENT:
        system.note(request, body, 0, applied=applied, replayed=replayed)
        await asyncio.sleep(trouble.seconds)
        return _cut(request)
    system.note(request, body, status, applied=applied, replayed=replayed)
    return _answer(answer, status, {"Idempotency-Replayed": "true"} if replayed else None)


async def _look_up(request: web.Request) -> web.StreamResponse:
    """GET of what billing knows of a number; it has the same troubles, and nothing to apply."""
    system = request.app[_SYSTEM]
    trouble = system.trouble_now()
    if trouble is not None and trouble.do in (Do.SLOW, Do.APPLIED_SILENT):
        await asyncio.sleep(trouble.seconds)
    if trouble is not None and trouble.do is not Do.SLOW:
        return _troubled(request, system, Do.DOWN if trouble.do is Do.APPLIED_SILENT else trouble.do, None)
    place = request.match_info
    status, answer = look_up(place["kind"], place["msisdn"], datetime.now().astimezone())
    system.note(request, None, status, applied=False, replayed=False)
    return _answer(answer, status)


def _troubled(request: web.Request, system: TicketSystem, do: Do, body: Any) -> web.Response:
    status = {Do.DOWN: 0, Do.ERROR: 500, Do.FALSE_OK: 200}[do]
    system.note(request, body, status, applied=False, replayed=False)
    if do is Do.DOWN:
        return _cut(request)
    return _answer({"error": "the ticket system is out of order", "code": 9001}, status)


def _cut(request: web.Request) -> web.Response:
    """Close the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _apply(
    request: web.Request, system: TicketSystem, body: Any, octets: bytes
) -> tuple[int, dict[str, Any], bool, bool]:
    """Status, answer, whether something was written, and whether this was the answer of before."""
    if not isinstance(body, dict):
        return 400, {"error": "a JSON object is wanted"}, False, False
    key = request.headers.get("Idempotency-Key", "")
    # The same call may come with a body that knows more; the key alone says that it is the same.
    before = system.answers.get(key) if key else None
    if before is not None:
        if before[0] != f"{request.method} {request.path}":
            return 422, {"error": "this key was used for another call"}, False, False
        return before[1], before[2], False, True
    if "code" in request.match_info:
        place = request.match_info
        status, answer = system.platform.apply(place["msisdn"], place["code"], body)
    elif request.method == "POST":
        status, answer = system.open_case(body)
    else:
        status, answer = system.write_back(request.match_info["id"], body)
    applied = status < 300
    if key and applied:
        system.answers[key] = (f"{request.method} {request.path}", status, answer)
        if len(system.answers) > KEPT:
            system.answers.popitem(last=False)
    return status, answer, applied, False
