"""The simulated SMSC alone, loaded by a bare protocol that only writes and counts."""

import asyncio
import multiprocessing
import resource
import struct
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import uvloop

from gateway.simulator import scenario
from gateway.simulator.scenario import Scenario
from gateway.simulator.serve import patient_collector
from gateway.simulator.smsc import Smsc
from gateway.smpp import codec
from gateway.smpp.pdu import BindTransceiver

TEXT = ("回音" * 35).encode("utf-16-be")  # 70 signs, 140 octets
TEXT_OF_REPLIES = "8分，态度很好"
WINDOW = 1000
DELAYED = scenario.parse(
    "{window: 1000, latency: 2ms..8ms, receipts: {delay: 500ms..1s, outcomes: {delivered: 97, expired: 3}}}"
)
_header = struct.Struct(">IIII").unpack_from
_pack = struct.Struct(">IIII").pack


class _Loader(asyncio.Protocol):
    """Keeps the window full until `total` are answered, and answers what is delivered."""

    def __init__(self, total: int, kind: str) -> None:
        self._total, self._submits, self._deliveries = total, kind != "replies", kind != "submits"
        self._sent = self.answered = self.receipted = 0
        self._buffer = b""
        template = codec.SubmitTemplate(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="10086",
            registered_delivery=int(self._deliveries),
        )
        octets = template.encode(0, "8613905310001", TEXT, 0, 8)
        self._head, self._tail = octets[:12], octets[16:]
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(codec.encode(BindTransceiver(sequence_number=1, system_id="bench")))

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        at, end, out = 0, len(data), []
        while end - at >= 16:
            length, command, _, number = _header(data, at)
            if end - at < length:
                break
            at += length
            if command == 0x80000004:
                self.answered += 1
            elif command == 0x00000005:
                self.receipted += 1
                out.append(_pack(17, 0x80000005, 0, number) + b"\0")
        self._buffer = data[at:]
        room = min(self._total - self._sent, WINDOW - (self._sent - self.answered))
        for _ in range(room if self._submits else 0):
            self._sent += 1
            out.append(self._head + (self._sent + 1).to_bytes(4, "big") + self._tail)
        if out:
            self._transport.write(b"".join(out))
        finished = self.receipted if self._deliveries else self.answered
        if finished >= self._total and not self.done.done():
            self.done.set_result(None)


def _serve(pipe: Connection, played: Scenario, record_path: Path | None) -> None:
    """The SMSC in a process of its own; at the end it tells what CPU it took since it listened."""

    async def main() -> None:
        smsc = await Smsc.start(played, record_path=record_path)
        before = time.process_time()
        pipe.send(smsc.port)
        while (replies := await asyncio.to_thread(pipe.recv)) is not None:
            before = time.process_time()
            for number in range(replies):
                smsc.put_in("8613905310001", "10086001", TEXT_OF_REPLIES)
                if number % 200 == 0:
                    await asyncio.sleep(0)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        counts = smsc.record.counts
        pipe.send((time.process_time() - before, memory, counts.taken + counts.mos_taken))
        await smsc.close()

    with patient_collector():
        uvloop.run(main())


async def _load(port: int, total: int, kind: str, pipe: Connection) -> float:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    transport, loader = await loop.create_connection(lambda: _Loader(total, kind), "127.0.0.1", port)
    if kind == "replies":
        pipe.send(total)
    await loader.done
    spent = time.perf_counter() - began
    transport.close()
    return spent


def _round(total: int, kind: str, played: Scenario, record_path: Path | None = None) -> dict[str, float]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, played, record_path))
    process.start()
    port = here.recv()
    spent = uvloop.run(_load(port, total, kind, here))
    here.send(None)
    cpu, memory, taken = here.recv()
    process.join()
    if taken != total:
        raise RuntimeError(f"{taken} of {total} arrived")
    return {
        "per_second": total / spent,
        "per_core_second": total / cpu,
        "cpu_us": cpu / total * 1e6,
        "rss_mb": memory / 1024,
    }


def run(total: int = 100_000, told: Callable[[str], Any] | None = None) -> dict[str, dict[str, float]]:
    """Submits a second, a core's worth of them, CPU µs each, memory: each way."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, kind, journal in (
            ("submits", "submits", None),
            ("submits with receipts", "receipts", None),
            ("submits with receipts, journalled", "receipts", Path(folder) / "smsc.ndjson"),
            ("replies", "replies", None),
            ("submits with delays and receipts", "receipts", None),
        ):
            played = DELAYED if "delays" in name else scenario.shipped("bench")
            results[name] = _round(total, kind, played, journal)
            if told is not None:
                told(f"{name}: " + ", ".join(f"{key} {value:,.1f}" for key, value in results[name].items()))
    return results


if __name__ == "__main__":
    run(told=print)
