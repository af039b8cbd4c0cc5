"""Guards against loops and floods, with the official clients: each has its own code, record and metric."""

from collections.abc import AsyncIterator
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
providers: [{name: simulator, kind: simulator, base_url: "@SIMULATOR@", retries: 0}]
models: [{name: sim, provider: simulator, max_output_tokens: 1000, price: free}]
teams: [{name: demo}]
apps:
  - {name: demo, team: demo}
  - {name: second, team: demo}
  - {name: hasty, team: demo, limits: {requests_per_minute: 1}}
guards:
  ignored_retry_after: {times: 2, window: 24h}
  session: {requests: 3, tokens: 5000}
  repeated_requests: {times: 3, window: 24h}
  prompt: {max_bytes: 4096, max_tokens: 2000}
  failed_authentications: {times: 5, window: 24h}
"""
)


@pytest_asyncio.fixture(loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("gateway"), CONFIG) as running:
        yield running


def client(gateway: Gateway, app: str = "demo", key: str = "") -> openai.AsyncOpenAI:
    key = key or make_key(gateway.folder, app=app)
    gateway.app.load_keys()
    return openai.AsyncOpenAI(base_url=gateway.base_url + "/v1", api_key=key)


async def ask(caller: openai.AsyncOpenAI, text: str = "echo: hi", **options: Any) -> str:
    messages: Any = [{"role": "user", "content": text}]
    answer: Any = await caller.chat.completions.create(model="sim", messages=messages, max_tokens=50, **options)
    return str(answer.choices[0].message.content)


def counted(gateway: Gateway, guard: str) -> bool:
    return f'gptgate_limit_refusals_total{{limit="guards.{guard}"}} 1.0' in gateway.app.telemetry.scrape().decode()


async def test_an_agent_that_repeats_itself_is_stopped_and_sent_away_once(gateway: Gateway) -> None:
    async with client(gateway) as caller:
        await ask(caller, "echo: again and again")
        await ask(caller, "echo:  Again\nand again", user="somebody", seed=7)
        await ask(caller, "ECHO: again and again")
        since = await last_seq(gateway)
        with pytest.raises(openai.RateLimitError) as caught:
            await ask(caller, "echo: again and again")
        assert caught.value.code == "repeated_request"
        assert caught.value.response.headers["x-should-retry"] == "false"
        # The client's own retries did not come.
        [record] = await records_of(gateway, since)
        assert record.end is not None
        assert (record.end.code, record.end.limit) == ("repeated_request", "guards.repeated_requests")
        assert await ask(caller, "echo: something else") == "something else"
    assert counted(gateway, "repeated_requests")
    async with client(gateway, "second") as other:
        assert await ask(other, "echo: again and again") == "again and again"


@pytest.mark.parametrize(("length", "what"), [(5000, "bytes"), (3000, "input tokens")])
async def test_a_prompt_past_a_size_is_refused_once(gateway: Gateway, length: int, what: str) -> None:
    async with client(gateway) as caller:
        since = await last_seq(gateway)
        with pytest.raises(openai.APIStatusError, match=what) as caught:
            await ask(caller, "echo: " + "x" * length)
        assert (caught.value.status_code, caught.value.code) == (413, "prompt_too_large")
        [record] = await records_of(gateway, since)
        assert record.end is not None
        assert record.end.limit == "guards.prompt"
        assert len(await ask(caller, "echo: " + "x" * 1000)) == 1000
    assert counted(gateway, "prompt")


async def test_an_address_that_fails_too_often_is_not_looked_at_any_more(gateway: Gateway) -> None:
    good = make_key(gateway.folder)
    async with client(gateway, key=good) as caller, client(gateway, key="sk-wrong") as stranger:
        for number in range(20):
            # Good keys charge nothing, however many.
            await ask(caller, f"echo: {number}")
        for _ in range(5):
            with pytest.raises(openai.AuthenticationError):
                await ask(stranger)
        for refused in (stranger, caller):
            with pytest.raises(openai.RateLimitError) as caught:
                await ask(refused)
            assert caught.value.code == "authentications_limited"
            headers = caught.value.response.headers
            assert headers["x-should-retry"] == "false"
            assert 0 < int(headers["retry-after"]) <= 86_400 // 5
    scraped = gateway.app.telemetry.scrape().decode()
    assert 'gptgate_auth_failures_total{code="authentications_limited"} 2.0' in scraped


async def test_a_session_ends_at_its_calls_and_its_tokens(gateway: Gateway) -> None:
    async with client(gateway) as caller:
        for number in range(3):
            await ask(caller, f"echo: call {number}", extra_headers={"x-gptgate-session": "s1"})
        since = await last_seq(gateway)
        with pytest.raises(
            openai.RateLimitError, match=r"'guards.session.requests' of session s1 is 3 requests"
        ) as caught:
            await ask(caller, "echo: call 3", extra_headers={"x-gptgate-session": "s1"})
        assert caught.value.code == "session_limited"
        assert caught.value.response.headers["x-should-retry"] == "false"
        [record] = await records_of(gateway, since)
        assert record.end is not None
        assert record.end.limit == "guards.session"
        assert counted(gateway, "session")
        assert await ask(caller, "echo: call 3", extra_headers={"x-gptgate-session": "s2"}) == "call 3"
        for number in range(4):
            assert await ask(caller, f"echo: nobody {number}") == f"nobody {number}"
        with pytest.raises(openai.RateLimitError, match=r"'guards.session.tokens' of session s3"):
            await ask(caller, "echo: many", n=100, extra_headers={"x-gptgate-session": "s3"})


async def test_who_ignores_retry_after_is_refused_for_everything(gateway: Gateway) -> None:
    codes = []
    async with client(gateway, "hasty") as caller:
        since = await last_seq(gateway)
        for number in range(6):
            try:
                await ask(caller.with_options(max_retries=0), f"echo: {number}")
            except openai.RateLimitError as error:
                codes.append(error.code)
        assert codes == ["rate_limited"] * 3 + ["retry_after_ignored"] * 2
        records = await records_of(gateway, since)
        assert [record.end.limit for record in records if record.end and record.end.code == codes[-1]] == [
            "guards.ignored_retry_after"
        ] * 2


@pytest.mark.parametrize(
    "user_id",
    [
        "user_5f2a_account_81_session_6a1e77d0",
        '{"device_id":"5f2a","account_uuid":"","session_id":"6a1e77d0"}',
    ],
)
async def test_the_session_that_a_coding_agent_writes_into_its_user_id_counts(gateway: Gateway, user_id: str) -> None:
    async with anthropic.AsyncAnthropic(base_url=gateway.base_url, api_key=make_key(gateway.folder)) as caller:
        gateway.app.load_keys()
        for number in range(4):
            messages: Any = [{"role": "user", "content": f"echo: step {number}"}]
            user: Any = {"user_id": user_id}
            asked = caller.messages.create(model="sim", max_tokens=50, messages=messages, metadata=user)
            if number < 3:
                await asked
        with pytest.raises(anthropic.RateLimitError, match="of session 6a1e77d0 is 3 requests"):
            await asked
