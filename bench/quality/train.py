"""``python -m bench.quality.train``: make the weights of the attack model anew from the sample texts.

The same texts give the same file, byte for byte. Two parts: `learn` finds the weights; the table of points is read off
the scores of whole sets of ordinary texts, each by weights that never saw a text of the set.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.quality.learn import Example, example, learn
from bench.quality.roles import roles
from bench.quality.samples import ABSENT, ATTACK_SETS, BENIGN_SETS, SAMPLES, Sample, read_samples
from bench.quality.seeds import SEEDS
from gptgate.detectors.model.linear import LinearModel, Weights

WEIGHTS = Path(__file__).resolve().parents[2] / "src/gptgate/detectors/model/attack.json"
LEVELS = ((20, 50, 30), (10, 15, 50), (2, 5, 60), (0, 0, 70))
"""Of a thousand ordinary texts of a set that was left out of the training how many may reach a level at most; the same
for role-play prompts, whose words are those of jailbreaks; and the level's points. Below 50 nothing is alerted."""
ROLE_PLAY = "prompts_chat"


def seeds() -> list[Example]:
    """Our own sentences and prompts."""
    sentences = [
        example(text, f"seed_{language}", is_attack=is_attack, is_seed=True)
        for language, both in SEEDS.items()
        for is_attack, texts in ((True, both.attacks), (False, both.ordinary))
        for text in texts.splitlines()
    ]
    return sentences + [example(text, "seed_roles", is_attack=False, is_seed=True) for text in roles()]


def examples_of(samples: Sequence[Sample]) -> list[Example]:
    """What the samples are to the one who learns."""
    return [example(one.text, f"{one.source}/{one.kind}", is_attack=one.is_attack) for one in samples]


def train(samples: Sequence[Sample]) -> Weights:
    """Weights and levels."""
    examples = examples_of(samples)
    learnt = learn([*examples, *seeds()])
    apart = {name: _left_out(name, samples, examples) for name in BENIGN_SETS}
    levels = tuple(
        (max(_least(scores, of_roles if name == ROLE_PLAY else share) for name, scores in apart.items()), points)
        for share, of_roles, points in LEVELS
    )
    return Weights(learnt.words, learnt.pairs, levels)


def weights_without(examples: Sequence[Example], apart: Sequence[bool]) -> Weights:
    """The weights that the examples give which are not kept apart. They have no levels."""
    learnt = learn([*(one for one, held in zip(examples, apart, strict=True) if not held), *seeds()])
    return Weights(learnt.words, learnt.pairs, ())


def _left_out(name: str, samples: Sequence[Sample], examples: Sequence[Example]) -> list[int]:
    """The scores of a set's texts by weights that never saw the set, the highest first."""
    apart = [one.source == name for one in samples]
    model = LinearModel(weights_without(examples, apart))
    scores = [model.heaviest(one.words).score for one, held in zip(examples, apart, strict=True) if held]
    return sorted(scores, reverse=True)


def _least(scores: Sequence[int], share: int) -> int:
    """The lowest score that no more than this share, of a thousand, has."""
    return scores[len(scores) * share // 1000] + 1


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
