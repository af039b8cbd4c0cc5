"""Segments (whose words, where) and findings (what was recognised in them)."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class Origin(StrEnum):
    """Whose words a segment holds."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL_DEFINITION = "tool_definition"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    OTHER = "other"


Path = tuple[str | int, ...]


MAX_STEP = 200
MAX_POINTER = 1000
LEFT_OUT = "…"


def pointer(path: Sequence[str | int]) -> str:
    """The JSON Pointer (RFC 6901) of a path: ``("messages", 0, "content")`` → ``"/messages/0/content"``.

    Threat: names of fields are the caller's, and one of megabytes would be in the place of every finding below it. So a
    name of more than `MAX_STEP` characters is `LEFT_OUT`, as is what follows the first `MAX_POINTER`.
    """
    found = ""
    for step in path:
        if len(found) > MAX_POINTER:
            return f"{found}/{LEFT_OUT}"
        name = str(step)
        found += "/" + (LEFT_OUT if len(name) > MAX_STEP else name.replace("~", "~0").replace("/", "~1"))
    return found


class Segment(Struct, frozen=True):
    """One string of a request or an answer. `is_key` marks an object's key; `path` then ends with that key.

    `is_json` marks a string that itself holds JSON (the arguments of a tool call). `media` marks a
    part that is not text and says what it is said to hold (``image``, ``audio``, ``video``, ``file``; ``tokens`` for a
    text in numbers, ``tool`` for a tool that the provider runs): `text` is its content as a ``data:`` URL or in
    base64, or empty where that is elsewhere.
    """

    path: Path
    origin: Origin
    text: str
    is_key: bool = False
    is_json: bool = False
    media: str = ""


class Finding(Struct, frozen=True):
    """A recognised span: characters ``[start, end)`` of the original text at `place` (a JSON Pointer).

    Never holds the matched text. `segment` is the index of the segment it was found in, `points` its weight in
    the risk score (0 to 100), `detector` the name of the detector that found it. `view` says how the text had to be
    read for that (``base64``, ``percent+base64``); it is empty for the text as it stands.
    """

    kind: str
    origin: Origin
    place: str
    start: int
    end: int
    detector: str
    points: int
    segment: int = 0
    view: str = ""
