"""Customers: what they take for a question, what they answer, and that it arrives."""

import asyncio
import re
from pathlib import Path

import pytest

from gateway.simulator import phrases
from gateway.simulator.handset import Customer, Handsets, Question, question_in
from gateway.simulator.phrases import Character
from gateway.sms import coding, segment, udh
from tests.simulator.conftest import Start
from tests.simulator.peers import CUSTOMER, OURS, client

ASKED = (
    "您反映的问题已处理：已为您关闭后台更新。\n\n请回复1-10分评价本次服务，10分为非常满意，期待您的10分满意。"
)
ASKED_AGAIN = "很抱歉，未能识别您的评分。请只回复一个1-10的数字，10分为非常满意。"
TEMPLATES = Path(__file__).parents[2] / "templates" / "sms"
ON_SCALE = r"\{% if scale == 'three' %\}(.*?)\{% elif scale == 'five' %\}(.*?)\{% else %\}(.*?)\{% endif %\}"
SHIPPED = [
    pytest.param(path, id=f"{path.parent.name}/{path.name}") for path in sorted(TEMPLATES.glob("*/*.j2"))
]
ANSWERING = [each for each in Character if each not in (Character.SILENT, Character.UNCLEAR)]
Answers = list[list[tuple[str, int | None]]]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        pytest.param(ASKED, Question(10, False, "zh-CN"), id="ten"),
        pytest.param("请回复1-5分评价本次服务", Question(5, False, "zh-CN"), id="five"),
        pytest.param("请回复数字评价：1满意，2一般，3不满意。", Question(3, False, "zh-CN"), id="three"),
        pytest.param("請回覆1至10分評價本次服務", Question(10, False, "zh-TW"), id="traditional"),
        pytest.param("Please rate our service: reply 1 to 5.", Question(5, False, "en"), id="English"),
        pytest.param("Reply 1 (satisfied), 2 (so-so) or 3", Question(3, False, "en"), id="English words"),
        pytest.param(ASKED_AGAIN, Question(10, True, "zh-CN"), id="asked again"),
        pytest.param("感谢您的评价！您的意见是我们改进服务的动力，祝您生活愉快。", None, id="thanks"),
        pytest.param("您的余额为21.10元，流量已用1-10日共213MB", None, id="a number in a notice"),
        pytest.param("回复Y确认订购，21天内有效", None, id="another question"),
    ],
)
def test_a_question_is_known_by_its_scale(text: str, question: Question | None) -> None:
    assert question_in(text) == question


@pytest.mark.parametrize("path", SHIPPED)
def test_every_shipped_template_is_taken_for_what_it_is(path: Path) -> None:
    body = path.read_text("utf-8").split("---", 2)[2]
    for group, highest in ((1, 3), (2, 5), (3, 10)):
        text = re.sub(ON_SCALE, rf"\{group}", body, flags=re.DOTALL)
        question = question_in(re.sub(r"\{[{%].*?[%}]\}", "A1024", text))
        if text == body:
            assert question is None
        else:
            assert question is not None
            assert (question.highest, question.again) == (highest, path.name.startswith("clarify"))


def answers(character: Character, text: str = ASKED, customers: int = 60) -> Answers:
    heard = []
    for number in range(customers):
        replies = Customer(str(13905310000 + number), character, seed=3).hear(OURS, text)
        heard.append([(reply.text, reply.score) for reply in replies])
    return heard


@pytest.mark.parametrize("character", ANSWERING)
def test_who_answers_means_a_score_of_the_scale(character: Character) -> None:
    for text, highest in ((ASKED, 10), ("请回复1-5分评价", 5), ("请回复：1满意，2一般，3不满意", 3)):
        for replies in answers(character, text):
            assert replies
            for words, score in replies:
                assert words
                assert score is None or 1 <= score <= highest
                assert score is None or any(form in words for form in forms(score))


def forms(score: int) -> tuple[str, ...]:
    return tuple(phrases.fill(form, score) for form in ("{n}", "{w}", "{c}"))


def test_the_silent_never_answer_and_the_unclear_only_when_asked_again() -> None:
    assert not any(answers(Character.SILENT))
    assert not any(answers(Character.SILENT, ASKED_AGAIN))
    assert {score for replies in answers(Character.UNCLEAR) for _, score in replies} == {None}
    assert None not in {score for replies in answers(Character.UNCLEAR, ASKED_AGAIN) for _, score in replies}


def test_the_angry_give_low_scores_or_none() -> None:
    scores = {score for replies in answers(Character.ANGRY) for _, score in replies}
    assert scores == {None, 1, 2, 3, 4}


def test_the_reviser_writes_twice() -> None:
    customer = Customer(CUSTOMER, Character.REVISER, seed=1)
    first, second = customer.hear(OURS, ASKED)
    assert second.after > first.after
    assert first.score != second.score


def test_the_same_question_is_answered_once_and_a_new_one_again() -> None:
    customer = Customer(CUSTOMER, Character.PROMPT, seed=1)
    assert len(customer.hear(OURS, ASKED)) == 1
    assert customer.hear(OURS, ASKED) == []
    assert len(customer.hear("10086002", ASKED)) == 1


def test_phrases_are_many_and_differ() -> None:
    prompt = {words for replies in answers(Character.PROMPT, customers=200) for words, _ in replies}
    assert len(prompt) > 30
    assert answers(Character.CHATTY) == answers(Character.CHATTY)
    longest = max(phrases.CHATTY, key=len)
    assert segment.measure(phrases.fill(longest, 9)).segments > 1


SCENARIO = "customers: {pace: 0, shares: {prompt: 1}, hands_off: ['0009']}"


async def test_customers_answer_long_questions_to_where_they_came_from(start: Start) -> None:
    smsc = await start(SCENARIO)
    handsets = Handsets(smsc)
    split = segment.split("您反映的流量问题。" * 10 + ASKED, 9)
    assert len(split.payloads) > 1
    async with client(smsc) as peer:
        for octets in reversed(split.payloads):
            peer.submit(
                octets,
                esm_class=split.esm_class,
                data_coding=split.data_coding,
                source_addr="10086042",
                registered_delivery=0,
            )
        await peer.until(lambda: bool(peer.delivered))
        [reply] = peer.delivered
        assert (reply.source_addr, reply.destination_addr) == (CUSTOMER, "10086042")
        text = coding.decode(udh.take(reply.short_message, reply.esm_class)[1], reply.data_coding).text
        assert re.search(r"\d|[一二三四五六七八九十]", text)
    handsets.close()


async def test_numbers_that_others_play_and_thanks_are_left_alone(start: Start) -> None:
    smsc = await start(SCENARIO)
    Handsets(smsc)
    async with client(smsc) as peer:
        for number, text in (("8613905310009", ASKED), (CUSTOMER, "感谢您的评价！")):
            octets = text.encode("utf-16-be")
            peer.submit(octets, data_coding=8, destination_addr=number, registered_delivery=0)
        await peer.until(lambda: len(peer.answers) == 2)
        await asyncio.sleep(0.05)
        assert not peer.delivered


async def test_without_customers_in_the_scenario_nobody_answers(start: Start) -> None:
    smsc = await start()
    Handsets(smsc)
    async with client(smsc) as peer:
        peer.submit(ASKED.encode("utf-16-be"), data_coding=8, registered_delivery=0)
        await peer.until(lambda: bool(peer.answers))
        await asyncio.sleep(0.05)
        assert not peer.delivered
        smsc.change({"customers": {"pace": 0, "shares": {"prompt": 1}}})
        peer.submit(ASKED.encode("utf-16-be"), data_coding=8, registered_delivery=0)
        await peer.until(lambda: bool(peer.delivered))


async def test_a_number_keeps_its_character(start: Start) -> None:
    courses = []
    for _ in range(2):
        smsc = await start("customers: {}")
        handsets = Handsets(smsc)
        customers = smsc.scenario.customers
        assert customers is not None
        courses.append([handsets.customer(str(13905310000 + n), customers).character for n in range(300)])
    assert courses[0] == courses[1]
    assert set(courses[0]) == set(Character)
