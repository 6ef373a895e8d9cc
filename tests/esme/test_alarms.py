"""Alarms of one route: raised once a number, and off as soon as the SMSC takes something of it."""

from __future__ import annotations

from gateway.esme.alarms import MOST, Alarms
from gateway.smpp import status
from gateway.smpp.status import Verdict

OURS = Verdict.OURS


def number_of(sender: str) -> str:
    """The first five digits."""
    return sender[:5]


def test_an_alarm_is_a_numbers_whatever_its_extension() -> None:
    alarms = Alarms("main", number_of)
    for extension in range(300):
        alarms.raised(status.ESME_RINVSERTYP, f"10086{extension:04}", OURS)
    alarms.raised(status.ESME_RINVESMCLASS, "10010", OURS)
    alarms.raised(status.ESME_RINVPRTFLG, "100861", OURS)
    assert [told.split(":")[0] for told in alarms.told()] == [
        "ESME_RINVPRTFLG",
        "ESME_RINVESMCLASS",
        "ESME_RINVSERTYP",
    ]
    assert alarms.told()[0].endswith("Sender 10086.")
    alarms.taken("100869999")
    assert [told.split(":")[0] for told in alarms.told()] == ["ESME_RINVESMCLASS"]
    alarms.taken("10010")
    assert not alarms


def test_a_new_alarm_is_never_hidden_by_old_ones() -> None:
    alarms = Alarms("main")
    for sender in range(MOST + 5):
        alarms.raised(status.ESME_RINVSERTYP, f"{sender}", OURS)
    assert len(alarms.told()) == MOST
    assert alarms.told()[0].endswith(f"Sender {MOST + 4}.")


def test_a_sender_of_no_number_is_named_by_its_address() -> None:
    alarms = Alarms("main", lambda _: "")
    alarms.raised(status.ESME_RINVSERTYP, "Shop", OURS)
    assert alarms.told()[0].endswith("Sender Shop.")
