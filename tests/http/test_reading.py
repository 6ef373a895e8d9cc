"""Bodies and queries: every fault is named where it stands."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.request import A_TIME, MessageRequest, ResolutionRequest
from gateway.http.messages import MessageQuery
from gateway.http.problem import Problem
from gateway.http.reading import Faulty, QueryReader, Reader

RESOLUTION = Reader(ResolutionRequest)
QUERY = QueryReader(MessageQuery)


def told(reader: Reader | QueryReader, text: Any) -> Problem:
    with pytest.raises(Faulty) as caught:
        reader.read(text)
    return msgspec.json.decode(caught.value.answer.body, type=Problem)


def status_of(reader: Reader | QueryReader, text: Any) -> int:
    try:
        reader.read(text)
    except Faulty as faulty:
        return faulty.answer.status
    return 200


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        pytest.param({}, ["/to", "/ticket"], id="two missing"),
        pytest.param({"to": 1, "ticket": {"id": 2}}, ["/to", "/ticket/id"], id="one inside"),
        pytest.param({"to": "139", "ticket": {}}, ["/ticket/id"], id="missing inside"),
        pytest.param(
            {"to": "139", "ticket": {"id": "a", "x/~y": 1}}, ["/ticket/x~1~0y"], id="unknown, to be escaped"
        ),
        pytest.param({"to": "139", "ticket": 7}, ["/ticket"], id="no object"),
        pytest.param(
            {"to": "139", "ticket": {"id": "a"}, "survey": 5}, ["/survey"], id="neither of two types"
        ),
        pytest.param(
            {"to": "139", "ticket": {"id": "a"}, "survey": {"scale": "x"}},
            ["/survey/scale"],
            id="in a choice",
        ),
        pytest.param({"to": "139", "ticket": {"id": "a"}, "text": ""}, ["/text"], id="too short"),
        pytest.param({"to": "139", "ticket": {"id": " "}}, ["/ticket/id"], id="blank"),
        pytest.param(
            {"to": "139", "ticket": {"id": "a\0"}, "params": {"b": ["\0"]}},
            ["/ticket/id", "/params/b/0"],
            id="NUL",
        ),
        pytest.param(
            {"to": "139", "ticket": {"id": "a"}, "params": {"\0": 1}}, ["/params"], id="NUL in a key"
        ),
        pytest.param([1], [""], id="not an object"),
    ],
)
def test_every_fault_has_its_pointer(body: Any, pointers: list[str]) -> None:
    problem = told(RESOLUTION, json.dumps(body).encode())
    assert problem.type == "/problems/invalid-request"
    assert [fault.pointer for fault in problem.errors] == pointers


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b" \r\n", "is empty", id="blank"),
        pytest.param(b'\xef\xbb\xbf{"to": "139"}', "byte order mark", id="byte order mark"),
        pytest.param('{"to": "您好"}'.encode("gb18030"), "Encode it as UTF-8", id="GB 18030"),
        pytest.param(b'{"to": 1e999}', "A number in the JSON", id="beyond all numbers"),
        pytest.param(b'{"to": "139', "breaks off after 11 octets", id="cut off"),
        pytest.param(b'{"to":}', "octet 6: ", id="malformed"),
        pytest.param(b'{"to":"\xe4\xb8\xad\xc3\x28"}', "not UTF-8: octet 10 is 0xc3", id="not UTF-8"),
        pytest.param(
            b'{"to":"\\ud83d\\ude00\\\\ud800\\ud800"}', "Octet 26: \\ud800 is half", id="lone surrogate"
        ),
        pytest.param(b'{"a":"\\udc00"}', "Octet 6: \\udc00 is half", id="its other half alone"),
        pytest.param(b'{"params":' + b"[" * 100_000, "nested", id="deep"),
        pytest.param(b'{"to":1,"a":' + b"[" * 100_000, "nested", id="deep, behind a fault"),
    ],
)
def test_what_is_no_json_is_said_so(body: bytes, said: str) -> None:
    problem = told(RESOLUTION, body)
    assert (problem.type, problem.status) == ("/problems/malformed-json", 400)
    assert said in problem.detail


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        pytest.param(
            {"lane": "fast"},
            "must be one of emergency, transactional, service, survey, marketing",
            id="none of the values",
        ),
        pytest.param({"lane": 5}, "must be a text, not a whole number", id="wrong type"),
        pytest.param({"report": "no"}, "must be true or false, not a text", id="no boolean"),
        pytest.param({"params": []}, "must be an object, not a list", id="no object"),
        pytest.param({"to": None}, "must be a text, not null", id="null"),
        pytest.param({"ref": ""}, "must not be empty", id="empty"),
        pytest.param({"text": "   "}, "must not be blank", id="blank"),
        pytest.param({"ref": "r" * 201}, "must have at most 200 characters", id="too long"),
        pytest.param({"to": "1"}, "must have at least 3 characters", id="too short"),
        pytest.param({"send_at": "2026-11-22T09:00:00"}, f"must be {A_TIME}", id="time without an offset"),
        pytest.param({"send_at": "tomorrow"}, f"must be {A_TIME}", id="no time"),
        pytest.param({"send_at": 5}, f"must be {A_TIME}, not a whole number", id="a number for a time"),
    ],
)
def test_a_fault_is_a_sentence(fields: dict[str, Any], detail: str) -> None:
    problem = told(Reader(MessageRequest), json.dumps({"to": "13905310001", **fields}).encode())
    assert [(fault.pointer, fault.detail) for fault in problem.errors] == [(f"/{next(iter(fields))}", detail)]


def test_each_name_and_value_of_a_map_is_told_by_its_own_pointer() -> None:
    parameters = {"0x1403": "0a0", "1403": "0a", "0x5": 5, "a/b": None, "0x0006": "0a", "0x0424": "0a"}
    body = {"to": "13905310001", "handling": {"priority": 4, "parameters": parameters, "x": 1}}
    problem = told(Reader(MessageRequest), json.dumps(body).encode())
    assert [(fault.pointer, fault.detail) for fault in problem.errors] == [
        ("/handling/priority", "must be at most 3"),
        ("/handling/parameters/0x1403", "must be octets, two hexadecimal digits each, as 0a0b"),
        ("/handling/parameters/1403", "must be a tag, 0x0001 to 0xFFFF"),
        ("/handling/parameters/0x5", "must be a text, not a whole number"),
        ("/handling/parameters/a~1b", "must be a tag, 0x0001 to 0xFFFF"),
        ("/handling/parameters/0x0424", "can't be set: it carries the text, which the gateway does"),
        ("/handling/x", "is not a field of this request; they are: flash, priority, deliver_at, parameters"),
    ]


@pytest.mark.parametrize("field", ["dispatched_at", "answered_at"])
def test_a_tickets_times_have_an_offset(field: str) -> None:
    def body(moment: str) -> bytes:
        return json.dumps({"to": "13905310001", "ticket": {"id": "a", field: moment}}).encode()

    assert status_of(RESOLUTION, body("2026-11-22T09:00:00+08:00")) == 200
    problem = told(RESOLUTION, body("2026-11-22T09:00:00"))
    assert [fault.pointer for fault in problem.errors] == [f"/ticket/{field}"]


def test_backslash_u0000_as_plain_text_is_no_nul() -> None:
    body = b'{"to": "13905310001", "text": "\\\\u0000"}'
    assert Reader(MessageRequest).read(body).text == "\\u0000"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "to": st.just("13905310001") | JSON,
        "ticket": st.fixed_dictionaries({}, optional={"id": st.just("a") | JSON, "type": JSON}) | JSON,
        "survey": st.booleans() | JSON,
        "params": JSON,
        "text": JSON,
        "x": JSON,
    },
)


@given(NEARLY | JSON)
def test_json_is_read_or_every_fault_points_at_something_there(value: Any) -> None:
    try:
        RESOLUTION.read(json.dumps(value).encode())
    except Faulty as faulty:
        problem = msgspec.json.decode(faulty.answer.body, type=Problem)
        assert problem.status == 422
        assert problem.errors
        for fault in problem.errors:
            assert fault.pointer == "" or fault.pointer.startswith("/")
            assert fault.detail


@given(st.binary(max_size=200))
def test_any_octets_get_an_answer(octets: bytes) -> None:
    assert status_of(RESOLUTION, octets) in {200, 400, 422}


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        pytest.param("limit=0", ["/limit"], id="out of range"),
        pytest.param("limit=a&status=b", ["/limit", "/status"], id="two"),
        pytest.param("limit=", ["/limit"], id="empty"),
        pytest.param("lim/it=1", ["/lim~1it"], id="unknown"),
        pytest.param("to=1&to=2", ["/to"], id="twice"),
        pytest.param(
            "status=null&lane=null&since=0.5", ["/status", "/lane", "/since"], id="null, a bare number"
        ),
    ],
)
def test_faults_in_a_query_are_named(query: str, pointers: list[str]) -> None:
    assert [fault.pointer for fault in told(QUERY, query).errors] == pointers


def test_a_query_is_read() -> None:
    query = QUERY.read("to=%2B8613905310001&limit=7&since=2026-11-22T09:00:00%2B08:00&lane=survey")
    assert (query.to, query.limit, query.lane, query.since.hour) == ("+8613905310001", 7, "survey", 9)


@given(st.text(max_size=60))
def test_any_query_gets_an_answer(query: str) -> None:
    assert status_of(QUERY, query) in {200, 422}


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        pytest.param("limit=0", "must be at least 1", id="too small"),
        pytest.param("limit=201", "must be at most 200", id="too large"),
        pytest.param("limit=ten", "must be a whole number, not a text", id="no number"),
        pytest.param(
            "lane=fast", "must be one of emergency, transactional, service", id="none of the values"
        ),
        pytest.param("since=2026-11-22T09:00:00+08:00", "+ is written %2B", id="a plus that is a blank"),
        pytest.param("since=2026-11-22T09:00:00", f"must be {A_TIME}", id="time without an offset"),
    ],
)
def test_a_fault_in_a_query_is_a_sentence(query: str, detail: str) -> None:
    assert detail in told(QUERY, query).errors[0].detail
