"""What lint says of templates that load."""

import pytest

from gateway.domain.template import Template, parse
from gateway.domain.template_lint import Finding, example_params, lint

HEAD = """---
title: Test
lane: {lane}
owner: marketing
order: {order}
max_segments: {segments}
parameters:
  name: {{type: text, example: "{example}", max_length: 100}}
  price: {{type: money, required: false, example: "5"}}
---
"""


def findings(
    body: str,
    lane: str = "service",
    order: str = "false",
    segments: str = "2",
    example: str = "Li",
    language: str = "zh-CN",
) -> list[Finding]:
    head = HEAD.format(lane=lane, order=order, segments=segments, example=example)
    found = parse(head + body, name="a/b", language=language)
    assert isinstance(found, Template), [str(fault) for fault in found]
    return lint(found)


GOOD = "{{ signature }}您好{{ name }}{% if price %}，{{ price|money }}{% endif %}"


def test_good_template_has_no_findings() -> None:
    assert findings(GOOD) == []


BARE = "{{ signature }}{{ name }}"
UNGUARDED = "{{ signature }}您好{{ name }}{{ price|money }}"
ENGLISH = "{{ signature }} Dear customer {{ name }}{% if price %} {{ price|money }}{% endif %}"
CURLY = "{{ signature }}\nIt’s yours, {{ name }}{% if price %} {{ price|money }}{% endif %}"


@pytest.mark.parametrize(
    ("body", "options", "finding"),
    [
        pytest.param(
            GOOD,
            {"segments": "1"},
            "11:1 error takes 2 segments at worst; max_segments is 1",
            id="worst case",
        ),
        pytest.param(
            GOOD, {"lane": "marketing"}, "11:1 error a marketing text must say how to opt out", id="opt-out"
        ),
        pytest.param(BARE, {}, "9:10 warning 'price' is declared and never used", id="unused"),
        pytest.param(BARE, {"order": "true"}, "11:1 error an order text must name the price", id="no price"),
        pytest.param(
            GOOD.removeprefix("{{ signature }}"),
            {},
            "11:1 warning has no signature 【…】; begin with {{ signature }}",
            id="no signature",
        ),
        pytest.param(UNGUARDED, {}, "11:1 error cannot be rendered with name=Li", id="optional unguarded"),
        pytest.param(
            CURLY,
            {"language": "en"},
            "12:3 warning '’' (U+2019) makes the text UCS-2: 1 segments",
            id="curly quote",
        ),
        pytest.param(
            ENGLISH,
            {"language": "en", "example": "Zoë"},
            "8:9 warning 'ë' (U+00EB) in the example of 'name' makes the text UCS-2: 1 segments",
            id="example",
        ),
    ],
)
def test_doubtful_template_is_told_of_at_its_place(body: str, options: dict[str, str], finding: str) -> None:
    told = [f"{each.line}:{each.column} {each.severity} {each.message}" for each in findings(body, **options)]
    assert any(each.startswith(finding) for each in told), told


def test_marketing_with_an_opt_out_is_fine() -> None:
    assert findings(GOOD + " 回TD退订", lane="marketing") == []


def test_chinese_signature_on_an_english_text_is_named() -> None:
    head = HEAD.format(lane="service", order="false", segments=2, example="Li")
    found = parse(head + ENGLISH, name="a/b", language="en", signature="【回音】")
    assert isinstance(found, Template)
    assert any("in the signature makes the text UCS-2" in each.message for each in lint(found))


def test_examples_are_parameters_for_a_preview() -> None:
    head = HEAD.format(lane="service", order="false", segments=2, example="Li")
    found = parse(head + GOOD, name="a/b", language="zh-CN")
    assert isinstance(found, Template)
    assert found.render(example_params(found)) == "【回音通信】您好Li，5元"
