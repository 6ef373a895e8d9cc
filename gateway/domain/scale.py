"""The scales that customers are asked for, what a reply can be on one, and the operator's word table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Final

from gateway.domain.fold import fold


class Scale(StrEnum):
    """What the customer was asked for."""

    TEN = "ten"  #: 1 to 10, the best is 10
    FIVE = "five"  #: 1 to 5, the best is 5
    THREE = "three"  #: 1 satisfied, 2 so-so, 3 dissatisfied

    @property
    def highest(self) -> int:
        """The greatest number on the scale; on `three` it is the worst."""
        return {"ten": 10, "five": 5, "three": 3}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The customer stated this score."""

    value: int
    comment: str  #: all else that the customer wrote, trimmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Nobody but a person can say what score this is, if any."""

    why: str  #: a stable code: no-number, off-scale, fraction, range, several, other-unit, question, ...


@dataclass(frozen=True, kw_only=True)
class WordTable:
    """Phrases that are a score by themselves, scale by scale, in any width, case and script."""

    ten: Mapping[str, int] = field(default_factory=dict)
    five: Mapping[str, int] = field(default_factory=dict)
    three: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for scale in Scale:
            if any(not 1 <= value <= scale.highest for value in getattr(self, scale).values()):
                raise ValueError(f"a word's score is off the scale {scale}")

    @cached_property
    def folded(self) -> Mapping[Scale, Mapping[str, int]]:
        """The phrases as the reader sees them."""
        return MappingProxyType(
            {
                scale: {fold(word).plain.strip(): value for word, value in getattr(self, scale).items()}
                for scale in Scale
            }
        )


_TOP: Final = ("非常满意", "very satisfied")
_BOTTOM: Final = ("非常不满意", "very dissatisfied", "very unsatisfied")
SHIPPED: Final = WordTable(
    ten=dict.fromkeys(_TOP, 10) | dict.fromkeys(_BOTTOM, 1),
    five=dict.fromkeys(_TOP, 5) | dict.fromkeys(_BOTTOM, 1),
)
