"""What 0000 says, by the shipped templates: every answer of the machine can be written, in few segments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.config import Settings
from gateway.config.files import read_catalogue
from gateway.domain.choice import Word
from gateway.domain.effect import CallOut, Effect, Reply
from gateway.domain.given import CallDone, CallFailed, Reminder, ReplyText
from gateway.domain.menu import CANCEL, TOUCHPOINT, Item, Menu, MenuRules, State, Status, Subject, begun, step
from gateway.sms.segment import measure

T0 = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
RULES = MenuRules()
CATALOGUE = read_catalogue(Settings())
LANGUAGES = ["zh-CN", "zh-TW", "en"]
ITEMS = (
    Item(service="news", name="手机报", price="5.00", period="month"),
    Item(service="video", name="视频会员", price="15.00", period="month", trial=True, expires="2026-12-31"),
    Item(service="5g", name="5G加油包10GB", price="20.00", period="quarter", expires="2027-01-15"),
    Item(service="ring", name="彩铃", price="0.00"),
)


def texts(effects: list[Effect], language: str) -> list[str]:
    """What the customer reads."""
    written = []
    for effect in effects:
        if isinstance(effect, Reply):
            template = CATALOGUE.get(effect.template, language)
            assert template is not None
            text = template.render(effect.params)
            assert isinstance(text, str), text
            assert measure(text).segments <= template.head.max_segments
            written.append(text)
    return written


def menu(items: tuple[Item, ...] = ITEMS, word: Word = Word.LIST) -> tuple[Menu, list[Effect]]:
    new = Menu(
        7,
        UUID(int=7),
        "menu",
        "8613905310001",
        "10086001",
        TOUCHPOINT,
        None,
        Status.OPEN,
        T0,
        T0 + RULES.holds,
        None,
        Subject(reply_id=UUID(int=1), items=items),
        State(),
        1,
    )
    return begun(new, word, RULES)


def says(text: str, *, elsewhere: bool = False) -> ReplyText:
    return ReplyText(UUID(int=2), text, elsewhere=elsewhere)


def test_the_list_as_a_customer_reads_it() -> None:
    (text,) = texts(menu()[1], "zh-CN")
    assert text.splitlines()[1:] == [
        "1 全部退订",
        "2 手机报 5元/月",
        "3 视频会员(试用) 15元/月至12月31日",
        "4 5G加油包10GB 20元/季至2027年1月15日",
        "5 彩铃 0元",
    ]
    assert measure(text).segments == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_can_be_written(language: str) -> None:
    opened, effects = menu()
    assert texts(effects, language)
    assert texts(menu(())[1], language)
    assert texts(menu(word=Word.ALL)[1], language)
    for given in (says("3", elsewhere=True), says("1", elsewhere=True), says("什么"), says("1")):
        assert texts(step(opened, given, T0, RULES)[1], language)
    asked, effects = step(opened, says("1"), T0, RULES)
    assert texts(step(asked, says("N"), T0, RULES)[1], language)
    assert texts(step(asked, says("什么"), T0, RULES)[1], language)
    assert texts(step(opened, says("3"), T0 + timedelta(hours=1), RULES)[1], language)
    going, effects = step(asked, says("Y"), T0, RULES)
    assert sum(isinstance(effect, CallOut) for effect in effects) == len(ITEMS)
    going, _ = step(going, CallDone(CANCEL, None, "news"), T0, RULES)
    going, _ = step(going, CallFailed(CANCEL, "500", "video"), T0, RULES)
    _, effects = step(going, Reminder(), T0 + timedelta(minutes=2), RULES)
    (text,) = texts(effects, language)
    assert all(item.name in text for item in ITEMS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_list_stays_within_its_segments(language: str) -> None:
    long = tuple(
        Item(service=f"s{n}", name="咪咕视频会员包月"[: 4 + n % 5], price="12.00", period="month")
        for n in range(25)
    )
    opened, effects = menu(long)
    (first,) = texts(effects, language)
    assert measure(first).segments <= 5  # and 4 where names are written in the letters of the text
    _, effects = step(opened, says("更多"), T0, RULES)
    assert texts(effects, language)
    assert texts(menu(long, Word.ALL)[1], language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_receipt_of_whatever_many_can_be_sent(language: str) -> None:
    many = tuple(Item(service=f"s{n}", name=f"{n}咪咕视频会员" * 4, price="12.00") for n in range(90))
    going, _ = step(menu(many, Word.ALL)[0], says("Y"), T0, RULES)
    for n in range(60):
        answer = CallDone(CANCEL, None, f"s{n}") if n % 2 else CallFailed(CANCEL, "500", f"s{n}")
        going, _ = step(going, answer, T0, RULES)
    _, effects = step(going, Reminder(), T0 + timedelta(minutes=2), RULES)
    (text,) = texts(effects, language)
    assert measure(text).segments <= 10
