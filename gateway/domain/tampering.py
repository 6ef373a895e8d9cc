"""Whether a chain of evidence is as it was written: each row that was changed, removed, put in or moved.

A chain is walked once, row by row. A row is held until the one after it has been seen, for that one says
which hash the row had when it was written.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

from gateway.domain.evidence import ORIGIN, Entry, Head, Seal, link
from gateway.domain.ids import bucket_of_id

#: So many rows that fit nowhere are tried at each other's places; beyond it they are told as changed.
KEPT: Final = 200


class What(StrEnum):
    """What was done."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"
    REWRITTEN = "rewritten"


class Cause(StrEnum):
    """What shows it."""

    CONTENT = "content"  #: bucket, time, kind, confirmation or body are not those that were hashed
    HASH = "hash"  #: only its hash: the next row has the one that fits
    PREVIOUS = "previous"  #: only its copy of the hash before it
    REPLACED = "replaced"  #: it was hashed anew, and the next row vouches for another
    GAP = "gap"  #: numbers are missing
    TAIL = "tail"  #: the head knows of rows after the last one
    CHAIN = "chain"  #: the head knows of rows, and there are none
    BEYOND_HEAD = "beyond-head"  #: a row that the head does not know of
    BELOW_START = "below-start"  #: a row before the first one, or below the seal
    EXTRA = "extra"  #: it stands where another row stood, which was moved on for it
    NO_CHAIN = "no-chain"  #: a row of a bucket that there is not
    PLACE = "place"  #: it was written under another number
    HEAD = "head"  #: the head has another hash than the last row
    HEAD_MISSING = "head-missing"  #: the chain has no head
    SEAL = "seal"  #: the seal has another hash than the first row follows
    EXPORTED = "exported"  #: the chain disagrees with heads that were exported
    SINCE_EXPORT = "since-export"  #: exported heads know of rows after the last one


class Finding(NamedTuple):
    """One thing that is wrong: rows `n` to `last` of a bucket's chain.

    `confirmation_id` is what stands in the row, and None where there is no one row to look into. `was` is the
    bucket and number under which a moved row was written. `exported_at` dates the heads that tell of it.
    """

    what: What
    cause: Cause
    bucket: int
    n: int
    last: int
    confirmation_id: UUID | None = None
    was: tuple[int, int] | None = None
    exported_at: datetime | None = None


class Kept(NamedTuple):
    """A head as it was exported at a time, and kept elsewhere since."""

    head: Head
    exported_at: datetime


def check(
    entries: Iterable[Entry], heads: Iterable[Head], seals: Iterable[Seal] = (), kept: Iterable[Kept] = ()
) -> list[Finding]:
    """All that is wrong with these chains, by bucket and number; entries in the order of both."""
    chains = {head.bucket: head for head in heads}
    sealed = {seal.bucket: seal for seal in sorted(seals, key=lambda seal: seal.n)}
    known = list(kept)
    rows = {bucket: list(group) for bucket, group in groupby(entries, key=lambda entry: entry.bucket)}
    found: list[Finding] = []
    for bucket in sorted(chains.keys() | rows.keys() | {each.head.bucket for each in known}):
        exported = [each for each in known if each.head.bucket == bucket]
        chain = Chain(bucket, chains.get(bucket), sealed.get(bucket), exported)
        for entry in rows.get(bucket, ()):
            chain.take(entry)
        found += chain.end()
    return found


class Chain:
    """One bucket's chain, walked from its first row to its last: `take` each row, then `end`."""

    def __init__(
        self, bucket: int, head: Head | None, seal: Seal | None = None, kept: Sequence[Kept] = ()
    ) -> None:
        self.bucket = bucket
        self.rows = 0
        self._head = head
        self._start = seal.n if seal else 0
        self._seal = seal
        self._kept = sorted(kept, key=lambda each: each.head.n)
        self._vouched = self._start  # the last row that exported heads vouch for
        self._row: Entry | None = None  # the one that is held
        self._before: bytes | None = seal.hash if seal else ORIGIN  # the hash of the row before it, if known
        self._reached = self._start  # the highest number seen that the head knows of
        self._judged: Entry | None = None  # the one before it
        self._found: list[Finding] = []
        self._missing: list[tuple[int, int]] = []
        self._homeless: list[Entry] = []  # rows that fit neither here nor next door
        self._moved: list[tuple[Entry, int]] = []  # one row of a run, and how far it is from its place
        self._runs: list[Finding] = []
        self._names: dict[int, UUID] = {}  # of rows that may be in the place of a moved one

    def take(self, entry: Entry) -> None:
        """The next row."""
        self.rows += 1
        if self._head is None and not 0 <= self.bucket <= 255:
            self._say(What.INSERTED, Cause.NO_CHAIN, entry)
            return
        held = self._row
        if held is not None:
            self._judge(held, entry if entry.n == held.n + 1 else None)
        if self._head is None or entry.n <= self._head.n:
            if entry.n > self._reached + 1:
                self._missing.append((self._reached + 1, entry.n - 1))
            self._reached = max(self._reached, entry.n)
        if entry.n == self._start + 1:
            self._before = self._seal.hash if self._seal else ORIGIN
        elif held is None or entry.n != held.n + 1:
            self._before = None
        self._row = entry

    def end(self) -> list[Finding]:
        """There are no more rows: all that was found, in the order of numbers."""
        if self._row is not None:
            self._judge(self._row, None)
            self._row = None
        self._meet_head()
        self._find_homes()
        self._settle_gaps()
        self._meet_kept()
        return sorted(self._found + self._runs, key=lambda finding: (finding.n, finding.what))

    # --- one row ---------------------------------------------------------------------------------

    def _judge(self, row: Entry, after: Entry | None) -> None:
        """What is to be said of a row, now that the next one is known (None: there is none, or a gap)."""
        before, self._before = self._before, row.hash
        self._read_row(row, before, after)
        self._judged = row

    def _read_row(self, row: Entry, before: bytes | None, after: Entry | None) -> None:
        if self._is_stray(row, after):
            return
        head = self._head
        vouched = after.previous if after is not None else None
        if after is None and head is not None and row.n == head.n:
            vouched = head.hash
        fits = link(row.previous, row)
        if fits == row.hash:
            self._judge_whole(row, before, after, vouched)
        elif before is not None and link(before, row) == row.hash:
            self._say(What.CHANGED, Cause.PREVIOUS, row)
        elif vouched == fits:
            self._say(What.CHANGED, Cause.HASH, row)
            self._before = fits
        elif not self._is_moved(row, after):
            self._keep_homeless(row)
        self._compare(row.n, self._before)

    def _judge_whole(
        self, row: Entry, before: bytes | None, after: Entry | None, vouched: bytes | None
    ) -> None:
        """Of a row whose hash fits what stands in it."""
        if row.n == self._start + 1 and before is not None and row.previous != before:
            if self._seal is not None:
                self._say(What.CHANGED, Cause.SEAL, row)
            else:
                self._say(What.CHANGED, Cause.REPLACED, row)
        elif vouched is None or vouched == row.hash:
            return
        elif after is None:
            self._say(What.CHANGED, Cause.HEAD, row)
        elif link(after.previous, after) == after.hash:
            self._say(What.CHANGED, Cause.REPLACED, row)

    def _is_stray(self, row: Entry, after: Entry | None) -> bool:
        """Whether a row stands outside of its chain. Where it belongs is found out at the end."""
        beyond = self._head is not None and row.n > self._head.n
        if not beyond and row.n > self._start:
            return False
        if not self._is_moved(row, after):
            cause = Cause.BEYOND_HEAD if beyond else Cause.BELOW_START
            self._keep_homeless(row, Finding(What.INSERTED, cause, self.bucket, row.n, row.n))
        return True

    def _is_moved(self, row: Entry, after: Entry | None) -> bool:
        """Whether it was written under a number next door, or in the bucket that its confirmation is of.

        A copy of a row that still stands there was not moved.
        """
        shift = self._moved[-1][1] if self._moved else 1
        near = {other.n: other.hash for other in (self._judged, after) if other is not None}
        for by in dict.fromkeys((shift, 1, -1)):
            is_copy = near.get(row.n - by) == row.hash
            if not is_copy and self._fits_at(row, self.bucket, row.n - by):
                self._move(row, row.n - by)
                return True
        home = bucket_of_id(row.confirmation_id)
        if home != self.bucket and self._fits_at(row, home, row.n):
            self._found.append(
                Finding(
                    What.MOVED, Cause.PLACE, self.bucket, row.n, row.n, row.confirmation_id, (home, row.n)
                )
            )
            return True
        return False

    @staticmethod
    def _fits_at(row: Entry, bucket: int, n: int) -> bool:
        return link(row.previous, row._replace(bucket=bucket, n=n)) == row.hash

    def _move(self, row: Entry, n: int) -> None:
        """A row stands where it was not written; rows that were all moved by the same are told as one."""
        by = row.n - n
        if self._judged is not None and self._judged.n == n:
            self._names[n] = self._judged.confirmation_id
        last = self._runs[-1] if self._runs else None
        if last is not None and self._moved[-1][1] == by and last.last + 1 == row.n:
            self._runs[-1] = last._replace(last=row.n, confirmation_id=None)
        else:
            self._runs.append(
                Finding(
                    What.MOVED, Cause.PLACE, self.bucket, row.n, row.n, row.confirmation_id, (self.bucket, n)
                )
            )
        self._moved[:] = [(row, by)]

    def _keep_homeless(self, row: Entry, else_: Finding | None = None) -> None:
        """It is told as changed unless, at the end, a place is found that it was written for."""
        finding = else_ or Finding(What.CHANGED, Cause.CONTENT, self.bucket, row.n, row.n)
        self._found.append(finding._replace(confirmation_id=row.confirmation_id))
        if len(self._homeless) < KEPT:
            self._homeless.append(row)

    def _say(self, what: What, cause: Cause, row: Entry) -> None:
        self._found.append(Finding(what, cause, self.bucket, row.n, row.n, row.confirmation_id))

    # --- the whole -------------------------------------------------------------------------------

    def _meet_head(self) -> None:
        head = self._head
        if head is None:
            if 0 <= self.bucket <= 255:
                start = self._start + 1
                self._found.append(
                    Finding(What.REMOVED, Cause.HEAD_MISSING, self.bucket, start, max(start, self._reached))
                )
            return
        if self._reached < head.n:
            self._missing.append((self._reached + 1, head.n))
        if self._seal is not None and head.n == self._seal.n and head.hash != self._seal.hash:
            self._found.append(Finding(What.CHANGED, Cause.SEAL, self.bucket, head.n, head.n))
        if head.n == 0 and head.hash != ORIGIN:
            self._found.append(Finding(What.CHANGED, Cause.HEAD, self.bucket, 0, 0))

    def _find_homes(self) -> None:
        """Try rows that fit nowhere at the places that are empty, and at each other's."""
        places = [n for first, last in self._missing for n in range(first, min(last, first + KEPT) + 1)][
            :KEPT
        ]
        places += [row.n for row in self._homeless]
        for row in self._homeless:
            home = next((n for n in places if n != row.n and self._fits_at(row, self.bucket, n)), None)
            if home is None:
                continue
            self._found = [each for each in self._found if each.n != row.n or each.confirmation_id is None]
            self._move(row, home)
        self._runs.sort(key=lambda run: run.n)

    def _settle_gaps(self) -> None:
        """Missing numbers whose rows were found elsewhere are no loss; a moved row's place is somebody's."""
        standing = [(run.n, run.last) for run in self._runs]
        origins = sorted((run.was[1], run.was[1] + run.last - run.n) for run in self._runs if run.was)
        head = self._head.n if self._head else 0
        for gap in self._missing:
            for first, last in _without(gap, origins):
                cause = Cause.GAP
                if last == head:
                    cause = Cause.CHAIN if first == self._start + 1 and not self.rows else Cause.TAIL
                self._found.append(Finding(What.REMOVED, cause, self.bucket, first, last))
        for origin in origins:
            for first, last in _without(origin, sorted(standing + self._missing)):
                self._found = [each for each in self._found if not first <= each.n <= last]
                name = self._names.get(first) if first == last else None
                self._found.append(Finding(What.INSERTED, Cause.EXTRA, self.bucket, first, last, name))

    # --- heads that were kept elsewhere ----------------------------------------------------------

    def _compare(self, n: int, known: bytes | None) -> None:
        for each in self._kept:
            if each.head.n != n:
                continue
            if each.head.hash == known:
                self._vouched = n
            else:
                self._rewritten(n, each)

    def _rewritten(self, n: int, kept: Kept) -> None:
        if any(each.cause is Cause.EXPORTED for each in self._found):
            return  # the first that disagrees says it all
        first = min(self._vouched + 1, n)
        finding = Finding(What.REWRITTEN, Cause.EXPORTED, self.bucket, first, n)
        self._found.append(finding._replace(exported_at=kept.exported_at))

    def _meet_kept(self) -> None:
        seal, head = self._seal, self._head
        for each in self._kept:
            n = each.head.n
            if seal is not None and n == seal.n and each.head.hash != seal.hash:
                self._rewritten(n, each)
            end = head.n if head is not None else self._reached
            if n > end:
                finding = Finding(What.REMOVED, Cause.SINCE_EXPORT, self.bucket, end + 1, n)
                self._found.append(finding._replace(exported_at=each.exported_at))


def _without(span: tuple[int, int], holes: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What is left of a span of numbers without some others, which are sorted."""
    first, last = span
    for begin, end in holes:
        if end < first or begin > last:
            continue
        if begin > first:
            yield first, begin - 1
        first = max(first, end + 1)
    if first <= last:
        yield first, last
