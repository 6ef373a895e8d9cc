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
from gateway.simulator.smsc import Smsc
from gateway.smpp import codec
from gateway.smpp.pdu import BindTransceiver

TEXT = ("回音" * 35).encode("utf-16-be")  # 70 signs, 140 octets
WINDOW = 1000
_header = struct.Struct(">IIII").unpack_from
_pack = struct.Struct(">IIII").pack


class _Loader(asyncio.Protocol):
    """Keeps the window full until `total` are answered, and answers what is delivered."""

    def __init__(self, total: int, receipts: bool) -> None:
        self._total, self._receipts = total, receipts
        self._sent = self.answered = self.receipted = 0
        self._buffer = b""
        template = codec.SubmitTemplate(
            source_addr_ton=1, source_addr_npi=1, source_addr="10086", registered_delivery=int(receipts)
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
        for _ in range(min(self._total - self._sent, WINDOW - (self._sent - self.answered))):
            self._sent += 1
            out.append(self._head + (self._sent + 1).to_bytes(4, "big") + self._tail)
        if out:
            self._transport.write(b"".join(out))
        finished = self.receipted if self._receipts else self.answered
        if finished >= self._total and not self.done.done():
            self.done.set_result(None)


def _serve(pipe: Connection, played: Scenario, record_path: Path | None) -> None:
    """The SMSC in a process of its own; at the end it tells what CPU it took since it listened."""

    async def main() -> None:
        smsc = await Smsc.start(played, record_path=record_path)
        before = time.process_time()
        pipe.send(smsc.port)
        await asyncio.to_thread(pipe.recv)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pipe.send((time.process_time() - before, memory, smsc.record.counts.taken))
        await smsc.close()

    uvloop.run(main())


async def _load(port: int, total: int, receipts: bool) -> float:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    transport, loader = await loop.create_connection(lambda: _Loader(total, receipts), "127.0.0.1", port)
    await loader.done
    spent = time.perf_counter() - began
    transport.close()
    return spent


def _round(total: int, receipts: bool, record_path: Path | None = None) -> dict[str, float]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there, scenario.shipped("bench"), record_path)
    )
    process.start()
    port = here.recv()
    spent = uvloop.run(_load(port, total, receipts))
    here.send("end")
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
    """Submits a second, a core's worth of them, CPU µs each, memory: alone, with receipts, with a journal."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, receipts, journal in (
            ("submits", False, None),
            ("submits with receipts", True, None),
            ("submits with receipts, journalled", True, Path(folder) / "smsc.ndjson"),
        ):
            results[name] = _round(total, receipts, journal)
            if told is not None:
                told(f"{name}: " + ", ".join(f"{key} {value:,.1f}" for key, value in results[name].items()))
    return results


if __name__ == "__main__":
    run(told=print)
