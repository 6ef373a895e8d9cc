"""Templates of the SMS we send: a head that says what each is and takes, a body, and the catalogue of all.

A file is `templates/sms/<category>/<name>.<language>.j2`. A customer's or clerk's words are values, never
code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Final

from jinja2 import TemplateError

from gateway.domain.template_body import Body, Flaw, TooLongError, compile_body
from gateway.domain.template_head import Fault, Head, HeadReader, cut
from gateway.domain.template_parameters import Kind, Parameter, Problem, bind

__all__ = [
    "Catalogue",
    "Fault",
    "Head",
    "Kind",
    "Parameter",
    "Problem",
    "Template",
    "assemble",
    "load",
    "parse",
]

DEFAULT_LANGUAGE: Final = "zh-CN"
MAX_SOURCE: Final = 50_000  # characters of a file

#: 【】 would make every English text UCS-2, at more than twice the price.
DEFAULT_SIGNATURES: Final = MappingProxyType({"zh": "【回音通信】", "en": "[Huiyin]"})

# Which of ours a reader of another kind of Chinese is given.
_SCRIPTS: Final = {
    "zh-hk": "zh-TW",
    "zh-mo": "zh-TW",
    "zh-hant": "zh-TW",
    "zh-sg": "zh-CN",
    "zh-hans": "zh-CN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template in one language, compiled."""

    name: str  #: category/name
    language: str
    head: Head
    source: str  #: the body as written
    body_line: int  #: where in its file the body begins
    path: str
    version: int = 1
    signature: str = ""
    body: Body = field(repr=False, compare=False)

    @property
    def category(self) -> str:
        return self.name.partition("/")[0]

    def pick(self, known: Mapping[str, object]) -> dict[str, object]:
        """Of all that is known, what this template takes: for callers that serve many templates."""
        return {name: value for name, value in known.items() if name in self.head.parameters}

    def render(self, params: Mapping[str, object]) -> str | list[Problem]:
        """The text for these parameters, or all that is wrong with them. Pointers are into the parameters."""
        values = bind(self.head.parameters, params)
        if isinstance(values, list):
            return values
        values["signature"] = self.signature
        try:
            return self.body.render(values).strip()
        except TooLongError:
            return [Problem("", "the text would be longer than 255 segments hold")]
        except (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            # A body that treats a value as what it is not, such as a filter for dates on a text.
            return [Problem("", f"{self.path} cannot be rendered: {error}")]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All templates of a folder, and the faults of those that are not in it."""

    templates: Mapping[tuple[str, str], Template]
    faults: tuple[Fault, ...] = ()
    default_language: str = DEFAULT_LANGUAGE
    _found: dict[tuple[str, str | None], Template | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def get(self, name: str, language: str | None = None) -> Template | None:
        """The template in this language or the nearest there is: zh-HK → zh-TW, en-GB → en, xx → default."""
        key = (name, language)
        if key not in self._found:
            if len(self._found) > 10_000:  # languages come from outside
                self._found.clear()
            self._found[key] = self._search(name, language)
        return self._found[key]

    def names(self) -> list[str]:
        """Each template's category/name, sorted."""
        return sorted({name for name, _language in self.templates})

    def languages(self, name: str) -> list[str]:
        """The languages that a template is written in, sorted."""
        return sorted(language for each, language in self.templates if each == name)

    def speaks(self, name: str, language: str) -> bool:
        """Whether the template is written in this language, or in one that stands in for it (en-GB → en)."""
        there = {each.lower() for each in self.languages(name)}
        return any(tag.lower() in there for tag in _fall_backs(language))

    def _search(self, name: str, language: str | None) -> Template | None:
        there = {each.lower(): each for each in self.languages(name)}
        for wanted in (*_fall_backs(language), *_fall_backs(self.default_language)):
            if wanted.lower() in there:
                return self.templates[name, there[wanted.lower()]]
        return self.templates[name, min(there.values())] if there else None


def load(
    folder: Path,
    signature: str | Mapping[str, str] = DEFAULT_SIGNATURES,
    default_language: str = DEFAULT_LANGUAGE,
) -> Catalogue:
    """All templates under a folder. Faulty ones are left out and every fault of every file is reported.

    `signature` is the operator's, for all languages or by language; templates have it as a variable.
    """
    sources: dict[PurePath, str] = {}
    unread: list[Fault] = []
    for path in sorted(folder.glob("**/*.j2")):
        try:
            sources[path] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            unread.append(Fault(path.as_posix(), 1, 1, f"cannot be read: {error}", "store it as UTF-8"))
    found = assemble(sources, folder, signature, default_language)
    return replace(found, faults=(*unread, *found.faults))


def assemble(
    sources: Mapping[PurePath, str],
    folder: PurePath,
    signature: str | Mapping[str, str] = DEFAULT_SIGNATURES,
    default_language: str = DEFAULT_LANGUAGE,
) -> Catalogue:
    """As `load`, from texts already read: path under `folder` → source."""
    templates: dict[tuple[str, str], Template] = {}
    faults: list[Fault] = []
    for path, source in sources.items():
        shown = path.as_posix()
        parts = path.relative_to(folder).parts
        stem, _dot, language = path.name.removesuffix(".j2").rpartition(".")
        if len(parts) != 2 or not stem:
            faults.append(Fault(shown, 1, 1, "is not <category>/<name>.<language>.j2", "rename the file"))
            continue
        name = f"{parts[0]}/{stem}"
        template = parse(source, name=name, language=language, path=shown, signature=signature)
        if isinstance(template, Template):
            templates[name, language] = template
        else:
            faults += template
    faults += _differences(templates, default_language)
    return Catalogue(MappingProxyType(templates), tuple(faults), default_language)


def parse(
    source: str,
    *,
    name: str,
    language: str,
    path: str = "",
    version: int = 1,
    signature: str | Mapping[str, str] = DEFAULT_SIGNATURES,
) -> Template | list[Fault]:
    """One template from its text, as a file has it or as the console stored it; or every fault in it."""
    path = path or f"{name}.{language}.j2"
    if len(source) > MAX_SOURCE:
        return [Fault(path, 1, 1, f"has {len(source)} characters", f"keep it under {MAX_SOURCE}")]
    pieces = cut(source)
    if pieces is None:
        return [Fault(path, 1, 1, "has no head", "begin with a line --- and end the head with another")]
    head_text, body_text, body_line = pieces
    reader = HeadReader(path)
    head = reader.read(head_text)
    if head is None:
        return reader.faults
    if not body_text:
        return [Fault(path, body_line, 1, "has no body")]
    body = compile_body(body_text, language, head.parameters)
    if isinstance(body, list):
        return [_fault(flaw, path, body_line) for flaw in body]
    return Template(
        name=name,
        language=language,
        head=head,
        source=body_text,
        body_line=body_line,
        path=path,
        version=version,
        signature=_signature_for(language, signature),
        body=body,
    )


def _fault(flaw: Flaw, path: str, body_line: int) -> Fault:
    return Fault(path, body_line + flaw.line - 1, flaw.column, flaw.message, flaw.suggestion)


def _fall_backs(language: str | None) -> list[str]:
    """The tag itself, then what stands in for it: zh-Hant-HK, zh-Hant → zh-TW, zh → zh-CN."""
    tags: list[str] = []
    rest = (language or "").replace("_", "-")
    while rest:
        tags.append(rest)
        if (script := _SCRIPTS.get(rest.lower())) is not None:
            tags.append(script)
        rest = rest.rpartition("-")[0]
    if tags and tags[-1].lower() == "zh":
        tags.append("zh-CN")
    return tags


def _signature_for(language: str, signature: str | Mapping[str, str]) -> str:
    if isinstance(signature, str):
        return signature
    for tag in _fall_backs(language):
        if tag in signature:
            return signature[tag]
    return next(iter(signature.values()), "")


def _differences(templates: Mapping[tuple[str, str], Template], default_language: str) -> list[Fault]:
    """A caller gives one set of parameters, whatever the customer's language: all must take the same."""
    faults = []
    for (name, language), template in templates.items():
        model = templates.get((name, default_language))
        if model is None or language == default_language:
            continue
        ours, theirs = _shape(template.head.parameters), _shape(model.head.parameters)
        for parameter in sorted(ours.keys() | theirs.keys()):
            if ours.get(parameter) != theirs.get(parameter):
                message = f"{parameter} is not declared as in {model.path}"
                line = template.head.parameters[parameter].line if parameter in ours else 1
                faults.append(Fault(template.path, line, 1, message, "declare the same in all languages"))
    return faults


def _shape(parameters: Mapping[str, Parameter]) -> dict[str, tuple[object, ...]]:
    return {
        name: (each.kind, each.required, each.choices, each.max_length, str(_shape(each.fields)))
        for name, each in parameters.items()
    }
