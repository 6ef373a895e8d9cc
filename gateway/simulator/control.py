"""The HTTP face of the simulated SMSC, for tests, the console's phone and people with curl: what arrived,
customers' messages to put in, and its behaviour."""

import asyncio
import contextlib
from collections import defaultdict
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.simulator import scenario, trouble
from gateway.simulator.behaviour import CONNECTION_FAULTS, Join
from gateway.simulator.record import Arrival, MoPart
from gateway.simulator.replies import Mo
from gateway.simulator.smsc import Smsc
from gateway.sms import coding, udh

_SMSC: Final = web.AppKey("smsc", Smsc)
LIMIT: Final = 1000
WAIT_AT_MOST: Final = 60.0


class MoBody(msgspec.Struct, rename={"sender": "from"}, kw_only=True, forbid_unknown_fields=True):
    """`{from, to, text}`, or octets as they are: `{from, to, payload (hex), data_coding, esm_class}`.

    A text is cut and joined as the scenario says, or as `join` and `data_coding` say.
    """

    sender: str
    to: str
    text: str = ""
    payload: str | None = None
    data_coding: int | None = None
    esm_class: int = 0
    join: Join | None = None
    wait: float = 0.0  #: seconds to wait for the answers to all its parts


def build(smsc: Smsc) -> web.Application:
    """The application; start it with `serve`."""
    app = web.Application()
    app[_SMSC] = smsc
    app.add_routes(
        [
            web.get("/healthz", _healthz),
            web.post("/mo", _mo),
            web.get("/mo", _mos),
            web.get("/messages", _messages),
            web.get("/texts", _texts),
            web.get("/copies", _copies),
            web.get("/counts", _counts),
            web.post("/binds", _befall),
            web.get("/scenario", _scenario),
            web.post("/scenario", _change),
        ]
    )
    return app


async def serve(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Start listening; the runner, to be cleaned up, and the port that it got."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner, int(runner.addresses[0][1])


def _answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json", charset="utf-8"
    )


def _refusal(detail: str) -> web.Response:
    return _answer({"title": "Not understood", "status": 422, "detail": detail}, 422)


async def _healthz(request: web.Request) -> web.Response:
    smsc = request.app[_SMSC]
    return _answer({"status": "ok", "port": smsc.port, "binds": len(smsc.binds)})


async def _mo(request: web.Request) -> web.Response:
    smsc = request.app[_SMSC]
    try:
        asked = msgspec.json.decode(await request.read(), type=MoBody)
        mo = await smsc.inject(
            asked.sender,
            asked.to,
            asked.text,
            payload=None if asked.payload is None else bytes.fromhex(asked.payload),
            data_coding=asked.data_coding,
            esm_class=asked.esm_class,
            join=asked.join,
        )
    except (msgspec.DecodeError, ValueError) as error:
        said, _, where = str(error).partition(" - at `$.")
        if said.startswith("Invalid enum value"):  # of join: nothing else is one
            said = scenario.no_such_word(said, [str(each) for each in Join])
        return _refusal(f"{where.rstrip('`')}: {said}" if where else said)
    if asked.wait > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(mo.taken), min(asked.wait, WAIT_AT_MOST))
    return _answer(_shown(mo), 202)


def _shown(mo: Mo) -> dict[str, Any]:
    return {"mo": mo.number, "taken": mo.taken.done(), "parts": [part.shown() for part in mo.parts]}


async def _mos(request: web.Request) -> web.Response:
    sender = request.query.get("from", "")
    parts = [part.shown() for part in request.app[_SMSC].record.mos if part.source.endswith(sender)]
    return _answer({"data": parts[-_limit(request) :]})


async def _messages(request: web.Request) -> web.Response:
    """Segments as they arrived, oldest first; `to` matches the end of a number, `since` a record's number."""
    smsc = request.app[_SMSC]
    try:
        found = list(smsc.record.messages(_digits(request.query.get("to", "")), _since(request)))
    except ValueError:
        return _refusal("since and limit are whole numbers")
    return _answer({"data": [each.shown() for each in found[-_limit(request) :]]})


async def _texts(request: web.Request) -> web.Response:
    """A phone's screen: whole texts both ways, oldest first."""
    to = _digits(request.query.get("to", ""))
    if not to:
        return _refusal("say whose: ?to=13905310001")
    record = request.app[_SMSC].record
    came = whole_texts([each for each in record.messages(to) if each.message_id])
    sent = _sent_texts([part for part in record.mos if part.source.endswith(to)])
    return _answer({"data": sorted([*came, *sent], key=lambda text: text["at"])[-_limit(request) :]})


def whole_texts(arrivals: list[Arrival]) -> list[dict[str, Any]]:
    """Segments put together by their headers; of a part that came twice one is shown, and it is said."""
    groups: dict[tuple[object, ...], list[Arrival]] = defaultdict(list)
    for each in arrivals:
        part = each.header
        alone = ("one", each.number)
        groups[alone if part is None else (each.source, each.destination, part.reference, part.total)].append(
            each
        )
    texts = []
    for group in groups.values():
        parts: dict[int, Arrival] = {}
        for each in group:
            header = each.header
            parts.setdefault(1 if header is None else header.number, each)
        header = group[0].header
        ordered = [parts[number] for number in sorted(parts)]
        octets = b"".join(udh.take(each.octets, each.esm_class)[1] for each in ordered)
        texts.append(
            {
                "direction": "received",
                "at": group[0].at,
                "address": group[0].source,
                "text": coding.decode(octets, group[0].data_coding).text,
                "complete": header is None or len(parts) == header.total,
                "copies": max(sum(other.octets == each.octets for other in group) for each in ordered),
                "states": [each.state for each in ordered],
                "number": group[-1].number,
            }
        )
    return texts


def _sent_texts(parts: list[MoPart]) -> list[dict[str, Any]]:
    groups: dict[int, list[MoPart]] = defaultdict(list)
    for part in parts:
        groups[part.mo].append(part)
    return [
        {
            "direction": "sent",
            "at": group[0].at,
            "address": group[0].destination,
            "text": coding.decode(
                b"".join(udh.take(part.octets, part.esm_class)[1] for part in group), group[0].data_coding
            ).text,
            "taken": all(part.taken for part in group),
            "number": number,
        }
        for number, group in groups.items()
    ]


async def _copies(request: web.Request) -> web.Response:
    """What was taken more than once: same source, destination and octets."""
    record = request.app[_SMSC].record
    found = [
        {
            "source": same[0].source,
            "destination": same[0].destination,
            "octets": same[0].octets.hex(),
            "copies": len(same),
            "numbers": [each.number for each in same],
            "message_ids": [each.message_id for each in same],
        }
        for same in record.copies(_digits(request.query.get("to", "")))
    ]
    return _answer({"data": found[-_limit(request) :]})


async def _befall(request: web.Request) -> web.Response:
    """Have a fault happen now, `{do, by, bind}`, to one connection or to all that are bound."""
    smsc = request.app[_SMSC]
    try:
        asked = scenario.table(await request.text())
        number = asked.pop("bind", None)
        [fault] = scenario.change(smsc.scenario, {"faults": [asked]}).faults
        if fault.do not in CONNECTION_FAULTS:
            return _refusal(trouble.misplaced(fault.do))
        struck = [bind for bind in smsc.binds if number is None or bind.number == number]
        smsc.clock()
        for bind in struck:
            trouble.befall(fault, bind, smsc.now())
    except ValueError as error:
        return _refusal(str(error))
    smsc.record.counts.faults += len(struck)
    smsc.settle()
    return _answer({"struck": [bind.number for bind in struck]})


async def _counts(request: web.Request) -> web.Response:
    smsc = request.app[_SMSC]
    counts = msgspec.to_builtins(smsc.record.counts)
    binds = [
        {
            "bind": bind.number,
            "system_id": bind.system_id,
            "kind": bind.kind,
            "state": str(bind.session.state),
        }
        for bind in smsc.binds
    ]
    copies = smsc.record.copy_figures()
    return _answer({**counts, "waiting": smsc.waiting, "copies": copies, "bound": binds})


async def _scenario(request: web.Request) -> web.Response:
    return _answer(scenario.as_builtins(request.app[_SMSC].scenario))


async def _change(request: web.Request) -> web.Response:
    """Take over what the body says, JSON or YAML; the rest stays."""
    smsc = request.app[_SMSC]
    try:
        smsc.change(scenario.table(await request.text()))
    except scenario.ScenarioError as error:
        return _refusal(str(error))
    return _answer(scenario.as_builtins(smsc.scenario))


def _since(request: web.Request) -> int:
    return int(request.query.get("since", "0"))


def _limit(request: web.Request) -> int:
    written = request.query.get("limit", "")
    return max(1, int(written)) if written.isdecimal() else LIMIT


def _digits(number: str) -> str:
    """A plus and blanks are no part of a number as it stands in a PDU."""
    return number.strip().lstrip("+")
