"""Customers' messages at the simulated SMSC: cut into parts, put in, and what goes wrong on their way."""

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

import msgspec

from gateway.simulator.behaviour import Do, Fault, Join
from gateway.simulator.delivery import Delivery, Mailbox, mo_body
from gateway.simulator.faults import disordered, first
from gateway.simulator.record import MoPart
from gateway.smpp.constants import Tag
from gateway.sms import alphabet, coding, segment, udh

if TYPE_CHECKING:
    from gateway.simulator.smsc import Smsc

_ALONE: Final = {"gsm7": 160}  #: octets of a text that needs no second part; 140 for all other charsets
_PART: Final = {"gsm7": 153}


@dataclass(slots=True)
class Mo:
    """A customer's message on its way to the gateway. `taken` is done when all its parts were answered OK."""

    number: int
    parts: list[MoPart]
    taken: asyncio.Future[None]
    waiting: int


class Cut(msgspec.Struct, frozen=True, gc=False):
    """A text ready for deliver_sm."""

    data_coding: int
    esm_class: int
    payloads: tuple[bytes, ...]
    tlvs: tuple[dict[int, bytes], ...] = ()  #: of each part; none: of none
    in_payload: bool = False


def cut(text: str, reference: int, join: Join, data_coding: int | None) -> Cut | segment.Split:
    """A text in its parts, of this data_coding or of the one that it needs. Raises ValueError."""
    if data_coding is None and join is Join.UDH8:
        return segment.split(text, reference & 0xFF)
    if data_coding is None:
        data_coding = 0x08 if alphabet.encode(text) is None else 0x00
    charset = coding.scheme_of(data_coding).charset
    if join is Join.PAYLOAD:
        return Cut(data_coding, 0, (_encoded(text, charset),), in_payload=True)
    bodies = _bodies(text, charset)
    total = len(bodies)
    if total == 1:
        return Cut(data_coding, 0, bodies)
    if total > segment.MAX_SEGMENTS:
        raise ValueError(f"{total} segments are more than {segment.MAX_SEGMENTS}")
    if join is Join.SAR:
        return Cut(data_coding, 0, bodies, tuple(_sar(reference, total, at) for at in range(1, total + 1)))
    wide = join is Join.UDH16
    reference &= 0xFFFF if wide else 0xFF
    headed = (udh.concatenation(reference, total, at, wide) + each for at, each in enumerate(bodies, start=1))
    return Cut(data_coding, udh.UDHI, tuple(headed))


def _sar(reference: int, total: int, number: int) -> dict[int, bytes]:
    return {
        int(Tag.SAR_MSG_REF_NUM): (reference & 0xFFFF).to_bytes(2, "big"),
        int(Tag.SAR_TOTAL_SEGMENTS): bytes((total,)),
        int(Tag.SAR_SEGMENT_SEQNUM): bytes((number,)),
    }


def _encoded(text: str, charset: str) -> bytes:
    match charset:
        case "gsm7":
            octets = alphabet.encode(text)
            if octets is None:
                raise ValueError("the text has signs that the GSM alphabet has not")
            return octets
        case "ucs2":
            return text.encode("utf-16-be", "replace")
        case "binary" | "compressed":
            return text.encode("utf-8", "replace")
    return text.encode(charset)  # UnicodeEncodeError is a ValueError


def _bodies(text: str, charset: str) -> tuple[bytes, ...]:
    """The text in parts of whole characters."""
    whole = _encoded(text, charset)
    if len(whole) <= _ALONE.get(charset, 140):
        return (whole,)
    room = _PART.get(charset, 132)
    bodies = [bytearray()]
    for char in text:
        octets = _encoded(char, charset)
        if len(bodies[-1]) + len(octets) > room:
            bodies.append(bytearray())
        bodies[-1] += octets
    return tuple(map(bytes, bodies))


class Replies:
    """All customers' messages of one SMSC that are under way."""

    def __init__(self, smsc: "Smsc") -> None:
        self._smsc = smsc
        self._loop = asyncio.get_running_loop()
        self._numbers = count(1)
        self._references = count(1)
        self.open: dict[int, Mo] = {}

    def write(self, msisdn: str, to: str, text: str, join: Join | None, data_coding: int | None) -> Mo:
        """A customer writes a text. Raises ValueError."""
        form = self._smsc.scenario.mo
        reference = next(self._references)
        join = join or form.join
        if data_coding is None:
            data_coding = form.data_coding
        written = (
            segment.split(text, reference & 0xFF)  # as nearly all are
            if data_coding is None and join is Join.UDH8
            else cut(text, reference, join, data_coding)
        )
        return self.put_in(msisdn, to, written)

    def put_in(self, msisdn: str, to: str, written: Cut | segment.Split) -> Mo:
        """Octets as they are. Raises ValueError."""
        if not (_is_address(msisdn) and _is_address(to)):
            raise ValueError("an address has 1 to 20 ASCII signs")
        if not (0 <= written.data_coding <= 255 and 0 <= written.esm_class <= 255):
            raise ValueError("data_coding and esm_class are octets")
        smsc = self._smsc
        smsc.clock()
        fault = None
        if smsc.faults.of_mos:
            fault = first(smsc.faults.of_mos, msisdn, smsc.elapsed(smsc.now()))
        mo = self._mo(msisdn, to, written)
        mailbox = smsc.replies_box(to)
        deliveries = [Delivery(mo_body(part), part, mailbox) for part in mo.parts]
        if fault is not None:
            smsc.record.counts.faults += 1
            deliveries = self._go_wrong(fault, mo, deliveries, written, mailbox)
        for part in mo.parts:
            smsc.record.injected(part)
        if not mo.parts:  # a message of one part that was lost
            mo.taken.set_result(None)
        else:
            self.open[mo.number] = mo
        if not mailbox.ready:
            smsc.filled_soon(mailbox)
        mailbox.ready.extend(deliveries)
        return mo

    def _mo(self, msisdn: str, to: str, written: Cut | segment.Split) -> Mo:
        number = next(self._numbers)
        wall, data_coding, esm_class = self._smsc.wall, written.data_coding, written.esm_class
        parts = [
            MoPart(number, at, wall, msisdn, to, data_coding, esm_class, octets)
            for at, octets in enumerate(written.payloads, start=1)
        ]
        if isinstance(written, Cut) and (written.tlvs or written.in_payload):
            for at, part in enumerate(parts):
                part.tlvs = written.tlvs[at] if written.tlvs else None
                part.in_payload = written.in_payload
        return Mo(number, parts, self._loop.create_future(), len(parts))

    def _go_wrong(
        self, fault: Fault, mo: Mo, deliveries: list[Delivery], written: Cut | segment.Split, mailbox: Mailbox
    ) -> list[Delivery]:
        """What goes out now, and in which order."""
        smsc = self._smsc
        dice = smsc.faults.dice
        match fault.do:
            case Do.MO_TWICE:
                return deliveries + [Delivery(each.body, each.of, mailbox) for each in deliveries]
            case Do.MO_PARTS_SHUFFLED:
                return disordered(deliveries, dice)
            case Do.MO_PART_LOST:
                lost = dice.randrange(len(deliveries))
                del deliveries[lost], mo.parts[lost]
                mo.waiting -= 1
            case Do.MO_PART_LATE:
                late = deliveries.pop(dice.randrange(len(deliveries)))
                smsc.agenda.at(smsc.now() + smsc.draw(fault.lasts), mailbox.again, [late])
            case _:
                part = mo.parts[0]
                other = self._mo(_neighbour(part.source), part.destination, written)
                self.open[other.number] = other
                for each in other.parts:
                    smsc.record.injected(each)
                others = [Delivery(mo_body(each), each, mailbox) for each in other.parts]
                return [each for pair in zip(deliveries, others, strict=True) for each in pair]
        return deliveries

    def taken(self, part: MoPart) -> None:
        """The client has this part."""
        mo = self.open.get(part.mo)
        if mo is None:
            return
        mo.waiting -= 1
        if mo.waiting == 0:
            del self.open[part.mo]
            if not mo.taken.done():
                mo.taken.set_result(None)

    def close(self) -> None:
        """Nobody will take what is open."""
        for mo in self.open.values():
            mo.taken.cancel()
        self.open.clear()


def _neighbour(msisdn: str) -> str:
    """Another customer: the last digit is the next one."""
    last = msisdn[-1:]
    return msisdn[:-1] + (str((int(last) + 1) % 10) if last.isdecimal() else "0")


def _is_address(address: str) -> bool:
    return 1 <= len(address) <= 20 and address.isascii() and "\0" not in address
