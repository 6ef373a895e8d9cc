"""The codec against smpplib's in one run: encode submit_sm, decode deliver_sm with a UDH and two TLVs."""

import time
from collections.abc import Callable

import smpplib.smpp

from gateway.smpp import codec
from gateway.smpp.pdu import DeliverSm

TEXT = "回音" * 35  # 70 signs, 140 octets of UCS-2
ROUNDS = 5


class _Client:
    """All that smpplib's PDUs want of their client."""

    sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


def _rate(work: Callable[[], object], seconds: float) -> float:
    """Calls a second, for about so long."""
    count, calls, started = 0, 100, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        for _ in range(calls):
            work()
        count += calls
    return count / spent


def run(seconds: float = 0.2) -> dict[str, float]:
    """Rates of both and their ratios: medians of rounds in turn, so that a busy machine troubles both."""
    client = _Client()
    text = TEXT.encode("utf-16-be")
    template = codec.SubmitTemplate(
        source_addr_ton=1, source_addr_npi=1, source_addr="10086", registered_delivery=1
    )
    delivered = codec.encode(
        DeliverSm(
            sequence_number=7,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="8613905310001",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="10086",
            esm_class=0x40,
            data_coding=8,
            short_message=b"\x05\x00\x03\x01\x02\x01" + text[:134],
            tlvs={0x0204: b"\x00\x09", 0x001E: b"0123456789\0"},
        )
    )

    def encode_theirs() -> bytes:
        pdu = smpplib.smpp.make_pdu(
            "submit_sm",
            client=client,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="10086",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="8613905310001",
            registered_delivery=1,
            data_coding=8,
            short_message=text,
        )
        octets: bytes = pdu.generate()
        return octets

    ours = template.encode(client.sequence + 1, "8613905310001", text, 0, 8)
    if encode_theirs() != ours:
        raise RuntimeError("the two codecs do not do the same work")

    works: dict[str, Callable[[], object]] = {
        "encode_submit_sm": lambda: template.encode(7, "8613905310001", text, 0, 8),
        "encode_submit_sm_smpplib": encode_theirs,
        "decode_deliver_sm": lambda: codec.decode(delivered),
        "decode_deliver_sm_smpplib": lambda: smpplib.smpp.parse_pdu(delivered, client=client),
    }
    rounds = [{name: _rate(work, seconds) for name, work in works.items()} for _ in range(ROUNDS)]
    rates = {name: _median([one[name] for one in rounds]) for name in works}
    for name in ("encode_submit_sm", "decode_deliver_sm"):
        rates[f"{name}_ratio"] = _median([one[name] / one[f"{name}_smpplib"] for one in rounds])
    return rates


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    for figure, value in run().items():
        print(f"{figure:32} {value:14,.1f}")
