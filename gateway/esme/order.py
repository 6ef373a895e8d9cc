"""The order of messages to one number: a later one waits until the SMSC has answered the earlier.

Without this a refusal in the middle of a window lets the next message overtake, and two binds race. It costs
one look-up when a parcel is written and one when it is answered; what nobody waits for leaves nothing behind.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from gateway.services.carrier import Parcel
from gateway.services.flights import Outgoing


class Bearer(Protocol):
    """Who writes parcels: a link."""

    behind: int  #: how many parcels of it wait in a line; kept by `Numbers`

    def go_on(self, parcels: Sequence[Parcel]) -> None:
        """These waited in their line and may be written now, in this order."""


L = TypeVar("L", bound=Bearer)


class _Line(msgspec.Struct):
    """The messages to one number: the one under way, and those behind it."""

    link: Any  # generic structs would cost their making on the hot path
    outgoing: Outgoing
    unfinished: int  # its parcels that are in flight, or refused and to be written again
    behind: deque[tuple[Any, Parcel]] | None


class Numbers(Generic[L]):
    """Which message to a number is under way, on which link, and what waits behind it.

    One for all links that must not overtake one another. A link says `begin` before it writes a parcel for
    the first time, and once `end` or `back` for each that began. All parts of a message go together.
    """

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def __len__(self) -> int:
        """Numbers that something is under way to."""
        return len(self._lines)

    def link_of(self, destination: str) -> L | None:
        """The link that has the parcel under way to this number: the best choice for the next one to it.

        The order is kept whatever is chosen, but on another link the next one waits for this link's answer.
        """
        line = self._lines.get(destination)
        return None if line is None else line.link

    def is_busy(self, destination: str) -> bool:
        """Whether something waits behind what is under way to this number: more would only stand there."""
        line = self._lines.get(destination)
        return line is not None and bool(line.behind)

    def begin(self, parcel: Parcel, link: L) -> bool:
        """Whether the parcel may be written now; if not, it waits here until `link.go_on`."""
        outgoing = parcel.token.outgoing
        line = self._lines.get(parcel.destination)
        if line is None:
            self._lines[parcel.destination] = _Line(link, outgoing, 1, None)
            return True
        if line.outgoing is outgoing:
            line.link = link
            line.unfinished += 1
            return True
        if line.behind is None:
            line.behind = deque()
        line.behind.append((link, parcel))
        link.behind += 1
        return False

    def end(self, parcel: Parcel) -> None:
        """It was answered, or nobody waits for its answer any more: the next message to the number may go."""
        line = self._lines[parcel.destination]
        line.unfinished -= 1
        if line.unfinished:
            return
        if line.behind:
            self._next(line, line.behind)
        else:
            del self._lines[parcel.destination]

    def back(self, parcel: Parcel) -> Sequence[Parcel]:
        """It is given back unwritten: those behind it, in order, are to be given back after it.

        None of them while other parts of its message are still under way: they wait for these.
        """
        line = self._lines[parcel.destination]
        line.unfinished -= 1
        if line.unfinished:
            return ()
        del self._lines[parcel.destination]
        return self._taken_out(line.behind or ())

    def leave(self, link: L) -> Sequence[Parcel]:
        """The link ends: what waits for it in all lines, in order, and what waits behind that for others.

        What it has begun is to be ended first.
        """
        left: list[Parcel] = []
        if not link.behind:
            return left
        for line in self._lines.values():
            behind = line.behind or ()
            first = next((at for at, (other, _) in enumerate(behind) if other is link), None)
            if first is not None:
                waiting = list(behind)
                left.extend(self._taken_out(waiting[first:]))
                line.behind = deque(waiting[:first]) or None
        return left

    def _next(self, line: _Line, behind: deque[tuple[Any, Parcel]]) -> None:
        """The next message comes to the front, with all parts of it that stand there."""
        line.link, first = behind[0]
        line.outgoing = first.token.outgoing
        while behind and behind[0][1].token.outgoing is line.outgoing:
            link, parcel = behind.popleft()
            link.behind -= 1
            line.link = link
            line.unfinished += 1
            link.go_on((parcel,))
        if not behind:
            line.behind = None

    @staticmethod
    def _taken_out(waiting: Sequence[tuple[Any, Parcel]]) -> list[Parcel]:
        for link, _ in waiting:
            link.behind -= 1
        return [parcel for _, parcel in waiting]
