"""What is read from files at the start and again when they change: templates and rules."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from gateway.config import Settings, shipped
from gateway.domain import template
from gateway.domain.reply_rules import ReplyRules
from gateway.domain.routing import Rules
from gateway.domain.rules import load_text
from gateway.domain.survey_rules import Surveys
from gateway.domain.template import Catalogue

T = TypeVar("T")


class FaultyFilesError(Exception):
    """Templates or rules can't be used. `faults` names each with its file and line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Desk:
    """The texts and rules in force. A faulty new version changes nothing."""

    def __init__(self, settings: Settings, adjust: Callable[[Rules], Rules] = lambda rules: rules) -> None:
        self._settings = settings
        self._adjust = adjust
        self.catalogue: Catalogue = Catalogue({})
        self.rules = Rules()
        self.reload()

    def reload(self) -> None:
        """Read everything anew. Raises `FaultyFilesError`, and then all stays as it was."""
        faults: list[str] = []
        catalogue = self._catalogue()
        faults += map(str, catalogue.faults)
        surveys = self._rules("surveys.yaml", Surveys, faults)
        replies = self._rules("replies.yaml", ReplyRules, faults)
        if faults:
            raise FaultyFilesError(faults)
        shared = frozenset(
            sender.number for sender in self._settings.senders.values() if not sender.extensions
        )
        self.catalogue = catalogue
        self.rules = self._adjust(Rules(surveys=surveys, replies=replies, access_numbers=shared))

    def _catalogue(self) -> Catalogue:
        mine = self._settings.path("templates/sms")
        folder = mine if mine.is_dir() else shipped("templates") / "sms"
        signature: str | Mapping[str, str] = self._settings.templates.signature or template.DEFAULT_SIGNATURES
        return template.load(folder, signature, self._settings.templates.language)

    def _rules(self, name: str, kind: type[T], faults: list[str]) -> T:
        mine = self._settings.path("rules")
        path: Path = (mine if mine.is_dir() else shipped("rules")) / name
        if not path.exists():
            return kind()
        read = load_text(str(path), path.read_text("utf-8"), kind)
        if isinstance(read, list):
            faults += map(str, read)
            return kind()
        return read
