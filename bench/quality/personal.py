"""Personal data: spans found per type, hits on look-alikes, and hits per kind in ordinary texts.

The labelled sets and the ordinary ones are beside the checkout; `python -m bench.quality.personal` prints both tables.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bench.quality.samples import ABSENT, BENIGN_SETS, SAMPLES, read_samples
from gptgate.core.finding import Origin, Segment
from gptgate.core.ports import Inspector
from gptgate.detectors import build_inspector

LABELLED = ("pii_synth_dev", "pii_presidio_large")
KIND_OF: Mapping[str, str] = {
    "ADDRESS": "pii.address",
    "BR_CPF": "pii.br_cpf",
    "CREDIT_CARD": "pii.payment_card",
    "EMAIL_ADDRESS": "pii.email",
    "ES_DNI": "pii.es_dni",
    "IBAN_CODE": "pii.iban",
    "IP_ADDRESS": "pii.ip_address",
    "PHONE_NUMBER": "pii.phone",
    "PL_PESEL": "pii.pl_pesel",
    "UK_NHS": "pii.uk_nhs",
    "US_DRIVER_LICENSE": "pii.driving_licence",
    "US_SSN": "pii.us_ssn",
}
"""Types that a detector claims to find. Names of people, towns and firms are not among them."""


class Row(NamedTuple):
    """One type in one set. `found` spans overlap a finding of the kind; `right` findings of the kind overlap a span."""

    data: str
    type: str
    spans: int
    found: int
    findings: int
    right: int
    look_alikes_hit: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        recall, precision = self.found / self.spans, self.right / max(self.findings, 1)
        return 2 * recall * precision / (recall + precision) if self.right else 0.0


def rows(inspector: Inspector) -> list[Row]:
    """All rows; none where the data is not beside this checkout."""
    return [row for name in LABELLED if (SAMPLES / name).is_dir() for row in _rows_of(name, inspector)]


def ordinary_hits(inspector: Inspector) -> Mapping[str, float]:
    """For each kind that is seen there, in how many ordinary texts of a thousand."""
    texts = [sample.text for sample in read_samples(BENIGN_SETS)]
    hits = Counter(kind for text in texts for kind in {one[0] for one in _found(inspector, text)})
    return {kind: 1000 * count / len(texts) for kind, count in sorted(hits.items())}


def _rows_of(name: str, inspector: Inspector) -> Iterator[Row]:
    spans, found, findings, right, false_hits = (Counter[str]() for _ in range(5))
    for text in _texts(name):
        seen = _found(inspector, text["text"])
        if text["kind"].startswith("hard_negative_"):
            false_hits[text["kind"].removeprefix("hard_negative_")] += bool(seen)
        for type_, kind in KIND_OF.items():
            wanted = [(start, end) for start, end, label in text["spans"] if label == type_]
            given = [(start, end) for one, start, end in seen if one == kind]
            spans[type_] += len(wanted)
            findings[type_] += len(given)
            found[type_] += sum(any(a < end and start < b for a, b in given) for start, end in wanted)
            right[type_] += sum(any(a < end and start < b for a, b in wanted) for start, end in given)
    for type_ in sorted(+spans):
        yield Row(name, type_, spans[type_], found[type_], findings[type_], right[type_], false_hits[type_])


def _found(inspector: Inspector, text: str) -> list[tuple[str, int, int]]:
    findings = inspector.inspect([Segment((), Origin.USER, text)])
    return [(one.kind, one.start, one.end) for one in findings if one.kind.startswith("pii.")]


def _texts(name: str) -> Iterator[dict[str, Any]]:
    with (SAMPLES / name / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def main() -> None:
    """Print the tables."""
    inspector = build_inspector()
    measured = rows(inspector)
    if not measured:
        print(ABSENT)
        return
    for row in measured:
        print(
            f"{row.data:20} {row.type:18} recall {row.found}/{row.spans}, precision {row.right}/{row.findings}, "
            f"F1 {row.f1:.3f}, look-alikes hit {row.look_alikes_hit}"
        )
    for kind, hits in ordinary_hits(inspector).items():
        print(f"{kind:24} {hits:.2f} of 1,000 ordinary texts")


if __name__ == "__main__":
    main()
