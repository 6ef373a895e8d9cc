"""The rules of the house that no linter knows: pure floors, short modules, words at their head."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PURE = ("domain", "sms", "smpp")
MODULES = sorted((ROOT / "gateway").rglob("*.py"))
PURE_MODULES = [path for path in MODULES if path.relative_to(ROOT / "gateway").parts[0] in PURE]
CLOCKS = {"now", "utcnow", "today", "localtime", "gmtime", "monotonic", "perf_counter", "time_ns", "sleep"}
LONGEST_MODULE = 450
LONGEST_FUNCTION = 60


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", PURE_MODULES, ids=name_of)
def test_pure_rooms_ask_no_clock_and_wait_for_nothing(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    clocks = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in calls
        if getattr(node.func, "attr", "") in CLOCKS
    ]
    waits = [
        f"line {node.lineno}: async" for node in nodes if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]
    assert clocks + waits == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_lives_in_it_and_is_not_too_long(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or not tree.body, "opens without a docstring"
    lines = text.count("\n")
    assert lines <= LONGEST_MODULE
    long = [
        f"{each.name}: {each.end_lineno - each.lineno + 1} lines"
        for each in functions(tree)
        if each.end_lineno is not None and each.end_lineno - each.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="only tracked files are scanned; this is no git checkout"
)
def test_no_secret_and_no_stray_host_is_tracked() -> None:
    done = subprocess.run(
        [sys.executable, ".ci/scan.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_locks_are_hashed_and_name_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert pinned
    assert [line for line in pinned if "==" not in line or not line.endswith("\\")] == []
    assert "://" not in text
    assert "--index" not in text


def test_the_smaller_lock_is_part_of_the_larger() -> None:
    small, large = ((ROOT / f"requirements{part}.txt").read_text("utf-8") for part in ("", "-dev"))
    pins = {line for line in small.splitlines() if not line.startswith(" ")}
    assert pins <= set(large.splitlines())
