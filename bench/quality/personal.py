"""Personal data: recall per type and hits on look-alikes, on the labelled sets beside this checkout."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gptgate.core.finding import Origin, Segment
from gptgate.core.ports import Inspector

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LABELLED = ("pii_synth_dev", "pii_presidio_large")


class Row(NamedTuple):
    """One type in one set: spans, how many of them a finding overlaps, and look-alikes that were taken for it."""

    data: str
    type: str
    spans: int
    found: int
    false_hits: int


def rows(inspector: Inspector) -> list[Row]:
    """All rows; none where the data is not beside this checkout."""
    return [row for name in LABELLED if (DATA / name).is_dir() for row in _rows_of(inspector, name)]


def _rows_of(inspector: Inspector, name: str) -> Iterator[Row]:
    spans: Counter[str] = Counter()
    found: Counter[str] = Counter()
    false_hits: Counter[str] = Counter()
    for text in _texts(name):
        findings = [
            one for one in inspector.inspect([Segment((), Origin.USER, text["text"])]) if one.kind.startswith("pii.")
        ]
        if text["kind"].startswith("hard_negative_"):
            false_hits[text["kind"].removeprefix("hard_negative_")] += bool(findings)
        for start, end, kind in text["spans"]:
            spans[kind] += 1
            found[kind] += any(one.start < end and one.end > start for one in findings)
    for kind in sorted(spans):
        yield Row(name, kind, spans[kind], found[kind], false_hits[kind])


def _texts(name: str) -> Iterator[dict[str, Any]]:
    with (DATA / name / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
