"""What people type to a numbered list, and what is never taken for a choice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.choice import All, Chosen, More, Reason, Unclear, Word, agrees, read_choice, read_word

NAMES = ["手机报", "视频会员", "Music+", "来电显示", "手机报"]

THREE = (
    "3 ３ ③ ❸ 三 3. 3。 3! “3” （3） 【3】 3️⃣ 第3 第3项 第三个 3号 No.3 #3 3退订 3取消 退订3 退订第3项 "
    "退订3号业务 取消3 退3 删除3 QX3 qx3 ＱＸ３ TD3 取消订阅3 关闭3 回复3 选3 我要退订3 "
    "请帮我取消3 3谢谢 cancel3"
)
NOTHING = (
    "3? 3？ 3吗 不退3 不退订3 别退3 3不退 不要3 要3 我要3 3分 3个 3项 退订3项 3个月 退3个月 3元 3-5 3到5 3.5 "
    "3/5 03 三五 两 手机报 退订 TD 谢谢 好的 Y 13905310001 3或5 除了3 3以外 我的3号业务是什么 退2退3 "
    "0000 00000 -3 +3 3a a3"
)


def chosen(text: str, shown: int = 4) -> tuple[int, ...] | None:
    """The numbers that are meant."""
    found = read_choice(text, NAMES, shown)
    return tuple(place + 2 for place in found.places) if isinstance(found, Chosen) else None


@pytest.mark.parametrize(
    "text",
    THREE.split(),
)
def test_a_number_is_read_as_people_write_it(text: str) -> None:
    assert chosen(text) == (3,)


@pytest.mark.parametrize(
    "text",
    [" 3 ", "3\n", "qx 3", "退订 3", "3 退订", "cancel 3", "Cancel 3 please", "stop 3", "3, thanks", "三 。"],
)
def test_blanks_and_courtesy_do_not_matter(text: str) -> None:
    assert chosen(text) == (3,)


@pytest.mark.parametrize(
    "text",
    [
        "3 5",
        "3、5",
        "3，5",
        "3,5",
        "3, 5",
        "3；5",
        "3和5",
        "3 and 5",
        "3+5",
        "3\n5",
        "5 3",
        "3 5 3",
        "退订3、5",
        "退订3和5，谢谢",
    ],
)
def test_several_are_meant_each_once(text: str) -> None:
    assert chosen(text) == (3, 5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("35", Reason.OFF_LIST, id="one number, not two"),
        pytest.param("9", Reason.OFF_LIST, id="not on the list"),
        pytest.param("6", Reason.OFF_LIST, id="not yet seen"),
        pytest.param("3 9", Reason.OFF_LIST, id="one of them is not on it"),
        pytest.param("1 3", Reason.BOTH, id="all and one"),
        *(pytest.param(text, Reason.OTHER, id=text or "empty") for text in NOTHING.split()),
        pytest.param("", Reason.OTHER, id="empty"),
        pytest.param("退订手机报", Reason.OTHER, id="nothing of that name was seen alone"),
        pytest.param("3" * 200, Reason.OTHER, id="endless"),
    ],
)
def test_all_else_is_unclear(text: str, reason: Reason) -> None:
    if text == "退订手机报":
        assert read_choice(text, NAMES, 5) == Unclear(reason)
    else:
        assert read_choice(text, NAMES, 4) == Unclear(reason)


@pytest.mark.parametrize("text", ["退订视频会员", "取消 视频会员", "QX视频会员。", "我要退订視頻會員"])
def test_a_service_may_be_named_beside_a_word_that_cancels(text: str) -> None:
    assert chosen(text) == (3,)


@pytest.mark.parametrize(
    "text",
    ["1", "１", "①", "一", "1。", "退订1", "全部", "全部退订", "退订全部", "全退", "all", "Cancel all"],
)
def test_one_is_all(text: str) -> None:
    assert read_choice(text, NAMES, 4) == All()


@pytest.mark.parametrize("text", ["更多", "更多。", "MORE", "more", "下一页", "下一頁", "0", "ＧＤ"])
def test_the_next_page(text: str) -> None:
    assert read_choice(text, NAMES, 4) == More()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *((text, Word.LIST) for text in ("0000", "００００", "0000。", " 0000 ", "0000!", "“0000”", "٠٠٠٠")),
        *((text, Word.ALL) for text in ("00000", "０００００", "00000.")),
        *(
            (text, None)
            for text in (
                "000",
                "000000",
                "0 000",
                "0000?",
                "回复0000",
                "0000谢谢",
                "oooo",
                "10000",
                "",
                "0000" * 9,
            )
        ),
    ],
)
def test_the_word_that_opens_a_list_stands_alone(text: str, word: Word | None) -> None:
    assert read_word(text) is word


@pytest.mark.parametrize(
    ("text", "agreed"),
    [("Y", True), ("是", True), ("确认退订", True), ("确认全部退订。", True)]
    + [(text, False) for text in ("N", "no", "不", "不退订", "不取消", "保留", "不要")]
    + [(text, None) for text in ("1", "全部退订", "退订", "TD", "取消", "拒收", "Y?", "好的", "3")]
    + [(text, None) for text in ("确认退订吗？", "Y吧要不", "不知道", "不要再发")],
)
def test_all_goes_after_a_plain_yes_only(text: str, agreed: bool | None) -> None:
    assert agrees(text) is agreed


@given(st.text(max_size=150), st.integers(0, 5))
def test_nothing_that_was_not_shown_is_chosen(text: str, shown: int) -> None:
    found = read_choice(text, NAMES, shown)
    if isinstance(found, Chosen):
        assert found.places
        assert list(found.places) == sorted(set(found.places))
        assert all(0 <= place < shown for place in found.places)


@given(
    st.sets(st.integers(2, 5), min_size=1), st.sampled_from([" ", "、", ",", "，", "和", "\n"]), st.booleans()
)
def test_numbers_come_back_as_they_were_sent(numbers: set[int], between: str, wide: bool) -> None:
    text = between.join(map(str, numbers))
    if wide:
        text = text.translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    assert chosen(text) == tuple(sorted(numbers))
