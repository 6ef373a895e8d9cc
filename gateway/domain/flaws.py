"""Plain flaws, whatever their wording, and mockery: what nobody says beside the top of a scale and means it.
Patterns are for folded text (`fold.py`)."""

import re
from typing import Final

from gateway.domain import words as say

#: 慢, 断, 掉线: signs of a flaw that one word before them can deny.
_TROUBLE: Final = (
    r"掉线|掉网|断网|断线|断流|断|卡顿|卡|延迟|延误|耽误|耽搁|拖延|拖拉|拖沓|迟到|推诿|推脱|推销|敷衍|怠慢"
    r"|不耐烦|不满意?|不好|不足|不便|乱扣费?|乱收费?|多收费?|投诉|差评|差错|差|慢|弱|坏|贵|糟|久|烦|问题"
    r"|毛病|缺点|遗憾"
    r"|故障|骚扰|收费|扣费|扣钱|漏|堵|等|失望|忽悠|糊弄|套路|强制|捆绑|麻烦|重启|死机|丢包|杂音|噪音|长"
)
#: 不再太慢, 没有出现过卡顿: the flaw is denied. A word that the middle does not know leaves it standing.
_DENIED: Final = (
    r"(?:(?<![用上打连登看听收接开修发进受])不|没有?|毫无|无|从未|未)"
    r"(?:再|会|有|是|怎么|太|很|那么|这么|算|过|任何|一点儿?|一次|一丝|半点|半句|丝毫|什么|啥|经常|老是?"
    r"|总是?"
    r"|感觉到?|觉得|出现过?|发生过?|出过?|遇到过?|容易|曾|以前|原来|像|存在|大|用|(?:让|令)(?:我们?|人"
    r"|客户))*+"
    rf"(?:{_TROUBLE})(?!网[卡慢])"
)
#: 断网问题解决了, 解决了断网的问题: it is over.
_OVER: Final = (
    rf"(?:{_TROUBLE})的?[^,。!?;\n 没不未无还难才希请尽要想能盼何早求等又]{{0,9}}"
    r"(?:解决|修好|排除|处理好|恢复|搞定|修复|消失|改善|好转)(?![不得才])"
    rf"|(?:{_TROUBLE}|没网)了?[^,。!?;\n 没不未无还难才希请尽要想能盼何早求等又]{{0,8}}(?:(?:修好|换好?|来"
    rf"|到|好|解决)了|就(?:来|到|好|修|解决))"
    rf"|(?:{_TROUBLE})(?:都|也|电话|短信|问题|情况|现象|之处)*(?:没有了?|没了)(?=$|[^\w])"
    r"|扣[^,。!?;\n 没不未]{0,6}退(?:回|还|了)"
    r"|(?<![没不未难有])(?:解决|修好|修复|排除|处理好?|搞定|换)了?"
    rf"[^,。!?;\n 没不未无还难才又]{{0,6}}(?:{_TROUBLE})(?:了|掉|的)*[^,。!?;\n ]{{0,2}}(?:问题|故障|毛病"
    rf"|现象|情况|光猫|路由|光纤|线)"
    r"|坏[掉了]*的[^,。!?;\n 没不未]{1,6}(?:换|修好)"
    r"|(?:以前|之前|原来|过去|原先|早先|前几天|前阵子|昨天|上次)[^。!?\n]{0,16}?(?=现在|如今|终于|总算)"
    r"|(?:没有?|不到|不用)(?:过|等|用|到|修)?(?:多久|几|多长时间|一会|半"
    r"|[\d一两二三四五十])[^,。!?\n]{0,4}?(?=就)"
    r"|还没[^,。!?\n]{1,8}就"
)
#: Words in which the signs of a flaw are none: 出差, 不断, 刷卡.
_NAMES: Final = (
    r"(?:出|时|误|偏|落|色|反|温|参|当|公|邮)差|差(?:不多|点(?!意思|火候|劲)|一点|别|异|价|额|距|旅|事|遣"
    r"|使)|相差"
    r"|不断(?!网|线|断|掉|流)|[判果诊]断|断(?:定|然)|慢慢|慢走|慢用|慢性"
    r"|[刷办补换插取寄激销领](?:理|活|的|了|新|张|个|好)*卡|卡(?:号|片|槽|包|里|费|券|通)"
    r"|(?:电话|流量|银行|会员|副|主|新|旧|sim|号|老年|校园|信用|物联网|充值|亲情|打)卡"
    r"|弱(?:势|项|电)|坏(?:处|人)|不好意思|不得不(?:说|夸|赞|服|佩服)|投诉(?:处理|热线|部|电话)"
    r"|不比[^,。!?\n]{1,6}?[差慢贵]|(?:天气|路)(?:这么|那么|很|太)?(?:差|坏|不好)|忙(?:活|碌)?了?半天"
    r"|慢工出细活"
    r"|(?:满意|[好快]|高兴|开心|感动)[得的]不行|[找挑看说]不[到出][^,。!?\n]{0,3}(?:缺点|毛病|问题|不足|瑕疵)"
    r"|(?:不怕|不嫌|添|省|减?少)(?:了|很多|不少|的)*麻烦|麻烦(?:师傅|你|您|了|大家|客服)"
    r"|贵(?:公司|司|部|方|客|宾|处)"
)
_HARMLESS: Final = re.compile(f"{_OVER}|{_DENIED}|{_NAMES}")

_LATIN_HARMLESS: Final = re.compile(
    r"(?<![a-z])(?:(?:not|no longer|never|no more|no|without|isn't|wasn't|didn't|doesn't|hasn't|any)"
    r"(?: (?:a|any|so|too|very|been|be|at all|had|have|single|more|longer|even|once|to))*+"
    r" (?:slow|slows|laggy?|lags?|lagging|drops?|dropped|dropping|delays?|delayed|disconnect\w*|late|rude"
    r"|wait(?:ing)?"
    r"|long wait|broken|unstable|weak|expensive|worse|problems?|issues?|complaints?|down|fail\w*|faults?"
    r"|trouble"
    r"|outages?)"
    r"|can't (?:complain|fault|be better|ask)|cannot (?:complain|fault)|couldn't (?:be|ask|have)"
    r"|don't (?:worry|change)"
    r"|no (?:one|body) (?:better|else)|slow(?:ness)? (?:is|was)? ?(?:fixed|solved|gone|resolved)"
    r"|wait(?:ing)? for)(?![a-z])"
)
_LATIN_FLAW: Final = re.compile(
    r"(?<![a-z])(?:slow|slower|slowly|broken|still (?:no|not|bad|down|waiting|drop\w*|lag\w*|broken|having"
    r"|have|the same)"
    r"|drops?|dropping|disconnect\w*|unstable|unreliable|lags?|lagging|laggy|delay\w*|late|nobody|no one"
    r"|no (?:signal|internet|network|net|wifi|service|connection|reply|response|answer|help|change"
    r"|improvement|solution"
    r"|coverage|data)|cannot|cant|dont|doesnt|didnt|wont|isnt|[a-z]+n't|not (?:working|work|work\w*|fixed"
    r"|solved|resolved"
    r"|good|stable|fast|yet|connect\w*|helpful)|never (?:fixed|works?|worked|came|called|solved|answer\w*"
    r"|repl\w+)"
    r"|fail\w*|worse|expensive|overcharg\w*|wrong|waste\w*|wait(?:ed|ing)?|took (?:too|so|very|a|forever"
    r"|ages)|took long|same (?:problem|issue)|nothing changed"
    r"|(?<!thanks )(?<!thank you )again|(?:problem|issue)s? still|rude|weak|faulty|outages?"
    r"|(?:is|still|goes|went|keeps?|going|internet|network|line) down|problems? (?:persist\w*|remains?"
    r"|again))(?![a-z])"
)
_LETTER: Final = re.compile(r"[a-z]")
#: What it is no flaw to have not: 没得说, 没有意见, 没收费.
_LACKED_WELL: Final = say.listed(
    "费 白 得说 得挑 的挑 得比 话 的说 想到 毛病 意见 建议 什么说 什么可说 什么好说 什么意见 什么问题 "
    "什么建议 "
    "啥说 "
    "啥好说 啥意见 "
    "啥问题 问题 说的 可挑 比 更好 换 花 几 怨 犹豫 忘 白来 选错 看错 任何问题 任何意见 任何怨 一点 一句 "
    "一丝 一会 人比 "
    "人能比 人可比 人超 其他 别的 辜负 收费 多收 多久 额外 压力 架子 喝 吃 休息 顾 等 想法 要求 补充 修多 "
    "用多 怎么等 你们 "
    "您 法比 吧 呀 啊 哦 哈 呢"
)
#: What praise denies: 不错, 不怕麻烦, 不图回报.
_DENIED_WELL: Final = say.listed(
    "错 愧 厌 辞 怕 嫌 急 躁 客气 用 必 敢 得不 得了 可多得 可挑 卑 亢 少 图 计 收 拿 占 推 拖 像 分 仅 但 "
    "光 止 只 管 论 关 "
    "是你 是客服 是师傅 知道怎么 知道如何 知道说 知道该 知不觉 知疲 断 愁 累 麻烦 贵 远 久 多 说 解释 忘 "
    "负 虚 赖 孬 俗 凡 同 "
    "比 慌 乱 耽 打 吝 遗 惜 舍 骄 放 懈 会忘 会用 会弄 会操作 会换 会错 会再 会让 会失 懂的 顾 言 谢 谈 "
    "含 失 容易 枉 折 花 "
    "马虎 应付 敷衍 着 完 到 要 跑 白 费 吹 黑 迟 误 走 变 求 能更 能再 能没有 好意思 苟 绝 亦 以 在话 满 "
    "一般 能少 "
    "快乐 强求 通过 卡 掉 "
    "慢 差 坏 问 过"
)
#: A flaw that is left when the harmless ones are taken away.
_FLAW: Final = re.compile(
    r"慢|差|卡(?!塔)|断|弱|坏|糟|掉线|掉网|延迟|延误|耽误|耽搁|拖延|拖拉|拖沓|拖了|拖着|一拖再拖|迟到|推诿"
    r"|推脱|推卸"
    r"|怠慢|冷漠|冷淡|不耐烦|踢皮球|扯皮|推来推去|忽悠|糊弄|强制|捆绑|套路|推销|骚扰"
    r"|(?:太|好|很|真|偏|死|有点|比较|越来越)贵|贵了|乱扣|乱收|多扣|多收|偷扣|暗扣"
    r"|等了?(?:很|好|太|这么|那么)久|等得[^,。!?\n]{0,2}久|半天(?!就)"
    r"|不(?:好(?!意思|[用]谢)|行|通(?!过)|稳|畅|准|清(?!零)|全(?!面覆)|灵|便|方便|快(?!乐)|及时|专业|耐心"
    r"|理(?!想化)"
    r"|管用|管事|顺|合理|到位|够|给力|靠谱|舒服|彻底|明显|高效|负责|热情|礼貌|周到|细心|认真|透明|解决"
    r"|处理|回复"
    r"|接电|作为|办事|见好|见效|足(?!挂齿|之处|为)|如(?:以前|之前|从前|电信|联通|人家|别)|尽(?:人|如)|值"
    r"|强(?!求|制|迫|买))"
    r"|不(?:太|怎么|是很|是太|那么|算很)(?!远|久|贵|多|懂|会|清楚自)|不得(?=$|[^\w])"
    r"|[用上打连登看听收接开修发进联办找受弄搞](?:不)(?:了|上|开|好|通|到(?!毛病|缺点|问题|更|第二|比)"
    r"|出去|动|清|着人|起来|稳)"
    r"|不能(?:用|上|打|接|看|玩|正常|解决|连|登|收|发)|无法(?!形容|挑剔|用语言|言表)|[没无](?:法|办法)(?=$"
    r"|[^\w])"
    r"|(?:没有?|[无未])(?:信号|网|声音|反应|回[复音应]|啥?用|什么用|效果?|改善|改进|变化|解决|处理|恢复|退"
    r"|到账|落实|下文|结果"
    r"|兑现|覆盖|反馈|联系|搞好|弄好|弄|办好|收到|接(?!触)|好(?=$|[^\w])|好(?:转|透|全|彻底|利索)|修"
    r"|通(?=$|[^\w])"
    r"|人(?!比|能比|可比|超|像|性)|办成|装好|开通|做到|彻底)(?!多久|一会|几|多长|就)"
    r"|网(?:络)?没了|还没(?!得说)|还未|仍未|尚未|至今|迄今|(?:跟|和|等于|如)没"
    r"|(?:没有?|哪)(?:一|哪)?[天日次回刻](?:是)?不"
    r"|(?:还是|仍[旧然]?|依[旧然]|照旧|照样|还|又)[^,。!?\n ]{0,2}(?:老样子|这样|那样|一样|有问题|存在"
    r"|没(?!得|话|的|毛病|问题)"
    r"|不(?!错|卡|断|慢|差|用|贵|掉|赖|忘|怕|耽|打|收|厌)|未(?!雨)|出问题|出故障|来了?故障)"
    r"|(?:问题|情况|故障|现象)(?:还是|依旧|依然|仍然|仍旧|照旧|还在|又)|(?:还|还是|仍|总|老|经常|常|又"
    r"|都)有(?:点|些|很多)?(?:问题|故障|毛病)"
    r"|有问题(?!就|都|也|马上|立即|立刻|随时|能|可|一|找|及时|必|随)|问题(?:多|很多|一堆|不断|太多)"
    r"|经常(?:故障|出)"
    r"|老样子|一塌糊涂|乱七八糟|一问三不知|三天两头|莫名其妙|不了了之|形同虚设|摆设|无济于事|治标不治本"
    r"|白[跑等修搭折忙]|原地踏步|换汤不换药|忽快忽慢|时好时坏|时断时续|时有时无|反反复复|反复(?:出|断|坏"
    r"|掉|发生|故障)"
    r"|复发|失灵|瘫痪|罢工|有待|美中不足|可惜|遗憾|缺点|不足之处|[次天周月年]才|投诉[^,。!?\n ]{0,3}才"
    # 没 and 太 with anything but what praises
    rf"|没(?!有?(?:{say.any_of(_LACKED_WELL)}|了?(?=$|[^\w])))"
    rf"|(?<![少免忘说想数挑比离错差大得舍道找忍禁激赞微所仁了毫])不(?!{say.any_of(_DENIED_WELL)}|$)"
    r"|转圈|缓冲|瑕疵|缺陷|逊色|小问题|小毛病|(?<!没)费劲|无果|脾气大|弄脏|停机|飘忽|莫名|无缘无故"
    r"|被(?:开通|扣|停|收|骗|坑|挂)|几十k|很堵|拥堵|偷跑|(?<!复)(?:来|到)晚|答非所问|问东答西|杳无|磨蹭"
    r"|磨磨|磨叽|拖泥|凶|难听"
    r"|挂我?电话|装死|甩手|乱来"
    r"|瞎|坑|杀熟|抽风|[波抖]动|气人|郁闷|心累|(?:网|速度?)[^,。!?\n]{0,3}感人|离谱|过分|醉了|够呛|悬|勉强"
    r"|将就|一个样|原样"
    r"|毫无(?!怨|保留|压力|疑)|频繁|毛病多|bug|一格|(?:流量|话费)[^,。!?\n]{0,4}太快"
    r"|太(?!好|棒|快|感|谢|满意|牛|强|赞|给力|厉害|专业|贴心|周到|及时|方便|完美|热情|负责|耐心|优秀|细"
    r"|开心|高兴|客气|辛苦|爱|可爱|行了|喜"
    r"|暖|值|绝|神|顶|美|帅|舒|体贴|实|敬业|认真|了|到位|有|迅|高效|靠谱|清|温|稳|省|多谢|阳|原|空|平|太)"
    r"|(?<![少免忘说想数挑比离错差大得舍道找用])不(?:了(?![起解])|上|上去|开(?!心)|进(?!步)|动(?!摇)|通"
    r"|见(?!外)|出来|过关|懂业|会修|明白|清)"
    r"|上不去|都不懂|看不懂|龟速|蜗牛|[23]g网|(?:时间|等待|排队|等得)[^,。!?\n不]{0,2}[长久]|[长久]了(?:点"
    r"|些)"
    r"|老(?:出|是|问题|毛病|重启|不|没|死机)|总(?:出|掉|不)|[还又常会再]掉|难[打接找修用办搞等]|(?:很"
    r"|好)难(?!得|忘)"
    r"|扣(?:费|钱|我|了|款|话费)|(?:资费|价格?|费用|套餐|收费|话费|月租)[^,。!?\n不]{0,2}[贵高]"
    r"|(?:效率|水平|速度|质量)[^,。!?\n不]{0,2}低|(?:效率|水平|质量)不高|虚假|误导|私自|未经|擅自|乱开"
    r"|偷开|轰炸|(?:短信|电话)(?:太|很|好)?多"
    r"|丢包|延时|ping|重启(?!后|一下|就)|死机|黑屏|花屏|发[热烫]|掉话|噪|杂音|声音小|串线|占线|无(?:人"
    r"|服务|信号|网|用)"
    r"|未(?!雨|必|来)"
    r"|石沉大海|爽约|反复(?:打|投)|投诉(?:多|几|好几|无|了[几\d])|多次投诉|[打跑]了?(?:好多|很多|十几|几十"
    r"|无数|很多|好几|几)[个次遍趟电]"
    r"|跑了?[\d三四五六七八九十][趟次遍]|再不|换(?:到|成|去)?(?:电信|联通|广电|运营商)|携号|转网|销户|退网"
    r"|需要?(?:继续|进一步)?(?:改|提|加强)|(?:希望|请|赶紧|赶快|尽快|尽早|早日|快点|抓紧|什么时候|何时"
    r"|啥时)[^,。!?\n]{0,8}(?:修|解决|处理|恢复|退|装|通)"
    r"|(?:太|很|有点|好|真|比较|特|流程|手续)(?:麻烦|复杂)|(?:麻烦|复杂)(?=$|[^\w])|繁琐|失望"
    r"|[😞😒😔🙁☹😟😩😫😢😭😣😖😠👿💔]"
)
#: You won; only to fulfil your task; now leave me alone: nobody means the number.
_MOCKERY: Final = re.compile(
    r"你们?(?:赢了|真行|可真行|说了算|懂的|看着办)|(?<![佩舒征克说])服了(?!务)|不信(?!任)|谁信|鬼(?:才"
    r"|都)?信|信(?:了|你)[^,。!?\n]{0,2}[鬼邪]"
    r"|骗鬼|见鬼|笑死|可笑|好笑|搞笑|骄傲去|拿去骄傲|(?<!不)怕你们?骄傲|飘了"
    r"|(?:为了|帮|替|给|就当)[^,。!?\n]{0,4}(?:完成|交|凑|冲)[^,。!?\n]{0,3}(?:任务|差|数|业绩|指标)"
    r"|(?:^|[,。!~\n ])(?:完成任务|交差|应付(?:一下|差事)?|凑数|走过场|走形式)|kpi|刷分|刷单"
    r"|(?:满意|满足|高兴|开心|如愿|舒服|可以|够|爽|行|好|乐)了吧|(?:满意|满足|高兴|开心)吧(?=$|[^\w])|真会玩"
    r"|(?:开心|高兴|喜欢|满意|快乐)就[好行]"
    r"|放过|求放|饶了|别(?:再|来|老|总)*(?:烦|打(?!折)|骚扰|问|找|催|发)|不要再?(?:打|发|骚扰|烦)|省得"
    r"|省的(?!心)|免得"
    r"|(?:怕|不想|避免|为了不|别)[^,。!?\n]{0,3}(?:骚扰|打扰|打电话|被)|反正|懂得都懂|爱咋咋|当我没|哄你"
    r"|安慰你|可怜你"
    r"|同情|施舍|违心|昧着|被迫|无奈"
    r"|\b(?:happy now|satisfied now|are you happy|leave me alone|stop (?:texting|calling|asking|sending"
    r"|bothering)"
    r"|you win|whatever|lol|lmao|haha|just kidding)(?![a-z])"
)


def without_harmless(comment: str) -> str:
    """The comment without flaws that are denied or over, and without the words that only look like one."""
    if not comment.isascii():
        comment = _HARMLESS.sub(" ", comment)
    return _LATIN_HARMLESS.sub(" ", comment) if _LETTER.search(comment) else comment


def is_flawed(comment: str) -> bool:
    """Whether the words name a flaw, in any degree."""
    return _names_flaw(comment) and _names_flaw(without_harmless(comment))


def _names_flaw(comment: str) -> bool:
    return (
        (not comment.isascii() and _FLAW.search(comment) is not None)
        or (_LETTER.search(comment) is not None and _LATIN_FLAW.search(comment) is not None)
        or say.FLAW.search(comment) is not None
    )


def is_mockery(comment: str) -> bool:
    """Whether the words mock, or say that the number was given for another reason than the service."""
    return _MOCKERY.search(comment) is not None
