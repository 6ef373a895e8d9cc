"""How one message wishes to be carried, beyond its text: what the SMSC and the handset are asked to do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

#: Octets of all further parameters together, tags and lengths included.
MOST_OCTETS: Final = 1024
HIGHEST_TAG: Final = 0xFFFF
_HEAD: Final = 4  # octets of a tag and its length

#: Parameters that are not a caller's to set, and why.
RESERVED: Final[dict[int, str]] = {
    **dict.fromkeys((0x020C, 0x020E, 0x020F), "numbers the parts of a long text, which the gateway does"),
    0x0424: "carries the text, which the gateway does",
    0x0426: "tells of the parts to come, which the gateway does",
    **dict.fromkeys((0x001E, 0x0423, 0x0425, 0x0427), "belongs to receipts, not to messages"),
    **dict.fromkeys((0x001D, 0x0210, 0x0420, 0x0428), "belongs to answers of the SMSC, not to messages"),
}


class Handling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it optional. Kept with the message as JSON; most messages have none."""

    flash: bool = False  #: shown at once and not kept by the handset (class 0)
    priority: int | None = None  #: 0 to 3; none: the route's
    deliver_at: datetime | None = None  #: the SMSC keeps it until then (its own scheduling, not ours)
    parameters: dict[int, bytes] = {}  #: further parameters for the SMSC, by tag

    def written(self) -> str | None:
        """As it is stored; none when there is nothing to say."""
        text = msgspec.json.encode(self).decode()
        return None if text == "{}" else text


_decode: Any = msgspec.json.Decoder(Handling).decode


def read_handling(text: str | None) -> Handling | None:
    """What `written` wrote."""
    handling: Handling | None = None if text is None else _decode(text)
    return handling


def read_tag(text: str) -> int | str:
    """`0x1403` as a tag; a sentence where it is none that a caller may set."""
    try:
        tag = int(text, 16) if text.startswith("0x") and text.isascii() and text.isalnum() else 0
    except ValueError:
        tag = 0
    if not 0 < tag <= HIGHEST_TAG:
        return "is no tag; write it as 0x0001 to 0xFFFF"
    return f"can't be set: it {RESERVED[tag]}" if tag in RESERVED else tag


def read_octets(text: str) -> bytes | str:
    """Hexadecimal digits as octets; a sentence where they are none."""
    try:
        return bytes.fromhex(text) if not text or text.isalnum() else _NO_HEX
    except ValueError:
        return _NO_HEX


_NO_HEX: Final = "is not hexadecimal; two digits make an octet, as 0a0b"


def octets_of(parameters: Mapping[int, bytes]) -> int:
    """How many octets these parameters take in the PDU."""
    return sum(_HEAD + len(value) for value in parameters.values())
