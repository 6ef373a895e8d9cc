"""Scenarios: read, refused with their line, changed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator import scenario
from gateway.simulator.scenario import SHIPPED, Do, Scenario, ScenarioError, Span
from gateway.smpp.receipt import State


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        pytest.param("50ms", 0.05, 0.05, id="milliseconds"),
        pytest.param("2s", 2, 2, id="seconds"),
        pytest.param(1.5, 1.5, 1.5, id="a number"),
        pytest.param("1s..5m", 1, 300, id="between"),
        pytest.param("3d", 259200, 259200, id="days"),
    ],
)
def test_times_are_read_as_written(written: object, low: float, high: float) -> None:
    assert Span.parse(written) == Span(low, high)


@given(st.text() | st.floats() | st.integers() | st.none())
def test_what_is_no_time_is_a_fault_and_nothing_else(written: object) -> None:
    try:
        span = Span.parse(written)
    except ValueError:
        return
    assert 0 <= span.low <= span.high


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_what_ships_can_be_played(path: Path) -> None:
    played = scenario.find(Path(path.stem))
    assert played.name == path.stem
    assert scenario.change(played, {}) == played


def test_everything_that_can_be_said_is_read() -> None:
    played = scenario.parse(
        """
seed: 3
accounts: [{system_id: north, password: n, max_binds: 2, rate: 10, numbers: ['10086'], receipts_to: south}]
latency: 1ms..2ms
rate: 100
burst: 5
throttle_status: 0x14
ids: {response: hex, receipt: decimal, first: 7}
receipts: {delay: 1s, outcomes: {delivered: 9, expired: 1}, tlvs: false, esm_class: false}
window: 10
redelivery: {timeout: 1s, after: 2s}
enquire_link: 5s
rates: [{from: 0s, rate: 500}, {from: 1m, rate: 5000}]
queue: 100
congestion: true
mo: {join: sar, data_coding: 8}
faults:
  - {do: answer-late, share: 0.5, every: 2, after: 1, times: 3, to: '861', by: 4s, from: 10s, until: 70s}
"""
    )
    assert [(step.since, step.rate) for step in played.rates] == [(0, 500), (60, 5000)]
    assert scenario.change(played, {}) == played
    assert played.throttle_status == 0x14
    assert played.receipts.outcomes == {State.DELIVERED: 9, State.EXPIRED: 1}
    assert played.redelivery.after == Span(2, 2)
    [fault] = played.faults
    assert (fault.do, fault.after, fault.by) == (Do.ANSWER_LATE, 1, Span(4, 4))
    assert (fault.since, fault.until) == (10, 70)


def test_nothing_said_is_the_faultless_smsc() -> None:
    assert scenario.parse("") == Scenario()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("seed: 1\nfaults:\n  - {do: nope}", 3, "faults.0.do", id="unknown fault"),
        pytest.param("latency: soon", 1, "latency", id="no time"),
        pytest.param("seed: 1\nlatency: 5s..1s", 2, "ends before", id="time backwards"),
        pytest.param("seed: 1\nwindoww: 3", 2, "windoww", id="unknown key"),
        pytest.param("seed: 1\n\nseed: 2", 3, "twice", id="key twice"),
        pytest.param("seed: [1", 2, "not YAML", id="no YAML"),
        pytest.param("receipts:\n  outcomes: {deliverd: 1}", 2, "outcomes", id="unknown outcome"),
        pytest.param("receipts:\n  outcomes: {delivered: 0}", 2, "outcomes", id="no share at all"),
        pytest.param("seed: 1\nwindow: 0", 2, "window", id="no window"),
        pytest.param("faults:\n- {do: refuse, share: 2}", 2, "share", id="share over 1"),
        pytest.param("accounts:\n- {system_id: ''}", 2, "system_id", id="account without a name"),
        pytest.param("- 1", 1, "the whole", id="no table"),
        pytest.param("faults:\n- do: refuse\n  every: 0", 3, "every", id="each noughth"),
        pytest.param("faults:\n- do: refuse\n  after: -1", 3, "after", id="after less than none"),
        pytest.param("faults:\n- do: refuse\n  times: -1", 3, "times", id="less than no times"),
        pytest.param("faults:\n- do: refuse\n  status: 0", 3, "status", id="refused with OK"),
        pytest.param("faults:\n- do: deaf\n  status: 8", 3, "no status", id="a status of none"),
        pytest.param("faults:\n- do: deaf\n  state: deleted", 3, "no state", id="a state of none"),
        pytest.param("faults:\n- do: deaf\n  by: soon", 3, "by", id="no time how long"),
        pytest.param("faults:\n- do: deaf\n  from: x", 3, "from", id="no time since when"),
        pytest.param("faults:\n- do: deaf\n  from: 5s\n  until: 2s", 4, "later than from", id="over before"),
        pytest.param(
            "faults:\n- do: receipt-intermediate\n  state: gone", 3, "state", id="a state that is none"
        ),
        pytest.param("rates:\n- {from: 0s, rate: 1}\n- {from: 0s, rate: 2}", 3, "later", id="steps at once"),
        pytest.param("rates:\n- {from: 0s, rate: -1}", 2, "rate", id="a step below none"),
        pytest.param("rates:\n- {rate: 1}", 2, "from", id="a step without its time"),
        pytest.param("queue: -1", 1, "queue", id="less than no queue"),
        pytest.param("rate: -1", 1, "rate", id="less than no rate"),
        pytest.param("burst: 0", 1, "burst", id="no burst"),
        pytest.param("throttle_status: -1", 1, "throttle_status", id="no status"),
        pytest.param("ids: {reuse: -1}", 1, "reuse", id="ids less than none"),
        pytest.param("ids:\n  response: octal", 2, "response", id="an unknown form of ids"),
        pytest.param("receipts:\n  form: fancy", 2, "appendix-b", id="an unknown form of receipts"),
        pytest.param("receipts:\n  form: 'id:{idd}'", 2, "{idd}", id="an unknown hole"),
        pytest.param("receipts:\n  via: pigeon", 2, "via", id="an unknown way"),
        pytest.param("receipts:\n  parts: some", 2, "parts", id="unknown parts"),
        pytest.param("receipts:\n  hasten: 0", 2, "hasten", id="a clock that stands"),
        pytest.param("receipts:\n  words: {gone: x}", 2, "words", id="a word for no state"),
        pytest.param("mo:\n  join: glue", 2, "join", id="joined by nothing known"),
        pytest.param("mo:\n  data_coding: 256", 2, "data_coding", id="no octet"),
        pytest.param("customers: {pace: -1}", 1, "pace", id="back in time"),
        pytest.param("accounts:\n- {system_id: a, max_binds: -1}", 2, "max_binds", id="binds below none"),
    ],
)
def test_a_fault_in_a_scenario_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario.parse(text, "bad.yaml")
    assert str(caught.value).startswith(f"bad.yaml:{line}: ")
    assert said in str(caught.value)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        assert isinstance(scenario.parse(text), Scenario)
    except ScenarioError as error:
        assert str(error)  # noqa: PT017 - most texts are no scenario, and any may be


def test_an_unknown_scenario_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"plain.*rough"):
        scenario.find(Path("smooth"))
    with pytest.raises(ScenarioError, match="can't be read"):
        scenario.find(tmp_path / "missing.yaml")
