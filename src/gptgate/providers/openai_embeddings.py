"""POST /v1/embeddings."""

from collections.abc import Mapping, Sequence
from typing import Any

from gptgate.core.adapter import Answer, StreamCodec
from gptgate.core.document import MAX_PLAIN_NUMBER, apply_edits
from gptgate.core.errors import InternalFault, InvalidField
from gptgate.core.facts import ChatRequest, Permit, RawRequest
from gptgate.core.finding import Origin, Path, Segment
from gptgate.core.snapshot import ModelSpec, ProviderSpec
from gptgate.core.wire import Dialect, Endpoint
from gptgate.providers.fields import optional_text, own_spelling, required_text
from gptgate.providers.headers import header_segments
from gptgate.providers.openai_common import base_edits, read_usage
from gptgate.providers.walk import collect, member

NUMBERS = frozenset({int, float})
READ = frozenset({"model", "input", "user"})
TOKENS = "tokens"
"""What a segment says that it holds whose text is given as numbers; see `Segment.media`. Threat: no detector reads it,
and some clients send all their texts like this."""


class OpenAIEmbeddings:
    """Embeddings: input only, no stream."""

    endpoint = Endpoint.EMBEDDINGS
    dialect = Dialect.OPENAI
    path = "/v1/embeddings"
    can_stream = False
    billed = True

    def read(self, raw: RawRequest, document: dict[str, Any]) -> ChatRequest:
        own_spelling(document, READ)
        model = required_text(document, "model")
        given = document.get("input")
        if given is None or type(given) not in (str, list) or given in ("", []):
            raise InvalidField("'input' must be a string or a list that is not empty.", param="input")
        out: list[Segment] = []
        for key, value in document.items():
            member(key, value, (), Origin.USER if key == "input" else Origin.OTHER, out)
        if _holds_tokens(given):
            out.append(Segment(("input",), Origin.USER, "", media=TOKENS))
        return ChatRequest(
            endpoint=self.endpoint,
            dialect=self.dialect,
            body=raw.body,
            document=document,
            model=model,
            stream=False,
            wants_usage=False,
            max_output_tokens=None,
            choices=1,
            media=0,
            end_user=optional_text(document, "user"),
            segments=tuple(out) + header_segments(self.dialect, raw.headers),
        )

    def encode(self, permit: Permit, model: ModelSpec, provider: ProviderSpec) -> bytes:
        return apply_edits(permit.request.body, base_edits(permit.request, dict(permit.edits), model))

    def decode(self, document: dict[str, Any]) -> Answer:
        out: list[Segment] = []
        for key, value in document.items():
            if key == "data" and type(value) is list:
                for index, item in enumerate(value):
                    _item_segments(item, (key, index), out)
            else:
                member(key, value, (), Origin.ASSISTANT, out)
        model = document.get("model")
        return Answer(
            document,
            tuple(out),
            model if type(model) is str else "",
            read_usage(document.get("usage"), has_output=False),
        )

    def repeats(self, edited: Sequence[Path], document: dict[str, Any]) -> Mapping[Path, bytes]:
        return {}

    def stream(self, request: ChatRequest, limit: int) -> StreamCodec:
        raise InternalFault("Embeddings have no stream.")


def _holds_tokens(given: str | list[Any]) -> bool:
    """Whether a text is given as numbers of tokens, alone or as one of many."""
    return type(given) is list and any(
        type(item) in NUMBERS or (type(item) is list and not NUMBERS.isdisjoint(map(type, item))) for item in given
    )


def _item_segments(item: Any, path: Path, out: list[Segment]) -> None:
    if type(item) is dict:
        item = {key: value for key, value in item.items() if key != "embedding" or not _is_vector(value)}
    collect(item, path, Origin.ASSISTANT, out)


def _is_vector(value: Any) -> bool:
    """Numbers too small to hide anything: an encoding of the input, not words."""
    if type(value) is not list or not value or not NUMBERS.issuperset(map(type, value)):
        return False
    return bool(min(value) > -MAX_PLAIN_NUMBER and max(value) < MAX_PLAIN_NUMBER)
