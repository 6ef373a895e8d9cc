"""What a handset wrote, brought to one width, case and script, letter for letter: the folded text is as long
as the cleaned one, so that a place found in the one is the same place in the other."""

import re
from typing import Final, NamedTuple

#: Traditional and Cantonese letters, and the simplified one that each is read as.
_TRADITIONAL: Final = (
    "滿評給個點兩選復覆說數還謝沒無從過後幾嗎為麼別較對錢塊號樓時鐘間電話務態聽樣這們請問題處決員師專業認負責熱優壞網絡訊費單訂戶機現錯誤應該實際當會開關長來讓難總結綜體極夠廢騙詐惡噁罵爛氣憤訴調價貴買賣線"
    "連斷遲週階級層歲頁條張隻頓場項種類倆貳參陸億萬約將進幫親隨願滾啞賴歡讚贊強簡紅帶頻繫係測試確閱註冊銷擾動聯臺鍾於並嘅喺嚟咁唔冇與嘗雖據舊換傳轉產備貓裝險輕鬆盡儘顧餘異憂爾幣貨觀覺愛聲語證驗碼導麗術療屆"
    "齊達運輸誰劃擇擔屬僅儀權準礙閒雙雜離驚魚麥黃齒兒媽爺婦嘔嘰囉園圓圖團報塗壓夢奪妳學寫審帥廣廳廠歸憑慘慮懶戲拋捨採掛搶撥擺攤擁擠攔敗敵昇晉曬書樂檔檢歷殘毀沖滅漲潔煩獎獲獻環監盤禮禍稱積穩窮競筆筍節紀納紙"
    "組絕統經維緊緩編縮續罰羅義習聖職肅腦臉臨舉艙藝藥裡裏複見規視訓記設許詞詳誇誠諾講識護讀變貪貼賀賞賠賬贏趕跡踐車軟輛輪辦農適遞遺郵鄉醫釋針釘鈴鋪鎖錄鍵閉門陰陳雲靜響頂預領顯風飛飯飽駕騷髒鬧魯鮮鳥鹽"
)
_SIMPLIFIED: Final = (
    "满评给个点两选复复说数还谢没无从过后几吗为么别较对钱块号楼时钟间电话务态听样这们请问题处决员师专业认负责热优坏网络讯费单订户机现错误应该实际当会开关长来让难总结综体极够废骗诈恶恶骂烂气愤诉调价贵买卖线"
    "连断迟周阶级层岁页条张只顿场项种类俩贰叁陆亿万约将进帮亲随愿滚哑赖欢赞赞强简红带频系是测试确阅注册销扰动联台钟于并的在来这不没与尝虽据旧换传转产备猫装险轻松尽尽顾余异忧尔币货观觉爱声语证验码导丽术疗届"
    "齐达运输谁划择担属仅仪权准碍闲双杂离惊鱼麦黄齿儿妈爷妇呕叽啰园圆图团报涂压梦夺你学写审帅广厅厂归凭惨虑懒戏抛舍采挂抢拨摆摊拥挤拦败敌升晋晒书乐档检历残毁冲灭涨洁烦奖获献环监盘礼祸称积稳穷竞笔笋节纪纳纸"
    "组绝统经维紧缓编缩续罚罗义习圣职肃脑脸临举舱艺药里里复见规视训记设许词详夸诚诺讲识护读变贪贴贺赏赔账赢赶迹践车软辆轮办农适递遗邮乡医释针钉铃铺锁录键闭门阴陈云静响顶预领显风飞饭饱驾骚脏闹鲁鲜鸟盐"
)

#: Seen by nobody: joiners, direction marks, variation selectors, soft hyphen, and the keycap's frame.
_UNSEEN: Final = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069"
    "\u202a\u202b\u202c\ufe00\ufe01\ufe0e\ufe0f\ufeff\u20e3"
)
_CONTROLS: Final = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
_CLEAN: Final = dict.fromkeys(map(ord, _UNSEEN), "") | dict.fromkeys(_CONTROLS, " ")
_PLAIN: Final = re.compile(r"[\n -~\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e\u2018-\u201d\u2026]*+")


def _table() -> dict[int, str]:
    table = {code: str(int(chr(code))) for code in range(0x80, 0x20000) if chr(code).isdecimal()}
    table |= {code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}
    table |= {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
    table |= {ord(old): new for old, new in zip(_TRADITIONAL, _SIMPLIFIED, strict=True)}
    table |= dict.fromkeys(map(ord, "\t\r\u00a0\u2002\u2003\u2009\u202f\u3000"), " ")
    table |= dict.fromkeys(map(ord, "‐‑‒–—―−﹣"), "-")
    table |= dict.fromkeys(map(ord, "〜∼˜～"), "~")
    table |= dict.fromkeys(map(ord, "‘’`´"), "'")
    table |= dict.fromkeys(map(ord, "“”„«»"), '"')
    table |= {ord("﹐"): ",", ord("،"): ",", ord("٫"): ".", ord("⁄"): "/", ord("∕"): "/", ord("："): ":"}
    table |= {ord("﹒"): ".", ord("．"): ".", ord("｡"): "。", ord("､"): "、", ord("¿"): "?", ord("؟"): "?"}
    return table


_FOLD: Final = _table()


class Folded(NamedTuple):
    """One text twice, letter for letter: as the customer wrote it, and as the readers see it."""

    clean: str
    plain: str


def fold(text: str) -> Folded:
    """The text without what nobody sees, and the same in ASCII digits, lower case, simplified letters.

    Compatibility forms are not decomposed: ½ stays ½, ⁸ stays ⁸, ⑧ is left to the numerals.
    """
    clean = text if _PLAIN.fullmatch(text) else text.translate(_CLEAN)
    return Folded(clean, clean.translate(_FOLD))
