"""The diagrams that people read say what the code does."""

from tests.diagrams import DIAGRAMS, DOCS, redrawn


def test_every_diagram_in_the_docs_is_drawn_from_its_table() -> None:
    documents = {path: path.read_text("utf-8") for path in DOCS.rglob("*.md")}
    stale = [path.name for path, text in documents.items() if redrawn(text) != text]
    assert not stale, f"run `python -m tests.diagrams`: {stale}"


def test_every_state_machine_is_shown_somewhere() -> None:
    everything = "".join(path.read_text("utf-8") for path in DOCS.rglob("*.md"))
    assert [name for name in DIAGRAMS if everything.count(f"<!-- states: {name} -->") != 2] == []
