"""What a bind hears from the SMSC: receipts and customers' messages, answered after they are stored."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.esme.route import Route
from gateway.esme.translate import receipt_of, short_message_of
from gateway.services.carrier import Outcome, Parcel
from gateway.services.inbound import ShortMessage
from gateway.services.receipts import Receipt
from gateway.smpp import status
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu
from gateway.smpp.session import Session
from gateway.storage.database import StorageUnavailable

log = logging.getLogger(__name__)

#: Refusals in a row, for want of storage, after which the bind is given back: the SMSC keeps its messages.
REFUSALS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """Who hears what a link brings."""

    outcomes: Callable[[Sequence[Outcome]], None]
    receipts: Callable[[Sequence[Receipt]], Awaitable[None]]
    short_messages: Callable[[Sequence[ShortMessage]], Awaitable[None]]
    room_again: Callable[[], None]
    number_of: Callable[[str], str]  #: an address as the SMSC writes it → the customer's MSISDN
    now: Callable[[], datetime]
    #: Whether a parcel that was kept for a while may still be written: much may have happened meanwhile.
    may_go: Callable[[Parcel], bool] = lambda _parcel: True


class Hearing:
    """The way in of one session. `answered` is called when answers wait to be written, `give_up` when what
    the SMSC brings can't be stored for so long that it should keep it."""

    def __init__(
        self,
        route: Route,
        session: Session,
        ears: Ears,
        bind: str,
        name: str,
        *,
        answered: Callable[[], None],
        give_up: Callable[[], None],
    ) -> None:
        self._route = route
        self._session = session
        self._ears = ears
        self._bind = bind
        self._name = name  # of this very connection
        self._answered = answered
        self._give_up = give_up
        self._receipts: list[tuple[int, int, Receipt]] = []
        self._short_messages: list[tuple[int, int, ShortMessage]] = []
        self._refusals = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.delivered = 0  #: answered OK

    def take(self, pdu: Pdu) -> None:
        """A request of the SMSC; it is carried on by `pass_on`."""
        if not isinstance(pdu, DeliverSm | DataSm):
            self._session.answer(pdu.sequence_number, pdu.command_id, status.ESME_RINVCMDID)
            return
        receipt = receipt_of(pdu, self._route, self._ears.number_of)
        if receipt is not None:
            self._receipts.append((pdu.sequence_number, pdu.command_id, receipt))
            return
        message = short_message_of(pdu, self._route, self._name, self._ears.now(), self._ears.number_of)
        self._short_messages.append((pdu.sequence_number, pdu.command_id, message))

    def pass_on(self) -> None:
        """Have stored what one read brought."""
        if self._receipts:
            receipts, self._receipts = self._receipts, []
            self._spawn(self._store(receipts, self._ears.receipts))
        if self._short_messages:
            short_messages, self._short_messages = self._short_messages, []
            self._spawn(self._store(short_messages, self._ears.short_messages))

    async def _store(
        self,
        arrived: Sequence[tuple[int, int, Any]],
        store: Callable[[Sequence[Any]], Awaitable[None]],
    ) -> None:
        """Have it stored, then answer; while it can't be, refuse, and the SMSC keeps it."""
        answer = self._route.profile.refuse_with
        try:
            await store([what for _, _, what in arrived])
            answer = status.ESME_ROK
            self._refusals = 0
            self.delivered += len(arrived)
        except StorageUnavailable as error:
            self._refusals += len(arrived)
            log.warning("deliver_sm refused", extra={"bind": self._bind, "why": str(error)})
        if self._session.closed:
            return
        for sequence_number, command_id, _ in arrived:
            self._session.answer(sequence_number, command_id, answer)
        self._answered()
        if self._refusals >= REFUSALS:
            self._give_up()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Unanswered, it comes again; and the bug is on record.
            log.error("deliver_sm not handled", extra={"bind": self._bind}, exc_info=error)
