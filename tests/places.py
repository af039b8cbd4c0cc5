"""Places: every position of a document at which a string can stand, found by walking a template that marks them.

A mark is ``@origin`` or ``@origin:form``. The form says how a text is written there: as it is, as a ``key``, inside the
arguments of a tool call (``json``), or attached (``base64``, ``data``, ``percent``); ``grows`` and ``grows_json`` are
texts of a stream that further events continue.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from gptgate.core.finding import Path, pointer

FILLER = "fine"
"""What stands at all other places, with a space behind it where a text goes on."""


class Place(NamedTuple):
    """One position: the index of its document among several, the path in it, whose words stand there, written how."""

    document: int
    path: Path
    origin: str
    form: str

    @property
    def is_key(self) -> bool:
        return self.form == "key"

    def pointer(self, key: str) -> str:
        """Where a text stands that was put here; `key` is what a place that is a key is called then."""
        return pointer((*self.path[:-1], key) if self.is_key else self.path)

    def __str__(self) -> str:
        return f"{self.document}:{pointer(self.path)}:{self.form}"


def places(*templates: Any) -> list[Place]:
    """All marked positions."""
    return [place for number, template in enumerate(templates) for place in _marked(template, number, ())]


def _marked(value: Any, number: int, path: Path) -> Iterator[Place]:
    if isinstance(value, dict):
        for key, child in value.items():
            if key[:1] == "@":
                yield Place(number, (*path, FILLER), key[1:].partition(":")[0], "key")
            yield from _marked(child, number, (*path, FILLER if key[:1] == "@" else key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _marked(child, number, (*path, index))
    elif isinstance(value, str) and value[:1] == "@":
        origin, _, form = value[1:].partition(":")
        yield Place(number, path, origin, form or "text")


def filled(template: Any, place: Place | None, text: str, path: Path = ()) -> Any:
    """The document of a template with the text at one place, which is in this document, and filler at all others."""
    if isinstance(template, dict):
        document = {}
        for key, child in template.items():
            name = FILLER if key[:1] == "@" else key
            is_here = place is not None and place.is_key and place.path == (*path, name)
            document[text if is_here else name] = filled(child, place, text, (*path, name))
        return document
    if isinstance(template, list):
        return [filled(child, place, text, (*path, index)) for index, child in enumerate(template)]
    if isinstance(template, str) and template[:1] == "@":
        is_here = place is not None and not place.is_key and place.path == path
        form = template.partition(":")[2]
        return written(text if is_here else FILLER + " " * (form == "grows"), form)
    return template


def written(text: str, form: str) -> str:
    """The text as it is written in this form."""
    if form in ("json", "grows_json"):
        return json.dumps({"note": text})
    encoded = base64.b64encode(text.encode()).decode()
    if form == "base64":
        return encoded
    if form == "data":
        return f"data:text/plain;base64,{encoded}"
    return f"data:text/plain,{quote(text, safe='')}" if form == "percent" else text


def value_at(document: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        document = document[step]
    return document


def strings_under(value: Any, name: str | int) -> str:
    """All strings under this key, one behind the other: as a client puts a text together."""
    if isinstance(value, dict):
        return "".join(
            child if key == name and isinstance(child, str) else strings_under(child, name)
            for key, child in value.items()
        )
    return "".join(strings_under(child, name) for child in value) if isinstance(value, list) else ""
