import pytest

from gateway.domain.correction import read_correction
from gateway.domain.score import Scale, Scored


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("打错了，8分", 8),
        ("不对，应该是6", 6),
        ("改成7分", 7),
        ("更正一下，8分", 8),
        ("刚才发错了，是9分", 9),
        ("我要改分，改为3分", 3),
        ("sorry, I meant 8", 8),
        ("correction: 7", 7),
        ("打錯了，8分", 8),
        ("不好意思按错了 9", 9),
        ("9改成8", 8),
        ("把9分改成8分", 8),
        ("从9分改为8分", 8),
        ("我想把9分改成8分", 8),
        ("帮我把9分改成8分", 8),
        ("手滑了，8", 8),
        ("打错了，应该是8分，谢谢", 8),
        ("打错了 是8分", 8),
        ("改8分", 8),
        ("更正：8分", 8),
        ("更正为8分", 8),
        ("重新打分：6分", 6),
        ("刚才打错了，我想打8分", 8),
        ("不好意思打错了，应该打9分", 9),
        ("错了，是7", 7),
        ("I meant 8", 8),
        ("oops, wrong number, 8", 8),
        ("should be 8", 8),
        ("make it 8", 8),
        ("change it to 7", 7),
        ("change my score to 7", 7),
        ("typo, 8", 8),
        ("my mistake, it's 9", 9),
        ("Sorry I mean 9", 9),
        ("我要改成9分", 9),
        ("改一下，9分", 9),
        ("改为十分", 10),
        ("刚才手误，应为9分", 9),
        ("不对，是10分", 10),
        ("打错了，8分，服务不错", 8),
        ("按错了，应该是10分", 10),
        ("change 9 to 8", 8),
        ("改成满分", 10),
        ("打错了，满分", 10),
        ("评错了，给9分", 9),
    ],
)
def test_the_score_that_replaces_an_earlier_one_is_read(text: str, value: int) -> None:
    found = read_correction(text, Scale.TEN)
    assert found
    assert found.value == value


@pytest.mark.parametrize(
    "text",
    [
        "打错了",
        "8",
        "8分",
        "不改成8分",
        "改成7分可以吗",
        "改成7分？",
        "如果修好了改成7分",
        "打错8分",
        "8分打错了",
        "8分，打错了",
        "打错了，不是8分",
        "打错了，7或8",
        "打错了，7 8",
        "打错了，80",
        "打错了，等了3天",
        "打错了，8分左右",
        "改成8.5",
        "改成7分就给好评",
        "怎么改成8分",
        "能改成8分吗",
        "我没打错，8分",
        "不是打错了，8分",
        "没打错 8分",
        "打错了，如果解决了给8分",
        "改天给8分",
        "谁打错了，8分",
        "打错了！8分？",
        "9改成",
        "改成11分",
        "不对",
        "应该是3天",
        "错了3次",
        "改套餐8",
        "改成8元套餐",
        "把9改成8行吗",
        "I never meant 8",
        "sorry 8 is too high",
        "not 8",
        "打错了，8分 TD",
        "打错了，8分才怪",
        "改为8折",
        "从9点改为8点",
        "i meant 8 days",
        "改成5G",
        "是8分",
        "应该8分",
        "给8分",
        "为8分",
        "it's 8",
        "is 8",
        "请打8分",
        "我打8分",
        "其实8分",
    ],
)
def test_what_corrects_nothing_for_certain_is_no_correction(text: str) -> None:
    assert read_correction(text, Scale.TEN) is None


def test_the_rest_is_the_comment_and_the_scale_is_kept() -> None:
    assert read_correction("打错了，4星，服务不错", Scale.FIVE) == Scored(value=4, comment="服务不错")
    assert read_correction("打错了，是3", Scale.THREE) == Scored(value=3, comment="")
    assert read_correction("打错了，8分", Scale.FIVE) is None
    assert read_correction("打错了，8\ufffd", Scale.TEN) is None


@pytest.mark.parametrize("piece", ["打错了", "打错了，", "我", "我改", "sorry ", "改成", "刚才", "9改成"])
def test_a_long_text_is_read_letter_by_letter(piece: str) -> None:
    """A pattern that went back over what it has read would not come to the end of these."""
    assert read_correction((piece * 20_000)[:20_000], Scale.TEN) is None
