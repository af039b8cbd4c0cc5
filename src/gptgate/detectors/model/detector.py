"""The detector of whole texts that asks the model: attacks in words that no phrase of ours foresaw."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib import resources

import msgspec

from gptgate.core.finding import Origin
from gptgate.detectors.model.linear import LinearModel, Passage, Weights, word_pattern, words_of
from gptgate.detectors.reading import Reader, read_text
from gptgate.detectors.whole import Sighting

KIND = "attack.model"
_MARK = re.compile(r"\[[\w.]+:[\w.]+\]")
"""What a rewriting leaves behind. It names kinds of attacks, which are no words of anybody."""
VERSION = 2
"""Raised when the code changes what the same weights say."""


class ModelDetector:
    """An implementation of `detectors.whole.WholeDetector`: at most one sighting, the heaviest passage of a text."""

    name = "attack_model"
    kinds: Mapping[str, str] = {KIND: "A passage that a small trained model takes for a prompt attack."}
    origins = frozenset({Origin.USER, Origin.TOOL_RESULT, Origin.TOOL_DEFINITION, Origin.OTHER})

    def __init__(self, weights: bytes) -> None:
        """With a file that training wrote. Raises `msgspec.DecodeError` when it is not one."""
        self.digest = f"{VERSION}:{hashlib.sha256(weights).hexdigest()}"
        decoded = msgspec.json.decode(weights, type=Weights)
        self.points: Sequence[int] = tuple(points for _, points in decoded.levels)
        self._model = LinearModel(decoded)

    def look(self, text: str) -> Sequence[Sighting]:
        """The heaviest passage, if it weighs enough to have points."""
        read = text if text.isascii() else read_text(text, False).decode("utf-8", "surrogatepass")
        if "[" in read:
            read = _MARK.sub(lambda mark: " " * len(mark[0]), read)
        passage = self._model.heaviest(words_of(read))
        points = self._model.points(passage.score)
        return [Sighting(*_place(text, read, passage), KIND, points)] if points else []


def _place(text: str, read: str, passage: Passage) -> tuple[int, int]:
    """The characters of the text that a passage of its reading came from."""
    lowered = read.lower()
    if len(lowered) != len(read):
        # A capital letter became two small ones: the places are not to be had.
        return 0, len(text)
    spans = [word.span() for word in word_pattern(lowered).finditer(lowered)]
    start, end = spans[passage.first][0], spans[passage.last - 1][1]
    if text.isascii():
        return start, end
    reader = Reader(False)
    reader.read_all(text)
    before = len(read[:start].encode("utf-8", "surrogatepass"))
    return reader.start(before), reader.end(before + len(read[start:end].encode("utf-8", "surrogatepass")))


DETECTOR = ModelDetector(resources.files("gptgate.detectors.model").joinpath("attack.json").read_bytes())
