"""YAML with the line of each value, by the safe loader; a key that stands twice is refused."""

from pathlib import Path
from typing import Any

import yaml

from gateway.config.read import Place

Lines = dict[Place, int]


class YamlError(ValueError):
    """A file is not YAML that we read; the message leads with file and line."""


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """The file's value, and on which line each place of it stands. Raises YamlError."""
    lines: Lines = {}
    try:
        loader = yaml.CSafeLoader(path.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            return (None if node is None else _build(loader, node, (), lines, path)), lines
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError(f"{path}:{line}: not YAML: {error.problem}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"{path}: can't be read: {error}") from None


def _build(loader: Any, node: yaml.Node, place: Place, lines: Lines, path: Path) -> Any:
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*place, str(at)), lines, path) for at, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    table: dict[str, Any] = {}
    for key_node, item in node.value:
        key = str(loader.construct_object(key_node))
        if key in table:
            raise YamlError(f"{path}:{key_node.start_mark.line + 1}: {key}: stands here twice")
        table[key] = _build(loader, item, (*place, key), lines, path)
        lines[(*place, key)] = key_node.start_mark.line + 1
    return table
