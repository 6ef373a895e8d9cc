"""Which message meets which fault: counted and drawn per fault, so that one does not disturb the others."""

from random import Random
from typing import TypeVar

from gateway.simulator.behaviour import BIND_FAULTS, MO_FAULTS, RECEIPT_FAULTS, SUBMIT_FAULTS, Fault

T = TypeVar("T")


class Armed:
    """One fault with its own count and its own dice."""

    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault = fault
        self._random = Random(seed).random  # noqa: S311 - repeatable by design
        self._seen = 0
        self._left = fault.times
        self._always = fault.since == 0 and fault.until is None

    def strikes(self, number: str, elapsed: float) -> bool:
        """Whether it happens to this message, of this customer, so many seconds after the start."""
        fault = self.fault
        if not (number.startswith(fault.to) and (self._always or self._is_time(elapsed))):
            return False
        self._seen += 1
        if self._left == 0 or self._seen <= fault.after or (self._seen - fault.after) % fault.every:
            return False
        if fault.share < 1 and self._random() >= fault.share:
            return False
        if self._left is not None:
            self._left -= 1
        return True

    def _is_time(self, elapsed: float) -> bool:
        return self.fault.since <= elapsed and (self.fault.until is None or elapsed < self.fault.until)


class Faults:
    """All faults of a scenario, by where they strike."""

    def __init__(self, faults: tuple[Fault, ...], seed: int) -> None:
        armed = [Armed(fault, f"{seed}:fault:{at}") for at, fault in enumerate(faults)]
        self.of_binds = [each for each in armed if each.fault.do in BIND_FAULTS]
        self.of_submits = [each for each in armed if each.fault.do in SUBMIT_FAULTS]
        self.of_receipts = [each for each in armed if each.fault.do in RECEIPT_FAULTS]
        self.of_mos = [each for each in armed if each.fault.do in MO_FAULTS]
        #: For how a fault happens: which order, which part, which octets.
        self.dice = Random(f"{seed}:how")  # noqa: S311


def first(armed: list[Armed], number: str, elapsed: float = 0.0) -> Fault | None:
    """The fault that happens to this message; each of them counts it."""
    struck: Fault | None = None
    for each in armed:
        if each.strikes(number, elapsed) and struck is None:
            struck = each.fault
    return struck


def disordered(things: list[T], dice: Random) -> list[T]:
    """The same in another order; one alone has none."""
    places = list(range(len(things)))
    dice.shuffle(places)
    if places == sorted(places):
        places = [*places[1:], *places[:1]]
    return [things[at] for at in places]
