"""The list of models, in the shape that the caller's dialect expects."""

from collections.abc import Sequence
from typing import Any

BORN = "2023-11-14T22:13:20Z"
CREATED = 1_700_000_000


def openai_list(models: Sequence[str]) -> dict[str, Any]:
    """``GET /v1/models`` of OpenAI."""
    return {"object": "list", "data": [openai_model(model) for model in models]}


def openai_model(model: str) -> dict[str, Any]:
    """``GET /v1/models/{id}`` of OpenAI."""
    return {"id": model, "object": "model", "created": CREATED, "owned_by": "gptgate-simulator"}


def anthropic_list(models: Sequence[str]) -> dict[str, Any]:
    """``GET /v1/models`` of Anthropic: one page that holds all."""
    return {
        "data": [anthropic_model(model) for model in models],
        "has_more": False,
        "first_id": models[0] if models else None,
        "last_id": models[-1] if models else None,
    }


def anthropic_model(model: str) -> dict[str, Any]:
    """``GET /v1/models/{id}`` of Anthropic."""
    return {"type": "model", "id": model, "display_name": model, "created_at": BORN, "lifecycle": "active"}
