"""Every place in a folded text (`fold.py`) that speaks of a number, and as what: a score's, another unit's,
or one that nobody can be sure of. Each letter is read a bounded number of times."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """As what a number stands in the text."""

    BARE = "bare"  #: nothing with it: 8
    MARKED = "marked"  #: with the unit of a score: 8分, 8/10, 8 points, 满分
    OTHER = "other"  #: with another unit, in a word or an idiom: 3天, 5G, 一般
    ODD = "odd"  #: a fraction, a range, a sign, a numeral that is not understood


class Mention(NamedTuple):
    """`plain[start:end]` speaks of `value`; for `ODD` and `OTHER`, `why` has the code of the reason."""

    start: int
    end: int
    kind: Kind
    value: int
    why: str = ""


_WORDS: Final[dict[str, int]] = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100,
}  # fmt: skip
_HAN: Final[dict[str, int]] = (
    {sign: value for value, sign in enumerate("零一二三四五六七八九")}
    | {sign: value for value, sign in enumerate("壹贰叁肆伍陆柒捌玖", start=1)}
    | {"〇": 0, "两": 2}
)
#: First sign and last of each run of signs that count from `value` on: circled, bracketed, dotted, Roman.
_RUNS: Final = (
    ("①", "⑳", 1), ("⑴", "⒇", 1), ("⒈", "⒛", 1), ("⓪", "⓪", 0), ("⓿", "⓿", 0), ("⓫", "⓴", 11),
    ("⓵", "⓾", 1), ("❶", "❿", 1), ("➀", "➉", 1), ("➊", "➓", 1), ("㈠", "㈩", 1), ("㊀", "㊉", 1),
    ("Ⅰ", "Ⅻ", 1), ("ⅰ", "ⅻ", 1), ("🔟", "🔟", 10),
)  # fmt: skip
_SIGNS: Final = {
    chr(code): value + code - ord(first)
    for first, last, value in _RUNS
    for code in range(ord(first), ord(last) + 1)
}

_HAN_CLASS: Final = "零〇一二三四五六七八九两壹贰叁肆伍陆柒捌玖十拾百佰千仟万亿廿卅俩仨"
_NUMBER_WORD: Final = "|".join(sorted(_WORDS, key=len, reverse=True))
_NUMBER: Final = rf"\d+|(?<![a-z])(?:{_NUMBER_WORD})(?![a-z])"

#: Idioms and words in which a numeral counts nothing. 十分 and 万分 before more words are "very".
_IDIOM: Final = (
    r"一分(?:价)?钱[,， ]?一分货|百分百|百分之[零一二三四五六七八九十百\d.]+|"
    r"[打给评](?=十分(?:满意|感谢|不满|好|差))|"
    r"[十万]分(?!\s*(?:$|[\n,.!?;:。、~…)\]】」』\"']|吧|啊|哦|呀|哈|啦|了|呗|给你|/|钟|以上|左右))|"
    r"一(?:般|直|定|样|下|起|些|切|旦|律|向|共|边|再|致|流)|不三不四|丢三落四|颠三倒四|接二连三|说一不二"
    r"|再而三|一而再|一问三不知|半斤八两|[八十]不离十|[八九十]九不离十|十有八九|说三道四|一分为二|[二三四]合一"
    r"|一(?=[^\W\d_分星或到和不是一二三四五六七八九十]一)|(?:如|挑|屈|新|对|专|亮|为|独|其)一(?![\d分星])"
    r"|独一无二|数一数二|三三两两|七七八八|一五一十|一清二楚|"
    r"第[零一二三四五六七八九十百\d]+|(?:星期|礼拜|周)[一二三四五六七\d](?!\d)"
    r"|[同统唯万之其单逐任每某哪这那另]一|一一|"
    r"(?:工号|单号|编号|尾号|号码|电话|手机|卡号|验证码|qq|微信)[是为: ]?[a-z]{0,3}\d+"
)
_TOKEN: Final = re.compile(
    rf"(?P<idiom>{_IDIOM})|"
    r"(?P<top>满分|(?<![a-z])(?:full|top|perfect|maximum) (?:marks?|score|points)(?![a-z]))"
    rf"|(?P<digits>\d+)|(?P<han>[{_HAN_CLASS}]+)|(?P<word>(?<![a-z])(?:{_NUMBER_WORD})(?![a-z]))"
    rf"|(?P<sign>[{''.join(_SIGNS)}])|(?P<strange>[^\x00-\u00a7\u3003-\u3020\u4e00-\u9fff\uff00-\uffef])"
)
_JOINED: Final = re.compile(
    r"(?:\s*(?:[.,:/~\-、·'_*x×+=&|\\]|到|至|或者?|和|点|分(?=\d+(?![\d分]))|比)\s*\d+)+"
)
_CLOCK: Final = re.compile(
    r"\d{1,2}:\d\d(?::\d\d)?|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|1\d{2}-?\d{4}-?\d{4}|0\d{2,3}-\d{7,8}"
)
_OVER: Final = re.compile(
    rf"\s*分?\s*\(?(?:/|(?<![a-z])out\s+of(?![a-z])|(?<=[\s\d])of(?![a-z]))\s*(?P<top>{_NUMBER})"
    r"(?:\s*分|\s*(?:points?|pts?)(?![a-z]))?(?!\s*[\d/.:\-~月日号个天次a-z]*[\d/:~月日号个天次])"
)
_POINTS: Final = re.compile(
    r"\s*(?:分儿?(?!\s*(?:钟|钱|之|厘|公司|店|局|机|贝|米|红|期))|(?:points?|pts?|marks?|fen)(?![a-z])"
    r"|[芬昏](?=[ .。!~吧哦啊]*(?:$|[,，\n])))"
)
_ROUGH: Final = re.compile(
    r"\s*(?:半|多(?!谢|亏)|以上|以下|以内|左右|上下|不到|起(?!码)|开外|[-+]|\.\d|~\s*\d|or so|ish|点\d)"
)
_STARS: Final = re.compile(r"\s*(?:颗|个)?(?:星(?!期|巴|级)|⭐|★|stars?(?![a-z]))+")
_UNIT: Final = re.compile(
    r"\s*(?:[%‰℃°个位名次遍趟日号月年周秒刻元块毛角钱折倍楼栋幢室户条张台件封句字格兆米里岁届类项包袋箱瓶杯套间所座组页辆根枚颗粒片堆批站口番宗笔款版]"
    r"|星期|礼拜|小时|钟头|分钟|分之|分钱|分公司|单元|公里|多[个次天年月]|几|来[个次天]|百|千|万(?!分)|亿|十"
    r"|[克吨斤瓦词章册架艘盒碗盘窗扇床枝朵棵株匹尾寸尺股]|度|平方|平米|英寸|美元|港币|积分|学分|进制|队"
    r"|班(?!组)|区(?!别)|点整|[段篇课层顿阵码串圈道](?!歉)|人(?!员|工|家)|回(?!复|答|访|应)|天(?!天)"
    r"|点(?!赞|评)|时(?!间|常|不)"
    r"|成(?!功|都)|家(?!里|人|庭)|只(?!是|能|要|有|想|好)"
    r"|部(?!分)|本(?!次|人|来|地|身)|份|通(?!话|信|过|知)|级|档|种|样(?!样)|把(?!问|我)|期(?!待|望)|路|场"
    r"|下(?!次|回|面|午)|起(?!码)|单(?!独|位)|支(?!持)|门|代|线|网(?!络|速|上|点|很|太|不|好|差|慢)"
    r"|(?:days?|hours?|hrs?|h|minutes?|mins?|seconds?|secs?|times?|weeks?|months?|years?|yrs?|am|pm|people"
    r"|persons?|calls?"
    r"|yuan|rmb|cny|dollars?|bucks?|percent|gb|mb|kb|g|m|k|mbps|gbps|th|st|nd|rd|o'clock|bars?|agents?"
    r"|staff|texts?|messages?"
    r"|sms|visits?|business days|working days|more|other|different|separate)(?![a-z]))"
)
_SIGNED: Final = re.compile(r"(?:[+\-#*=<>≥≤~≈^_/\\@&|]|负|零下)\s*$|(?<!\.)\.$")
_MONEY: Final = re.compile(r"[$¥￥€£]\s*$")
_STUCK: Final = re.compile(r"(?!x10|ok|okay|thanks?|thx|good|very|great|nice|pls|please|excellent)[a-z]")
_SIGN_AFTER: Final = re.compile(r"\s*(?:[+=<>*^_&\\|/×÷≥≤@$¥￥]|-(?![\s-]*[a-z\u4e00-\u9fff])|~\s*\d)")
_WORD_BOUND: Final = re.compile(
    r"\s*(?:$|[\n,.!?;:。、~…()\[\]【】「」『』《》\"'#-]"
    r"|(?:吧|啊|哦|呀|哈|啦|呗|嘛|噢|吗|么)+\s*(?:$|[\n,.!?;:。、~…])|(?:please|pls|thanks?|thank|thx|from "
    r"me)(?![a-z]))"
)
_HAN_BOUND: Final = re.compile(rf"{_WORD_BOUND.pattern}|\s")
_DASH_COMMENT: Final = re.compile(r"\s*-[\s-]*[a-z\u4e00-\u9fff]")
_TENS: Final = re.compile(r"([一壹二三四五六七八九])?[十拾]([一二三四五六七八九])?")


def mentions(plain: str, highest: int, *, stars: bool) -> Iterator[Mention]:
    """The numbers of a folded text in their order. `highest`: the scale's top; `stars`: 星 is its unit."""
    place = 0
    while found := _TOKEN.search(plain, place):
        start, place = found.span()
        kind = found.lastgroup
        if kind == "idiom":
            continue
        if kind == "top":
            points = _POINTS.match(plain, place)
            place = points.end() if points else place
            yield Mention(start, place, Kind.MARKED, highest)
        elif kind == "strange":
            if found[0].isnumeric() or found[0] == "💯":
                yield Mention(start, place, Kind.ODD, 0, "odd-number")
        else:
            mention = _measured(plain, start, place, kind or "", highest=highest, stars=stars)
            place = max(place, mention.end)
            yield mention


def _measured(plain: str, start: int, end: int, kind: str, *, highest: int, stars: bool) -> Mention:
    """The numeral `plain[start:end]` with what stands before and after it."""
    value = _value(plain[start:end], kind)
    before = plain[max(0, start - 4) : start]
    if highest > 3 and (over := _OVER.match(plain, end)):
        full = over["top"]
        if (int(full) if len(full) < 4 and full.isdecimal() else _WORDS.get(full)) == highest and not _stuck(
            before
        ):
            return Mention(start, over.end(), *_stated(Kind.MARKED, value))
    if kind == "digits" and (joined := _JOINED.match(plain, end)):
        harmless = _UNIT.match(plain, joined.end()) or _CLOCK.fullmatch(plain, start, joined.end())
        why = "other-unit" if harmless else _joined_why(joined[0])
        return Mention(start, joined.end(), Kind.OTHER if harmless else Kind.ODD, 0, why)
    if _MONEY.search(before) or (kind == "digits" and before[-1:].isascii() and before[-1:].isalpha()):
        return Mention(start, end, Kind.OTHER, 0, "other-unit")
    if _stuck(before):
        return Mention(start, end, Kind.ODD, 0, "signed")
    if points := _POINTS.match(plain, end):
        if _ROUGH.match(plain, points.end()) and not _DASH_COMMENT.match(plain, points.end()):
            return Mention(start, points.end(), Kind.ODD, 0, "about")
        return Mention(start, points.end(), *_stated(Kind.MARKED, value))
    if found := _STARS.match(plain, end):
        kind_of_stars = _stated(Kind.MARKED, value) if stars else (Kind.ODD, 0, "other-unit")
        return Mention(start, found.end(), *kind_of_stars)
    return _unmeasured(plain, start, end, kind, value)


def _unmeasured(plain: str, start: int, end: int, kind: str, value: int | None) -> Mention:
    """A numeral that no unit of a score follows: bare if nothing else holds it."""
    if unit := _UNIT.match(plain, end):
        return Mention(start, unit.end(), Kind.OTHER, 0, "other-unit")
    if held := _held(plain, start, end, kind):
        return Mention(start, end, *held)
    if _ROUGH.match(plain, end) and not _DASH_COMMENT.match(plain, end):
        return Mention(start, end, Kind.ODD, 0, "about")
    if _SIGN_AFTER.match(plain, end):
        return Mention(start, end, Kind.ODD, 0, "signed")
    return Mention(start, end, *_stated(Kind.BARE, value))


def _held(plain: str, start: int, end: int, kind: str) -> tuple[Kind, int, str] | None:
    """As what a numeral stands that is part of a word, a long number or another numeral; else None."""
    after = plain[end : end + 1]
    if kind == "han":
        if not _HAN_BOUND.match(plain, end):
            return Kind.OTHER, 0, "no-number"
        if plain[start:end] == "一" and plain[start - 1 : start] > "\u4e00":
            return Kind.ODD, 0, "odd-number"
        return (Kind.ODD, 0, "odd-number") if plain[start:end] in {"两", "俩", "仨"} else None
    if kind == "word":
        if after == "-" or plain[start - 1 : start] == "-":
            return Kind.ODD, 0, "odd-number"
        return None if _WORD_BOUND.match(plain, end) else (Kind.OTHER, 0, "no-number")
    if kind == "digits":
        if end - start >= 5:
            return Kind.OTHER, 0, "off-scale"
        if _STUCK.match(plain, end):
            return Kind.OTHER, 0, "other-unit"
        if after and after in _HAN_CLASS and plain[end + 1 : end + 2] not in {"般", "直", "定", "样"}:
            return Kind.ODD, 0, "odd-number"
    return None


def _stated(kind: Kind, value: int | None) -> tuple[Kind, int, str]:
    return (Kind.ODD, 0, "odd-number") if value is None else (kind, value, "")


def _stuck(before: str) -> bool:
    """Whether a sign stands before the number that makes another of it: -8, .8, ~8, 负8."""
    return _SIGNED.search(before) is not None


def _joined_why(joint: str) -> str:
    if any(sign in joint for sign in ".,点/·'分"):
        return "fraction"
    return "range" if any(sign in joint for sign in "-~到至") else "several"


def _value(numeral: str, kind: str) -> int | None:
    """What a numeral counts, or None where it is no plain whole number (08, 七八, 十百)."""
    if kind == "digits":
        return None if (numeral[0] == "0" and len(numeral) > 1) or len(numeral) > 4 else int(numeral)
    if kind == "word":
        return _WORDS[numeral]
    if kind == "sign":
        return _SIGNS[numeral]
    if len(numeral) == 1 and numeral in _HAN:
        return _HAN[numeral]
    if tens := _TENS.fullmatch(numeral):
        return _HAN.get(tens[1] or "", 1) * 10 + _HAN.get(tens[2] or "", 0)
    return None


def read_numeral(plain: str) -> int | None:
    """What a numeral that stands alone counts, in digits, words or signs; None: it is none (08, 七八)."""
    if plain.isdecimal():
        return _value(plain, "digits")
    if plain in _WORDS:
        return _WORDS[plain]
    if plain in _SIGNS:
        return _SIGNS[plain]
    return _value(plain, "han") if plain and all(sign in _HAN_CLASS for sign in plain) else None
