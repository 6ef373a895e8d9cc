"""The routing table and the rates of senders: judged as they are written, and made for those who send."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from gateway.config.read import Place
from gateway.config.schema import Routing, Settings
from gateway.domain.msisdn import PLANS
from gateway.domain.steering import Rule, Steering, shadowed

_PREFIX: Final = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)  # of E.164


def steering_of(settings: Settings) -> Steering:
    """The routing table. Senders may be named in it by their section or by their number."""
    return Steering(
        [_rule(settings, at, each) for at, each in enumerate(settings.routing)], sending(settings)
    )


def rates_of(settings: Settings) -> Mapping[str, float]:
    """Numbers of ours with their PDUs a second; 0 is no limit."""
    rates: dict[str, float] = {}
    for sender in settings.senders.values():
        rates[sender.number] = float(sender.rate or rates.get(sender.number, 0))
    return rates


def sending(settings: Settings) -> list[str]:
    """SMSCs that messages can go to."""
    return [name for name, smsc in settings.smsc.items() if smsc.bind != "receiver"]


def judge_routing(settings: Settings) -> Iterator[tuple[Place, str]]:
    """Each place at fault in the routing table, with a clause that says why."""
    sound = []
    names: dict[str, int] = {}
    for at, rule in enumerate(settings.routing):
        faults = list(_judge_rule(settings, rule))
        if rule.name and (earlier := names.setdefault(rule.name, at)) != at:
            faults.append((("name",), f'"{rule.name}" is the name of routing[{earlier}] already'))
        yield from (((f"routing[{at}]", *place), told) for place, told in faults)
        sound.append(not faults)
    if all(sound):
        rules = steering_of(settings).rules
        for later, earlier in shadowed(rules).items():
            told = f"is never reached: {rules[earlier].name} takes all of its messages; put it further up"
            yield (f"routing[{later}]",), told


def _rule(settings: Settings, at: int, routing: Routing) -> Rule:
    held = isinstance(routing.to, dict)
    return Rule(
        name=routing.name or f"routing[{at}]",
        to=tuple(routing.to.items()) if isinstance(routing.to, dict) else tuple((to, 1) for to in routing.to),
        prefixes=tuple(routing.prefixes),
        lanes=frozenset(routing.lanes),
        senders=tuple(
            settings.senders[sender].number if sender in settings.senders else sender
            for sender in routing.senders
        ),
        backup=tuple(routing.backup),
        shared=held,
    )


def _judge_rule(settings: Settings, rule: Routing) -> Iterator[tuple[Place, str]]:
    if not rule.to:
        yield ("to",), "is empty; name at least one SMSC"
    yield from _judge_routes(settings, "to", rule.to)
    yield from _judge_routes(settings, "backup", rule.backup)
    if isinstance(rule.to, dict):
        for name, weight in rule.to.items():
            if weight < 1:
                yield ("to", name), f"expected a weight from 1, not {weight}"
    for at, name in enumerate(rule.backup):
        if name in rule.to:
            yield (f"backup[{at}]",), f'"{name}" is in `to` already, and can\'t stand in for itself'
    regions = accepted(settings)
    for at, prefix in enumerate(rule.prefixes):
        if not _PREFIX.fullmatch(prefix):
            told = f'"{prefix}" begins no number; write digits alone, country code first, as "86139"'
            yield (f"prefixes[{at}]",), told
        elif not begins(prefix, regions):
            yield (f"prefixes[{at}]",), _no_beginning(prefix, regions)
    numbers = [sender.number for sender in settings.senders.values()]
    for at, sender in enumerate(rule.senders):
        if sender not in settings.senders and sender not in numbers:
            told = f'there is no sender "{sender}"; {_nearest(sender, [*settings.senders, *numbers])}'
            yield (f"senders[{at}]",), told


def accepted(settings: Settings) -> list[str]:
    """The regions that we send to; those without a plan of numbers are told as faults of their own."""
    names = (settings.regions.home, *settings.regions.accept)
    return [name for name in dict.fromkeys(each.lower() for each in names) if name in PLANS]


@lru_cache(256)
def _may_begin(prefix: str, region: str) -> bool:
    """Whether a mobile number of the region may begin so. Only three more digits can make a difference."""
    plan = PLANS[region]
    if plan.country_code.startswith(prefix):
        return True
    if not prefix.startswith(plan.country_code):
        return False
    national = prefix.removeprefix(plan.country_code)
    mobile = re.compile(plan.mobile)
    return any(
        mobile.fullmatch(f"{national}{chosen}"[:length].ljust(length, "5"))
        for length in range(max(6, len(national)), 12)
        for chosen in ("", *(f"{number:03}" for number in range(1000)))
    )


def begins(prefix: str, regions: Iterable[str]) -> bool:
    """Whether a number of these regions may begin so; without any region nobody knows."""
    regions = list(regions)
    return not regions or any(_may_begin(prefix, region) for region in regions)


def _no_beginning(prefix: str, regions: list[str]) -> str:
    told = f'no number of {", ".join(region.upper() for region in regions)} begins with "{prefix}"'
    whole = [f"{PLANS[region].country_code}{prefix}" for region in regions]
    near = [each for each in whole if begins(each, regions)]
    hint = f"did you mean {near[0]}?" if near else "write its country code first, or add it to regions.accept"
    return f"{told}; {hint}"


def _judge_routes(settings: Settings, key: str, names: Iterable[str]) -> Iterator[tuple[Place, str]]:
    seen = set()
    for at, name in enumerate(names):
        place = (key, name) if isinstance(names, dict) else (f"{key}[{at}]",)
        if name not in settings.smsc:
            yield place, f"there is no [smsc.{name}]; {_nearest(name, list(settings.smsc))}"
        elif settings.smsc[name].bind == "receiver":
            yield place, f"[smsc.{name}] only receives"
        elif name in seen:
            yield place, f'"{name}" is there already'
        seen.add(name)


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return f"did you mean {near[0]}?" if near else f"there is {', '.join(known) or 'none'}"
