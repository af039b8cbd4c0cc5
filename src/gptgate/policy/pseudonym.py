"""Pseudonyms: placeholders that a model can work with, and the way back to the values in its answer.

A pseudonym, such as ``[email:kmqrbtdvcfnp]``, is a tag of its value under the key of a session. So nothing has to be
remembered between requests: an application sends the restored history again, and the same values get the same
pseudonyms. What an answer's pseudonyms stand for was learnt while its own request was rewritten.

Models change the case of a pseudonym, or leave out its brackets. Both is restored; brackets go only as a pair, for one
alone may be the text's own. A pseudonym without a bracket must not continue a word; in JSON text the last letter of an
escape before it counts as one.
"""

import json
import re
from functools import lru_cache

from gptgate.policy.tags import digest, tag

TAG_LETTERS = 12
"""48 bits: among a thousand values of one session two have one tag by chance once in 560 million cases."""
_TAG = "[bcdfghjkmnpqrstv]"
_BEGINS = r"(?<![A-Za-z0-9_])"


def session_key(secret: bytes, app: str, session: str) -> bytes:
    """The key of an app's session: nothing of one session can be recognised in another."""
    return digest(secret, "session", app, session)


class SessionPseudonyms:
    """Implements `core.ports.Pseudonyms` for one request. Lives in memory only and is on no record."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._values: dict[str, str] = {}
        """The inside of a pseudonym → its value."""

    def name(self, kind: str, value: str) -> str:
        """The pseudonym of a value.

        Raises ValueError when two values have one: neither could be restored with certainty.
        """
        inside = f"{_label(kind)}:{tag(self._key, TAG_LETTERS, kind, value)}"
        if self._values.setdefault(inside, value) != value:
            raise ValueError("two values have one pseudonym")
        return f"[{inside}]"

    def restore(self, text: str, is_json: bool) -> str:
        """The text with the values in place of their pseudonyms; in JSON text they are escaped for a string."""
        if ":" not in text:
            return text
        restorer = self.restorer(is_json)
        return restorer.feed(text) + restorer.finish()

    def restorer(self, is_json: bool) -> "Restorer":
        """For one text that comes in pieces."""
        labels = tuple(sorted({inside.partition(":")[0] for inside in self._values}))
        whole, growing = _patterns_of(labels)
        return Restorer(self._values, whole, growing, is_json)


class Restorer:
    """Restores one text that comes in pieces: what it holds back is the tail that may still become a pseudonym."""

    __slots__ = ("_growing", "_is_json", "_previous", "_values", "_whole", "pending")

    def __init__(self, values: dict[str, str], whole: re.Pattern[str], growing: re.Pattern[str], is_json: bool) -> None:
        self._values = values
        self._whole = whole
        self._growing = growing
        self._is_json = is_json
        self._previous = ""
        self.pending = ""

    def feed(self, text: str) -> str:
        """The next piece, but for the tail that is held."""
        begin = len(self._previous)
        buffer = self._previous + self.pending + text
        tail = self._growing.search(buffer, begin)
        return self._out(buffer, begin, tail.start() if tail else len(buffer))

    def finish(self) -> str:
        """The tail: it will not become a pseudonym any more."""
        buffer = self._previous + self.pending
        return self._out(buffer, len(self._previous), len(buffer))

    def _out(self, buffer: str, begin: int, end: int) -> str:
        out: list[str] = []
        position = begin
        for found in self._whole.finditer(buffer, begin, end):
            value = self._values.get((found[1] or found[2]).lower())
            if value is not None:
                out += (buffer[position : found.start()], json.dumps(value)[1:-1] if self._is_json else value)
                position = found.end()
        out.append(buffer[position:end])
        self._previous = buffer[:end][-1:]
        self.pending = buffer[end:]
        return "".join(out)


def _label(kind: str) -> str:
    """What a pseudonym calls its kind: the last word of it."""
    return kind.rpartition(".")[2]


def _patterns(labels: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Pseudonyms with these labels: those that are whole, and the end of a text that may become one."""
    inside = f"(?:{'|'.join(map(re.escape, labels))}):{_TAG}{{{TAG_LETTERS}}}"
    whole = rf"\[({inside})\]|{_BEGINS}({inside})"
    begun = "|".join([_begun(label) for label in labels])
    # Behind a bracket the closing one is waited for; without one the last letter of the tag ends it.
    growing = rf"(?:\[(?:{inside}|{begun})?|{_BEGINS}(?:{begun}))\Z"
    flags = re.IGNORECASE | re.ASCII
    return re.compile(whole, flags), re.compile(growing, flags)


_patterns_of = lru_cache(maxsize=64)(_patterns)


def _begun(label: str) -> str:
    """The beginning of a pseudonym's inside, at least one character and not yet all of it."""
    pattern = f"(?::{_TAG}{{0,{TAG_LETTERS - 1}}})?"
    for char in reversed(label[1:]):
        pattern = f"(?:{re.escape(char)}{pattern})?"
    return re.escape(label[:1]) + pattern
