"""An organisation's own classifier: ``POST /v1/classify``, the question signed, the answer of a fixed shape.

Question: ``{"classifier": NAME, "texts": [{"origin": "user", "text": "…"}]}``. Answer: ``{"labels": [{"label": "…",
"score": 0.97}]}`` and nothing else. How it is signed: `upstream.signature`.
"""

from decimal import Decimal

import msgspec
from msgspec import Struct

from gptgate.core.beside import ClassifierSpec
from gptgate.core.document import encode_json
from gptgate.upstream.classifiers.wire import Headers, Said, Texts, merged, permille, typed
from gptgate.upstream.signature import signature_headers


class _Label(Struct, forbid_unknown_fields=True):
    label: str
    score: Decimal


class _Answer(Struct, forbid_unknown_fields=True):
    labels: list[_Label]


_DECODE = msgspec.json.Decoder(_Answer).decode


class Webhook:
    """The secret signs; it is never sent."""

    path = "/v1/classify"

    def encode(self, spec: ClassifierSpec, texts: Texts) -> bytes:
        return encode_json(
            {"classifier": spec.name, "texts": [{"origin": origin.value, "text": text} for origin, text in texts]}
        )

    def sign(self, body: bytes, secret: str, at_s: int) -> Headers:
        return signature_headers(body, secret, at_s)

    def decode(self, _spec: ClassifierSpec, body: bytes, _texts: Texts) -> Said:
        return Said(merged((label.label, permille(label.score)) for label in typed(body, _DECODE).labels))
