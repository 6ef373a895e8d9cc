"""Templates and rules as the gateway reads them, and all that is wrong with them: one judgement for `check`,
the start and a reload."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from gateway.config.keywords import Around, judged
from gateway.config.schema import Settings
from gateway.domain import template, template_lint
from gateway.domain.case import CaseRules
from gateway.domain.confirmation_rules import ConfirmationRules
from gateway.domain.keywords import Keywords
from gateway.domain.menu import MenuRules
from gateway.domain.opening import LOOK_BACK
from gateway.domain.reply_rules import ReplyRules
from gateway.domain.rules import load_text
from gateway.domain.survey_rules import SurveyRules, Surveys
from gateway.domain.template import Catalogue

T = TypeVar("T")

SURVEYS: Final = "surveys.yaml"
REPLIES: Final = "replies.yaml"
CASES: Final = "cases.yaml"
MENUS: Final = "menus.yaml"
CONFIRMATIONS: Final = "confirmations.yaml"
KEYWORDS: Final = "keywords.yaml"

#: Templates that are taken where a call names none, with what they are given.
BY_DEFAULT: Final[Mapping[str, Mapping[str, Any]]] = {
    "complaint/resolution": {"text": "已处理。", "ticket": "TS-1", "scale": "ten", "question": True},
}
#: Words that customers get besides, with what these are given: without them nothing is lost but courtesy.
BESIDES: Final[Mapping[str, Mapping[str, Any]]] = {
    "contact/opted-out": {"scope": "marketing"},
    "contact/opted-in": {},
}
#: What the templates of survey rules are given; the others get nothing.
GIVEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "clarify": {"scale": "ten"},
    "help": {"scale": "ten"},
    "reminder": {"scale": "ten"},
}
_NAMED: Final = [{"name": "手机报"}]
#: What the templates of 0000 are given; the others get nothing.
GIVEN_OF_MENUS: Final[Mapping[str, Mapping[str, Any]]] = {
    "list": {
        "total": 1,
        "first": True,
        "more": False,
        "services": [{"number": 2, **_NAMED[0], "price": "5.00", "trial": False, "later_year": False}],
    },
    "all": {"total": 1, "more": False, "services": _NAMED},
    "receipt": {"done": _NAMED, "failed": [], "asked": []},
    "clarify": {"all": False},
    "which": {"number": 1},
}
_SERVICE: Final = {"service": "视频会员"}
_OFFER: Final = _SERVICE | {"price": "10.00", "period": "month"}
_ASKED: Final = _OFFER | {"code": "37", "expires": "2026-11-23T09:00:00+08:00"}
#: What the templates of confirmations are given; the others get the service alone.
GIVEN_OF_CONFIRMATIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "prompt": _ASKED,
    "clarify": _ASKED,
    "active": _OFFER,
    "standing": _SERVICE | {"status": "active"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What was read. With `faults` it must not be put to use; `doubts` are for people to look at."""

    catalogue: Catalogue
    surveys: Surveys
    replies: ReplyRules
    cases: CaseRules
    menus: MenuRules
    confirmations: ConfirmationRules
    keywords: Keywords
    rules: tuple[Path, ...]  #: the files
    faults: tuple[str, ...]
    doubts: tuple[str, ...]


def read_files(settings: Settings) -> Files:
    """Read `rules/` and `templates/sms/`: those beside the configuration, else the shipped ones."""
    catalogue = read_catalogue(settings)
    folder = _folder(settings, "rules")
    faults = list(map(str, catalogue.faults))
    doubts: list[str] = []
    for each in catalogue.templates.values():
        for finding in template_lint.lint(each):
            where = faults if finding.severity is template_lint.Severity.ERROR else doubts
            where.append(f"{each.path}:{finding.line}:{finding.column}: {finding.message}")
    paths = sorted(folder.glob("*.y*ml"))
    faults += (told for path in paths if (told := _strange_name(path)))
    surveys = _rules(folder / SURVEYS, Surveys, faults)
    replies = _rules(folder / REPLIES, ReplyRules, faults)
    cases = _rules(folder / CASES, CaseRules, faults)
    menus = _rules(folder / MENUS, MenuRules, faults)
    confirmations = _rules(folder / CONFIRMATIONS, ConfirmationRules, faults)
    keywords = _rules(folder / KEYWORDS, Keywords, faults)
    if not catalogue.faults:  # else what is missing may be what is faulty
        faults += _judge_languages(catalogue)
        faults += _judge_templates(catalogue, surveys, folder / SURVEYS)
        asks = (folder / CASES).exists() or "ticket.create" in settings.connectors
        (faults if asks else doubts).extend(_judge_cases(catalogue, cases, folder / CASES))
        faults += _judge_menus(catalogue, menus, folder / MENUS)
        # Own templates from before there were confirmations may lack theirs: who offers nothing needs none.
        named = (folder / CONFIRMATIONS).exists() or "service.activate" in settings.connectors
        (faults if named else doubts).extend(_judge_confirmations(catalogue, confirmations, folder))
        around = Around(surveys, replies, catalogue, settings.connectors)
        own = folder != shipped("rules")
        keywords, wrong, doubted = judged(keywords, folder / KEYWORDS, around, own=own)
        faults += wrong
        doubts += doubted
        doubts += (
            f"{told}; customers get no such word"
            for name, given in BESIDES.items()
            for told in _unfit(catalogue, name, given)
        )
    faults += _judge_times(surveys, folder / SURVEYS)
    faults += _judge_times_of_cases(cases, folder / CASES)
    if "ticket.create" not in settings.connectors:
        doubts += _unheard_callbacks(surveys, folder / SURVEYS)
    return Files(
        catalogue=catalogue,
        surveys=surveys,
        replies=replies,
        cases=cases,
        menus=menus,
        confirmations=confirmations,
        keywords=keywords,
        rules=tuple(paths),
        faults=tuple(dict.fromkeys(faults)),
        doubts=tuple(doubts),
    )


def read_catalogue(settings: Settings) -> Catalogue:
    """The templates alone, with the faults of each by itself."""
    mine = settings.path("templates/sms")
    folder = mine if mine.is_dir() else shipped("templates") / "sms"
    signature = settings.templates.signature or template.DEFAULT_SIGNATURES
    return template.load(folder, signature, settings.templates.language)


def shipped(name: str) -> Path:
    """The folder of `rules`, `templates` or `migrations` that comes with the gateway."""
    return Path(__file__).resolve().parent.parent.parent / name


def _folder(settings: Settings, name: str) -> Path:
    own = settings.path(name)
    # A folder with nothing but profiles of SMSCs in it takes no other rules' place.
    return own if own.is_dir() and any(own.glob("*.y*ml")) else shipped(name)


def _strange_name(path: Path) -> str | None:
    known = (SURVEYS, REPLIES, CASES, MENUS, CONFIRMATIONS, KEYWORDS)
    if path.name in known:
        return None
    near = difflib.get_close_matches(path.name, known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"{path}: no rules have this name; {hint}"


def _rules(path: Path, kind: type[T], faults: list[str]) -> T:
    if not path.exists():
        return kind()
    try:
        read = load_text(str(path), path.read_text("utf-8"), kind)
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{path}: can't be read: {error}")
        return kind()
    if isinstance(read, list):
        faults += map(str, read)
        return kind()
    return read


# --- What does not go together ---------------------------------------------------------------------------


def _judge_languages(catalogue: Catalogue) -> Iterator[str]:
    """Each template must have a text for the customers whose language is not known."""
    language = catalogue.default_language
    lacking = [name for name in catalogue.names() if not catalogue.speaks(name, language)]
    if lacking == catalogue.names():
        there = sorted({each for _name, each in catalogue.templates})
        known = f"there are {', '.join(there)}" if there else "there are no templates at all"
        yield f"templates.language: no template is written in {language}; {known}"
        return
    for name in lacking:
        path = next(each.path for (each_name, _), each in catalogue.templates.items() if each_name == name)
        yield f"{path}: {name} is not written in {language}, the language where a customer's is not known"


def _judge_templates(catalogue: Catalogue, surveys: Surveys, path: Path) -> Iterator[str]:
    """Each template that is named, or taken by default, must be there and take what it is given."""
    for name, given in BY_DEFAULT.items():
        for told in _unfit(catalogue, name, given):
            yield f"{told}; it is sent where a call names no template"
    told_of: set[tuple[str, str]] = set()
    for place, rules in _by_touchpoint(surveys):
        named = {
            f"templates.{key}": (key, name) for key, name in msgspec.structs.asdict(rules.templates).items()
        }
        if rules.reminder is not None:
            named["reminder.template"] = ("reminder", rules.reminder.template)
        for key, (role, name) in named.items():
            if (role, name) in told_of:
                continue
            told_of.add((role, name))
            for told in _unfit(catalogue, name, GIVEN.get(role, {})):
                yield f"{path}: {place}{key}: {told}"


def _judge_times(surveys: Surveys, path: Path) -> Iterator[str]:
    for place, rules in _by_touchpoint(surveys):
        if rules.reminder is not None and rules.reminder.after >= rules.expires_in:
            yield (
                f"{path}: {place}reminder.after: comes when the question has expired; "
                "make it shorter than expires_in"
            )
        if rules.callback is not None and rules.callback.after > LOOK_BACK:
            yield f"{path}: {place}callback.after: longer than {LOOK_BACK.days} days; make it shorter"


def _unheard_callbacks(surveys: Surveys, path: Path) -> Iterator[str]:
    for place, rules in _by_touchpoint(surveys):
        if rules.callback is not None:
            yield (
                f"{path}: {place}callback: nobody is asked for these follow-ups, only survey.follow_up tells "
                'of them; add [connectors."ticket.create"]'
            )


def _judge_confirmations(catalogue: Catalogue, rules: ConfirmationRules, folder: Path) -> Iterator[str]:
    path = folder / CONFIRMATIONS
    for key, name in msgspec.structs.asdict(rules.templates).items():
        for told in _unfit(catalogue, name, GIVEN_OF_CONFIRMATIONS.get(key, _SERVICE)):
            yield f"{path}: templates.{key}: {told}"
    for language in catalogue.languages(rules.templates.prompt):
        prompt = catalogue.templates[rules.templates.prompt, language]
        if not prompt.head.order:
            yield f"{prompt.path}: asks to order, and its head lacks `order: true`"


def _judge_cases(catalogue: Catalogue, cases: CaseRules, path: Path) -> Iterator[str]:
    for given in ({"ticket": "TS-1"}, {}):  # the number may come later, or never
        for told in _unfit(catalogue, cases.acknowledgement, given):
            yield f"{path}: acknowledgement: {told}"


def _judge_times_of_cases(cases: CaseRules, path: Path) -> Iterator[str]:
    for name in ("patience", "promise"):
        if getattr(cases, name) >= cases.latest:
            yield f"{path}: {name}: must be shorter than latest, when a person is asked"


def _judge_menus(catalogue: Catalogue, menus: MenuRules, path: Path) -> Iterator[str]:
    for key, name in msgspec.structs.asdict(menus.templates).items():
        for told in _unfit(catalogue, name, GIVEN_OF_MENUS.get(key, {})):
            yield f"{path}: templates.{key}: {told}"


def _by_touchpoint(surveys: Surveys) -> Iterator[tuple[str, SurveyRules]]:
    """What holds everywhere, then each touchpoint's rules; with how the file leads to them."""
    yield "", surveys
    for name in surveys.touchpoints:
        yield f"touchpoints.{name}.", surveys.at(name)


def _unfit(catalogue: Catalogue, name: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Why a template can't be sent with these parameters, in any of its languages."""
    languages = catalogue.languages(name)
    if not languages:
        near = difflib.get_close_matches(name, catalogue.names(), 1, 0.6)
        yield f"there is no template {name}" + (f"; did you mean {near[0]}?" if near else "")
    for language in languages:
        found = catalogue.templates[name, language]
        text = found.render(given)
        if isinstance(text, list):
            why = "; ".join(f"{problem.pointer.lstrip('/')} {problem.detail}".strip() for problem in text)
            yield f"{found.path} is given {', '.join(given) or 'no parameters'}: {why}"
