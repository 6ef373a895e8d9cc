"""Which messages are in the table only, channel by channel, and how the table is read page by page."""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from gateway.services.carrier import Channel

#: With fewer messages than this left, the order among them and those that come is given up: else a steady
#: stream would have to pass through the table for ever.
FEW: Final = 1000

Mark = dict[Channel | None, UUID]


class Unread:
    """Marks: from which message on a channel's are in the table. None stands for every channel.

    A page of the table holds messages of all channels; those whose turn it is not are passed over, and found
    again when it is.
    """

    def __init__(self) -> None:
        self.since: Mark = {}
        self.reading: Mark = {}  #: the channels for which a page is being read, with their marks before it
        self._missed: Mark = {}  # what was left while the page was read
        self._nearly: frozenset[Channel | None] = frozenset()

    def leave(self, uid: UUID, channel: Channel | None) -> None:
        """This message, and perhaps younger ones of its channel, are in the table only."""
        for marks in (self.since, self._missed):
            marks[channel] = min(marks.get(channel, uid), uid)

    def waits_for(self, channel: Channel) -> bool:
        """Whether older messages of a channel are in the table."""
        return channel in self.since or None in self.since

    def is_turn_of(self, channel: Channel) -> bool:
        """Whether a message of this channel that was just read may go on."""
        return channel in self.reading or channel not in self.since

    def begin(self, channels: Sequence[Channel | None]) -> UUID | None:
        """A page is going to be read for these; from where."""
        self.reading = {channel: self.since[channel] for channel in channels}
        self._missed = {}
        for channel in self._nearly:
            if channel in self.reading:
                self.since.pop(channel, None)
        return min(self.reading.values()) if self.reading else None

    def end(self, found: int, more_from: UUID | None) -> None:
        """The page had so many messages, and the table goes on from here; None: that was the last one."""
        for channel, before in self.reading.items():
            marks = [] if more_from is None else [max(before, more_from)]
            if channel in self._missed:
                marks.append(self._missed[channel])
            if marks:
                self.since[channel] = min(marks)
            else:
                self.since.pop(channel, None)
        last = more_from is None and found < FEW
        self._nearly = frozenset(self.reading) if last else frozenset()
        self.reading = {}

    def give_up(self) -> None:
        """The page could not be read."""
        for channel, before in self.reading.items():
            self.since[channel] = min(before, self.since.get(channel, before))
        self.reading = {}

    def sort_anew(self) -> None:
        """The channels of messages are others now: what was left is any channel's."""
        oldest = list(self.oldest())
        self.since = {None: min(oldest)} if oldest else {}
        self.reading = {None: self.since[None]} if self.reading else {}
        self._missed = {}

    def oldest(self) -> Iterator[UUID]:
        """The oldest message of each mark."""
        yield from self.since.values()
        yield from self.reading.values()
