"""YAML with the place of each value, by the safe loader; a key that stands twice is refused."""

from pathlib import Path
from typing import Any

import yaml

from gateway.config.read import Origins, Place

Lines = dict[Place, int]
Marks = dict[Place, yaml.Mark]

#: More than anything that a person writes; an alias that refers to itself ends here.
MAX_VALUES = 100_000


class YamlError(ValueError):
    """A file is not YAML that we read; the message leads with file and line."""


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """The file's value, and on which line each place of it stands. Raises YamlError."""
    value, marks = _read(path)
    return value, {place: mark.line + 1 for place, mark in marks.items()}


def read_yaml_places(path: Path) -> tuple[Any, Origins]:
    """The file's value, and where each place of it stands, as `queue.yaml:9:5`. Raises YamlError."""
    value, marks = _read(path)
    return value, {place: f"{path}:{mark.line + 1}:{mark.column + 1}" for place, mark in marks.items()}


def _read(path: Path) -> tuple[Any, Marks]:
    marks: Marks = {}
    try:
        loader = yaml.CSafeLoader(path.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            return (None if node is None else _build(loader, node, (), marks, path)), marks
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError(f"{path}:{line}:{column}: not YAML: {error.problem}") from None
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"{path}: can't be read: {error}") from None


def _build(loader: Any, node: yaml.Node, place: Place, marks: Marks, path: Path) -> Any:
    marks.setdefault(place, node.start_mark)
    if len(marks) > MAX_VALUES:
        raise YamlError(f"{path}: it has too many values")
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*place, str(at)), marks, path) for at, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    table: dict[str, Any] = {}
    for key_node, item in node.value:
        key = str(key_node.value)  # as it is written: 0x58, not 88
        mark = key_node.start_mark
        if key in table:
            raise YamlError(f"{path}:{mark.line + 1}:{mark.column + 1}: {key}: stands here twice")
        marks[*place, key] = mark
        table[key] = _build(loader, item, (*place, key), marks, path)
    return table
