"""The rules for customers' own words, as `rules/replies.yaml` writes them."""

import re
import unicodedata
from functools import cached_property
from typing import Final

import msgspec

from gateway.domain.fold import fold
from gateway.domain.rules import Duration
from gateway.domain.survey_rules import AtMost

#: Right before a phrase these turn it: 不用回电, 已联系我, no need to call me.
_TURNING: Final = (
    "不", "别", "勿", "已", "不用", "不要", "不必", "无需",
    "无须", "不需要", "不再", "不要再", "别再", "不用再", "已经",
)  # fmt: skip
_TURNING_LATIN: Final = ("not ", "don't ", "need to ", "no ", "never ")


class Phrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """Words that say something as the `whole` text, and such that say it wherever they stand in one."""

    whole: tuple[str, ...] = ()
    within: tuple[str, ...] = ()

    def said_in(self, text: str) -> bool:
        """Whether the text says one of them, in any width, case and script; a phrase that is turned does not
        count (不用回电)."""
        if bare(fold(text).plain) in self._whole:
            return True
        return self._within is not None and self._within.search(_spaced(text)) is not None

    @cached_property
    def _whole(self) -> frozenset[str]:
        return frozenset(bare(fold(phrase).plain) for phrase in self.whole)

    @cached_property
    def _within(self) -> re.Pattern[str] | None:
        phrases = [_spaced(phrase) for phrase in self.within if _spaced(phrase)]
        latin = [re.escape(phrase) for phrase in phrases if phrase.isascii()]
        others = [re.escape(phrase) for phrase in phrases if not phrase.isascii()]
        ways = [rf"{_unless(_TURNING_LATIN)}(?<![a-z])(?:{'|'.join(latin)})(?![a-z])"] if latin else []
        ways += [rf"{_unless(_TURNING)}(?:{'|'.join(others)})"] if others else []
        return re.compile("|".join(ways)) if ways else None


class ReplyRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """What makes no case, what a person must see, and from when on a number is a machine."""

    courtesy: tuple[str, ...] = ()
    help: Phrases = Phrases()
    takes_back: Phrases = Phrases()
    flood: AtMost = AtMost(10, Duration(minutes=10))

    @cached_property
    def courtesies(self) -> frozenset[str]:
        """The thanks and greetings as texts are compared with them."""
        return frozenset(map(bare, self.courtesy))


def bare(text: str) -> str:
    """Letters and digits alone, in one width and case."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


_GAP: Final = re.compile(r"\s+")
_BETWEEN: Final = re.compile(r"(?<![!-~])\s|\s(?![!-~])")


def _spaced(text: str) -> str:
    """The text in one width, case and script, with blanks between Latin words alone."""
    return _BETWEEN.sub("", _GAP.sub(" ", fold(text).plain)).strip()


def _unless(words: tuple[str, ...]) -> str:
    return "".join(f"(?<!{word})" for word in words)
