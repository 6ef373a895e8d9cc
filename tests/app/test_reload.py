"""Reading the files again while a node runs: all of it is taken over, or nothing."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from gateway.app.node import Node
from gateway.config import Settings, shipped
from gateway.config.schema import Smsc
from gateway.domain.steering import Steering

MAIN = Smsc(host="10.0.0.1", system_id="us")


class Steered:
    """In the place of binds and dispatch: whether they were led other ways."""

    def __init__(self) -> None:
        self.times = 0

    def steer(self, _steering: Steering, _rates: Mapping[str, float]) -> None:
        self.times += 1

    def steered(self) -> None:
        assert self.times


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("rules", "templates"):
        shutil.copytree(shipped(name), tmp_path / name)
    return Settings(home=tmp_path, smsc={"main": MAIN})


def node_of(settings: Settings, again: Settings) -> tuple[Node, Steered]:
    node, ways = Node(settings, "", read_again=lambda: again), Steered()
    node.binds = node.dispatch = ways  # type: ignore[assignment]
    return node, ways


@pytest.mark.parametrize("faulty", ["rules", "routing"])
def test_what_is_sound_is_not_taken_over_beside_what_is_not(settings: Settings, faulty: str) -> None:
    smsc = {"main": MAIN} if faulty == "rules" else {"main": MAIN, "spare": MAIN}
    node, ways = node_of(settings, msgspec.structs.replace(settings, smsc=smsc))
    before = node.desk.rules, node.desk.catalogue
    rule = "expires_in: 24h\nreminder: {after: 24h}" if faulty == "rules" else "expires_in: 48h"
    settings.path("rules/surveys.yaml").write_text(rule)
    node.reload()
    assert (node.desk.rules, node.desk.catalogue) == before
    assert ways.times == 0


def test_a_changed_smsc_is_told_to_need_a_restart(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    other = msgspec.structs.replace(MAIN, host="10.0.0.2")
    node, ways = node_of(settings, msgspec.structs.replace(settings, smsc={"main": other}))
    with caplog.at_level(logging.WARNING):
        node.reload()
    assert ways.times == 1
    assert [record.__dict__["section"] for record in caplog.records] == ["smsc.main"]
