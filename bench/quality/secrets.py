"""How many secrets of the cases are found, and how often one is seen where there is none."""

from collections.abc import Sequence
from typing import NamedTuple

from bench.quality.samples import BENIGN_SETS, SAMPLES, Sample, read_samples
from gptgate.core.finding import Origin, Segment
from gptgate.detectors import TextInspector

CASES = "secrets_gitleaks_cases"


class Secrets(NamedTuple):
    """`look_alikes` are cases that no secret is in; `false_per_thousand` is over ordinary texts."""

    cases: int
    found: int
    look_alikes: int
    look_alikes_hit: int
    ordinary: int
    ordinary_hit: int

    @property
    def false_per_thousand(self) -> float:
        """Ordinary texts in which a secret is seen, of a thousand."""
        return 1000 * self.ordinary_hit / self.ordinary


def measure(inspector: TextInspector) -> Secrets:
    """The measure over the samples; they must be there."""
    cases = list(read_samples([CASES], SAMPLES))
    secret = [one for one in cases if one.is_attack]
    others = [one for one in cases if not one.is_attack]
    ordinary = list(read_samples(BENIGN_SETS))
    return Secrets(
        len(secret),
        _hits(inspector, secret),
        len(others),
        _hits(inspector, others),
        len(ordinary),
        _hits(inspector, ordinary),
    )


def _hits(inspector: TextInspector, samples: Sequence[Sample]) -> int:
    return sum(
        any(one.kind.startswith("secret.") for one in inspector.inspect([Segment((), Origin.USER, sample.text)]))
        for sample in samples
    )
