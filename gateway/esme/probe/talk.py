"""A sender and a hearer at one SMSC: messages to the one number, their answers, and the receipts."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.esme.probe.caller import Answer, Delivered, calling
from gateway.esme.probe.target import Bounds, Budget, Target
from gateway.esme.route import BindMode
from gateway.smpp import receipt, status
from gateway.smpp.pdu import SubmitSm
from gateway.smpp.receipt import Habits
from gateway.smpp.status import Verdict

#: How often a message is tried again that was refused for being too fast, and the pause before it.
AGAIN: Final = 6
PAUSE: Final = 0.4
#: How often the session is bound once more that the SMSC ended.
OPENINGS: Final = 5
#: A bare look: whatever reads as a receipt is one, and its text's id is told beside the parameter's.
BARE: Final = Habits(without_esm_class=True, prefer_tlv_id=False)


@dataclass(slots=True)
class Sent:
    """One message and what became of it."""

    label: str
    answer: Answer
    at: float
    receipts: list[Delivered] = field(default_factory=list)

    @property
    def taken(self) -> bool:
        return self.answer.pdu is not None and self.answer.pdu.command_status == 0

    @property
    def message_id(self) -> str:
        return getattr(self.answer.pdu, "message_id", "") if self.answer.pdu else ""

    @property
    def words(self) -> str:
        """The answer, for people."""
        if self.answer.pdu is None:
            return "no answer"
        if self.taken:
            return "taken"
        return f"refused: {status.name(self.answer.pdu.command_status)}"


class Talk:
    """The session or the pair of sessions that messages go and receipts come by."""

    def __init__(self, target: Target, bounds: Bounds, budget: Budget, modes: list[BindMode]) -> None:
        self.target, self.bounds, self.budget = target, bounds, budget
        self._modes = modes
        self._stack = AsyncExitStack()
        self._openings = 0
        self._kept: list[Delivered] = []  # what a session of before brought
        self.not_ours = ""  #: the id of a message whose receipt may yet come and is not asked for here
        self.throttled: list[int] = []  #: each command_status that said: slower

    async def open(self) -> bool:
        """Bind, again where a session was ended; whether it stands. Raises OSError."""
        if self._openings:
            self._kept = self.news()
        await self.close()
        self._openings += 1
        self._read = 0
        callers = [
            await self._stack.enter_async_context(calling(self.target, self.bounds, mode))
            for mode in self._modes
        ]
        self.sender, self.hearer = callers[0], callers[-1]
        return self.alive

    async def renew(self) -> bool:
        """Bind once more after the SMSC ended the session, so many times at most; whether it stands."""
        if self._openings > OPENINGS:
            return False
        await asyncio.sleep(self.bounds.rest)
        with contextlib.suppress(OSError):
            return await self.open()
        return False

    async def close(self) -> None:
        """End the sessions."""
        await self._stack.aclose()

    @property
    def alive(self) -> bool:
        return self.sender.is_bound and self.hearer.is_bound

    def pdu(self, text: bytes, **fields: Any) -> SubmitSm:
        """A submit_sm to the one number."""
        sender, to = self.target.sender, self.target.to
        ton, npi = (5, 0) if not sender.isdecimal() else (3, 0) if len(sender) < 10 else (1, 1)
        usual: dict[str, Any] = {
            "source_addr_ton": ton,
            "source_addr_npi": npi,
            "source_addr": sender,
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": to,
            "registered_delivery": 1,
            "short_message": text,
        }
        return SubmitSm(**(usual | fields))

    def write(self, pdu: SubmitSm) -> asyncio.Future[Answer]:
        """Write a message that the budget was asked for. Raises `SmppError`."""
        answer = self.sender.begin(pdu)
        self.budget.sent()
        return answer

    async def send(self, label: str, text: bytes, **fields: Any) -> Sent | None:
        """One message, at the pace of the questions; None when no more may be sent, or nothing stands."""
        for _ in range(AGAIN):
            if not self.alive or not self.budget.take():
                return None
            at = time.time()
            answer = await self.write(self.pdu(text, **fields))
            await asyncio.sleep(self.bounds.pace)
            if answer.pdu is None or not is_throttle(answer.pdu.command_status):
                return Sent(label, answer, at)
            self.throttled.append(answer.pdu.command_status)
            await asyncio.sleep(PAUSE)
        return None

    def news(self) -> list[Delivered]:
        """What has come since the last look."""
        came = self.hearer.delivered[self._read :]
        self._read += len(came)
        kept, self._kept = self._kept, []
        return kept + came

    async def receipt_for(self, sent: Sent, seconds: float) -> None:
        """Wait for the receipt of the one message that is out, and keep it with it."""
        end = time.monotonic() + seconds
        while not sent.receipts and self.alive and (left := end - time.monotonic()) > 0:
            sent.receipts += [each for each in self.news() if self._is_receipt(each)]
            if not sent.receipts:
                await self.hearer.stirred(min(left, 0.2))

    def _is_receipt(self, each: Delivered) -> bool:
        read = receipt.parse(each.pdu, BARE)
        return read is not None and not (self.not_ours and receipt.alike(self.not_ours, read.message_id))


def is_throttle(command_status: int) -> bool:
    """Whether the SMSC says: slower. A full queue is taken for that as well: it is asked again."""
    return status.lookup(command_status).verdict is Verdict.THROTTLE or command_status == status.ESME_RMSGQFUL


@asynccontextmanager
async def talking(
    target: Target, bounds: Bounds, budget: Budget, accepted: set[BindMode]
) -> AsyncIterator[Talk | None]:
    """By a transceiver, else by a pair; None where neither can be bound. Raises OSError."""
    modes: list[BindMode] = (
        [BindMode.TRANSCEIVER]
        if BindMode.TRANSCEIVER in accepted
        else [mode for mode in (BindMode.TRANSMITTER, BindMode.RECEIVER) if mode in accepted]
    )
    if BindMode.TRANSCEIVER not in modes and BindMode.TRANSMITTER not in modes:
        yield None
        return
    talk = Talk(target, bounds, budget, modes)
    try:
        yield talk if await talk.open() else None
    finally:
        await talk.close()
