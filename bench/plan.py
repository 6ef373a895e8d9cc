"""What all figures share: how much is measured, of what, and how many values become one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.load import MARK
from bench.report import Row

TEXT: Final = "回音" * 35  #: 70 signs, 140 octets of UCS-2: one short message
ITEM: Final = json.dumps({"to": MARK, "text": TEXT}, ensure_ascii=False, separators=(",", ":"))
BATCH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured, and against whose SMSC."""

    quick: bool
    smsc: tuple[str, int] | None = None

    def of(self, count: int) -> int:
        """So many messages, or a tenth of them."""
        return count // 10 if self.quick else count

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 3


def median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def quantiles(name: str, took: Sequence[float], goal: float, aim: str = "") -> list[Row]:
    """Rows of milliseconds; the goal is that of p99."""
    return [
        Row(
            figure=f"{name}, p{share * 100:.0f}",
            value=quantile(took, share),
            unit="ms",
            goal=goal if share == 0.99 else None,
            less_is_better=True,
            note=aim if share == 0.99 else "",
        )
        for share in (0.5, 0.95, 0.99)
    ]
