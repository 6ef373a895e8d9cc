"""How much came from each customer lately: what tells people from machines."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

MAX_WRITERS: Final = 10_000
MAX_TEXTS: Final = 1000


class Lately:
    """How much came from each customer lately, as far as this node saw it."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, OrderedDict[UUID, datetime]] = OrderedDict()

    def count(self, msisdn: str, uid: UUID, at: datetime, within: timedelta) -> int:
        """Count this one in; one that is counted already, before a roll-back, counts once."""
        times = self._times.setdefault(msisdn, OrderedDict())
        self._times.move_to_end(msisdn)
        if len(self._times) > MAX_WRITERS:
            self._times.popitem(last=False)
        times[uid] = at
        while len(times) > MAX_TEXTS or next(iter(times.values())) <= at - within:
            times.popitem(last=False)
        return len(times)
