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
faults: [{do: answer-late, share: 0.5, every: 2, after: 1, times: 3, to: '861', by: 4s}]
"""
    )
    assert played.throttle_status == 0x14
    assert played.receipts.outcomes == {State.DELIVERED: 9, State.EXPIRED: 1}
    assert played.redelivery.after == Span(2, 2)
    [fault] = played.faults
    assert (fault.do, fault.after, fault.by) == (Do.ANSWER_LATE, 1, Span(4, 4))


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
