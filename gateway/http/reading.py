"""JSON and queries into typed values; every fault named with a JSON pointer.

The quick way is one typed decode. Only when it fails is the request walked, field by field for all faults.
"""

import codecs
import re
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec

from gateway.domain.handling import read_tag
from gateway.domain.request import Fault, TagName
from gateway.http.exchange import Answer
from gateway.http.problem import INVALID_QUERY, INVALID_REQUEST, MALFORMED_JSON, problem
from gateway.http.wording import sentence

MOST_FAULTS: Final = 20  # more help nobody

_AT: Final = re.compile(r" - at `(?:key in )?(\$.*)`$")
_MISSING: Final = re.compile(r"Object missing required field `(.+)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.+)`")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([^\]]*)\]")
_NUL: Final = b"\\u0000"
_OCTET: Final = re.compile(r"(.+) \(byte ([0-9]+)\)")
_ESCAPES: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


class Faulty(Exception):  # noqa: N818 - a finding about the caller's words, not an error of ours
    """What the caller sent can't be read."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def escape(token: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


def fault_of(error: msgspec.ValidationError, pointer: str = "", kind: Any = None) -> Fault:
    """msgspec's message as a fault: `Expected `str`, got `int` - at `$.ticket.id`` points at /ticket/id.

    `kind` is the type of the value that `pointer` leads to.
    """
    detail = str(error)
    if match := _AT.search(detail):
        detail = detail[: match.start()]
        for name, index in _STEP.findall(match[1]):
            if index == "...":  # some value of a map: which one is not told
                break
            pointer += "/" + escape(name or index)
    if match := _MISSING.fullmatch(detail):
        return Fault(f"{pointer}/{escape(match[1])}", "is required")
    if match := _UNKNOWN.fullmatch(detail):
        return Fault(f"{pointer}/{escape(match[1])}", "is not a field of this request")
    return Fault(pointer, sentence(detail, kind))


def _bare(kind: Any) -> Any:
    """A type without its annotations."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The one structure among what a field may hold, if there is exactly one."""
    kind = _bare(kind)
    choices = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
    found = [choice for choice in choices if isinstance(choice, type) and issubclass(choice, msgspec.Struct)]
    return found[0] if len(found) == 1 else None


def _map_in(kind: Any) -> tuple[Any, Any] | None:
    """The types of names and values, where a field may hold a map of them."""
    bare = _bare(kind)
    choices = get_args(bare) if get_origin(bare) in {Union, UnionType} else (bare,)
    found = [get_args(choice) for choice in map(_bare, choices) if get_origin(choice) is dict]
    return (found[0][0], found[0][1]) if len(found) == 1 else None


def _faults_in_map(value: dict[str, Any], kinds: tuple[Any, Any], pointer: str) -> list[Fault]:
    """The faults of a map's names and values, each under its own name."""
    faults: list[Fault] = []
    for name, item in value.items():
        at = f"{pointer}/{escape(name)}"
        found = faults_in(name, kinds[0], at) or faults_in(item, kinds[1], at)
        if not found and kinds[0] is TagName and isinstance(told := read_tag(name), str):
            found = [Fault(at, told)]  # else it would be told when the others are mended
        faults += found
    return faults


def faults_in(value: Any, kind: Any, pointer: str = "") -> list[Fault]:
    """All faults of a JSON value against a type, field by field."""
    structure = _struct_in(kind)
    if isinstance(value, dict) and (kinds := _map_in(kind)) is not None:
        return _faults_in_map(value, kinds, pointer)
    if structure is None or not isinstance(value, dict):
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            return [fault_of(error, pointer, kind)]
        return []
    faults: list[Fault] = []
    fields = {field.encode_name: field for field in msgspec.structs.fields(structure)}
    for name, field in fields.items():
        if name in value:
            faults += faults_in(value[name], field.type, f"{pointer}/{escape(name)}")
        elif field.required:
            faults.append(Fault(f"{pointer}/{escape(name)}", "is required"))
    if structure.__struct_config__.forbid_unknown_fields:
        known = ", ".join(fields)
        faults += [
            Fault(f"{pointer}/{escape(name)}", f"is not a field of this request; they are: {known}")
            for name in value
            if name not in fields
        ]
    return faults[:MOST_FAULTS]


def _nul_faults(value: Any, pointer: str = "") -> list[Fault]:
    """Where U+0000 stands: no text of ours may hold it, no phone shows it and no PostgreSQL stores it."""
    if isinstance(value, str):
        return [Fault(pointer, "must not contain U+0000")] if "\0" in value else []
    if isinstance(value, dict):
        faults = [
            fault for name, item in value.items() for fault in _nul_faults(item, f"{pointer}/{escape(name)}")
        ]
        return faults + [Fault(pointer, "has a key with U+0000") for name in value if "\0" in name]
    if isinstance(value, list):
        return [fault for n, item in enumerate(value) for fault in _nul_faults(item, f"{pointer}/{n}")]
    return []


def malformed(error: Exception, body: bytes) -> Answer:
    """400: these octets are no JSON; the detail says which octet, counted from 0."""
    return problem(MALFORMED_JSON, _why_malformed(error, body))


def _why_malformed(error: Exception, body: bytes) -> str:
    if not body.strip():
        return "The body is empty. Send JSON."
    if isinstance(error, RecursionError):
        return "The JSON is nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        try:
            body.decode()
        except UnicodeDecodeError as found:
            return (
                f"The body is not UTF-8: octet {found.start} is {body[found.start]:#04x}. Encode it as UTF-8."
            )
    if body.startswith(codecs.BOM_UTF8):
        return "The body begins with a byte order mark (octets 0 to 2). Leave it out."
    if (lone := _lone_surrogate(body)) is not None:
        text = body[lone : lone + 6].decode()
        return f"Octet {lone}: {text} is half a character (a lone surrogate). Send the character whole."
    said = str(error).removeprefix("JSON is malformed: ")
    if said.startswith("Number out of range"):
        return "A number in the JSON is larger than any that can be read."
    if "truncated" in said:
        return f"The JSON is not finished: it breaks off after {len(body)} octets. Close quotes and brackets."
    if match := _OCTET.fullmatch(said):
        said = f"octet {match[2]}: {match[1]}"
    return f"The body is not JSON: {said}. Check quotes, commas and brackets."


def _lone_surrogate(body: bytes) -> int | None:
    """Where a \\uD800…DFFF stands without its other half; pairs and escaped backslashes are passed over."""
    return next((match.start() for match in _ESCAPES.finditer(body) if match.lastgroup == "lone"), None)


#: What a decoder raises on octets that are no JSON of the type.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Reader:
    """Reads bodies of one type."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self._decode = msgspec.json.Decoder(kind).decode

    def read(self, body: bytes | msgspec.Raw) -> Any:
        """The typed value. Raises `Faulty` with the answer that names every fault."""
        try:
            value = self._decode(body)
        except UNREADABLE as error:
            raise Faulty(self.explain(body, error)) from None
        if _NUL in bytes(body):
            faults = _nul_faults(msgspec.json.decode(body))
            if faults:
                raise Faulty(_invalid(faults))
        return value

    def explain(self, body: bytes | msgspec.Raw, error: Exception) -> Answer:
        """The answer to a body that could not be read."""
        if not isinstance(error, msgspec.ValidationError):
            return malformed(error, bytes(body))
        try:
            value = msgspec.json.decode(body)
        except UNREADABLE as worse:
            return malformed(worse, bytes(body))
        faults = faults_in(value, self.kind) + _nul_faults(value)
        return _invalid(faults[:MOST_FAULTS] or [fault_of(error)])


def _invalid(faults: list[Fault]) -> Answer:
    first = faults[0]
    detail = f"{first.pointer or 'The body'}: {first.detail}."
    if len(faults) > 1:
        detail += f" And {len(faults) - 1} more: see errors."
    return problem(INVALID_REQUEST, detail, tuple(faults))


#: Types that a query writes as text.
_WRITTEN: Final = (int, bool)


class QueryReader:
    """Reads query strings into one structure, whose fields are the parameters; one without a default must be
    given."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        self.kind = kind
        fields = msgspec.structs.fields(kind)
        self._types = {field.encode_name: _without_none(field.type) for field in fields}
        self._names = {field.encode_name: field.name for field in fields}
        self._needed = [field.encode_name for field in fields if field.required]

    def read(self, query: str) -> Any:
        """The typed value. Raises `Faulty`."""
        given: dict[str, str] = {}
        faults: list[Fault] = []
        try:
            pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
        except ValueError:  # UnicodeDecodeError among them
            raise Faulty(
                problem(INVALID_QUERY, "The query is not percent-encoded UTF-8, or too long.")
            ) from None
        for name, text in pairs:
            if name not in self._types:
                known = ", ".join(self._types)
                faults.append(Fault(f"/{escape(name)}", f"is not a parameter here; known are: {known}"))
            elif name in given:
                faults.append(Fault(f"/{escape(name)}", "is given twice"))
            elif "\0" in text:
                faults.append(Fault(f"/{escape(name)}", "must not contain U+0000"))
            given[name] = text
        faults += [Fault(f"/{name}", "is missing") for name in self._needed if name not in given]
        values: dict[str, Any] = {}
        for name, text in () if faults else given.items():
            kind = self._types[name]
            try:
                values[name] = msgspec.convert(text, kind, strict=_bare(kind) not in _WRITTEN)
            except msgspec.ValidationError as error:
                told = sentence(str(error), kind)
                if " " in text and _bare(kind) is datetime:
                    told += "; in a query + is written %2B"
                faults.append(Fault(f"/{name}", told))
        if faults:
            first = faults[0]
            detail = f"{first.pointer.removeprefix('/')} {first.detail}."
            raise Faulty(problem(INVALID_QUERY, detail, tuple(faults[:MOST_FAULTS])))
        return self.kind(**{self._names[name]: value for name, value in values.items()})


def _without_none(kind: Any) -> Any:
    """A parameter that is left out is left out: the text `null` is no way to say so."""
    if get_origin(kind) not in {Union, UnionType}:
        return kind
    choices = tuple(choice for choice in get_args(kind) if choice is not NoneType)
    return Union[choices]  # noqa: UP007 - made at run time
