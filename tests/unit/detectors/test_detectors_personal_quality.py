"""Personal data in the labelled sets beside this checkout: the bars. Absent sets: skipped."""

import pytest
from bench.quality.personal import KIND_OF, Row, rows
from bench.quality.samples import SAMPLES

from gptgate.detectors import KINDS, TextInspector

WITH_CHECKSUM = {"BR_CPF", "CREDIT_CARD", "ES_DNI", "IBAN_CODE", "PL_PESEL", "UK_NHS"}


def test_types_are_of_kinds_that_exist() -> None:
    assert set(KIND_OF.values()) <= set(KINDS)


def test_f1_is_the_harmonic_mean() -> None:
    assert Row("a", "b", spans=4, found=2, findings=1, right=1, look_alikes_hit=0).f1 == pytest.approx(2 / 3)
    assert Row("a", "b", spans=4, found=0, findings=0, right=0, look_alikes_hit=0).f1 == 0


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample texts are not beside this checkout")
def test_labelled_spans_are_found_and_look_alikes_left_alone(inspector: TextInspector) -> None:
    measured = rows(inspector)
    assert len(measured) > 15
    for row in measured:
        least = 0.99 if row.type in WITH_CHECKSUM else 0.85 if row.type != "ADDRESS" else 0.2
        assert row.found >= least * row.spans, row
        assert row.look_alikes_hit == 0, row
