"""The YAML head of a template file, read with the line and column of every fault."""

import difflib
import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeVar

import yaml

from gateway.domain.template_parameters import MAX_ITEMS, MAX_TEXT, Kind, Parameter, Problem

LANES: Final = ("emergency", "transactional", "service", "survey", "marketing")
_Scalar = TypeVar("_Scalar", str, int, bool)
_FENCE: Final = "---"
_MAX_DEPTH: Final = 12
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where the wheel has it
_HEAD_KEYS: Final = ("title", "lane", "owner", "parameters", "max_segments", "order", "note")
_REQUIRED_KEYS: Final = ("title", "lane", "owner", "max_segments")
_PARAMETER_KEYS: Final = (
    "type",
    "example",
    "worst",
    "unit",
    "required",
    "default",
    "choices",
    "max_length",
    "max_items",
    "fields",
    "note",
)
#: Names that mean something else in a body.
_RESERVED: Final = frozenset(
    {"signature", "loop", "true", "false", "none", *keyword.kwlist, *dir(dict)}  # dict: fields of list items
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file, where, and what may be meant."""

    path: str
    line: int
    column: int
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        said = f"{self.path}:{self.line}:{self.column}: {self.message}"
        return f"{said}; {self.suggestion}" if self.suggestion else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a template says of itself."""

    title: str
    lane: str
    owner: str
    max_segments: int
    order: bool = False  #: asks to buy: the price must be in it
    note: str = ""
    parameters: Mapping[str, Parameter]


def cut(source: str) -> tuple[str, str, int] | None:
    """The head, the body, and the body's first line in the file (from 1); None without two `---` lines."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != _FENCE:
        return None
    ends = (index for index, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE)
    end = next(ends, None)
    if end is None:
        return None
    body = "\n".join(lines[end + 1 :])
    blank = len(body) - len(body.lstrip("\n"))
    return "\n".join(lines[1:end]), body.strip(), end + 2 + blank


class HeadReader:
    """Reads one head; `faults` has all that was found. The head begins on the file's second line."""

    def __init__(self, path: str) -> None:
        self.faults: list[Fault] = []
        self._path = path
        self._loader = yaml.SafeLoader("")

    def read(self, text: str) -> Head | None:
        """The head, or None where it is not good enough to go on."""
        try:
            if self._is_bomb(text):
                return None
            node = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line, column = (mark.line + 2, mark.column + 1) if mark else (2, 1)
            self.faults.append(Fault(self._path, line, column, f"no valid YAML: {error.problem}"))
            return None
        except yaml.YAMLError as error:
            self.faults.append(Fault(self._path, 2, 1, f"no valid YAML: {error}"))
            return None
        if not isinstance(node, yaml.MappingNode):
            self.faults.append(Fault(self._path, 2, 1, "the head must be a mapping", "begin with title: …"))
            return None
        entries = self._entries(node, _HEAD_KEYS)
        missing = [key for key in _REQUIRED_KEYS if key not in entries]
        for key in missing:
            self.faults.append(Fault(self._path, 2, 1, f"{key!r} is missing", f"add {key}: …"))
        title = self._take(entries, "title", str, "")
        lane = self._take(entries, "lane", str, "")
        if lane and lane not in LANES:
            self._note(entries["lane"], f"there is no lane {lane!r}", _nearest(lane, LANES))
        owner = self._take(entries, "owner", str, "")
        max_segments = self._take(entries, "max_segments", int, 1)
        if not 1 <= max_segments <= 255:
            self._note(entries["max_segments"], "max_segments must be 1 to 255")
        order = self._take(entries, "order", bool, False)
        note = self._take(entries, "note", str, "")
        parameters = self._parameters(entries.get("parameters"))
        if self.faults:
            return None
        return Head(
            title=title,
            lane=lane,
            owner=owner,
            max_segments=max_segments,
            order=order,
            note=note,
            parameters=parameters,
        )

    def _is_bomb(self, text: str) -> bool:
        """Whether the head has what could fill the memory or the stack: aliases, or brackets in brackets."""
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth <= _MAX_DEPTH and not isinstance(event, yaml.AliasEvent):
                continue
            mark = event.start_mark
            line, column = (mark.line + 2, mark.column + 1) if mark else (2, 1)
            message = "is nested too deep" if depth > _MAX_DEPTH else "aliases are not allowed"
            self.faults.append(Fault(self._path, line, column, message))
            return True
        return False

    def _note(self, node: yaml.Node, message: str, suggestion: str = "") -> None:
        mark = node.start_mark
        self.faults.append(Fault(self._path, mark.line + 2, mark.column + 1, message, suggestion))

    def _entries(self, node: yaml.MappingNode, known: tuple[str, ...] | None) -> dict[str, yaml.Node]:
        entries: dict[str, yaml.Node] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in entries:
                self._note(key_node, f"{key!r} is given twice")
            elif known is not None and key not in known:
                self._note(key_node, f"{key!r} is not known here", _nearest(key, known))
            entries[key] = value_node
        return entries

    def _value(self, node: yaml.Node) -> object:
        try:
            return self._loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            self._note(node, f"cannot be read: {error}")
            return None

    def _take(
        self, entries: Mapping[str, yaml.Node], key: str, kind: type[_Scalar], default: _Scalar
    ) -> _Scalar:
        if key not in entries:
            return default
        value = self._value(entries[key])
        if type(value) is not kind:
            names = {str: "a text", int: "a whole number", bool: "true or false"}
            self._note(entries[key], f"{key} must be {names[kind]}")
            return default
        return value

    def _parameters(self, node: yaml.Node | None) -> Mapping[str, Parameter]:
        if node is None:
            return MappingProxyType({})
        if not isinstance(node, yaml.MappingNode):
            self._note(node, "parameters must be a mapping of name to {type, example, …}")
            return MappingProxyType({})
        return MappingProxyType(
            {name: self._parameter(name, spec) for name, spec in self._entries(node, None).items()}
        )

    def _parameter(self, name: str, node: yaml.Node) -> Parameter:
        mark = node.start_mark
        bare = Parameter(name=name, kind=Kind.TEXT, line=mark.line + 2, column=mark.column + 1)
        if not (name.isascii() and name.isidentifier()) or name in _RESERVED or name.startswith("_"):
            self._note(node, f"{name!r} can't be a parameter's name", "use small letters, digits and _")
        if not isinstance(node, yaml.MappingNode):
            self._note(node, f"{name} must be {{type: …, example: …}}")
            return bare
        entries = self._entries(node, _PARAMETER_KEYS)
        kind = self._kind(name, node, entries)
        if kind is None:
            return bare
        parameter = replace(
            bare,
            kind=kind,
            unit=self._take(entries, "unit", str, "") or None,
            required=self._take(entries, "required", bool, True),
            choices=self._choices(name, node, entries, kind),
            max_length=self._take(entries, "max_length", int, bare.max_length),
            max_items=self._take(entries, "max_items", int, bare.max_items),
            fields=self._parameters(entries.get("fields")),
        )
        if kind is Kind.LIST and not parameter.fields:
            self._note(node, f"{name} is a list without fields", "add fields: {name: {type: …}}")
        for key, most in (("max_length", MAX_TEXT), ("max_items", MAX_ITEMS)):
            if not 1 <= getattr(parameter, key) <= most:
                self._note(entries[key], f"{key} must be 1 to {most}")
        if "example" not in entries:
            self._note(node, f"{name} has no example", "add example: …")
        return replace(
            parameter,
            example=self._checked(parameter, entries, "example"),
            worst=self._checked(parameter, entries, "worst"),
            default=self._checked(parameter, entries, "default"),
        )

    def _kind(self, name: str, node: yaml.Node, entries: Mapping[str, yaml.Node]) -> Kind | None:
        if "type" not in entries:
            self._note(node, f"{name} has no type", f"one of {', '.join(Kind)}")
            return None
        word = str(entries["type"].value)
        if word not in list(Kind):
            suggestion = _nearest(word, Kind) or f"one of {', '.join(Kind)}"
            self._note(entries["type"], f"there is no type {word!r}", suggestion)
            return None
        return Kind(word)

    def _choices(
        self, name: str, node: yaml.Node, entries: Mapping[str, yaml.Node], kind: Kind
    ) -> tuple[str, ...]:
        value = self._value(entries["choices"]) if "choices" in entries else None
        if kind is not Kind.CHOICE:
            return ()
        if isinstance(value, list) and value and all(isinstance(choice, str) for choice in value):
            return tuple(value)
        self._note(entries.get("choices", node), f"{name} needs choices: [one, two]")
        return ()

    def _checked(self, parameter: Parameter, entries: Mapping[str, yaml.Node], key: str) -> object:
        """An example or default as the caller would give it; a fault where it breaks its own type."""
        node = entries.get(key)
        if node is None:
            return None
        value = self._value(node)
        read = parameter.read(value, f"/{parameter.name}")
        problems = [read] if isinstance(read, Problem) else read if isinstance(read, list) else []
        for problem in problems:
            if isinstance(problem, Problem):
                self._note(node, f"the {key} of {problem.pointer[1:]} {problem.detail}")
        return read if key == "default" else value


def _nearest(word: str, known: Iterable[str]) -> str:
    known = [str(each) for each in known]
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
