"""The configuration: huiyin.toml, HUIYIN_… variables, secret files and connectors/*.yaml, typed.

`load` answers with settings or with all that is wrong at once; `explain` writes the settings' documentation.
"""

import ipaddress
import os
import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.config.explain import explain
from gateway.config.read import Place, Reader, duration, lines_of, overlay, squeezed
from gateway.config.schema import (
    NONE,
    ROLES,
    Connector,
    Database,
    Delivery,
    Http,
    Log,
    Node,
    Receiver,
    Regions,
    Retention,
    Secret,
    Security,
    Sender,
    Settings,
    Smsc,
    Success,
    Templates,
)
from gateway.config.yaml import YamlError, read_yaml
from gateway.domain.connector import load_connectors

__all__ = [
    "NONE",
    "ROLES",
    "ConfigError",
    "Connector",
    "Database",
    "Delivery",
    "Http",
    "Log",
    "Node",
    "Receiver",
    "Regions",
    "Retention",
    "Secret",
    "Security",
    "Sender",
    "Settings",
    "Smsc",
    "Success",
    "Templates",
    "duration",
    "explain",
    "listening",
    "load",
    "missing_to_serve",
    "shipped",
]

FILE: Final = "huiyin.toml"
CONNECTORS: Final = ("ticket.satisfaction", "ticket.create", "service.activate", "service.cancel")


class ConfigError(Exception):
    """The configuration is not usable; `faults` says everything that is wrong with it, a sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(path: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings out of `path`, else $HUIYIN_CONFIG, else ./huiyin.toml, else the defaults alone.

    Raises ConfigError with all faults together.
    """
    environ = os.environ if environ is None else environ
    asked = path or environ.get("HUIYIN_CONFIG")
    file = Path(asked) if asked else Path(FILE)
    text = ""
    if asked or file.exists():
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigError([f"{file}: can't be read: {told}"]) from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{file}: not TOML: {error}"]) from None

    origins = lines_of(text, str(file))
    faults = _add_connectors(raw, file.parent, origins)
    variables = overlay(raw, environ, CONNECTORS)
    reader = Reader(file.parent, origins | variables, frozenset(variables))
    reader.faults += faults + _misspelt(environ)
    settings: Settings = reader.table(Settings, raw, ())
    for place, sentence in _judge(settings):
        reader.fault(place, sentence)
    if reader.faults:
        raise ConfigError(reader.faults)
    return msgspec.structs.replace(settings, home=file.parent)


def _add_connectors(raw: dict[str, Any], home: Path, origins: dict[Place, str]) -> list[str]:
    """Read connectors/*.yaml beside the file; a file's name is the connector's unless it says `name`."""
    faults = []
    for path in sorted((home / "connectors").glob("*.yaml")):
        try:
            value, lines = read_yaml(path)
        except YamlError as fault:
            faults.append(str(fault))
            continue
        if not isinstance(value, dict):
            faults.append(f"{path}: expected one connector: url, method, headers, body …")
            continue
        name = str(value.pop("name", path.stem))
        connectors = raw.setdefault("connectors", {})
        if not isinstance(connectors, dict):
            continue  # the reader says so
        if name in connectors:
            faults.append(f'{path}: a connector "{name}" is there already')
            continue
        connectors[name] = value
        origins.setdefault(("connectors",), str(path))
        origins[("connectors", name)] = str(path)
        origins.update({("connectors", name, *place): f"{path}:{line}" for place, line in lines.items()})
    return faults


def _misspelt(environ: Mapping[str, str]) -> list[str]:
    """HUIYIN_HTTP_LISTEN, with one underscore, would be passed over in silence."""
    known = [
        f"HUIYIN_{section.name}__{key.name}".upper()
        for section in msgspec.structs.fields(Settings)
        if isinstance(section.type, type) and issubclass(section.type, msgspec.Struct)
        for key in msgspec.structs.fields(section.type)
    ]
    single = {name.replace("__", "_"): name for name in known}
    return [
        f"{variable}: unknown; did you mean {single[variable]}?"
        for variable in sorted(environ)
        if variable in single
    ]


def _judge(settings: Settings) -> Iterator[tuple[Place, str]]:
    """What no single value shows: settings that do not go together."""
    dsn = settings.database.dsn.reveal()
    if not settings.database.embedded and not dsn.startswith(("postgresql://", "postgres://")):
        yield ("database", "dsn"), 'expected "embedded" or postgresql://user@host/name'
    if not 0 <= listening(settings.http.listen)[1] < 65536:
        told = f'"{settings.http.listen}" has no port between 1 and 65535 (0: any free one)'
        yield ("http", "listen"), told
    if bool(settings.http.tls_certificate) != bool(settings.http.tls_key):
        yield ("http", "tls_key"), "a certificate and its key go together; one of them is missing"
    try:
        zoneinfo.ZoneInfo(settings.regions.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        told = f'"{settings.regions.time_zone}" is no time zone; write it as "Asia/Shanghai"'
        yield ("regions", "time_zone"), told
    yield from _judge_networks(("http", "trusted_proxies"), settings.http.trusted_proxies)
    yield from _judge_networks(("security", "allow_targets"), settings.security.allow_targets)
    yield from _judge_routes(settings)
    for name, connector in settings.connectors.items():
        lead = f'connectors."{name}".'
        for fault in load_connectors({name: connector.definition()})[1]:
            key, _, told = fault.removeprefix(lead).partition(": ")
            yield ("connectors", name, *key.split(".")), told


def _judge_networks(place: Place, networks: list[str]) -> Iterator[tuple[Place, str]]:
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            yield place, f'{error}; write a network as "10.1.0.0/16"'


def _judge_routes(settings: Settings) -> Iterator[tuple[Place, str]]:
    for name, smsc in settings.smsc.items():
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


def listening(text: str) -> tuple[str, int]:
    """The host and port of "127.0.0.1:8080", "[::]:8080" or ":8080" (every address)."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def missing_to_serve(settings: Settings) -> list[str]:
    """What `huiyin serve` needs and does not have: sentences, or nothing."""
    sends = not settings.node.roles or "sender" in settings.node.roles
    missing = []
    if sends and not settings.smsc:
        missing.append("no SMSC: add a section [smsc.main] with host, system_id and password_file")
    if "default" not in settings.senders:
        missing.append('no sender: add a section [senders.default] with number = "10086"')
    return missing


def shipped(name: str) -> Path:
    """The folder of `rules`, `templates` or `migrations` that comes with the gateway."""
    return Path(__file__).resolve().parent.parent.parent / name
