"""Replies made to look like a yes that are none: each is a plain yes with something more, by construction.
`python -m tests.domain.consent_grammar 1000000` reads so many; nothing here knows how the reader works."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple


def _these(words: str) -> list[str]:
    return words.split("|")


#: Written down again here, so that a word which slips into the reader's list is found.
PLAIN_YES: Final = _these(
    "Y|y|Yes|YES|yes|confirm|agree|I confirm|I agree|yes please|yes, please|yes I confirm|yes I agree"
    "|yes, I confirm|yes, I "
    "agree|是|是的|确认|确定|同意|我确认|我同意|同意办理|同意开通|同意订购|确认办理|确认开通|确认订购"
    "|確認|確定|我確認|同意辦理|同意開通|同意訂購|確認辦理|確認開通|確認訂購"
)
WITH_CODE: Final = ("Y", "y", "Yes", "confirm", "agree", "确认", "確認", "同意")

_QUESTIONS: Final = _these(
    "?|？|??|？！|吗|吗？|么|么?|嘛？|吧？|，是吗|，对吗|是什么意思|多少钱|什么业务|要钱吗|是不是要扣费|呢？|❓|¿|؟|﹖"
)
_ASKING: Final = _these(
    "为什么要回|什么是|是不是要|谁让我|要不要|可以不|怎么|why |what is |do i need to |how much if i "
)
_CONDITIONS: Final = _these(
    "如果免费就|要是不扣钱就|免费的话|不收费我就|只要便宜|等下个月再|先试用再|假如能退|if free |if "
    "it's free "
    "|only if cheaper |unless charged |when I come back "
)
_RESERVES: Final = _these(
    "，如果免费的话|，但是太贵|不过太贵了|，要是能退|，免费才行|，除非免费|但不要扣钱|，只限首月| if "
    "free| if it's free|, but not now"
    "| but too expensive| unless you charge| only for one month| as long as it is free"
)
_NEGATIONS: Final = _these(
    "不|没|别|未|非|勿|不想|不能|没有|并不|不要|不是|从来没有|我没|谁说我|not |no |don't |never |I do "
    "not |I don't |not a |un|dis|non"
)
_REFUSALS: Final = _these("N|n|no|No|NO|不|不要|取消|拒绝|不同意|否|算了|cancel|TD|退订|T|不是|别|stop|nope")
_BETWEEN: Final = _these("/|,|，| |。|.|;|、|\n|还是|或|或者| or |和|&|-|+|?|...|…|~| / ")
_PROMPTS: Final = _these(
    "回复{0}确认|回复“{0}”确认，N取消|请回复{0}|回{0}|回复{0}|发送{0}确认办理|直接回复{0}即可|【中国移动】回复{0}确认订购"
    "|您好，您申请的业务资费10元/月，回复{0}确认，24小时内有效。|Reply {0} to confirm|reply {0}|Text "
    "{0} to 10086|please {0}|press {0}"
    "|“{0}”|\"{0}\"|'{0}'|「{0}」|『{0}』|《{0}》|【{0}】|({0})|（{0}）|[{0}]|<{0}>|{{{0}}}|>{0}|转发：{0}"
    "|Fwd: {0}|RE: {0}"
    "|他说{0}|短信说{0}|让我回{0}|你们叫我回{0}|谁说{0}了|选{0}的话|打{0}|按{0}|{0}是确认|{0}表示同意|{0} "
    "= yes|{0}/N|我没说{0}"
)
_REMARKS: Final = _these(
    "谢谢|，谢谢|太贵了|扣了我多少|你们这些骗子|乱扣费|我要投诉|已经办过了|老婆让我问|什么鬼|取消掉|呵呵|才怪|个屁|你妹|个头|做梦|滚"
    "|啊|呀|哦|滴|啦|哈|吧|了|嘞|么么哒|呢|捏|唄|喽| sir| thanks| thank you| ok| bro|ep|eah|ou|our| "
    "not| no| man| right"
    "| yeah right| as if| lol"
    "|👍|👌|😡|🙄|❌|🚫|✅|1|0|37|10元|号|元|/月|%|#|*|@|&|+|=|^|_|\\|<|>|$|€|·|`|´|°|‘|’|“|”|:|：|;|；|-|—|--"
    "|业务|套餐|流量包|这个业务|取消业务|书|函|不了|取消|退订|撤销|失败|过|的话|人|定|不|否|与否"
)
_NOT_PLAIN: Final = _these(
    "好|好的|好吧|ok|OK|收到|知道了|嗯|嗯嗯|恩|行|可以|可|中|成|得|要|我要|需要|办|办理|开通|订|订购|定|买|续订|参加|愿意|接受|对|没错|没问题"
    "|当然|必须|系|係|係嘅|得啦|好嘅|是啊|是呀|是滴|是哒|是吧|是了|同意了|确认了|确认的|yep|yeah|yup|sure|fine|accept|agreed|confirmed|subscribe|start|START"
    "|order|right|true|1|2|一|①|１|0|8|10|37|👍|👌|🙆|✅|☑|✔|💯|❤|🆗|🉑|⭕|👍👍|外|歪|外外|喂|why|shi|shide|queren|tongyi|事|十|市|确人|同一"
    "|ye|yess|yse|yrs|ues|tes|u|t|h|g|да|oui|si|sí|ja|はい|네|예|ใช่|نعم|oke|yea"
    "|谢谢|你好|hi|请确认|请问|?|？|.|。|| "
    "|哈哈|呵呵|随便|看着办|都行"
)
_LOOKALIKES: Final = {
    "y": "уүγуỵýÿƴʏ𝐲𝑦𝓎𝖞𝚢ⓨ⒴ʸұ¥ყ",
    "Y": "УҮΥỲÝŸƳɎ𝐘𝑌𝒴𝖸𝚈ⓎҰ¥🅈🅨🆈🇾ϒⲨᎩᎽꓬ",
    "e": "еéèêë℮ⅇɛ𝐞",
    "s": "ѕśşſꜱ𝐬",
    "a": "аαàáâä@ɑ𝐚",
    "g": "ɡģğ9𝐠",
    "r": "гŕř𝐫",
    "c": "сϲćç𝐜ⅽ",
    "o": "оοóòôö0𝐨",
    "n": "пηñń𝐧",
    "f": "ƒғ𝐟",
    "i": "іíìîïıⅰ1l𝐢",
    "m": "мⅿ𝐦",
    "是": "昰湜寔题提🈶曰事",
    "的": "嘚旳地得菂",
    "确": "碻権榷",
    "认": "訒仞讱",
    "同": "囘仝铜㒰",
    "意": "薏噫臆億亿义",
    "定": "啶锭錠",
}
_HIDDEN: Final = _these(
    "\u202e|\u202d|\u2066|\u2067|\u061c|\u00ad|\u2060|\u200b|\u200c|\u200d|\ufeff|\u034f|\u0336|\u0338|"
    "\u20e0|\u0301|\u180e|"
    "\ufe0f|\u20e3|\x00|\x07|\x08|\x1b|\x7f|\x85|\u2028|\u3164|\U000e0001|\U000e0059|\ufffd|\ue000|"
    "\ud83d|\uffff"
)
_CUT: Final = _these("…|...|。。。|……|,|，|、|:|：|-|/|(|（|“|[…]| […]|&| and| 和|，但|;")


#: How octets were written, and how they are read.
_MISREAD: Final = (
    ("gbk", "latin-1"),
    ("utf-8", "latin-1"),
    ("utf-8", "cp1252"),
    ("utf-8", "gbk"),
    ("gbk", "utf-16-le"),
    ("utf-16-be", "latin-1"),
)
#: Not the code itself.
_OTHER_CODES: Final = _these(
    "{more}|{0}0|0{0}|{first}|{0}{0}|{first} {rest}|{first}.{rest}|-{0}|{0}.0|{0}元|{0},{more}|{0} {more}"
    "|{0}/{more}|#{0}|+{0}|x{0}|{0}?|{0}？|({0})|“{0}”|{0}，但太贵|{0}%|{0}N|N{0}|{0}Y"
    "|{0}号|={0}|{0}...|{0}-|{0} N"
)
_CODED: Final = _these(
    "{0}|{0}Y|{0} Y|是{0}|是的{0}|N{0}|Y{0}N|好{0}|好的{0}|OK{0}|不Y{0}|У{0}|Υ{0}|YY{0}|Y Y{0}|Y,{0}"
    "|Y，{0}|Y.{0}"
    "|Y。{0}|Y:{0}|Y#{0}|Y-{0}|Y{0}Y{0}|Y{0},Y{1}|Y{1},Y{0}|Y{0} {1}|回复Y{0}|“Y{0}”|我同意{0}|同意办理{0}"
    "|yes please{0}|1{0}|y y {0}"
)


class Made(NamedTuple):
    """One reply, the code that was asked for, and how it was made."""

    text: str
    code: str | None
    recipe: str


def _asked(random: Random, yes: str) -> str:
    if random.random() < 0.3:
        return random.choice(_ASKING) + yes
    return yes + random.choice(("", " ")) + random.choice(_QUESTIONS)


def _conditioned(random: Random, yes: str) -> str:
    return random.choice(_CONDITIONS) + yes if random.random() < 0.5 else yes + random.choice(_RESERVES)


def _negated(random: Random, yes: str) -> str:
    return random.choice(_NEGATIONS) + yes


def _both(random: Random, yes: str) -> str:
    pair = [yes, random.choice(_REFUSALS)]
    random.shuffle(pair)
    return random.choice((*_BETWEEN, "")).join(pair)


def _quoted(random: Random, yes: str) -> str:
    return random.choice(_PROMPTS).format(yes)


def _more(random: Random, yes: str) -> str:
    remark = random.choice(_REMARKS)
    return yes + remark if random.random() < 0.7 else remark + " " * random.randrange(2) + yes


def _repeated(random: Random, yes: str) -> str:
    return random.choice(("", " ", "，", "\n", "。", "!")).join([yes] * random.choice((2, 2, 2, 3, 4, 9)))


def _two(random: Random, yes: str) -> str:
    return (
        "Y"
        + random.choice(("", " ", "，", "、", "\n", "-"))
        + random.choice(("确认", "同意", "是", "yes", yes))
    )


def _disguised(random: Random, yes: str) -> str:
    places = [place for place, sign in enumerate(yes) if sign in _LOOKALIKES]
    if not places:
        return _hidden(random, yes)
    place = random.choice(places)
    return yes[:place] + random.choice(_LOOKALIKES[yes[place]]) + yes[place + 1 :]


def _hidden(random: Random, yes: str) -> str:
    """A sign that nobody sees, inside; those that hide nothing at the very end are not put there."""
    place = random.randrange(1, len(yes)) if len(yes) > 1 else None
    sign = random.choice(_HIDDEN)
    if place is None:
        return yes + sign + "x"
    return yes[:place] + sign + yes[place:]


def _garbled(random: Random, yes: str) -> str:
    wide = f"{yes}，谢谢" if yes.isascii() else yes
    wrote, read = random.choice(_MISREAD)
    return wide.encode(wrote, "replace").decode(read, "replace")


def _broken(random: Random, yes: str) -> str:
    return "[…]" + yes if random.random() < 0.2 else yes + random.choice(_CUT)


def _torn(random: Random, yes: str) -> str:
    """The beginning of a word, or its end; where that is a word itself, it goes on."""
    if len(yes) < 2:
        return yes + "…"
    place = random.randrange(1, len(yes))
    part = yes[:place] if random.random() < 0.7 else yes[place:]
    known = {each.casefold() for each in PLAIN_YES}
    return part + "…" if part.strip(" ,.。!").casefold() in known else part


def _other(random: Random, _: str) -> str:
    return random.choice(_NOT_PLAIN)


Recipe = Callable[[Random, str], str]
RECIPES: Final[Sequence[Recipe]] = (
    _asked, _conditioned, _negated, _both, _quoted, _more, _repeated, _two, _disguised, _hidden, _garbled,
    _broken, _torn, _other,
)  # fmt: skip
#: These take something away, and more beside what is left may make a word of it again (确, 定). All others
#: only add to a text, and may follow one another.
_ALONE: Final = {_torn, _other, _garbled}


def plain_yes(random: Random, code: str | None = None) -> str:
    """A text that says yes and nothing else, as people write it."""
    if code is None:
        return _dressed(random, random.choice(PLAIN_YES))
    return _dressed(random, random.choice(WITH_CODE) + random.choice(("", " ", "")) + code)


def _dressed(random: Random, yes: str) -> str:
    yes = random.choice((yes, yes, yes.upper(), yes.lower(), yes.title(), yes.swapcase()))
    if random.random() < 0.2 and "," not in yes:
        yes = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in yes)
    closing = random.choice(("", "", "", "", "。", ".", "!", "！", "!!", "~", " 。", "．"))
    before, after = (
        random.choice(("", "", "", " ", "\n", "\u3000", "  \r\n", "\ufeff", "\u200b")) for _ in "12"
    )
    return before + yes + closing + after


def no_yes(random: Random) -> Made:
    """A reply that is no yes to what was asked."""
    asked = str(random.randrange(10, 1000)) if random.random() < 0.3 else None
    if asked and random.random() < 0.5:
        return Made(_miscoded(random, asked), asked, "code")
    recipe = random.choice(RECIPES)
    names = [recipe.__name__]
    text = recipe(random, random.choice(PLAIN_YES) if not asked else random.choice(WITH_CODE) + asked)
    while recipe not in _ALONE and random.random() < 0.3:
        again = random.choice(RECIPES)
        if again in _ALONE:
            break
        text = again(random, text)
        names.append(again.__name__)
    if random.random() < 0.3:
        text = random.choice(("", " ", "\n", "\u3000")) + text + random.choice(("", " ", "\n", "。", "!"))
    return Made(text, asked, "+".join(names))


def _miscoded(random: Random, code: str) -> str:
    """A yes without the code, or with another."""
    other = random.choice(_OTHER_CODES).format(code, more=int(code) + 1, first=code[0], rest=code[1:])
    return random.choice(
        [
            plain_yes(random),
            random.choice(WITH_CODE) + random.choice(("", " ")) + other,
            other + random.choice(("", " ")) + random.choice(WITH_CODE),
            random.choice(_CODED).format(code, other),
        ]
    )


def no_refusal(random: Random) -> str:
    """A refusal that is asked, or hangs on something."""
    return random.choice((_asked, _conditioned))(random, random.choice(_REFUSALS))


def made(count: int, seed: int) -> list[Made]:
    """So many of them, the same for the same seed."""
    random = Random(seed)
    return [no_yes(random) for _ in range(count)]


def main(count: int) -> int:
    """Reads `count` of them and tells how; gives the number that were read as a yes."""
    from gateway.domain.consent import Unclear, Yes, read_consent

    read: Counter[str] = Counter()
    wrong = 0
    for each in made(count, seed=count):
        answer = read_consent(each.text, code=each.code)
        read[answer.reason if isinstance(answer, Unclear) else type(answer).__name__] += 1
        if isinstance(answer, Yes):
            wrong += 1
            sys.stdout.write(f"a yes: {each}\n")
    sys.stdout.write("".join(f"{number:9,} {name}\n" for name, number in read.most_common()))
    sys.stdout.write(f"{wrong:9,} wrong of {count:,}\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000) > 0)
