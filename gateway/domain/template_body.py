"""The body of a template: a small, safe part of Jinja2, compiled once; a quick path for plain `{{ name }}`.

What a body may hold is a closed list (no calls, no assignments, no arithmetic that grows, loops over
declared lists only, two deep at most), so that the time and memory of rendering are bounded beforehand.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gateway.domain.template_filters import filters_for
from gateway.domain.template_parameters import Kind, Parameter

MAX_BODY: Final = 10_000
MAX_OUTPUT: Final = 17_085  # characters: 255 segments of 67
MAX_LOOP_DEPTH: Final = 2
MAX_STEPS: Final = 200_000  # nodes gone through with all lists full
FILTER_STEPS: Final = 100  # a filter may have a long text to go through
BUILT_IN: Final = frozenset({"signature"})

_FILTERS: Final = ("money", "data", "date", "mask", "shorten")
_STOCK_FILTERS: Final = ("length", "upper", "lower", "trim", "first", "last")
_TESTS: Final = ("defined", "none", "even", "odd", "eq", "ne", "gt", "ge", "lt", "le", "in")
_LOOP: Final = frozenset({"index", "index0", "first", "last", "length", "revindex"})
_ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Test,
    nodes.Getattr,
    nodes.Concat,
    nodes.Add,
    nodes.Sub,
    nodes.Neg,
    nodes.List,
    nodes.Tuple,
)
_PLAIN: Final = re.compile(r"(?<!\{)\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_CODE: Final = re.compile(r"\{[{%#]")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong in a body, by its line (from 1) and column there."""

    line: int
    column: int
    message: str
    suggestion: str = ""


class TooLongError(Exception):
    """The rendered text is longer than any number of segments could carry."""


Renderer = Callable[[Mapping[str, object]], str]


@dataclass(frozen=True, slots=True)
class Body:
    """A compiled body and the names that it uses."""

    render: Renderer
    names: frozenset[str]
    quick: bool


def compile_body(source: str, language: str, parameters: Mapping[str, Parameter]) -> Body | list[Flaw]:
    """The body ready to render, or everything that is wrong with it."""
    if len(source) > MAX_BODY:
        return [Flaw(1, 1, f"the body has {len(source)} characters", f"keep it under {MAX_BODY}")]
    environment = _environment(language)
    try:
        tree = environment.parse(source)
        flaws = _Inspection(source, parameters).flaws(tree)
    except TemplateSyntaxError as error:
        return [Flaw(error.lineno, _column(source, error.lineno), error.message or "syntax error")]
    except RecursionError:
        return [Flaw(1, 1, "is nested too deep")]
    if flaws:
        return flaws
    names = frozenset(node.name for node in tree.find_all(nodes.Name) if node.ctx == "load")
    quick = quick_path(source, parameters.keys() | BUILT_IN)
    if quick is not None:
        return Body(quick, names, quick=True)
    try:
        return Body(jinja_path(source, language), names, quick=False)
    except TemplateError as error:  # unknown filters are found on compiling
        return [Flaw(getattr(error, "lineno", 1), 1, error.message or str(error))]


def jinja_path(source: str, language: str) -> Renderer:
    """A renderer by Jinja. Rendering raises TemplateError or TooLongError."""
    template = _environment(language).from_string(source)

    def render(values: Mapping[str, object]) -> str:
        pieces: list[str] = []
        size = 0
        for piece in template.generate(values):
            size += len(piece)
            if size > MAX_OUTPUT:
                raise TooLongError
            pieces.append(piece)
        return "".join(pieces)

    return render


def quick_path(source: str, names: frozenset[str] | set[str]) -> Renderer | None:
    """A renderer for plain text and `{{ name }}` alone, the same as Jinja's; None where there is more."""
    pieces = _PLAIN.split(source)
    literals, used = pieces[::2], pieces[1::2]
    if any(_CODE.search(literal) for literal in literals) or not names.issuperset(used):
        return None
    slots = [(name, 2 * index + 1) for index, name in enumerate(used)]

    def render(values: Mapping[str, object]) -> str:
        filled = pieces.copy()
        for name, index in slots:
            value = values[name]
            filled[index] = value if type(value) is str else str(_printable(value))
        text = "".join(filled)
        if len(text) > MAX_OUTPUT:
            raise TooLongError
        return text

    return render


class EmptyParameterError(TemplateError):
    """An optional parameter without a value stands in the text; put `{% if … %}` around it."""


def _printable(value: object) -> object:
    if value is None:
        raise EmptyParameterError(EmptyParameterError.__doc__)
    return value


@lru_cache(maxsize=32)
def _environment(language: str) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # an SMS is plain text: escaping would show on the phone
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters = {
        **{name: environment.filters[name] for name in _STOCK_FILTERS},
        **filters_for(language),
    }
    environment.tests = {name: environment.tests[name] for name in _TESTS}
    return environment


def _column(source: str, line: int, name: str | None = None) -> int:
    """Where on its line a name, or else the first piece of code, stands: Jinja's nodes know only the line."""
    lines = source.splitlines()
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    start = _CODE.search(text)
    if start is None:
        return 1
    if name is not None and (match := re.compile(rf"\b{re.escape(name)}\b").search(text, start.start())):
        return match.start() + 1
    return start.start() + 1


class _Inspection:
    """Walks a parsed body and notes whatever is not on the list."""

    def __init__(self, source: str, parameters: Mapping[str, Parameter]) -> None:
        self._source = source
        self._parameters = parameters
        self._fields = _LOOP | {field for parameter in parameters.values() for field in parameter.fields}
        self._steps = 0
        self._flaws: list[Flaw] = []

    def flaws(self, tree: nodes.Template) -> list[Flaw]:
        self._walk(tree, frozenset(), 0, 1)
        if self._steps > MAX_STEPS:
            self._note(
                tree, f"could take {self._steps} steps", "lower max_items, or take code out of the loops"
            )
        return self._flaws

    def _note(self, node: nodes.Node, message: str, suggestion: str = "", name: str | None = None) -> None:
        column = _column(self._source, node.lineno, name)
        self._flaws.append(Flaw(node.lineno, column, message, suggestion))

    def _walk(self, node: nodes.Node, local: frozenset[str], depth: int, times: int) -> None:
        """`local`: loop variables here; `depth`: of loops; `times`: how often this may run at most."""
        self._steps += times * (FILTER_STEPS if isinstance(node, nodes.Filter) else 1)
        if not isinstance(node, _ALLOWED):
            self._note(node, f"{type(node).__name__.lower()} is not allowed in a template")
            return
        match node:
            case nodes.For():
                self._loop(node, local, depth, times)
                return
            case nodes.Name(name=name) if node.ctx == "load":
                self._name(node, name, local)
            case nodes.Filter(name=name) if name not in (*_FILTERS, *_STOCK_FILTERS):
                self._note(node, f"there is no filter {name!r}", _nearest(name, _FILTERS), name)
            case nodes.Test(name=name) if name not in _TESTS:
                self._note(node, f"there is no test {name!r}", _nearest(name, _TESTS), name)
            case nodes.Getattr(attr=attr) if attr not in self._fields:
                self._note(node, f"there is no field {attr!r}", _nearest(attr, [*self._fields]), attr)
        for child in node.iter_child_nodes():
            self._walk(child, local, depth, times)

    def _name(self, node: nodes.Node, name: str, local: frozenset[str]) -> None:
        if name in local or name in self._parameters or name in BUILT_IN:
            return
        known = [*self._parameters, *BUILT_IN]
        self._note(node, f"{name!r} is not declared", _nearest(name, known) or "declare it in the head", name)

    def _loop(self, node: nodes.For, local: frozenset[str], depth: int, times: int) -> None:
        source = node.iter
        parameter = self._parameters.get(source.name) if isinstance(source, nodes.Name) else None
        if parameter is None or parameter.kind is not Kind.LIST:
            self._note(node, "a loop may run only over a parameter of type list")
        if depth >= MAX_LOOP_DEPTH:
            self._note(node, f"loops stand at most {MAX_LOOP_DEPTH} deep")
        if node.recursive:
            self._note(node, "a loop may not be recursive")
        targets = [name.name for name in node.target.find_all(nodes.Name)]
        if isinstance(node.target, nodes.Name):
            targets.append(node.target.name)
        inner = local | {*targets, "loop"}
        for child in (*node.body, *node.else_, *([node.test] if node.test else [])):
            self._walk(child, inner, depth + 1, times * (parameter.max_items if parameter else 1))


def _nearest(name: str, known: tuple[str, ...] | list[str]) -> str:
    import difflib  # loaded for errors only

    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""
