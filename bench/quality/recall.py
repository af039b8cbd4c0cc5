"""How many attacks are found where so many ordinary texts are alerted, family by family and in disguise."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bench.quality.disguises import DISGUISES
from bench.quality.learn import Example, example, learn
from bench.quality.samples import Sample
from bench.quality.train import seeds
from gptgate.core.finding import Origin, Segment
from gptgate.detectors import TextInspector
from gptgate.detectors.model.linear import LinearModel, Weights

ALERT = 50
CATEGORIES = ("attack.", "unsafe.")
DISGUISED_TEXTS = 60
"""Texts of each set of attacks that are disguised, spread evenly over it."""
FOLDS = 5
LATENT = "latent"


class Share(NamedTuple):
    """Of how many texts of a family how many are found."""

    family: str
    is_attack: bool
    texts: int
    found: int


class Left(NamedTuple):
    """A family of attacks by a model that never saw its source: recall where 1 % and where 0.1 % are alerted."""

    family: str
    texts: int
    at_percent: int
    at_permille: int


def weight(inspector: TextInspector, sample: Sample, text: str) -> int:
    """The points of the strongest finding of an attack."""
    origin = Origin.TOOL_RESULT if sample.is_foreign else Origin.USER
    findings = inspector.inspect([Segment((), origin, text)])
    return max((one.points for one in findings if one.kind.startswith(CATEGORIES)), default=0)


def family(sample: Sample) -> str:
    """Under which name a sample is counted."""
    return f"{sample.source}/{sample.kind}"


def shares(inspector: TextInspector, samples: Iterable[Sample]) -> list[Share]:
    """What the whole inspection alerts, by family."""
    alerts: dict[tuple[str, bool], list[bool]] = {}
    for one in samples:
        alerts.setdefault((family(one), one.is_attack), []).append(weight(inspector, one, one.text) >= ALERT)
    return [Share(*key, len(found), sum(found)) for key, found in sorted(alerts.items())]


def disguised(inspector: TextInspector, samples: Sequence[Sample]) -> Iterator[Share]:
    """The share that is alerted as it stands (`plain`) and in each disguise, of the same attacks."""
    chosen: list[Sample] = []
    for source in sorted({one.source for one in samples}):
        group = [one for one in samples if one.source == source]
        chosen += group[:: max(len(group) // DISGUISED_TEXTS, 1)]
    plain = sum(weight(inspector, one, one.text) >= ALERT for one in chosen)
    yield Share("plain", True, len(chosen), plain)
    for name, disguise in DISGUISES.items():
        found = sum(weight(inspector, one, disguise(one.text)) >= ALERT for one in chosen)
        yield Share(name, True, len(chosen), found)


def group_of(sample: Sample) -> str:
    """What is left out together: a set, but of the largest its two halves of different making."""
    if sample.source != "garak":
        return sample.source
    return "garak/latent" if sample.kind.startswith(LATENT) else "garak/other"


def left_out(samples: Sequence[Sample]) -> Iterator[Left]:
    """The model alone, each group of attacks left out in turn, with a fifth of the ordinary texts."""
    examples = [example(one.text, family(one), is_attack=one.is_attack) for one in samples]
    groups = sorted({group_of(one) for one in samples if one.is_attack})
    for number, group in enumerate(groups):
        apart = [
            group_of(one) == group if one.is_attack else index % FOLDS == number for index, one in enumerate(samples)
        ]
        yield from _left(samples, examples, apart)


def _left(samples: Sequence[Sample], examples: Sequence[Example], apart: Sequence[bool]) -> Iterator[Left]:
    learnt = learn([*(one for one, held in zip(examples, apart, strict=True) if not held), *seeds()])
    model = LinearModel(Weights(learnt.words, learnt.pairs, ()))
    ordinary: list[int] = []
    attacks: dict[str, list[int]] = {}
    for sample, one, held in zip(samples, examples, apart, strict=True):
        if held:
            scores = attacks.setdefault(family(sample), []) if sample.is_attack else ordinary
            scores.append(model.heaviest(one.words).score)
    ordinary.sort(reverse=True)
    percent, permille = (ordinary[len(ordinary) // part] for part in (100, 1000))
    for name, scores in sorted(attacks.items()):
        yield Left(name, len(scores), sum(one > percent for one in scores), sum(one > permille for one in scores))
