"""How many secrets of the cases are found, and how often one is seen where there is none."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from bench.quality.samples import BENIGN_SETS, read_samples
from gptgate.core.finding import Origin, Segment
from gptgate.core.ports import Inspector

CASES = "secrets_gitleaks_cases"
NO_SECRET = {
    "the name of a file whose content is a row of its own": re.compile(r"[\w./-]+\.(?:ya?ml|p12|pfx)"),
    "a template, a pattern or a reference in the place of a value": re.compile(
        r"(?s).*%s.*|\[a-z.*|\"type\":.*|.*\$BASIC_TOKEN.*"
    ),
    "a piece of source code, a word, a date or an address": re.compile(
        r"(?s)Authorization|[a-z][-a-z ]{1,40}|\s*, //.*|[\dT:-]+Z|http://127[^@]*"
    ),
}
"""Why a row that counts as a secret in the cases holds none → such rows. They are counted apart."""


class Secrets(NamedTuple):
    """`look_alikes` are cases that no secret is in; `ordinary` are ordinary texts; `empty` are cases by why they hold
    no secret, which are not among `cases`."""

    cases: int
    found: int
    empty: dict[str, int]
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
    why = [empty_because(text) for text in labelled]
    secret = [text for text, reason in zip(labelled, why, strict=True) if not reason]
    others = [one.text for one in cases if not one.is_attack]
    ordinary = [one.text for one in read_samples(BENIGN_SETS)]
    return Secrets(
        len(secret),
        _hits(inspector, secret),
        {reason: why.count(reason) for reason in NO_SECRET},
        len(others),
        _hits(inspector, others),
        len(ordinary),
        _hits(inspector, ordinary),
    )


def empty_because(text: str) -> str:
    """Why a case holds no secret; ``""`` for one that may hold one."""
    return next((reason for reason, form in NO_SECRET.items() if form.fullmatch(text)), "")


def _hits(inspector: Inspector, texts: Sequence[str]) -> int:
    return sum(
        any(one.kind.startswith("secret.") for one in inspector.inspect([Segment((), Origin.USER, text)]))
        for text in texts
    )
