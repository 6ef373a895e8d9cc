"""The words of the SMS business hall, as `rules/keywords.yaml` writes them: what a customer may ask for by
one word, and what it is answered with."""

from functools import cached_property, lru_cache
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from gateway.domain.connector import LOOKUP
from gateway.domain.fold import fold
from gateway.domain.reply_rules import bare
from gateway.domain.rules import Duration
from gateway.domain.survey_rules import AtMost

#: What a template gets that lists what may be asked for.
LISTED: Final = "keywords"
#: A longer text is no keyword.
LONGEST: Final = 60

TemplateName = Annotated[str, Meta(pattern="^[a-z0-9-]+/[a-z0-9-]+$")]
EntryName = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,31}$")]
Text = Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that may be asked for."""

    words: Annotated[tuple[Text, ...], Meta(min_length=1)]  #: each of them asks for it, as the whole text
    template: TemplateName
    lookup: EntryName | None = None  #: None: the template says it all
    fields: tuple[str, ...] = ()  #: of what was looked up: parameters of the template
    params: dict[str, str | int | bool] = {}  #: parameters that are always the same
    lists: bool = False  #: the template gets the `line` of each entry as `keywords`
    line: dict[str, Text] = {}  #: by language, the first for customers whose language is not known

    @property
    def connector(self) -> str | None:
        """What is asked."""
        return None if self.lookup is None else LOOKUP + self.lookup


class HallTemplates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is said when there is no answer."""

    slow: TemplateName = "hall/slow"
    unavailable: TemplateName = "hall/unavailable"


class Keywords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """What may be asked for, and how long a customer waits for it."""

    polite_after: Duration = Duration(seconds=5)  #: without an answer for so long, one sentence says so
    answer_within: Duration = Duration(minutes=2)  #: an answer that comes later is of no use
    again_after: Duration = Duration(seconds=10)  #: the same word within it is answered once
    limit: AtMost | None = AtMost(20, Duration(hours=1))  #: of one customer; more is a machine
    templates: HallTemplates = HallTemplates()
    entries: dict[EntryName, Entry] = {}

    def find(self, text: str) -> str | None:
        """The name of the entry that the whole text asks for, in any width, case and script."""
        return self._by_word.get(key_of(text)) if len(text) <= LONGEST else None

    def lines(self, language: str | None) -> list[dict[str, Any]]:
        """What may be asked for, as a list in a customer's language."""
        shown = (_in(each.line, language) for each in self.entries.values() if each.line)
        return [{"line": line} for line in shown]

    @cached_property
    def _by_word(self) -> dict[str, str]:
        return {key_of(word): name for name, entry in self.entries.items() for word in entry.words}


@lru_cache(maxsize=4096)
def key_of(text: str) -> str:
    """A text as keywords are compared: its letters and digits in one width, case and script."""
    return bare(fold(text).plain)


def _in(texts: dict[str, str], language: str | None) -> str:
    found = texts.get(language or "")
    return next(iter(texts.values())) if found is None else found
