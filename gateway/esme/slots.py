"""A slot: one session that is to be kept up, as people see it while its links come and go."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import structs

from gateway.esme.link import Link
from gateway.esme.route import Account, BindMode, Route
from gateway.esme.tape import Tape
from gateway.services.ways import BindState

#: What is counted over all links of a slot.
_COUNTED: Final = ("submitted", "refused", "throttled", "unanswered", "delivered")
_HEARING: Final = frozenset({"bound_rx", "bound_trx"})


class Slot:
    """One session, and the link that it has now."""

    def __init__(self, route: Route, account: Account, name: str, now: datetime) -> None:
        self.route = route
        self.account = account
        self.name = name
        self.tape = Tape(name)
        self.link: Link | None = None  #: bound or not yet
        self.connecting = False
        self.was_bound = False  #: in the life of this process
        self.down_since: datetime | None = now  #: none: it is bound
        self.again_at: datetime | None = None
        self.last_error = ""
        self._failed_at: datetime | None = None
        self._counts: Counter[str] = Counter()  # of the links before

    @property
    def sends(self) -> bool:
        """Whether it is bound for sending."""
        return self.link is not None and self.link.usable

    @property
    def hears(self) -> bool:
        """Whether it is bound for receiving."""
        return self.link is not None and self.link.state in _HEARING

    @property
    def receives(self) -> bool:
        """Whether it is there for receiving, bound or not."""
        return self.account.mode is not BindMode.TRANSMITTER

    def connects(self) -> None:
        """A new try begins."""
        self.connecting, self.again_at = True, None

    def bound(self) -> None:
        """The link is bound."""
        self.connecting, self.was_bound, self.down_since = False, True, None

    def failed(self, why: str, now: datetime) -> None:
        """There is no link any more, for this reason."""
        if self.link is not None:
            state = self.link.state_of()
            self._counts.update({name: getattr(state, name) for name in _COUNTED})
        self.link, self.connecting = None, False
        self.down_since = self.down_since or now
        self.last_error, self._failed_at = why, now

    def state_of(self) -> BindState:
        """All that is known of it."""
        if self.link is not None:
            state = self.link.state_of()
            fields = {name: getattr(state, name) + self._counts[name] for name in _COUNTED}
            return structs.replace(
                state,
                since=self.down_since or state.since,
                last_error=state.last_error or self._before(),
                **fields,
            )
        account = self.account
        return BindState(
            name=self.name,
            route=self.route.name,
            mode=str(account.mode),
            system_id=account.system_id,
            address=f"{account.host}:{account.port}",
            state="connecting" if self.connecting else "down",
            since=self.down_since,
            again_at=self.again_at,
            in_flight=0,
            window=self.route.window,
            waiting=0,
            rate=None,
            limit=self.route.rate or None,
            learned=None,
            congestion=None,
            paused_until=None,
            submitted=self._counts["submitted"],
            refused=self._counts["refused"],
            throttled=self._counts["throttled"],
            unanswered=self._counts["unanswered"],
            delivered=self._counts["delivered"],
            round_trip=None,
            heard_at=None,
            last_error=self.last_error,
        )

    def _before(self) -> str:
        """Bound again: what was wrong before, told as past."""
        if not self.last_error or self._failed_at is None or self.down_since is not None:
            return self.last_error
        return f"before, at {self._failed_at:%m-%d %H:%M} UTC: {self.last_error}"


def reasons(slots: Iterable[Slot]) -> str:
    """Why these do not work, each reason once with the names of those that it keeps down."""
    by_reason: dict[str, list[str]] = {}
    for slot in slots:
        why = (slot.link.last_error if slot.link is not None else "") or slot.last_error
        why = why or ("connecting" if slot.connecting else "down")
        by_reason.setdefault(why, []).append(slot.name)
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in by_reason.items())
