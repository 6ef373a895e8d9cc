"""What was asked and what was seen, and the habits that follow from it, each with its reason."""

from typing import Any

import msgspec


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `stock` is what smpplib's client saw, where it was asked too."""

    topic: str
    question: str
    ours: str
    stock: str | None = None


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the profile by its path, as `receipts.response_id`, and why it has this value."""

    path: str
    value: Any
    why: str


class Findings(msgspec.Struct, kw_only=True):
    """All of it, as it grows."""

    address: str
    system_id: str
    bound: bool = False  #: some bind was accepted
    lines: list[Line] = []
    habits: list[Habit] = []
    unknown: list[str] = []  #: what could not be found out, and why
    messages: int = 0  #: sent in all
    receipts: int = 0  #: that came

    def saw(self, topic: str, question: str, ours: str, stock: str | None = None) -> None:
        """Put an answer down."""
        self.lines.append(Line(topic=topic, question=question, ours=ours, stock=stock))

    def is_so(self, path: str, value: Any, why: str) -> None:
        """A habit follows from what was seen."""
        self.habits = [habit for habit in self.habits if habit.path != path]
        self.habits.append(Habit(path=path, value=value, why=why))

    def not_known(self, what: str) -> None:
        """Something stays open."""
        if what not in self.unknown:
            self.unknown.append(what)

    def value(self, path: str) -> Any:
        """What was found for a field; None: nothing."""
        return next((habit.value for habit in self.habits if habit.path == path), None)
