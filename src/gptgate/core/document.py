"""The one strict JSON reader, the walk over every string of a document, and byte-exact edits of it.

The reader refuses what two parsers could read differently (RFC 8259, section 4 on duplicate names; section 8.1 on
encoding), because the gateway judges one reading and a provider acts on another.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

import msgspec

from gptgate.core.errors import MalformedRequest
from gptgate.core.finding import Path

MAX_DEPTH = 64
MAX_CONTAINERS = 100_000
MAX_QUOTES = 1_000_000
"""Threat: ten megabytes of ``{},{}`` would keep the event loop busy for seconds. Prose, code and images stay below."""
MAX_PLAIN_NUMBER = 10**11
"""Integers from here on are long enough to hide a card number and are judged as text."""


class _Duplicate(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Duplicate(key)
            seen.add(key)
    return document


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if value in (_INFINITY, -_INFINITY):
        raise ValueError("a number is too large")
    return value


_INFINITY = float("inf")
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
_RAW_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that `body` holds.

    Raises MalformedRequest for anything but UTF-8, one object and nothing after it, for duplicate names, NaN and
    Infinity, numbers too large to hold, lone surrogates, and nesting deeper than `MAX_DEPTH`.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The body is not UTF-8: byte {error.start} cannot be decoded.") from None
    containers = text.count("{") + text.count("[")
    if containers > MAX_CONTAINERS or text.count('"') > MAX_QUOTES:
        raise MalformedRequest("The body holds more values than are read: it is made of very many very small ones.")
    try:
        document = _DECODER.decode(text)
    except _Duplicate as duplicate:
        raise MalformedRequest(f"The body names the key {str(duplicate)[:64]!r} twice in one object.") from None
    except json.JSONDecodeError as error:
        raise MalformedRequest(_why_no_json(text, error)) from None
    except RecursionError:
        raise MalformedRequest(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError as error:
        reason = "a number has too many digits" if "digits" in str(error) else str(error)[:120]
        raise MalformedRequest(f"The body is not valid JSON: {reason}.") from None
    if type(document) is not dict:
        raise MalformedRequest("The body must be a JSON object.")
    if containers > MAX_DEPTH:
        _check_depth(document)
    if "\\ud" in text or "\\uD" in text:
        _check_surrogates(document)
    return document


def _why_no_json(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "The body is empty; it must be a JSON object."
    if text[0] == "\ufeff":
        return "The body begins with a byte order mark. Send UTF-8 without one."
    return f"The body is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}."


def _check_depth(document: dict[str, Any]) -> None:
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            for child in value.values() if type(value) is dict else value:
                kind = type(child)
                if kind is dict or kind is list:
                    below.append(child)
        if not below:
            return
        level = below
    raise MalformedRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _check_surrogates(document: dict[str, Any]) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedRequest("The body holds a lone surrogate, which is not a character.") from None


def apply_edits(body: bytes, edits: Mapping[Path, bytes]) -> bytes:
    """The document with the JSON at each path replaced, or added where an object has no such key.

    Everything outside the edited values keeps its bytes and its order; only white space between the members of an
    object or array that holds an edit may change. Paths must exist up to their last step, and none may hold another.
    """
    if not edits:
        return body
    here: dict[str | int, dict[Path, bytes]] = {}
    for path, value in edits.items():
        here.setdefault(path[0], {})[path[1:]] = value
    first = next(iter(here))
    if type(first) is str:
        members = _RAW_OBJECT.decode(body)
        for key, below in here.items():
            name = str(key)
            members[name] = msgspec.Raw(below[()] if () in below else apply_edits(bytes(members[name]), below))
        return msgspec.json.encode(members)
    items = _RAW_ARRAY.decode(body)
    for index, below in here.items():
        at = int(index)
        items[at] = msgspec.Raw(below[()] if () in below else apply_edits(bytes(items[at]), below))
    return msgspec.json.encode(items)


def read_messages(body: bytes) -> tuple[dict[str, bytes], list[bytes]]:
    """The members of a request but for its messages, and its messages, as the bytes that they are. The body is one that
    `read_object` has read, whose messages are a list, or was made of such a one by `apply_edits`.
    """
    members = _RAW_OBJECT.decode(body)
    messages = members.pop("messages", None)
    fields = {name: bytes(value) for name, value in members.items()}
    return fields, [] if messages is None else [bytes(message) for message in _RAW_ARRAY.decode(messages)]


def drop_members(body: bytes, names: Collection[str]) -> bytes:
    """The object without its members of these names. The others keep their bytes and their order."""
    members = _RAW_OBJECT.decode(body)
    kept = {key: value for key, value in members.items() if key not in names}
    return body if len(kept) == len(members) else msgspec.json.encode(kept)


def insert_item(body: bytes, name: str, place: int, item: bytes) -> bytes:
    """The object with an item more in the array that is its member `name`, before the item at this place or, where
    there is none, at the end. Everything else keeps its bytes and its order.
    """
    members = _RAW_OBJECT.decode(body)
    items = _RAW_ARRAY.decode(members[name])
    items.insert(place, msgspec.Raw(item))
    members[name] = msgspec.Raw(msgspec.json.encode(items))
    return msgspec.json.encode(members)


def encode_json(value: object) -> bytes:
    """Compact JSON."""
    return msgspec.json.encode(value)
