"""What the prompt attack detectors find in the sample texts, by set and family, and how often they are wrong.

``python -m bench.quality.attacks [FOLDER]`` prints a table. A text is alerted when a finding of the category ``attack``
or ``unsafe`` has ``ALERT`` points or more: that is what makes a rule of the baseline policy fire.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gptgate.core.finding import Origin, Segment
from gptgate.detectors import TextInspector, build_inspector

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ALERT = 50
CATEGORIES = ("attack.", "unsafe.")
SETS = (
    *("garak", "giskard", "gptfuzz", "asb_injecagent"),
    *("prompts_chat", "gpteacher", "gsm8k", "alpaca_seed", "mitre_frr", "docs_dev"),
)
IN_TOOL_RESULTS = ("latent_", "asb_", "injecagent_", "document", "code")
"""Kinds that come out of tools and documents; all others are what a user writes."""


class Row(NamedTuple):
    """One family of one set: how many texts, and how many of them are alerted, as words of which origin."""

    name: str
    family: str
    label: str
    origin: Origin
    texts: int
    alerted: int

    @property
    def percent(self) -> float:
        return 100 * self.alerted / self.texts


def measure(inspector: TextInspector, samples: Path = SAMPLES) -> Iterator[Row]:
    """A row for each family of each set that is there. Nothing where the sample texts are absent."""
    for name in SETS:
        path = samples / name / f"{name}.jsonl"
        if not path.is_file():
            continue
        families: dict[tuple[str, str], list[bool]] = {}
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                alert = is_alerted(inspector, row["text"], origin_of(row["kind"]))
                families.setdefault((row["kind"], row["label"]), []).append(alert)
        for (family, label), alerts in families.items():
            yield Row(name, family, label, origin_of(family), len(alerts), sum(alerts))


def origin_of(kind: str) -> Origin:
    """Whose words the texts of a kind are."""
    return Origin.TOOL_RESULT if kind.startswith(IN_TOOL_RESULTS) else Origin.USER


def is_alerted(inspector: TextInspector, text: str, origin: Origin) -> bool:
    """Whether a rule of the baseline policy would fire on the text."""
    found = inspector.inspect([Segment((), origin, text)])
    return any(one.points >= ALERT and one.kind.startswith(CATEGORIES) for one in found)


def main() -> int:
    """Print the table; the folder with the sample texts may be given."""
    samples = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    if not samples.is_dir():
        print("skipped: the sample texts are not beside this checkout")
        return 0
    for row in measure(build_inspector(), samples):
        counts = f"{row.alerted:5} of {row.texts:5} {row.percent:6.2f} %"
        print(f"{row.name:15} {row.family:28} {row.label:7} {row.origin:12} {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
