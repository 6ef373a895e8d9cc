"""What a log line may hold, and that every figure reaches the exposition."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway import telemetry


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    telemetry.configure("info", "json", stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param("to 8613905310001", "to 8613905***001", id="international"),
        pytest.param("to +8613905310001.", "to +8613905***001.", id="with a plus"),
        pytest.param("13905310001的回复", "13905***001的回复", id="beside Chinese"),
        pytest.param("bal-8613905310001-20261122T0900", "bal-8613905***001-20261122T0900", id="inside an id"),
        pytest.param({"to": ["13905310001"]}, {"to": ["13905***001"]}, id="nested"),
        pytest.param(8613905310001, "8613905***001", id="as an integer"),
        pytest.param("msg_0199abcdef1234567890ab", "msg_0199abcdef1234567890ab", id="ids stay"),
        pytest.param("took 0.1234567890123 s", "took 0.1234567890123 s", id="fractions stay"),
        pytest.param("10086", "10086", id="our own short code stays"),
        pytest.param(b"\x00\x01words", "<7 octets>", id="octets of the wire"),
        pytest.param({"text": "您好", "n": 1}, {"text": "<withheld>", "n": 1}, id="text withheld below"),
        pytest.param(True, True, id="a yes is not a number"),
    ],
)
def test_numbers_are_masked_wherever_they_stand(said: Any, shown: Any) -> None:
    assert telemetry.masked(said) == shown


def test_a_line_withholds_text_and_secrets_and_masks_numbers(lines: io.StringIO) -> None:
    structlog.get_logger("ours").info("message settled", to="13905310001", text="您好", password="p", parts=2)
    line = json.loads(lines.getvalue())
    assert line["event"] == "message settled"
    assert (line["to"], line["text"], line["password"], line["parts"]) == (
        "13905***001",
        "<withheld>",
        "<withheld>",
        2,
    )


def test_lines_of_libraries_take_the_same_road(lines: io.StringIO) -> None:
    logging.getLogger("theirs").warning("lost %s", "8613905310001", extra={"text": "您好", "route": "main"})
    line = json.loads(lines.getvalue())
    assert (line["event"], line["text"], line["route"]) == ("lost 8613905***001", "<withheld>", "main")


def test_numbers_in_tracebacks_are_masked(lines: io.StringIO) -> None:
    try:
        raise ValueError("13905310001 is odd")
    except ValueError:
        logging.getLogger("ours").exception("failed")
    assert "13905310001" not in lines.getvalue()
    assert "ValueError: 13905***001 is odd" in json.loads(lines.getvalue())["exception"]


def test_figures_are_exposed_under_our_name() -> None:
    telemetry.ACCEPTED.labels(lane="transactional", source="http").inc()
    told = telemetry.exposition().decode()
    assert 'huiyin_messages_accepted_total{lane="transactional",source="http"}' in told
    families = [line.split()[2] for line in told.splitlines() if line.startswith("# TYPE")]
    assert families
    assert all(name.startswith("huiyin_") for name in families)
