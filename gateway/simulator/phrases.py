"""What customers write when they are asked for a score: phrases by character, each with the score it means.

`{n}` is the score in digits, `{w}` in full-width digits, `{c}` in Chinese numerals.
"""

from enum import StrEnum
from typing import Final


class Character(StrEnum):
    """How a customer deals with a question."""

    PROMPT = "prompt"  #: answers at once, and to the point
    LATE = "late"  #: answers much later, and apologises
    CHATTY = "chatty"  #: a score, and much besides
    ANGRY = "angry"  #: a low score with the reason, or the reason alone
    FOREIGN = "foreign"  #: in English or in traditional characters
    SILENT = "silent"  #: never answers
    UNCLEAR = "unclear"  #: no score at first; one when asked again
    REVISER = "reviser"  #: a score, and another one after it


PROMPT: Final = (
    "{n}",
    "{n}分",
    "{w}分",
    "{c}分",
    "{n} 分",
    "{w}",
    "打{n}分",
    "给{n}分",
    "回复{n}",
    "评分{n}",
    "我打{n}分",
    "{n}分。",
    "{n}分，谢谢",
    "{n}分!",
    "评分：{n}分",
    "{n}，满意",
    "选{n}",
    "可以，{n}分",
)
LATE: Final = (
    "{n}分，不好意思才看到",
    "{n}分。刚下班，才看到短信",
    "抱歉回晚了，{n}分",
    "忘了回复，给{n}分",
    "{n}分，手机没电了刚充上",
    "{n}分，人在外地出差",
    "老人家的手机，我帮他回，{n}分",
    "不好意思才看到，{n}分",
)
CHATTY: Final = (
    "{n}分，小伙子态度很好，讲得很清楚",
    "{n}分，问题解决得挺快，没想到当天就有结果",
    "{n}分。师傅上门很准时，鞋套都自己带，活干得利索，给他点个赞",
    "给{n}分吧，总算弄明白流量跑哪儿去了，原来是半夜自动更新，谢谢你们帮我关了",
    "{n}分，姑娘耐心得很，我妈听不懂她就一遍一遍讲，现在像这样的客服不多了，希望你们领导看到能表扬表扬，也希望以后营业厅多开几个窗口，"
    "老年人排队实在是太辛苦了",
    "{n}分，信号好多了，电梯里也能打电话了，邻居们都说好，以前进了地库就断线，现在视频都不卡",
    "{n}分，费用退得及时，态度也诚恳，我还会继续用你们家的",
    "我给{n}分，扣分是因为等得久了点，其他的都好",
    "{n}分，处理结果可以接受，希望以后别再乱开业务",
    "{c}分，不错不错，比上次强",
)
ANGRY: Final = (
    "{n}分！等了三天才有人理我",
    "{n}分，打电话打得我心都凉了，推来推去",
    "给{n}分都是看客服小姑娘的面子",
    "{n}分！钱退得倒快，当初乱扣的时候怎么不说",
    "{n}分，问题根本没解决，还是没信号",
    "{c}分！气死人了",
    "{n}分，敷衍了事，再这样就携号转网",
)
#: Without a score: a person has to look at these.
FURIOUS: Final = (
    "等了三天没人管，你们就这么对待老用户？",
    "根本没解决，还好意思让我评价",
    "我要去工信部投诉你们",
    "都9点了还没人给我回电话",
    "打了3次热线，3个人3种说法",
    "扣了我68块钱，一句系统原因就完了？",
    "什么破服务，一分都不想给",
    "凭什么乱扣费，给我个说法",
)
ENGLISH: Final = (
    "{n}",
    "{n} thanks",
    "{n}, thank you",
    "{n}. Very helpful, thank you",
    "Score: {n}",
    "{n} points",
    "{n} - quick and polite",
    "I give {n}",
)
TRADITIONAL: Final = (
    "{n}分",
    "{n}分，服務態度很好，謝謝",
    "給{n}分，師傅很專業",
    "我給{n}分，處理得很快",
    "{n}分，希望以後客服電話容易打一點",
    "{c}分，辛苦了",
)
#: No score on any scale, though meant as an answer.
UNCLEAR: Final = (
    "再看看吧",
    "你们自己心里有数",
    "问题是解决了，就是慢",
    "说不好",
    "这要怎么评",
    "什么意思？",
    "收到了，我看看信号再说",
    "让我爱人评吧，卡是她的",
    "？",
    "看情况",
)
REVISED: Final = (
    "{n}分",
    "{n}",
    "给{n}分",
    "{n}分吧",
    "{c}分",
    "打错了，是{n}分",
    "更正一下，{n}分",
)

_CHINESE: Final = "零一二三四五六七八九十"
_WIDE: Final = str.maketrans("0123456789", "０１２３４５６７８９")


def fill(phrase: str, score: int) -> str:
    """The phrase with its score in it."""
    digits = str(score)
    return phrase.format(n=digits, w=digits.translate(_WIDE), c=_CHINESE[score])
