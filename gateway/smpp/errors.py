"""What can be wrong with bytes: a PDU that is answered and survived, and a stream that is not."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.smpp.pdu import Pdu


class SmppError(Exception):
    """The peer, or the caller, left the protocol."""


class FieldError(SmppError):
    """A field that can't be read: `status` is the command_status that names it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class PduError(SmppError):
    """A frame that is no valid PDU: answer it with `status` and keep the link.

    `salvaged` is what could be read of a malformed response: a response can't be refused, and whoever
    waits for it must still be told that it came. It is also a deliver_sm or data_sm whose parameters are
    torn: refused, it would come again and block those behind it, and nobody would ever read the message.
    """

    def __init__(
        self,
        *,
        command_id: int,
        sequence_number: int,
        status: int,
        reason: str,
        salvaged: "Pdu | None" = None,
    ) -> None:
        super().__init__(f"command 0x{command_id:08X}: {reason}")
        self.command_id = command_id
        self.sequence_number = sequence_number
        self.status = status
        self.reason = reason
        self.salvaged = salvaged


class FramingError(SmppError):
    """A length that can't be: the stream has lost its frames, so nack and drop the link.

    `frames` are the whole frames that came before it in the same read.
    """

    def __init__(self, length: int, sequence_number: int, frames: list[bytes]) -> None:
        super().__init__(f"a PDU of {length} octets")
        self.length = length
        self.sequence_number = sequence_number
        self.frames = frames


class EncodeError(SmppError, ValueError):
    """A value of ours that its field can't carry; the PDU was not made, nothing was sent."""


class WindowFull(SmppError):  # noqa: N818 - a state of the link and no fault
    """As many requests are outstanding as the window allows."""


class StateError(SmppError):
    """The session's state does not allow this request."""
