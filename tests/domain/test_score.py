import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.domain.score import SHIPPED, Scale, Scored, Unclear, WordTable, read_score

SCALES = st.sampled_from(Scale)
#: Pieces that replies are made of, so that made-up ones are nearly real.
PIECES = st.lists(
    st.sampled_from(
        [
            "8",
            "3",
            "10",
            "1",
            "0",
            "11",
            "八",
            "十",
            "⑧",
            "分",
            "星",
            "天",
            "点",
            "个",
            "打",
            "给",
            "评",
            "我",
            "你们",
            "服务",
            "满意",
            "不",
            "非常",
            "很",
            "好",
            "差",
            "垃圾",
            "谢谢",
            "如果",
            "才",
            "就",
            "都",
            "吗",
            "？",
            "?",
            "，",
            "。",
            ".",
            ",",
            "-",
            "~",
            "/",
            "+",
            "到",
            "或",
            "out_of",
            "ten",
            "eight",
            "points",
            "thanks",
            "not",
            "if",
            "满分",
            "一般",
            "👍",
            "\u200b",
            "️⃣",
            "½",
            "\n",
        ]
    ),
    max_size=8,
).map("".join)
WIDE = {ord(sign): ord(sign) + 0xFEE0 for sign in map(chr, range(0x21, 0x7F))} | {0x20: 0x3000}


@pytest.mark.parametrize(
    ("reply", "scale", "value", "comment"),
    [
        pytest.param("8", Scale.TEN, 8, "", id="plain"),
        pytest.param("８分，谢谢！", Scale.TEN, 8, "谢谢！", id="the rest is the comment"),
        pytest.param("服务很好，给10分", Scale.TEN, 10, "服务很好", id="the comment may come first"),
        pytest.param("你好，8分。客服耐心", Scale.TEN, 8, "你好，客服耐心", id="both sides are the comment"),
        pytest.param("我给你们打个八分吧", Scale.TEN, 8, "", id="the words that state it are none"),
        pytest.param("8，等了3天", Scale.TEN, 8, "等了3天", id="a number with another unit"),
        pytest.param("五星好评", Scale.FIVE, 5, "好评", id="stars, where the scale has five"),
        pytest.param("不太满意，太慢", Scale.THREE, 3, "太慢", id="words, where the scale has three"),
        pytest.param("3\x00", Scale.THREE, 3, "", id="padding of a handset"),
        pytest.param("8\t\r\n", Scale.TEN, 8, "", id="blanks of every kind"),
    ],
)
def test_a_score_is_read_with_the_rest_as_its_comment(
    reply: str, scale: Scale, value: int, comment: str
) -> None:
    assert read_score(reply, scale) == Scored(value=value, comment=comment)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        pytest.param("谢谢", "no-number", id="no number"),
        pytest.param("0分", "off-scale", id="off the scale"),
        pytest.param("8.5", "fraction", id="fraction"),
        pytest.param("8-9", "range", id="range"),
        pytest.param("8 3", "several", id="two numbers"),
        pytest.param("都9点了还没人处理", "other-unit", id="time of day"),
        pytest.param("8？", "question", id="question"),
        pytest.param("10分，非常不满意", "contradiction", id="contradiction"),
        pytest.param("8分，打错了", "taken-back", id="taken back"),
        pytest.param("大概8分", "about", id="about"),
        pytest.param("8\ufffd\ufffd", "undecodable", id="replaced signs"),
        pytest.param("8Ö£¬ºÜºÃ", "undecodable", id="mojibake"),
        pytest.param("8分。TD", "opt-out", id="an opt-out beside a score"),
        pytest.param("10分，你赢了", "taken-back", id="mockery"),
    ],
)
def test_what_is_not_understood_says_why(reply: str, why: str) -> None:
    assert read_score(reply, Scale.TEN) == Unclear(why=why)


@pytest.mark.parametrize("flaw", ["网速慢", "网还是没好", "又断了", "没人管", "就是有点卡", "still slow"])
@pytest.mark.parametrize(
    ("top", "below", "scale"), [("10", "9", Scale.TEN), ("5", "4", Scale.FIVE), ("1", "2", Scale.THREE)]
)
def test_a_flaw_in_any_wording_stands_beside_any_score_but_the_top(
    flaw: str, top: str, below: str, scale: Scale
) -> None:
    assert read_score(f"{top}, {flaw}", scale) == Unclear(why="contradiction")
    assert read_score(f"{below}, {flaw}", scale) == Scored(value=int(below), comment=flaw)


@pytest.mark.parametrize(
    "praise", ["不慢", "终于不卡了", "再也没断过", "人在外地出差", "断网问题解决了", "刷卡很快"]
)
def test_what_only_sounds_like_a_flaw_leaves_the_top_standing(praise: str) -> None:
    assert read_score(f"10分，{praise}", Scale.TEN) == Scored(value=10, comment=praise)


def test_the_scales_own_top_is_no_second_score() -> None:
    assert read_score("满分10分，我给8分", Scale.TEN) == Scored(value=8, comment="")
    assert read_score("4分（满分5分）", Scale.FIVE) == Scored(value=4, comment="")
    assert read_score("满分5分，我给4分", Scale.TEN) == Unclear(why="several")


def test_the_operators_words_are_scores() -> None:
    words = WordTable(ten={"頂呱呱": 10, "很差": 2}, three={"好": 1})
    assert read_score("顶呱呱！", Scale.TEN, words) == Scored(value=10, comment="")
    assert read_score("服务很差", Scale.TEN, words) == Scored(value=2, comment="")
    assert read_score("好，谢谢", Scale.THREE, words) == Scored(value=1, comment="谢谢")
    assert read_score("非常满意", Scale.TEN, words) == Unclear(why="no-number")


def test_a_word_off_the_scale_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="off the scale"):
        WordTable(five={"很好": 6})


@settings(deadline=None)
@given(text=st.text() | PIECES, scale=SCALES)
@example(text="8" * 5000, scale=Scale.TEN)
@example(text="\ud800", scale=Scale.TEN)
def test_every_text_has_a_reading_and_every_score_is_on_the_scale(text: str, scale: Scale) -> None:
    answer = read_score(text, scale)
    assert isinstance(answer, Unclear) or 1 <= answer.value <= scale.highest


@settings(deadline=None)
@given(text=PIECES, scale=SCALES)
def test_the_width_of_letters_changes_no_reading(text: str, scale: Scale) -> None:
    narrow, wide = read_score(text, scale), read_score(text.translate(WIDE), scale)
    if isinstance(narrow, Scored):
        assert isinstance(wide, Scored)
        assert wide.value == narrow.value
    else:
        assert isinstance(wide, Unclear)


@settings(deadline=None)
@given(
    first=st.integers(1, 10),
    second=st.integers(1, 10),
    between=st.sampled_from([" ", "，", "\n", "。", "和", "或"]),
)
def test_a_second_bare_number_makes_it_unclear(first: int, second: int, between: str) -> None:
    assert isinstance(read_score(f"{first}{between}{second}", Scale.TEN), Unclear)


@settings(deadline=None)
@given(
    value=st.integers(1, 10),
    other=st.integers(0, 200),
    unit=st.sampled_from(["天", "次", "元", "个", "号", "月", "点", "小时", "分钟", "G", "%", "楼", "折"]),
)
def test_another_units_number_is_never_the_score(value: int, other: int, unit: str) -> None:
    assert isinstance(read_score(f"{other}{unit}", Scale.TEN), Unclear)
    assert read_score(f"{value}分。等了{other}{unit}", Scale.TEN) == Scored(
        value=value, comment=f"等了{other}{unit}"
    )


@pytest.mark.parametrize(
    "piece",
    [
        "8",
        "8 ",
        " ",
        "\n ",
        "8分",
        "。",
        "?",
        "不",
        "满意",
        "如果",
        "not ",
        "(",
        "8.",
        "一",
        "👍",
        "8-",
        "没有",
        "断的",
        "以前",
    ],
)
@pytest.mark.parametrize("scale", Scale)
def test_a_long_text_is_read_letter_by_letter(piece: str, scale: Scale) -> None:
    """A pattern that went back over what it has read would not come to the end of these."""
    long = (piece * 20_000)[:20_000]
    for text in (long, f"8分，{long}", f"{long}，8分", f"10分，{long}"):
        answer = read_score(text, scale)
        assert isinstance(answer, Unclear) or answer.value <= scale.highest


def test_the_shipped_words_are_the_top_and_the_bottom() -> None:
    assert (SHIPPED.ten["非常满意"], SHIPPED.ten["非常不满意"]) == (10, 1)
    assert (SHIPPED.five["非常满意"], SHIPPED.five["非常不满意"]) == (5, 1)
