"""GET /v1/models, and GET /v1/models/{id}, in both dialects' shapes."""

from collections.abc import Sequence

from gptgate.core.document import encode_json
from gptgate.core.errors import ModelNotFound
from gptgate.core.snapshot import ModelSpec
from gptgate.core.wire import Dialect

EPOCH = "1970-01-01T00:00:00Z"
_SHOWN = 100


def render_models(models: Sequence[ModelSpec], dialect: Dialect) -> bytes:
    """The list of models. The gateway does not know when a model was made, and says so with the epoch."""
    data = [_shape(model, dialect) for model in models]
    if dialect is Dialect.ANTHROPIC:
        ends = {"first_id": models[0].name if models else None, "last_id": models[-1].name if models else None}
        return encode_json({"data": data, "has_more": False, **ends})
    return encode_json({"object": "list", "data": data})


def render_model(models: Sequence[ModelSpec], dialect: Dialect, name: str) -> bytes:
    """The one of them with this name. Raises ModelNotFound: who may not use a model learns nothing of it."""
    for model in models:
        if model.name == name:
            return encode_json(_shape(model, dialect))
    raise ModelNotFound(f"there is no model {name[:_SHOWN]!r} for this API key; GET /v1/models lists yours")


def _shape(model: ModelSpec, dialect: Dialect) -> dict[str, object]:
    if dialect is Dialect.ANTHROPIC:
        return {"type": "model", "id": model.name, "display_name": model.name, "created_at": EPOCH}
    return {"id": model.name, "object": "model", "created": 0, "owned_by": model.provider}
