"""Which message meets which fault: counted and drawn per fault, so that one does not disturb the others."""

from random import Random

from gateway.simulator.scenario import SUBMIT_FAULTS, Do, Fault


class Armed:
    """One fault with its own count and its own dice."""

    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault = fault
        self._random = Random(seed).random  # noqa: S311 - repeatable by design
        self._seen = 0
        self._left = fault.times

    def strikes(self, number: str) -> bool:
        """Whether it happens to this message, of this customer."""
        fault = self.fault
        if not number.startswith(fault.to):
            return False
        self._seen += 1
        if self._left == 0 or self._seen <= fault.after or (self._seen - fault.after) % fault.every:
            return False
        if fault.share < 1 and self._random() >= fault.share:
            return False
        if self._left is not None:
            self._left -= 1
        return True


class Faults:
    """All faults of a scenario, by where they strike."""

    def __init__(self, faults: tuple[Fault, ...], seed: int) -> None:
        armed = [Armed(fault, f"{seed}:fault:{at}") for at, fault in enumerate(faults)]
        self.of_submits = [each for each in armed if each.fault.do in SUBMIT_FAULTS]
        self.of_receipts = [each for each in armed if each.fault.do is Do.RECEIPT_TWICE]
        self.of_mos = [each for each in armed if each.fault.do is Do.MO_TWICE]


def first(armed: list[Armed], number: str) -> Fault | None:
    """The fault that happens to this message; each of them counts it."""
    struck: Fault | None = None
    for each in armed:
        if each.strikes(number) and struck is None:
            struck = each.fault
    return struck
