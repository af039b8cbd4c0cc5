"""``python -m bench.quality.train``: make the weights of the attack model anew from the sample texts.

The same texts give the same file, byte for byte. Two parts: `learn` finds the weights; the table of points is read off
the scores of texts that the weights which scored them never saw.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from bench.quality.learn import Example, example, learn
from bench.quality.samples import ABSENT, ATTACK_SETS, BENIGN_SETS, SAMPLES, Sample, read_samples
from bench.quality.seeds import SEEDS
from gptgate.detectors.model.linear import LinearModel, Weights

WEIGHTS = Path(__file__).resolve().parents[2] / "src/gptgate/detectors/model/attack.json"
FOLDS = 4
LEVELS = ((4_000, 30), (1_500, 50), (400, 60), (100, 70))
"""Of a million ordinary texts kept apart, how many may reach a level, and its points."""


def seeds() -> list[Example]:
    """Our own sentences."""
    return [
        example(text, f"seed_{language}", is_attack=is_attack, is_seed=True)
        for language, both in SEEDS.items()
        for is_attack, texts in ((True, both.attacks), (False, both.ordinary))
        for text in texts.splitlines()
    ]


def train(samples: Sequence[Sample]) -> Weights:
    """Weights and levels."""
    examples = [example(one.text, f"{one.source}/{one.kind}", is_attack=one.is_attack) for one in samples]
    ours = seeds()
    kept_apart = sorted(_kept_apart(examples, ours), reverse=True)
    levels = tuple((kept_apart[len(kept_apart) * share // 1_000_000] + 1, points) for share, points in LEVELS)
    learnt = learn([*examples, *ours])
    return Weights(learnt.words, learnt.pairs, levels)


def _kept_apart(examples: Sequence[Example], ours: Sequence[Example]) -> Iterator[int]:
    """The scores of ordinary texts, each by weights that were learnt without it."""
    for fold in range(FOLDS):
        apart = [index % FOLDS == fold for index in range(len(examples))]
        learnt = learn([*(one for one, held in zip(examples, apart, strict=True) if not held), *ours])
        model = LinearModel(Weights(learnt.words, learnt.pairs, ()))
        for one, held in zip(examples, apart, strict=True):
            if held and not one.is_attack:
                yield model.heaviest(one.words).score


def encode(weights: Weights) -> bytes:
    """The file: JSON, keys sorted, one line."""
    return msgspec.json.encode(weights, order="deterministic") + b"\n"


def main() -> int:
    """Write the file, or say whether it is what training gives."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality.train", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when the shipped file is another")
    asked = parser.parse_args()
    if not SAMPLES.is_dir():
        print(ABSENT)
        return 0
    made = encode(train(list(read_samples((*ATTACK_SETS, *BENIGN_SETS)))))
    if asked.check:
        same = WEIGHTS.read_bytes() == made
        print("the shipped weights are what training gives" if same else "training gives other weights")
        return 0 if same else 1
    WEIGHTS.write_bytes(made)
    print(f"{WEIGHTS.name}: {len(made):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
