"""Tighter bounds of inputs where the provider's own tokenizer is at hand: texts by their tokens, the rest by its bytes.

How a provider sets the parts of a request together is not known, and what stands beside a text can change how its ends
are cut into tokens. So only what lies between two sure cuts is counted, and the ends cost their bytes. A sure cut is
between a letter or digit and a space, a line's end or a plain mark. No alternative of the encodings' patterns
(`cost.encodings`) matches across it, none looks behind, and none that could reach it looks ahead: whatever stands
before and after, the text between is cut the same, and each of its pieces is counted by itself. For all texts L, T, R

    tokens(L + T + R) <= bytes(L) + most_tokens(T) + bytes(R)

which a property test holds against. Texts with anything like a special token cost their bytes.

This is a bound as long as the provider counts with this tokenizer, counts each text once and as it is sent, and adds
no more than `cost.ceiling` allows for. A request that holds anything not known to be plain (`cost.shapes`) is not
looked at. Should a provider count more all the same, its model is bounded by bytes alone from then on, until the next
start or a configuration by which it counts with another encoding.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Raw, Struct
from msgspec.json import Decoder

from gptgate.core.document import read_messages
from gptgate.cost.ceiling import added_tokens
from gptgate.cost.conversations import UNCOUNTED_FIELDS
from gptgate.cost.shapes import are_plain, reasons

Count = Callable[[str], int]
"""How many tokens a text has by itself."""

CHUNK = 8_192
"""Characters that are counted at once, up to the next sure cut."""
MOST_CHUNK = 32_768
"""A longer piece without a sure cut is no prose; it costs its bytes."""
MOST_COUNTED = 262_144
"""Characters that are counted for one request: some 20 ms of prose, 100 ms of Chinese without a mark between. What is
longer costs its bytes."""

_SURE_CUT = re.compile("(?<=[0-9A-Za-z\u0410-\u044f\u3041-\u3096\u4e00-\u9fa5\uac00-\ud7a3])(?=[ \n.,;:)\u3001\u3002])")
_SPECIAL = "<|"
_SPOKEN = frozenset({"system", "developer", "user", "assistant"})
"""Whose texts stand in the input as they are. A tool's result may be quoted, which makes more tokens of it."""


class _Said(Struct):
    role: str
    content: Raw = Raw(b"null")


class _Part(Struct):
    text: Raw = Raw(b'""')


_MESSAGE = Decoder(_Said)
_PARTS = Decoder(list[_Part])
_TEXT = Decoder(str)


class CountedModel(NamedTuple):
    """What is counted for a model: whose it is, how its provider calls it, and by which encoding."""

    provider: str
    model: str
    encoding: str


class Distrust:
    """Which of them turned out to count too little. It outlives the configurations that name them.

    `report` is told of each once.
    """

    def __init__(self, report: Callable[[CountedModel], None]) -> None:
        self._found: set[CountedModel] = set()
        self._report = report

    def __contains__(self, counted: CountedModel) -> bool:
        return counted in self._found

    def add(self, counted: CountedModel) -> None:
        if counted not in self._found:
            self._found.add(counted)
            self._report(counted)


class ExactBounds:
    """Implements `core.tokens.TokenBounds` with a count for each model that has a tokenizer. Safe in threads."""

    def __init__(self, counts: Mapping[str, tuple[CountedModel, Count]], distrust: Distrust) -> None:
        self._counts = dict(counts)
        self._distrust = distrust

    def knows(self, model: str) -> bool:
        found = self._counts.get(model)
        return found is not None and found[0] not in self._distrust

    def most(self, model: str, body: bytes) -> int | None:
        if not self.knows(model):
            return None
        _, count = self._counts[model]
        fields, messages = read_messages(body)
        if not are_plain({name: value for name, value in fields.items() if name not in UNCOUNTED_FIELDS}):
            return None
        saved, counted = 0, 0
        for message in messages:
            if reasons(message) is None:
                return None
            for raw in _texts(message):
                text = _TEXT.decode(raw)
                counted += len(text)
                if counted > MOST_COUNTED:
                    break
                saved += len(raw) - len('""') - most_tokens(text, count)
        return len(body) - saved + added_tokens(fields)

    def counted(self, model: str, bound: int, input_tokens: int) -> None:
        if input_tokens > bound and model in self._counts:
            self._distrust.add(self._counts[model][0])


def most_tokens(text: str, count: Count) -> int:
    """The most tokens that a text adds to whatever it stands in; never more than its bytes."""
    first = _SURE_CUT.search(text)
    if first is None or _SPECIAL in text:
        return _bytes(text)
    start = first.start()
    tokens = _bytes(text[:start])
    while (cut := _SURE_CUT.search(text, start + CHUNK)) is not None:
        tokens += _counted(text[start : cut.start()], count)
        start = cut.start()
    end = start
    for cut in _SURE_CUT.finditer(text, start):
        end = cut.start()
    return tokens + _counted(text[start:end], count) + _bytes(text[end:])


def _texts(message: bytes) -> list[Raw]:
    """What a message says, as JSON strings."""
    said = _MESSAGE.decode(message)
    content = bytes(said.content)
    if said.role not in _SPOKEN or content == b"null":
        return []
    if content.startswith(b'"'):
        return [said.content]
    return [part.text for part in _PARTS.decode(content)]


def _counted(text: str, count: Count) -> int:
    return _bytes(text) if len(text) > MOST_CHUNK else min(count(text), _bytes(text))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))
