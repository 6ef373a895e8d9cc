"""Profiles against SMSCs that have the habits: over a socket, what is sent arrives so, receipts find home."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.config import Profiles
from gateway.config.profiles import SHIPPED
from gateway.domain.handling import Handling
from gateway.esme.profile import Profile
from gateway.services.carrier import Fate, Place
from gateway.services.receipts import Verdict
from gateway.sms.segment import split
from tests.esme.ground import Ground, ground, parcel, until
from tests.services.road import ANNA

LONG = "您反映的宽带故障已经处理完毕，" * 8


def shipped(name: str) -> Profile:
    found = Profiles(Path("nowhere")).get(name)
    assert found is not None
    return found


async def reported(here: Ground) -> None:
    """One message out, taken, reported and matched by its id and its customer."""
    await here.send(parcel("您好"))
    await until(lambda: here.heard.receipts)
    [outcome], [receipt] = here.heard.outcomes, here.heard.receipts
    assert outcome.fate is Fate.TAKEN
    assert (receipt.key, receipt.verdict, receipt.msisdn) == (outcome.key, Verdict.DELIVERED, ANNA)


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
async def test_every_shipped_profile_sends_and_hears(name: str) -> None:
    form = "{form: source-own-number}" if name == "unswapped-receipts" else "{}"
    async with ground(
        f"ids: {{response: decimal, receipt: decimal}}\nreceipts: {form}", profile=shipped(name)
    ) as here:
        await here.send(parcel("您好", expires_at=datetime.now(UTC) + timedelta(hours=1)))
        await until(lambda: here.heard.receipts)
        assert here.heard.fates() == ["TAKEN"]
        assert here.heard.receipts[0].msisdn == ANNA
        assert here.smsc.record.arrivals[0].text == "您好"


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        pytest.param("default", "{}", id="as the standard"),
        pytest.param(
            "hex-and-decimal",
            "ids: {response: hex, receipt: decimal}\nreceipts: {tlvs: false}",
            id="hex here, decimal there",
        ),
        pytest.param("zero-padded", "receipts: {tlvs: false, form: leading-zeros}", id="zeros"),
        pytest.param("no-tlvs", "receipts: {tlvs: false, esm_class: false}", id="neither of both"),
        pytest.param("cmpp-words", "receipts: {tlvs: false, form: own-words}", id="words of its own"),
        pytest.param("unswapped-receipts", "receipts: {form: source-own-number}", id="addresses not swapped"),
        pytest.param("default", "receipts: {via: data_sm}", id="in data_sm"),
        pytest.param("default", "receipts: {via: message_payload}", id="in message_payload"),
        pytest.param("default", "receipts: {form: tlv-only}", id="parameters alone"),
        pytest.param("default", "receipts: {form: text-first}", id="text first"),
        pytest.param("local-time", "receipts: {form: longest-dates}", id="dates in a zone"),
    ],
)  # fmt: skip
async def test_a_receipt_is_matched_where_the_profile_fits(name: str, scenario: str) -> None:
    async with ground(scenario, profile=shipped(name)) as here:
        await reported(here)


@pytest.mark.parametrize(
    ("name", "kind"),
    [pytest.param("sar", "sar", id="sar_*"), pytest.param("payload", "payload", id="message_payload")],
)
async def test_long_texts_arrive_as_the_profile_joins_them(name: str, kind: str) -> None:
    profile = shipped(name)
    cut = split(LONG, 77, profile.text.cutting())
    async with ground("{}", profile=profile) as here:
        total = len(cut.payloads)
        await here.send(
            *(
                parcel(
                    LONG, payload=payload, data_coding=cut.data_coding, esm_class=cut.esm_class,
                    place=Place(kind, cut.reference, total, number),
                )
                for number, payload in enumerate(cut.payloads, 1)
            )
        )  # fmt: skip
        await until(lambda: here.heard.taken() == total)
        arrivals = list(here.smsc.record.arrivals)
        assert "".join(arrival.text for arrival in arrivals) == LONG
        wanted = [(77, total, number) for number in range(1, total + 1)] if kind == "sar" else [None]
        assert [arrival.part for arrival in arrivals] == wanted


async def test_a_messages_wishes_arrive() -> None:
    at = datetime.now(UTC) + timedelta(hours=3)
    handling = Handling(flash=True, priority=2, deliver_at=at, parameters={0x1403: b"\x0a\x0b"})
    async with ground("{}", profile=shipped("local-time")) as here:
        await here.send(parcel("hi", handling=handling, data_coding=0, payload=b"hi"))
        await until(lambda: here.heard.taken() == 1)
        arrival = here.smsc.record.arrivals[0]
        assert (arrival.data_coding, arrival.priority_flag, arrival.tlvs[0x1403]) == (0x10, 2, b"\x0a\x0b")
        assert arrival.schedule_delivery_time.endswith(
            "032+"
        )  # whole seconds, +08:00, in quarters of an hour
