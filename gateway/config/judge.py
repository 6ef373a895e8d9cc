"""What no single value shows: settings that do not go together, and connectors that could not be called."""

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from gateway.config.read import Place, squeezed
from gateway.config.routing import judge_routing
from gateway.config.schema import Settings
from gateway.config.tls import judge_tls
from gateway.domain.call_template import TemplateFault
from gateway.domain.connector import Connector, load_connectors
from gateway.domain.event import Callback, CallbackKind, CallbackStatus
from gateway.domain.ids import Kind, public
from gateway.domain.msisdn import PLANS
from gateway.domain.score import Scale
from gateway.domain.survey import Revision, State, Status, Subject, Survey, report
from gateway.domain.target import Targets, refusal

#: What is called by name; `lookup.` is followed by what is looked up.
CONNECTORS: Final = ("ticket.satisfaction", "ticket.create", "service.activate", "service.cancel")
LOOKUP: Final = "lookup."

#: Lengths of time with bounds: shorter, and what is at work now would be taken for dead or lost.
BOUNDS: Final = {
    ("node", "lease"): (timedelta(seconds=5), timedelta(minutes=5), "5s to 5m"),
    ("delivery", "reassembly_wait"): (timedelta(seconds=10), timedelta(days=1), "10s to 1d"),
    ("delivery", "valid_for"): (timedelta(minutes=1), timedelta(days=366), "1m to 366d"),
}

_ROUTE: Final = re.compile(r"[A-Za-z0-9_.-]+")
_MOMENT: Final = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def judge(settings: Settings) -> Iterator[tuple[Place, str]]:
    """Each place at fault, with a clause that says why."""
    dsn = settings.database.dsn.reveal()
    if not settings.database.embedded and not dsn.startswith(("postgresql://", "postgres://")):
        yield ("database", "dsn"), 'expected "embedded" or postgresql://user@host/name'
    if not 0 <= listening(settings.http.listen)[1] < 65536:
        told = f'"{settings.http.listen}" has no port between 1 and 65535 (0: any free one)'
        yield ("http", "listen"), told
    yield from judge_tls(settings)
    for (section, key), (least, most, span) in BOUNDS.items():
        if not least <= getattr(getattr(settings, section), key) <= most:
            yield (section, key), f"expected a length of time from {span}"
    yield from _judge_regions(settings)
    networks = list(_judge_networks(("security", "allow_targets"), settings.security.allow_targets))
    yield from networks
    yield from _judge_routes(settings)
    yield from judge_routing(settings)
    yield from _judge_connectors(settings, None if networks else Targets(settings.security.allow_targets))


def _judge_regions(settings: Settings) -> Iterator[tuple[Place, str]]:
    known = ", ".join(sorted(region.upper() for region in PLANS))
    regions = settings.regions
    for place, region in [
        (("regions", "home"), regions.home),
        *((("regions", f"accept[{at}]"), region) for at, region in enumerate(regions.accept)),
    ]:
        if region.lower() not in PLANS:
            yield place, f'the numbers of "{region}" are not known; there are {known}'
    try:
        ZoneInfo(regions.time_zone)
    except (ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        yield ("regions", "time_zone"), f'"{regions.time_zone}" is no time zone'
    except KeyError:
        near = difflib.get_close_matches(regions.time_zone, available_timezones(), 1)
        told = f"; did you mean {near[0]}?" if near else "; write it as Asia/Shanghai"
        yield ("regions", "time_zone"), f'there is no time zone "{regions.time_zone}"{told}'


def _judge_networks(place: Place, networks: list[str]) -> Iterator[tuple[Place, str]]:
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            yield place, f'{error}; write a network as "10.1.0.0/16"'


def _judge_routes(settings: Settings) -> Iterator[tuple[Place, str]]:
    for name, smsc in settings.smsc.items():
        if not _ROUTE.fullmatch(name):
            yield ("smsc", name), "expected a name of letters, digits, - _ and ., as it stands in figures"
        if not smsc.password:
            variable = f"HUIYIN_SMSC__{squeezed(name).upper()}__PASSWORD"
            yield ("smsc", name, "password"), f"is missing; give password_file or {variable}"
        if smsc.receiver is not None and smsc.bind != "pair":
            yield ("smsc", name, "receiver"), f'is for bind = "pair", and bind is "{smsc.bind}"'
    for name, sender in settings.senders.items():
        if sender.extensions and not sender.number.isdigit():
            yield ("senders", name, "extensions"), f'"{sender.number}" is no number; nobody can answer it'
        elif len(sender.number) + sender.extensions > 20:
            told = "number and extension together exceed 20 digits (SMPP 3.4 §5.2.8)"
            yield ("senders", name, "extensions"), told


# --- Connectors ------------------------------------------------------------------------------------------


def _judge_connectors(settings: Settings, targets: Targets | None) -> Iterator[tuple[Place, str]]:
    for name, configured in settings.connectors.items():
        place = ("connectors", name)
        if name not in CONNECTORS and not name.startswith(LOOKUP):
            near = difflib.get_close_matches(name, CONNECTORS, 1, 0.6)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CONNECTORS)} and {LOOKUP}…"
            yield place, f"nothing calls a connector of this name; {hint}"
        if targets is not None and (host := _inner_host(configured.url, targets)):
            yield (*place, "url"), refusal(host)
        compiled, faults = load_connectors({name: configured.definition()})
        for fault in faults:
            key, _, told = fault.removeprefix(f'connectors."{name}".').partition(": ")
            yield (*place, *key.split(".")), told
        if name in compiled:
            yield from _rehearse(compiled[name])


def _inner_host(url: str, targets: Targets) -> str | None:
    """The host, if it is an address that must not be called. A name is judged when it is resolved."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition("?")[0]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        address = ipaddress.ip_address("127.0.0.1" if host.lower() == "localhost" else host)
    except ValueError:
        return None
    return None if targets.allows(str(address)) else host


def _rehearse(connector: Connector) -> Iterator[tuple[Place, str]]:
    """Fill in its templates for every kind of event that it is called with: each fault would park a call."""
    told = set()
    for occasion, event in SAMPLES.get(connector.name, {}).items():
        try:
            connector.request(_callback(connector.name, event))
        except TemplateFault as fault:
            part, _, why = str(fault).partition(": ")
            place = ("connectors", connector.name, *part.split(" "))
            if (place, why) not in told:
                told.add((place, why))
                yield place, f"can't be filled {occasion}: {why}"


def _callback(connector: str, event: Mapping[str, Any]) -> Callback:
    uid = UUID(int=1)
    return Callback(
        bucket=0,
        id=uid,
        kind=CallbackKind.CONNECTOR,
        target=connector,
        event=connector,
        subject=uid,
        payload=dict(event),
        created_at=_MOMENT,
        status=CallbackStatus.WAITING,
        tries=0,
        due_at=_MOMENT,
    )


def _survey(comment: str, *scores: int) -> dict[str, Any]:
    ticket = {
        "id": "TS-20261122-0001",
        "type": "charges",
        "department": "it-centre",
        "handler": "A1024",
        "dispatched_at": _MOMENT.isoformat(),
        "answered_at": _MOMENT.isoformat(),
    }
    survey = Survey(
        bucket=0,
        id=UUID(int=2),
        kind="survey",
        msisdn="8613905310001",
        address="10086001",
        touchpoint="complaint",
        ticket_id="TS-20261122-0001",
        status=Status.ANSWERED,
        opened_at=_MOMENT,
        expires_at=_MOMENT + timedelta(hours=72),
        message_id=UUID(int=3),
        subject=Subject(scale=Scale.TEN, ticket=ticket, agent="A1024", department="it-centre"),
        state=State(
            revisions=tuple(Revision(score=score, at=_MOMENT, text=f"{score} {comment}") for score in scores),
            comment=comment,
            low=scores[-1] < 7,
        ),
        version=1,
    )
    return report(survey)


_WORDS: Final = {
    "kind": "customer_words",
    "reply": public(Kind.REPLY, UUID(int=4)),
    "to": "8613905310001",
    "text": "宽带又断了",
    "received_at": _MOMENT,
}
#: By connector: on which occasion it is called, and what is known then.
SAMPLES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "ticket.satisfaction": {
        "for a score with a comment": _survey("很快", 9),
        "for a score without a comment": _survey("", 9),
        "for a revised score": _survey("很快", 9, 8),
    },
    "ticket.create": {
        "for a customer's own words": _WORDS,
        "for the follow-up of a low score": _survey("太慢", 2) | {"kind": "follow_up", "key": "follow_up"},
        "for the follow-up of a picked ticket": _survey("", 9)
        | {"kind": "follow_up", "key": "callback", "score": None, "comment": None, "text": None},
    },
}


def listening(text: str) -> tuple[str, int]:
    """The host and port of "127.0.0.1:8080", "[::]:8080" or ":8080" (every address)."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
