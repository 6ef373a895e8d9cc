"""How a simulated SMSC behaves, as a value: read from YAML, changed while it runs, the same course for the
same seed. Every error names file and line."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from gateway.simulator.phrases import Character
from gateway.smpp import status
from gateway.smpp.receipt import IdForm, State

SHIPPED: Final = Path(__file__).parent / "scenarios"
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_WHOLE: Final = frozenset({"outcomes", "shares"})  # shares belong together: they are replaced, not merged
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`").fullmatch
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)").fullmatch

SHARES: Final = {
    Character.PROMPT: 40.0,
    Character.LATE: 12.0,
    Character.CHATTY: 14.0,
    Character.ANGRY: 10.0,
    Character.FOREIGN: 6.0,
    Character.SILENT: 8.0,
    Character.UNCLEAR: 5.0,
    Character.REVISER: 5.0,
}

Place = tuple[str, ...]


class ScenarioError(ValueError):
    """A scenario that can't be played; the message leads with file and line."""


class Span(msgspec.Struct, frozen=True):
    """A time, or any time between two: seconds. Written `50ms`, `2s`, `1s..5m`, or as a number of seconds."""

    low: float = 0.0
    high: float = 0.0

    @classmethod
    def parse(cls, written: object) -> "Span":
        """Raises ValueError."""
        low, dots, high = str(written).partition("..")
        span = cls(_seconds(low), _seconds(high if dots else low))
        if span.high < span.low:
            raise ValueError(f"{written!r} ends before it begins")
        return span

    def __str__(self) -> str:
        return f"{self.low:g}s" if self.low == self.high else f"{self.low:g}s..{self.high:g}s"


def _seconds(written: str) -> float:
    written = written.strip()
    try:
        seconds = float(written)
    except ValueError:
        match = _TIME(written)
        if match is None:
            raise ValueError(f"{written!r} is no time; write it as 50ms, 2s, 1m or 1s..5s") from None
        return float(match[1]) * _UNITS[match[2]]
    if not 0 <= seconds < 1e9:
        raise ValueError(f"{written!r} is no time")
    return seconds


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Account(_Part, frozen=True, kw_only=True):
    """Who may bind."""

    system_id: str
    password: str | None = None  #: none: any will do
    max_binds: int = 0  #: 0: as many as it likes
    rate: float | None = None  #: submits a second; none: the scenario's
    numbers: tuple[str, ...] = ()  #: prefixes of the numbers whose MOs go to this account alone
    receipts_to: str | None = None  #: the account whose receivers get its receipts; none: its own


class Ids(_Part, frozen=True, kw_only=True):
    """How message ids are written. `first` none: from the clock, so that a restart uses none again."""

    response: IdForm = IdForm.HEX
    receipt: IdForm = IdForm.HEX
    first: int | None = None


class Receipts(_Part, frozen=True, kw_only=True):
    """Delivery receipts: after how long, and with which shares of outcomes."""

    delay: Span = Span()
    outcomes: dict[State, float] = msgspec.field(default_factory=lambda: {State.DELIVERED: 1.0})
    tlvs: bool = True  #: receipted_message_id and message_state besides the text
    esm_class: bool = True  #: false: nothing but the text says that it is a receipt


class Redelivery(_Part, frozen=True, kw_only=True):
    """When a deliver_sm that was not answered, or refused, comes again."""

    timeout: Span = Span(10.0, 10.0)  #: its answer is waited for so long
    after: Span = Span(1.0, 1.0)  #: the pause after a refusal


class Customers(_Part, frozen=True, kw_only=True):
    """Customers who answer the questions that they get."""

    shares: dict[Character, float] = msgspec.field(default_factory=lambda: dict(SHARES))
    pace: float = 1.0  #: of their delays: 0 answers at once
    hands_off: tuple[str, ...] = ()  #: ends of numbers that somebody else plays


class Do(StrEnum):
    """What can go wrong."""

    DROP_BEFORE_ANSWER = (
        "drop-before-answer"  #: takes the message, closes the connection instead of answering
    )
    DROP_AFTER_ANSWER = "drop-after-answer"
    ANSWER_LATE = "answer-late"
    NEVER_ANSWER = "never-answer"
    ANSWER_TWICE = "answer-twice"
    UNKNOWN_SEQUENCE = "unknown-sequence"  #: the answer bears a sequence number that nobody asked with
    REFUSE = "refuse"  #: answers with `status`, and does not take the message
    RECEIPT_FIRST = "receipt-first"  #: the receipt goes out before the answer
    RECEIPT_TWICE = "receipt-twice"
    MO_TWICE = "mo-twice"


SUBMIT_FAULTS: Final = frozenset(Do) - {Do.RECEIPT_TWICE, Do.MO_TWICE}


class Fault(_Part, frozen=True, kw_only=True):
    """One thing that goes wrong, and when. Of several that are due for one message the first one happens."""

    do: Do
    share: float = 1.0  #: of the messages that the rest lets through
    every: int = 1  #: each so-manieth
    after: int = 0  #: not before so many have passed
    times: int | None = None  #: at most so often; none: without end
    to: str = ""  #: only numbers that begin so
    by: Span = Span(1.0, 1.0)  #: how late
    status: int = status.ESME_RSYSERR  #: of `refuse`


class Scenario(_Part, frozen=True, kw_only=True):
    """All of it. What is not said is a quick, faultless SMSC that lets everybody in."""

    name: str = ""
    seed: int = 1
    accounts: tuple[Account, ...] = ()  #: none: everybody may bind
    latency: Span = Span()  #: from a submit_sm to its answer
    rate: float = 0.0  #: submits a second and account, 0 for no limit
    burst: float | None = None  #: how many may come at once; none: a tenth of a second's, at least one
    throttle_status: int = status.ESME_RTHROTTLED
    ids: Ids = Ids()
    receipts: Receipts = Receipts()
    window: int = 100  #: unanswered deliver_sm a bind
    redelivery: Redelivery = Redelivery()
    enquire_link: Span = Span(30.0, 30.0)
    faults: tuple[Fault, ...] = ()
    customers: Customers | None = None  #: none: nobody answers


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
            return {name: _spelled(getattr(value, name)) for name in value.__struct_fields__}
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
        raise _error(name, lines, (*place, unknown[1]) if unknown else place, said) from None
    except MisfitError as error:
        raise _error(name, lines, error.place, str(error)) from None
    for at, account in enumerate(scenario.accounts):
        if not 1 <= len(account.system_id) <= 15:
            raise _error(name, lines, ("accounts", str(at), "system_id"), "1 to 15 signs")
    for place, wrong, said in (
        (
            ("receipts", "outcomes"),
            _shares_wrong(scenario.receipts.outcomes),
            "shares of outcomes are over 0",
        ),
        (
            ("customers", "shares"),
            scenario.customers is not None and _shares_wrong(scenario.customers.shares),
            "shares of characters are over 0",
        ),
        (("window",), scenario.window < 1, "at least 1"),
        (("rate",), scenario.rate < 0, "0 or more"),
    ):
        if wrong:
            raise _error(name, lines, place, said)
    for at, fault in enumerate(scenario.faults):
        if not 0 <= fault.share <= 1 or fault.every < 1 or fault.after < 0:
            raise _error(
                name, lines, ("faults", str(at)), "share is 0 to 1, every 1 or more, after 0 or more"
            )
    return scenario


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


def _normal(value: Any, place: Place = ()) -> Any:
    """Times as Span and outcomes by their plain names, where the types want them."""
    if isinstance(value, list):
        return [_normal(item, (*place, str(at))) for at, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    table: dict[str, Any] = {}
    for key, item in value.items():
        here = (*place, str(key))
        if key == "outcomes" and isinstance(item, dict):
            table[key] = {str(word).upper(): share for word, share in item.items()}
        elif key in _SPANS and not (key == "after" and place[:1] == ("faults",)):
            table[key] = _tell(here, partial(Span.parse, item))
        else:
            table[key] = _normal(item, here)
    return table


def _tell(place: Place, read_it: partial[Span]) -> dict[str, float]:
    try:
        span = read_it()
    except ValueError as error:
        raise MisfitError(place, str(error)) from None
    return {"low": span.low, "high": span.high}
