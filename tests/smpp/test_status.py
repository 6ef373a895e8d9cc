"""The table of command_status: whole, and each code in the class that decides what follows."""

import pytest

from gateway.smpp import status
from gateway.smpp.status import Verdict


@pytest.mark.parametrize(
    ("verdict", "codes"),
    [
        (Verdict.OK, [0x00]),
        (Verdict.THROTTLE, [0x58]),
        (Verdict.TEMPORARY, [0x08, 0x14, 0x45, 0x64, 0xFE, 0xFF, 0x102]),
        (Verdict.RECIPIENT, [0x0B, 0x50, 0x51]),
        (Verdict.SENDER, [0x0A, 0x48, 0x49, 0x105]),
        (Verdict.OURS, [1, 2, 3, 6, 7, 0x43, 0x61, 0x62, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0x104]),
        (Verdict.LINK, [0x04, 0x05, 0x0D, 0x0E, 0x0F]),
        (Verdict.VENDOR, [0x400, 0x401, 0x4FF, 0x500, 0x09, 0xFFFFFFFF]),
    ],
)
def test_a_status_is_whose_matter_it_is(verdict: Verdict, codes: list[int]) -> None:
    assert {code: status.lookup(code).verdict for code in codes} == dict.fromkeys(codes, verdict)


def test_each_row_is_whole_and_its_name_is_its_own() -> None:
    rows = status.TABLE.values()
    assert len({row.name for row in rows}) == len(rows)
    assert [row for row in rows if not row.name.startswith("ESME_R") or not row.sentence.endswith(".")] == []


def test_the_names_in_the_code_are_the_tables() -> None:
    named = {name: code for name, code in vars(status).items() if name.startswith("ESME_")}
    assert {name: status.lookup(code).name for name, code in named.items()} == {name: name for name in named}


@pytest.mark.parametrize(
    ("code", "name"),
    [(0x58, "ESME_RTHROTTLED"), (0x401, "VENDOR_0x401"), (0x500, "RESERVED_0x00000500")],
)
def test_every_code_has_a_name(code: int, name: str) -> None:
    assert status.name(code) == name
