"""kill -9 with 200 streams in flight, again and again: no answered request lacks its records, no money is forgotten."""

import asyncio
import random
from pathlib import Path

import aiohttp
import pytest

from gptgate.core.money import tokens_cost
from gptgate.simulator.server import SimulatorServer
from gptgate.storage.queries import SqliteReader
from gptgate.storage.views import SearchFilters
from harness import CONFIG, GatewayProcess, make_key

ROUNDS = 10
STREAMS = 200
EVERYTHING = 10_000_000


async def _stream(client: aiohttp.ClientSession, gateway: GatewayProcess, key: str, number: int) -> tuple[str, bool]:
    """One stream until it ends or is cut; the id of the request and whether its answer was complete."""
    body = {
        "model": "sim-gpt",
        "stream": True,
        "messages": [{"role": "user", "content": f"fault: chunk=5 delay=5ms\nwords: {1 + number % 40}"}],
    }
    request_id = ""
    try:
        async with client.post(
            gateway.base_url + "/v1/chat/completions", json=body, headers={"x-api-key": key}
        ) as answer:
            request_id = answer.headers.get("x-request-id", "")
            data = await answer.read()
            return request_id, data.endswith(b"data: [DONE]\n\n")
    except (aiohttp.ClientError, ConnectionError):
        return request_id, False


@pytest.mark.slow
async def test_a_killed_gateway_forgets_no_request_and_no_money(tmp_path: Path) -> None:
    provider = SimulatorServer()
    await provider.start()
    gateway = GatewayProcess(tmp_path / "data", provider.base_url, CONFIG)
    key = make_key(gateway.folder)
    rng = random.Random(7)
    seen: dict[str, bool] = {}
    abandoned_once = 0
    for round_number in range(ROUNDS):
        gateway.start()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            streams = [
                asyncio.create_task(_stream(client, gateway, key, round_number * STREAMS + number))
                for number in range(STREAMS)
            ]
            enough = rng.randrange(5, 150)
            while sum(stream.done() for stream in streams) < enough:
                await asyncio.sleep(0.002)
            await asyncio.to_thread(gateway.kill)
            for request_id, complete in await asyncio.gather(*streams):
                if request_id:
                    seen[request_id] = complete
    gateway.start()
    with SqliteReader(gateway.folder) as reader:
        rows = {row.id: row for row in reader.search(SearchFilters(), EVERYTHING)}
        for request_id in seen:
            row = rows[request_id]
            assert row.state in ("completed", "abandoned")
        for request_id in rows:
            record = reader.show(request_id)
            assert record is not None
            assert record.end is not None, "an intent without an end survived the restart"
            if record.end.state == "abandoned":
                abandoned_once += 1
                assert record.end.cost_nano == record.intent.reserved_nano > 0
            elif record.end.usage_source == "provider":
                usage = record.end.usage
                price = tokens_cost(usage.input_tokens, 10**9) + tokens_cost(usage.output_tokens, 4 * 10**9)
                assert record.end.cost_nano == price
    assert gateway.terminate() == 0
    await provider.stop()
    assert len(seen) > STREAMS, "the test must have seen answers begin"
    assert any(seen.values()), "some streams must have been complete before a kill"
    assert abandoned_once > 0, "some requests must have been cut down"
