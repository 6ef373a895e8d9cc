"""State diagrams in docs/, drawn from the tables in the code. `python -m tests.diagrams` draws them anew."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from gateway.domain import confirmation, message, survey

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"


State = TypeVar("State", bound=StrEnum)
Happening = TypeVar("Happening", bound=StrEnum)


def mermaid(transitions: Mapping[tuple[State, Happening], State], first: tuple[State, ...]) -> str:
    """The table as a diagram: an arrow for each pair of states, the events that lead there on it.

    What changes nothing is left out: the diagram is for reading, the table is the rule.
    """
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), after in transitions.items():
        if state != after:
            arrows.setdefault((state, after), []).append(event)
    lines = ["```mermaid", "stateDiagram-v2", *(f"    [*] --> {state}" for state in first)]
    lines += [f"    {state} --> {after}: {', '.join(events)}" for (state, after), events in arrows.items()]
    leaving = {state for state, _ in arrows}
    ends = dict.fromkeys(after for _, after in arrows if after not in leaving)
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in ends), "```"])


#: By the word in the marker `<!-- states: … -->` that stands before and after a diagram.
DIAGRAMS: Final = {
    "message": mermaid(
        message.TRANSITIONS,
        (message.Status.QUEUED, message.Status.SCHEDULED, message.Status.HELD, message.Status.SUPPRESSED),
    ),
    "survey": mermaid(survey.TRANSITIONS, (survey.Status.OPEN, survey.Status.SUPPRESSED)),
    "confirmation": mermaid(confirmation.TRANSITIONS, (confirmation.Status.PENDING,)),
}


def redrawn(text: str) -> str:
    """A document with each of its diagrams as the code has it now."""
    for name, diagram in DIAGRAMS.items():
        marker = f"<!-- states: {name} -->"
        if text.count(marker) == 2:
            before, _, after = text.split(marker)
            text = f"{before}{marker}\n{diagram}\n{marker}{after}"
    return text


if __name__ == "__main__":
    for path in DOCS.rglob("*.md"):
        path.write_text(redrawn(path.read_text("utf-8")), "utf-8")
