"""CSV as RFC 4180 writes it, with nothing that a spreadsheet would carry out."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.sheet import FORMULAS, sheet, wants_sheet


def read(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))


def test_lines_end_with_crlf_and_numbers_stay_numbers() -> None:
    answer = sheet(("key", "n"), [("网络部", -3), ('a,"b"', 0.25), (None, None)], bom=False)
    assert answer.body.decode() == 'key,n\r\n网络部,-3\r\n"a,""b""",0.25\r\n,\r\n'
    assert answer.content_type == "text/csv; charset=utf-8"


def test_a_byte_order_mark_is_for_who_asks() -> None:
    assert sheet(("key",), [], bom=True).body == b"\xef\xbb\xbfkey\r\n"


@pytest.mark.parametrize("sign", FORMULAS, ids=lambda sign: f"U+{ord(sign):04X}")
def test_a_formula_is_a_text(sign: str) -> None:
    (_, (cell,)) = read(sheet(("key",), [(f"{sign}cmd|' /C calc'!A0",)], bom=False).body)
    assert cell == f"'{sign}cmd|' /C calc'!A0"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=5))
def test_whatever_stands_in_a_cell_is_read_again(cells: list[str]) -> None:
    header = [str(n) for n in range(len(cells))]
    rows = read(sheet(header, [["x", *cells]], bom=True).body)
    assert rows[1] == ["x", *(f"'{cell}" if cell.startswith(FORMULAS) else cell for cell in cells)]
    assert not any(cell.startswith(FORMULAS) for cell in rows[1])


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        pytest.param("", False, id="nothing said"),
        pytest.param("*/*", False, id="anything"),
        pytest.param("application/json", False, id="JSON"),
        pytest.param("text/csv", True, id="CSV"),
        pytest.param("Text/CSV; charset=utf-8; header=present", True, id="with parameters"),
        pytest.param("text/csv, application/json", True, id="both"),
        pytest.param("text/csv;q=0.5, application/json", False, id="JSON rather"),
        pytest.param("application/json;q=0.1, text/csv;q=0.2", True, id="CSV rather"),
        pytest.param("text/csv;q=0", False, id="CSV never"),
        pytest.param("text/csv, */*;q=0.1", True, id="anything else at need"),
        pytest.param("text/*", True, id="a text"),
        pytest.param("text/html, application/xhtml+xml, */*;q=0.8", False, id="a browser"),
        pytest.param("text/csv;q=abc", False, id="no weight"),
        pytest.param(",;,text/csv;;q", True, id="odd signs"),
    ],
)
def test_csv_is_for_who_prefers_it(accept: str, wants: bool) -> None:
    assert wants_sheet(accept) is wants
