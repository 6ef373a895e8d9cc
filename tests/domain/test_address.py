"""Which of our numbers a reply came to."""

import pytest

from gateway.domain.address import Address, split_address

SENDERS = {"10086": 3, "1008611": 0, "106581234": 4}


@pytest.mark.parametrize(
    ("destination", "address"),
    [
        pytest.param("10086", Address("10086"), id="bare"),
        pytest.param("10086123", Address("10086", "123"), id="extension"),
        pytest.param("1008600", Address("10086", "00"), id="a shorter extension"),
        pytest.param("1008611", Address("1008611"), id="the longest number wins"),
        pytest.param("10086112", Address("10086", "112"), id="unless its digits do not fit"),
        pytest.param("100861234", None, id="too many digits"),
        pytest.param("1065812340042", Address("106581234", "0042"), id="another sender"),
        pytest.param("8610086123", Address("10086", "123"), id="country code in front"),
        pytest.param("+8610086123", Address("10086", "123"), id="plus and country code"),
        pytest.param("10010", None, id="not ours"),
        pytest.param("", None, id="empty"),
        pytest.param("10086x", None, id="no digit"),
    ],
)
def test_destination_is_taken_apart(destination: str, address: Address | None) -> None:
    assert split_address(destination, SENDERS) == address


def test_address_is_written_as_it_is_dialled() -> None:
    assert str(Address("10086", "042")) == "10086042"
