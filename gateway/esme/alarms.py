"""What a person has to look at on one route: refusals by our own fault, and codes that nothing explains."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

from gateway.smpp import status
from gateway.telemetry import ALARMS

log = logging.getLogger(__name__)

#: Of one route: numbers of ours with an alarm, and codes that nothing explains. The oldest give way.
MOST: Final = 100


class Alarms:
    """One for each route: it outlives its binds. An alarm is a number's, whatever its extension."""

    def __init__(self, route: str, number_of: Callable[[str], str] = str) -> None:
        """`number_of`: the number of ours that a sender address belongs to; empty: of none."""
        self._route = route
        self._number_of = number_of
        self._active: dict[str, dict[int, tuple[int, str]]] = {}  # by number, by code: its turn, the sentence
        self._turn = 0
        self.unmapped: Counter[int] = Counter()  #: command_status that no table explains → how often

    def __bool__(self) -> bool:
        """Whether an alarm is on."""
        return bool(self._active)

    def raised(self, command_status: int, sender: str, verdict: status.Verdict) -> None:
        """The SMSC refuses what this sender sends: told once, until it takes something of it again."""
        row = status.lookup(command_status)
        ALARMS.labels(self._route, row.name).inc()
        number = self._number_of(sender)
        of_number = self._active.get(number)
        if of_number is None:
            if len(self._active) >= MOST:
                del self._active[next(iter(self._active))]
            of_number = self._active[number] = {}
        if command_status in of_number:
            return
        self._turn += 1
        of_number[command_status] = (self._turn, f"{row.name}: {row.sentence} Sender {number or sender}.")
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
        self._active.pop(self._number_of(sender), None)

    def told(self) -> list[str]:
        """Sentences, newest first."""
        told = [each for of_number in self._active.values() for each in of_number.values()]
        return [sentence for _, sentence in sorted(told, reverse=True)]

    def unexplained(self) -> dict[str, int]:
        """The unmapped codes as people write them."""
        return {f"0x{code:08X}": count for code, count in self.unmapped.most_common()}
