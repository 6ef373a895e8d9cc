"""The rules for customers' own words, as `rules/replies.yaml` writes them."""

import unicodedata
from functools import cached_property

import msgspec

from gateway.domain.rules import Duration
from gateway.domain.survey_rules import AtMost


class ReplyRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """What makes no case, and from when on a number is a machine."""

    courtesy: tuple[str, ...] = ()
    flood: AtMost = AtMost(10, Duration(minutes=10))

    @cached_property
    def courtesies(self) -> frozenset[str]:
        """The thanks and greetings as texts are compared with them."""
        return frozenset(map(bare, self.courtesy))


def bare(text: str) -> str:
    """Letters and digits alone, in one width and case."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())
