"""The model: words and pairs of words have integer weights, and a text weighs what its heaviest passage weighs.

A word or pair speaks for an attack once in a passage, however often it is said there: ten times the same word is not
ten signs. It speaks for an ordinary text each time. Nothing here is a float, so a text has the same score on every
machine. The work is linear in the length of the text.
"""

import re
import sys
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
        # One object for a word in however many pairs: the same words are in most.
        same = {word: word for word in weights.words}
        self._word = dict(weights.words).get
        self._pair = {
            tuple(same.setdefault(word, word) for word in key.split(" ")): weight
            for key, weight in weights.pairs.items()
        }.get
        self._levels = weights.levels
        self._least = min((score for score, _ in weights.levels), default=None)

    def heaviest(self, words: Sequence[str]) -> Passage:
        """The heaviest passage, the first of equals. A word that training never saw weighs nothing.

        Of a text that is too light for points the score may be too high, and still too low for points.
        """
        count = len(words)
        alone = list(map(self._word, words, repeat(0)))
        # The pair stands at its second word; one that begins before the passage is counted with it.
        paired = list(map(self._pair, zip(("", *words), words, strict=False), repeat(0)))
        if count <= WINDOW:
            scores = [sum(alone) + sum(paired)]
        else:
            sums = list(accumulate(map(add, alone, paired), initial=0))
            ends = sums[WINDOW::STRIDE]
            if len(ends) < len(windows(count)):
                ends.append(sums[-1])
            scores = list(map(sub, ends, sums[::STRIDE]))
        most = max(scores)
        if self._least is not None and most < self._least:
            return _passage(most, scores.index(most), count)
        return self._without_repeats(words, scores, alone, paired)

    def _without_repeats(
        self, words: Sequence[str], scores: Sequence[int], alone: Sequence[int], paired: Sequence[int]
    ) -> Passage:
        """The heaviest passage when what speaks for an attack counts once in each; no score is above the given one."""
        best = Passage(-sys.maxsize, 0, 0)
        for number in sorted(range(len(scores)), key=lambda number: (-scores[number], number)):
            if scores[number] < best.score:
                break
            start = number * STRIDE
            said: set[str | tuple[str, str]] = set()
            score = scores[number]
            for at in range(start, min(start + WINDOW, len(words))):
                for what, weight in ((words[at], alone[at]), ((words[at - 1], words[at]), paired[at])):
                    if weight > 0:
                        score -= weight if what in said else 0
                        said.add(what)
            if score > best.score or (score == best.score and start < best.first):
                best = _passage(score, number, len(words))
        return best

    def points(self, score: int) -> int:
        """The points of a score, 0 for too little."""
        points = 0
        for least, given in self._levels:
            if score >= least:
                points = given
        return points


def _passage(score: int, number: int, count: int) -> Passage:
    start = number * STRIDE
    return Passage(score, start, min(start + WINDOW, count))
