"""Rules as people write them: a YAML text and a type in, frozen rules out, or faults with file, line,
column and a suggestion. Reading the files is somebody else's work."""

import re
from collections.abc import Iterator
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, TypeVar, get_args

import msgspec
import yaml

T = TypeVar("T")

#: A text that is no rules file: deeper or longer than anything that a person writes.
MAX_NODES: Final = 100_000

Path = tuple[str | int, ...]
Lines = dict[Path, tuple[int, int]]


class Fault(NamedTuple):
    """What is wrong, and where; as text it is `surveys.yaml:9:15: Expected int`."""

    name: str
    line: int
    column: int
    detail: str

    def __str__(self) -> str:
        return f"{self.name}:{self.line}:{self.column}: {self.detail}"


class Duration(timedelta):
    """A length of time, written as 30m, 72h or 7d."""


_DURATION: Final = re.compile(r"(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")


def parse_duration(text: str) -> Duration | None:
    """30s, 15m, 72h, 7d or 1d12h; None for anything else, and for no time at all."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    length = Duration(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return length if length else None


def load_text(name: str, text: str, kind: type[T]) -> T | list[Fault]:
    """The rules of type `kind` in a YAML text, or all that is wrong with it; `name` is the file's."""
    lines: Lines = {}
    faults: list[Fault] = []
    try:
        loader = yaml.CSafeLoader(text)
        try:
            node = loader.get_single_node()
            document = None if node is None else _Builder(name, loader, lines, faults).build(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return [Fault(name, line, column, f"not YAML: {error.problem or error.context}")]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return [Fault(name, 1, 1, f"not YAML: {error}".splitlines()[0])]
    if faults:
        return faults
    try:
        return msgspec.convert({} if document is None else document, kind, dec_hook=_read_value)
    except msgspec.ValidationError as error:
        return [_fault(name, str(error), lines, kind)]


def places(text: str) -> Lines:
    """Where each value of a YAML text stands, line and column from 1; of a text that `load_text` takes."""
    lines: Lines = {}
    loader = yaml.CSafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _Builder("", loader, lines, []).build(node, ())
    finally:
        loader.dispose()
    return lines


class _Builder:
    """Turns nodes into values and notes where each stands."""

    def __init__(self, name: str, loader: Any, lines: Lines, faults: list[Fault]) -> None:
        self._name, self._loader, self._lines, self._faults = name, loader, lines, faults
        self._seen = 0

    def build(self, node: yaml.Node, path: Path) -> Any:
        self._seen += 1  # an alias is built anew each time: what refers to itself ends here
        if self._seen > MAX_NODES:
            raise ValueError("it has too many values")
        self._lines.setdefault(path, _place(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, at)) for at, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return self._loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for key_node, item in node.value:
            key = str(key_node.value)
            here = (*path, key)
            if key in table:
                first = self._lines[(*here, "")][0]
                self._faults.append(
                    Fault(self._name, *_place(key_node), f"{key!r} stands here twice, first in line {first}")
                )
            self._lines[(*here, "")] = _place(key_node)
            table[key] = self.build(item, here)
        return table


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _read_value(kind: type, value: Any) -> Any:
    if kind is Duration:
        length = parse_duration(value) if isinstance(value, str) else None
        if length is None:
            raise ValueError(f"Expected a length of time such as 30m, 72h or 7d, got {value!r}")
        return length
    raise NotImplementedError(kind)


_AT: Final = re.compile(r" - at `(?:key in )?\$(.*)`$")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN: Final = re.compile(r"unknown field `([^`]*)`|enum value '([^']*)'")


def _fault(name: str, message: str, lines: Lines, kind: type) -> Fault:
    at = _AT.search(message)
    path: Path = ()
    for step in _STEP.finditer(at[1] if at else ""):
        path = _follow(lines, path, step)
    detail = message[: at.start()] if at else message
    line, column = _deepest(lines, path)
    if unknown := _UNKNOWN.search(message):
        word = unknown[1] if unknown[1] is not None else unknown[2]
        line, column = _key_place(lines, path, word) or (line, column)
        known = set(_words(kind, set()))
        if near := get_close_matches(word, known, n=1, cutoff=0.6):
            detail += f"; did you mean {near[0]!r}?"
    return Fault(name, line, column, detail)


def _follow(lines: Lines, path: Path, step: re.Match[str]) -> Path:
    """One step deeper. msgspec says `[...]` for the values of an open table, without saying which."""
    if step[1] is not None:
        return (*path, step[1])
    return (*path, int(step[2])) if step[2] != "..." else path


def _deepest(lines: Lines, path: Path) -> tuple[int, int]:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, (1, 1))


def _key_place(lines: Lines, path: Path, word: str) -> tuple[int, int] | None:
    """Where a key of this name stands at or below a path: the nearest one."""
    found = [
        (len(place), at)
        for place, at in lines.items()
        if place[: len(path)] == path and place[-2:] == (word, "")
    ]
    return min(found)[1] if found else None


def _words(kind: Any, seen: set[Any]) -> Iterator[str]:
    """All field names and closed words that a type knows, for suggestions."""
    if kind in seen:
        return
    seen.add(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield field.encode_name
            yield from _words(field.type, seen)
    elif isinstance(kind, type) and hasattr(kind, "__members__"):
        yield from (str(member.value) for member in kind.__members__.values())
    for argument in get_args(kind):
        if isinstance(argument, str):
            yield argument
        else:
            yield from _words(argument, seen)
