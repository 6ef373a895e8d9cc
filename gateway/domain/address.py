"""Our own numbers: the access number that we send from and the extension digits that lead a reply home."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """An access number (10086) and the extension appended to it, empty for none."""

    number: str
    extension: str = ""

    def __str__(self) -> str:
        return self.number + self.extension


def split_address(destination: str, senders: Mapping[str, int]) -> Address | None:
    """Which access number a reply came to, and with which extension; None if it is none of ours.

    `senders` gives each access number with its count of extension digits. The longest number that fits
    wins, so that 1008611 may stand beside 10086 with extensions. Some SMSCs put + or 86 in front.
    """
    address = _split(destination, senders)
    if address is None:
        bare = destination.removeprefix("+").removeprefix("00")
        address = _split(bare, senders) or _split(bare.removeprefix("86"), senders)
    return address


def _split(destination: str, senders: Mapping[str, int]) -> Address | None:
    for length in range(len(destination), 0, -1):
        width = senders.get(destination[:length])
        if width is None:
            continue
        extension = destination[length:]
        if len(extension) <= width and (not extension or extension.isdecimal()):
            return Address(destination[:length], extension)
    return None
