"""The findings for people, and as a profile: YAML with the reason of each value beside it."""

import json
from collections.abc import Iterator
from typing import Any, Final

from gateway.esme.probe.findings import Findings, Habit

_TOPICS: Final = ("sessions", "messages", "receipts", "load")


def tell(findings: Findings) -> list[str]:
    """The lines of the report; what smpplib's client saw stands beside what ours saw."""
    lines = [f"{findings.address} as {findings.system_id}; {findings.messages} messages sent"]
    for topic in _TOPICS:
        mine = [line for line in findings.lines if line.topic == topic]
        if not mine:
            continue
        lines += ["", topic.upper()]
        width = max(len(line.question) for line in mine)
        for line in mine:
            lines.append(f"  {line.question:<{width}}  {line.ours}")
            if line.stock is not None:
                lines.append(f"  {'':<{width}}  smpplib: {line.stock}")
    if findings.bound:
        lines += ["", "PROFILE", *_habits(findings)]
    if findings.unknown:
        lines += ["", "NOT FOUND OUT", *(f"  {each}" for each in findings.unknown)]
    return lines


def _habits(findings: Findings) -> Iterator[str]:
    for each in findings.habits:
        yield f"  {each.path}: {_value(each.value)}  ({each.why})"
    if not findings.messages:
        yield "  of messages and receipts nothing is known: none was sent"
    elif not findings.receipts:
        yield "  of receipts nothing is known: none came; see below"
    elif not findings.habits:
        yield "  nothing but what is usual: the default profile fits"


def profile_of(findings: Findings) -> str:
    """The YAML of rules/smsc/NAME.yaml."""
    lines = [
        f"# Found out at {findings.address} as {findings.system_id} with {findings.messages} messages.",
        "# What is not said here is as in the default profile, and was seen so or not asked.",
        "extends: default",
    ]
    groups: dict[str, list[tuple[str, Habit]]] = {}
    for habit in findings.habits:
        group, _, name = habit.path.rpartition(".")
        groups.setdefault(group, []).append((name, habit))
    for name, habit in groups.pop("", []):
        lines += [f"# {habit.why}", f"{name}: {_value(habit.value)}"]
    for group, members in groups.items():
        lines.append(f"{group}:")
        for name, habit in members:
            lines += [f"  # {habit.why}", f"  {name}: {_value(habit.value)}"]
    if findings.unknown:
        lines += ["# Could not be found out:", *(f"#   {each}" for each in findings.unknown)]
    lines += [
        "# Not asked: customers' messages (let somebody write to your number and look at `huiyin trace`),"
    ]
    lines += ["#   and what it does with numbers that can't be reached."]
    return "\n".join(_one_line(line) for line in lines) + "\n"


def _one_line(line: str) -> str:
    """What the SMSC wrote must not end a comment."""
    return "".join(sign if sign.isprintable() else "?" for sign in line)


def _value(value: Any) -> str:
    """As YAML reads it; JSON is YAML. Numbers and yes or no stay bare."""
    if isinstance(value, str):
        return value if value.replace("-", "").isalpha() else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)
