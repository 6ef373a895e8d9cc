"""What passed a bind: a ring of octets in whole batches, as they were read and written.

PDUs are cut out of it, judged and told in words only when somebody asks.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from gateway.esme.frames import header, is_length, length_of, start_of, whole
from gateway.esme.wording import decoded, no_pdu, octets_of, words_of
from gateway.services.ways import Frame, Wanted
from gateway.smpp import receipt
from gateway.smpp.constants import HEADER_LENGTH, RESPONSE, CommandId
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu

#: Of one bind.
OCTETS: Final = 262_144
#: What a batch costs beside its octets, so that many small ones are bounded as well.
BATCH: Final = 64
#: What one call looks through, all binds together; each has its share of the newest.
LOOKED_THROUGH: Final = 2 * 1024 * 1024
#: What a follower may leave unread.
UNREAD: Final = 1024 * 1024
#: Requests whose response a follower waits for.
AWAITED: Final = 10_000
#: PDUs that a follower judges, or that are told in words, before others have their turn.
TURN: Final = 200
#: Digits by which numbers are compared: the SMSC may write them with or without the country.
TAIL: Final = 10

_BINDS: Final = frozenset({CommandId.BIND_RECEIVER, CommandId.BIND_TRANSMITTER, CommandId.BIND_TRANSCEIVER})
_LINK: Final = frozenset({CommandId.ENQUIRE_LINK, CommandId.ENQUIRE_LINK_RESP})
_OTHER: Final = {"in": "out", "out": "in"}


class Batch(NamedTuple):
    """What one read or one write carried."""

    way: str
    octets: bytes
    at: float  #: seconds since 1970


Listener = Callable[[str, Batch], None]


class Tape:
    """The ring of one bind. `note` is all that happens while messages pass."""

    __slots__ = ("_batches", "_held", "_octets", "bind", "listeners")

    def __init__(self, bind_name: str, octets: int = OCTETS) -> None:
        self.bind = bind_name
        self.listeners: tuple[Listener, ...] = ()
        self._octets = octets
        self._held = 0
        self._batches: deque[Batch] = deque()

    def note(self, way: str, octets: bytes, at: float) -> None:
        """This was read ("in") or written ("out") at `at`, seconds since 1970."""
        batch = Batch(way, octets, at)
        self._batches.append(batch)
        self._held += len(octets) + BATCH
        while self._held > self._octets:
            self._held -= len(self._batches.popleft().octets) + BATCH
        if self.listeners:
            for listener in self.listeners:
                listener(self.bind, batch)

    def newest(self, octets: int) -> list[Batch]:
        """The last batches, oldest first, no more than so many octets."""
        found: list[Batch] = []
        for batch in reversed(self._batches):
            octets -= len(batch.octets) + BATCH
            if octets < 0:
                break
            found.append(batch)
        found.reverse()
        return found


class Cutter:
    """Cuts one bind's batches into PDUs. What is written is whole; what is read breaks anywhere.

    Where the beginning is missing, because the ring has lost it, it finds the next PDU that can be one.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._lost = True

    def cut(self, batch: Batch) -> Iterator[bytes]:
        """The frames that this batch completes; and what is none, not as long as it says."""
        if batch.way == "out":
            frames, rest = whole(batch.octets)
            if frames and header(frames[0])[1] in _BINDS:  # a new connection: what it brings begins anew
                self._rest, self._lost = b"", False
            yield from frames
            if rest:
                yield rest
            return
        octets = self._rest + batch.octets
        self._rest = b""
        if self._lost:
            start = start_of(octets)
            if start is None:
                return
            octets, self._lost = octets[start:], False
        frames, rest = whole(octets)
        yield from frames
        if len(rest) >= 4 and not is_length(length_of(rest)):
            self._lost = True
            yield rest
        else:
            self._rest = rest


class _Passed(NamedTuple):
    """One PDU of the tape, or octets that are none: then its command is 0."""

    at: float
    bind: str
    way: str
    octets: bytes
    command_id: int
    number: int

    @property
    def key(self) -> tuple[str, str, int]:
        """By which a request and its response find each other: bind, the way of the request, number."""
        way = _OTHER[self.way] if self.command_id & RESPONSE else self.way
        return self.bind, way, self.number


def _passed(bind: str, batch: Batch, octets: bytes) -> _Passed:
    if len(octets) >= HEADER_LENGTH:
        length, command_id, _, number = header(octets)
        if length == len(octets):
            return _Passed(batch.at, bind, batch.way, octets, command_id, number)
    return _Passed(batch.at, bind, batch.way, octets, 0, 0)


class _Judge:
    """Whether a request is wanted."""

    def __init__(self, wanted: Wanted) -> None:
        self._ids = frozenset(wanted.smsc_ids)
        self._number = (wanted.number or "").lstrip("+0")
        self._tail = self._number[-TAIL:].encode()
        self.all = not self._number and not self._ids
        self.quiet = wanted.quiet

    def hides(self, command_id: int) -> bool:
        return self.quiet and command_id in _LINK

    def passes_over(self, request: _Passed) -> bool:
        """What is not wanted by a look at its octets."""
        return bool(self._tail) and self._tail not in request.octets and request.command_id not in _BINDS

    def wants(self, request: _Passed, answers: Sequence[_Passed]) -> bool:
        """Whether this request, with the answers that it got, is among those asked for."""
        if self.all:
            return True
        pdu = decoded(request.octets)
        if pdu is None:
            return bool(self._tail)  # its number stands in it, more can't be said
        if self._number and not any(self._same(address) for address in _addresses(pdu)):
            return False
        return not self._ids or self._is_one_of(pdu, answers)

    def wants_answer(self, answer: _Passed) -> bool:
        """The same of an answer whose request has been forgotten: its id alone can tell."""
        if self.all or not self._ids:
            return self.all
        pdu = decoded(answer.octets)
        return pdu is not None and getattr(pdu, "message_id", "") in self._ids

    def _same(self, address: str) -> bool:
        """Whether an address names the customer, with or without the country's code."""
        digits = address.lstrip("+0")
        shorter, longer = sorted((digits, self._number), key=len)
        return len(shorter) >= min(TAIL, len(self._number)) and longer.endswith(shorter)

    def _is_one_of(self, pdu: Pdu, answers: Sequence[_Passed]) -> bool:
        """A receipt or a query by the id in it; a submission by its answer's, if it was given one."""
        if isinstance(pdu, DeliverSm | DataSm) and (read := receipt.parse(pdu, _ANY)) is not None:
            return any(receipt.alike(each, read.message_id) for each in self._ids)
        if named := getattr(pdu, "message_id", ""):
            return named in self._ids
        if pdu.command_id == CommandId.DELIVER_SM:
            return False
        ids = {getattr(decoded(answer.octets), "message_id", "") for answer in answers} - {""}
        # Unanswered or refused it may have been an attempt of this message, if its number says so.
        return bool(ids & self._ids) if ids else bool(self._number)


_ANY: Final = receipt.Habits(without_esm_class=True)


def _addresses(pdu: Pdu) -> Iterator[str]:
    yield getattr(pdu, "destination_addr", "")
    yield getattr(pdu, "source_addr", "")
    for each in getattr(pdu, "dest_addresses", ()):
        yield getattr(each, "destination_addr", "")


class Tapes:
    """The tapes of all binds, as people look at them."""

    def __init__(self, tapes: Iterable[Tape] = ()) -> None:
        self._tapes: dict[str, Tape] = {tape.bind: tape for tape in tapes}

    async def passed(self, wanted: Wanted, limit: int) -> list[Frame]:
        """The last that are wanted, oldest first, as far back as the rings go. Messages pass meanwhile."""
        return await self._told(self._newest(self._chosen(wanted)), wanted, limit)

    def _newest(self, chosen: Sequence[Tape]) -> list[tuple[str, list[Batch]]]:
        share = LOOKED_THROUGH // max(1, len(chosen))
        return [(tape.bind, tape.newest(share)) for tape in chosen]

    async def _told(
        self, newest: Sequence[tuple[str, list[Batch]]], wanted: Wanted, limit: int
    ) -> list[Frame]:
        judge = _Judge(wanted)
        found: list[tuple[float, int, _Passed]] = []
        for bind_name, batches in newest:
            cutter = Cutter()
            frames = [_passed(bind_name, batch, frame) for batch in batches for frame in cutter.cut(batch)]
            found += _last(frames, judge, limit)
            await asyncio.sleep(0)
        found.sort(key=lambda each: each[:2])
        told: list[Frame] = []
        for _, _, each in found[-limit:]:
            told.append(_told(each, opened=wanted.open))
            if len(told) % TURN == 0:
                await asyncio.sleep(0)
        return told

    async def follow(self, wanted: Wanted, last: int = 0) -> AsyncGenerator[Frame, None]:
        """The `last` that passed, then what passes from now on. A slow reader misses some, and is told.

        Whose message an attempt was is known with its answer only: here the number alone decides, if there
        is one.
        """
        chosen = self._chosen(wanted)
        newest, asked = self._newest(chosen) if last else [], wanted
        if wanted.number:
            wanted = Wanted(bind=wanted.bind, number=wanted.number, quiet=wanted.quiet, open=wanted.open)
        follower = _Follower(chosen, wanted)
        try:
            for frame in await self._told(newest, asked, last):
                yield frame
            while True:
                for frame in await follower.next():
                    yield frame
        finally:
            follower.end()

    def _chosen(self, wanted: Wanted) -> list[Tape]:
        if wanted.bind is None:
            return list(self._tapes.values())
        return [
            tape
            for name, tape in self._tapes.items()
            if name == wanted.bind or name.startswith(f"{wanted.bind}/")
        ]


def _last(whole: list[_Passed], judge: _Judge, limit: int) -> list[tuple[float, int, _Passed]]:
    """Backwards, so that a request's answers are known when it comes: the last `limit` and a few more."""
    found: list[tuple[float, int, _Passed]] = []
    answers: dict[tuple[str, str, int], list[tuple[int, _Passed]]] = {}
    for at in range(len(whole) - 1, -1, -1):
        each = whole[at]
        command_id = each.command_id
        if judge.hides(command_id):
            continue
        if not command_id:
            if judge.all:
                found.append((each.at, at, each))
        elif command_id & RESPONSE:
            answers.setdefault(each.key, []).append((at, each))
        elif judge.passes_over(each):
            answers.pop(each.key, None)
        else:
            its = answers.pop(each.key, [])
            if judge.wants(each, [answer for _, answer in its]):
                found.append((each.at, at, each))
                found += [(answer.at, place, answer) for place, answer in its]
            if command_id in _BINDS:  # numbers begin anew: what came later is answered later
                found += _alone(answers, judge)
                answers.clear()
        if len(found) >= limit:
            break
    return found + _alone(answers, judge)


def _alone(
    answers: dict[tuple[str, str, int], list[tuple[int, _Passed]]], judge: _Judge
) -> list[tuple[float, int, _Passed]]:
    """Answers whose request is not there."""
    return [
        (answer.at, place, answer)
        for its in answers.values()
        for place, answer in its
        if judge.wants_answer(answer)
    ]


class _Follower:
    """One reader of what passes. What it can't take in time is counted and left out."""

    def __init__(self, tapes: Sequence[Tape], wanted: Wanted) -> None:
        self._tapes = tapes
        self._judge = _Judge(wanted)
        self._opened = wanted.open
        self._unread: deque[tuple[str, Batch]] = deque()
        self._held = 0
        self._lost = 0
        self._stirred = asyncio.Event()
        self._awaited: dict[tuple[str, str, int], None] = {}
        self._cutters = {tape.bind: Cutter() for tape in tapes}
        for tape in tapes:
            for batch in tape.newest(OCTETS):  # where a PDU stands half read, its other half will be known
                deque(self._cutters[tape.bind].cut(batch), 0)
            tape.listeners += (self._hear,)

    def _hear(self, bind: str, batch: Batch) -> None:
        if self._held + len(batch.octets) > UNREAD:
            self._lost += len(whole(batch.octets)[0]) or 1
            self._cutters[bind] = Cutter()
            return
        self._held += len(batch.octets)
        self._unread.append((bind, batch))
        self._stirred.set()

    async def next(self) -> list[Frame]:
        """What came since, as soon as something has."""
        while not self._unread:
            self._stirred.clear()
            await self._stirred.wait()
        found: list[Frame] = []
        judged = 0
        while self._unread and judged < TURN:
            bind, batch = self._unread.popleft()
            self._held -= len(batch.octets)
            for octets in self._cutters[bind].cut(batch):
                judged += 1
                each = _passed(bind, batch, octets)
                if self._wants(each):
                    found.append(_told(each, opened=self._opened))
        if self._lost and not self._unread:
            lost, self._lost = self._lost, 0
            found.append(_missing(lost, batch.at))
        await asyncio.sleep(0)
        return found

    def _wants(self, each: _Passed) -> bool:
        command_id = each.command_id
        if self._judge.hides(command_id):
            return False
        if self._judge.all or not command_id:
            return self._judge.all
        if command_id & RESPONSE:
            return self._awaited.pop(each.key, 0) is None or self._judge.wants_answer(each)
        if self._judge.passes_over(each) or not self._judge.wants(each, ()):
            return False
        self._awaited[each.key] = None
        if len(self._awaited) > AWAITED:
            del self._awaited[next(iter(self._awaited))]
        return True

    def end(self) -> None:
        """Hear no more."""
        for tape in self._tapes:
            tape.listeners = tuple(each for each in tape.listeners if each != self._hear)


def _told(each: _Passed, *, opened: bool) -> Frame:
    at = datetime.fromtimestamp(each.at, UTC)
    if not each.command_id:
        return Frame(at=at, bind=each.bind, way=each.way, words=no_pdu(each.octets))
    return Frame(
        at=at,
        bind=each.bind,
        way=each.way,
        words=words_of(each.octets, opened=opened),
        octets=octets_of(each.octets) if opened else None,
    )


def _missing(lost: int, at: float) -> Frame:
    return Frame(
        at=datetime.fromtimestamp(at, UTC),
        bind="",
        way="",
        words=f"{lost} PDUs are missing here: they came faster than they were read",
        lost=lost,
    )
