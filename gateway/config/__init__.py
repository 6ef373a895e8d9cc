"""The configuration: huiyin.toml, HUIYIN_… variables, secret files and connectors/*.yaml, typed.

`load` answers with settings or with all that is wrong at once; `explain` writes the settings' documentation.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.config.doubts import doubts_of
from gateway.config.explain import explain
from gateway.config.files import Files, read_catalogue, read_files, shipped
from gateway.config.judge import CONNECTORS, judge, listening
from gateway.config.profiles import Profiles, judge_profiles, profiles_of
from gateway.config.read import Place, Reader, duration, lines_of, overlay
from gateway.config.routing import rates_of, steering_of
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
    Routing,
    Secret,
    Security,
    Sender,
    Settings,
    Smsc,
    Success,
    Templates,
)
from gateway.config.tls import server_tls, smsc_tls, tls_mode
from gateway.config.yaml import YamlError, read_yaml

__all__ = [
    "NONE",
    "ROLES",
    "ConfigError",
    "Connector",
    "Database",
    "Delivery",
    "Files",
    "Http",
    "Log",
    "Node",
    "Profiles",
    "Receiver",
    "Regions",
    "Retention",
    "Routing",
    "Secret",
    "Security",
    "Sender",
    "Settings",
    "Smsc",
    "Success",
    "Templates",
    "doubts_of",
    "duration",
    "explain",
    "listening",
    "load",
    "missing_to_serve",
    "profiles_of",
    "rates_of",
    "read_catalogue",
    "read_files",
    "server_tls",
    "shipped",
    "smsc_tls",
    "steering_of",
    "tls_mode",
]

FILE: Final = "huiyin.toml"


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
        raise ConfigError([_not_toml(file, text, str(error))]) from None

    origins = lines_of(text, str(file))
    faults = _add_connectors(raw, file.parent, origins)
    variables = overlay(raw, environ, CONNECTORS)
    reader = Reader(file.parent, origins | variables, frozenset(variables))
    reader.faults += faults + _misspelt(environ)
    settings: Settings = msgspec.structs.replace(reader.table(Settings, raw, ()), home=file.parent)
    profiles = profiles_of(settings)
    for place, sentence in (*judge(settings), *judge_profiles(settings, profiles)):
        reader.fault(place, sentence)
    reader.faults += profiles.faults
    if reader.faults:
        raise ConfigError(reader.faults)
    return settings


def _not_toml(file: Path, text: str, error: str) -> str:
    """The parser's words, led by file, line and column like every other fault."""
    told, _, at = error.rpartition(" (at ")
    place = re.fullmatch(r"line (\d+), column (\d+)\)", at)
    if place is not None:
        return f"{file}:{place[1]}:{place[2]}: not TOML: {told}"
    lines = text.splitlines() or [""]
    return f"{file}:{len(lines)}:{len(lines[-1]) + 1}: not TOML: {told or error}, at the end of the file"


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


def missing_to_serve(settings: Settings) -> list[str]:
    """What `huiyin serve` needs and does not have: sentences, or nothing."""
    sends = not settings.node.roles or "sender" in settings.node.roles
    missing = []
    if sends and not settings.smsc:
        missing.append("no SMSC: add a section [smsc.main] with host, system_id and password_file")
    if "default" not in settings.senders:
        missing.append('no sender: add a section [senders.default] with number = "10086"')
    return missing
