"""Templates: heads and bodies read with every fault, rendered without holes, and kept within bounds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.template import Catalogue, Fault, Problem, Template, load, parse
from gateway.domain.template_body import jinja_path, quick_path

HEAD = """title: Test
lane: service
owner: marketing
max_segments: 2
parameters:
  name: {type: text, example: Li}
  count: {type: integer, example: 3}
  amount: {type: money, unit: yuan, example: "12.50", required: false}
  used: {type: data, example: 213, required: false}
  until: {type: date, example: 2026-11-22, required: false}
  scale: {type: choice, choices: [ten, five], example: ten, default: ten, required: false}
  ask: {type: bool, example: true, required: false, default: true}
  rate: {type: number, example: 0.5, required: false}
  services:
    type: list
    required: false
    max_items: 30
    fields: {code: {type: text, example: A}, price: {type: money, example: "1"}}
    example: [{code: A, price: "1.00"}]
"""
BODY = 22  # where the body begins under this head
BASE = {"name": "Li", "count": 3}


def template(body: str, head: str = HEAD, language: str = "zh-CN") -> Template:
    found = parse(f"---\n{head}---\n{body}\n", name="test/one", language=language)
    assert isinstance(found, Template), [str(fault) for fault in found]
    return found


def faults(source: str) -> list[Fault]:
    found = parse(source, name="test/one", language="zh-CN", path="one.j2")
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("body", "params", "text"),
    [
        pytest.param("Hello", {}, "Hello", id="plain"),
        pytest.param("{{ signature }}{{ name }}: {{count}}", {}, "【回音通信】Li: 3", id="names"),
        pytest.param(
            "{{ name }}", {"name": "{{ 7 * 7 }}{% if x %}"}, "{{ 7 * 7 }}{% if x %}", id="code as value"
        ),
        pytest.param("{{ name }}!", {"name": "Li\r\n"}, "Li!", id="line break at a value's end"),
        pytest.param("{{ name }}!", {"name": "<b>&"}, "<b>&!", id="nothing is escaped"),
        pytest.param("{% if amount %}{{ amount|money }}{% endif %}.", {}, ".", id="optional and absent"),
        pytest.param("{{ amount|money }}", {"amount": "12.5"}, "12.50元", id="filter"),
        pytest.param("{{ scale }}", {}, "ten", id="default"),
        pytest.param("{{ scale }}", {"scale": None}, "ten", id="null is absent"),
        pytest.param("{{ count + 1 }}", {"count": "41"}, "42", id="digits as a number"),
        pytest.param("{% if ask %}y{% else %}n{% endif %}", {"ask": "false"}, "n", id="false as a word"),
        pytest.param("{{ until|date }}", {"until": "2026-11-22"}, "2026年11月22日", id="date"),
        pytest.param(
            "{% for s in services %}{{ loop.index }}{{ s.code }}{{ s.price|money }};{% endfor %}",
            {"services": [{"code": "A", "price": "1"}, {"code": "B", "price": "2.5"}]},
            "1A1元;2B2.50元;",
            id="list",
        ),
    ],
)
def test_body_is_rendered(body: str, params: dict[str, object], text: str) -> None:
    assert template(body).render({**BASE, **params}) == text


@pytest.mark.parametrize(
    ("params", "pointer", "detail"),
    [
        pytest.param({"count": 1}, "/name", "is missing", id="missing"),
        pytest.param({**BASE, "nmae": "x"}, "/nmae", "is not a parameter", id="unknown"),
        pytest.param({**BASE, "a/b": "x"}, "/a~1b", "is not a parameter", id="unknown with a slash"),
        pytest.param({**BASE, "name": 3}, "/name", "must be a text", id="number for text"),
        pytest.param({**BASE, "name": None}, "/name", "must be a text", id="null for text"),
        pytest.param({**BASE, "name": " "}, "/name", "is empty", id="blank text"),
        pytest.param({**BASE, "name": "a\0b"}, "/name", "control", id="NUL in text"),
        pytest.param({**BASE, "count": 1.5}, "/count", "whole number", id="fraction"),
        pytest.param({**BASE, "count": True}, "/count", "whole number", id="bool for number"),
        pytest.param({**BASE, "amount": 12.5}, "/amount", "decimal string", id="float for money"),
        pytest.param({**BASE, "amount": "NaN"}, "/amount", "decimal string", id="not a number"),
        pytest.param({**BASE, "amount": "1e9"}, "/amount", "decimal string", id="exponent"),
        pytest.param({**BASE, "used": -1}, "/used", "not negative", id="negative data"),
        pytest.param({**BASE, "rate": float("inf")}, "/rate", "must be a number", id="infinite"),
        pytest.param({**BASE, "until": "22.11.2026"}, "/until", "RFC 3339", id="date in another form"),
        pytest.param({**BASE, "ask": "yes"}, "/ask", "true or false", id="word for bool"),
        pytest.param({**BASE, "scale": "six"}, "/scale", "ten, five", id="no such choice"),
        pytest.param({**BASE, "services": "A"}, "/services", "must be a list", id="text for list"),
        pytest.param({**BASE, "services": ["A"]}, "/services/0", "must be an object", id="text in list"),
        pytest.param(
            {**BASE, "services": [{"code": "A"}]}, "/services/0/price", "is missing", id="field missing"
        ),
        pytest.param({**BASE, "services": [{}] * 31}, "/services", "at most 30", id="too many"),
    ],
)
def test_wrong_parameters_are_problems_and_not_holes(
    params: dict[str, object], pointer: str, detail: str
) -> None:
    problems = template("{{ name }}").render(params)
    assert isinstance(problems, list)
    assert problems[0].pointer == pointer
    assert detail in problems[0].detail


def test_all_problems_are_told_at_once() -> None:
    problems = template("{{ name }}").render({"name": 1, "amount": 1.5, "x": 2})
    assert isinstance(problems, list)
    assert [problem.pointer for problem in problems] == ["/name", "/count", "/amount", "/x"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{{ amount }}", id="quick path"),
        pytest.param("{{ amount }}{% if ask %}{% endif %}", id="Jinja"),
        pytest.param("{{ amount|money }}", id="filter"),
        pytest.param("{{ name|money }}", id="filter for another type"),
    ],
)
def test_value_that_cannot_stand_in_the_text_is_a_problem(body: str) -> None:
    problems = template(body).render(BASE)
    assert isinstance(problems, list)
    assert isinstance(problems[0], Problem)


@pytest.mark.parametrize("body", ["{{ name }}", "{% if ask %}{{ name }}{% endif %}"])
def test_output_is_bounded(body: str) -> None:
    problems = template(body).render({**BASE, "name": "x" * 19_000})
    assert problems == [Problem("", "the text would be longer than 255 segments hold")]


@pytest.mark.parametrize(
    ("body", "down", "column", "message", "suggestion"),
    [
        pytest.param(
            "Hi\n{{ nmae }}", 1, 4, "'nmae' is not declared", "did you mean 'name'?", id="undeclared"
        ),
        pytest.param("Hi {{ name|mony }}", 0, 12, "no filter 'mony'", "did you mean 'money'?", id="filter"),
        pytest.param("Hi {{ name", 0, 4, "unexpected end", "", id="not closed"),
        pytest.param("{% if ask %}x", 0, 1, "Unexpected end", "", id="if without end"),
        pytest.param("{{ name.upper() }}", 0, 1, "call is not allowed", "", id="call"),
        pytest.param("{{ name.upper }}", 0, 9, "no field 'upper'", "", id="method"),
        pytest.param("{{ name.__class__ }}", 0, 9, "no field '__class__'", "", id="private"),
        pytest.param("{{ name * 9 }}", 0, 1, "mul is not allowed", "", id="multiplication"),
        pytest.param("{{ 9 ** 9 }}", 0, 1, "pow is not allowed", "", id="power"),
        pytest.param("{% set x = 1 %}", 0, 1, "assign is not allowed", "", id="assignment"),
        pytest.param("{% include 'x' %}", 0, 1, "include is not allowed", "", id="include"),
        pytest.param("{% macro m() %}{% endmacro %}", 0, 1, "macro is not allowed", "", id="macro"),
        pytest.param(
            "{% for c in name %}{% endfor %}",
            0,
            1,
            "only over a parameter of type list",
            "",
            id="loop over text",
        ),
        pytest.param("{% for i in range(9) %}{% endfor %}", 0, 1, "only over a parameter", "", id="range"),
        pytest.param(
            "{% for a in services %}" * 3 + "{% endfor %}" * 3,
            0,
            1,
            "at most 2 deep",
            "",
            id="loops too deep",
        ),
        pytest.param("{{" + "(" * 3_000 + "1", 0, 1, "nested too deep", "", id="nested too deep"),
        pytest.param(
            "{% for a in services %}{% for b in services %}"
            + "{{ a.code }}" * 200
            + "{% endfor %}{% endfor %}",
            0,
            1,
            "steps",
            "lower max_items",
            id="too long to render",
        ),
        pytest.param("{{ services|map(attribute='x') }}", 0, 13, "no filter 'map'", "", id="stock filter"),
    ],
)
def test_fault_in_a_body_has_its_place(
    body: str, down: int, column: int, message: str, suggestion: str
) -> None:
    found = faults(f"---\n{HEAD}---\n{body}\n")
    assert (found[0].line, found[0].column) == (BODY + down, column)
    assert message in found[0].message
    assert suggestion in found[0].suggestion


def test_every_fault_of_a_body_is_told() -> None:
    found = faults(f"---\n{HEAD}---\n{{{{ a }}}} {{{{ b }}}}\n{{{{ c|d }}}}")
    assert [(fault.line, fault.column) for fault in found] == [
        (BODY, 4),
        (BODY, 12),
        (BODY + 1, 6),
        (BODY + 1, 4),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        pytest.param("title: Test\n", "", 2, 1, "'title' is missing", id="missing key"),
        pytest.param(
            "lane: service", "lane: servce", 3, 7, "no lane 'servce'; did you mean 'service'?", id="lane"
        ),
        pytest.param(
            "owner:", "ownr:", 4, 1, "'ownr' is not known here; did you mean 'owner'?", id="unknown key"
        ),
        pytest.param("owner: marketing", "owner: 5", 4, 8, "owner must be a text", id="type of a key"),
        pytest.param("max_segments: 2", "max_segments: 0", 5, 15, "must be 1 to 255", id="segments"),
        pytest.param("owner:", "title: x\nowner:", 4, 1, "'title' is given twice", id="twice"),
        pytest.param(
            "type: text, example: Li",
            "type: txt, example: Li",
            7,
            16,
            "no type 'txt'; did you mean 'text'?",
            id="type",
        ),
        pytest.param("type: text, example: Li", "example: Li", 7, 9, "name has no type", id="no type"),
        pytest.param("type: text, example: Li", "type: text", 7, 9, "name has no example", id="no example"),
        pytest.param(
            "example: 3}", "example: three}", 8, 35, "example of count must be a whole number", id="example"
        ),
        pytest.param('"12.50"', "12.50", 9, 46, "must be yuan as a decimal string", id="money as float"),
        pytest.param("choices: [ten, five], ", "", 12, 10, "scale needs choices", id="no choices"),
        pytest.param("name:", "class:", 7, 10, "'class' can't be a parameter's name", id="reserved name"),
        pytest.param(
            "max_items: 30", "max_items: 101", 18, 16, "max_items must be 1 to 100", id="too long a list"
        ),
        pytest.param(
            "owner: marketing", "owner: &a x\nnote: *a", 5, 7, "aliases are not allowed", id="alias"
        ),
        pytest.param(
            "example: 3}", "example: " + "[" * 9_000 + "]" * 9_000, 8, 44, "nested too deep", id="deep"
        ),
        pytest.param("name: {", "name: [", 7, 33, "no valid YAML", id="YAML"),
    ],
)
def test_fault_in_a_head_has_its_place(old: str, new: str, line: int, column: int, message: str) -> None:
    assert old in HEAD
    found = faults(f"---\n{HEAD.replace(old, new, 1)}---\nHello {{{{ name }}}}\n")
    assert (found[0].line, found[0].column) == (line, column), [str(fault) for fault in found]
    assert message in str(found[0])


@pytest.mark.parametrize("source", ["", "Hello", "---\ntitle: x\n", "title: x\n---\nHello"])
def test_file_without_a_head_is_a_fault(source: str) -> None:
    assert "has no head" in faults(source)[0].message


def test_huge_file_is_a_fault() -> None:
    assert "keep it under" in faults(f"---\n{HEAD}---\n" + "x" * 60_000)[0].suggestion
    assert "keep it under" in faults(f"---\n{HEAD}---\n" + "x" * 20_000)[0].suggestion


def test_file_without_a_body_is_a_fault() -> None:
    assert "has no body" in faults(f"---\n{HEAD}---\n\n")[0].message


# What might stand in a plain template: braces alone, in pairs, with and without names between them.
pieces = st.lists(
    st.sampled_from(
        ["{{ name }}", "{{count}}", "{{ name", "}}", "{", "}", "{{", "%}", "#}", "\n", " ", "您好", "x", "\t"]
    ),
    max_size=12,
).map("".join)


@given(pieces, st.text(), st.integers())
def test_quick_path_says_what_jinja_says(source: str, name: str, count: int) -> None:
    source = source.strip()
    quick = quick_path(source, {"name", "count"})
    if quick is not None:
        values = {"name": name, "count": count}
        assert quick(values) == jinja_path(source, "zh-CN")(values)


def test_quick_path_is_taken_for_plain_bodies_only() -> None:
    assert template("{{ signature }}{{ name }}").body.quick
    assert not template("{{ name|shorten(3) }}").body.quick


def write(folder: Path, name: str, body: str, head: str = HEAD) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\n{head}---\n{body}\n", "utf-8")


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    for language in ("zh-CN", "zh-TW", "en"):
        write(tmp_path, f"test/one.{language}.j2", language)
    write(tmp_path, "test/two.en.j2", "only English")
    found = load(tmp_path)
    assert found.faults == ()
    return found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param("zh-CN", "zh-CN", id="exact"),
        pytest.param("ZH_tw", "zh-TW", id="written otherwise"),
        pytest.param("zh", "zh-CN", id="zh"),
        pytest.param("zh-HK", "zh-TW", id="Hong Kong"),
        pytest.param("zh-Hant-MO", "zh-TW", id="by script"),
        pytest.param("zh-SG", "zh-CN", id="Singapore"),
        pytest.param("en-GB", "en", id="region of a language"),
        pytest.param("fr", "zh-CN", id="not there"),
        pytest.param(None, "zh-CN", id="not known"),
    ],
)
def test_language_falls_back_to_the_nearest(catalogue: Catalogue, wanted: str | None, found: str) -> None:
    one = catalogue.get("test/one", wanted)
    assert one is not None
    assert one.language == found


def test_any_language_is_better_than_none(catalogue: Catalogue) -> None:
    two = catalogue.get("test/two", "zh-CN")
    assert two is not None
    assert two.language == "en"
    assert catalogue.get("test/three", "en") is None
    assert catalogue.names() == ["test/one", "test/two"]


def test_load_reports_every_file_and_keeps_the_good_ones(tmp_path: Path) -> None:
    write(tmp_path, "test/good.zh-CN.j2", "{{ name }}")
    write(tmp_path, "test/bad.zh-CN.j2", "{{ a }}{{ b }}")
    write(tmp_path, "astray.zh-CN.j2", "x")
    write(tmp_path, "test/noname.j2", "x")
    write(
        tmp_path,
        "test/good.en.j2",
        "{{ name }}",
        HEAD.replace("count: {type: integer", "count: {type: number"),
    )
    (tmp_path / "test" / "bytes.en.j2").write_bytes(b"\xff\xfe")
    found = load(tmp_path)
    told = sorted(str(fault).removeprefix(tmp_path.as_posix() + "/") for fault in found.faults)
    assert [line.split(":")[0] for line in told] == [
        "astray.zh-CN.j2",
        "test/bad.zh-CN.j2",
        "test/bad.zh-CN.j2",
        "test/bytes.en.j2",
        "test/good.en.j2",
        "test/noname.j2",
    ]
    assert f"test/bad.zh-CN.j2:{BODY}:4: 'a' is not declared; declare it in the head" in told
    assert found.names() == ["test/good"]


def test_signature_is_the_operators(tmp_path: Path) -> None:
    write(tmp_path, "test/one.zh-TW.j2", "{{ signature }}")
    write(tmp_path, "test/one.en.j2", "{{ signature }}")
    by_language = load(tmp_path, {"zh": "【甲】", "en": "[A]"})
    one = by_language.get("test/one", "zh-TW"), by_language.get("test/one", "en")
    assert [each.render(BASE) for each in one if each] == ["【甲】", "[A]"]
    for_all = load(tmp_path, "【乙】").get("test/one", "en")
    assert for_all is not None
    assert for_all.render(BASE) == "【乙】"


def test_caller_of_many_templates_picks_what_each_takes() -> None:
    one = template("{{ name }}")
    assert one.pick({"name": "Li", "count": 1, "agent": "A1"}) == {"name": "Li", "count": 1}


@given(st.text(max_size=300))
def test_any_source_is_a_template_or_faults(source: str) -> None:
    found = parse(f"---\n{HEAD}---\n{source}", name="a/b", language="en")
    assert isinstance(found, Template) or all(isinstance(fault, Fault) for fault in found)


@given(st.text(max_size=200))
def test_any_head_is_read_or_faulted(head: str) -> None:
    found = parse(f"---\n{head}\n---\nHello", name="a/b", language="en")
    assert isinstance(found, Template) or all(isinstance(fault, Fault) for fault in found)
