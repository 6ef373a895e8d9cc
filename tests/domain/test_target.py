"""Which addresses may be called: public ones, and what the operator allows; none in disguise."""

from __future__ import annotations

import pytest

from gateway.domain.target import Targets, fault_in_url


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("127.255.0.9", id="far end of loopback"),
        pytest.param("0.0.0.0", id="this host"),
        pytest.param("169.254.169.254", id="cloud metadata"),
        pytest.param("10.0.0.1", id="private A"),
        pytest.param("172.16.5.4", id="private B"),
        pytest.param("192.168.1.1", id="private C"),
        pytest.param("100.64.0.1", id="carrier-grade NAT"),
        pytest.param("198.18.0.1", id="benchmarking"),
        pytest.param("192.0.2.1", id="documentation"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("240.0.0.1", id="reserved"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::1", id="IPv6 loopback"),
        pytest.param("::", id="IPv6 unspecified"),
        pytest.param("fe80::1", id="link-local"),
        pytest.param("fe80::1%eth0", id="link-local with a zone"),
        pytest.param("fc00::1", id="unique local"),
        pytest.param("fec0::1", id="site-local"),
        pytest.param("ff02::1", id="IPv6 multicast"),
        pytest.param("2001:db8::1", id="IPv6 documentation"),
        pytest.param("::ffff:127.0.0.1", id="IPv4-mapped loopback"),
        pytest.param("::ffff:a9fe:a9fe", id="IPv4-mapped metadata"),
        pytest.param("::7f00:1", id="IPv4-compatible loopback"),
        pytest.param("64:ff9b::7f00:1", id="NAT64 loopback"),
        pytest.param("2002:7f00:1::", id="6to4 loopback"),
        pytest.param("2001:0:4136:e378:8000:63bf:3fff:fdd2", id="Teredo"),
        pytest.param("2130706433", id="a number is no address"),
        pytest.param("localhost", id="a name is no address"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_not_public_is_not_called(address: str) -> None:
    assert not Targets().allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_may_be_called(address: str) -> None:
    assert Targets().allows(address)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("fd00::5", True),
        ("8.8.8.8", True),
    ],
)
def test_inner_networks_are_called_where_allowed(address: str, allowed: bool) -> None:
    assert Targets(["10.1.0.0/16", "fd00::/64"]).allows(address) is allowed


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com:8080/a?b=c",
        "https://[2606:4700::1111]/x",
        "https://[2606:4700::1111]:8443/x",
        "http://127.0.0.1:9000/tickets",
    ],
)
def test_addresses_as_they_should_be(url: str) -> None:
    assert fault_in_url(url) is None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("ftp://example.com/", "begins with https://", id="other scheme"),
        pytest.param("file:///etc/passwd", "begins with https://", id="file"),
        pytest.param("/tickets", "begins with https://", id="no host"),
        pytest.param("https:///x", "names a host", id="empty host"),
        pytest.param("https://user:pw@example.com/", "name or a password", id="credentials"),
        pytest.param("https://example.com:0/", "is no host", id="port 0"),
        pytest.param("https://example.com:99999/", "no address", id="port too large"),
        pytest.param("https://exa mple.com/", "without blanks", id="blank"),
        pytest.param("https://example.com\\@127.0.0.1/", "backslashes", id="backslash"),
        pytest.param("https://例子.cn/", "ASCII", id="not ASCII"),
        pytest.param("https://example.com/#x", "begins with #", id="fragment"),
        pytest.param("https://ex%61mple.com/", "is no host", id="encoded host"),
        pytest.param("https://[::1/", "no address", id="open bracket"),
        pytest.param("https://example.com/" + "a" * 2000, "longer", id="long"),
        pytest.param("http://127.0.0.1/", "security.allow_targets", id="inner address"),
        pytest.param("http://[::1]:80/", "security.allow_targets", id="inner IPv6 address"),
    ],
)
def test_a_fault_in_an_address_is_told(url: str, told: str) -> None:
    assert told in (fault_in_url(url, Targets()) or "")
