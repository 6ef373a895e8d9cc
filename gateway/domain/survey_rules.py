"""The rules for surveys, as `rules/surveys.yaml` writes them, and the ones that hold at a touchpoint."""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from gateway.domain.correction import read_correction
from gateway.domain.rules import Duration
from gateway.domain.score import SHIPPED, Scale, Scored, Unclear, WordTable, read_score

Count = Annotated[int, Meta(ge=1, le=1000)]
Names = Annotated[tuple[str, ...], Meta(min_length=1)]
TemplateName = Annotated[str, Meta(pattern="^[a-z0-9-]+/[a-z0-9-]+$")]


class Low(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which score on a customer is owed an apology: ten and five or below, three or above."""

    ten: Annotated[int, Meta(ge=0, le=10)] = 6
    five: Annotated[int, Meta(ge=0, le=5)] = 3
    three: Annotated[int, Meta(ge=1, le=4)] = 3


class Nudge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reminder to who has not answered `after` so long."""

    after: Duration
    template: TemplateName = "survey/reminder"


class CallbackRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which resolved tickets get a follow-up whatever the score. What is not named is not looked at."""

    share: Annotated[float, Meta(gt=0, le=1)]  #: of those that fit all of the following
    types: Names | None = None  #: of the ticket
    tiers: Names | None = None  #: of the customer
    departments: Names | None = None
    after: Duration = Duration(hours=24)  #: so long after the resolution came


class AtMost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many in such a time."""

    count: Count
    within: Duration


class Templates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What customers are answered."""

    thanks: TemplateName = "survey/thanks"
    low_score: TemplateName = "survey/low-score"
    clarify: TemplateName = "survey/clarify"
    help: TemplateName = "survey/help"


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Phrases that are a score by themselves, scale by scale; numbers need no entry."""

    ten: Mapping[str, int] = msgspec.field(default_factory=lambda: SHIPPED.ten)
    five: Mapping[str, int] = msgspec.field(default_factory=lambda: SHIPPED.five)
    three: Mapping[str, int] = msgspec.field(default_factory=lambda: SHIPPED.three)

    def __post_init__(self) -> None:
        self.table()

    def table(self) -> WordTable:
        """The same for the reader of scores. ValueError: a word's score is off its scale."""
        return WordTable(ten=self.ten, five=self.five, three=self.three)


class SurveyRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """All rules for one touchpoint."""

    scale: Scale = Scale.TEN
    expires_in: Duration = Duration(hours=72)
    revision_window: Duration = Duration(minutes=30)
    reminder: Nudge | None = None
    low: Low = Low()
    follow_up: bool = True
    callback: CallbackRule | None = None
    templates: Templates = Templates()
    anti_fatigue: AtMost | None = AtMost(1, Duration(days=7))
    tiers: dict[str, AtMost | None] = {}  #: other limits for VIPs and the like; null: none
    automatic_answers: AtMost = AtMost(3, Duration(hours=1))  #: to one customer: two robots stop here
    words: Words = Words()

    @cached_property
    def read(self) -> Callable[[str, Scale], Scored | Unclear]:
        """What a text says on a scale. Most replies are one of a few dozen texts, each asked about twice."""
        table = self.words.table()
        return lru_cache(maxsize=4096)(lambda text, scale: read_score(text, scale, table))

    def read_correction(self, text: str, scale: Scale) -> Scored | None:
        """The score that a text puts in the place of one given before: 打错了，8分."""
        return read_correction(text, scale, self.words.table())


class Differing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a touchpoint has otherwise."""

    scale: Scale | msgspec.UnsetType = msgspec.UNSET
    expires_in: Duration | msgspec.UnsetType = msgspec.UNSET
    revision_window: Duration | msgspec.UnsetType = msgspec.UNSET
    reminder: Nudge | msgspec.UnsetType | None = msgspec.UNSET
    low: Low | msgspec.UnsetType = msgspec.UNSET
    follow_up: bool | msgspec.UnsetType = msgspec.UNSET
    callback: CallbackRule | msgspec.UnsetType | None = msgspec.UNSET
    templates: Templates | msgspec.UnsetType = msgspec.UNSET
    anti_fatigue: AtMost | msgspec.UnsetType | None = msgspec.UNSET
    tiers: dict[str, AtMost | None] | msgspec.UnsetType = msgspec.UNSET


class Surveys(SurveyRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file: what holds everywhere, and what touchpoints have otherwise."""

    touchpoints: dict[str, Differing] = {}

    def at(self, touchpoint: str) -> SurveyRules:
        """The rules for a touchpoint; one that is not named has what holds everywhere."""
        return self._at.get(touchpoint, self)

    @cached_property
    def _at(self) -> Mapping[str, Self]:
        return {name: self._with(differing) for name, differing in self.touchpoints.items()}

    def _with(self, differing: Differing) -> Self:
        changes = {
            name: value
            for name in differing.__struct_fields__
            if (value := getattr(differing, name)) is not msgspec.UNSET
        }
        return msgspec.structs.replace(self, **changes)
