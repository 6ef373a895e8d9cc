"""Which SMSC is asked, as whom, and how much may be asked of it at most."""

import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One SMSC and the account there; `to` is the one number that anything is sent to, empty for nothing."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    to: str = ""
    sender: str = ""
    tls: ssl.SSLContext | None = None
    #: For smpplib's client, which never says which host it means: the same, without looking at the name.
    stock_tls: ssl.SSLContext | None = None
    tls_server_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far the questions go. Seconds, and messages in all."""

    messages: int = 200
    binds: int = 8  #: sessions at a time
    window: int = 20  #: unanswered at a time
    rate: int = 100  #: a second, at the most
    spell: float = 1.5  #: for so long
    rest: float = 0.1  #: between two sessions: some SMSCs count one for a moment longer
    pace: float = 0.1  #: between two messages of the other questions
    answer: float = 5.0  #: for a response
    receipt: float = 20.0  #: for a receipt
    whole: float = 300.0  #: for all of it


class Budget:
    """How many messages may still be sent, and how many were: `spent` counts what was written."""

    def __init__(self, messages: int) -> None:
        self.left = messages
        self.spent = 0

    def take(self, wanted: int = 1) -> int:
        """As many of them as are left; each is to be told of by `sent`."""
        taken = max(0, min(wanted, self.left))
        self.left -= taken
        return taken

    def sent(self, count: int = 1) -> None:
        """So many were written to the SMSC."""
        self.spent += count
