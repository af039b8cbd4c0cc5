"""The endpoints that the gateway speaks. One line each; the golden and contract tests run over this table."""

from gptgate.core.adapter import Adapter
from gptgate.core.wire import Endpoint
from gptgate.providers.anthropic_messages import AnthropicCountTokens, AnthropicMessages
from gptgate.providers.openai_chat import OpenAIChat
from gptgate.providers.openai_embeddings import OpenAIEmbeddings

ADAPTERS: dict[Endpoint, Adapter] = {
    Endpoint.CHAT: OpenAIChat(),
    Endpoint.EMBEDDINGS: OpenAIEmbeddings(),
    Endpoint.MESSAGES: AnthropicMessages(),
    Endpoint.COUNT_TOKENS: AnthropicCountTokens(),
}
