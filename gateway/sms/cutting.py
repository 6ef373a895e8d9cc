"""How a route's texts are encoded and cut: what its SMSC takes, and what it is trusted to do."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.sms.coding import ClassGroup, DefaultAlphabet
from gateway.sms.shifts import Shift


class Join(StrEnum):
    """How the phone learns which short messages make one text."""

    UDH8 = "udh8"  #: a header with an 8-bit reference
    UDH16 = "udh16"  #: a header with a 16-bit reference
    SAR = "sar"  #: sar_* TLVs beside the text (SMPP 3.4 §5.3.2.22 to 24)
    PAYLOAD = "payload"  #: the whole text in message_payload; the SMSC cuts it (SMPP 3.4 §5.3.2.32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutting:
    """A route's habits with texts. Raises ValueError where two of them exclude each other."""

    join: Join = Join.UDH8
    default: DefaultAlphabet = "gsm7"  #: what data_coding 0 means there
    fold: bool = False  #: look-alikes become what GSM 7-bit has, where that saves a text from UCS-2
    shifts: tuple[Shift, ...] = ()  #: national language tables that may be used
    flash: ClassGroup = "general"  #: the data_coding of flash GSM texts: 0x10, or 0xF0
    #: The text alone decides, between GSM 7-bit and UCS-2: the quick way.
    exact: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.shifts and self.default != "gsm7":
            raise ValueError(f"national language tables need GSM 7-bit as data_coding 0, not {self.default}")
        object.__setattr__(self, "exact", self.default == "gsm7" and not self.fold and not self.shifts)


PLAIN: Final = Cutting()
