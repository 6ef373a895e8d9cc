"""Which addresses a call out may reach: public ones, and inner networks that the operator allows."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

#: IPv6 networks whose last 32 bits are an IPv4 address to which a translator would carry the call.
_TRANSLATED: Final = (
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
    IPv6Network("::/96"),  # IPv4-compatible, deprecated
)
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TEREDO: Final = IPv6Network("2001::/32")
_HOST: Final = re.compile(r"[A-Za-z0-9_.\-]+|\[[0-9A-Fa-f:.]+\]")
_LONGEST_URL: Final = 2000


class Targets:
    """The inner networks that may be called, besides every public address."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """`networks` as "10.1.0.0/16". Raises ValueError on what is none."""
        self._networks = tuple(ip_network(network) for network in networks)
        self._allows = lru_cache(maxsize=4096)(self._judge)

    def allows(self, address: str) -> bool:
        """Whether this address, as resolved, may be connected to. False for what is no address."""
        return self._allows(address)

    def _judge(self, text: str) -> bool:
        try:
            address = _plain(ip_address(text.partition("%")[0]))
        except ValueError:
            return False
        return _within(address, self._networks) or _public(address)


def fault_in_url(url: str, targets: Targets | None = None) -> str | None:
    """Why this can't be called, as a sentence, or None. A host name is judged when it is resolved."""
    if len(url) > _LONGEST_URL:
        return f"the address is longer than {_LONGEST_URL} characters"
    if not url.isascii() or any(character <= " " or character == "\\" for character in url):
        return "write the address in ASCII without blanks or backslashes; other characters percent-encoded"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "this is no address; write https://host/path"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "write an address that begins with https:// or http:// and names a host"
    if "@" in parts.netloc:
        return "an address must not hold a name or a password"
    if port == 0 or not _HOST.fullmatch(
        parts.netloc.rpartition(":")[0] if port else parts.netloc.rstrip(":")
    ):
        return f"{parts.netloc!r} is no host"
    if parts.fragment:
        return "leave out what begins with #: it is never sent"
    host = parts.hostname
    if targets is not None and _is_address(host) and not targets.allows(host):
        return refusal(host)
    return None


def refusal(address: str) -> str:
    """The sentence for an address that must not be called."""
    return (
        f"{address} is not a public address; if it may be called, add its network to security.allow_targets"
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address where a call would end, for the forms of IPv6 that carry one inside."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    if int(address) > 1 and any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _within(address: IPv4Address | IPv6Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address in _TEREDO or address.is_site_local):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_loopback or address.is_link_local
    )
