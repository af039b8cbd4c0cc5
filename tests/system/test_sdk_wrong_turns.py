"""What developers read whose base URL, key or name is wrong, or whose client asks for what is not served."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from harness import Gateway, running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGES: list[Any] = [{"role": "user", "content": "echo: hello"}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway")) as running:
        yield running


async def openai_chat(gateway: Gateway, end: str, model: str = "sim-gpt", key: str = "") -> str | None:
    async with openai.AsyncOpenAI(base_url=gateway.base_url + end, api_key=key or gateway.key) as client:
        answer = await client.chat.completions.create(model=model, messages=MESSAGES)
        return answer.choices[0].message.content


async def anthropic_message(gateway: Gateway, end: str) -> str | None:
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url + end, api_key=gateway.key) as client:
        answer = await client.messages.create(model="sim-claude", max_tokens=9, messages=MESSAGES)
        return getattr(answer.content[0], "text", None)


async def test_a_slash_at_the_end_of_a_base_url_is_the_clients_matter(gateway: Gateway) -> None:
    assert await openai_chat(gateway, "/v1/") == "hello"
    assert await anthropic_message(gateway, "/") == "hello"


@pytest.mark.parametrize("end", ["", "/v1/v1", "//v1", "/v1/chat/completions", "/openai/v1"])
async def test_openais_client_with_another_base_url(gateway: Gateway, end: str) -> None:
    with pytest.raises(
        openai.NotFoundError, match=r"did you mean /v1/chat/completions\? Check the base URL"
    ) as refused:
        await openai_chat(gateway, end)
    assert refused.value.code == "route_not_found"


@pytest.mark.parametrize("end", ["/v1", "/v1/messages", "/anthropic"])
async def test_anthropics_client_with_another_base_url(gateway: Gateway, end: str) -> None:
    with pytest.raises(anthropic.NotFoundError, match=r"did you mean /v1/messages\? Check the base URL") as refused:
        await anthropic_message(gateway, end)
    assert refused.value.type == "not_found_error"


async def test_apis_that_are_not_served_say_what_to_use(gateway: Gateway) -> None:
    async with openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=gateway.key) as client:
        with pytest.raises(openai.NotFoundError, match=r"The Responses API is not served\..* /v1/chat/completions"):
            await client.responses.create(model="sim-gpt", input="hello")
        with pytest.raises(openai.NotFoundError, match="Completions without chat are not served"):
            await client.completions.create(model="sim-gpt", prompt="hello")
        with pytest.raises(openai.NotFoundError, match="Files are not served"):
            await client.files.list()
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=gateway.key) as caller:
        with pytest.raises(anthropic.NotFoundError, match="Batches are not served"):
            await caller.messages.batches.list()


async def test_a_providers_key_and_a_name_in_another_spelling(gateway: Gateway) -> None:
    with pytest.raises(openai.AuthenticationError, match="keys of its own, which begin with 'sk-gate-'"):
        await openai_chat(gateway, "/v1", key="sk-proj-0123456789")
    for name in ("SIM-GPT", "openai/sim-gpt"):
        with pytest.raises(openai.NotFoundError, match="did you mean 'sim-gpt'"):
            await openai_chat(gateway, "/v1", model=name)
