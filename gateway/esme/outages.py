"""What is logged of sessions that don't come up: each reason of a route once, then a summary now and then."""

import logging
from dataclasses import dataclass, field
from typing import Final

log = logging.getLogger(__name__)

SUMMARY_SECONDS: Final = 600.0
#: Reasons remembered.
MOST: Final = 50


@dataclass(slots=True)
class _Reason:
    """Why sessions of a route don't come up, and what of it has been said."""

    since: float
    said_at: float
    tries: int = 0
    binds: set[str] = field(default_factory=set)


class Outages:
    """Of one route, until one of its sessions is bound."""

    def __init__(self, route: str) -> None:
        self._route = route
        self._reasons: dict[str, _Reason] = {}

    def failed(self, bind: str, why: str, again_in: float, now: float) -> None:
        """A session ended, or did not come up; `now` in seconds."""
        reason = self._reasons.get(why)
        if reason is None:
            if len(self._reasons) >= MOST:
                self._reasons.clear()
            self._reasons[why] = _Reason(now, now, 1, {bind})
            log.warning("bind down", extra={"bind": bind, "why": why, "again_in": round(again_in, 1)})
            return
        reason.tries += 1
        reason.binds.add(bind)
        if now - reason.said_at < SUMMARY_SECONDS:
            return
        reason.said_at = now
        told = {"route": self._route, "binds": len(reason.binds), "why": why, "tries": reason.tries}
        log.warning("binds still down", extra=told | {"minutes": round((now - reason.since) / 60)})

    def ended(self) -> None:
        """A session is bound: what goes wrong from now on is news."""
        self._reasons.clear()
