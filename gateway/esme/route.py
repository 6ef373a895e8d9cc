"""A route: an SMSC, our account there and its habits, as the binds need them."""

import ssl
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Literal

from gateway.esme.profile import DEFAULT, Profile, zone_of
from gateway.smpp.timers import Timers
from gateway.sms.coding import DefaultAlphabet
from gateway.sms.cutting import Cutting


class BindMode(StrEnum):
    """How a session logs in."""

    TRANSCEIVER = "transceiver"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where one kind of session connects to, and as whom."""

    mode: BindMode
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    address_range: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One SMSC. `accounts` has one entry, or two for a pair of transmitter and receiver."""

    name: str
    accounts: tuple[Account, ...]
    binds: int = 1  #: sessions of each account at a time
    window: int = 100
    rate: float = 0.0  #: PDUs a second and session; 0: no limit of ours
    tls: ssl.SSLContext | None = None
    tls_server_name: str | None = None
    timers: Timers = field(default_factory=Timers)
    profile: Profile = DEFAULT
    cutting: Cutting = field(init=False)  #: how its texts are measured and cut, after the profile
    zone: tzinfo | None = field(init=False)  #: of the SMSC's clock; None: not known

    def __post_init__(self) -> None:
        object.__setattr__(self, "cutting", self.profile.text.cutting())
        object.__setattr__(self, "zone", zone_of(self.profile))

    @property
    def default_alphabet(self) -> DefaultAlphabet:
        """What data_coding 0 means here."""
        return self.profile.text.default_alphabet

    @property
    def parts_reported(self) -> Literal["each", "first", "last"]:
        """For which part of a long text the SMSC sends its receipt."""
        return self.profile.receipts.parts
