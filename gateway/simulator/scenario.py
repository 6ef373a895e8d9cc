"""Scenarios read from YAML and changed while they run: the same course for the same seed. Every error names
file and line."""

import difflib
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from gateway.simulator import dialects
from gateway.simulator.behaviour import (
    SHARES,
    SUBMIT_FAULTS,
    Account,
    Customers,
    Do,
    Fault,
    Ids,
    Join,
    MoForm,
    Parts,
    Receipts,
    Redelivery,
    Scenario,
    Span,
    Step,
    Via,
)
from gateway.smpp import status

__all__ = [
    "SHARES",
    "SHIPPED",
    "SUBMIT_FAULTS",
    "Account",
    "Customers",
    "Do",
    "Fault",
    "Ids",
    "Join",
    "MoForm",
    "Parts",
    "Receipts",
    "Redelivery",
    "Scenario",
    "ScenarioError",
    "Span",
    "Step",
    "Via",
    "as_builtins",
    "change",
    "find",
    "no_such_word",
    "parse",
    "read",
    "shipped",
    "table",
]

SHIPPED: Final = Path(__file__).parent / "scenarios"
_WHOLE: Final = frozenset({"outcomes", "shares"})  # shares belong together: they are replaced, not merged
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`").fullmatch

Place = tuple[str, ...]


class ScenarioError(ValueError):
    """A scenario that can't be played; the message leads with file and line."""


def read(path: Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: can't be read: {error}") from None
    return parse(text, str(path))


def shipped(name: str) -> Scenario:
    """One of those that come with the product. Raises ScenarioError, which names them."""
    path = SHIPPED / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.yaml")))
        raise ScenarioError(f"{name}: no such scenario; there are {known}")
    return read(path)


def find(what: Path) -> Scenario:
    """A file, or else one of the shipped by its name. Raises ScenarioError."""
    return read(what) if what.suffix or what.is_file() else shipped(str(what))


def parse(text: str, name: str = "scenario") -> Scenario:
    """The scenario that a YAML text says. Raises ScenarioError."""
    lines: dict[Place, int] = {}
    return _convert(_load(text, lines, name), lines, name)


def table(text: str) -> dict[str, Any]:
    """What a YAML or JSON text says, for `change`. Raises ScenarioError."""
    value = _load(text, {}, "scenario")
    if not isinstance(value, dict):
        raise ScenarioError("scenario:1: a table is wanted")
    return value


def _load(text: str, lines: dict[Place, int], name: str) -> Any:
    try:
        loader = yaml.CSafeLoader(text)
        try:
            node = loader.get_single_node()
            return {} if node is None else _build(loader, node, (), lines, name)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{name}:{line}: not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ScenarioError(f"{name}:1: not YAML: {error}") from None


def change(scenario: Scenario, changes: dict[str, Any]) -> Scenario:
    """The same scenario, changed; tables are merged, lists replaced. Raises ScenarioError."""
    return _convert(_merge(as_builtins(scenario), changes), {}, "scenario")


def as_builtins(scenario: Scenario) -> dict[str, Any]:
    """As JSON and YAML would show it."""
    value: dict[str, Any] = msgspec.to_builtins(_spelled(scenario))
    return value


def _spelled(value: Any) -> Any:
    match value:
        case Span():
            return str(value)
        case msgspec.Struct():
            names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
            return {shown: _spelled(getattr(value, name)) for shown, name in names}
        case tuple():
            return [_spelled(item) for item in value]
        case dict():
            return {str(key): _spelled(item) for key, item in value.items()}
    return value


def _merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for key, value in new.items():
        before = old.get(key)
        both = isinstance(before, dict) and isinstance(value, dict) and key not in _WHOLE
        merged[key] = _merge(old[key], value) if both else value
    return merged


def _build(loader: Any, node: yaml.Node, place: Place, lines: dict[Place, int], name: str) -> Any:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*place, str(at)), lines, name) for at, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    table: dict[str, Any] = {}
    for key_node, item in node.value:
        key = str(loader.construct_object(key_node))
        if key in table:
            raise ScenarioError(f"{name}:{key_node.start_mark.line + 1}: {key}: stands here twice")
        table[key] = _build(loader, item, (*place, key), lines, name)
        lines[(*place, key)] = key_node.start_mark.line + 1
    return table


def _convert(value: Any, lines: dict[Place, int], name: str) -> Scenario:
    try:
        value = _normal(value)
        scenario = msgspec.convert(value, Scenario)
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at `")
        place = tuple(re.findall(r"[^.\[\]`$]+", where.removeprefix("key` in `")))
        unknown = _UNKNOWN(said)
        if said.startswith("Invalid enum value"):
            said = no_such_word(said, _words_at(place))
        raise _error(name, lines, (*place, unknown[1]) if unknown else place, said) from None
    except MisfitError as error:
        raise _error(name, lines, error.place, str(error)) from None
    for place, wrong, said in _rules(scenario):
        if wrong:
            raise _error(name, lines, place, said)
    return scenario


def no_such_word(said: str, words: Sequence[str]) -> str:
    """What msgspec says of a word that is none of an enum's, with those that are."""
    wrong = said.removeprefix("Invalid enum value").strip(" '")
    near = difflib.get_close_matches(wrong, words, 1, 0.6)
    hint = f"did you mean {near[0]}? There are" if near else "there are"
    return f"there is no {wrong!r}; {hint} {', '.join(words)}" if words else said


def _words_at(place: Place) -> list[str]:
    """The words of the enum that stands at a place of a scenario; none where no enum does."""
    kind: Any = Scenario
    for part in place:
        kind = _without_none(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            inner = {item.encode_name: item.type for item in msgspec.structs.fields(kind)}
            kind = inner.get(part)
        elif typing.get_origin(kind) is tuple:
            kind = typing.get_args(kind)[0]
    kind = _without_none(kind)
    if typing.get_origin(kind) is dict:
        kind = typing.get_args(kind)[0]
    return [str(each.value) for each in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []


def _without_none(kind: Any) -> Any:
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return next(part for part in typing.get_args(kind) if part is not types.NoneType)
    return kind


def _rules(scenario: Scenario) -> Iterator[tuple[Place, bool, str]]:
    """What the types can't say: the place, whether it is wrong, and what is wanted there."""
    receipts, customers = scenario.receipts, scenario.customers
    for at, account in enumerate(scenario.accounts):
        yield ("accounts", str(at), "system_id"), not 1 <= len(account.system_id) <= 15, "1 to 15 signs"
        yield ("accounts", str(at), "rate"), account.rate is not None and account.rate < 0, "0 or more"
        yield ("accounts", str(at), "max_binds"), account.max_binds < 0, "0 or more"
    yield ("receipts", "outcomes"), _shares_wrong(receipts.outcomes), "shares of outcomes are over 0"
    yield ("receipts", "hasten"), receipts.hasten <= 0, "more than 0"
    yield ("receipts", "form"), dialects.wrong(receipts.form) != "", dialects.wrong(receipts.form)
    shares = customers is not None and _shares_wrong(customers.shares)
    yield ("customers", "shares"), shares, "shares of characters are over 0"
    yield ("customers", "pace"), customers is not None and customers.pace < 0, "0 or more"
    yield ("window",), scenario.window < 1, "at least 1"
    yield ("rate",), scenario.rate < 0, "0 or more"
    yield ("queue",), scenario.queue < 0, "0 or more"
    yield ("burst",), scenario.burst is not None and scenario.burst < 1, "at least 1"
    yield ("throttle_status",), not _is_status(scenario.throttle_status), "a command_status"
    yield ("ids", "reuse"), scenario.ids.reuse < 0, "0 or more"
    yield ("ids", "first"), (scenario.ids.first or 0) < 0, "0 or more"
    coding = scenario.mo.data_coding
    yield ("mo", "data_coding"), coding is not None and not 0 <= coding <= 255, "0 to 255"
    before = -1.0
    for at, step in enumerate(scenario.rates):
        yield ("rates", str(at), "rate"), step.rate < 0, "0 or more"
        yield ("rates", str(at), "from"), step.since <= before, "later than the one before"
        before = step.since
    for at, fault in enumerate(scenario.faults):
        yield from _rules_of_fault(("faults", str(at)), fault)


def _rules_of_fault(place: Place, fault: Fault) -> Iterator[tuple[Place, bool, str]]:
    yield (*place, "share"), not 0 <= fault.share <= 1, "share is 0 to 1"
    yield (*place, "every"), fault.every < 1, "every is 1 or more"
    yield (*place, "after"), fault.after < 0, "after is 0 or more"
    yield (*place, "times"), fault.times is not None and fault.times < 0, "times is 0 or more"
    yield (*place, "until"), fault.until is not None and fault.until <= fault.since, "later than from"
    refuses = fault.do in {Do.REFUSE, Do.NACK, Do.REFUSE_BIND}
    yield (*place, "status"), fault.status is not None and not refuses, f"{fault.do} has no status"
    yield (*place, "status"), not (_is_status(fault.says) and fault.says), "a command_status that is no 0"
    tells = fault.do in {Do.RECEIPT_INTERMEDIATE, Do.RECEIPT_CONTRADICTORY}
    yield (*place, "state"), fault.state is not None and not tells, f"{fault.do} has no state"


def _is_status(value: int) -> bool:
    return 0 <= value <= 0xFFFFFFFF


def _shares_wrong(shares: Mapping[Any, float]) -> bool:
    return any(share < 0 for share in shares.values()) or sum(shares.values()) <= 0


def _error(name: str, lines: dict[Place, int], place: Place, said: str) -> ScenarioError:
    known = place
    while known and known not in lines:
        known = known[:-1]
    line = f":{lines[known]}" if known in lines else ""
    return ScenarioError(f"{name}{line}: {'.'.join(place) or 'the whole'}: {said}")


class MisfitError(ValueError):
    """A value that its place can't hold."""

    def __init__(self, place: Place, said: str) -> None:
        super().__init__(said)
        self.place = place


_SPANS: Final = frozenset({"latency", "delay", "timeout", "after", "by", "enquire_link"})
_STATUSES: Final = frozenset({"status", "throttle_status"})
_MOMENTS: Final = frozenset({"from", "until"})


def _normal(value: Any, place: Place = ()) -> Any:
    """Times as Span and states by their plain names, where the types want them."""
    if isinstance(value, list):
        return [_normal(item, (*place, str(at))) for at, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    table: dict[str, Any] = {}
    for key, item in value.items():
        here = (*place, str(key))
        if key in {"outcomes", "words"} and isinstance(item, dict):
            table[key] = {str(word).upper(): what for word, what in item.items()}
        elif key == "state" and isinstance(item, str):
            table[key] = item.upper()
        elif key in _STATUSES and isinstance(item, str):
            table[key] = _status_of(here, item)
        elif item is None and key in {"by", "until"}:
            table[key] = None
        elif key in _MOMENTS:
            table[key] = _tell(here, partial(Span.parse, item))["low"]
        elif key in _SPANS and not (key == "after" and place[:1] == ("faults",)):
            table[key] = _tell(here, partial(Span.parse, item))
        else:
            table[key] = _normal(item, here)
    return table


def _status_of(place: Place, written: str) -> int:
    """Of a name, or of a number as text: ESME_RTHROTTLED, 0x58, 88."""
    code = status.code_of(written)
    if code is None:
        near = difflib.get_close_matches(written.upper(), status.names(), 1, 0.87)
        hint = f"did you mean {near[0]}?" if near else "write its name, or its number as 0x58"
        raise MisfitError(place, f"{written!r} is no command_status; {hint}")
    return code


def _tell(place: Place, read_it: partial[Span]) -> dict[str, float]:
    try:
        span = read_it()
    except ValueError as error:
        raise MisfitError(place, str(error)) from None
    return {"low": span.low, "high": span.high}
