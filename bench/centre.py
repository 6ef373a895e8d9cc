"""The simulated SMSC as a helper: what it counted, when it saw each customer's message, and their replies."""

import asyncio
import time
from collections import deque
from typing import Any

import msgspec

from bench.child import Job, serve
from gateway.simulator.record import Arrival
from gateway.simulator.scenario import shipped
from gateway.simulator.serve import patient_collector
from gateway.simulator.smsc import Smsc

#: So much of the record is kept: nobody looks at it here, and memory is others' figure.
KEPT = 1000
PACES = 3000


class Centre:
    """The SMSC of a run. Clocks are CLOCK_MONOTONIC, which all processes share."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._seen: dict[str, tuple[float, str]] = {}
        self._only = ""  # numbers that begin so are looked at
        self._kept: list[tuple[str, bytes]] | None = None
        self._paces: deque[tuple[float, int, int]] = deque(maxlen=PACES)
        self._sampling = asyncio.create_task(self._sample())
        smsc.on_message(self._saw)

    def _saw(self, arrival: Arrival) -> None:
        if arrival.destination.startswith(self._only):
            self._seen[arrival.destination] = (time.monotonic(), arrival.source)
        if self._kept is not None:
            self._kept.append((arrival.destination, arrival.octets[:16]))

    async def _sample(self) -> None:
        """Ten times a second: what was taken and what was refused as too fast, so far."""
        while True:
            counts = self._smsc.record.counts
            self._paces.append((time.monotonic(), counts.taken, counts.throttled))
            await asyncio.sleep(0.1)

    async def work(self, job: Job) -> Job:
        """do: port · counts · paces · seen (and forget) · look (at some numbers only) · keep · kept (in which
        order) · change (its behaviour) · reply · die."""
        match job["do"]:
            case "port":
                return {"port": self._smsc.port}
            case "counts":
                counts: Job = msgspec.to_builtins(self._smsc.record.counts)
                return counts
            case "paces":
                return {"paces": [list(pace) for pace in self._paces]}
            case "look":
                self._only, self._seen = job["only"], {}
                return {}
            case "keep":
                self._kept = []
                return {}
            case "kept":  # texts that begin with eight digits
                return {"kept": [[to, int(octets.decode("utf-16-be"))] for to, octets in self._kept or ()]}
            case "die":  # as one who is killed: whoever is bound gets a reset, and nobody listens any more
                await self._smsc.close()
                return {"at": time.monotonic()}
            case "seen":
                seen, self._seen = self._seen, {}
                return {number: at for number, (at, _) in seen.items()}
            case "change":
                self._smsc.change(job["changes"])
                return {}
            case "reply":
                return await self._reply(job["text"], job.get("rate", 0.0), job["first"], job["count"])
            case strange:
                raise ValueError(f"no such job: {strange}")

    async def _reply(self, text: str, rate: float, first: int, count: int) -> Job:
        """Customers answer what they got last; returns when each of them did."""
        started = time.monotonic()
        wrote: dict[str, float] = {}
        who = sorted(self._seen.items())[first : first + count]
        for n, (number, (_, source)) in enumerate(who):
            if rate and (early := started + n / rate - time.monotonic()) > 0:
                await asyncio.sleep(early)
            elif n % 20 == 0:
                await asyncio.sleep(0)  # the answers are to be read as well
            wrote[number] = time.monotonic()
            await self._smsc.inject(number, source, text)
        return wrote


async def _start() -> Any:
    return Centre(await Smsc.start(shipped("bench"), kept=KEPT)).work


if __name__ == "__main__":
    with patient_collector():
        serve(_start)
