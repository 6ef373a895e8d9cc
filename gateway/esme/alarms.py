"""What a person has to look at on one route: refusals by our own fault, and codes that nothing explains."""

import logging
from collections import Counter
from typing import Final

from gateway.smpp import status
from gateway.telemetry import ALARMS

log = logging.getLogger(__name__)

#: Of one route, of each kind: senders may have extensions without number.
MOST: Final = 100


class Alarms:
    """One for each route: it outlives its binds."""

    def __init__(self, route: str) -> None:
        self._route = route
        self._active: dict[tuple[int, str], str] = {}
        self.unmapped: Counter[int] = Counter()  #: command_status that no table explains → how often

    def __bool__(self) -> bool:
        """Whether an alarm is on."""
        return bool(self._active)

    def raised(self, command_status: int, sender: str, verdict: status.Verdict) -> None:
        """The SMSC refuses what this sender sends: told once, until it takes something of it again."""
        row = status.lookup(command_status)
        ALARMS.labels(self._route, row.name).inc()
        known = (command_status, sender) in self._active
        if known or len(self._active) >= MOST:
            return
        self._active[command_status, sender] = f"{row.name}: {row.sentence} Sender {sender}."
        if verdict is not status.Verdict.SENDER:  # of senders, who stops them tells
            log.error(
                "the SMSC refuses what we send",
                extra={"route": self._route, "sender": sender, "status": row.name, "why": row.sentence},
            )

    def strange(self, command_status: int) -> None:
        """A code that neither the route's table nor the standard explains."""
        if command_status in self.unmapped or len(self.unmapped) < MOST:
            self.unmapped[command_status] += 1

    def taken(self, sender: str) -> None:
        """The SMSC took something of this sender."""
        for key in [key for key in self._active if key[1] == sender]:
            del self._active[key]

    def told(self) -> list[str]:
        """Sentences, newest first."""
        return list(reversed(self._active.values()))

    def unexplained(self) -> dict[str, int]:
        """The unmapped codes as people write them."""
        return {f"0x{code:08X}": count for code, count in self.unmapped.most_common()}
