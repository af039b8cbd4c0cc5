"""What every classifier's wire shares: the question as bytes, the answer read strictly, scores as whole numbers."""

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from gptgate.core.beside import ClassifierSpec
from gptgate.core.classifier import CERTAIN, Span
from gptgate.core.document import read_object
from gptgate.core.errors import MalformedRequest
from gptgate.core.finding import Origin

Texts = Sequence[tuple[Origin, str]]
Headers = tuple[tuple[str, str], ...]
Labels = tuple[tuple[str, int], ...]
LABEL = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_LABELS = 200

T = TypeVar("T")


class Said(NamedTuple):
    """What an answer says, and where, of a kind that does: each span's `segment` is the number of the text."""

    labels: Labels
    spans: tuple[Span, ...] = ()


class Nonsense(Exception):
    """An answer that is not what the classifier's kind answers with."""


class Wire(Protocol):
    """One way to ask. Pure: bytes out, bytes in."""

    path: str

    def encode(self, spec: ClassifierSpec, texts: Texts) -> bytes: ...

    def sign(self, body: bytes, secret: str, at_s: int) -> Headers:
        """Headers beside the body; `secret` is empty where none is configured."""
        ...

    def decode(self, spec: ClassifierSpec, body: bytes, texts: Texts) -> Said:
        """What an answer on these texts says. Raises Nonsense."""
        ...


def bearer(_body: bytes, secret: str, _at_s: int) -> Headers:
    """The credential as OpenAI-compatible servers want it."""
    return (("authorization", f"Bearer {secret}"),) if secret else ()


def typed(body: bytes, decode: Callable[[bytes], T]) -> T:
    """The body as this type: strict JSON first, so that no two readers can differ. Raises Nonsense."""
    try:
        read_object(body)
        return decode(body)
    except (MalformedRequest, msgspec.DecodeError):
        raise Nonsense("the answer does not have its type") from None


def label_of(category: str) -> str:
    """A category in our spelling."""
    return category.lower().replace("/", "_").replace("-", "_").replace(" ", "_")


def permille(score: Decimal) -> int:
    """A score between 0 and 1 as a whole number of thousandths, rounded down. Raises Nonsense."""
    # Written in quotes, NaN is a Decimal too, and one that cannot be compared.
    if not score.is_finite() or not 0 <= score <= 1:
        raise Nonsense("a score is not between 0 and 1")
    return int(score * CERTAIN)


def merged(labels: Iterable[tuple[str, int]]) -> Labels:
    """Each label once, with its highest score. Raises Nonsense for a label that is none, or for too many."""
    best: dict[str, int] = {}
    for label, score in labels:
        if not LABEL.fullmatch(label):
            raise Nonsense("a label is not a word")
        best[label] = max(score, best.get(label, 0))
    if len(best) > MAX_LABELS:
        raise Nonsense("there are too many labels")
    return tuple(sorted(best.items()))
