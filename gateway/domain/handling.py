"""How one message wishes to be carried, beyond its text: what the SMSC and the handset are asked to do."""

from datetime import datetime
from typing import Any

import msgspec


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
