"""What a template takes: its parameters' types, how a caller's values are read, and their worst cases."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Final

MAX_TEXT: Final = 20_000  # more characters than 255 segments hold
MAX_ITEMS: Final = 100


class Kind(StrEnum):
    """The type of a parameter."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"  #: yuan, a decimal string
    DATA = "data"  #: MB
    DATE = "date"  #: RFC 3339, with or without a time
    BOOL = "bool"
    CHOICE = "choice"
    LIST = "list"  #: of objects with `fields`


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a caller's parameters: a JSON pointer into them, and what to do."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared parameter. `line` and `column` say where in its file."""

    name: str
    kind: Kind
    example: object = None
    worst: object = None
    unit: str | None = None
    required: bool = True
    default: object = None
    choices: tuple[str, ...] = ()
    max_length: int = MAX_TEXT
    max_items: int = MAX_ITEMS
    fields: Mapping[str, "Parameter"] = field(default_factory=lambda: MappingProxyType({}))
    line: int = 1
    column: int = 1

    def read(self, value: object, pointer: str) -> object:
        """The value as the body sees it, or a Problem."""
        if value is None and not self.required:
            return self.default
        return _READERS[self.kind](self, value, pointer)

    def worst_values(self) -> list[object]:
        """The values that may give the longest text; a switch has all of its positions."""
        if self.kind is Kind.BOOL:
            return [True, False]
        if self.kind is Kind.CHOICE:
            return list(self.choices)
        if self.worst is not None:
            return [self.worst]
        if self.kind is Kind.TEXT and isinstance(self.example, str) and self.max_length < MAX_TEXT:
            repeats = self.max_length // max(1, len(self.example)) + 1
            return [(self.example * repeats)[: self.max_length]]
        if self.kind is Kind.LIST:
            return [[self._worst_item()] * self.max_items]
        return [_WORST.get(self.kind, self.example)]

    def _worst_item(self) -> dict[str, object]:
        return {name: parameter.worst_values()[0] for name, parameter in self.fields.items()}


_WORST: Final[dict[Kind, object]] = {
    Kind.INTEGER: 99_999,
    Kind.NUMBER: "9999.99",
    Kind.MONEY: "9999.99",
    Kind.DATA: "999999",
    Kind.DATE: "2026-12-31T23:59:00+08:00",
}


def bind(
    parameters: Mapping[str, Parameter], given: Mapping[str, object], pointer: str = ""
) -> dict[str, object] | list[Problem]:
    """All declared values, read; or every problem: unknown, missing and wrongly typed ones."""
    values: dict[str, object] = {}
    problems: list[Problem] = []
    known = 0
    for name, parameter in parameters.items():
        if name in given:
            known += 1
            value = parameter.read(given[name], f"{pointer}/{name}")
            if isinstance(value, Problem):
                problems.append(value)
            elif isinstance(value, list) and value and isinstance(value[0], Problem):
                problems += value
            else:
                values[name] = value
        elif parameter.required:
            problems.append(Problem(f"{pointer}/{name}", f"is missing; for example {parameter.example!r}"))
        else:
            values[name] = parameter.default
    if known != len(given):
        takes = ", ".join(parameters) or "none"
        problems += [
            Problem(f"{pointer}/{_escaped(name)}", f"is not a parameter here; there are: {takes}")
            for name in given
            if name not in parameters
        ]
    return problems or values


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")  # RFC 6901 §3


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _text(parameter: Parameter, value: object, pointer: str) -> object:
    if type(value) is not str:
        return Problem(pointer, "must be a text")
    if len(value) > parameter.max_length:
        return Problem(pointer, f"has {len(value)} characters; at most {parameter.max_length} are allowed")
    if not value.isprintable() and _CONTROL.search(value):
        return Problem(pointer, "has control characters")
    stripped = value.strip()  # a clerk's closing line break is paid for on each phone
    if parameter.required and not stripped:
        return Problem(pointer, "is empty")
    return stripped


def _integer(_parameter: Parameter, value: object, pointer: str) -> object:
    if type(value) is int and abs(value) < 10**15:
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    return Problem(pointer, "must be a whole number")


def _decimal(value: object) -> Decimal | None:
    if type(value) not in (int, str, Decimal, float):
        return None
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,15}(?:\.[0-9]{1,10})?", value):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None


def _number(_parameter: Parameter, value: object, pointer: str) -> object:
    number = _decimal(value)
    return Problem(pointer, "must be a number") if number is None else number


def _money(_parameter: Parameter, value: object, pointer: str) -> object:
    # A float has lost its cents before it came here.
    number = None if isinstance(value, float) else _decimal(value)
    return Problem(pointer, 'must be yuan as a decimal string, such as "12.50"') if number is None else number


def _data(_parameter: Parameter, value: object, pointer: str) -> object:
    number = _decimal(value)
    return (
        Problem(pointer, "must be a number of MB, not negative") if number is None or number < 0 else number
    )


def _date(_parameter: Parameter, value: object, pointer: str) -> object:
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            pass
    return Problem(pointer, "must be a date or a time after RFC 3339, such as 2026-11-22T09:00:00+08:00")


def _bool(_parameter: Parameter, value: object, pointer: str) -> object:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):  # from the command line and from CSV
        return value == "true"
    return Problem(pointer, "must be true or false")


def _choice(parameter: Parameter, value: object, pointer: str) -> object:
    if isinstance(value, str) and value in parameter.choices:
        return value
    return Problem(pointer, f"must be one of {', '.join(parameter.choices)}")


def _list(parameter: Parameter, value: object, pointer: str) -> object:
    if not isinstance(value, list | tuple):
        return Problem(pointer, "must be a list")
    if len(value) > parameter.max_items:
        return Problem(pointer, f"has {len(value)} items; at most {parameter.max_items} are allowed")
    items: list[dict[str, object]] = []
    problems: list[Problem] = []
    for index, item in enumerate(value):
        if not isinstance(item, Mapping):
            problems.append(Problem(f"{pointer}/{index}", "must be an object"))
            continue
        bound = bind(parameter.fields, item, f"{pointer}/{index}")
        if isinstance(bound, list):
            problems += bound
        else:
            items.append(bound)
    return problems or items


_READERS: Final[dict[Kind, Callable[[Parameter, object, str], object]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.DATA: _data,
    Kind.DATE: _date,
    Kind.BOOL: _bool,
    Kind.CHOICE: _choice,
    Kind.LIST: _list,
}
