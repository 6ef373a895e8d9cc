"""Commands that need nothing running: `check`, `preview` and `profile`."""

import argparse
import difflib
import sys
from typing import Final, NamedTuple

from gateway import config
from gateway.cli.answer import FAILED, OK, WRONG_USE, say, say_json, tell_faults
from gateway.config import Profiles, Settings
from gateway.config.profiles import SHIPPED
from gateway.domain import template_lint
from gateway.domain.template import Template
from gateway.domain.template_parameters import Problem
from gateway.sms import segment
from gateway.sms.cutting import PLAIN, Cutting
from gateway.sms.forcing import Forcing, forced_ucs2_by, on_air_without

#: As many different characters are told one by one; where there are more, the language needs UCS-2.
_FEW: Final = 5


def check(args: argparse.Namespace, _settings: Settings) -> int:
    """Configuration, templates and rules: every fault of all of them, so that one look is enough."""
    if args.explain:
        print(config.explain(), end="")
        return OK
    faults: list[str] = []
    settings = config.Settings()
    try:
        settings = config.load(args.config)
    except config.ConfigError as error:
        faults += error.faults
    files = config.read_files(settings)
    faults += files.faults
    doubts = (*(config.doubts_of(settings) if not faults else ()), *files.doubts)
    if args.json:
        say_json({"faults": faults, "warnings": list(doubts)})
        return FAILED if faults else OK
    print(*(f"warning: {doubt}" for doubt in doubts), sep="\n", end="\n" if doubts else "")
    if faults:
        return tell_faults(faults, as_json=False)
    told = f"configuration, {len(files.rules)} files of rules, {len(files.catalogue.templates)} templates"
    print(f"Everything is in order 一切正常: {told}.")
    for sentence in config.missing_to_serve(settings):
        print(f"To serve, there is {sentence}")
    return OK


def preview(args: argparse.Namespace, settings: Settings) -> int:
    """The text and its segments as a phone shows them; what `-p` leaves out comes from the examples."""
    if (args.template is None) == (args.text is None):
        return _wrong("preview", "give a template, or any text in --text")
    if args.text is not None and (args.params or args.language):
        return _wrong("preview", "-p and --language go with a template, not with --text")
    cut = _cutting_of(args, settings)
    if isinstance(cut, str):
        return _wrong("preview", cut)
    cutting, way = cut
    found: Template | None = None
    text: str | list[Problem] = args.text or ""
    if args.template is not None:
        found = _template_of(args, settings)
        if found is None:
            return FAILED
        text = found.render(template_lint.example_params(found) | dict(args.params))
    if isinstance(text, list):
        for problem in text:
            say("preview", f"{problem.pointer.lstrip('/')}: {problem.detail}")
        return FAILED
    forced = forced_ucs2_by(text, cutting)
    shown = Shown(
        text=text,
        encoding=segment.measure(text, cutting).encoding,
        segments=segment.pieces(text, cutting),
        submits=segment.measure(text, cutting).segments,
        forced=forced,
        without=on_air_without(text, forced, cutting),
    )
    if args.json:
        language = {} if found is None else {"language": found.language}
        return say_json(language | _as_json(shown))
    head = [f"{found.head.title} · {found.name} · {found.language}"] if found is not None else []
    _print(shown, [*head, *way])
    return OK


class Shown(NamedTuple):
    """A text and what it costs."""

    text: str
    encoding: str
    segments: list[str]
    submits: int
    forced: tuple[Forcing, ...]
    without: int


def _as_json(shown: Shown) -> dict[str, object]:
    return {
        "text": shown.text,
        "encoding": shown.encoding,
        "segments": shown.segments,
        "submits": shown.submits,
        "forced_ucs2_by": [each.character for each in shown.forced],
        "forced": [each._asdict() | {"first": each.first + 1} for each in shown.forced],
        "segments_without": shown.without,
    }


def _print(shown: Shown, head: list[str]) -> None:
    count = len(shown.segments)
    cost = f"{shown.encoding}, {_segments(count)}"
    if shown.submits != count:
        cost += f" on the air, {shown.submits} submitted"
    print(" · ".join([*head, cost]))
    for number, part in enumerate(shown.segments, 1):
        print(f"┌─ {number}/{count}", *(f"│ {line}" for line in part.splitlines()), "└─", sep="\n")
    if 0 < len(shown.forced) <= _FEW:
        without = f"without: {_segments(shown.without)}"
        print("UCS-2 because of", *map(_forcing, shown.forced), without, sep="\n  ")


def _segments(count: int) -> str:
    return f"{count} segment{'' if count == 1 else 's'}"


def _template_of(args: argparse.Namespace, settings: Settings) -> Template | None:
    """The template that was asked for; None: there is none, and it was said."""
    catalogue = config.read_catalogue(settings)
    found = catalogue.get(args.template, args.language or settings.templates.language)
    if found is None:
        near = difflib.get_close_matches(args.template, catalogue.names(), 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(catalogue.names())}"
        say("preview", f"{args.template}: there is no such template; {hint}")
    elif args.language and found.language.lower() != args.language.lower():
        say("preview", f"{found.name} is not written in {args.language}; shown in {found.language}")
    return found


def _cutting_of(args: argparse.Namespace, settings: Settings) -> tuple[Cutting, list[str]] | str:
    """How a route cuts, with words for it; or why that is not known."""
    if args.route is None and args.profile is None:
        return PLAIN, []
    name = args.profile
    if args.route is not None:
        if args.profile is not None:
            return "--route has its profile; give one of the two"
        smsc = settings.smsc.get(args.route)
        if smsc is None:
            return f"there is no [smsc.{args.route}]; {_near(args.route, list(settings.smsc))}"
        name = smsc.profile
    profiles = config.profiles_of(settings)
    profile = profiles.get(name)
    if profile is None:
        return f"there is no profile {name}; {_near(name, profiles.names())}"
    if profiles.faults:
        return profiles.faults[0]
    way = f"profile {name}" if args.route is None else f"route {args.route}, profile {name}"
    return profile.text.cutting(), [way]


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"did you mean {near[0]}?" if near else f"there is {', '.join(known) or 'none'}"


def _wrong(command: str, sentence: str) -> int:
    say(command, sentence)
    return WRONG_USE


def _forcing(forced: Forcing) -> str:
    instead = "" if forced.folded is None else f", could be {forced.folded!r}"
    return f"{forced.name} ×{forced.times}, first at {forced.first + 1}{instead}"


# --- profiles ------------------------------------------------------------------------------------


def profile(args: argparse.Namespace, settings: Settings) -> int:
    """The file of a profile as it is written, to be read or copied; without a name the names of all."""
    profiles = config.profiles_of(settings)
    if args.name is None:
        for name in profiles.names():
            print(f"{name}  {_folder_of(profiles, name)}")
        return OK
    path = profiles.path(args.name)
    if path is None:
        return _wrong("profile", f"there is no profile {args.name}; {_near(args.name, profiles.names())}")
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        say("profile", f"{path}: {error}")
        return FAILED
    print(text, end="")
    print(f"# {path}", file=sys.stderr)
    return OK


def _folder_of(profiles: Profiles, name: str) -> str:
    path = profiles.path(name)
    return "shipped" if path is not None and path.parent == SHIPPED else str(path)
