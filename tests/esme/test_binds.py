"""Our side of SMPP against the simulated SMSC: logging in, sending, losing the link and finding it again."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.domain.handling import Handling
from gateway.domain.steering import Steering
from gateway.esme import binds as binds_module
from gateway.esme import hearing as hearing_module
from gateway.esme.binds import Binds
from gateway.esme.circuit import LEAST
from gateway.esme.profile import Profile
from gateway.esme.route import BindMode
from gateway.services.carrier import Fate
from gateway.services.receipts import Verdict
from gateway.simulator.smsc import Smsc
from gateway.smpp import status
from tests.esme.ground import QUICK, Heard, ground, parcel, parcels, route_to, states, until
from tests.services.road import ANNA, BEN

TRX, TX, RX = BindMode.TRANSCEIVER, BindMode.TRANSMITTER, BindMode.RECEIVER


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binds_module, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(binds_module, "LOGIN_PAUSE", 0.2)


@pytest.mark.parametrize(
    "modes", [pytest.param((TRX,), id="transceiver"), pytest.param((TX, RX), id="a pair")]
)
async def test_messages_out_receipts_and_replies_in(modes: tuple[BindMode, ...]) -> None:
    async with ground("", *modes) as here:
        await here.send(parcel("您好"))
        mo = await here.smsc.inject("8613905310001", "10086001", "8分")
        await asyncio.wait_for(mo.taken, 2)
        await until(lambda: here.heard.receipts)
        [outcome], [receipt], [reply] = here.heard.outcomes, here.heard.receipts, here.heard.short_messages
        assert outcome.fate is Fate.TAKEN
        assert (receipt.key, receipt.verdict, receipt.msisdn) == (outcome.key, Verdict.DELIVERED, ANNA)
        assert (reply.msisdn, reply.address, reply.payload) == (ANNA, "10086001", "8分".encode("utf-16-be"))
        assert here.binds.is_live(reply.session)
        [arrival] = here.smsc.record.arrivals
        assert (arrival.text, arrival.source, arrival.destination) == ("您好", "10086", ANNA)


async def test_several_binds_share_the_work() -> None:
    async with ground("latency: 50ms", binds=2, window=5, bound=2) as here:
        assert here.binds.room() == 10
        await here.send(*parcels(20))
        await until(lambda: here.heard.taken() == 20)
        assert len({arrival.bind for arrival in here.smsc.record.arrivals}) == 2


async def test_messages_to_one_number_keep_their_order_though_several_binds_share_them() -> None:
    async with ground("latency: 10ms", binds=2, window=5, bound=2) as here:
        here.binds.submit([parcel("other", to=BEN), parcel("first", to=ANNA), parcel("second", to=ANNA)])
        await until(lambda: here.heard.taken() == 3)
        arrivals = here.smsc.record.arrivals
        assert [each.text for each in arrivals if each.destination == ANNA] == ["first", "second"]


async def test_what_no_window_has_room_for_is_kept_in_its_order() -> None:
    async with ground("latency: 100ms", window=3) as here:
        here.binds.submit([parcel(f"{n}", to=f"861390531000{n}") for n in range(5)])
        assert states(here.binds)[0].in_flight == 3
        await until(lambda: here.heard.taken() == 5)
        assert [arrival.text for arrival in here.smsc.record.arrivals] == [f"{n}" for n in range(5)]


async def test_what_no_bind_sends_comes_back_unsent() -> None:
    async with ground() as here:
        here.binds.submit([parcel(), parcel()._replace(route="of before")])
        await until(lambda: len(here.heard.outcomes) == 2)
        assert sorted(here.heard.fates()) == ["TAKEN", "UNSENT"]


async def test_a_refused_login_is_not_tried_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binds_module, "LOGIN_PAUSE", 60.0)
    async with ground("accounts: [{system_id: huiyin, password: other}]", bound=0) as here:
        await until(lambda: here.binds.able()[1] != "main/transceiver-1: connecting")
        await asyncio.sleep(0.2)
        assert here.binds.able()[0] is False
        assert "password" in here.binds.able()[1].lower()
        assert "secret" not in here.binds.able()[1]
        assert not here.smsc.binds


@pytest.mark.parametrize(
    ("do", "fates"),
    [
        pytest.param("drop-before-answer", ["LOST", "TAKEN"], id="before the answer"),
        pytest.param("drop-after-answer", ["TAKEN", "TAKEN"], id="after the answer"),
    ],
)
async def test_a_dropped_connection_is_made_again(do: str, fates: list[str]) -> None:
    async with ground(f"faults: [{{do: {do}, times: 1}}]") as here:
        await here.send(parcel("one"))
        await until(lambda: here.heard.outcomes)
        await until(lambda: not here.smsc.binds or here.binds.room())
        await here.bound()
        await here.send(parcel("two"))
        await until(lambda: len(here.heard.outcomes) == 2)
        assert here.heard.fates() == fates


@pytest.mark.parametrize(
    ("code", "fate"),
    [
        pytest.param(status.ESME_RINVDSTADR, Fate.REFUSED, id="the recipient"),
        pytest.param(status.ESME_RSYSERR, Fate.PUT_OFF, id="for now"),
        pytest.param(0x0400, Fate.PUT_OFF, id="the vendor's own, at first"),
        pytest.param(status.ESME_RMSGQFUL, Fate.PUT_OFF, id="this recipient's queue"),
    ],
)
async def test_what_a_status_means(code: int, fate: Fate) -> None:
    async with ground(f"faults: [{{do: refuse, status: {code}}}]") as here:
        await here.send(parcel())
        await until(lambda: here.heard.outcomes)
        assert here.heard.outcomes[0].fate is fate
        assert here.heard.outcomes[0].command_status == code


async def test_throttled_messages_keep_their_order_and_their_attempts() -> None:
    async with ground("{rate: 200, burst: 5}", window=10) as here:
        await here.send(*parcels(40))
        await until(lambda: here.heard.taken() == 40)
        assert set(here.heard.fates()) == {"TAKEN"}
        taken = [a.text for a in here.smsc.record.arrivals if a.message_id]
        assert taken == [f"{n}" for n in range(40)]
        assert here.smsc.record.counts.throttled > 0
        assert 0 < (states(here.binds)[0].rate or 0) < 1000


async def test_the_refused_come_back_unsent_when_the_link_ends_before_they_could_go() -> None:
    async with ground("{rate: 0.001, burst: 1}", window=10) as here:
        here.binds.submit(parcels(4))
        await until(lambda: here.smsc.record.counts.throttled == 3)
        await asyncio.sleep(0.02)
        for bind in tuple(here.smsc.connections):
            bind.abort()
        await until(lambda: len(here.heard.outcomes) == 4)
        assert sorted(here.heard.fates()) == ["TAKEN", "UNSENT", "UNSENT", "UNSENT"]


async def test_a_late_answer_is_told_after_the_loss() -> None:
    async with ground("faults: [{do: answer-late, by: 0.8s, times: 1}]", timers=QUICK) as here:
        await here.send(parcel())
        await until(lambda: len(here.heard.outcomes) == 2)
        assert here.heard.fates() == ["LOST", "TAKEN"]
        assert here.heard.outcomes[0].reason == "no response"


async def test_a_late_refusal_for_its_speed_is_left_to_dispatch() -> None:
    """It was given up for lost: the link must not send it again behind dispatch's back."""
    async with ground("{rate: 0.001, burst: 1, latency: 600ms}", timers=QUICK) as here:
        here.binds.submit(parcels(2))
        await until(lambda: len(here.heard.outcomes) == 4)
        assert here.heard.fates() == ["LOST", "LOST", "TAKEN", "PUT_OFF"]
        assert here.smsc.record.counts.submits == 2


async def test_a_link_that_answers_nothing_but_enquire_link_is_dead() -> None:
    async with ground("faults: [{do: never-answer, times: 1}]", timers=QUICK) as here:
        await here.send(parcel())
        first = here.smsc.binds[0].number
        await until(lambda: here.smsc.binds and here.smsc.binds[0].number != first)
        assert here.heard.fates() == ["LOST"]


async def test_a_peer_that_is_silent_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ground("", timers=QUICK) as here:
        mute = here.smsc.binds[0]
        monkeypatch.setattr(mute, "flush", lambda: None)
        await until(lambda: any(bind is not mute for bind in here.smsc.binds))


async def test_an_unbind_of_the_peer_is_answered_and_the_bind_made_again() -> None:
    async with ground() as here:
        first = here.smsc.binds[0]
        first.unbind()
        await until(lambda: here.smsc.binds and here.smsc.binds[0] is not first)
        await here.bound()
        await here.send(parcel())
        await until(lambda: here.heard.taken() == 1)


async def test_a_status_about_the_link_costs_no_attempt_and_nobody_elses_answer() -> None:
    yaml = f"{{latency: 100ms, faults: [{{do: refuse, status: {status.ESME_RINVBNDSTS}, times: 1}}]}}"
    async with ground(yaml, window=10) as here:
        first = here.smsc.binds[0].number
        here.binds.submit(parcels(3))
        await until(lambda: len(here.heard.outcomes) == 3)
        assert sorted(here.heard.fates()) == ["TAKEN", "TAKEN", "UNSENT"]
        await until(lambda: here.smsc.binds and here.smsc.binds[0].number != first)


async def test_a_graceful_stop_waits_for_what_is_in_flight() -> None:
    async with ground("latency: 200ms") as here:
        here.binds.submit(parcels(5))
        await here.binds.stop(3.0)
        assert here.heard.fates() == ["TAKEN"] * 5
        assert here.binds.room() == 0


async def test_an_id_that_is_missing_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ground() as here:
        monkeypatch.setattr("gateway.simulator.smsc._written", lambda *_: "")
        await here.send(parcel())
        await until(lambda: here.heard.outcomes)
        assert here.heard.outcomes[0].fate is Fate.LOST
        assert here.heard.outcomes[0].reason == "taken without an id"


# Storage away


async def test_while_nothing_can_be_stored_the_smsc_keeps_its_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing_module, "REFUSALS", 3)
    async with ground("redelivery: {after: 20ms}") as here:
        here.heard.away = True
        first = here.smsc.binds[0].number
        mo = await here.smsc.inject("8613905310001", "10086", "8")
        await until(lambda: here.heard.refused >= 3)
        await until(lambda: not any(bind.number == first for bind in here.smsc.binds))
        assert not mo.taken.done()
        assert "can't be stored" in states(here.binds)[0].last_error
        here.heard.away = False
        await asyncio.wait_for(mo.taken, 5)
        assert [message.payload for message in here.heard.short_messages] == [b"8"]


async def test_one_refusal_ends_no_session() -> None:
    async with ground("redelivery: {after: 10s}") as here:
        here.heard.away = True
        mo = await here.smsc.inject("8613905310001", "10086", "8")
        await until(lambda: mo.parts[0].statuses)
        assert mo.parts[0].statuses == [status.ESME_RSYSERR]
        assert here.binds.able()[0]


async def test_an_account_that_fits_into_no_bind_says_so() -> None:
    async with ground(bound=0, system_id="much-longer-than-sixteen") as here:
        await until(lambda: "fit" in here.binds.able()[1])


async def test_what_fits_into_no_pdu_is_refused_for_good() -> None:
    async with ground() as here:
        here.binds.submit([parcel(sender="x" * 30), parcel("fine", to=BEN)])
        await until(lambda: len(here.heard.outcomes) == 2)
        assert sorted(here.heard.fates()) == ["REFUSED", "TAKEN"]


async def test_nobody_listens_and_then_somebody_does() -> None:
    async with ground() as here:
        port = here.smsc.port
        await here.smsc.close()
        await until(lambda: not here.binds.able()[0])
        here.smsc = await Smsc.start(port=port)
        await until(lambda: here.binds.able()[0])


# What keeps a bind down


async def test_a_host_that_is_no_name_is_told_and_tried_again() -> None:
    smsc = await Smsc.start()
    route = route_to(smsc.port)
    strange = replace(route.accounts[0], host="a" * 70 + ".example")
    binds = Binds([replace(route, accounts=(strange,))], seed=1)
    binds.start(Heard().ears())
    try:
        await until(lambda: states(binds)[0].last_error)
        [bind] = states(binds)
        assert bind.last_error.startswith("the host's name can't be one")
        await until(lambda: states(binds)[0].again_at != bind.again_at)
    finally:
        await binds.stop(0.5)
        await smsc.close()


async def test_an_error_that_nobody_expects_ends_no_bind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(binds_module, "STABLE_SECONDS", 0.0)
    async with ground() as here:
        connect = Binds._connect
        broken = iter([True, True])

        async def breaks(self: Binds, *arguments: Any) -> None:
            if next(broken, False):
                raise RuntimeError("what is this")
            await connect(self, *arguments)

        monkeypatch.setattr(Binds, "_connect", breaks)
        here.smsc.binds[0].abort()
        await until(lambda: states(here.binds)[0].last_error == "what is this")
        await here.bound()
    assert "bind failed" in caplog.text


async def test_the_refusal_of_one_message_is_no_reason_why_a_bind_is_down() -> None:
    async with ground(f"faults: [{{do: refuse, status: {status.ESME_RSYSERR}, times: 1}}]") as here:
        await here.send(parcel())
        await until(lambda: here.heard.outcomes)
        assert states(here.binds)[0].last_error == ""
        await here.smsc.close()
        await until(lambda: states(here.binds)[0].last_error)
        assert "system error" not in states(here.binds)[0].last_error


async def test_since_when_it_is_down_and_what_it_has_done_outlast_its_tries() -> None:
    async with ground() as here:
        await here.send(*parcels(2))
        await until(lambda: here.heard.taken() == 2)
        port = here.smsc.port
        await here.smsc.close()
        await until(lambda: states(here.binds)[0].again_at)
        before = states(here.binds)[0]
        await until(lambda: states(here.binds)[0].again_at not in (None, before.again_at))
        after = states(here.binds)[0]
        assert (after.since, after.submitted) == (before.since, 2)
        here.smsc = await Smsc.start(port=port)
        await here.bound()
        await here.send(parcel())
        await until(lambda: here.heard.taken() == 3)
        [bind] = states(here.binds)
        assert bind.submitted == 3
        assert bind.since is not None
        assert before.since is not None
        assert bind.since > before.since
        assert bind.last_error.startswith("before, at ")


async def test_a_route_that_hears_nothing_says_so() -> None:
    async with ground("", TX, RX) as here:
        [route] = here.binds.routes()
        assert route.state == "up"
        [receiver] = [slot for slot in here.binds._slots if slot.account.mode is RX]
        receiver.account = replace(receiver.account, port=1)
        assert receiver.link is not None
        receiver.link.abort()
        await until(lambda: here.binds.routes()[0].state == "sending only")
        [route] = here.binds.routes()
        assert route.why.startswith("nothing is received: main/receiver-1: ")
        assert here.binds.able() == (True, "bound; nothing is received: main")


async def test_a_refused_login_has_its_status_and_stands_there_once() -> None:
    yaml = "accounts: [{system_id: huiyin, password: other}]"
    async with ground(yaml, bound=0, binds=3) as here:
        await until(lambda: all("password" in bind.last_error for bind in states(here.binds)))
        told = "The password is wrong. (ESME_RINVPASWD)"
        assert {bind.last_error for bind in states(here.binds)} == {told}
        names = ", ".join(f"main/transceiver-{n}" for n in (1, 2, 3))
        assert here.binds.able() == (False, f"{names}: {told}")
        assert here.binds.routes()[0].why == f"{names}: {told}"


async def test_a_dead_smsc_is_logged_once_a_route(caplog: pytest.LogCaptureFixture) -> None:
    async with ground(binds=3, bound=3) as here:
        await here.smsc.close()
        await until(lambda: all(bind.last_error == "nothing listens there" for bind in states(here.binds)))
        tried = {bind.name: bind.again_at for bind in states(here.binds)}
        await until(lambda: all(bind.again_at != tried[bind.name] for bind in states(here.binds)))
    told = [record.__dict__["why"] for record in caplog.records if record.message == "bind down"]
    assert len(told) == len(set(told))


# What a link gives back


async def test_an_unbinding_bind_gives_back_what_it_keeps_and_lets_the_backup_in() -> None:
    yaml = f"{{latency: 300ms, faults: [{{do: refuse, status: {status.ESME_RINVBNDSTS}, times: 1}}]}}"
    async with ground(yaml, window=2) as here:
        here.binds.submit([*parcels(2), parcel("kept", to=BEN), parcel("kept too")])
        await until(lambda: here.heard.outcomes)
        assert here.heard.fates() == ["UNSENT"] * 3
        assert here.binds._chooser.paths["main"].down_since is not None
        assert states(here.binds)[0].state == "unbinding"


async def test_a_bind_whose_route_is_found_to_fail_gives_back_what_it_keeps() -> None:
    faults = f"faults: [{{do: refuse, status: {status.ESME_RSYSERR}}}]"
    async with ground(f"{{latency: 20ms, {faults}}}", window=LEAST, rate=200.0) as here:
        here.binds.submit(parcels(100))
        await until(lambda: len(here.heard.outcomes) == 100)
        fates = Counter(here.heard.fates())
        assert fates["PUT_OFF"] < 60
        assert fates["UNSENT"] == 100 - fates["PUT_OFF"]
        assert states(here.binds)[0].state == "bound_trx"


async def test_what_no_route_can_do_is_told_at_acceptance() -> None:
    wish = Handling(deliver_at=datetime.now(UTC) + timedelta(days=40))
    routes = {
        "absolute": route_to(1),
        "relative": replace(route_to(1), name="other", profile=Profile(schedule="relative")),
        "none": replace(route_to(1), name="none", profile=Profile(schedule="none")),
    }
    told = {
        "absolute": "",
        "relative": "this SMSC keeps nothing for longer than 31 days",
        "none": "this SMSC keeps nothing until later",
    }
    for name, route in routes.items():
        assert Binds([route]).unable(ANNA, "10086", "service", wish) == told[name]
        assert Binds([route]).unable(ANNA, "10086", "service", Handling(flash=True)) == ""
    assert Binds([*routes.values()]).unable(ANNA, "10086", "service", wish) == ""


async def test_a_senders_type_of_number_follows_our_numbers() -> None:
    async with ground() as here:
        for count, number in enumerate(("8888888888", "10086"), 1):
            here.binds.steer(Steering((), ["main"]), {number: 0.0})
            await here.send(parcel(sender="1008600001"))
            await until(lambda count=count: len(here.heard.outcomes) == count)  # type: ignore[misc]
        assert [arrival.source_kind[0] for arrival in here.smsc.record.arrivals] == [1, 3]
