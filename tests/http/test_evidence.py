"""Evidence for programs and for paper: complete, masked where it must be, and nothing in it does a thing."""

import base64
import hashlib
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.evidence import ORIGIN, Entry, Head, New, Seal, follow, link
from gateway.domain.ids import Kind, public
from gateway.domain.tampering import Cause, Finding, What
from gateway.domain.testimony import BODIES, Carried, Part, read
from gateway.http import evidence
from gateway.http.evidence import EvidenceQuery, wants_html
from gateway.http.evidence_page import pieces
from gateway.http.evidence_words import EN, ZH
from gateway.http.exchange import Answer, Request
from gateway.services.evidence import Attested, Dossier, Looked
from gateway.services.keys import Key, Scope
from tests.services.testimony import ANNA, START, TEXT, cnf, entries, story

CNF = public(Kind.CONFIRMATION, cnf(1))
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


def dossier(news: list[New] | None = None, findings: list[Finding] | None = None, **more: Any) -> Dossier:
    rows, head = follow(Head(7, 0, ORIGIN), news or entries(cnf(1)))
    found = findings or []
    testimonies = [
        Attested(
            entry=row, says=read(row.kind, row.body), findings=[f for f in found if f.n <= row.n <= f.last]
        )
        for row in rows
    ]
    chain = Looked(bucket=7, rows=len(rows), head=head, seal=None, findings=found)
    given: dict[str, Any] = {"chain": chain, "doubts": found, "elsewhere": 0} | more
    return Dossier(confirmation_id=cnf(1), made_at=START, testimonies=testimonies, **given)


class Shelf:
    def __init__(self, dossier: Dossier | None) -> None:
        self._dossier = dossier

    async def dossier(self, confirmation_id: UUID) -> Dossier | None:
        return self._dossier if confirmation_id == cnf(1) else None


async def asked(
    dossier: Dossier | None, accept: str = BROWSER, *, whole: bool = True, id_: str = CNF, **query: str
) -> Answer:
    scopes = frozenset({Scope.READ, *([Scope.PII_READ] if whole else [])})
    key = Key(id=UUID(int=1), name="desk", scopes=scopes, rate=None, created_at=START)
    request = Request(
        id="req_1",
        operation="GET /v1/confirmations/{id}/evidence",
        params=(id_,),
        query=EvidenceQuery(**query),  # type: ignore[arg-type]
        key=key,
        accept=accept,
    )
    return await evidence.answer(request, Shelf(dossier))


class Reader(HTMLParser):
    """Tags and text as a browser sees them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


async def printed(dossier: Dossier, **more: Any) -> Reader:
    answer = await asked(dossier, **more)
    assert (answer.status, answer.content_type) == (200, "text/html; charset=utf-8")
    return Reader(answer.body.decode())


async def told(dossier: Dossier, **more: Any) -> dict[str, Any]:
    answer = await asked(dossier, "application/json", **more)
    assert (answer.status, answer.content_type) == (200, "application/json")
    found: dict[str, Any] = json.loads(answer.body)
    return found


@pytest.mark.parametrize(
    ("language", "words"),
    [
        pytest.param(
            "zh-CN",
            [
                "付费业务确认凭证",
                "以下记录与写入时一致",
                "判定为同意",
                "短信中心已接收",
                "办理回执",
                "已同意",
            ],
            id="zh-CN",
        ),
        pytest.param("en", ["Record of a paid confirmation", "as they were written", "Read asyes"], id="en"),
    ],
)
async def test_the_page_says_it_all_in_the_readers_language(language: str, words: list[str]) -> None:
    text = (await printed(dossier(), language=language)).text.replace("\n", "")
    facts = [CNF, ANNA, TEXT, "视频会员", "10.00 元", "a34950e7ee46", "id:a3 stat:DELIVRD", "0059", "ORDER-1"]
    facts += [
        "the letter Y alone",
        '{"order": 4711}',
        "2026-11-22 09:00:40.000+08:00",
        "msg_0199aaaa000070008000000000000007",
    ]
    facts += [row.entry.hash.hex() for row in dossier().testimonies]
    for fact in [*words, *facts, f"huiyin evidence verify --confirmation {CNF}"]:
        assert fact in text


async def test_times_are_those_of_the_readers_zone() -> None:
    text = (await printed(dossier(), zone="America/New_York")).text
    assert "2026-11-21 20:00:40.000-05:00" in text
    assert "America/New_York" in text


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "\0", "Asia"])
async def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    assert (await asked(dossier(), zone=zone)).status == 422


@pytest.mark.parametrize("id_", ["cnf_1", "msg_0", public(Kind.CONFIRMATION, cnf(2))])
async def test_what_is_not_on_record_is_not_found(id_: str) -> None:
    assert (await asked(dossier(), id_=id_)).status == 404


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        pytest.param(BROWSER, True, id="browser"),
        pytest.param("application/json, text/html", False, id="JSON first"),
        pytest.param("TEXT/HTML;q=0.9, application/json;q=0.8", True, id="HTML first"),
        pytest.param("*/*", False, id="anything"),
        pytest.param("", False, id="nothing said"),
    ],
)
def test_who_gets_the_page(accept: str, html: bool) -> None:
    assert wants_html(accept) == html


# --- what must not be seen, and what must not happen ----------------------------------------------


@pytest.mark.parametrize("accept", [BROWSER, "application/json"], ids=["page", "JSON"])
async def test_without_the_scope_numbers_are_masked_and_words_withheld(accept: str) -> None:
    answer = await asked(
        dossier(entries(cnf(1), *story("我是13905310001，同意", b"\x62\x11"))), accept, whole=False
    )
    text = answer.body.decode()
    for secret in ("3905310001", "6211", "同意。", "我是", "4711"):
        assert secret not in text
    for open_to_all in ("139****0001", TEXT, "msg_0199aaaa000070008000000000000007", "a34950e7ee46"):
        assert open_to_all in text


async def test_ids_of_digits_alone_are_no_numbers() -> None:
    sent = Part(at=START, what="submitted", smsc_id="13905310001")
    news = entries(cnf(1), Carried(message_id=UUID(int=13905310001), status="submitted", parts=(sent,)))
    says = (await told(dossier(news), whole=False))["entries"][0]["says"]
    assert (says["parts"][0]["smsc_id"], int(says["message_id"][4:], 16)) == ("13905310001", 13905310001)


async def test_with_the_scope_a_program_can_check_the_hashes_itself() -> None:
    shown = await told(dossier())
    previous = ORIGIN
    for each, row in zip(shown["entries"], dossier().testimonies, strict=True):
        entry = Entry(7, each["n"], cnf(1), row.entry.at, each["kind"], each["body"], b"", b"")
        previous = link(previous, entry)
        assert previous.hex() == each["hash"]
    assert (shown["intact"], shown["masked"], shown["chain"]["head_hash"]) == (True, False, previous.hex())
    assert shown["entries"][2]["says"]["text"] == "Y"


EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\"'&amp;\u202e\u200b\x00\x1b[31m\r\u3164"
)


async def test_nobodys_words_do_anything() -> None:
    reader = await printed(dossier(entries(cnf(1), *story(EVIL))))
    assert not {"script", "img", "link", "iframe", "form", "a"} & set(reader.tags)
    assert not [
        name for name in reader.attributes if name.startswith("on") or name in ("style", "href", "src")
    ]
    assert "<script>alert(1)</script>" in reader.text
    assert "{{ 7*7 }}" in reader.text
    for code in ("U+202E", "U+200B", "U+0000", "U+001B", "U+000D", "U+3164"):
        assert code in reader.text
    assert not [sign for sign in reader.text if sign in "\u202e\u200b\x00\x1b\r\u3164"]


@given(st.text(max_size=40))
def test_a_text_is_cut_without_loss_and_only_what_hides_is_coded(text: str) -> None:
    cut = list(pieces(text))
    again = "".join(chr(int(piece[2:], 16)) if hidden else piece for hidden, piece in cut)
    assert again == text
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\u200b-\u200f\u202a-\u202e]", "".join(p for h, p in cut if not h)
    )


async def test_the_page_runs_and_loads_nothing() -> None:
    answer = await asked(dossier())
    assert answer.headers is not None
    policy = answer.headers["Content-Security-Policy"]
    style = re.search(r"<style>(.*?)</style>", answer.body.decode(), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "url(" not in style[1]
    assert "@media print" in style[1]
    assert answer.headers["Cache-Control"] == "no-store"


# --- what is wrong --------------------------------------------------------------------------------


async def test_evidence_that_was_tampered_with_says_so_first() -> None:
    wrong = Finding(What.CHANGED, Cause.CONTENT, 7, 3, 3, cnf(1))
    reader = await printed(dossier(findings=[wrong]), language="en")
    assert "can NOT be relied on" in reader.text
    assert "This entry: changed (content)." in reader.text
    assert "as they were written. All" not in reader.text
    shown = await told(dossier(findings=[wrong]))
    assert shown["intact"] is False
    assert shown["doubts"] == shown["entries"][2]["findings"] == [
        {"what": "changed", "cause": "content", "n": 3, "last": 3}
    ]  # fmt: skip


async def test_seals_and_findings_about_others_are_told() -> None:
    seal = Seal(7, 4, ORIGIN, START - timedelta(days=30), START)
    chain = Looked(bucket=7, rows=1, head=None, seal=seal, findings=[])
    text = (await printed(dossier(chain=chain, elsewhere=3), language="en")).text
    assert "Elsewhere in this chain something is wrong that concerns other confirmations: 3." in text
    assert "Entries older than 2026-10-23 were removed" in text


async def test_entries_that_are_not_understood_are_printed_as_they_stand() -> None:
    news = [New(7, cnf(1), START, "gossip", '{"a":"<b>"}'), New(7, cnf(1), START, "offered", "no JSON")]
    whole = dossier(news)
    rows = [each.entry for each in whole.testimonies]
    no_time = Attested(entry=rows[0]._replace(at=None), says=None, findings=[])
    text = (await printed(dossier(news), language="en")).text
    assert '{"a":"<b>"}' in text
    assert "no JSON" in text
    broken = Dossier(
        confirmation_id=cnf(1),
        made_at=START,
        testimonies=[no_time],
        chain=whole.chain,
        doubts=[],
        elsewhere=0,
    )
    assert "gossip" in (await printed(broken, whole=False)).text
    assert (await told(broken))["entries"][0]["at"] is None


def test_the_languages_say_the_same_things() -> None:
    assert EN.keys() == ZH.keys()
    assert {f"what.{what}" for what in What} <= EN.keys()
    for name, text in EN.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", ZH[name])), name
    for body in BODIES.values():
        skipped = {"parts", "reply_id", "callback_id", "key_id", "version"}
        assert set(body.__struct_fields__) - skipped <= EN.keys()
