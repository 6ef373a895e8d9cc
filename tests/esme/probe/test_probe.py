"""The probe finds out what the scenario says, sends to one number no more than it may, and always ends."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Settings, profiles_of
from gateway.config.schema import Smsc as SmscSettings
from gateway.esme.probe import Bounds, Findings, Target, messages_planned, probe
from gateway.esme.probe.ids import id_habits, looks, telling
from gateway.esme.probe.report import profile_of, tell
from gateway.esme.profile import Profile
from gateway.simulator import scenario
from gateway.simulator.smsc import Smsc
from gateway.smpp.receipt import Habits, IdForm
from tests.esme.probe.narrow import narrow

TO, OURS = "8613905310001", "10086"
QUICK = Bounds(rest=0.01, pace=0.005, answer=2.0, receipt=0.4, rate=40, spell=0.3, whole=30.0)


FEW = Bounds(
    rest=0.01, pace=0.005, answer=1.0, receipt=0.3, rate=40, spell=0.2, whole=20.0, binds=2, messages=12
)


def target(port: int, **fields: Any) -> Target:
    usual = {"system_id": "huiyin", "password": "secret", "to": TO, "sender": OURS}
    return Target(host="127.0.0.1", port=port, **(usual | fields))


async def asked(yaml: str, bounds: Bounds = QUICK, **fields: Any) -> tuple[Findings, Smsc]:
    smsc = await Smsc.start(scenario.parse(yaml))
    try:
        return await probe(target(smsc.port, **fields), bounds), smsc
    finally:
        await smsc.close()


def found(findings: Findings) -> dict[str, Any]:
    """The habits, but the zone, which is that of the machine."""
    return {habit.path: habit.value for habit in findings.habits if habit.path != "zone"}


@pytest.mark.parametrize(
    ("yaml", "habits"),
    [
        pytest.param("", {}, id="plain"),
        pytest.param(
            "ids: {response: hex, receipt: decimal}",
            {"receipts.response_id": "hex", "receipts.receipt_id": "decimal"},
            id="ids in hex here and decimal there",
        ),
        pytest.param(
            "ids: {response: decimal, receipt: hex}",
            {"receipts.response_id": "decimal", "receipts.receipt_id": "hex"},
            id="ids in decimal here and hex there",
        ),
        pytest.param(
            "accounts: [{system_id: huiyin, password: secret, max_binds: 2}]",
            {"limits.binds": 2},
            id="two binds",
        ),
        pytest.param(
            "receipts: {tlvs: false, esm_class: false}",
            {"receipts.without_esm_class": True},
            id="receipts that nothing but their text tells",
        ),
        pytest.param("receipts: {tlvs: false}", {}, id="no parameters"),
        pytest.param(
            "receipts: {form: own-words}", {"receipts.words": {"0": "DELIVERED"}}, id="words of its own"
        ),
        pytest.param(
            "receipts: {form: source-own-number}",
            {"receipts.customer": "destination"},
            id="addresses as in the message",
        ),
        pytest.param(
            "receipts: {form: hex-upper, tlvs: false}",
            {"receipts.ignore_case": True},
            id="ids in another case",
        ),
        pytest.param(
            "receipts: {form: leading-zeros, tlvs: false}",
            {"receipts.ignore_zeros": True},
            id="ids with zeros before them",
        ),
        pytest.param(
            "receipts: {via: data_sm, form: tlv-only, parts: last}",
            {"receipts.parts": "last"},
            id="data_sm, parameters alone, the last part",
        ),
        pytest.param(
            "receipts: {via: message_payload, form: text-first}", {}, id="a text that forges a receipt"
        ),
        pytest.param("receipts: {parts: last}", {"receipts.parts": "last"}, id="the last part alone"),
        pytest.param("receipts: {parts: first}", {"receipts.parts": "first"}, id="the first part alone"),
    ],
)
async def test_what_is_found_is_what_the_scenario_says(yaml: str, habits: dict[str, Any]) -> None:
    findings, smsc = await asked(yaml)
    assert found(findings) == habits
    assert findings.messages == smsc.record.counts.submits


async def test_a_word_that_nothing_explains_is_left_to_people() -> None:
    findings, _ = await asked("receipts: {form: own-words, tlvs: false}")
    assert findings.unknown.count("what its word '0' means: say it in receipts.words") == 1


async def test_a_rate_is_found_and_its_refusals_are_no_window() -> None:
    bounds = Bounds(pace=0.005, answer=2.0, receipt=0.6, rate=150, spell=1.0, messages=300)
    findings, _ = await asked("rate: 50", bounds)
    assert 25 <= findings.value("limits.rate") <= 60
    assert findings.value("limits.window") is None
    assert "its window: refusals of a burst can't be told from those for its rate" in findings.unknown


async def test_a_window_is_found_with_the_status_that_it_refuses_with() -> None:
    async with narrow(window=7, command_status=0x14) as port:
        findings = await probe(target(port), QUICK)
    assert found(findings) == {"limits.window": 7, "statuses": {"ESME_RMSGQFUL": "throttle"}}


async def test_a_window_beyond_which_nothing_is_answered_is_found() -> None:
    bounds = Bounds(pace=0.005, answer=0.5, receipt=0.2, rate=20, spell=0.5)
    async with narrow(window=7, forgets=True) as port:
        findings = await probe(target(port), bounds)
    assert findings.value("limits.window") == 7


@pytest.mark.parametrize(
    "yaml",
    [
        pytest.param("faults: [{do: drop-before-answer, every: 9}]", id="it drops the connection"),
        pytest.param("faults: [{do: never-answer, every: 3}]", id="it does not answer"),
        pytest.param("faults: [{do: garbage, every: 5}]", id="it answers garbage"),
        pytest.param("faults: [{do: unbind, after: 4, every: 1}]", id="it unbinds"),
        pytest.param("faults: [{do: half-open, after: 3, every: 1}]", id="it falls silent"),
        pytest.param("faults: [{do: refuse, every: 1, status: 0x45}]", id="it refuses everything"),
    ],
)
async def test_whatever_it_does_the_probe_ends_and_tells(yaml: str) -> None:
    bounds = Bounds(pace=0.0, answer=0.2, receipt=0.2, rate=40, spell=0.2, whole=20.0, binds=2)
    async with asyncio.timeout(25):
        findings, smsc = await asked(yaml, bounds)
    assert findings.bound
    assert findings.unknown
    assert "NOT FOUND OUT" in tell(findings)
    assert smsc.record.counts.submits <= bounds.messages


async def test_a_session_that_is_ended_is_opened_again_for_the_next_question() -> None:
    findings, _ = await asked("faults: [{do: drop-before-answer, after: 6, every: 1, times: 1}]")
    said = {line.question: line.ours for line in findings.lines}
    ended = [question for question, ours in said.items() if ours.endswith("the SMSC ended the session")]
    assert len(ended) == 1
    assert said["an unknown parameter 0x1403"].startswith("taken")
    assert findings.habits


async def test_nobody_but_the_number_gets_a_message_and_no_more_than_is_agreed() -> None:
    bounds = Bounds(pace=0.0, answer=1.0, receipt=0.2, rate=40, spell=0.2, messages=12, binds=2)
    findings, smsc = await asked("", bounds)
    arrivals = list(smsc.record.arrivals)
    assert {arrival.destination for arrival in arrivals} == {TO}
    assert {arrival.source for arrival in arrivals} == {OURS}
    assert len(arrivals) == findings.messages == 12 == messages_planned(bounds)
    assert any("no message is left to spend" in each for each in findings.unknown)


async def test_without_a_number_nothing_is_sent() -> None:
    findings, smsc = await asked("", to="")
    assert (findings.messages, smsc.record.counts.submits) == (0, 0)
    assert findings.bound
    assert "everything about messages: no number was given to send to (--to)" in findings.unknown


async def test_a_refused_login_is_tried_once() -> None:
    findings, _ = await asked("accounts: [{system_id: huiyin, password: other}]")
    assert not findings.bound
    assert findings.lines[0].ours == "refused: ESME_RINVPASWD"
    assert len(findings.lines) == 1


async def test_where_nobody_answers_it_says_so() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    findings = await probe(target(port), QUICK)
    assert not findings.bound
    assert findings.unknown[0].startswith(f"the rest: no connection to 127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("pairs", "habits"),
    [
        pytest.param([("a1", "a1"), ("a2", "a2")], Habits(), id="alike"),
        pytest.param([("A1", "a1")], Habits(ignore_case=True), id="another case"),
        pytest.param([("0012", "12")], Habits(ignore_zeros=True), id="zeros"),
        pytest.param([("00AB", "ab")], Habits(ignore_zeros=True, ignore_case=True), id="zeros and case"),
        pytest.param(
            [("1f", "31")], Habits(response_id=IdForm.HEX, receipt_id=IdForm.DECIMAL), id="hex to decimal"
        ),
        pytest.param(
            [("ffffffffffffffffff", "4722366482869645213695")],
            Habits(response_id=IdForm.HEX, receipt_id=IdForm.DECIMAL),
            id="of any size",
        ),
        pytest.param([("a1", "b7")], None, id="nothing in common"),
    ],
)
def test_habits_of_ids_are_read_off_pairs(pairs: list[tuple[str, str]], habits: Habits | None) -> None:
    assert id_habits(pairs) == habits


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["1234512345123451"], "decimal, 16 signs"),
        (["12345"], "digits alone: decimal or hex, too few to tell, 5 signs"),
        (["12345", "12346", "12347", "12348"], "decimal, 5 signs"),
        (["9", "a", "10"], "hex, lower case, 1 to 2 signs"),
        (["7"], "digits alone: decimal or hex, too few to tell, 1 sign"),
        (["0ab1"], "hex, lower case, 4 signs, with leading zeros"),
        (["AB1"], "hex, upper case, 3 signs"),
        (["7-x"], "free text, 3 signs"),
    ],
)
def test_the_form_of_ids_in_words(ids: list[str], words: str) -> None:
    assert looks(*ids) == words


@pytest.mark.parametrize(
    ("pairs", "tells"),
    [
        pytest.param([("1", "1"), ("9", "9")], False, id="the same in hex and in decimal"),
        pytest.param([("0007", "7")], False, id="with zeros before it"),
        pytest.param([("9", "9"), ("10", "10")], True, id="two digits"),
        pytest.param([("a", "10")], True, id="a letter"),
    ],
)
def test_whether_ids_show_their_form(pairs: list[tuple[str, str]], tells: bool) -> None:
    assert telling(pairs) is tells


async def test_of_ids_that_are_too_short_nothing_is_concluded() -> None:
    findings, _ = await asked("ids: {response: hex, receipt: decimal, first: 1}", FEW)
    assert "receipts.response_id" not in found(findings)
    assert any("too short to tell" in each for each in findings.unknown)


@pytest.mark.parametrize(
    ("fields", "last"),
    [
        pytest.param({}, None, id="nothing was found"),
        pytest.param(
            {"bound": True}, "of messages and receipts nothing is known: none was sent", id="no --to"
        ),
        pytest.param(
            {"bound": True, "messages": 3},
            "of receipts nothing is known: none came; see below",
            id="no receipt",
        ),
        pytest.param(
            {"bound": True, "messages": 3, "receipts": 2},
            "nothing but what is usual: the default profile fits",
            id="all as usual",
        ),
    ],
)
def test_a_profile_is_told_as_far_as_it_is_known(fields: dict[str, Any], last: str | None) -> None:
    lines = tell(Findings(address="smsc:2775", system_id="huiyin", **fields))
    assert ("PROFILE" in lines) == (last is not None)
    assert last is None or lines[-1].strip() == last


@pytest.mark.parametrize(
    "yaml",
    [
        pytest.param("", id="all are taken"),
        pytest.param("rate: 20", id="some are refused"),
        pytest.param("faults: [{do: refuse-bind, every: 1}]", id="no bind"),
        pytest.param("faults: [{do: drop-before-answer, every: 7}]", id="sessions break"),
    ],
)
async def test_as_many_messages_are_told_as_the_smsc_saw(yaml: str) -> None:
    findings, smsc = await asked(yaml, FEW)
    assert findings.messages == smsc.record.counts.submits


async def test_the_profile_is_one_that_the_gateway_reads(tmp_path: Path) -> None:
    yaml = "ids: {response: hex, receipt: decimal}\naccounts: [{system_id: huiyin, max_binds: 3}]"
    findings, _ = await asked(yaml)
    profile = read_back(findings, tmp_path)
    assert profile.receipts.response_id is IdForm.HEX
    assert profile.receipts.receipt_id is IdForm.DECIMAL
    assert profile.limits.binds == 3
    assert profile.zone == findings.value("zone")


def test_every_habit_can_stand_in_a_profile_and_no_word_of_an_smsc_breaks_it(tmp_path: Path) -> None:
    findings = Findings(address="smsc:2775", system_id="huiyin", bound=True)
    habits = {
        "receipts.words": {"MK:0005": "UNDELIVERABLE", "NULL": "EXPIRED"},
        "receipts.prefer_tlv_id": False,
        "receipts.customer": "destination",
        "receipts.ignore_zeros": True,
        "text.join": "udh16",
        "text.ucs2_coding": 0x18,
        "text.flash": "f0",
        "validity": "none",
        "schedule": "relative",
        "statuses": {"ESME_RMSGQFUL": "throttle", "0x0481": "throttle"},
        "limits.window": 7,
        "limits.rate": 50,
        "zone": "-03:30",
    }
    for path, value in habits.items():
        findings.is_so(path, value, "as 'seen':\nreceipts: {broken\x85: [")
    findings.not_known("this\u2028and: that")
    profile = read_back(findings, tmp_path)
    assert profile.text.join == "udh16"
    assert profile.validity == "none"
    assert profile.receipts.words["NULL"] == "EXPIRED"
    assert len(profile.statuses) == 2


def read_back(findings: Findings, folder: Path) -> Profile:
    where = folder / "rules" / "smsc"
    where.mkdir(parents=True)
    (where / "found.yaml").write_text(profile_of(findings), encoding="utf-8")
    main = SmscSettings(host="smsc", system_id="huiyin", profile="found")
    profiles = profiles_of(Settings(home=folder, smsc={"main": main}))
    assert profiles.faults == []
    profile = profiles.get("found")
    assert profile is not None
    return profile
