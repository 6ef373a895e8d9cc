"""From [smsc.…] in the configuration to the routes that the binds know."""

from datetime import timedelta

from gateway.config import ConfigError, Profiles, Settings, profiles_of, smsc_tls
from gateway.config.doubts import binds_within
from gateway.config.schema import Receiver, Smsc
from gateway.esme.route import Account, BindMode, Route
from gateway.smpp.timers import Timers

_MODES = {
    "transceiver": (BindMode.TRANSCEIVER,),
    "transmitter": (BindMode.TRANSMITTER,),
    "receiver": (BindMode.RECEIVER,),
    "pair": (BindMode.TRANSMITTER, BindMode.RECEIVER),
}


def routes_of(settings: Settings) -> list[Route]:
    """A route for each SMSC, with the profile that it names."""
    profiles = profiles_of(settings)
    return [_route(settings, name, smsc, profiles) for name, smsc in settings.smsc.items()]


def _route(settings: Settings, name: str, smsc: Smsc, profiles: Profiles) -> Route:
    profile = profiles.get(smsc.profile)
    if profile is None or profiles.faults:  # files changed since the configuration was judged
        raise ConfigError(profiles.faults or [f"smsc.{name}.profile: there is no {smsc.profile}"])
    limits = profile.limits
    return Route(
        name=name,
        accounts=tuple(_account(smsc, mode) for mode in _MODES[smsc.bind]),
        binds=max(1, binds_within(smsc, limits.binds)),
        window=min(smsc.window, limits.window or smsc.window),
        rate=float(min(smsc.rate or limits.rate, limits.rate or smsc.rate)),
        tls=smsc_tls(settings, smsc),
        tls_server_name=smsc.tls_server_name or None,
        timers=_timers(smsc, settings.delivery.response_timeout),
        profile=profile,
    )


def _account(smsc: Smsc, mode: BindMode) -> Account:
    other = smsc.receiver if mode is BindMode.RECEIVER and smsc.receiver else Receiver()
    return Account(
        mode=mode,
        host=other.host or smsc.host,
        port=other.port or smsc.port,
        system_id=other.system_id or smsc.system_id,
        password=(other.password or smsc.password).reveal(),
        system_type=smsc.system_type,
        address_range=smsc.address_range,
    )


def _timers(smsc: Smsc, response_timeout: timedelta) -> Timers:
    seconds = response_timeout.total_seconds()
    return Timers(
        enquire_link=smsc.enquire_link.total_seconds(),
        response_timeout=seconds,
        answer_timeout=3 * seconds,
    )
