"""The model: words and pairs of words have integer weights, and a text weighs what its heaviest passage weighs.

Nothing here is a float, so a text has the same score on every machine. The work is linear in the length of the text.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate, repeat
from operator import add, sub

import msgspec

WINDOW = 24
"""Words in a passage. An attack in a long document is as visible as the same attack alone."""
STRIDE = 8
_ASCII_WORDS = re.compile("[a-z]+")
_APART = "".join(chr(code).lower() if chr(code).isalpha() else " " for code in range(128))
"""What each ASCII character is among words: the letter in small, or a space."""
_WORDS = re.compile(r"[^\W\d_]+")


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What training gives. `pairs` has a key for each pair: its two words with a space between.

    `levels` are the lowest scores that give points, with those points, from low to high.
    """

    words: Mapping[str, int]
    pairs: Mapping[str, int]
    levels: Sequence[tuple[int, int]]


class Passage(msgspec.Struct, frozen=True):
    """The heaviest passage of a text: its score, and its first word and the one after its last."""

    score: int
    first: int
    last: int


def word_pattern(text: str) -> re.Pattern[str]:
    """What the words of a text are: runs of letters. Of an ASCII text the two patterns find the same."""
    return _ASCII_WORDS if text.isascii() else _WORDS


def words_of(text: str) -> list[str]:
    """The words of a text in small letters. Digits and signs are not looked at."""
    if text.isascii():
        return text.translate(_APART).split()
    text = text.lower()
    return word_pattern(text).findall(text)


def windows(count: int) -> range:
    """Where the passages of a text of so many words begin. The last one reaches its end."""
    return range(0, max(count - WINDOW + STRIDE, 1), STRIDE)


class LinearModel:
    """Weighs texts. Immutable; safe in threads."""

    def __init__(self, weights: Weights) -> None:
        self._word = dict(weights.words).get
        self._pair = {tuple(key.split(" ")): weight for key, weight in weights.pairs.items()}.get
        self._levels = weights.levels

    def heaviest(self, words: Sequence[str]) -> Passage:
        """The heaviest passage, the first of equals. A word that training never saw weighs nothing."""
        count = len(words)
        alone = map(self._word, words, repeat(0))
        # The pair stands at its second word; one that begins before the passage is counted with it.
        paired = map(self._pair, zip(("", *words), words, strict=False), repeat(0))
        if count <= WINDOW:
            return Passage(sum(alone) + sum(paired), 0, count)
        sums = list(accumulate(map(add, alone, paired), initial=0))
        ends = sums[WINDOW::STRIDE]
        if len(ends) < len(windows(count)):
            ends.append(sums[-1])
        scores = list(map(sub, ends, sums[::STRIDE]))
        best = max(scores)
        start = scores.index(best) * STRIDE
        return Passage(best, start, min(start + WINDOW, count))

    def points(self, score: int) -> int:
        """The points of a score, 0 for too little."""
        points = 0
        for least, given in self._levels:
            if score >= least:
                points = given
        return points
