"""What is wrong with the words of the business hall: some that are swallowed, some that can't be answered."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Final, NamedTuple

import msgspec

from gateway.config.schema import Connector
from gateway.domain.choice import read_word
from gateway.domain.connector import LOOKUP
from gateway.domain.consent import No, Yes, read_consent
from gateway.domain.keywords import LISTED, Entry, Keywords, key_of
from gateway.domain.optout import read_optout
from gateway.domain.reply_rules import ReplyRules, bare
from gateway.domain.rules import Lines, Path, places
from gateway.domain.scale import Scale
from gateway.domain.score import Scored
from gateway.domain.survey_rules import Surveys
from gateway.domain.template import Catalogue
from gateway.domain.template_parameters import Parameter, Problem


class Fault(NamedTuple):
    """What is wrong, with the way to it in the file."""

    at: Path
    detail: str


class Around(NamedTuple):
    """What keywords must go together with."""

    surveys: Surveys
    replies: ReplyRules
    catalogue: Catalogue
    connectors: Mapping[str, Connector]


def told(fault: Fault, name: str, lines: Lines) -> str:
    """The fault with file, line and column."""
    at = fault.at
    while at and at not in lines:
        at = at[:-1]
    line, column = lines.get(at, (1, 1))
    return f"{name}:{line}:{column}: {fault.detail}"


def judged(
    keywords: Keywords, path: FilePath, around: Around, *, own: bool
) -> tuple[Keywords, list[str], list[str]]:
    """The keywords to be used, their faults, and what people should look at.

    Shipped keywords (not `own`) beside templates that lack theirs are left out: who wrote none offers none.
    """
    if not keywords.entries:
        return keywords, [], []
    lines = places(path.read_text("utf-8"))
    faults = [*judge_words(keywords, around), *judge_templates(keywords, around.catalogue)]
    fit: dict[str, Entry] = {}
    for name, entry in keywords.entries.items():
        found = list(judge_answers(name, entry, around.catalogue))
        faults += found
        if not found:
            fit[name] = entry
    if faults and not own:
        able = not any(judge_templates(keywords, around.catalogue))
        keywords = msgspec.structs.replace(keywords, entries=fit if able else {})
    asked = own or any(name.startswith(LOOKUP) for name in around.connectors)  # else there is no hall yet
    doubts = list(doubts_of(keywords, around.connectors)) if asked else []
    tell = [told(each, str(path), lines) for each in faults]
    doubted = [told(each, str(path), lines) for each in doubts]
    return (keywords, tell, doubted) if own else (keywords, [], [*tell, *doubted])


def judge_words(keywords: Keywords, around: Around) -> Iterator[Fault]:
    """Words that could never be heard, or that ask for two things."""
    first: dict[str, str] = {}
    for name, entry in keywords.entries.items():
        for place, word in enumerate(entry.words):
            at = ("entries", name, "words", place)
            key = key_of(word)
            if not key:
                yield Fault(at, f"{word!r} has neither letters nor digits")
            elif swallowed := _swallowed(word, around):
                yield Fault(
                    at, f"{word!r} {swallowed}, and would never be heard as a keyword; choose another"
                )
            elif (other := first.setdefault(key, name)) != name:
                yield Fault(at, f"{word!r} asks for {other} already; a word asks for one thing")
    if keywords.polite_after >= keywords.answer_within:
        yield Fault(("polite_after",), "comes when the answer is of no use any more; less than answer_within")


def _swallowed(word: str, around: Around) -> str | None:
    """What else the word says, which is looked at before."""
    if read_optout(word) is not None:
        return "is an opt-out, or takes one back"
    if read_word(word) is not None:
        return "opens the list of subscriptions"
    if isinstance(read_consent(word), Yes | No):
        return "is a yes or a no to an offer"
    for where in ("", *around.surveys.touchpoints):
        rules = around.surveys.at(where)
        for scale in Scale:
            if isinstance(rules.read(word, scale), Scored):
                return f"is a score on the scale {scale.value}"
    return "is thanks or a greeting (replies.yaml)" if bare(word) in around.replies.courtesies else None


def judge_answers(name: str, entry: Entry, catalogue: Catalogue) -> Iterator[Fault]:
    """Whether the template of an entry is there, and gets what it takes."""
    at = ("entries", name)
    languages = catalogue.languages(entry.template)
    if not languages:
        yield Fault(
            (*at, "template"),
            f"there is no template {entry.template}{_near(entry.template, catalogue.names())}",
        )
    if entry.fields and entry.lookup is None:
        yield Fault((*at, "fields"), "are of what was looked up; name the lookup")
    given = {*entry.fields, *entry.params, *((LISTED,) if entry.lists else ())}
    for language in languages:
        found = catalogue.templates[entry.template, language]
        takes = found.head.parameters
        for lacking in (each for each in takes.values() if each.required and each.name not in given):
            yield Fault(
                (*at, "template"),
                f"{found.path} needs {lacking.name}, which is none of the fields and params",
            )
        for part, names in (("fields", entry.fields), ("params", tuple(entry.params))):
            for each in names:
                if each not in takes:
                    yield Fault((*at, part), f"{found.path} takes no {each}{_near(each, takes)}")
        yield from (
            Fault((*at, "params", each), f"{each} {problem}")
            for each, value in entry.params.items()
            if each in takes and (problem := _problem(takes[each], value))
        )
        if entry.lists and LISTED not in takes:
            yield Fault((*at, "lists"), f"{found.path} takes no list {LISTED}")


def _problem(parameter: Parameter, value: object) -> str | None:
    read = parameter.read(value, "")
    return read.detail if isinstance(read, Problem) else None


def judge_templates(keywords: Keywords, catalogue: Catalogue) -> Iterator[Fault]:
    """Those that are said when there is no answer get nothing to say."""
    for role in ("slow", "unavailable"):
        name = getattr(keywords.templates, role)
        if not catalogue.languages(name):
            yield Fault(("templates", role), f"there is no template {name}{_near(name, catalogue.names())}")
        for language in catalogue.languages(name):
            found = catalogue.templates[name, language]
            if isinstance(found.render({}), list):
                yield Fault(("templates", role), f"{found.path} needs parameters, and gets none")


def doubts_of(keywords: Keywords, connectors: Mapping[str, Connector]) -> Iterator[Fault]:
    """Look-ups that nobody answers, or not as they should."""
    lookups = {entry.connector: name for name, entry in keywords.entries.items() if entry.connector}
    if lacking := [connector for connector in lookups if connector not in connectors]:
        known = [each for each in connectors if each.startswith(LOOKUP)]
        hint = next((near for each in lacking if (near := _near(each, known))), "")
        yield Fault(
            ("entries", lookups[lacking[0]], "lookup"),
            f"no connector {', '.join(lacking)} is configured{hint}; who asks hears that it is not available",
        )
    for connector, name in lookups.items():
        if (found := connectors.get(connector)) is None:
            continue
        at = ("entries", name, "lookup")
        if not found.result:
            yield Fault(
                at, f"{connector} has no result: say where in its answer the object with the fields stands"
            )
        if USUAL_RETRY != found.retry_for.total_seconds() > keywords.answer_within.total_seconds():
            yield Fault(
                at, f"{connector} is tried for longer than an answer is of use; shorten its retry_for"
            )


#: What a connector has that says nothing; look-ups are then tried for a minute.
USUAL_RETRY: Final = Connector(url="http://unset").retry_for.total_seconds()


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""
