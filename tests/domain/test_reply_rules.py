"""The word lists for customers' own words: what asks for a person, what takes a score back."""

from pathlib import Path

import pytest

from gateway.domain.reply_rules import Phrases, ReplyRules
from gateway.domain.rules import load_text

SHIPPED = load_text(
    "replies.yaml",
    (Path(__file__).parents[2] / "rules" / "replies.yaml").read_text(encoding="utf-8"),
    ReplyRules,
)


@pytest.mark.parametrize(
    "text",
    [
        "我要投诉",
        "投诉",
        "我要投诉，宽带又坏了，请回电",
        "請回電",
        "请 回 电",
        "人工！",
        "转人工",
        "还是不行",
        "還是不行啊",
        "问题没解决",
        "8分，但是没有解决",
        "联系我",
        "COMPLAINT",
        "Complaint.",
        "please  call\nme back",
        "请尽快call me",
        "still not working",
    ],
)
def test_who_asks_for_a_person_is_known(text: str) -> None:
    assert isinstance(SHIPPED, ReplyRules)
    assert SHIPPED.help.said_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "8",
        "",
        "谢谢",
        "不用回电了",
        "不要再联系我",
        "已联系我，满意",
        "投诉处理得很好",
        "人工服务很好",
        "no need to call me",
        "don't call me",
        "as I recall me too",
        "什么意思",
    ],
)
def test_who_does_not_is_left_alone(text: str) -> None:
    assert isinstance(SHIPPED, ReplyRules)
    assert not SHIPPED.help.said_in(text)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        pytest.param("打错了", True, id="mistyped"),
        pytest.param("不好意思刚才按錯了", True, id="pressed the wrong one"),
        pytest.param("不对", True, id="no more than that"),
        pytest.param("能改吗？", True, id="asks whether it can be changed"),
        pytest.param("sent by mistake", True, id="in English"),
        pytest.param("态度不对", False, id="about something else"),
        pytest.param("师傅很好", False, id="praise"),
    ],
)
def test_what_takes_a_score_back(text: str, back: bool) -> None:
    assert isinstance(SHIPPED, ReplyRules)
    assert SHIPPED.takes_back.said_in(text) is back


def test_no_list_says_nothing() -> None:
    assert not Phrases().said_in("我要投诉")
    assert not Phrases(within=(" ",)).said_in("a b")
