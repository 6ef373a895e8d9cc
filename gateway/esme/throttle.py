"""How fast one bind may send: the rate that was configured, and the one that the SMSC taught it.

A refusal tells where the ceiling is. The rate falls a little under it at once, comes back quickly, lingers
around it, and only when nothing happens beyond it does it grow faster and faster (as CUBIC does for TCP,
RFC 9438): so a known ceiling is felt for gently, and one that has moved is found within seconds.
"""

import math
from typing import Final

from gateway.esme.pace import Pace

PAUSE: Final = 0.05  # seconds without sending after a refusal: it doubles while all that is tried is refused
LONGEST_PAUSE: Final = 2.0
OUTAGE: Final = 1.0  # a pause as long as this tells that it takes nothing, however slow
BACK_OFF: Final = 0.95  # of what the SMSC takes
LINGER: Final = 1.5  # seconds from there to the last ceiling, and about as long beyond it
LINGER_PDUS: Final = 50.0  # and so many PDUs at least: at low rates every single refusal weighs
LONGEST_LINGER: Final = 20.0
BEYOND: Final = 1.2  # so far over the last ceiling it is known to have moved
DOUBLE: Final = 1.5  # seconds in which the rate then doubles
SHARE: Final = 0.5
FORGET: Final = 0.9
NEAR: Final = 0.8
DOUBT: Final = 0.7
GUESS: Final = 20.0  # PDUs a second, where nothing was taken yet
LEAST: Final = 0.5
BURST: Final = 0.05  # seconds' worth of PDUs at once: enough to batch, too little to provoke a refusal
PROBE_SECONDS: Final = 5.0  # a probe without its answer is made again
CALM: Final = 60.0  # seconds without refusal, after which a rate that holds nothing back is forgotten
FEW: Final = 5  # PDUs taken that are too few to say how fast
# The round trip of an SMSC that queues instead of refusing, over the best that it has shown.
SLOWER: Final = 4.0
SLOWER_BY: Final = 0.5
SLOWED: Final = 0.8  # of what it takes: the queue there gets shorter
# congestion_state (SMPP 5.0 §4.8.4.18): 80 to 89 is the best use, above it the SMSC suffers.
BEST: Final = 85
CONGESTED: Final = 90
EASED: Final = 0.95
STEER_SECONDS: Final = 0.5  # between two steps down
STALE: Final = 5.0  # seconds after which what was told of congestion no longer counts
STEER_UP: Final = 0.005  # a second, for each point under the best


class Throttle:
    """A token bucket over PDUs whose rate the SMSC steers. `now` in seconds, of a clock that only grows."""

    def __init__(self, rate: float, now: float) -> None:
        self._configured = rate
        self.learned: float | None = None  #: PDUs a second; None: nothing was taught
        self.congestion: int | None = None  #: congestion_state as last told
        self.paused_until = 0.0
        self._ceiling = 0.0  # where the last refusal was
        self._climbed = 0.0  # seconds of sending since
        self._linger = LINGER
        self._depth = 1 - BACK_OFF
        self._best = 0.0  # the highest ceiling lately: binds that share an account's limit share it evenly
        self._pace = Pace(now)
        self._pause = PAUSE
        self._reacted_at = float("-inf")
        self._refused_at = self._marked_at = now
        self._since_mark = 0  # taken since then: from one refusal to another the SMSC's bucket is empty
        self._idle = 0.0  # seconds since the mark in which more might have been sent
        self._fruitless = 0  # refusals in a row
        self._probed_at: float | None = None
        self._tokens = 0.0
        self._filled_at = now
        self._unused = 0.0  # seconds since the last tick for which the bucket was full
        self._ticked_at = self._steered_at = self._told_at = now
        if rate:
            self._tokens = 1.0 + rate * BURST

    @property
    def rate(self) -> float:
        """PDUs a second that hold now; 0 is no limit."""
        if self.learned is None:
            return self._configured
        return min(self.learned, self._configured) if self._configured else self.learned

    def allowance(self, now: float) -> int | None:
        """How many PDUs may go now; None is as many as the window takes."""
        if now < self.paused_until:
            return 0
        rate = self.rate
        if not rate:
            return None
        self._fill(rate, now)
        allowed = int(self._tokens)
        if allowed > 0 and self._fruitless > 1:  # one is enough to see whether it takes something again
            probing = self._probed_at is not None and now - self._probed_at < PROBE_SECONDS
            return 0 if probing else 1
        return max(0, allowed)

    def ahead(self, seconds: float) -> int | None:
        """How many PDUs may go in the next so many seconds, about; None is as many as the window takes."""
        rate = self.rate
        if not rate:
            return None
        return max(1, int(rate * seconds)) if self._fruitless < 2 else 1

    def wait(self, now: float) -> float:
        """Seconds until the next PDU may go."""
        if now < self.paused_until:
            return self.paused_until - now
        rate = self.rate
        return max(0.0, (1.0 - self._tokens) / rate) if rate else 0.0

    def spend(self, pdus: int, now: float) -> None:
        """So many were written."""
        self._tokens -= pdus
        if self._fruitless > 1:
            self._probed_at = now

    def taken(self, pdus: int, now: float) -> None:
        """So many were answered OK."""
        self._pace.count(pdus, now)
        if self.learned is not None:
            if self._pause > OUTAGE:  # for a time it took nothing at all
                self._marked_at, self._since_mark, self._idle = now, 0, 0.0
            self._since_mark += pdus
            self._fruitless = 0
            self._pause = PAUSE
            self._probed_at = None

    def refused(self, now: float, sent_at: float) -> None:
        """The SMSC said: slower. What was written before we reacted to the last refusal counts with it."""
        self._refused_at = now
        if sent_at <= self._reacted_at:
            return
        self._probed_at = None
        first = self.learned is None
        if first or self._since_mark:
            self._fruitless, self._pause = 1, PAUSE
            self._fall(self._ceiling_at(now), BACK_OFF, now)
            if first or self._since_mark >= FEW:
                self._marked_at, self._since_mark, self._idle = now, 0, 0.0
        else:  # it takes nothing at all: that says nothing about how fast
            self._fruitless += 1
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._climbed = 0.0
        self._reacted_at = now
        self.paused_until = self._filled_at = now + self._pause
        self._tokens = 0.0

    def felt(self, round_trip: float, base: float, window_full: bool, now: float) -> None:
        """An answer took so long, and the best was `base`: the SMSC may be queueing what it can't do."""
        if not window_full or round_trip < base * SLOWER or round_trip < base + SLOWER_BY:
            return
        if now - round_trip <= self._reacted_at:
            return
        self._fall(self._pace.per_second(now), SLOWED, now)
        self._linger = max(self._linger, SLOWER * round_trip)
        self._reacted_at = now

    def told(self, congestion: int, now: float) -> None:
        """The SMSC's congestion_state came with an answer."""
        self.congestion = congestion
        self._told_at = now
        if congestion >= CONGESTED and now - self._steered_at >= STEER_SECONDS:
            self._steered_at = now
            pace = self._pace.per_second(now)
            self._fall(min(self.rate or pace, pace * 1.05), EASED, now)

    def tick(self, now: float) -> None:
        """Feel the way up, by the time that went by, however often this is called."""
        lapse, self._ticked_at = now - self._ticked_at, now
        if self.congestion is not None and now - self._told_at > STALE:
            self.congestion = None
        if self.learned is None or lapse <= 0 or now < self.paused_until:
            return
        self._fill(self.rate, now)
        unused, self._unused = min(self._unused, lapse), 0.0
        self._idle += unused
        if unused < lapse / 2:  # a rate that is not made use of is not tried either
            self.learned = self._grown(self.learned, lapse)
            if self._configured and self.learned >= self._configured:
                self.learned = None
                return
        pace = self._pace.per_second(now)
        if now - self._refused_at > CALM and self.learned > 1.5 * pace > 0 and not self.congestion:
            self.learned = None

    def _grown(self, learned: float, lapse: float) -> float:
        if self.congestion is not None:
            if self.congestion >= 80:
                return learned
            return learned * (1 + lapse * STEER_UP * (BEST - self.congestion))
        self._climbed += lapse
        if learned >= self._ceiling * BEYOND:
            return learned * math.exp2(lapse / DOUBLE)
        scale = self._depth * max(self._ceiling, self._best * SHARE)
        beyond = self._climbed / self._linger - 1
        return max(LEAST, self._ceiling + scale * beyond * beyond * beyond)

    def _ceiling_at(self, now: float) -> float:
        """What the SMSC takes a second, as a refusal tells it.

        Between two refusals its bucket is empty twice, so what it took meanwhile is its rate; unless we had
        less to send than might have gone, or the ceiling has just moved.
        """
        recent = self._pace.per_second(now)
        if self.learned is None:
            recent = max(recent, GUESS)
            return min(recent, self._configured or recent)
        since = now - self._marked_at
        if self.learned > self._ceiling * BEYOND or self._idle > since / 4:
            return min(self.learned, recent)
        told = (self._since_mark + 0.5) / max(since, 0.01)
        if told > self.learned * NEAR:  # part of the time it could have taken more than we sent
            told = (told + self.learned) / 2
        if self._since_mark < 2 * FEW:
            told = max(told, self._ceiling * DOUBT)
        return min(self.learned, told)

    def _fall(self, ceiling: float, share: float, now: float) -> None:
        self._ceiling = max(LEAST, ceiling)
        self._best = max(self._ceiling, self._best * FORGET)
        # What few PDUs told is soon asked again.
        known = min(now - self._marked_at, LINGER_PDUS / self._ceiling, LONGEST_LINGER)
        self._linger = max(LINGER, known)
        if self.learned is None:
            self._marked_at, self._since_mark, self._idle = now, 0, 0.0
            self._filled_at, self._tokens = now, 0.0
        self.learned = max(LEAST, self._ceiling * share)
        self._climbed, self._depth = 0.0, 1 - share
        self._ticked_at, self._unused = now, 0.0

    def _fill(self, rate: float, now: float) -> None:
        if now <= self._filled_at:
            return
        tokens = self._tokens + (now - self._filled_at) * rate
        most = 1.0 + rate * BURST
        if tokens > most:
            self._unused += (tokens - most) / rate
            tokens = most
        self._tokens = tokens
        self._filled_at = now
