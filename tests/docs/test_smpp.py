"""docs/smpp.md: its tables are the code's, its examples are ones that the gateway takes."""

import re
import tomllib
from pathlib import Path

import pytest

from gateway import config
from gateway.config import ConfigError, Profiles
from gateway.config.explain_smpp import TABLES, filled
from gateway.config.profiles import SHIPPED
from gateway.smpp import status

PAGE = (Path(__file__).parents[2] / "docs" / "smpp.md").read_text("utf-8")


def test_the_tables_are_written_from_the_code() -> None:
    assert filled(PAGE) == PAGE, "run `python -m gateway.config.explain_smpp docs/smpp.md`"
    assert set(re.findall(r"<!-- table: (\w+) -->", PAGE)) == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_is_whole(table: str) -> None:
    rows = [row for row in TABLES[table]().splitlines() if row.startswith(("| `", "| 0x"))]
    assert rows
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_status_and_every_shipped_profile_is_there() -> None:
    assert [row.name for row in status.TABLE.values() if f"`{row.name}`" not in PAGE] == []
    assert [path.stem for path in SHIPPED.glob("*.yaml") if f"| `{path.stem}` |" not in PAGE] == []


def test_the_example_profile_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n# rules/smsc/mine.yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(example)
    profiles = Profiles(tmp_path)
    assert profiles.get("mine") is not None
    assert profiles.faults == []


def test_the_example_route_is_one(tmp_path: Path) -> None:
    example, routing = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    other = '[smsc.other]\nhost = "h"\nsystem_id = "s"\npassword = "p"\n'
    assert tomllib.loads(example)["smsc"]["main"]["profile"] == "hex-and-decimal"
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "smsc-main").write_text("secret\n")
    (tmp_path / "huiyin.toml").write_text(f"{example}{other}{routing}")
    with pytest.raises(ConfigError) as caught:  # nothing is wrong but that the certificate is not here
        config.load(tmp_path / "huiyin.toml", {})
    assert [fault.partition(": ")[2][:16] for fault in caught.value.faults] == ["smsc.main.tls_ca"]
