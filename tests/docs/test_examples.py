"""The calls that the documentation shows are ones that the gateway takes."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.config import shipped
from gateway.domain import template
from gateway.domain.request import MessageRequest, ResolutionRequest

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
BODIES: list[dict[str, Any]] = [json.loads(body) for body in re.findall(r"'(\{.*?\})'", SHELL, re.DOTALL)]
CATALOGUE = template.load(shipped("templates") / "sms")


def test_there_are_examples() -> None:
    assert len(BODIES) >= 4
    assert any("template" in body for body in BODIES)


@pytest.mark.parametrize("body", [body for body in BODIES if len(body) > 1], ids=lambda body: body["to"])
def test_an_example_fits_its_call(body: dict[str, Any]) -> None:
    msgspec.convert(body, ResolutionRequest if "ticket" in body else MessageRequest)


@pytest.mark.parametrize("body", [body for body in BODIES if "template" in body], ids=lambda b: b["template"])
def test_an_example_names_a_template_that_is_shipped(body: dict[str, Any]) -> None:
    found = CATALOGUE.get(body["template"])
    assert found is not None
    assert isinstance(found.render(body["params"]), str)
