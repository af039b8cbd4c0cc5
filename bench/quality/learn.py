"""How the model learns: an averaged perceptron with a margin, over the heaviest passage of each text, in integers.

A text of either kind is judged by its heaviest passage, as it will be in use. Where that passage is on the wrong side
of the margin, its words and pairs move. No float and no chance: the same texts give the same weights anywhere.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from operator import add
from typing import NamedTuple

from gptgate.detectors.model.linear import WINDOW, windows, words_of

ROUNDS = 8
MARGIN = 30
ATTACK_STEP = 1
BENIGN_STEP = 1
MOST = 8
"""Steps for an attack beyond which no word or pair goes: a passage that repeats one word is not judged by it alone."""
SCALE = 16
"""Weights are averages, in sixteenths of a step."""
ORDINARY_WORDS = 1000
"""What is learnt of an ordinary text: its beginning. The longest would take most of the time and say little more."""
LEAST_TEXTS = 4
LEAST_FAMILIES = 2
MANY_TEXTS = 12
"""A word of one family alone speaks for an attack only when so many texts of it have it: families are not memorised."""


class Example(NamedTuple):
    """A text as it is learnt: its words, its family (what must not be memorised), whether it is ours."""

    words: Sequence[str]
    family: str
    is_attack: bool
    is_seed: bool = False


class Learnt(NamedTuple):
    """Weights of words, and of pairs with a space between."""

    words: Mapping[str, int]
    pairs: Mapping[str, int]


def example(text: str, family: str, *, is_attack: bool, is_seed: bool = False) -> Example:
    """The example that a text is."""
    return Example(words_of(text), family, is_attack, is_seed)


def learn(examples: Sequence[Example]) -> Learnt:
    """The weights that separate the examples."""
    examples = [one if one.is_attack else one._replace(words=one.words[:ORDINARY_WORDS]) for one in examples]
    numbers, may_rise = _features(examples)
    texts = [_Text(one, numbers) for one in examples]
    teacher = _Teacher(len(numbers), may_rise)
    order = _mixed(texts)
    for _ in range(ROUNDS):
        for text in order:
            teacher.see(text)
    weights = teacher.averages()
    named = {name: weights[number] for name, number in numbers.items() if weights[number]}
    return Learnt(
        {name: weight for name, weight in sorted(named.items()) if " " not in name},
        {name: weight for name, weight in sorted(named.items()) if " " in name},
    )


def _names(words: Sequence[str]) -> Iterable[str]:
    yield from words
    for pair in pairwise(words):
        yield " ".join(pair)


def _features(examples: Sequence[Example]) -> tuple[dict[str, int], list[bool]]:
    """Words and pairs that are worth a weight, numbered from 1, and which of them may speak for an attack."""
    texts: Counter[str] = Counter()
    of_attacks: dict[str, Counter[str]] = {}
    ours: set[str] = set()
    for one in examples:
        names = set(_names(one.words))
        texts.update(names)
        if one.is_seed:
            ours |= names
        if one.is_attack:
            for name in names:
                of_attacks.setdefault(name, Counter())[one.family] += 1
    kept = sorted(name for name, count in texts.items() if count >= LEAST_TEXTS or name in ours)
    may_rise = [True]
    for name in kept:
        families = of_attacks.get(name, Counter())
        few = len(families) < LEAST_FAMILIES and max(families.values(), default=0) < MANY_TEXTS
        may_rise.append(name in ours or not few)
    return {name: number for number, name in enumerate(kept, 1)}, may_rise


class _Text:
    """A text as the numbers of its words and pairs; 0 is nothing."""

    def __init__(self, one: Example, numbers: Mapping[str, int]) -> None:
        self.is_attack = one.is_attack
        self.alone = [numbers.get(word, 0) for word in one.words]
        self.paired = [0, *(numbers.get(" ".join(pair), 0) for pair in pairwise(one.words))]

    def heaviest(self, weights: Sequence[int]) -> tuple[int, int]:
        """The score of the heaviest passage and where it begins."""
        weigh = weights.__getitem__
        each = map(add, map(weigh, self.alone), map(weigh, self.paired))
        if len(self.alone) <= WINDOW:
            return sum(each), 0
        sums = list(accumulate(each, initial=0))
        last = len(self.alone)
        score, start = max((sums[min(at + WINDOW, last)] - sums[at], -at) for at in windows(last))
        return score, -start


class _Teacher:
    """Weights that move, and the sums that their averages are made of."""

    def __init__(self, count: int, may_rise: Sequence[bool]) -> None:
        self.weights = [0] * (count + 1)
        self._sums = [0] * (count + 1)
        self._may_rise = may_rise
        self._bias = 0
        self._time = 1

    def see(self, text: _Text) -> None:
        """Move what put a text on the wrong side of the margin."""
        self._time += 1
        score, start = text.heaviest(self.weights)
        score += self._bias
        if text.is_attack and score < MARGIN:
            step = ATTACK_STEP
        elif not text.is_attack and score > -MARGIN:
            step = -BENIGN_STEP
        else:
            return
        self._bias += step
        for number in {*text.alone[start : start + WINDOW], *text.paired[start : start + WINDOW]}:
            if number and (step < 0 or (self._may_rise[number] and self.weights[number] < MOST)):
                self.weights[number] += step
                self._sums[number] += step * self._time

    def averages(self) -> list[int]:
        """The weights as they were over time, on average, in parts of `SCALE`."""
        time = self._time
        return [(weight * time - total) * SCALE // time for weight, total in zip(self.weights, self._sums, strict=True)]


def _mixed(texts: Sequence[_Text]) -> list[_Text]:
    """Attacks and ordinary texts in turn, spread evenly: no round ends with one kind alone."""
    spread = []
    for kind in (True, False):
        group = [text for text in texts if text.is_attack is kind]
        # A stride that shares no factor with the count takes each once, and neighbours apart.
        stride = next(s for s in range(len(group) * 5 // 8 + 1, 2 * len(group) + 2) if _coprime(s, len(group)))
        spread += [
            (place * len(texts) // len(group), group[place * stride % len(group)]) for place in range(len(group))
        ]
    return [text for _, text in sorted(spread, key=lambda one: one[0])]


def _coprime(one: int, other: int) -> bool:
    while other:
        one, other = other, one % other
    return one == 1
