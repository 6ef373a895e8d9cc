"""The words around a score: what may lead it in, what may follow it, what a comment may say beside it, and
what takes it back. Patterns are for folded text (`fold.py`)."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final


def any_of(words: Iterable[str]) -> str:
    """The alternatives, longest first, for a possessive group; Latin ones only up to a word's end."""
    ordered = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    return "|".join(
        rf"{word}(?![a-z])" if word[-1].isascii() and word[-1].isalpha() else word for word in ordered
    )


def listed(text: str) -> list[str]:
    """The words of a line; _ stands for a blank within one."""
    return [word.replace("_", " ") for word in text.split()]


_FAMILY: Final = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭肖蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范"
    "汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵钱严覃武戴莫孔向汤"
)
#: 小王, 张师傅, 李经理.
_NAME: Final = f"[小老阿][{_FAMILY}]|[{_FAMILY}][\u4e00-\u9fff]?(?:师傅|经理|女士|先生|小姐|老师|工)"
_SUBJECT: Final = listed(
    "我们 我 本人 俺 咱们 咱 个人 这次 本次 此次 这回 对于 对 你们 你 您们 您 贵公司 贵司 移动公司 移动 "
    "联通 电信 客服人员 客服 师傅 "
    "工作人员 安装师傅 维修师傅 装机师傅 安装人员 营业员 小姐姐 小哥哥 小哥 服务态度 服务质量 服务 态度 "
    "总体 整体 总的 综合 处理结果 结果 处理 "
    "这个 的 呢 啊 哈 那就 那 "
    "上门 热线 投诉处理 满意程度 今天 今次 感觉 觉得 认为"
)
_OBJECT: Final = [
    word for word in _SUBJECT if word not in {"我们", "我", "本人", "俺", "咱们", "咱", "呢", "那", "那就"}
]
_VERB: Final = listed(
    "打分 打个 打 给予 给出 给到 给个 给 评个 评价 评为 评分 评 选择 选项 选个 选 回复 回答 回个 回 复 "
    "得分 分数 满意度 成绩 分值 打分给 投 "
    "我的评分 我的打分 我的评价 只能给 只给 勉强给 必须给 当然给 必须 来个 奉上 送上 献上"
)
#: 我对你们的服务打: whose score, then the verb of scoring, then what it is for.
LEAD: Final = re.compile(
    rf"(?:(?:{any_of(_SUBJECT)}|{_NAME})[ :]*)*+"
    rf"(?P<verb>(?:(?:{any_of(_VERB)})[ :]*(?:(?:是|为|个|{any_of(_OBJECT)}|{_NAME})[ "
    rf":]*)*+)*+)(?:[是为][ :]*)?"
)
LEAD_LATIN: Final = re.compile(
    r"(?:(?:i|i'd|i'll|we|we'd|you|u|them|the|this|your|it|my|our|overall|service|staff|agent|support"
    r"|would|of|for|a|an|is"
    r"|it's|that's|rather|customer|definitely|experience|am|solid|full)(?![a-z'])[ :=]*)*+"
    r"(?P<verb>(?:(?:give|gave|giving|rate|rated|rating|rates|score|scored|say|vote|choose|pick|mark"
    r"|answer|reply"
    r"|perfect)(?![a-z])[ :=]*"
    r"(?:(?:you|u|them|the|this|your|it|my|service|of|as|at|a|an|is|solid|full|with|perfect|for|staff"
    r"|agent|score"
    r"|rating|:|-)(?![a-z])[ :=]*)*+)*+)"
)
#: The last of such words before 8 points, where none of them is a verb.
LATIN_LAST: Final = frozenset(
    listed("it's that's is i overall service staff agent support a an solid full experience")
)
#: Thanks and nothing else: the commonest comment, which needs no further look.
THANKS: Final = re.compile(
    r"(?:谢谢|多谢|感谢|谢|辛苦|非常|十分|你们|您|了|thanks|thank you|thx|[ \n,.!。、~])*+"
)
JUDGED: Final = re.compile(r"很|挺|非常|不错|还[行可不]|了|真|特别|比较|太|谢")
#: How a comment that asks for more begins.
WISHING: Final = re.compile(
    r"希望|建议|继续|祝|请|加油|支持|保持|再接再厉|辛苦|已|没[^,。]*(?:解决|修|处理|人)|[太很真]|问题|给我"
)
#: At the very beginning of a reply, and only there: 就8分吧, 当然10分.
FIRST: Final = re.compile(
    r"(?:也?就是?|当然是?|绝对是?|绝对|妥妥的?|那必须|果断|一定|最终|必须的?)[ ]*(?:给|打)?[ ]*"
)
ARTICLE: Final = re.compile(
    r"(?:(?:it's|that's|it is|that is|definitely) )?(?:an?|(?:a )?(?:solid|perfect|strong)) "
)

_GREETING: Final = listed(
    "你好 您好 嗨 谢谢你们 谢谢您 谢谢你 谢谢了 谢谢 多谢 感谢 非常感谢 辛苦了 辛苦 亲 早上好 下午好 "
    "没意见 没有意见 无意见 没有建议 晚上好 好的 嗯嗯 嗯 哦 噢 收到 请 "
    "hi hello thanks thank_you thank_you_very_much thanks_a_lot many_thanks thx ty ok okay please pls dear "
    "yes cheers"
)
_DEGREE: Final = listed(
    "很 非常 挺 还 比较 太 特别 有点 有些 真的 真 真是 十分 相当 都 也 超 超级 蛮 好 最 极 极其 更 还是 "
    "一直 确实 总算 终于 已经 已 "
    "very so really quite pretty all is was are were the your and a"
)
_VERDICT: Final = listed(
    "满意 不错 很好 好 棒 赞 行 还可以 可以的 还行 尚可 普通 中等 凑合 马马虎虎 差评 及格 刚及格 不及格 "
    "一般 一般般 一般吧 "
    "及时 耐心 热情 到位 专业 认真 负责 周到 优秀 "
    "完美 给力 快 迅速 高效 方便 "
    "亲切 贴心 细心 好评 五星好评 解决了 不满意 不太满意 很差 差 慢 不好 差劲 太差 垃圾 无语 态度好 服务好 "
    "点赞 支持 加油 一流 没得说 没话说 "
    "没问题 没毛病 良好 优质 优 强 牛 舒服 清楚 详细 客气 礼貌 有礼貌 稳定 满分 "
    "good great excellent nice perfect fine satisfied happy bad poor slow fast quick helpful polite "
    "friendly awesome "
    "amazing fantastic wonderful terrible horrible awful worst useless service job work staff support "
    "not_bad well_done professional"
)
_TOPIC: Final = listed(
    "我 我们 对 你们 你们的 的 服务 服务态度 服务质量 态度 客服 客服人员 网络 信号 网速 宽带 速度 处理 "
    "处理速度 处理结果 结果 "
    "回复 师傅 安装师傅 维修师傅 小哥 小姐姐 工作人员 总体 整体 总体来说 整体来说 总的来说 这次 本次 "
    "这次服务 效率 办事 移动 问题 业务 "
    "解释 沟通 人员 营业员 经理 移动的 师傅的 感觉 觉得 了 吧 啊 呀 哈 哦 呢 啦 地 得 非常的 这个 那个 "
    "美女 帅哥 小妹 小伙"
)
#: A comment made of nothing but well-known words: greetings, thanks, and how it was.
KNOWN: Final = re.compile(
    rf"(?:{any_of(_GREETING + _DEGREE + _VERDICT + _TOPIC)}|[ "
    rf"\n,.!。!、~…;:()\u2600-\u27bf\U0001f300-\U0001faff]+)*+"
)
#: Before a number these say how much or who, not how good: 太8, 快8分, 客服8.
DANGLING: Final = re.compile(
    rf"(?:{any_of(word for word in _DEGREE if word != '好' and not word.isascii())}|对|(?<!觉)得|地)\Z"
    r"|(?:^|[^\w])快\Z|(?:积分|考试|数学|语文|英语|驾照|信用|比分|学分|高考)[是有为:的]*\Z"
)
STUCK: Final = re.compile(r"(?:^|[^\w])[差好行强慢]\Z")
#: Alone before a number, with or without a sign between, these turn or diminish it.
NEGATOR: Final = re.compile(
    r"(?:^|[^\w])(?:还差|就差|得了|还我|请|没有?|不|无|别|否|非|不是|和|还是|还|有)\Z"
)
#: Between a comment and its score, with only a blank to part them, these may join the two.
HANGING: Final = re.compile(
    r"[不没别未勿非会能才再要想若果等将可该最每叫让说求]|就(?!解决|修好|处理|来了|到了|搞定)"
)
#: Words that speak of the service.
TELLING: Final = re.compile(
    r"好(?!像)|满意|不错|谢|投诉|扣|退(?!订)|钱|赔|等了|没人[来管理联处接]|解决|修|快|慢|差|还行|及时|专业"
    r"|热情|耐心|态度|服务|客服|师傅|垃圾|网|信号|辛苦|处理"
)
NOUN_LAST: Final = re.compile(
    r"(?:我|们|客服|网络|信号|网速|宽带|速度|处理|师傅|小哥|小姐姐|人员|移动|问题|业务|营业员|经理|美女"
    r"|帅哥|小妹|小伙|这次|本次|这个"
    r"|那个|(?<!好)(?<!是)的|staff|support|(?:(?<![a-z])(?:the|and|your|is|are|was|were|all|so|very|really"
    r"|quite|pretty|a)))\Z"
)
#: 8分很高了 judges the score, 8分很高兴 the service.
_HIGH: Final = "(?![高低多少](?![兴效端]))"
#: What may follow 8分 without a sign between; and what may follow a bare 8.
_NEXT_ANY: Final = [
    word + _HIGH for word in listed("很 挺 非常 十分 特别 相当 比较 蛮 真 真的 有点")
] + listed(
    "超(?!市|过|出|标|速|时) 还行 还可以 还不错 还好 不错 不满意 "
    "不太满意 不太好 不怎么 不好 "
    "满意(?!度|率) 好评(?!返|有|才) 好(?!友|评|像|的|多久|几|奇|在|高(?!兴|效)|低|难(?!得)) 棒(?!子) "
    "赞(?!助|成) 优秀 优(?!惠|先) "
    "完美 "
    "给力 谢谢 感谢 多谢 谢 辛苦 服务 态度 问题 解决 处理 速度 效率 回复 希望 继续 加油 支持 一般 但 但是 "
    "可是 不过 因为 由于 哈哈 嘿嘿 "
    "普通 中等 推荐 中规中矩 及格 刚及格 太(?!高|低|多|少) 有待 解释 及时 总体 整体 "
    "差(?!距|额|价|别|异) 点赞 无语 失望 垃圾 "
    "投诉 没得说 没毛病 没问题 祝 么么哒 "
    "ok okay thanks thank thx ty "
    "good very great nice excellent perfect awesome please pls satisfied"
)
_NEXT_MARKED: Final = listed(
    "网络 信号 网速 宽带 流量 客服 师傅 工作人员 你们 我 就是 安装 人员 办事 沟通 礼貌 专业 热情 耐心 "
    "认真 负责 移动 主要 虽然 奉上 送上 "
    "必须的 勉强 没解决 没有解决 还没解决 给你们 给你 给客服 给师傅 其他 基本"
)
NEXT_BARE: Final = re.compile(any_of(_NEXT_ANY))
NEXT_MARKED: Final = re.compile(any_of(_NEXT_ANY + _NEXT_MARKED) + f"|{_NAME}")
NEXT_LATIN: Final = re.compile(
    r"(?:thanks?|thx|ty|thank|good|very|great|excellent|nice|ok|okay|well|not bad|satisfied|happy|the|it|i"
    r"|but|because|service|keep"
    r"|your|you|please|pls|from me|from my side|they|helpful|fast|quick|slow|staff|agent|really"
    r"|perfect|awesome|amazing|fantastic"
    r"|wonderful|best|cheers|wifi|signal|network|internet|everything|all good|all ok|no problem|no "
    r"complaints|so far so good"
    r"|terrible|horrible|bad|poor|worst|useless|disappointed|for your service|for the service|for service"
    r"|as|since|could be better|would recommend|recommended|meh|yyds|my|average|so[- ]so|unhappy|dissatisfied"
    r"|unsatisfied|not (?:satisfied|happy|good|great|resolved|solved|fixed))(?![a-z])"
)
PARTICLES: Final = re.compile(
    r"(?:[ )\]】」』》>\"'}!]|吧|啊|哦|呀|哈|了|啦|呗|喽|咯|的(?!时候|意思|话|是)"
    r"|滴|哟|噢|喔|奉上|送上|拿去|拿走|收好|给你们|给您|给你|好了(?!吧)|嘻|亲|耶|呢|嗯)*+"
)

#: 满分10分, 10分制: where the scale ends, by its top.
SCALE_TOP: Final = {
    highest: re.compile(
        rf"[(（]?(?:(?:满分|总分)(?:是|为|共|[: ])*(?:{top})(?![\d.])\s*[分星]?制?"
        rf"|(?<![\d.负+\-])(?:{top})\s*[分星]"
        r"(?:制|是满分|为满分|满分|封顶))(?:的话)?[)）]?"
    )
    for highest, top in ((10, "10|十"), (5, "5|五"))
}
#: 2 bad, 4 you, 3 无产品: with what follows the number is a word itself.
SOUNDS: Final = defaultdict(
    lambda: re.compile(r"you(?![a-z])(?! \w)"),
    {
        1: re.compile(r"般|直|定(?!要)|样|下|切|起|共|点|些"),
        2: re.compile(r"(?:bad|much|late|slow|good|long|many|you)(?=$|[^\w ]| *$)|手|货|逼|百五"),
        3: re.compile(r"无|q(?![a-z])|包(?!容)"),
        4: re.compile(r"(?:you|u|me|us|all|ever|sure|your|the|my|it)(?![a-z])|季"),
    },
)

#: Words that take a score back, doubt it, or make it hang on something, wherever they stand.
DANGER: Final = re.compile(
    r"[❌🚫✖✘✗×☓➕➖↑↓⬆⬇⛔]|改(?:成|为|到|打|给|评)|原来(?:给|打|想)|本来|原本|本想|(?:打|发|按|写|输|填|点"
    r"|选|弄|搞|评)错|更正"
    r"|不对|撤回|作废|应该是|才是|算了吧|不算|开玩笑"
    r"|逗你|骗你|才怪|个[屁鬼毛]|做梦|想得美|想的美|想多了|休想|呵呵|反话|反着|手滑|误(?:发|打|操作|触|按)"
    r"|不可能|想都|别想|没门|不给|不值|不配|配吗|配么"
    r"|不存在的|哼|没有的事|下辈子|如果|假如|假设|倘若|要是|若(?!干)|只要|除非|否则|要不然|不然|再给|才给"
    r"|就给|会给|再打分|再评|的话|前提|凭什么|给不了"
    r"|差不多|大概|可能|也许|左右|上下|至少|至多|最多|最少|顶多|之间|[扣减加](?:了|掉"
    r"|你们?)?[\d一二两三四五]?分|少[\d一二两三四五]分"
    r"|加(?:一|1)?分"
    r"|打(?:几|多少)分|给(?:几|多少)分|几分(?!钟)|多少分|还是(?=[\d一二三四五六七八九十])"
    r"|或者?(?=[\d一二三四五六七八九十])"
    r"|随便(?=[,。!~… ]|给|打|评|选|填|吧|啦|\d)"
    r"|退订|不是(?:我|本人)|验证码|自动回复|自动应答|请回复|请您(?:对|为|回复|评|打)|请对|请为|尊敬的"
    r"|回复数字|表示|代表"
    r"|【(?!(?:不|很|非常)*满意】|一般】)[^】\d]{2,}】"
    r"|auto-?(?:matic )?reply|out of (?:the )?office|please (?:rate|reply with)|reply with|verification "
    r"code|your code"
    r"|no way|yeah right|as if|dream on|in your dreams|kidding|sarcas|ironi|mistake|mistype|typo|i mean"
    r"|meant|correction|actually"
    r"|instead|(?<![a-z])(?:or|if|unless|until|maybe|perhaps|should be|would be|changed? (?:it|my)|never "
    r"mind|when you|once you|at least|at most"
    r"|about|around|almost|nearly|not\s*(?=$|[.!,])|liked|loved|emphasized|disliked|laughed at)(?![a-z])"
)
#: A clause after a score that begins so says how far the score goes, or that it does not stand.
QUALIFIED: Final = re.compile(
    r"(?:^|[\n,.。!;:~…、( ])\s*(?:不(?:[够止足]|到(?![^,。!?\n]{1,8}就))|没戏|办理|开通|订购|续订|领取"
    r"|妄想|也配|你也配|凭啥"
    r"|再[说议]|待定|看(?:情况|表现"
    r"|着办)|先(?:这样|给|打)"
    r"|暂[定时]|起步|以[内下上]|多点|多些|出头|开外|有余|不等|封顶|起码|打底|保底|换成|变成|收回|无效"
    r"|等(?:修|解决|处理|你|问题)"
    r"|就怪|算了|拉倒|免谈|另说|都不|还(?:不[行够]|差)|给[错早多少]了|之[内外]|的(?:时候|意思)"
    r"|怎么[打算回]|是不是|信不|如何|可否|行不|是多少|是几|什么意思|是假|错了|取消了?(?=$|[^\w])"
    r"|(?:还|都|也|是|已经|算|给|太|有点|打|得|的|很|挺|够|偏|真|比较)*(?:[多少高低][了点]"
    r"|嫌[多少高低]|太[多少高低]了?"
    r"|最[多少高低])(?=$|[^\w])"
    r"|[这那]?个?是?(?:上次|上回|昨天|前天|之前|以前)的?(?:评分|打分|分数|[打给评填]的)?(?=$|[^\w])"
    r"|是?(?:被(?:逼|迫|要求)|违心|假|应付|糊弄|凑数|[^\W\d]{0,4}(?:让|叫|逼|要求)(?=的)"
    r"|[^\W\d]{0,4}(?:让|叫|逼|要求?)我?(?:打|给|评|选|回|填))"
    r"(?:的|一下|吧|了)*(?=$|[^\w]))"
)
#: After a bare number and a blank these may be its unit, its range or its predicate.
TIED: Final = re.compile(
    r"是|办理|开通|订购|续订|领取|取消|查询|给(?!你|您|力|客服|师傅|个赞)|改|换|变|怎|起|以(?!后|往|前)|至"
    r"|到(?!位|现在|今天|处)|和|与|或"
    r"|比(?!较)|加(?!油)|减|乘|除|当"
    r"|等(?!了|待|半天|很久|好久)|都(?=嫌|多|少|不|没)|也(?=不|行|可|多)|就(?=行|好|够|可|算)|还(?:要|差"
    r"|嫌|不(?!错))|最|打底|打头|保底"
    r"|太[多少高低]|[多少高低]了"
)
#: 要是再快点就更好了: a wish, not a condition.
WISH: Final = re.compile(
    r"(?:如果|要是|若|假如)[^,。!?\n]{0,20}[,，]?[^,。!?\n]{0,6}?(?:更好|就好|完美|更棒|更满意)(?:了|啦)?"
)
#: 9分，扣一分因为慢; 9分，多一分怕你骄傲: what is missing to the top, and no second score.
KEPT_BACK: Final = re.compile(
    r"[ \n,.。!;~、…(]+(?:(?:扣|少|留)(?:了|掉|你们?)?(?:\d|[一二两三四])分|多(?:1|一)分(?=怕))(?![都也跟就])"
)
#: Before a score, these make it hang on what has not happened yet.
CONDITION: Final = re.compile(
    r"(?<![中同平优])等(?!了|待|半天|很久|好久|太久)|先|什么时候|何时|将来|下次|以后|希望|想|要(?!求)"
    r"|能(?!力)|会(?!员)"
    r"|才(?!来|解决|修|处理|有人|到|接|回|搞定|办|打通|联系)|再(?!次)|别|不(?:是(?!很|太|特别|那么)|要|能"
    r"|会|想|肯|敢)|上次|上回|以前|之前|别人|人家|他们|让我|叫我|求"
    r"|昨天(?![^,。!;\n给评分说讲选]{0,6}(?:报|坏|断|修|装|来|上门|申请|投诉|打电话|处理|解决|联系))"
    r"|怎么(?!样)|为什么|吗|(?<![这那怎什])么|谁|[?]|(?:^|[,。!;\n ])(?:解决|修好|处理好|搞定|办好|恢复"
    r"|退(?!了))"
    r"|(?<![a-z])(?:will|can|can't|cannot|won't|wouldn't|don't|didn't|never|not|no|want|wants|wish|told"
    r"|asked|when|once|after|before|last|how|why|what|they)(?![a-z])"
)
#: A deed without a sign that it is done, in a comment before a score.
DEED: Final = re.compile(r"解决|处理|修|退|恢复|帮|办|给我|开通|取消|安装|赔")
DONE: Final = re.compile(
    r"就(?:解决|修|处理)|分钟|小时|一次|[来修办]的|了|已|没|未|很|好|快|及时|得|满意|态度|耐心|慢|差|热情"
    r"|专业|不错"
)
#: A short question that asks about the score itself.
TAG: Final = re.compile(
    r"(?:^|[,。!\n ])[^,。!?\n]{0,5}(?:吗|么|嘛|不|没|吧)?\s*[?]|(?:吗|么)\s*(?:$|[,。!\n~])|[?](?=.{0,20}分)"
    r"|(?:行|满意|够|可以|好|高兴|开心|舒服)了吧|够不够|行不行|可不可以|好不好|对不对"
)

STRONG_BLAME: Final = re.compile(
    r"(?:非常|很|极|极其|相当|特别|十分|超级?|太|完全|一点都|一点也|根本|强烈|万分|最)(?:的)?不(?:满|满意)"
    r"|垃圾|骗子|骗[钱人]|诈骗|滚|恶心|差评|最差|烂|狗屁|放屁|妈的|他妈|tmd|操你|草泥马|去死|无耻|混蛋"
    r"|王八|尼玛|你妹|你大爷|呸|我去(?!过|了|营)|操(?!作)|屁"
    r"|流氓|坑(?:人|爹|钱|我|害)|霸王|气死|缺德|无语|零分|负分|👎|😡|🤬|😠|😤|💩|🤮|🖕|🙃|🤡|🙄|😅|😏"
    r"|(?<![a-z])(?:terrible|horrible|worst|rubbish|garbage|trash|useless|awful|scam|shit|fuck\w*|damn"
    r"|hate|disgusting|crap|pathetic|joke"
    r"|very (?:dissatisfied|unsatisfied|unhappy|bad|poor)|very disappoint\w*)(?![a-z])"
)
BLAME: Final = re.compile(
    r"(?:不|没有?|未|无法|难以|谈不上|不是|不太|不怎么|不够|不算|不能|毫不|并不|不那么|不很|不甚)(?:太|很"
    r"|怎么|够|算|那么|能|令人|让人|是很|非常|感到)*满意|不满|失望|太差|很差|非常差|极差|差劲|恶劣|敷衍"
    r"|推诿|(?:我要|要|去|再|继续|准备|必须|不停|还)投诉|投诉(?:你|到|没|无)|气愤|生气|没用|差得|糟"
    r"|(?<![a-z])(?:not (?:at all |very |really |so |too )?(?:satisfied|happy|good|great|pleased)|unhappy"
    r"|dissatisfied|unsatisfied|unsatisfactory|disappoint\w*"
    r"|very slow|(?<!not )bad|poor|poorly|angry|complain\w*)(?![a-z])"
)
FLAW: Final = re.compile(
    r"(?:没有?|未|不|无法)[^,。!?\n]{0,3}(?:解决|处理|修好|恢复|退)|差(?!不多|点|别|价|异)|不行"
    r"|不好(?!意思)|不太好|不(?:是)?(?:很|那么|怎么|够|算)好|不怎么样|不咋|太慢|很慢|慢死|非常慢|🙂|骚扰"
    r"|烦死|烦人|烦我|不专业|不及时|不耐心"
    r"|(?<![a-z])(?:too slow|unresolved|unsolved|not (?:resolved|solved|fixed|working)|still (?:not|no|broken"
    r"|waiting))(?![a-z])"
)
STRONG_PRAISE: Final = re.compile(
    r"满意|完美|非常好|很好|太好|特别好|超好|好评|优秀|给力|满分|棒|赞|一流|👍|👏|💯|😊|😄|😍|🥰|❤"
    r"|(?<![a-z])(?:excellent|perfect|great|satisfied|awesome|amazing|fantastic|wonderful|very good|very "
    r"happy|the best|love)(?![a-z])"
)
PRAISE: Final = re.compile(
    r"不错|挺好|蛮好|态度好|服务好|(?<![a-z])(?:good|nice|happy|helpful|well done)(?![a-z])"
)
MIDDLING: Final = re.compile(r"一般|还行|凑合|马马虎虎|普通|尚可|so[- ]?so|(?<![a-z])average(?![a-z])")
#: 非常满意，除了网速: words alone are no score where something is kept out of them.
EXCEPT: Final = re.compile(
    r"除了|除外|除[^,。!?\n]{1,8}外|唯独|(?:^|[,。!;~\n ])(?:但|可惜|只是|就是|不过)"
    r"|(?<![a-z])(?:but|except)(?![a-z])"
)
#: 不是不满意, 没有不满: two negations, which nobody counts out for sure.
DOUBLED: Final = re.compile(
    r"(?:不是|没有?|并非|不能|不会|别|没什么|并非|绝非)[^,。!?\n]{0,2}不(?:太|很)?(?:满|行|好)"
)

#: Where the words around a number are not understood, what they most look like: the first that is found.
LOOKS_LIKE: Final = (
    ("question", re.compile(r"[?]|吗|么|几分|多少|什么|(?<![a-z])(?:is it|why|how|what)(?![a-z])")),
    (
        "about",
        re.compile(
            r"大[概约]|约|差不多|左右|上下|至[少多]|最[少多]|顶多|以[上下]|不到|接近|将近"
            r"|(?<![a-z])(?:about|around|almost|nearly|at least|at most|more than|less than|between"
            r"|maybe)(?![a-z])"
        ),
    ),
    (
        "condition",
        re.compile(
            r"如果|要是|假如|只要|除非|解决[^,。]{0,4}[就再才]|等|再|想|希望|(?<![a-z])(?:if|when|unless"
            r"|would)(?![a-z])"
        ),
    ),
    ("taken-back", re.compile(r"改|错|更正|本来|原来|上次|重新")),
    ("negated", re.compile(r"[不没别休无]|才怪|做梦|(?<![a-z])(?:not|no|never)(?![a-z])|n't(?![a-z])")),
)
