"""YAML text → node tree with lines. Refuses what a configuration has no use for: aliases, anchors, tags, depth."""

from typing import Any

import yaml

from gptgate.config.problem import ConfigError, Problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 16

Node = yaml.Node


class _Refused(Exception):
    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


class _StrictComposer(yaml.SafeLoader):
    """PyYAML's composer without what makes a small file expand (aliases) or recurse without bound (depth)."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        # An anchor's or tag's name is not quoted: anything may stand there, a pasted key too.
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _Refused(line, "YAML anchors and aliases are not accepted", "write the value out")
        if event.tag is not None:
            raise _Refused(line, "YAML tags are not accepted", "remove the word that begins with '!'")
        if self._depth >= MAX_DEPTH:
            raise _Refused(line, f"nested deeper than {MAX_DEPTH} levels", "")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def compose(text: str, file: str) -> Node:
    """The root node of a document. Raises ConfigError: too large, bad syntax, several documents, none at all."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ConfigError([Problem(file, 0, "", f"the file is larger than {MAX_BYTES} bytes")])
    try:
        root = _compose(text)
    except _Refused as refused:
        raise ConfigError([Problem(file, refused.line, "", refused.message, refused.hint)]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError([Problem(file, line, "", "holds a character that YAML does not allow")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = "not valid YAML: " + (error.problem or error.context or "unreadable")
        raise ConfigError([Problem(file, mark.line + 1 if mark else 0, "", message)]) from None
    if root is None:
        raise ConfigError([Problem(file, 0, "", "the file is empty", "a configuration begins with: version: 1")])
    return root


def _compose(text: str) -> Node | None:
    loader = _StrictComposer(text)
    try:
        node: Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def line_of(node: Node) -> int:
    """The line on which a node begins, counted from 1."""
    return int(node.start_mark.line) + 1


def tag_of(node: Node) -> str:
    """A node's YAML type without its namespace: ``str``, ``int``, ``float``, ``bool``, ``null``, ``map``, ``seq``, …"""
    return str(node.tag).rpartition(":")[2]
