"""What is doubtful in a template that loads: its price at typical and worst values, its customs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, product
from typing import Final

from gateway.domain.template import Template
from gateway.domain.template_parameters import Kind, Parameter
from gateway.sms import alphabet
from gateway.sms.segment import measure

_MAX_CASES: Final = 64
_SIGNATURE: Final = re.compile(r"【[^【】]{2,20}】|^\[[^\[\]]{2,20}\]")
_OPT_OUT: Final = re.compile(r"退[订訂]|\bTD\b|\bSTOP\b|opt[ -]?out|unsubscribe|拒收", re.IGNORECASE)
#: A text with more than this share of other characters is meant to be UCS-2.
_FEW: Final = 0.1


class Severity(StrEnum):
    """How bad a finding is: an error keeps a template from being approved."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One doubt, by the line and column of the template's file."""

    line: int
    column: int
    severity: Severity
    message: str


def lint(template: Template) -> list[Finding]:
    """All findings, in the order of the file; none for a template fit to go out."""
    findings = [*_parameters(template), *_texts(template)]
    return sorted(set(findings))


def example_params(template: Template) -> dict[str, object]:
    """The examples of a template's head, as a caller would give them: for previews and tests."""
    return {name: parameter.example for name, parameter in template.head.parameters.items()}


def _parameters(template: Template) -> Iterator[Finding]:
    for name, parameter in template.head.parameters.items():
        if name not in template.body.names:
            yield Finding(
                parameter.line, parameter.column, Severity.WARNING, f"{name!r} is declared and never used"
            )


def _texts(template: Template) -> Iterator[Finding]:
    line = template.body_line
    most = 0
    texts: list[str] = []
    for params in _cases(template.head.parameters):
        text = template.render(params)
        if isinstance(text, list):
            details = "; ".join(f"{problem.pointer} {problem.detail}".strip() for problem in text)
            yield Finding(line, 1, Severity.ERROR, f"cannot be rendered with {_shown(params)}: {details}")
            continue
        texts.append(text)
        most = max(most, measure(text).segments)
    allowed = template.head.max_segments
    if most > allowed:
        yield Finding(line, 1, Severity.ERROR, f"takes {most} segments at worst; max_segments is {allowed}")
    if texts:
        yield from _customs(template, texts)
        yield from _forced(template)


def _customs(template: Template, texts: list[str]) -> Iterator[Finding]:
    line = template.body_line
    if not all(_SIGNATURE.search(text) for text in texts):
        message = "has no signature 【…】; begin with {{ signature }}"
        yield Finding(line, 1, Severity.WARNING, message)
    if template.head.lane == "marketing" and not all(_OPT_OUT.search(text) for text in texts):
        yield Finding(line, 1, Severity.ERROR, "a marketing text must say how to opt out")
    if template.head.order and not any(
        parameter.kind is Kind.MONEY and name in template.body.names
        for name, parameter in template.head.parameters.items()
    ):
        yield Finding(line, 1, Severity.ERROR, "an order text must name the price")


def _forced(template: Template) -> Iterator[Finding]:
    """The few characters that make an otherwise GSM text UCS-2, and where they stand."""
    text = template.render(example_params(template))
    if isinstance(text, list):
        return
    forced = alphabet.forced_ucs2_by(text)
    own = alphabet.forced_ucs2_by(text.replace(template.signature, "", 1))
    if template.language.startswith("zh") or len(own) > max(2, len(text) * _FEW):
        return
    segments = measure(text).segments
    for char in dict.fromkeys(char for _position, char in forced):
        line, column, where = _whence(template, char)
        message = f"{char!r} (U+{ord(char):04X}){where} makes the text UCS-2: {segments} segments"
        yield Finding(line, column, Severity.WARNING, message)


def _whence(template: Template, char: str) -> tuple[int, int, str]:
    for offset, line in enumerate(template.source.split("\n")):
        if (column := line.find(char)) >= 0:
            return template.body_line + offset, column + 1, ""
    for name, parameter in template.head.parameters.items():
        if char in str(parameter.example):
            return parameter.line, parameter.column, f" in the example of {name!r}"
    return template.body_line, 1, " in the signature" if char in template.signature else ""


def _cases(parameters: Mapping[str, Parameter]) -> Iterator[dict[str, object]]:
    """Parameter sets worth trying: the examples, the fewest, and every switch at the worst values."""
    yield {name: parameter.example for name, parameter in parameters.items()}
    yield {name: parameter.example for name, parameter in parameters.items() if parameter.required}
    values = [parameter.worst_values() for parameter in parameters.values()]
    for case in islice(product(*values), _MAX_CASES):
        yield dict(zip(parameters, case, strict=True))


def _shown(params: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={str(value)[:20]}" for name, value in params.items()) or "no parameters"
