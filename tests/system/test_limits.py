"""Declared limits through the whole gateway, with the official clients: exact, told in headers, given back.

Tests that carry the name of a complaint about other gateways are about that symptom.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from harness import SERVER, Gateway, make_key, running_gateway
from probes import last_seq, records_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONFIG = (
    SERVER
    + """\
providers:
  - {name: simulator, kind: simulator, base_url: "@SIMULATOR@", retries: 0, timeouts: {first_byte: 30s, idle: 30s}}
models:
  - {name: sim, provider: simulator, max_output_tokens: 1000, price: free}
  - {name: other, provider: simulator, max_output_tokens: 1000, price: free}
teams: [{name: demo}]
apps:
  - {name: tokens, team: demo}
  - {name: scarce, team: demo}
  - {name: short, team: demo, limits: {requests_per_minute: 3}}
  - {name: pair, team: demo}
  - {name: users, team: demo}
  - {name: sessions, team: demo}
  - {name: streams, team: demo}
  - {name: routed, team: demo}
  - {name: unlimited, team: demo}
limits:
  - {name: token-rate, scope: [app], unit: total_tokens, amount: 100000, window: 1h, match: {apps: [tokens]}}
  - {name: token-day, scope: [key], unit: input_tokens, amount: 50000, window: 24h, match: {apps: [tokens]}}
  - {name: scarce-calls, scope: [app], unit: requests, amount: 2, window: 1h, match: {apps: [scarce]}}
  - {name: scarce-tokens, scope: [app], unit: total_tokens, amount: 1700, window: 1h, match: {apps: [scarce]}}
  - {name: app-model, scope: [app, model], unit: requests, amount: 1, window: 1h, match: {apps: [pair]}}
  - {name: per-user, scope: [end_user], unit: requests, amount: 1, window: 1h, match: {apps: [users]}}
  - {name: per-session, scope: [session], unit: requests, amount: 1, window: 1h, match: {apps: [sessions]}}
  - {name: one-stream, scope: [app], unit: concurrent_streams, amount: 1, match: {apps: [streams]}}
  - {name: only-other, scope: [app], unit: requests, amount: 1, window: 1h, match: {apps: [routed], models: [other]}}
policy:
  rules:
    - {id: reroute, stage: request, effect: route, apps: [routed], models: [sim], obligations: {route_to: other}}
"""
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), CONFIG) as running:
        yield running


def openai_client(gateway: Gateway, app: str, **options: Any) -> openai.AsyncOpenAI:
    key = make_key(gateway.folder, app=app)
    gateway.app.load_keys()
    return openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=key, **options)


def anthropic_client(gateway: Gateway, app: str) -> anthropic.AsyncAnthropic:
    key = make_key(gateway.folder, app=app)
    gateway.app.load_keys()
    return anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=key)


async def ask(client: openai.AsyncOpenAI, text: str = "echo: hi", model: str = "sim", **options: Any) -> Any:
    """The raw answer: headers and all."""
    asked = {"max_tokens": 100, "messages": [{"role": "user", "content": text}], **options}
    return await client.chat.completions.with_raw_response.create(model=model, **asked)


def left(headers: Any, what: str = "tokens") -> int:
    return int(headers[f"x-ratelimit-remaining-{what}"])


async def test_tokens_that_were_not_used_are_back_in_the_answers_own_headers(gateway: Gateway) -> None:
    async with openai_client(gateway, "tokens") as client:
        answer = await ask(client)
    used = answer.parse().usage.total_tokens
    # The input tokens of the key are the tightest: 50,000 less what the provider counted.
    assert int(answer.headers["x-ratelimit-limit-tokens"]) == 50_000
    assert left(answer.headers) == 50_000 - answer.parse().usage.prompt_tokens
    assert re.fullmatch(r"(\d+h)?(\d+m)?\d+(\.\d+)?s|\d+ms", answer.headers["x-ratelimit-reset-tokens"])
    assert used < 100


async def test_a_streams_head_counts_its_ceiling_and_the_next_answer_what_it_took(gateway: Gateway) -> None:
    async with openai_client(gateway, "tokens") as client:
        stream = await ask(client, "words: 50", stream=True)
        head = left(stream.headers)
        async for _ in stream.parse():
            pass
        await gateway.settled()
        after = left((await ask(client)).headers)
    # The next request's own few tokens are in there too.
    assert head < after < 50_000


async def test_the_anthropic_dialect_has_its_own_names_and_instants(gateway: Gateway) -> None:
    async with anthropic_client(gateway, "tokens") as client:
        before = datetime.now(UTC)
        answer = await client.messages.with_raw_response.create(
            model="sim", max_tokens=50, messages=[{"role": "user", "content": "echo: hi"}]
        )
        after = datetime.now(UTC)
    headers = answer.headers
    assert int(headers["anthropic-ratelimit-input-tokens-limit"]) == 50_000
    assert int(headers["anthropic-ratelimit-tokens-limit"]) == 50_000
    taken = 50_000 - int(headers["anthropic-ratelimit-input-tokens-remaining"])
    assert taken == (await _parsed(answer)).usage.input_tokens
    reset = datetime.fromisoformat(headers["anthropic-ratelimit-input-tokens-reset"])
    assert before <= reset <= after + timedelta(seconds=2 + taken * 86_400 / 50_000 + 2)
    assert not [name for name in headers if name.startswith("x-ratelimit")]


async def _parsed(answer: Any) -> Any:
    parsed = answer.parse()
    return await parsed if asyncio.iscoroutine(parsed) else parsed


async def test_no_limit_no_header(gateway: Gateway) -> None:
    async with openai_client(gateway, "unlimited") as client:
        answer = await ask(client)
    assert not [name for name in answer.headers if "ratelimit" in name]


async def test_refusals_carry_the_headers_too(gateway: Gateway) -> None:
    async with openai_client(gateway, "short", max_retries=0) as client:
        assert left((await ask(client)).headers, "requests") == 2
        with pytest.raises(openai.NotFoundError) as unknown:
            await ask(client, model="nobody")
        # Refused before it was admitted: nothing was charged, and it is told how it stands.
        assert left(unknown.value.response.headers, "requests") == 2
        assert left((await client.models.with_raw_response.list()).headers, "requests") == 1
        assert left((await ask(client)).headers, "requests") == 0
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(client)
    headers = caught.value.response.headers
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("3", "0")
    assert 0 < int(headers["retry-after-ms"]) <= 20_000


async def test_a_provider_that_fails_leaves_the_headers_on(gateway: Gateway) -> None:
    async with openai_client(gateway, "tokens", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await ask(client, "fault: status=429\necho: hi")
    # The provider did not begin, so nothing of this key's tokens is gone.
    assert left(caught.value.response.headers) == 50_000


async def test_remaining_decreases_after_inference(gateway: Gateway) -> None:
    """envoyproxy/ai-gateway#1754: the remaining counter never decreases."""
    async with openai_client(gateway, "tokens") as client:
        seen = [left((await ask(client)).headers) for _ in range(4)]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 4


async def test_a_request_refused_for_its_tokens_is_charged_nothing(gateway: Gateway) -> None:
    """All limits admit, or none is charged: the count of requests is given back too."""
    async with openai_client(gateway, "scarce", max_retries=0) as client:
        since = await last_seq(gateway)
        for _ in range(3):
            with pytest.raises(openai.RateLimitError) as caught:
                await ask(client, max_tokens=2000)
            assert caught.value.code == "exceeds_limit"
            assert caught.value.response.headers["x-should-retry"] == "false"
            assert left(caught.value.response.headers, "requests") == 2
        await ask(client)
        await ask(client)
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(client)
        assert caught.value.code == "rate_limited"
    ends = [record.end for record in await records_of(gateway, since) if record.end is not None]
    assert [end.limit for end in ends] == ["scarce-tokens"] * 3 + ["", ""] + ["scarce-calls"]
    scraped = gateway.app.telemetry.scrape().decode()
    assert 'gptgate_limit_refusals_total{limit="scarce-tokens"} 3.0' in scraped


async def test_a_request_that_never_fits_is_sent_once(gateway: Gateway) -> None:
    async with openai_client(gateway, "scarce") as client:
        since = await last_seq(gateway)
        with pytest.raises(openai.RateLimitError):
            await ask(client, max_tokens=2000)
    assert len(await records_of(gateway, since)) == 1


async def test_a_limit_per_app_and_model_counts_each_pair(gateway: Gateway) -> None:
    async with openai_client(gateway, "pair", max_retries=0) as client:
        await ask(client, model="sim")
        await ask(client, model="other")
        with pytest.raises(openai.RateLimitError, match="app-model"):
            await ask(client, model="sim")


async def test_end_users_and_sessions_are_counted_apart(gateway: Gateway) -> None:
    async with openai_client(gateway, "users", max_retries=0) as client:
        await ask(client, user="ann")
        await ask(client, user="bob")
        await ask(client)
        for named in ({"user": "ann"}, {}):
            with pytest.raises(openai.RateLimitError, match="per-user") as caught:
                await ask(client, **named)
            assert "ann" not in str(caught.value)
    async with openai_client(gateway, "sessions", max_retries=0) as client:
        await ask(client, extra_headers={"x-gptgate-session": "1"})
        await ask(client, extra_headers={"x-gptgate-session": "2"})
        with pytest.raises(openai.RateLimitError, match="per-session"):
            await ask(client, extra_headers={"x-gptgate-session": "1"})


async def test_streams_at_a_time_leave_other_requests_alone(gateway: Gateway) -> None:
    async with openai_client(gateway, "streams", max_retries=0) as client:
        stream = await ask(client, "fault: chunk=1 delay=20ms\nwords: 30", stream=True)
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(client, stream=True)
        assert caught.value.code == "concurrency_limited"
        await ask(client)
        async for _ in stream.parse():
            pass
        await gateway.settled()
        async for _ in (await ask(client, stream=True)).parse():
            pass


async def test_a_routed_request_falls_under_the_limits_of_its_new_model(gateway: Gateway) -> None:
    async with openai_client(gateway, "routed", max_retries=0) as client:
        await ask(client, model="sim")
        with pytest.raises(openai.RateLimitError, match="only-other"):
            await ask(client, model="sim")


async def test_a_limit_of_few_tokens_does_not_let_everything_pass(gateway: Gateway) -> None:
    """BerriAI/litellm#10555: with a small token limit everything passes."""
    async with openai_client(gateway, "scarce", max_retries=0) as client:
        results = await asyncio.gather(*(ask(client, max_tokens=1100) for _ in range(10)), return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in results) <= 1


async def test_a_caller_who_hangs_up_pays_for_what_it_may_have_taken(gateway: Gateway) -> None:
    """defilantech/LLMKube#1852: asking for a stream and leaving evades a token limit."""
    async with openai_client(gateway, "tokens") as client:
        before = left((await ask(client)).headers)
        stream = (await ask(client, "fault: chunk=1 delay=20ms\nwords: 200", stream=True)).parse()
        async for _ in stream:
            break
        await stream.close()
        await gateway.settled()
        after = left((await ask(client)).headers)
    assert before - after > 300
