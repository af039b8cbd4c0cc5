"""How many secrets of the cases are found, and how often one is seen where there is none."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bench.quality.samples import BENIGN_SETS, read_samples
from gptgate.core.finding import Origin, Segment
from gptgate.core.ports import Inspector

CASES = "secrets_gitleaks_cases"
NO_SECRET = re.compile(
    r"""[\w./-]+\.(?:ya?ml|p12|pfx)"""  # the name of a file whose content is a row of its own
    r"""|.*%s.*|\[a-z.*|"type":.*|.*\$BASIC_TOKEN.*"""  # templates, patterns, references
    r"""|Authorization|[a-z][-a-z ]{1,40}|\s*, //.*|[\dT:-]+Z|http://127[^@]*""",  # pieces of source code
    re.DOTALL,
)
"""Rows of the cases that count as secrets and hold none: they are left out."""


class Secrets(NamedTuple):
    """`look_alikes` are cases that no secret is in; `ordinary` are ordinary texts; `empty` cases are left out."""

    cases: int
    found: int
    empty: int
    look_alikes: int
    look_alikes_hit: int
    ordinary: int
    ordinary_hit: int

    @property
    def false_per_thousand(self) -> float:
        """Ordinary texts in which a secret is seen, of a thousand."""
        return 1000 * self.ordinary_hit / self.ordinary


def measure(inspector: Inspector) -> Secrets:
    """The measure over the samples. Raises FileNotFoundError where they are not there."""
    cases = list(read_samples([CASES]))
    labelled = [one.text for one in cases if one.is_attack]
    secret = [text for text in labelled if NO_SECRET.fullmatch(text) is None]
    others = [one.text for one in cases if not one.is_attack]
    ordinary = [one.text for one in read_samples(BENIGN_SETS)]
    return Secrets(
        len(secret),
        _hits(inspector, secret),
        len(labelled) - len(secret),
        len(others),
        _hits(inspector, others),
        len(ordinary),
        _hits(inspector, ordinary),
    )


def _hits(inspector: Inspector, texts: Sequence[str]) -> int:
    return sum(
        any(one.kind.startswith("secret.") for one in inspector.inspect([Segment((), Origin.USER, text)]))
        for text in texts
    )
