"""Templates of calls: URLs, headers and JSON bodies, filled with what is known of an event.

Jinja2 in its immutable sandbox, with strict names, few filters and a size limit. What goes into a URL is
percent-encoded, what goes into a header can't break out of its line.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import jinja2
import msgspec
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

Context = Mapping[str, Any]
Fill = Callable[[Context], Any]

LONGEST_SOURCE: Final = 16384
LONGEST_TEXT: Final = 65536
LONGEST_URL: Final = 8192

_FILTERS: Final = (
    "abs", "default", "d", "first", "float", "int", "join", "last", "length", "list", "lower", "map",
    "round", "select", "selectattr", "string", "trim", "truncate", "upper",
)  # fmt: skip
_ONE_EXPRESSION: Final = re.compile(r"\s*\{\{-?((?:(?!\{\{|\}\}).)+?)-?\}\}\s*", re.DOTALL)
_FORBIDDEN_IN_HEADER: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class TemplateFault(ValueError):  # noqa: N818 - a fault of the template, not of the program
    """A template can't be compiled, or can't be filled with this event; the message says which and why."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """No operator may make something large out of something small."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise jinja2.exceptions.SecurityError(f"{operator} is for numbers only, and ** is not offered")
        return super().call_binop(context, operator, left, right)


def _percent(value: Any) -> str:
    """One part of a URL's path or query. Empty parts and dots would lead to another path."""
    text = _printable(value)
    if text in ("", ".", ".."):
        raise TemplateFault(f"{text!r} can't stand in a URL")
    return quote(text, safe="")


def _printable(value: Any) -> str:
    if value is None:
        raise TemplateFault("a value is null here; give it a default")
    return str(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _base64(value: Any) -> str:
    return base64.b64encode(_printable(value).encode()).decode()


def _replace(text: Any, old: str, new: Any) -> str:
    found = str(text).replace(str(old), _printable(new))
    if len(found) > LONGEST_TEXT:
        raise TemplateFault(f"a value grows longer than {LONGEST_TEXT} characters")
    return found


def _environment(finalize: Callable[[Any], str] | None) -> _Sandbox:
    environment = _Sandbox(undefined=jinja2.StrictUndefined, autoescape=False, finalize=finalize)
    environment.globals.clear()
    known = environment.filters
    environment.filters = {name: known[name] for name in _FILTERS}
    environment.filters |= {"tojson": _json, "base64": _base64, "replace": _replace}
    return environment


_URL: Final = _environment(_percent)
_TEXT: Final = _environment(_printable)


def is_template(source: str) -> bool:
    """Whether anything in it is to be filled."""
    return any(mark in source for mark in ("{{", "{%", "{#"))


def url_template(source: str) -> Fill:
    """A URL. Scheme and host stand firm; each filled part is percent-encoded. Raises TemplateFault."""
    fill = _text(source, _URL, LONGEST_URL)
    fixed = re.split(r"\{[{%#]", source, maxsplit=1)[0]
    if is_template(source) and not re.match(r"https?://[^/?#]+[/?]", fixed):
        raise TemplateFault("scheme and host of a URL can't be filled in; write them out, and a / after them")
    return fill


def header_template(source: str) -> Fill:
    """A header's value. Raises TemplateFault."""
    fill = _text(source, _TEXT, LONGEST_URL)

    def checked(context: Context) -> str:
        value: str = fill(context)
        if _FORBIDDEN_IN_HEADER.search(value):
            raise TemplateFault("a header's value would break its line")
        return value

    return checked


def body_template(source: Any) -> Fill:
    """A body: a text that is JSON when filled, or JSON whose strings are templates. Raises TemplateFault.

    A string that is one expression and nothing else, as `"{{ score }}"`, keeps the value's type.
    The filled body is octets.
    """
    if not isinstance(source, str):
        node = _node(source)
        return lambda context: _sized(msgspec.json.encode(node(context)))
    fill = _text(source, _TEXT, LONGEST_TEXT)

    def checked(context: Context) -> bytes:
        body = fill(context).encode()
        try:
            msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            raise TemplateFault(
                f"the filled body is not JSON ({error}); write values as {{{{ x | tojson }}}}"
            ) from None
        return _sized(body)

    return checked


def _sized(body: bytes) -> bytes:
    if len(body) > LONGEST_TEXT:
        raise TemplateFault(f"the filled body is longer than {LONGEST_TEXT} octets")
    return body


def _node(source: Any) -> Fill:
    """One value of a JSON body."""
    if isinstance(source, Mapping):
        items = [(str(key), _node(value)) for key, value in source.items()]
        return lambda context: {key: fill(context) for key, fill in items}
    if isinstance(source, list | tuple):
        nodes = [_node(value) for value in source]
        return lambda context: [fill(context) for fill in nodes]
    if not isinstance(source, str) or not is_template(source):
        return lambda _: source
    if one := _ONE_EXPRESSION.fullmatch(source):
        return _expression(one[1])
    return _text(source, _TEXT, LONGEST_TEXT)


def _expression(source: str) -> Fill:
    try:
        evaluate = _TEXT.compile_expression(source.strip(), undefined_to_none=False)
    except jinja2.TemplateError as error:
        raise TemplateFault(f"{error.message} in {{{{{source}}}}}") from None

    def value(context: Context) -> Any:
        with _told():
            found = evaluate(context)
            if isinstance(found, jinja2.Undefined):
                str(found)  # a strict one raises what it misses
            return found

    return value


def _text(source: str, environment: _Sandbox, longest: int) -> Fill:
    if len(source) > LONGEST_SOURCE:
        raise TemplateFault(f"longer than {LONGEST_SOURCE} characters")
    if not is_template(source):
        return lambda _: source
    try:
        _simple(environment.parse(source))
        template = environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateFault(f"line {error.lineno}: {error.message}") from None

    def render(context: Context) -> str:
        pieces, size = [], 0
        with _told():
            for piece in template.generate(context):
                size += len(piece)
                if size > longest:
                    raise TemplateFault(f"filled, it is longer than {longest} characters")
                pieces.append(piece)
        return "".join(pieces)

    return render


def _simple(node: nodes.Node, in_loop: bool = False) -> None:
    """Nothing that could run for long: no loop within a loop, no recursion, no macros, no other files."""
    if isinstance(
        node, nodes.Macro | nodes.CallBlock | nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends
    ):
        raise TemplateFault(f"line {node.lineno}: macros, imports and other templates are not offered here")
    loops = isinstance(node, nodes.For)
    if isinstance(node, nodes.For) and (in_loop or node.recursive):
        raise TemplateFault(f"line {node.lineno}: a loop within a loop is not offered here")
    for child in node.iter_child_nodes():
        _simple(child, in_loop or loops)


class _told:  # noqa: N801 - used as a function
    """Turns whatever filling raises into a TemplateFault that tells it, without the values."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: object) -> None:
        if isinstance(error, TemplateFault) or not isinstance(error, Exception):
            return
        if isinstance(error, jinja2.TemplateError):
            raise TemplateFault(error.message or type(error).__name__) from None
        raise TemplateFault(f"can't be filled: {type(error).__name__}") from None
