"""Endpoints and dialects: what the data plane speaks."""

from enum import StrEnum


class Dialect(StrEnum):
    """The wire shape that a client or a provider speaks."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Endpoint(StrEnum):
    """The data plane's operations. The value is the name that configuration, keys and records use."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    MODELS = "models"


PATHS: dict[str, tuple[Endpoint, str, Dialect]] = {
    "/v1/chat/completions": (Endpoint.CHAT, "POST", Dialect.OPENAI),
    "/v1/embeddings": (Endpoint.EMBEDDINGS, "POST", Dialect.OPENAI),
    "/v1/messages": (Endpoint.MESSAGES, "POST", Dialect.ANTHROPIC),
    "/v1/messages/count_tokens": (Endpoint.COUNT_TOKENS, "POST", Dialect.ANTHROPIC),
    "/v1/models": (Endpoint.MODELS, "GET", Dialect.OPENAI),
}
"""Path → endpoint, the only method it takes, and the dialect its errors are rendered in."""

ONE_MODEL = "/v1/models/"
"""What follows is the name of the one model that is asked about, slashes included."""
