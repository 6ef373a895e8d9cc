"""What a decoder found wrong, in sentences for whoever wrote the request: without its own names of types."""

import re
from enum import Enum
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from msgspec import Meta

from gateway.domain.request import A_TIME

_TYPES: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "datetime": A_TIME,
}
#: What came instead: here `bool` is the value, not the choice.
_CAME: Final = _TYPES | {"bool": "a boolean", "float": "a decimal number"}

_GOT: Final = re.compile(r"Expected `(.+)`, got `(.+)`")
_BOUND: Final = re.compile(r"Expected `\w+` (>=|<=|>|<) (\S+)")
_LENGTH: Final = re.compile(r"Expected `(\w+)` of length (>=|<=) ([0-9]+)")
_BOUNDS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_PATTERN: Final = "matching regex"
_BLANK: Final = rf"{_PATTERN} '\\S'"


def sentence(said: str, kind: Any = None) -> str:
    """A decoder's message as what the value must be; `kind` is the type of the field, where it is known."""
    if match := _GOT.fullmatch(said):
        wanted = [_TYPES.get(name, name) for name in match[1].split(" | ") if name != "null"]
        return f"must be {' or '.join(wanted)}, not {_CAME.get(match[2], match[2])}"
    if match := _LENGTH.fullmatch(said):
        return _length(match[1] == "str", match[2], int(match[3]))
    if match := _BOUND.fullmatch(said):
        return f"must be {_BOUNDS[match[1]]} {match[2]}"
    if said.startswith("Invalid enum value"):
        return (
            f"must be one of {', '.join(values)}"
            if (values := choices(kind))
            else "is none of the values here"
        )
    if "RFC3339 encoded date" in said and "datetime" not in said:
        return "must be a day, as 2026-11-22"
    if "RFC3339" in said or "timezone component" in said:
        return f"must be {A_TIME}"
    if _BLANK in said:
        return "must not be blank"
    if _PATTERN in said and (told := _description(kind)):
        return f"must be {told}"
    return said.replace("`", "'")


def _description(kind: Any) -> str | None:
    """What a type says of itself."""
    notes = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((note.description for note in notes if isinstance(note, Meta) and note.description), None)


def _length(text: bool, bound: str, number: int) -> str:
    if bound == ">=" and number == 1:
        return "must not be empty"
    what = "character" if text else "item"
    return f"must have {_BOUNDS[bound]} {number} {what}{'' if number == 1 else 's'}"


def choices(kind: Any) -> list[str]:
    """The values that a field of this type may have, where the type lists them."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(each.value) for each in kind]
    if get_origin(kind) is Literal:
        return [str(each) for each in get_args(kind)]
    return [value for inner in get_args(kind) if not isinstance(inner, str) for value in choices(inner)]
