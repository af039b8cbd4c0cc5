"""An OpenAI-compatible moderation endpoint: ``POST /v1/moderations``, one result for each text."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from gptgate.core.beside import ClassifierSpec
from gptgate.core.classifier import FLAGGED
from gptgate.core.document import encode_json
from gptgate.upstream.classifiers.wire import Nonsense, Said, Texts, bearer, label_of, merged, permille, typed


class _Result(Struct):
    categories: dict[str, bool]
    category_scores: dict[str, Decimal]


class _Answer(Struct):
    results: list[_Result]


_DECODE = msgspec.json.Decoder(_Answer).decode


class Moderation:
    """The endpoint's own flags count: a category that it flags has a score of at least `FLAGGED`."""

    path = "/v1/moderations"
    sign = staticmethod(bearer)

    def encode(self, spec: ClassifierSpec, texts: Texts) -> bytes:
        model = {"model": spec.model} if spec.model else {}
        return encode_json({**model, "input": [text for _, text in texts]})

    def decode(self, _spec: ClassifierSpec, body: bytes, texts: Texts) -> Said:
        results = typed(body, _DECODE).results
        if len(results) != len(texts):
            raise Nonsense("there is not one result for each text")
        labels: list[tuple[str, int]] = []
        for result in results:
            if result.categories.keys() != result.category_scores.keys():
                raise Nonsense("categories and scores differ")
            for category, score in result.category_scores.items():
                least = FLAGGED if result.categories[category] else 0
                labels.append((label_of(category), max(permille(score), least)))
        return Said(merged(labels))
