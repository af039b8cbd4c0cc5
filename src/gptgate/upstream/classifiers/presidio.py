"""A Presidio analyzer: ``POST /analyze``, one list of entities for each text, each with its place in it.

It counts characters as Python does, and so does the gateway. A place outside of its text is no answer. It takes several
texts at once from release 2.2.361 on; an older one answers with an error, which is a failure.
"""

from decimal import Decimal

import msgspec
from msgspec import Struct

from gptgate.core.beside import ClassifierSpec
from gptgate.core.classifier import Span
from gptgate.core.document import encode_json
from gptgate.upstream.classifiers.wire import Nonsense, Said, Texts, bearer, label_of, merged, permille, typed


class _Entity(Struct):
    entity_type: str
    start: int
    end: int
    score: Decimal


class _Answer(Struct, forbid_unknown_fields=True):
    texts: list[list[_Entity]]


_DECODE = msgspec.json.Decoder(_Answer).decode


class Presidio:
    """What scores less than the first step of `scores` is asked for by nobody."""

    path = "/analyze"
    sign = staticmethod(bearer)

    def encode(self, spec: ClassifierSpec, texts: Texts) -> bytes:
        return encode_json(
            {
                "text": [text for _, text in texts],
                "language": spec.language,
                "score_threshold": spec.scores[0][0] / 1000,
            }
        )

    def decode(self, spec: ClassifierSpec, body: bytes, texts: Texts) -> Said:
        # The answer is a list; the strict reader reads objects.
        found = typed(b'{"texts":' + body + b"}", _DECODE).texts
        if len(found) != len(texts):
            raise Nonsense("there is not one list for each text")
        spans: dict[tuple[int, int, int, str], int] = {}
        for number, (entities, (_, text)) in enumerate(zip(found, texts, strict=True)):
            for entity in entities:
                if not 0 <= entity.start < entity.end <= len(text):
                    raise Nonsense("an entity stands where no text is")
                score = permille(entity.score)
                if score >= spec.scores[0][0]:
                    place = number, entity.start, entity.end, label_of(entity.entity_type)
                    spans[place] = max(score, spans.get(place, 0))
        labels = merged((label, score) for (_, _, _, label), score in spans.items())
        return Said(labels, tuple(Span(*place, score) for place, score in sorted(spans.items())))
