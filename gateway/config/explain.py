"""The settings explain themselves: docs/settings.md and `huiyin check --explain` are made here."""

import types
import typing
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import msgspec

from gateway.config.read import bare, bound, is_table
from gateway.config.schema import Secret, Settings

HEAD: Final = """\
# Settings

`huiyin serve` reads `./huiyin.toml`, or the file that `--config` or `HUIYIN_CONFIG` names. Paths in it
are relative to its folder. `huiyin check` says everything that is wrong with it at once. This page is
written by `huiyin check --explain`.

- **Variables.** Each setting can be given as `HUIYIN_SECTION__KEY`, which outweighs the file:
  `HUIYIN_HTTP__LISTEN`, `HUIYIN_SMSC__MAIN__HOST`, `HUIYIN_CONNECTORS__TICKET_SATISFACTION__URL`. Lists are
  written between commas, tables as JSON. An empty variable says nothing.
- **Secrets.** Each secret can be given as a file instead, under its name with `_file`: `password_file`,
  `secret_file`, `dsn_file`, and `HUIYIN_SMSC__MAIN__PASSWORD_FILE`. Secrets are never shown.
- **Durations** are written `"60s"`, `"15m"`, `"72h"`, `"7d"`, or in ISO 8601 (`"PT15M"`).
- **Rules and templates**: a folder `rules/` or `templates/sms/` beside the configuration takes the place of
  the shipped one, as a whole: copy the shipped folder and change what differs. A running gateway reads both
  anew on `SIGHUP`, and keeps the former when `huiyin check` would tell a fault.
- **Profiles of SMSCs**, `rules/smsc/`, are taken one by one instead: your own file, else the shipped one of
  that name. A running gateway keeps them until it is started again. See [smpp.md](smpp.md).
- **Connectors** can also stand in files of their own, `connectors/*.yaml` beside the configuration, one a
  file; the file's name is the connector's, unless it says `name`.

The least that `huiyin serve` needs:

```toml
[smsc.main]
host = "127.0.0.1"
system_id = "huiyin"
password_file = "secrets/smsc-main"
allow_plaintext = true            # TLS is the default

[senders.default]
number = "10086"
extensions = 3

[connectors."ticket.satisfaction"]
method = "PATCH"
url = "http://127.0.0.1:9000/tickets/{{ ticket.id }}"

[security]
allow_targets = ["127.0.0.0/8"]
```
"""

_WORDS: Final = {
    str: "text",
    int: "whole number",
    bool: "true / false",
    timedelta: "duration",
    Secret: "secret",
}


def explain() -> str:
    """All sections as Markdown: key, kind, default, meaning."""
    parts = [HEAD]
    for section in msgspec.structs.fields(Settings):
        if section.name == "home":
            continue
        kind = bare(section.type)
        if typing.get_origin(kind) is dict:
            parts += _section(bare(typing.get_args(kind)[1]), f"{section.name}.<name>")
        elif typing.get_origin(kind) is list:
            parts += _section(bare(typing.get_args(kind)[0]), f"[{section.name}]")
        else:
            parts += _section(kind, section.name)
    return "\n".join(parts).rstrip() + "\n"


def _section(kind: type[msgspec.Struct], name: str) -> Iterator[str]:
    yield f"## [{name}]\n\n{_told(kind)}\n"
    yield "| key | kind | default | meaning |\n| --- | --- | --- | --- |"
    tables = []
    for item in msgspec.structs.fields(kind):
        inner = bare(item.type)
        if is_table(inner):
            tables.append((inner, f"{name}.{item.name}"))
            continue
        cells = (f"`{item.name}`", _kind(item.type), _default(item), bound(item.type, "description") or "")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""
    for inner, inner_name in tables:
        yield from _section(inner, inner_name)


def _told(kind: type) -> str:
    lines = (kind.__doc__ or "").splitlines()
    return "\n".join(line.strip() for line in lines).strip()


def _kind(kind: Any) -> str:
    plain = bare(kind)
    if typing.get_origin(plain) is typing.Literal:
        return " / ".join(f'`"{word}"`' for word in typing.get_args(plain))
    if typing.get_origin(plain) is types.UnionType:
        return " or ".join(map(_kind, typing.get_args(plain)))
    if typing.get_origin(plain) is list:
        return f"list of {_kind(typing.get_args(plain)[0])}"
    if typing.get_origin(plain) is dict:
        return "table of secrets" if Secret in typing.get_args(plain) else "table"
    if plain is int:
        low, high = (bound(kind, which) for which in ("ge", "le"))
        span = f"{low}–{high}" if high is not None else f"from {low}"
        return f"whole number, {span}" if low is not None else "whole number"
    return _WORDS.get(plain, "anything")


def _default(item: msgspec.structs.FieldInfo) -> str:
    if item.required:
        return "**needed**"
    value = item.default_factory() if item.default is msgspec.NODEFAULT else item.default
    if isinstance(value, Secret):
        return f'`"{value.reveal()}"`' if value else ""
    if isinstance(value, timedelta):
        return f'`"{_length(value)}"`'
    return f"`{msgspec.json.encode(value).decode()}`" if value or value == 0 else ""


def _length(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0 and (unit == "h" or seconds > length):
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
