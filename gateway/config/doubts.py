"""What may be meant so, and rarely is: told by `check` as warnings, and no fault."""

from collections.abc import Iterator

from gateway.config.profiles import Profiles, profiles_of
from gateway.config.schema import Receiver, Settings, Smsc


def doubts_of(settings: Settings) -> list[str]:
    """Sentences for people to look at."""
    return [*_shared_accounts(settings), *_limited(settings, profiles_of(settings))]


def accounts(smsc: Smsc) -> list[tuple[str, int, str]]:
    """Host, port and account of each session of a bind: one, or a pair's two."""
    own = (smsc.host, smsc.port, smsc.system_id)
    if smsc.bind != "pair":
        return [own]
    other = smsc.receiver or Receiver()
    return [own, (other.host or smsc.host, other.port or smsc.port, other.system_id or smsc.system_id)]


def binds_within(smsc: Smsc, limit: int) -> int:
    """How many binds fit into so many sessions of an account; a pair of one account takes two."""
    return min(smsc.binds, limit // max(map(accounts(smsc).count, accounts(smsc)))) if limit else smsc.binds


def _shared_accounts(settings: Settings) -> Iterator[str]:
    """An SMSC gives receipts and replies to any session of the account that sent."""
    first: dict[tuple[str, int, str], str] = {}
    for name, smsc in settings.smsc.items():
        for account in dict.fromkeys(accounts(smsc)):
            earlier = first.setdefault(account, name)
            if earlier != name:
                host, port, system_id = account
                yield (
                    f"smsc.{name}: {system_id} at {host}:{port} is the account of smsc.{earlier} too: its "
                    "receipts may come by the other one's sessions, and match nothing there; "
                    "make them one section with more binds"
                )


def _limited(settings: Settings, profiles: Profiles) -> Iterator[str]:
    """Sessions that the profile says the SMSC does not bear."""
    for name, smsc in settings.smsc.items():
        profile = profiles.get(smsc.profile)
        if profile is None or (fit := binds_within(smsc, profile.limits.binds)) >= smsc.binds:
            continue
        what = f"binds = {smsc.binds}" + (" pairs, two sessions each," if smsc.bind == "pair" else "")
        told = f"only {fit} will be opened" if fit else "one will be opened all the same"
        yield (
            f"smsc.{name}.binds: {what} are more than the limits.binds = {profile.limits.binds} sessions of "
            f"the profile {smsc.profile}: {told}"
        )
