"""Commands that need nothing running: `check` and `preview`."""

import argparse
import difflib
import sys
from pathlib import Path
from typing import Final

from gateway import config
from gateway.cli.answer import FAILED, OK, say_json, tell_faults
from gateway.config import Settings, shipped
from gateway.domain import template, template_lint
from gateway.domain.reply_rules import ReplyRules
from gateway.domain.rules import load_text
from gateway.domain.survey_rules import Surveys
from gateway.sms import alphabet, coding, segment

#: The files of rules/, and what each holds.
RULES: Final[dict[str, type]] = {"surveys.yaml": Surveys, "replies.yaml": ReplyRules}


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
    catalogue = _catalogue(settings)
    faults += map(str, catalogue.faults)
    faults += _rule_faults(_rule_files(settings))
    doubts: list[str] = []
    for each in catalogue.templates.values():
        for finding in template_lint.lint(each):
            where = faults if finding.severity is template_lint.Severity.ERROR else doubts
            where.append(f"{each.path}:{finding.line}:{finding.column}: {finding.message}")
    if args.json:
        say_json({"faults": faults, "warnings": doubts})
        return FAILED if faults else OK
    print(*(f"warning: {doubt}" for doubt in doubts), sep="\n", end="\n" if doubts else "")
    if faults:
        return tell_faults(faults, as_json=False)
    rules, templates = len(_rule_files(settings)), len(catalogue.templates)
    print(f"Everything is in order 一切正常: configuration, {rules} files of rules, {templates} templates.")
    for sentence in config.missing_to_serve(settings):
        print(f"To serve, there is {sentence}")
    return OK


def preview(args: argparse.Namespace, settings: Settings) -> int:
    """The text and its segments as a phone shows them; what `-p` leaves out comes from the examples."""
    catalogue = _catalogue(settings)
    language = args.language or settings.templates.language
    found = catalogue.get(args.template, language)
    if found is None:
        near = difflib.get_close_matches(args.template, catalogue.names(), 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(catalogue.names())}"
        print(f"{args.template}: there is no such template; {hint}", file=sys.stderr)
        return FAILED
    text = found.render(template_lint.example_params(found) | dict(args.params))
    if isinstance(text, list):
        print(
            *(f"{problem.pointer.lstrip('/')}: {problem.detail}" for problem in text),
            sep="\n",
            file=sys.stderr,
        )
        return FAILED
    parts = segment.bodies(text)
    shown = [coding.decode(part, parts.data_coding).text for part in parts.payloads]
    forced = sorted({char for char in text if alphabet.encode(char) is None})
    if args.json:
        cost = {"encoding": parts.encoding, "segments": shown}
        return say_json({"text": text, "language": found.language, **cost, "forced_ucs2_by": forced})
    print(f"{found.head.title} · {found.name} · {found.language} · {parts.encoding}, {len(shown)} segments")
    for number, part in enumerate(shown, 1):
        print(f"┌─ {number}/{len(shown)}", *(f"│ {line}" for line in part.splitlines()), "└─", sep="\n")
    return OK


def _rule_files(settings: Settings) -> list[Path]:
    return sorted(_folder(settings, "rules").glob("*.y*ml"))


def _rule_faults(files: list[Path]) -> list[str]:
    found: list[str] = []
    for path in files:
        kind = RULES.get(path.name)
        if kind is None:
            near = difflib.get_close_matches(path.name, RULES, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(RULES)}"
            found.append(f"{path}: no rules have this name; {hint}")
            continue
        try:
            answer = load_text(str(path), path.read_text("utf-8"), kind)
        except (OSError, UnicodeDecodeError) as error:
            found.append(f"{path}: can't be read: {error}")
        else:
            found += map(str, answer) if isinstance(answer, list) else []
    return found


def _catalogue(settings: Settings) -> template.Catalogue:
    signature = settings.templates.signature or template.DEFAULT_SIGNATURES
    return template.load(_folder(settings, "templates") / "sms", signature, settings.templates.language)


def _folder(settings: Settings, name: str) -> Path:
    """`rules` or `templates` beside the configuration, else the shipped one."""
    own = settings.path(name)
    return own if own.is_dir() else shipped(name)
