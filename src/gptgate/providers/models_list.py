"""GET /v1/models in both dialects' shapes."""

from collections.abc import Sequence

from gptgate.core.document import encode_json
from gptgate.core.snapshot import ModelSpec
from gptgate.core.wire import Dialect

EPOCH = "1970-01-01T00:00:00Z"


def render_models(models: Sequence[ModelSpec], dialect: Dialect) -> bytes:
    """The list of models. The gateway does not know when a model was made, and says so with the epoch."""
    if dialect is Dialect.ANTHROPIC:
        data: list[dict[str, object]] = [
            {"type": "model", "id": model.name, "display_name": model.name, "created_at": EPOCH} for model in models
        ]
        ends = {"first_id": models[0].name if models else None, "last_id": models[-1].name if models else None}
        return encode_json({"data": data, "has_more": False, **ends})
    data = [{"id": model.name, "object": "model", "created": 0, "owned_by": model.provider} for model in models]
    return encode_json({"object": "list", "data": data})
