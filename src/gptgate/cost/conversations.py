"""Ceilings of inputs from what providers counted before: a conversation that goes on adds at most its own bytes.

An agent sends the whole conversation anew with every step, and a bound by bytes is three to five times what the
provider counts. What it did count for the first messages bounds these, and only what came since is bounded by bytes.

This is a bound as long as two things hold. A token stands for at least one byte, as everywhere. And a provider counts a
conversation message by message: behind what is appended, what stood before does not count for more than it did. What
would break this is looked for: parts that providers count in one turn and not in the next (reasoning) count their bytes
again, and a request that holds anything not known to be plain (`cost.shapes`) is not looked at. Should a provider count
more than was allowed for here all the same, its model is bounded by bytes alone from then on.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from gptgate.core.conversation import Conversation
from gptgate.core.document import read_messages
from gptgate.cost.ceiling import ADDED_TOKENS
from gptgate.cost.shapes import are_plain, reasons

LEAST_BYTES = 16_384
"""A shorter body is bounded tightly enough by its bytes."""
MOST_MARKS = 65_536
LATEST = 32
"""So many of the last messages can be where an earlier request ended."""

UNCOUNTED_FIELDS = frozenset(
    "stream stream_options max_tokens max_completion_tokens temperature top_p top_k n seed user metadata stop "
    "stop_sequences presence_penalty frequency_penalty logit_bias logprobs top_logprobs service_tier store "
    "safety_identifier prompt_cache_key prompt_cache_retention".split()
)
"""Fields that do not change how many tokens the input has. All others must be the same."""
UNCOUNTED_HEADERS = frozenset({"content-type", "traceparent", "tracestate"})
"""The same of headers. Others, such as those that switch experiments on, change how a provider reads a request."""

_MARKER = rb'"cache_control"\s*:\s*\{\s*"type"\s*:\s*"ephemeral"\s*(?:,\s*"ttl"\s*:\s*"\w{1,4}"\s*)?\}'
_CACHE_MARKERS = re.compile(rb",\s*" + _MARKER + rb"|" + _MARKER + rb"\s*,?")
"""They move on to the newest message with every turn, and are no text."""


class Conversations:
    """Implements `core.ports.Conversations` in memory, which is bounded: the marks used last are kept."""

    def __init__(self, most: int = MOST_MARKS) -> None:
        self._most = most
        self._counted: dict[bytes, int] = {}
        self._distrusted: set[str] = set()

    @property
    def size(self) -> int:
        """Marks that are kept."""
        return len(self._counted)

    def read(
        self, app: str, provider: str, model: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> Conversation | None:
        """The conversation that this body carries, bounded where its beginning was counted before. None where nothing
        can be said: of short ones, and of those that are not texts, calls of plain tools and their results alone.
        """
        if len(body) < LEAST_BYTES or model in self._distrusted:
            return None
        fields, messages = read_messages(body)
        counting = {name: value for name, value in fields.items() if name not in UNCOUNTED_FIELDS}
        if not messages or not are_plain(counting):
            return None
        seen = sha256(beginning(app, provider, model, headers, counting))
        marks, read, unsure = [(seen.digest(), 0)], 0, 0
        for place, message in enumerate(messages, 1):
            reasoned = reasons(message)
            if reasoned is None:
                return None
            read += len(message) + 1
            bare = _CACHE_MARKERS.sub(b"", message) if b'"cache_control"' in message else message
            unsure += len(message) - len(bare)
            if reasoned:
                unsure += len(bare)
            seen.update(b"%d %b" % (len(bare), bare))
            if place == 1 or place > len(messages) - LATEST:
                marks.append((seen.digest(), read))
        bound = 0
        for mark, before in reversed(marks):
            if mark in self._counted:
                # Put behind the others: what is used stays.
                counted = self._counted[mark] = self._counted.pop(mark)
                bound = counted + read - before + unsure + ADDED_TOKENS
                break
        return Conversation(model=model, marks=tuple([mark for mark, _ in marks]), bound=bound)

    def counted(self, conversation: Conversation, input_tokens: int) -> None:
        """The provider counted this conversation: its beginnings cannot count for more."""
        if conversation.bound and input_tokens > conversation.bound:
            self._distrusted.add(conversation.model)
            return
        marks = conversation.marks
        for mark in {marks[0], marks[1], marks[-1]}:
            before = self._counted.pop(mark, input_tokens)
            self._counted[mark] = min(before, input_tokens)
        while len(self._counted) > self._most:
            del self._counted[next(iter(self._counted))]


def beginning(
    app: str, provider: str, model: str, headers: Sequence[tuple[str, str]], fields: Mapping[str, bytes]
) -> bytes:
    """A digest of all that stands beside the messages. Each part says its length, so that no others look the same."""
    parts = [app.encode(), provider.encode(), model.encode()]
    for name, given in headers:
        if name not in UNCOUNTED_HEADERS:
            parts += name.encode(), given.encode("utf-8", "surrogatepass")
    parts.append(b"%d" % len(parts))
    for name in sorted(fields):
        parts += name.encode(), fields[name]
    return sha256(b"".join([b"%d %b" % (len(part), part) for part in parts])).digest()
