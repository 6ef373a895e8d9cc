"""Connectors: what a call looks like, what is wrong with a definition, and the presets."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gateway.domain.call_template import TemplateFault
from gateway.domain.connector import Connector, load_connectors
from gateway.domain.event import Callback
from gateway.domain.ids import IdSource, Kind, public

IDS = IdSource()
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
PRESETS = Path(__file__).parents[2] / "rules" / "connectors"
SCORED = {
    "survey": "srv_1",
    "to": "8613905310001",
    "ticket": {"id": "4711", "type": "charges"},
    "status": "answered",
    "scale": "ten",
    "score": 8,
    "comment": None,
    "text": "8 满意",
}
WORDS = {"kind": "customer_words", "reply": "rpl_1", "to": "8613905310001", "text": "没有信号"}


def connector(definition: Mapping[str, Any], name: str = "ticket.satisfaction") -> Connector:
    loaded, faults = load_connectors({name: definition})
    assert faults == []
    return loaded[name]


def owed(data: dict[str, Any] | None = None) -> Callback:
    payload = SCORED if data is None else data
    uid = IDS.new(3, 0)
    name = "ticket.satisfaction"
    return Callback(3, uid, "connector", name, name, IDS.new(3, 0), payload, NOW, "waiting", 0, NOW)


def body_of(definition: Mapping[str, Any], data: dict[str, Any] | None = None) -> Any:
    return msgspec.json.decode(connector(definition).request(owed(data)).body or b"null")


def test_without_a_body_all_that_is_known_goes_under_plain_names() -> None:
    assert body_of({"url": "https://t.example.com/"}) == {
        **SCORED,
        "event": "ticket.satisfaction",
        "at": "2026-11-22T09:00:00+00:00",
        "ticket_id": "4711",
    }


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_call_that_asks_or_deletes_has_no_body_of_its_own(method: str) -> None:
    request = connector({"url": "https://t.example.com/{{ ticket.id }}", "method": method}).request(owed())
    assert (request.method, request.url, request.body) == (method, "https://t.example.com/4711", None)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        pytest.param("{{ score }}", 8, id="one expression keeps its type"),
        pytest.param("{{ comment }}", None, id="null stays null"),
        pytest.param("{{ ticket }}", {"id": "4711", "type": "charges"}, id="a whole part"),
        pytest.param("{{ score * 10 }}", 80, id="arithmetic"),
        pytest.param("{{ score >= 7 }}", True, id="a condition"),
        pytest.param("{{ nothing | default(none) }}", None, id="a default"),
        pytest.param("score: {{ score }}", "score: 8", id="within a text"),
        pytest.param("{{ ticket.id }}/{{ score }}", "4711/8", id="two expressions"),
        pytest.param("{% if score > 5 %}good{% else %}bad{% endif %}", "good", id="a statement"),
        pytest.param('"\\ \n', '"\\ \n', id="no template"),
        pytest.param(5, 5, id="a number"),
        pytest.param([{"a": ["{{ to }}"]}], [{"a": ["8613905310001"]}], id="deep inside"),
    ],
)
def test_strings_of_a_json_body_are_templates(source: Any, value: Any) -> None:
    assert body_of({"url": "https://t.example.com/", "body": {"x": source}}) == {"x": value}


def test_a_text_body_must_become_json() -> None:
    source = '{"score": {{ score }}, "text": {{ text | tojson }}}'
    definition = {"url": "https://t.example.com/", "body": source}
    assert body_of(definition) == {"score": 8, "text": "8 满意"}
    hostile = {**SCORED, "text": '", "score": 10, "x": "\n'}
    assert body_of(definition, hostile)["text"] == '", "score": 10, "x": "\n'
    careless = {"url": "https://t.example.com/", "body": '{"text": "{{ text }}"}'}
    with pytest.raises(TemplateFault, match="not JSON"):
        body_of(careless, hostile)


@pytest.mark.parametrize(
    ("ticket", "url"),
    [
        ("TS-1", "https://t.example.com/tickets/TS-1?by=sms"),
        ("a/b?c#d e", "https://t.example.com/tickets/a%2Fb%3Fc%23d%20e?by=sms"),
        ("../admin", "https://t.example.com/tickets/..%2Fadmin?by=sms"),
        ("工单", "https://t.example.com/tickets/%E5%B7%A5%E5%8D%95?by=sms"),
        (4711, "https://t.example.com/tickets/4711?by=sms"),
    ],
)
def test_parts_of_a_url_are_percent_encoded(ticket: object, url: str) -> None:
    made = connector({"url": "https://t.example.com/tickets/{{ ticket.id }}?by=sms"})
    assert made.request(owed({"ticket": {"id": ticket}})).url == url


@pytest.mark.parametrize("ticket", ["", ".", "..", None])
def test_parts_that_would_lead_elsewhere_are_refused(ticket: str | None) -> None:
    made = connector({"url": "https://t.example.com/tickets/{{ ticket.id }}"})
    with pytest.raises(TemplateFault):
        made.request(owed({"ticket": {"id": ticket}}))


def test_headers_carry_secrets_and_the_key() -> None:
    made = connector(
        {
            "url": "https://t.example.com/",
            "headers": {
                "X-Token": "{{ secret }}",
                "X-Ticket": "{{ ticket.id }}",
                "Content-Type": "text/json",
            },
            "secret": "hush-hush",
        }
    )
    callback = owed()
    assert made.request(callback).headers == (
        ("X-Token", "hush-hush"),
        ("X-Ticket", "4711"),
        ("Content-Type", "text/json"),
        ("Accept", "application/json"),
        ("Idempotency-Key", public(Kind.CALLBACK, callback.id)),
    )
    assert "hush-hush" not in repr(made)


@pytest.mark.parametrize("text", ["a\r\nX-Admin: 1", "a\nb", "a\x00b"])
def test_a_value_can_not_break_out_of_its_header(text: str) -> None:
    made = connector({"url": "https://t.example.com/", "headers": {"X-Ticket": "{{ ticket.id }}"}})
    with pytest.raises(TemplateFault, match="break its line"):
        made.request(owed({"ticket": {"id": text}}))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{{ ''.__class__.__mro__ }}", id="classes"),
        pytest.param("{{ to.__init__.__globals__ }}", id="globals"),
        pytest.param("{{ 'x' * 1000000000 }}", id="a long text by multiplication"),
        pytest.param("{{ 9 ** 999999999 }}", id="a large number by power"),
        pytest.param("{{ '%1000000000d' % 1 }}", id="a long text by formatting"),
        pytest.param("{{ [1] * 1000000000 }}", id="a long list"),
        pytest.param("{{ to" + " | replace('1', to)" * 40 + " }}", id="a long text by replacing"),
        pytest.param("{% for a in to %}{{ to" + " | replace('1', to)" * 9 + " }}{% endfor %}", id="by loops"),
        pytest.param("{{ missing }}", id="a name that is not there"),
        pytest.param("{{ ticket.missing.deeper }}", id="a path that is not there"),
        pytest.param("{{ 1 / 0 }}", id="a division by nothing"),
        pytest.param("{{ range(10) }}", id="functions"),
        pytest.param("{{ ticket.update({'id': 1}) }}", id="changing what is known"),
    ],
)  # fmt: skip
def test_the_sandbox_holds(source: str) -> None:
    made = connector({"url": "https://t.example.com/", "body": {"x": f"{source} "}})
    with pytest.raises(TemplateFault):
        made.request(owed())


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        pytest.param({}, "url: is missing", id="no address"),
        pytest.param({"url": "https://{{ to }}/x"}, "scheme and host", id="a host from the event"),
        pytest.param({"url": "https://a.example.com{{ to }}"}, "scheme and host", id="a host's end"),
        pytest.param({"url": "ftp://a.example.com/"}, "url: write an address", id="no HTTP"),
        pytest.param({"url": "https://u:p@a.example.com/"}, "url: an address must not", id="a password"),
        pytest.param({"url": "https://a.example.com/{{ to"}, "url: ", id="a template that does not end"),
        pytest.param({"method": "FETCH"}, "method: FETCH is none of", id="method"),
        pytest.param({"headers": {"X Y": "1"}}, "headers: 'X Y' is no name", id="header's name"),
        pytest.param({"headers": {"Host": "x"}}, "headers: Host is set by", id="header of the protocol"),
        pytest.param({"headers": {"A": "{{ x"}}, "headers.A: line 1: ", id="header's template"),
        pytest.param(
            {"body": "{% for a in to %}{% for b in to %}{{ a }}{% endfor %}{% endfor %}"},
            "body: line 1: a loop within a loop",
            id="loops",
        ),
        pytest.param({"body": "{% include 'x' %}"}, "other templates are not offered", id="include"),
        pytest.param({"body": "{% macro m() %}{% endmacro %}"}, "macros", id="macro"),
        pytest.param({"body": {"a": ["{{ x | evil }}"]}}, "body: No filter named 'evil'", id="filter"),
        pytest.param({"headers": {"A": "{{ secret }}"}}, "headers.A: secret is not given", id="no secret"),
        pytest.param({"headers": {"A": "{{ secrets.b }}"}}, "secrets.b is not given", id="no such secret"),
        pytest.param({"success": {"pointer": "ok"}}, "success.pointer: write a JSON", id="pointer"),
        pytest.param({"success": {"equals": 1}}, "success.equals: says what", id="nowhere to look"),
        pytest.param({"success": {"statuses": [99]}}, "success.statuses: write", id="statuses"),
        pytest.param({"result": "id"}, "result: write a JSON pointer", id="result"),
        pytest.param({"timeout": timedelta(0)}, "timeout: write a duration", id="no time"),
        pytest.param({"timeout": timedelta(hours=1)}, "timeout: write a duration", id="too much time"),
        pytest.param({"retry_for": "soon"}, "retry_for: write a duration", id="no duration"),
        pytest.param({"concurrency": 0}, "concurrency: write a number", id="no calls at all"),
    ],
)
def test_a_fault_in_a_definition_is_told_with_its_place(definition: dict[str, Any], told: str) -> None:
    given = (
        definition
        if "url" in definition or not definition
        else {"url": "https://t.example.com/", **definition}
    )
    loaded, faults = load_connectors({"lookup.x": given})
    assert loaded == {}
    assert any(fault.startswith('connectors."lookup.x".') and told in fault for fault in faults), faults


def test_all_faults_are_told_together_and_good_connectors_stay() -> None:
    loaded, faults = load_connectors(
        {
            "a": {"url": "ftp://x/", "method": "NO", "headers": {"Host": "x"}},
            "b": {"url": "https://b.example.com/"},
            "c": {"body": "{{"},
        }
    )
    assert list(loaded) == ["b"]
    assert len(faults) == 5


OFFERED: dict[str, Any] = {
    "confirmation": "cnf_1",
    "to": "8613905310001",
    "service": {"code": "video", "name": "视频会员", "price": "10.00", "period": "month"},
    "channel": "app",
    "ref": "ORDER-1",
}


def preset(path: str, **secret: str) -> Connector:
    definition = yaml.safe_load((PRESETS / path).read_text(encoding="utf-8"))
    definition.pop("secret_file")
    return connector({**definition, "secret": "t0ken"}, Path(path).stem)


@pytest.mark.parametrize("path", sorted(str(path.relative_to(PRESETS)) for path in PRESETS.rglob("*.yaml")))
def test_each_preset_makes_a_call(path: str) -> None:
    name = Path(path).stem
    event = WORDS if "create" in name else OFFERED if "service" in name else SCORED
    request = preset(path).request(owed(event))
    assert (request.body is None) == (request.method == "GET")
    assert b"t0ken" not in (request.body or b"")


@pytest.mark.parametrize(
    ("name", "definition", "seconds"),
    [
        pytest.param("lookup.balance", {}, 60, id="a look-up: nobody waits for days"),
        pytest.param("lookup.balance", {"retry_for": 90}, 90, id="a look-up that says otherwise"),
        pytest.param("ticket.create", {}, 3 * 86_400, id="another"),
    ],
)
def test_how_long_a_call_is_tried(name: str, definition: dict[str, Any], seconds: int) -> None:
    loaded, _ = load_connectors({name: {"url": "https://tickets.example.com/", **definition}})
    assert loaded[name].backoff.patience.total_seconds() == seconds


@pytest.mark.parametrize(
    ("path", "method", "url", "authorization", "body"),
    [
        pytest.param(
            "zammad/ticket.satisfaction.yaml",
            "PUT",
            "https://zammad.example.com/api/v1/tickets/4711",
            "Token token=t0ken",
            {"satisfaction_score": 8, "satisfaction_comment": ""},
            id="Zammad, score",
        ),
        pytest.param(
            "zammad/ticket.create.yaml",
            "POST",
            "https://zammad.example.com/api/v1/tickets",
            "Token token=t0ken",
            {
                "title": "SMS 8613905310001",
                "group": "Users",
                "customer_id": "guess:8613905310001@sms.example.com",
                "article": {
                    "subject": "SMS 8613905310001",
                    "body": "没有信号",
                    "type": "note",
                    "sender": "Customer",
                    "internal": False,
                },
            },
            id="Zammad, new case",
        ),
        pytest.param(
            "zendesk/ticket.satisfaction.yaml",
            "PUT",
            "https://example.zendesk.com/api/v2/tickets/4711.json",
            "Basic " + base64.b64encode(b"agent@example.com/token:t0ken").decode(),
            {"ticket": {"custom_fields": [{"id": 360000000001, "value": 8}]}},
            id="Zendesk, score",
        ),
        pytest.param(
            "zendesk/ticket.create.yaml",
            "POST",
            "https://example.zendesk.com/api/v2/tickets.json",
            "Basic " + base64.b64encode(b"agent@example.com/token:t0ken").decode(),
            {
                "ticket": {
                    "subject": "SMS 8613905310001",
                    "comment": {"body": "没有信号"},
                    "requester": {"name": "8613905310001", "email": "8613905310001@sms.example.com"},
                    "external_id": "rpl_1",
                    "tags": ["sms"],
                }
            },
            id="Zendesk, new case",
        ),
    ],
)
def test_presets_have_the_shapes_of_the_public_documents(
    path: str, method: str, url: str, authorization: str, body: Any
) -> None:
    request = preset(path).request(owed(WORDS if "create" in path else SCORED))
    assert (request.method, request.url) == (method, url)
    assert dict(request.headers)["Authorization"] == authorization
    assert msgspec.json.decode(request.body or b"") == body
