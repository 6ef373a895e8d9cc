"""Customers with a character: they get what arrives at the SMSC, see that a score is asked for, and answer in
their own way, to the address that the question came from."""

import re
from collections import OrderedDict
from random import Random
from typing import Final, NamedTuple

from gateway.simulator import phrases
from gateway.simulator.phrases import Character, fill
from gateway.simulator.record import Arrival
from gateway.simulator.scenario import Customers
from gateway.simulator.smsc import Smsc
from gateway.sms import coding, udh

REMEMBERED: Final = 20_000  #: customers, and long texts that are not whole yet

# A question names its scale: 1-10, 1至5, 1 to 10, or the three words.
_SCALE: Final = re.compile(r"(?<!\d)1\s*(?:[-–—~～至到]|to)\s*(10|5)(?!\d)")
_THREE: Final = re.compile(r"1\s*[（(]?\s*(?:满意|滿意|satisfied)")
_REPLY: Final = re.compile(r"回[复覆]|评价|評價|reply|rate", re.IGNORECASE)
_AGAIN: Final = re.compile(r"未能识别|無法辨識|could not read")
_TRADITIONAL: Final = re.compile(r"[覆評價滿親愛數據辦]")
_CHINESE: Final = re.compile(r"(?:回[复覆]|[评評][价價])")

#: From the question to the answer, seconds at pace 1.
_DELAYS: Final = {
    Character.PROMPT: (1.0, 6.0),
    Character.LATE: (45.0, 150.0),
    Character.CHATTY: (5.0, 18.0),
    Character.ANGRY: (2.0, 9.0),
    Character.FOREIGN: (3.0, 12.0),
    Character.UNCLEAR: (2.0, 8.0),
    Character.REVISER: (2.0, 6.0),
    Character.SILENT: (0.0, 0.0),
}
_SECOND_THOUGHTS: Final = (12.0, 40.0)


class Question(NamedTuple):
    """A message that asks for a score."""

    highest: int  #: of the scale: 10, 5, or 3, where 1 is the best
    again: bool  #: the answer before was not understood
    language: str


class Reply(NamedTuple):
    """An answer: after how many seconds, its words, and the score they mean; none: no score can be read."""

    after: float
    text: str
    score: int | None


def question_in(text: str) -> Question | None:
    """Whether a message asks for a score, and on which scale."""
    if not _REPLY.search(text):
        return None
    scale = _SCALE.search(text)
    if scale is None and not _THREE.search(text):
        return None
    language = "zh-TW" if _TRADITIONAL.search(text) else "zh-CN" if _CHINESE.search(text) else "en"
    return Question(int(scale[1]) if scale else 3, bool(_AGAIN.search(text)), language)


class Customer:
    """One customer, always the same for one seed and number."""

    def __init__(self, msisdn: str, character: Character, seed: int) -> None:
        self.msisdn = msisdn
        self.character = character
        self._random = Random(f"{seed}:{msisdn}")  # noqa: S311 - repeatable by design
        self._asked: OrderedDict[tuple[str, str], None] = OrderedDict()

    def hear(self, address: str, text: str) -> list[Reply]:
        """What is answered to a message; nothing to what asks nothing, or was heard before."""
        question = question_in(text)
        if question is None or (address, text) in self._asked:
            return []
        self._asked[address, text] = None
        if len(self._asked) > 20:
            self._asked.popitem(last=False)
        return self._answer(question)

    def _answer(self, question: Question) -> list[Reply]:
        after = self._random.uniform(*_DELAYS[self.character])
        if question.again and self.character is not Character.SILENT:
            pleased = self.character is not Character.ANGRY
            return [self._scored(after, phrases.PROMPT[:4], question, pleased)]
        match self.character:
            case Character.SILENT:
                return []
            case Character.ANGRY:
                if self._random.random() < 0.3:
                    return [Reply(after, self._random.choice(phrases.FURIOUS), None)]
                return [self._scored(after, phrases.ANGRY, question, False)]
            case Character.UNCLEAR:
                return [Reply(after, self._random.choice(phrases.UNCLEAR), None)]
            case Character.FOREIGN:
                return [self._scored(after, self._foreign(question), question, True)]
            case Character.REVISER:
                first = self._scored(after, phrases.PROMPT[:4], question, False)
                later = after + self._random.uniform(*_SECOND_THOUGHTS)
                return [first, self._scored(later, phrases.REVISED, question, True)]
            case Character.LATE:
                return [self._scored(after, phrases.LATE, question, True)]
            case Character.CHATTY:
                return [self._scored(after, phrases.CHATTY, question, True)]
            case Character.PROMPT:
                return [self._scored(after, phrases.PROMPT, question, True)]

    def _foreign(self, question: Question) -> tuple[str, ...]:
        if question.language == "zh-TW" or (question.language != "en" and self._random.random() < 0.5):
            return phrases.TRADITIONAL
        return phrases.ENGLISH

    def _scored(self, after: float, pool: tuple[str, ...], question: Question, pleased: bool) -> Reply:
        draw = self._random
        match question.highest:
            case 10:
                score = draw.choice((7, 8, 8, 9, 9, 10, 10, 10)) if pleased else draw.choice((1, 1, 2, 3, 4))
            case 5:
                score = draw.choice((4, 4, 5, 5, 5)) if pleased else draw.choice((1, 1, 2))
            case _:
                score = draw.choice((1, 1, 1, 2)) if pleased else 3
        # "满意" beside a number that means something else would be a contradiction on the scale of three.
        phrase = draw.choice(pool if question.highest > 3 else pool[:3])
        return Reply(after, fill(phrase, score), score)


class Handsets:
    """All customers' phones at one SMSC. They answer while its scenario has customers, except whom it leaves
    to others."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._customers: OrderedDict[str, Customer] = OrderedDict()
        self._parts: OrderedDict[tuple[str, str, int, int], dict[int, bytes]] = OrderedDict()
        self._stop = smsc.on_message(self._take)

    def close(self) -> None:
        """Switch them off."""
        self._stop()

    def _take(self, arrival: Arrival) -> None:
        customers = self._smsc.scenario.customers
        if customers is None or not (arrival.source and arrival.destination.isdecimal()):
            return
        if arrival.destination.endswith(customers.hands_off):
            return
        text = self._whole(arrival)
        if text is None:
            return
        customer = self.customer(arrival.destination, customers)
        now = self._smsc.now()
        for reply in customer.hear(arrival.source, text):
            when = now + reply.after * customers.pace
            self._smsc.agenda.at(when, self._smsc.put_in, arrival.destination, arrival.source, reply.text)

    def customer(self, msisdn: str, customers: Customers) -> Customer:
        """Who has this number."""
        known = self._customers.get(msisdn)
        if known is None:
            seed = self._smsc.scenario.seed
            draw = Random(f"{seed}:character:{msisdn}")  # noqa: S311 - repeatable by design
            character = draw.choices(tuple(customers.shares), tuple(customers.shares.values()))[0]
            known = self._customers[msisdn] = Customer(msisdn, character, seed)
            if len(self._customers) > REMEMBERED:
                self._customers.popitem(last=False)
        return known

    def _whole(self, arrival: Arrival) -> str | None:
        """The text, when this was its last part."""
        header, octets = udh.take(arrival.octets, arrival.esm_class)
        part = header.concatenation
        if part is not None:
            key = (arrival.source, arrival.destination, part.reference, part.total)
            parts = self._parts.setdefault(key, {})
            parts[part.number] = octets
            if len(self._parts) > REMEMBERED:
                self._parts.popitem(last=False)
            if len(parts) < part.total:
                return None
            self._parts.pop(key, None)
            octets = b"".join(parts[number] for number in sorted(parts))
        return coding.decode(octets, arrival.data_coding).text
