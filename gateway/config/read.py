"""Turns what was written into typed settings and collects every fault on the way, each as a sentence."""

import difflib
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.config.schema import Secret

Place = tuple[str, ...]
Origins = dict[Place, str]  # where a place was written: "huiyin.toml:9", "HUIYIN_HTTP__LISTEN"

_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PLAIN_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+", re.ASCII)
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])", re.ASCII)

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_-]+(\[[0-9]+\])?")
_ITEM: Final = re.compile(r"\[[0-9]+\]$")


class WrongError(ValueError):
    """A value is not what its setting takes; the message is a clause that follows the setting's name.

    `at` is which item of a list, as "[0]", or of a table, as ".main".
    """

    def __init__(self, sentence: str, at: str = "") -> None:
        super().__init__(sentence)
        self.at = at


def duration(text: str) -> timedelta:
    """ "60s", "15m", "1h30m", "72h", "7d" or ISO 8601 ("PT15M"). Raises WrongError."""
    try:
        if _PLAIN_DURATION.fullmatch(text):
            parts = _DURATION_PART.findall(text)
            length = timedelta(seconds=sum(float(count) * _UNITS[unit] for count, unit in parts))
        else:
            length = msgspec.convert(text, timedelta)
    except (msgspec.ValidationError, OverflowError):
        raise WrongError(
            f'"{text}" is no duration; write it as "60s", "15m", "72h", "7d" or "PT15M"'
        ) from None
    if length <= timedelta(0):
        raise WrongError(f'"{text}" is too short: it must be longer than nothing')
    return length


def name_of(place: Place) -> str:
    """The setting as the file writes it: connectors."ticket.satisfaction".url."""
    return ".".join(part if _PLAIN_NAME.fullmatch(part) else f'"{part}"' for part in place)


def shown(raw: Any) -> str:
    """A value as the file has it, for an error. What a table holds is not shown: headers carry secrets."""
    if isinstance(raw, dict | list):
        return f"this {'table' if isinstance(raw, dict) else 'list'}"
    text = json.dumps(raw, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


def unknown(key: str, known: list[str]) -> str:
    """That a key is not known, with the nearest one that is."""
    near = difflib.get_close_matches(key.lower(), known, 1, 0.6)
    return f"unknown; did you mean {near[0]}?" if near else f"unknown; known are {', '.join(sorted(known))}"


def is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def bare(kind: Any) -> Any:
    """The type without its Annotated words and without `| None`."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        some = [part for part in typing.get_args(kind) if part is not types.NoneType]
        return bare(some[0]) if len(some) == 1 else kind
    return kind


def _names_one(raw: Any) -> bool:
    return isinstance(raw, str) and re.fullmatch(r"[A-Za-z0-9_-]+", raw) is not None


def _is_dict(kind: Any) -> bool:
    return typing.get_origin(bare(kind)) is dict


def metas(kind: Any) -> Iterator[msgspec.Meta]:
    """The words and bounds around a type, outermost first, those of an inner type after them."""
    while typing.get_origin(kind) is typing.Annotated:
        kind, *around = typing.get_args(kind)
        yield from reversed(around)
    for part in typing.get_args(kind):
        if typing.get_origin(part) is typing.Annotated:
            yield from metas(part)


def bound(kind: Any, which: str) -> Any:
    """One bound of a type, such as "ge" or "description"; None when it has none."""
    return next((value for meta in metas(kind) if (value := getattr(meta, which)) is not None), None)


def wanted(kind: Any) -> str:
    """What a setting takes, in words that follow «expected»."""
    plain = bare(kind)
    origin = typing.get_origin(plain)
    if origin is types.UnionType:
        return " or ".join(map(wanted, typing.get_args(plain)))
    if origin is typing.Literal:
        return "one of " + ", ".join(typing.get_args(plain))
    if extra := bound(kind, "extra"):
        return str(extra["wanted"])
    if plain is int:
        low, high = bound(kind, "ge"), bound(kind, "le")
        span = "" if low is None else f" from {low}" if high is None else f" from {low} to {high}"
        return f"a whole number{span}"
    if plain is str:
        examples, longest = bound(kind, "examples"), bound(kind, "max_length")
        such = f' such as "{examples[0]}"' if examples else ""
        return f"a text{such}" + (f" of at most {longest} characters" if longest else "")
    if origin is list:
        return f"a list, each {wanted(typing.get_args(plain)[0])}"
    if origin is dict:
        return f"a table, each value {wanted(typing.get_args(plain)[1])}"
    return {bool: "true or false", timedelta: 'a duration such as "60s"'}.get(plain, "a table")


class Reader:
    """Walks values beside their types. `faults` holds all that is wrong; what is wrong is left out."""

    def __init__(self, home: Path, origins: Origins, from_environ: frozenset[Place]) -> None:
        self.home = home
        self.faults: list[str] = []
        self._origins = origins
        self._from_environ = from_environ

    def fault(self, place: Place, sentence: str) -> None:
        """Note what is wrong at a place, led by where it was written."""
        self.faults.append(f"{self._origin(place)}: {name_of(place)}: {sentence}")

    def _origin(self, place: Place) -> str:
        if place and place not in self._origins:
            place = (*place[:-1], _ITEM.sub("", place[-1]))
        while place and place not in self._origins:
            place = place[:-1]
        return self._origins[place]

    def value(self, kind: Any, raw: Any, place: Place) -> Any:
        """The typed value. Raises WrongError, except for tables, which note their own faults."""
        plain = bare(kind)
        if is_table(plain):
            return self.table(plain, raw, place)
        if typing.get_origin(plain) is dict and is_table(bare(typing.get_args(plain)[1])):
            return self._named(bare(typing.get_args(plain)[1]), raw, place)
        if typing.get_origin(plain) is list and is_table(bare(typing.get_args(plain)[0])):
            return self._tables(bare(typing.get_args(plain)[0]), raw, place)
        if plain == dict[str, Secret]:
            return self._secrets(raw)
        if plain is timedelta:
            if not isinstance(raw, str):
                raise WrongError(f"expected {wanted(kind)}, not {shown(raw)}")
            return duration(raw)
        if plain is Secret:
            if not isinstance(raw, str):
                raise WrongError("expected a text")
            return Secret(raw)
        environ = place in self._from_environ
        if environ and plain not in (str, Any):
            raw = self._unfold(typing.get_origin(plain), raw)
        if isinstance(raw, dict):
            self._judge_entries(kind, raw, strict=not environ)
        if typing.get_origin(plain) is list and isinstance(raw, list):
            self._judge_items(typing.get_args(plain)[0], raw, strict=not environ)
        try:
            return msgspec.convert(raw, kind, strict=not environ)
        except msgspec.ValidationError:
            either = typing.get_origin(plain) is types.UnionType and any(
                map(_is_dict, typing.get_args(plain))
            )
            told = f'; write ["{raw}"], or {{{raw} = 1}}' if either and _names_one(raw) else ""
            raise WrongError(f"expected {wanted(kind)}, not {shown(raw)}{told}") from None

    @staticmethod
    def _judge_items(kind: Any, items: list[Any], *, strict: bool) -> None:
        """Raises WrongError about the first item that does not fit."""
        words = typing.get_args(bare(kind)) if typing.get_origin(bare(kind)) is typing.Literal else ()
        for at, item in enumerate(items):
            try:
                msgspec.convert(item, kind, strict=strict)
            except msgspec.ValidationError:
                near = difflib.get_close_matches(str(item).lower(), words, 1, 0.6)
                told = f"; did you mean {near[0]}?" if near else ""
                raise WrongError(f"expected {wanted(kind)}, not {shown(item)}{told}", f"[{at}]") from None

    @staticmethod
    def _judge_entries(kind: Any, table: dict[str, Any], *, strict: bool) -> None:
        """Raises WrongError about the first entry of a table of plain values that does not fit."""
        plain = bare(kind)
        union = typing.get_origin(plain) is types.UnionType
        tables = [part for part in (typing.get_args(plain) if union else (plain,)) if _is_dict(part)]
        for key, item in table.items() if tables else ():
            inner = typing.get_args(bare(tables[0]))[1]
            try:
                msgspec.convert(item, inner, strict=strict)
            except msgspec.ValidationError:
                # A text may be a header's, a secret: it is not shown.
                told = "; write it in quotes" if bare(inner) is str else f", not {shown(item)}"
                raise WrongError(f"expected {wanted(inner)}{told}", f".{key}") from None

    @staticmethod
    def _unfold(kind: Any, raw: str) -> Any:
        """A list or table out of a variable: JSON, or for a list its items between commas."""
        if kind is list and not raw.lstrip().startswith("["):
            return [item.strip() for item in raw.split(",") if item.strip()]
        if kind not in (list, dict):
            return raw
        try:
            return json.loads(raw)
        except ValueError:
            raise WrongError("expected JSON") from None

    def _named(self, kind: type[msgspec.Struct], raw: Any, place: Place) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise WrongError(f"expected sections such as [{name_of((*place, 'main'))}]")
        built = {name: self.table(kind, item, (*place, name)) for name, item in raw.items()}
        return {name: item for name, item in built.items() if item is not None}

    def _tables(self, kind: type[msgspec.Struct], raw: Any, place: Place) -> list[Any]:
        if not isinstance(raw, list):
            raise WrongError(f"expected sections such as [[{name_of(place)}]]")
        *outer, name = place
        built = [self.table(kind, item, (*outer, f"{name}[{at}]")) for at, item in enumerate(raw)]
        return built if None not in built else []

    def table(self, kind: type[msgspec.Struct], raw: Any, place: Place) -> Any:
        """One section. What is missing, unknown or wrong is noted; a section with such a key becomes None.

        The root is always built, of the sections that are whole, so that they can be judged together.
        """
        if not isinstance(raw, dict):
            self.fault(place, f"expected a section [{name_of(place)}]")
            return None
        fields = {item.name: item for item in msgspec.structs.fields(kind) if place or item.name != "home"}
        files = {f"{name}_file": name for name, item in fields.items() if bare(item.type) is Secret}
        values: dict[str, Any] = {}
        whole = True
        for key, item in raw.items():
            try:
                name = files.get(key, key)
                if name != key and name in raw:
                    raise WrongError(f"give either this or {name}, not both")
                if name not in fields:
                    raise WrongError(unknown(key, [*fields, *files]))
                value = (
                    self._secret(item) if key in files else self.value(fields[key].type, item, (*place, key))
                )
                if value is not None:
                    values[name] = value
            except WrongError as wrong:
                inner = (key, wrong.at[1:]) if wrong.at.startswith(".") else (f"{key}{wrong.at}",)
                self.fault((*place, *inner), str(wrong))
                whole = False
        for name, field in fields.items():
            if field.required and name not in raw:
                self.fault((*place, name), "is missing")
                whole = False
        return kind(**values) if whole or not place else None

    def _secrets(self, raw: Any) -> dict[str, Secret]:
        if not isinstance(raw, dict) or not all(isinstance(item, str) for item in raw.values()):
            raise WrongError("expected a table of texts")
        return {
            key.removesuffix("_file"): self._secret(item) if key.endswith("_file") else Secret(item)
            for key, item in raw.items()
        }

    def _secret(self, name: Any) -> Secret:
        """The first line of a secret file, whose path is relative to the configuration's folder."""
        if not isinstance(name, str) or not name:
            raise WrongError("expected the path of a file")
        try:
            text = (self.home / name).read_text(encoding="utf-8").strip("\r\n")
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise WrongError(f"{self.home / name} can't be read: {told}") from None
        if not text:
            raise WrongError(f"{self.home / name} is empty")
        return Secret(text)


# --- Variables of the environment ------------------------------------------------------------------------


def squeezed(name: str) -> str:
    """A name as a shell's variable can spell it: ticket.satisfaction → ticket_satisfaction."""
    return re.sub(r"[^a-z0-9]", "_", name.lower())


def overlay(raw: dict[str, Any], environ: Mapping[str, str], known: typing.Iterable[str]) -> Origins:
    """Lay HUIYIN_SECTION__KEY variables over what the file says; answers which place came from which.

    `known` are names with signs that no variable can spell. An empty variable says nothing.
    """
    origins: Origins = {}
    for variable in sorted(environ):
        if not variable.startswith("HUIYIN_") or "__" not in variable or not environ[variable]:
            continue
        table = raw
        place: Place = ()
        parts = variable.removeprefix("HUIYIN_").split("__")
        for depth, part in enumerate(parts):
            names = {squeezed(name): name for name in (*known, *table)}
            key = names.get(squeezed(part), part.lower())
            place = (*place, key)
            if depth == len(parts) - 1:
                table.pop(f"{key}_file", None)  # the variable outweighs the file's other way to say it
                table.pop(key.removesuffix("_file"), None)
                table[key] = environ[variable]
                origins[place] = variable
            else:
                if not isinstance(table.get(key), dict):
                    table[key] = {}
                    origins[place] = variable
                table = table[key]
    return origins


# --- Lines of the file -----------------------------------------------------------------------------------

_HEADER: Final = re.compile(r"^\s*(\[?)\[([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(r"""^\s*((?:[A-Za-z0-9_.-]+|"[^"]*"|'[^']*'|\s*\.\s*)+?)\s*=""")
_PART: Final = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def lines_of(text: str, file: str) -> Origins:
    """On which line each setting stands. Good for pointing at, not for reading: tomllib does that."""
    origins: Origins = {(): file}
    section: Place = ()
    items: dict[str, int] = {}  # of each [[list]], the number of the item that we are in
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            first, *rest = (part.strip("\"'") for part in _PART.findall(header[2]))
            if header[1]:
                items[first] = items.get(first, -1) + 1
                origins.setdefault((first,), f"{file}:{number}")
            section = place = (f"{first}[{items[first]}]" if first in items else first, *rest)
        elif key := _KEY.match(line):
            place = (*section, *(part.strip("\"'") for part in _PART.findall(key[1])))
        else:
            continue
        for depth in range(1, len(place) + 1):
            origins.setdefault(place[:depth], f"{file}:{number}")
    return origins
