"""The sentences of `gptgate.core.ports.Upstream` and `UpstreamReply`, over sockets, for every implementation."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gptgate.core.errors import AnswerTooLarge, Reach, UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from gptgate.core.ports import Upstream
from gptgate.core.snapshot import ProviderKind, ProviderSpec
from gptgate.simulator.app import Simulator
from gptgate.simulator.server import SimulatorServer
from gptgate.upstream.client import HttpUpstream
from gptgate.upstream.target import Target
from waiting import eventually, stepped_time

SECRET = "sk-provider-canary"
CHAT = "/v1/chat/completions"
IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {"aiohttp": HttpUpstream}


class Sleeper:
    """A sleep that only notes how long it was asked to take."""

    def __init__(self) -> None:
        self.naps: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.naps.append(seconds)


def spec(**fields: Any) -> ProviderSpec:
    stated: dict[str, Any] = {
        "name": "acme",
        "kind": ProviderKind.SIMULATOR,
        "base_url": "",
        "credential": None,
        "connect_timeout_ms": 30_000,
        "first_byte_timeout_ms": 30_000,
        "idle_timeout_ms": 30_000,
        "retries": 2,
        "finish_on_disconnect": False,
    }
    return ProviderSpec(**{**stated, **fields})


def chat(text: str, **more: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more}).encode()


@pytest.fixture
async def server() -> AsyncIterator[SimulatorServer]:
    server = SimulatorServer(Simulator(keys=[SECRET]))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture(params=sorted(IMPLEMENTATIONS))
async def upstream(
    request: pytest.FixtureRequest, server: SimulatorServer, sleeper: Sleeper
) -> AsyncIterator[Upstream]:
    target = Target(server.base_url, (("authorization", f"Bearer {SECRET}"),))
    made = IMPLEMENTATIONS[request.param]({"acme": target}, sleep=sleeper)
    await made.start()
    yield made
    await made.close()


async def test_it_posts_with_the_gateways_credential(upstream: Upstream) -> None:
    reply = await upstream.send(spec(), CHAT, [("authorization", "Bearer caller")], chat("echo: hello"))
    body = json.loads(await reply.read(100_000))
    reply.close()
    assert reply.status == 200
    assert body["choices"][0]["message"]["content"] == "hello"
    assert reply.attempts == 1


async def test_header_names_are_lower_case(upstream: Upstream) -> None:
    reply = await upstream.send(spec(), CHAT, [], chat("echo: hello"))
    reply.close()
    assert reply.headers["content-type"] == "application/json"
    assert all(name == name.lower() for name in reply.headers)


async def test_chunks_are_the_body_as_it_arrives(upstream: Upstream) -> None:
    reply = await upstream.send(spec(), CHAT, [], chat("fault: delay=1ms\nwords: 100", stream=True))
    pieces = [piece async for piece in reply.chunks()]
    reply.close()
    assert len(pieces) > 5
    assert b"".join(pieces).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
async def test_a_status_of_400_or_more_is_a_reply(upstream: Upstream, status: int) -> None:
    reply = await upstream.send(spec(), CHAT, [], chat(f"fault: status={status}"))
    body = json.loads(await reply.read(10_000))
    reply.close()
    assert reply.status == status
    assert "message" in body["error"]
    assert reply.attempts == 1


async def test_redirects_are_not_followed(upstream: Upstream, server: SimulatorServer) -> None:
    with pytest.raises(UpstreamBroken) as raised:
        await upstream.send(spec(), CHAT, [], chat("fault: redirect"))
    assert raised.value.reach is Reach.ANSWERED
    assert server.simulator.stats.requests == 1


@pytest.mark.parametrize("status", [429, 503, 529])
async def test_an_answer_that_asks_to_come_back_is_retried(
    upstream: Upstream, server: SimulatorServer, sleeper: Sleeper, status: int
) -> None:
    body = chat(f"fault: status={status} retry-after=2 times=2\necho: at last")
    reply = await upstream.send(spec(retries=2), CHAT, [], body)
    reply.close()
    assert (reply.status, reply.attempts) == (200, 3)
    assert sleeper.naps == [2.0, 2.0]
    assert server.simulator.stats.requests == 3


async def test_retries_are_bounded(upstream: Upstream, server: SimulatorServer) -> None:
    reply = await upstream.send(spec(retries=1), CHAT, [], chat("fault: status=429 retry-after=1"))
    assert b"rate_limit_exceeded" in await reply.read(10_000)
    reply.close()
    assert (reply.status, reply.attempts) == (429, 2)
    assert server.simulator.stats.requests == 2


@pytest.mark.parametrize("order", ["status=429", "status=429 retry-after=6", "status=500 retry-after=1"])
async def test_other_answers_are_handed_on_as_they_are(
    upstream: Upstream, server: SimulatorServer, sleeper: Sleeper, order: str
) -> None:
    reply = await upstream.send(spec(), CHAT, [], chat(f"fault: {order}"))
    reply.close()
    assert reply.status >= 400
    assert server.simulator.stats.requests == 1
    assert sleeper.naps == []


async def test_a_late_head_is_a_timeout_after_sending_and_is_not_retried(
    upstream: Upstream, server: SimulatorServer
) -> None:
    with stepped_time() as now:
        sending = asyncio.create_task(upstream.send(spec(first_byte_timeout_ms=50), CHAT, [], chat("fault: hang")))
        await now.until(lambda: server.simulator.stats.requests == 1)
        await now.step(0.06)
        with pytest.raises(UpstreamTimeout) as raised:
            await sending
    assert raised.value.reach is Reach.SENT
    await eventually(lambda: server.simulator.stats.aborted == 1)
    assert server.simulator.stats.requests == 1


async def test_silence_in_the_body_is_a_timeout_after_the_answer_began(
    upstream: Upstream, server: SimulatorServer
) -> None:
    reply = await upstream.send(spec(idle_timeout_ms=50), CHAT, [], chat("fault: hang=2\nhi", stream=True))
    with pytest.raises(UpstreamTimeout) as raised:
        await reply.read(10_000)
    reply.close()
    assert raised.value.reach is Reach.ANSWERED
    await eventually(lambda: server.simulator.stats.aborted == 1)


async def test_a_slow_stream_that_keeps_talking_is_no_silence(upstream: Upstream) -> None:
    body = chat("fault: delay=100ms chunk=4\nwords: 8", stream=True)
    with stepped_time() as now:
        reply = await upstream.send(spec(idle_timeout_ms=150, first_byte_timeout_ms=50), CHAT, [], body)
        reading = asyncio.create_task(reply.read(100_000))
        steps = 0
        while not reading.done():
            await now.step(0.1)
            steps += 1
        assert b"[DONE]" in await reading
    assert steps > 5
    reply.close()


async def test_a_slow_reader_is_not_the_providers_silence(upstream: Upstream) -> None:
    seen = b""
    with stepped_time() as now:
        reply = await upstream.send(spec(idle_timeout_ms=30), CHAT, [], chat("words: 40", stream=True))
        async for piece in reply.chunks():
            await now.step(0.15)
            seen += piece
    reply.close()
    assert seen.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_cut_body_is_broken(upstream: Upstream, stream: bool) -> None:
    reply = await upstream.send(spec(), CHAT, [], chat("fault: cut=2\nwords: 50", stream=stream))
    with pytest.raises(UpstreamBroken) as raised:
        await reply.read(100_000)
    reply.close()
    assert raised.value.reach is Reach.ANSWERED


async def test_an_answer_past_the_limit_is_too_large(upstream: Upstream) -> None:
    reply = await upstream.send(spec(), CHAT, [], chat("words: 5000"))
    with pytest.raises(AnswerTooLarge):
        await reply.read(1000)
    reply.close()


async def test_an_answer_of_exactly_the_limit_is_read(upstream: Upstream) -> None:
    reply = await upstream.send(spec(), CHAT, [], chat("words: 500"))
    size = int(reply.headers["content-length"])
    assert len(await reply.read(size)) == size
    reply.close()


async def test_nothing_listening_is_unreachable_and_retried_with_a_growing_pause(
    upstream: Upstream, server: SimulatorServer, sleeper: Sleeper
) -> None:
    await server.stop()
    with pytest.raises(UpstreamUnreachable) as raised:
        await upstream.send(spec(retries=2), CHAT, [], chat("hi"))
    assert raised.value.reach is Reach.NOT_SENT
    assert len(sleeper.naps) == 2
    assert sleeper.naps == sorted(sleeper.naps)


async def test_close_aborts_a_body_that_was_not_read_to_its_end(upstream: Upstream, server: SimulatorServer) -> None:
    reply = await upstream.send(spec(), CHAT, [], chat("fault: delay=5ms\nwords: 5000", stream=True))
    chunks = reply.chunks()
    await anext(chunks)
    reply.close()
    reply.close()
    await eventually(lambda: server.simulator.stats.aborted == 1)
    assert server.simulator.stats.output_tokens < 100


async def test_cancelling_aborts_the_request(upstream: Upstream, server: SimulatorServer) -> None:
    task = asyncio.create_task(upstream.send(spec(), CHAT, [], chat("fault: hang")))
    await eventually(lambda: server.simulator.stats.requests == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually(lambda: server.simulator.stats.aborted == 1)


async def test_no_error_shows_the_provider_s_address_or_the_credential(
    upstream: Upstream, server: SimulatorServer
) -> None:
    async def call(order: str) -> None:
        reply = await upstream.send(spec(first_byte_timeout_ms=50), CHAT, [], chat(f"fault: {order}"))
        await reply.read(10_000)

    for order in ("redirect", "hang", "cut=1"):
        with pytest.raises((UpstreamBroken, UpstreamTimeout)) as raised:
            await call(order)
        failure: BaseException | None = raised.value
        assert "'acme'" in raised.value.message
        assert "127.0.0.1" not in raised.value.message
        while failure is not None:
            assert SECRET not in repr(failure) + str(failure) + repr(vars(failure))
            failure = failure.__cause__ or failure.__context__
