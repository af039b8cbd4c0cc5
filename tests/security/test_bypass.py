"""Ways around the guards that a caller tries, and what a provider says beside its answer."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gptgate.core.wire import PATHS, Dialect, Endpoint
from gptgate.storage.keys import KeyStore
from harness import Gateway, make_key, running_gateway
from probes import RecordingSimulator, Scripted, http_request, last_seq, records_of, send_raw
from raw_client import RawClient
from waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

POSTS = [path for path, (_, method, _) in PATHS.items() if method == "POST"]
CARD = "4111111111111111"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> RecordingSimulator:
    return RecordingSimulator()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, provider: RecordingSimulator) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), simulator=provider) as running:
        yield running


def body_of(path: str, **changes: Any) -> bytes:
    endpoint, _, dialect = PATHS[path]
    document: dict[str, Any] = {"model": "sim-gpt" if dialect is Dialect.OPENAI else "sim-claude"}
    if endpoint is Endpoint.EMBEDDINGS:
        document = {"model": "sim-embed", "input": "hi"}
    else:
        document["messages"] = [{"role": "user", "content": "echo: hi"}]
    if endpoint in (Endpoint.CHAT, Endpoint.MESSAGES):
        document["max_tokens"] = 10
    return json.dumps({**document, **changes}).encode()


@pytest.mark.parametrize("header", ["tracestate", "openai-beta", "anthropic-beta", "anthropic-version", "traceparent"])
@pytest.mark.parametrize("value", [CARD, f"a={CARD}", "jane.doe@example.com"])
@pytest.mark.parametrize("path", POSTS)
async def test_what_travels_in_a_header_is_judged(
    gateway: Gateway, provider: RecordingSimulator, path: str, header: str, value: str
) -> None:
    seen = len(provider.seen)
    request = http_request("POST", path, [("x-api-key", gateway.key), (header, value)], body_of(path))
    answer = await send_raw(gateway.base_url, request)
    assert answer.status == 200 or answer.headers["x-gptgate-error"] == "redaction_impossible"
    assert len(provider.seen) == seen + (answer.status == 200)
    assert all(value.encode() not in one.everything() for one in provider.seen[seen:])
    assert value not in str(answer.headers) + answer.body.decode()


@pytest.mark.parametrize("path", POSTS)
async def test_ordinary_versions_and_betas_pass(gateway: Gateway, provider: RecordingSimulator, path: str) -> None:
    names = {"anthropic-version": "2023-01-01", "anthropic-beta": "a-2025-01-01,b-1"}
    if PATHS[path][2] is Dialect.OPENAI:
        names = {"openai-beta": "assistants=v2"}
    request = http_request("POST", path, [("x-api-key", gateway.key), *names.items()], body_of(path))
    assert (await send_raw(gateway.base_url, request)).status == 200
    assert {name: provider.seen[-1].header(name) for name in names} == {name: [names[name]] for name in names}


SPELLINGS = [
    *[(path, name) for path in POSTS for name in ("Model", "MODEL", "mOdel")],
    *[(path, name) for path in POSTS if path != "/v1/embeddings" for name in ("Messages", "meſſages")],
    ("/v1/chat/completions", "N"),
    ("/v1/chat/completions", "Max_Completion_Tokens"),
    ("/v1/chat/completions", "max_toKens"),
    ("/v1/messages", "Stream"),
    ("/v1/embeddings", "Input"),
]


@pytest.mark.parametrize(("path", "name"), SPELLINGS)
async def test_a_field_has_one_spelling(gateway: Gateway, provider: RecordingSimulator, path: str, name: str) -> None:
    """Readers that do not look at case would take another model, or another bound, than the gateway judged."""
    seen = len(provider.seen)
    request = http_request("POST", path, [("x-api-key", gateway.key)], body_of(path, **{name: 5}))
    answer = await send_raw(gateway.base_url, request)
    assert (answer.status, answer.headers["x-gptgate-error"]) == (400, "invalid_request")
    assert len(provider.seen) == seen


async def test_a_key_that_is_revoked_while_the_body_arrives_opens_nothing(
    gateway: Gateway, provider: RecordingSimulator
) -> None:
    key = make_key(gateway.folder)
    gateway.app.load_keys()
    since, seen = await last_seq(gateway), len(provider.seen)
    request = http_request("POST", POSTS[0], [("x-api-key", key)], body_of(POSTS[0]))
    client = await RawClient.connect(gateway.base_url)
    await client.send(request[:-1])
    await eventually(lambda: gateway.app.data_plane.in_flight)
    with KeyStore(gateway.folder) as store:
        store.revoke(key.split("-")[2], 1)
    gateway.app.load_keys()
    await client.send(request[-1:])
    status, headers, _ = await client.answer()
    await client.close()
    assert (status, headers["x-gptgate-error"]) == (401, "api_key_revoked")
    assert len(provider.seen) == seen
    refused = [record for record in await records_of(gateway, since) if record.intent.endpoint == "chat"]
    assert [record.end.code for record in refused if record.end] == ["api_key_revoked"]


@pytest.mark.parametrize("vector", [[int(CARD)], [0.1, float(CARD)], CARD, f"AAAA+{CARD}/AAA"], ids=str)
async def test_no_card_number_is_a_vector(gateway: Gateway, provider: RecordingSimulator, vector: Any) -> None:
    document = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": vector}], "model": "m"}
    provider.scripted.append(Scripted(chunks=[json.dumps(document).encode()]))
    path = "/v1/embeddings"
    answer = await send_raw(gateway.base_url, http_request("POST", path, [("x-api-key", gateway.key)], body_of(path)))
    assert answer.status == 200
    assert CARD not in answer.body.decode()


@pytest.mark.parametrize("name", ["openai-version", "openai-processing-ms"])
async def test_nothing_gets_out_in_an_answers_header(gateway: Gateway, provider: RecordingSimulator, name: str) -> None:
    headers = [(b"content-type", b"application/json"), (name.encode(), CARD.encode())]
    provider.scripted.append(Scripted(headers=headers, chunks=[b"{}"]))
    path = "/v1/chat/completions"
    answer = await send_raw(gateway.base_url, http_request("POST", path, [("x-api-key", gateway.key)], body_of(path)))
    assert answer.status == 200
    assert CARD not in str(answer.headers)
