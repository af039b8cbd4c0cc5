"""What a judge outside is shown that says where in a text it found something, and the way back to those places.

It is shown the characters that the request holds, one for one: what the rules rewrite is blanked, not replaced. In JSON
text (the arguments of a tool call) it reads what the escapes mean; a place in that covers whole escapes.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from gptgate.core.classifier import Opinion, Span
from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Finding, Origin, Segment
from gptgate.core.snapshot import Effect
from gptgate.pipeline.judge import UNCUTTABLE
from gptgate.pipeline.soundness import NONSENSE

NAMES = frozenset({"id", "tool_call_id", "tool_use_id", "file_id", "signature"})
"""Strings by which one part of a request is known to another or to the provider: nobody's words, and never rewritten
for what a model thinks to read in them."""
TOOL_NAME = "name"
PAYLOAD = "data"
"""What holds a document's text, in its source, or bytes that nobody but the provider can read."""
SOURCE = "source"
ARGUMENTS = "input"
"""Below it stand the values that a tool is called with, whatever they are called."""
BLANK = "_"
_ESCAPE = re.compile(r'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])')
_BYTES = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_MEANING = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Pointed:
    """One text as it is shown. `starts`: where each of its characters begins in the request's, and where the last one
    ends; None where they are the same."""

    segment: int
    origin: Origin
    text: str
    starts: Sequence[int] | None

    def span(self, one: Span) -> Span:
        """The span in the request. Raises ValueError for one that is not in this text."""
        if not 0 <= one.start < one.end <= len(self.text):
            raise ValueError("a span outside of its text")
        start, end = one.start, one.end
        if self.starts is not None:
            start, end = self.starts[start], self.starts[end]
        return replace(one, segment=self.segment, start=start, end=end)


def pointed(segments: Sequence[Segment], rewrites: Iterable[tuple[Finding, Effect]]) -> list[Pointed]:
    """The words of a request: no names of fields, nothing that is no text, nothing that cannot be cut out."""
    cuts: dict[int, list[Finding]] = {}
    for finding, _ in rewrites:
        cuts.setdefault(finding.segment, []).append(finding)
    texts = []
    for index, segment in enumerate(segments):
        if not _holds_words(segment):
            continue
        text = _blanked(segment.text, cuts[index]) if index in cuts else segment.text
        starts = None
        if segment.is_json and "\\" in text:
            text, starts = _meant(text)
        texts.append(Pointed(index, segment.origin, text, starts))
    return texts


def located(opinion: Opinion, texts: Sequence[Pointed]) -> Opinion:
    """The opinion with its places in the request. Raises GuardFailed for a place where none of these texts is."""
    if not opinion.spans:
        return opinion
    try:
        spans = [texts[one.segment].span(one) for one in opinion.spans]
    except (IndexError, ValueError):
        guard = f"classifier {opinion.classifier}"
        raise GuardFailed(NONSENSE, guard=guard, why="it reports something where nothing is") from None
    return replace(opinion, spans=tuple(sorted(spans)))


def _holds_words(segment: Segment) -> bool:
    if segment.is_key or segment.media or segment.path in UNCUTTABLE or not segment.text.strip():
        return False
    *above, name = segment.path or ("",)
    if ARGUMENTS in above:
        return True
    if name == TOOL_NAME:
        return segment.origin is not Origin.TOOL_CALL
    if name == PAYLOAD and above[-1:] != [SOURCE]:
        return not _BYTES.fullmatch(segment.text)
    return name not in NAMES


def _blanked(text: str, cuts: Iterable[Finding]) -> str:
    chars = list(text)
    for cut in cuts:
        chars[cut.start : cut.end] = BLANK * (cut.end - cut.start)
    return "".join(chars)


def _meant(text: str) -> tuple[str, Sequence[int]]:
    """What the escapes of JSON text mean, character by character, and where each begins."""
    out: list[str] = []
    starts: list[int] = []
    position = 0
    for escape in _ESCAPE.finditer(text):
        out.append(text[position : escape.start()])
        starts += range(position, escape.start())
        out.append(_meaning(escape[0]))
        starts.append(escape.start())
        position = escape.end()
    out.append(text[position:])
    starts += range(position, len(text) + 1)
    # Half a character is none to any server.
    return _SURROGATE.sub("\ufffd", "".join(out)), starts


def _meaning(escape: str) -> str:
    if escape[1] != "u":
        return _MEANING.get(escape[1], escape[1])
    if len(escape) == 6:
        return chr(int(escape[2:], 16))
    high, low = int(escape[2:6], 16), int(escape[8:], 16)
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
