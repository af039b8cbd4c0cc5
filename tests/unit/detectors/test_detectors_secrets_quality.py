"""How many secrets are found, and how many texts without one are taken for secrets, in the sample texts."""

import pytest
from bench.quality.samples import ABSENT, SAMPLES
from bench.quality.secrets import measure

from gptgate.detectors import TextInspector

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=ABSENT)


def test_nine_in_ten_secrets_are_found_and_few_texts_are_taken_for_one(inspector: TextInspector) -> None:
    measured = measure(inspector)
    print(measured)
    assert measured.cases > 290
    assert measured.found >= 0.9 * measured.cases
    assert measured.ordinary > 10_000
    assert measured.false_per_thousand <= 5
