"""Commands that look at the ways to the phone: `binds` and `trace` of a running gateway, `decode` of none."""

import argparse
import asyncio
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from gateway.app import remote
from gateway.cli.answer import FAILED, OK, WRONG_USE, say
from gateway.config import Settings
from gateway.esme.frames import leads_on, pasted, start_of, whole
from gateway.esme.wording import no_pdu, octets_of, words_of
from gateway.services.ways import BindState, Frame, RouteState

WATCH_SECONDS: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[2J"
_PCAP: Final = (
    b"\xa1\xb2\xc3\xd4",
    b"\xd4\xc3\xb2\xa1",
    b"\x0a\x0d\x0d\x0a",
    b"\xa1\xb2\x3c\x4d",
    b"\x4d\x3c\xb2\xa1",
)
_NDJSON: Final = {"Accept": "application/x-ndjson"}


class _Routes(msgspec.Struct):
    data: list[RouteState]


# --- binds ---------------------------------------------------------------------------------------


async def binds(args: argparse.Namespace, settings: Settings) -> int:
    """How routes and binds stand; with --watch again and again until Ctrl-C."""
    key = remote.key_of(args, "binds")
    if key is None:
        return WRONG_USE
    url = remote.url_of(args, settings)
    try:
        async with remote.session(key) as session:
            while True:
                async with session.get(f"{url}/v1/binds") as response:
                    body = await response.read()
                if response.status != 200:
                    say("binds", remote.told(_json_in(body)))
                    return FAILED
                _show_binds(body, as_json=args.json, watched=args.watch)
                if not args.watch:
                    return OK
                await asyncio.sleep(WATCH_SECONDS)
    except BrokenPipeError:
        raise  # the reader of our output has seen enough
    except remote.TROUBLES as error:
        say("binds", remote.unreached(url, error))
        return FAILED


def _show_binds(body: bytes, *, as_json: bool, watched: bool) -> None:
    routes = msgspec.json.decode(body, type=_Routes).data
    if as_json:
        print(body.decode() if watched else msgspec.json.format(body, indent=2).decode(), flush=True)
        return
    if watched and sys.stdout.isatty():
        print(_CLEAR, end="")
    print(*tell_routes(routes, datetime.now(UTC)), sep="\n", flush=True)


def tell_routes(routes: Sequence[RouteState], now: datetime) -> list[str]:
    """The lines of the table."""
    if not routes:
        return ["no [smsc.…] is configured"]
    lines: list[str] = []
    for route in routes:
        lines.append(f"{route.name}: {route.state}" + (f" ({route.why})" if route.why else ""))
        due = f", the oldest taken {_ago(route.oldest_receipt_due, now)}" if route.oldest_receipt_due else ""
        lines.append(f"  profile {route.profile}; receipts outstanding: {route.receipts_outstanding}{due}")
        rows = [_HEADS, *(_row(bind, now) for bind in route.binds)]
        lines += [f"  {line}" for line in _columns(rows)]
        lines += _errors(route)
        if route.stopped_senders:
            lines.append(f"  stopped senders: {', '.join(route.stopped_senders)}")
        lines += [f"  alarm: {alarm}" for alarm in route.alarms]
        if route.unmapped:
            codes = ", ".join(f"{code} × {count}" for code, count in route.unmapped.items())
            lines.append(f"  command_status that no table explains: {codes}")
        lines.append("")
    return lines[:-1]


def _errors(route: RouteState) -> list[str]:
    """The binds' last errors, each once, unless they stand at the top already."""
    by_error: dict[str, list[str]] = {}
    for bind in route.binds:
        if bind.last_error and bind.last_error not in route.why:
            by_error.setdefault(bind.last_error, []).append(bind.name)
    return [f"  {', '.join(names)}: {error}" for error, names in by_error.items()]


_HEADS: Final = (
    *("BIND", "STATE", "SINCE", "WINDOW", "WAITING", "RATE/S", "TRIP P50/P95", "TAKEN", "REFUSED"),
    *("SLOWER", "UNANSWERED", "DELIVERED", "HEARD"),
)


def _row(bind: BindState, now: datetime) -> tuple[str, ...]:
    state = bind.state
    if bind.again_at is not None and bind.again_at > now:
        state += f", again in {(bind.again_at - now).total_seconds():.0f} s"
    if bind.paused_until is not None and bind.paused_until > now:
        state += ", paused"
    if bind.congestion is not None:
        state += f", congestion {bind.congestion}"
    trip = bind.round_trip
    return (
        bind.name,
        state,
        _ago(bind.since, now, ""),
        f"{bind.in_flight}/{bind.window}",
        str(bind.waiting),
        _rate(bind),
        f"{trip.p50:.0f}/{trip.p95:.0f} ms" if trip else "-",
        *map(str, (bind.submitted, bind.refused, bind.throttled, bind.unanswered, bind.delivered)),
        _ago(bind.heard_at, now),
    )


def _rate(bind: BindState) -> str:
    """What it holds to, and of what: the limit that is configured."""
    if bind.rate is None:
        return "no limit"
    learned = bind.learned is not None and bind.learned <= bind.rate
    words = f"{bind.rate:.0f}"
    words += f" of {bind.limit:.0f}" if bind.limit and bind.limit != bind.rate else ""
    return words + (" learned" if learned else "")


def _ago(at: datetime | None, now: datetime, ago: str = " ago") -> str:
    if at is None:
        return "-"
    seconds = max(0, int((now - at).total_seconds()))
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}{ago}"
    return f"{seconds} s{ago}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    """Cells on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


# --- trace ---------------------------------------------------------------------------------------


async def trace(args: argparse.Namespace, settings: Settings) -> int:
    """The PDUs that passed; with --follow on and on until Ctrl-C."""
    key = remote.key_of(args, "trace")
    if key is None:
        return WRONG_USE
    url = remote.url_of(args, settings)
    asked = {"bind": args.bind, "to": args.to, "message": args.message, "limit": args.limit}
    query = {name: str(value) for name, value in asked.items() if value is not None}
    query |= {name: "true" for name in ("follow", "open") if getattr(args, name)}
    query |= {"quiet": "false"} if args.all else {}
    try:
        async with (
            remote.session(key, None if args.follow else remote.SECONDS) as session,
            session.get(f"{url}/v1/trace", params=query, headers=_NDJSON) as response,
        ):
            if response.status != 200:
                say("trace", remote.told(_json_in(await response.read())))
                return WRONG_USE if response.status in (404, 422) else FAILED
            async for line in response.content:
                if line.strip():
                    _show_frame(line, as_json=args.json)
    except BrokenPipeError:
        raise
    except remote.TROUBLES as error:
        say("trace", remote.unreached(url, error))
        return FAILED
    return OK


def _show_frame(line: bytes, *, as_json: bool) -> None:
    if as_json:
        print(line.decode().rstrip("\n"), flush=True)
        return
    frame = msgspec.json.decode(line, type=Frame)
    at = frame.at.astimezone().isoformat(" ", "milliseconds")[:23]
    arrow = {"in": "<-", "out": "->"}.get(frame.way, "--")
    print(f"{at}  {frame.bind} {arrow} {frame.words}")
    if frame.octets:
        print(f"{'':25}{frame.octets}", flush=True)
    else:
        sys.stdout.flush()


def _json_in(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


# --- decode --------------------------------------------------------------------------------------


def decode(args: argparse.Namespace, _settings: Settings) -> int:
    """PDUs out of a file, or as hex on standard input: in words, without a gateway."""
    try:
        octets = args.file.read_bytes() if args.file else sys.stdin.buffer.read()
    except OSError as error:
        say("decode", f"{error.filename}: {error.strerror}")
        return FAILED
    if octets[:4] in _PCAP:
        say("decode", "this is a capture with its network headers; export the TCP stream alone")
        return WRONG_USE
    count = faults = 0
    for frame in _pdus(octets):
        is_whole = len(frame) >= 16 and int.from_bytes(frame[:4], "big") == len(frame)
        words = words_of(frame, opened=args.open) if is_whole else no_pdu(frame)
        count, faults = count + 1, faults + (not is_whole or " malformed: " in words)
        if args.json:
            shown = octets_of(frame) if args.open and is_whole else None
            print(msgspec.json.encode({"words": words, "octets": shown}).decode())
        else:
            print(words)
    if not count:
        say("decode", "there is no PDU in it; give its octets as hex, or a TCP stream as it is")
        return FAILED
    return FAILED if faults else OK


def _pdus(octets: bytes) -> Iterable[bytes]:
    """Of hex in any common writing; else of the stream itself, from the first PDU that can be made out."""
    if not leads_on(octets, 0, len(octets)) or len(octets) < 16:
        try:
            return pasted(octets.decode())
        except UnicodeDecodeError:
            pass
    return _stream(octets)


def _stream(octets: bytes) -> Iterable[bytes]:
    while octets:
        start = start_of(octets)
        if start is None:
            yield octets
            return
        if start:
            yield octets[:start]
        found, rest = whole(octets[start:])
        yield from found
        if not found:
            yield rest
            return
        octets = rest
