"""Which of two like short messages is the customer's second, and which the SMSC's second delivery of one.

SMPP 3.4 gives an MO no id: where the SMSC may have missed our answer, a copy is its own; else the customer's.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gateway.domain.ids import made_at
from gateway.storage import replies as reply_rows
from gateway.storage.database import Connection
from gateway.storage.replies import Part

#: An SMSC delivers again within this time.
WITHIN: Final = timedelta(minutes=10)
#: It may have given up waiting for an answer that took longer.
ANSWERED_LATE: Final = timedelta(seconds=5)
MAX_DOUBTFUL: Final = 10_000
MAX_SESSIONS: Final = 1000


class Redelivery:
    """What this node knows of its answers. What it does not know, after a restart, counts as doubtful."""

    def __init__(self, is_live: Callable[[str], bool]) -> None:
        """`is_live` says whether a session is still up."""
        self._is_live = is_live
        self._doubtful: OrderedDict[UUID, None] = OrderedDict()  # parts answered late, or not at all
        self._heard: OrderedDict[str, datetime] = OrderedDict()  # sessions: when each brought something last

    def hear(self, parts: Sequence[Part]) -> None:
        """Note that the sessions of these parts were alive."""
        for part in parts:
            self._heard[part.session] = part.received_at
            self._heard.move_to_end(part.session)
        while len(self._heard) > MAX_SESSIONS:
            self._heard.popitem(last=False)

    def doubt(self, parts: Sequence[Part]) -> None:
        """Note that these were answered late or refused: they may come again, whatever became of them."""
        self._doubtful.update((part.id, None) for part in parts)
        while len(self._doubtful) > MAX_DOUBTFUL:
            self._doubtful.popitem(last=False)

    async def flag(self, connection: Connection, parts: Sequence[Part]) -> list[Part]:
        """The same parts; what looks like a second delivery of a stored one, or of one among them, is marked.

        Two at once on two sessions are one: nobody writes that fast.
        """
        before: dict[tuple[str, str, bytes], list[tuple[str, UUID]]] = {}
        since = min(part.received_at for part in parts) - WITHIN
        for msisdn, address, payload, session, part_id in await reply_rows.copies(connection, parts, since):
            before.setdefault((msisdn, address, payload), []).append((session, part_id))
        here: dict[tuple[str, str, bytes], str] = {}
        flagged = []
        for part in parts:
            key = (part.msisdn, part.address, part.payload)
            again = here.setdefault(key, part.session) != part.session or any(
                self._may_come_again(part_id, session, part.session)
                for session, part_id in before.get(key, ())
            )
            flagged.append(part._replace(redelivery=True) if again else part)
        return flagged

    def _may_come_again(self, part_id: UUID, session: str, now_on: str) -> bool:
        """Whether the SMSC may have missed our answer to this part, which came on `session`."""
        if part_id in self._doubtful:
            return True
        if session == now_on or self._is_live(session):
            return False
        heard = self._heard.get(session)  # one that went on for a while has seen the answer
        return heard is None or heard - made_at(part_id) <= ANSWERED_LATE
