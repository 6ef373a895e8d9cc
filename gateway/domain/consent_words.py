"""The words of a confirmation: the closed list that says yes, the wider one that says no, and what the rest
looks like. All but `AGREE` are for folded text (`fold.py`)."""

import re
from itertools import product
from typing import Final

from gateway.domain.words import any_of, listed

#: All that says yes. It has a reading of its own, sign by sign, and not the wide one of scores: whoever makes
#: that one read more does not make more customers pay.
YES: Final = listed(
    "y yes confirm agree i_confirm i_agree yes_please yes,_please "
    "yes_i_confirm yes_i_agree yes,_i_confirm yes,_i_agree "
    "是 是的 确认 确定 同意 我确认 我同意 "
    "同意办理 同意开通 同意订购 确认办理 确认开通 确认订购"
)
#: What may stand before the code; 是37 may also say what it is.
_BEFORE_CODE: Final = listed("y yes confirm agree 确认 同意")

_SPACES: Final = " \u00a0\u2002\u2003\u2009\u202f\u3000"
#: What keyboards and handsets leave at the ends of a text, where it changes nothing.
ENDS: Final = _SPACES + "\n\r\t\u200b\u200e\u200f\ufeff"
PLAIN: Final = (
    {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
    | {code: (code - 0xFEE0) | 0x20 for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
    | {code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)}
    | dict.fromkeys(map(ord, _SPACES), ord(" "))
    | dict(zip(map(ord, "確認辦開訂購。．｡！～，"), map(ord, "确认办开订购...!~,"), strict=True))
)


def _ways(words: list[str]) -> str:
    return "|".join(word.replace(" ", " +") for word in sorted(words, key=len, reverse=True))


#: For a text without `ENDS`, letter by letter as `PLAIN` has it. One full stop ends; two or more hesitate.
AGREE: Final = re.compile(
    rf"(?:(?:{_ways(YES)})|(?:(?P<before>{_ways(_BEFORE_CODE)})|(?:{_ways(YES)})) *(?P<code>[0-9]{{1,12}}))"
    r" *(?:\.|[!~]+)?"
)

# No

#: What is refused, when 不, 别 or 拒绝 stands before it.
_DEEDS: Final = listed("办 办理 订 订购 定购 开 开通 续订 续费 买 购买 参加 参与 申请 订阅 加入 使用")
_THINGS: Final = listed("业务 服务 套餐 产品 活动 功能 东西 订单 订购 办理 申请 流量包")
_CORE: Final = frozenset(
    listed(
        "不要 不需要 不用 不必 不想要 不想 不同意 不确认 不接受 不愿意 不愿 不答应 不可以 不行 不考虑 "
        "不感兴趣 没兴趣 没有兴趣 没需要 没有需要 用不着 用不上 无需 无须 算了 免了 谢绝 婉拒 放弃 拒绝 "
        "要拒绝 我拒绝 反对 别给我办 别给我开 别给我开通 别给我订 别乱办 别乱开通 不使 勿扰 不办 不开 不订 "
        "不买 不续"
    )
) | {
    turned + deed
    for turned, deed in product(
        listed("不 不要 不用 不想 不需要 不同意 不确认 不愿意 别 勿 请勿 无需 拒绝 先不 暂不"),
        _DEEDS,
    )
}
#: Whole clauses only, with nothing before them.
_ALONE: Final = frozenset(
    listed(
        "n no nope nah never cancel cancel_it cancel_this cancel_please please_cancel please_cancel_it "
        "reject i_reject decline i_decline declined rejected refuse i_refuse refused disagree i_disagree "
        "no_thanks no_thank_you no_thank_u no_thx no_tks no_need no_need_thanks not_needed not_now "
        "not_interested no_i_don't no_i_do_not i_don't i_do_not don't dont do_not i'm_not_interested "
        "i_am_not_interested don't_want don't_want_it i_don't_want i_don't_want_it i_don't_want_this "
        "i_dont_want i_dont_want_it i_do_not_want i_do_not_want_it i_do_not_want_this don't_need "
        "don't_need_it i_don't_need i_don't_need_it i_do_not_need_it not_agree not_agreed don't_agree "
        "dont_agree do_not_agree i_don't_agree i_dont_agree i_do_not_agree not_confirm don't_confirm "
        "do_not_confirm i_don't_confirm i_do_not_confirm don't_subscribe do_not_subscribe don't_activate "
        "do_not_activate no_way 不 否 不是 不是的 别 不了 不啊 不哦 不谢谢 我不 拒 bu buyao buyong "
        "butongyi quxiao jujue"
    )
)
#: A unit of these may be said over and over: NN, 不不不, no no no.
_SAID_AGAIN: Final = re.compile(r"(.{1,4}?)(?: ?\1)+")
_LEAD: Final = re.compile(
    r"(?:我们?|本人|俺|咱们?|那就?|就|还是|先|暂时|暂|目前|现在|真的|都|也|请|麻烦|给我|帮我|你好|您好"
    r"|对不起|不好意思|抱歉|谢谢|多谢|(?:n|no)[ ]?(?=[不别否]))*"
)
_OBJECT: Final = rf"(?:(?:这个|这项|这|该|此|那个|任何|你们的)?(?:{any_of(_THINGS)})|这个|它)?"
_TAIL: Final = re.compile(
    r"(?:了|的|啊|呀|哦|噢|喔|吧|哈|啦|喇|咯|喽|呗|哟)*[ ]*(?:谢谢(?:你们|您|你)?|多谢|感谢|thanks"
    r"|thank you|thx)*"
)
#: This order is cancelled; 取消套餐 may be another wish.
_CANCEL: Final = (
    r"(?:要|想|申请)?取消(?:掉|它|这个|(?:本次|这次|此次|该|此|这个)?(?:订购|办理|申请|订单|开通|确认)"
    rf"|(?:这个|这项|这|该|此)(?:{any_of(_THINGS)}))?"
)
_REFUSAL: Final = re.compile(rf"(?:(?:{any_of(_CORE)}){_OBJECT}|{_CANCEL}){_TAIL.pattern}")
_BESIDE: Final = frozenset(
    listed(
        "谢谢 谢谢你 谢谢您 谢谢你们 谢谢了 多谢 感谢 你好 您好 对不起 不好意思 抱歉 麻烦了 thanks "
        "thank_you thx sorry please hi hello dear"
    )
)
#: sorry no need, N谢谢
_THANKED: Final = re.compile(r"^(?:sorry|thanks|thank you|hi|hello) |(?<=[a-z])谢谢(?:你们|您|你)?$")
_ECHOED: Final = re.compile(r"(?:请?回复?|发送?|reply|text)[ :]*(?=n(?:o)?$)")


def refuses(clause: str) -> bool:
    """Whether a clause, without blanks beside Chinese letters, is a refusal and nothing else."""
    clause = _THANKED.sub("", _ECHOED.sub("", clause))
    if again := _SAID_AGAIN.fullmatch(clause):
        clause = again[1]
    if clause in _ALONE:
        return True
    lead = _LEAD.match(clause)
    return _REFUSAL.fullmatch(clause, lead.end() if lead else 0) is not None


def is_beside(clause: str) -> bool:
    """Whether a clause is thanks or a greeting, which changes no refusal."""
    return clause in _BESIDE


# What else

QUESTION: Final = re.compile(
    r"[?]|吗|么(?!么)|嘛|吧[ .。!~]*$|呢[ .。!~]*$|什么|多少|几[块元个天]|怎么|怎样|如何|为啥|干啥|干嘛"
    r"|啥|哪|谁|是不是|是否|是吧|(?<!不)要不要|能不能|可不可以|可否|行不行|有没有|咋|点解|乜|边个"
    r"|(?<![a-z])(?:what|why|who|which|how|where|can (?:i|you|u)|could you|is (?:it|this)|do i|does (?:it"
    r"|this)|am i|are you|huh)(?![a-z])"
)
QUOTED: Final = re.compile(
    r"(?<!撤)回[复覆]|请回|(?<!撤)回[ ]?[\"']?[yn](?![a-z])|答复|发送|输入|编辑|转发|尊敬|您好[,，].{4,}"
    r"|请(?:确认|您)|【|】|[\"「」『』《》()\[\]{}<>]|(?<![a-z])'|'(?![a-z])|即可|(?:以|来)确认|为您"
    r"|您(?:已|将|正|申请|订|办)|中国移动|(?<![a-z])(?:reply|respond|replied|text y|text yes|send y"
    r"|send yes|press|please confirm|to confirm|dear customer|fwd?|re)(?![a-z])"
)
CONDITION: Final = re.compile(
    r"如果|要是|若|假如|倘若|的话|免费|不要钱|不收费|不花钱|不扣钱|不扣费|除非|只要|只有|前提|否则|不然|但"
    r"|不过|可是|然而|只是|除了|等|再(?:说|看|议|考虑)|考虑|先|(?<!刚)才(?!怪)|就|试用|试试|试一下|便宜"
    r"|打折|优惠|首月|下个?月|下次|以后|明天|随便|看情况|也许|(?<!不)可能|大概|(?<![a-z])(?:if|unless"
    r"|provided|as long as|only|but|when|once|after|until|free|for free|trial|maybe|perhaps|depends|later"
    r"|tomorrow|next|except|however|unsure|probably)(?![a-z])"
)
_YES_SAID: Final = r"(?:(?<![a-z])(?:y+|yes|confirm|agree)(?![a-z])|是(?!否)|确[认定]|同意)"
#: 不同意 holds no 同意.
NOT_YES: Final = re.compile(r"不(?:同意|确[认定]|是)(?!不)")
NEGATED_YES: Final = re.compile(
    rf"(?:[不没别未非勿无]|唔|(?<![a-z])(?:not|no|never|don't|dont|won't|can't|cannot"
    rf"|didn't)(?![a-z]))[^,，.。!;；、\n]{{0,6}}?{_YES_SAID}"
)
YES_SAID: Final = re.compile(_YES_SAID)
NO_SAID: Final = re.compile(
    r"(?<![a-z])(?:n+|no|nope|cancel|reject)(?![a-z])|不[同确][意认定]|不[是要办用订开行]|不需要"
    r"|取消|拒绝|否|退订|不(?=[ ,.。!\n]*$)"
)
EITHER: Final = re.compile(r"(?<![a-z])(?=y*n)(?=n*y)[yn]+(?![a-z])")
NEGATION: Final = re.compile(
    r"[不没别未非勿无唔]|(?<![a-z])(?:not|no|never|none|don't|dont|won't|can't|cannot|didn't|isn't"
    r"|doesn't)(?![a-z])"
)
#: How a text ends that has not ended.
OPEN_END: Final = re.compile(r"(?:…|\.{2,}|。{2,}|[,，、:：;；/&+\\_-])[ ]*$")
AGAIN: Final = re.compile(rf"(?:是的|{_YES_SAID}|[ ,.。!~、\n-])+")

COURTESY: Final = frozenset(
    listed(
        "好 好的 好吧 好嘞 好滴 好哒 好呀 好啊 好嘅 好哦 好了 好好 好好好 好的好的 好的谢谢 好谢谢 ok okay "
        "oke okey oki okk okok k kk okthanks okthankyou 收到 收到谢谢 已收到 收到了 知道 知道了 了解 "
        "了解了 明白 明白了 已阅 阅 谢谢 多谢 感谢 谢 谢谢你 谢谢您 谢了 谢谢了 3q thx ty thanks thankyou "
        "thanksalot gotit received noted isee 嗯 嗯嗯 嗯嗯嗯 恩 恩恩 嗯呢 哦 哦哦 噢 喔 哦了 喔喔 额 呃 啊 "
        "辛苦了 你好 您好 hi hello hey 早 早上好 晚安 晚上好 再见 拜拜 bye 哈哈 呵呵 嘿嘿 嘻嘻"
    )
)
#: The same as `YES` without blanks and signs: what is left of an agreement that is not written plainly.
AGREEMENTS: Final = frozenset(re.sub("[ ,]", "", word) for word in YES)
LOOSE: Final = AGREEMENTS | frozenset(
    listed(
        "行 行的 行啊 可以 可以的 可以啊 可 中 成 得 得嘞 要 要的 要啊 我要 需要 我需要 办 办理 我要办 "
        "我要办理 办吧 开通 开 我要开通 开通吧 订 订购 我要订购 订阅 订吧 定 定购 买 购买 续订 续费 继续 "
        "继续使用 参加 使用 用 愿意 我愿意 接受 我接受 答应 我答应 允许 批准 支持 对 对的 对啊 对呀 对滴 "
        "没错 正确 没问题 无异议 没有异议 没意见 无意见 当然 当然是 肯定 必须 必须的 一定 确实 系 系的 "
        "是啊 是呀 是哦 是滴 是哒 是的呢 是的哦 是的呀 是的啊 是的是 是了 同意了 同意的 同意啊 同意哦 "
        "已同意 确认了 确认的 确认啊 已确认 我是 就是 本人同意 本人确认 我们同意 完全同意 非常同意 "
        "十分同意 好的同意 好的确认 好同意 嗯同意 嗯是的 嗯确认 对是的 可以同意 yep yeah yup ya yea yah "
        "yas ye yess yesss sure surely fine alright allright accept iaccept accepted agreed confirmed "
        "approve approved right correct true allow allowed goahead ofcourse absolutely definitely deal "
        "yessir yesmadam yesthanks yesthankyou ido iwant iwantit iwill willdo yesido yesiwant yesok okyes "
        "activate subscribe order buy proceed positive affirmative aye roger yespls yesplz pleasedo "
        "iagreetothis 中啊 要得 巴适 阔以 造 妥 妥了 没毛病 好说 准 准了 照办 依 好使 行吧 中不中"
    )
)
#: Mistyped, in pinyin, or as voice input and handwriting write them down.
NEAR: Final = frozenset(
    listed(
        "shi shide s sd si tongyi tongy tongyii queren qr qren querenle queding qd tongyibanli wotongyi "
        "woqueren 外 歪 外外 歪歪 喂 歪儿 外一 wai wy yi yw 事 式 试 市 世 时 石 室 视 适 士 事的 试的 "
        "十的 似的 实的 确人 却认 缺人 确任 雀人 确忍 却人 同一 同义 统一 童意 童艺 通意 铜艺 同益 痛意 "
        "同艺 桐意 确仁 确仍 确走 缺定 却定 ys yse yed yrs yex yws ues tes yds yee hes eys yesd yew tyes "
        "yesa conform comfirm confrim confim cofirm conferm confrm confirme agre agreee aggree argee "
        "agreen agee u g h yt yu yg v 丫 干 日 曰 时的 诗"
    )
)
NUMBER: Final = re.compile(r"[\d①-⒛⓪-⓿零〇一二三四五六七八九十壹贰叁肆伍陆柒捌玖拾]+(?:号|[.。)])?")
