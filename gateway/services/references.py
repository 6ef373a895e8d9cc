"""Which references long texts lately bore, number by number: a handset joins what bears the same one.

An 8-bit reference that the ids give would meet its like once in 256 times: two texts under way to one phone
would be joined into one. What this memory loses with a restart costs no more than that.
"""

from collections import OrderedDict
from typing import Final
from uuid import UUID

#: Numbers that are remembered, and how many of each one's references.
NUMBERS: Final = 20_000
EACH: Final = 32
SPACE: Final = 0x100


class References:
    """The last references of long texts to each number."""

    def __init__(self) -> None:
        self._taken: OrderedDict[str, dict[int, UUID]] = OrderedDict()

    def take(self, msisdn: str, uid: UUID, wished: int) -> int:
        """A reference for a text, 0 to 255: the one wished for, else the next that none lately bore."""
        taken = self._taken.get(msisdn)
        if taken is None:
            taken = self._taken[msisdn] = {}
            if len(self._taken) > NUMBERS:
                self._taken.popitem(last=False)
        else:
            self._taken.move_to_end(msisdn)
        reference = wished
        while taken.get(reference, uid) != uid:
            reference = (reference + 1) % SPACE
        taken[reference] = uid
        if len(taken) > EACH:
            del taken[next(iter(taken))]
        return reference
