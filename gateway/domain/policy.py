"""Whether a message may go now, later, or not at all. Asked when it is accepted and again when it leaves."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.domain.message import ALWAYS_ALLOWED, Lane


@dataclass(frozen=True, slots=True)
class Send:
    """Nothing stands against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Send later."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Do not send."""

    reason: str


Decision = Send | Hold | Refuse

#: One wish under two names: who opts out in answer to a survey wants none of that lane either.
SURVEYS: Final = frozenset({"lane:survey", "category:survey"})

_SEND = Send()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What we know of a customer. `opt_outs` as stored: `lane:marketing`, `category:survey`."""

    language: str | None = None
    tier: str | None = None
    opt_outs: Collection[str] = ()


NOBODY_KNOWN = Standing()


def concerns(lane: str) -> bool:
    """Whether a customer's standing can change anything for this lane; if not, nobody needs to look it up."""
    return lane not in ALWAYS_ALLOWED


def decide(lane: str, category: str | None, standing: Standing, now: datetime) -> Decision:
    """The policy. An opt-out outweighs the rest; emergency and transactional lanes are not stopped by one."""
    del now  # quiet hours and caps will need it
    if lane in ALWAYS_ALLOWED or not standing.opt_outs:
        return _SEND
    if f"lane:{Lane(lane)}" in standing.opt_outs or "lane:all" in standing.opt_outs:
        return Refuse(reason=f"opted out of lane {Lane(lane)}")
    if category and f"category:{category}" in standing.opt_outs:
        return Refuse(reason=f"opted out of category {category}")
    if SURVEYS & {f"lane:{Lane(lane)}", f"category:{category}"} and SURVEYS & set(standing.opt_outs):
        return Refuse(reason="opted out of surveys")
    return _SEND
