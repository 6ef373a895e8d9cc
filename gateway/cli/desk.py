"""Commands that need nothing running: `check` and `preview`."""

import argparse
import difflib
import sys
from typing import Final

from gateway import config
from gateway.cli.answer import FAILED, OK, say_json, tell_faults
from gateway.config import Settings
from gateway.domain import template_lint
from gateway.sms import segment
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
    catalogue = config.read_catalogue(settings)
    language = args.language or settings.templates.language
    found = catalogue.get(args.template, language)
    if found is None:
        near = difflib.get_close_matches(args.template, catalogue.names(), 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(catalogue.names())}"
        print(f"{args.template}: there is no such template; {hint}", file=sys.stderr)
        return FAILED
    if args.language and found.language.lower() != args.language.lower():
        print(f"{found.name} is not written in {args.language}; shown in {found.language}", file=sys.stderr)
    text = found.render(template_lint.example_params(found) | dict(args.params))
    if isinstance(text, list):
        print(
            *(f"{problem.pointer.lstrip('/')}: {problem.detail}" for problem in text),
            sep="\n",
            file=sys.stderr,
        )
        return FAILED
    shown = segment.pieces(text)
    encoding = segment.measure(text).encoding
    forced = forced_ucs2_by(text)
    without = on_air_without(text, forced)
    if args.json:
        return say_json(
            {
                "text": text,
                "language": found.language,
                "encoding": encoding,
                "segments": shown,
                "forced_ucs2_by": [each.character for each in forced],
                "forced": [each._asdict() for each in forced],
                "segments_without": without,
            }
        )
    print(f"{found.head.title} · {found.name} · {found.language} · {encoding}, {len(shown)} segments")
    for number, part in enumerate(shown, 1):
        print(f"┌─ {number}/{len(shown)}", *(f"│ {line}" for line in part.splitlines()), "└─", sep="\n")
    if 0 < len(forced) <= _FEW:
        print("UCS-2 because of", *map(_forcing, forced), f"without: {without} segments", sep="\n  ")
    return OK


def _forcing(forced: Forcing) -> str:
    instead = "" if forced.folded is None else f", could be {forced.folded!r}"
    return f"{forced.name} ×{forced.times}, first at {forced.first + 1}{instead}"
