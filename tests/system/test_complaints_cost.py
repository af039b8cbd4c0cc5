"""What users of other gateways complain about, by symptom: budgets that leak or block falsely, limits that do not
limit, spending of streams that is lost. Each comment names the threads."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gptgate.config.problem import ConfigError
from gptgate.core.budgets import BudgetCharge
from gptgate.core.errors import BudgetExceeded
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.table import TablePrice, Tier
from gptgate.installed import read_config_text
from gptgate.storage.views import AuditRecord
from harness import SERVER, Gateway, make_key, running_gateway
from ledger_parts import reserve
from probes import HeldSimulator, last_seq, records_of
from raw_client import CHAT, MESSAGES, RawClient, post, prompt
from waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

EMBEDDINGS = "/v1/embeddings"
NANO = 4_000
"""What a token of output costs; input is free, so that a request costs exactly its ceiling."""
CONFIG = (
    # Who does not fit is refused at once, so that what passes can be counted.
    SERVER.replace("server: {", "server: {budget_wait: 0s, ")
    + """\
providers:
  - {name: simulator, kind: simulator, base_url: "@SIMULATOR@", retries: 0}
  - {name: patient, kind: simulator, base_url: "@SIMULATOR@", retries: 0, finish_on_disconnect: true}
models:
  - &sim {name: sim-gpt, provider: simulator, max_output_tokens: 16384,
     price: {input_per_million: "0", output_per_million: "4.00"}}
  - {name: sim-claude, provider: simulator, price: {input_per_million: "0", output_per_million: "4.00"}}
  - {name: sim-embed, provider: simulator, price: {input_per_million: "1", output_per_million: "0"}}
  - {name: patient, provider: patient, price: {input_per_million: "1", output_per_million: "4.00"}}
  - {name: unpriced, provider: simulator}
teams: [{name: demo}]
apps:
@APPS@
budgets:
  - {name: session, scope: [app, session], unit: usd, amount: "0.00004", window: session, match: {apps: [sessions]}}
  - {name: key, scope: [key], unit: usd, amount: "0.00004", window: month, match: {apps: [fresh]}}
  - {name: large, scope: [app], unit: usd, amount: "0.07", window: month, match: {apps: [unbounded]}}
  - {name: spent, scope: [app], unit: usd, amount: "0", window: month, match: {apps: [spent]}}
  - {name: tokens, scope: [app], unit: tokens, amount: "1000", window: month, match: {apps: [streams]}}
  - {name: retries, scope: [app], unit: requests, amount: "3", window: month, match: {apps: [retries]}}
limits:
  - {name: rpm, scope: [app], unit: requests, amount: 100, window: 24h, match: {apps: [rpm]}}
  - {name: tpm, scope: [app], unit: total_tokens, amount: 20000, window: 24h, match: {apps: [tpm]}}
  - {name: provider, scope: [provider], unit: total_tokens, amount: 17000, window: 24h, match: {apps: [provider]}}
  - {name: nothing, scope: [app], unit: requests, amount: 1, window: 24h, match: {apps: [everywhere]}}
"""
)
NAMES = (
    "sessions fresh unbounded spent streams retries rpm tpm provider everywhere free plain lost many counting".split()
)
CONFIG = CONFIG.replace("&sim ", "").replace("@APPS@", "\n".join(f"  - {{name: {name}, team: demo}}" for name in NAMES))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    simulator = HeldSimulator()
    simulator.go.set()
    async with running_gateway(tmp_path_factory.mktemp("gateway"), CONFIG, simulator=simulator) as running:
        yield running


class App:
    """An app of the gateway with a key of its own."""

    def __init__(self, gateway: Gateway, name: str) -> None:
        self._gateway, self._key = gateway, make_key(gateway.folder, app=name)
        gateway.app.load_keys()

    async def ask(
        self, text: str = "echo: hi", *headers: str, path: str = CHAT, **fields: Any
    ) -> tuple[int, dict[str, str], bytes]:
        client = await RawClient.connect(self._gateway.base_url)
        body = prompt(text, path=path, **{"stream": False, **fields})
        if path == EMBEDDINGS:
            body = json.dumps({"model": "sim-embed", "input": text, **fields}).encode()
        await client.send(post(path, self._key, body, *headers))
        async with asyncio.timeout(PATIENCE_S):
            answer = await client.answer()
        await client.close()
        return answer

    async def code(self, text: str = "echo: hi", *headers: str, **fields: Any) -> str:
        """The error code, nothing for an answer."""
        status, answered, _ = await self.ask(text, *headers, **fields)
        return answered.get("x-gptgate-error", "" if status == 200 else str(status))

    async def many(self, number: int, *headers: str, **fields: Any) -> list[str]:
        """All at once: the provider answers none before all have been decided on."""
        simulator = self._gateway.simulator
        assert isinstance(simulator, HeldSimulator)
        asked = simulator.asked
        simulator.go.clear()
        asking = [asyncio.create_task(self.code("echo: hi", *headers, **fields)) for _ in range(number)]
        await eventually(lambda: simulator.asked - asked + sum(task.done() for task in asking) == number)
        simulator.go.set()
        return await asyncio.gather(*asking)

    async def hang_up(self, text: str, mark: bytes = b"", **fields: Any) -> AuditRecord:
        """Leave in the middle, once `mark` was seen (or the provider has the request); what is on record."""
        since, asked = await last_seq(self._gateway), self._gateway.simulator.stats.requests
        client = await RawClient.connect(self._gateway.base_url)
        await client.send(post(fields.get("path", CHAT), self._key, prompt(text, **fields)))
        async with asyncio.timeout(PATIENCE_S):
            await client.until(mark) if mark else None
            while self._gateway.simulator.stats.requests == asked:
                await asyncio.sleep(0.002)
            await client.close()
            while not (found := await records_of(self._gateway, since)):
                await asyncio.sleep(0.005)
        return found[0]


async def test_concurrent_requests_of_a_session_all_pass_before_any_spend_is_recorded(gateway: Gateway) -> None:
    # litellm issues 34732 and 35524, litellm-rs issue 750
    codes = await App(gateway, "sessions").many(10, "x-gptgate-session: s1", max_tokens=5)
    assert sorted(codes) == [""] * 2 + ["budget_exceeded"] * 8


async def test_the_first_concurrent_requests_of_a_fresh_key_bypass_its_budget(gateway: Gateway) -> None:
    # litellm issues 40095 and 26672, bifrost issue 5673
    for _ in range(2):
        assert sorted(await App(gateway, "fresh").many(10, max_tokens=10)) == [""] + ["budget_exceeded"] * 9


async def test_a_request_without_max_tokens_pins_the_budget_although_it_cost_almost_nothing(gateway: Gateway) -> None:
    # litellm pull 27509, issues 36926 and 40050
    app = App(gateway, "unbounded")
    assert [await app.code() for _ in range(20)] == [""] * 20


async def test_a_budget_stops_requests_although_no_such_budget_was_set(gateway: Gateway) -> None:
    # litellm issue 22726
    assert set(await App(gateway, "free").many(30)) == {""}


async def test_an_unknown_price_is_counted_as_zero(gateway: Gateway) -> None:
    # litellm issues 35524 and 25874, pulls 36561 and 35914
    app, asked = App(gateway, "plain"), gateway.simulator.stats.requests
    assert await app.code(model="unpriced") == "price_unknown"
    assert gateway.simulator.stats.requests == asked


async def test_passthrough_routes_bypass_budgets(gateway: Gateway) -> None:
    # bifrost issue 2873
    app = App(gateway, "spent")
    assert [await app.code(path=path) for path in (CHAT, MESSAGES, EMBEDDINGS)] == ["budget_exceeded"] * 3


async def test_a_budget_is_accepted_but_never_enforced() -> None:
    # bifrost issue 5673, litellm issue 27381: what is not understood is refused at the start
    with pytest.raises(ConfigError, match="max_budget"):
        read_config_text("version: 1\nteams: [{name: t}]\napps: [{name: a, team: t, max_budget: 5}]", "f")


async def test_long_contexts_are_reserved_at_the_base_rate() -> None:
    # litellm pull 40002: 4 of 5 long requests were admitted over a cap of $0.45
    tiers = [
        Tier(above=above, input=rate, output=rate, cache_read=rate, cache_write=rate)
        for above, rate in ((-1, 1_250_000_000), (272_000, 2_500_000_000))
    ]
    ceiling = TablePrice("t", tiers).ceiling(120_000 + 200_000, 0)
    ledger, passed = MemoryLedger(), 0
    for number in range(5):
        try:
            reserve(ledger, str(number), "a", 900_000_000, ceiling, 0)
            passed += 1
        except BudgetExceeded:
            continue
    assert (ceiling, passed) == (800_000_000, 1)


async def test_a_failed_request_is_counted_twice(gateway: Gateway) -> None:
    # litellm issue 35569
    app = App(gateway, "retries")
    for _ in range(5):
        assert await app.code("fault: status=503") == "upstream_overloaded"
    assert [await app.code(f"echo: {number}") for number in range(4)] == ["", "", "", "budget_exceeded"]


async def test_a_limit_is_walked_through_by_concurrent_requests(gateway: Gateway) -> None:
    # litellm issues 6938 (544 of 1,022 passed a limit of 100), 8430 and 24677 (tripped 30 % early)
    begun = time.monotonic()
    codes = await App(gateway, "rpm").many(150)
    # A hundred a minute, and what flowed back while they were asked for.
    assert 100 <= codes.count("") <= 100 + (time.monotonic() - begun) * 100 / 60
    assert set(codes) == {"", "rate_limited"}


async def test_a_token_limit_counts_after_the_answer_only(gateway: Gateway) -> None:
    # litellm issue 10555, envoyproxy/ai-gateway issue 2394
    app = App(gateway, "tpm")
    assert await app.code(max_tokens=20_001) == "exceeds_limit"
    assert sorted(await app.many(4, max_tokens=9_000)) == ["", "", "rate_limited", "rate_limited"]


async def test_the_remaining_tokens_never_decrease(gateway: Gateway) -> None:
    # envoyproxy/ai-gateway issue 1754
    app, left = App(gateway, "tpm"), []
    for number in range(3):
        _, headers, _ = await app.ask(f"echo: {'word ' * 5}{number}", max_tokens=100)
        left.append(int(headers["x-ratelimit-remaining-tokens"]))
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == 3


async def test_a_token_limit_charges_one_for_a_request(gateway: Gateway) -> None:
    # wso2/api-platform issue 2932
    app = App(gateway, "provider")
    _, headers, body = await app.ask("echo: one two three four five", max_tokens=100)
    usage = json.loads(body)["usage"]
    assert 17_000 - int(headers["x-ratelimit-remaining-tokens"]) >= usage["total_tokens"] > 5


async def test_a_token_limit_buffers_the_stream(gateway: Gateway) -> None:
    # wso2/api-platform issue 1548
    app = App(gateway, "tpm")
    client = await RawClient.connect(gateway.base_url)
    text = "fault: chunk=4 delay=100ms\necho: one two three"
    await client.send(post(CHAT, app._key, prompt(text, max_tokens=50)))
    async with asyncio.timeout(PATIENCE_S):
        begun = await client.until(b'"content":"one')
    assert b"three" not in begun
    await client.close()


async def test_a_limit_is_not_enforced_on_some_route(gateway: Gateway) -> None:
    # litellm issue 27381
    app = App(gateway, "everywhere")
    assert await app.code() == ""
    paths = (CHAT, MESSAGES, EMBEDDINGS, f"{MESSAGES}/count_tokens")
    assert [await app.code(path=path) for path in paths] == ["rate_limited"] * 4


async def test_counters_grow_without_end(gateway: Gateway) -> None:
    # litellm issue 5609
    limiter, size = gateway.app._limiter, gateway.app._limiter.size
    app = App(gateway, "many")
    for number in range(20):
        await app.code(f"echo: {number}", f"x-gptgate-session: {number}", user=str(number))
    assert limiter.size == size


async def test_an_interrupted_messages_stream_is_not_on_record(gateway: Gateway) -> None:
    # litellm issue 35958, higress issue 4145, bitrouter pull 537
    record = await App(gateway, "lost").hang_up(
        "fault: delay=20ms chunk=4\nwords: 200", b"content_block_delta", path=MESSAGES
    )
    assert record.end is not None
    assert (record.end.code, record.end.usage_source) == ("client_disconnected", "unknown")
    assert record.end.cost_nano == record.intent.reserved_nano > 0


async def test_a_hang_up_before_the_first_token_is_billed_in_full_for_ever(gateway: Gateway) -> None:
    # sub2api issue 4408: read on where the provider is configured so; else correct it with `budget reconcile`
    record = await App(gateway, "lost").hang_up("fault: latency=60ms\necho: hi there", model="patient", max_tokens=9000)
    assert record.end is not None
    assert record.end.usage_source == "provider"
    assert record.end.cost_nano < record.intent.reserved_nano // 10


async def test_a_genuine_zero_usage_is_replaced_by_an_estimate(gateway: Gateway) -> None:
    # litellm issue 37992, pull 39893
    since = await last_seq(gateway)
    assert await App(gateway, "plain").code("echo: ", max_tokens=5) == ""
    record = (await records_of(gateway, since))[-1]
    assert record.end is not None
    assert (record.end.usage.output_tokens, record.end.usage_source, record.end.cost_nano) == (0, "provider", 0)


async def test_streams_report_no_usage_because_nobody_asked_for_it(gateway: Gateway) -> None:
    # ferro-labs/ai-gateway issue 281, aisix pull 794
    since = await last_seq(gateway)
    _, _, body = await App(gateway, "plain").ask("echo: one two", stream=True)
    assert b'"usage":{' not in body
    (record,) = await records_of(gateway, since)
    assert record.end is not None
    assert (record.end.usage_source, record.end.usage.output_tokens) == ("provider", 2)


async def test_a_caller_evades_a_budget_by_asking_for_a_stream(gateway: Gateway) -> None:
    # LLMKube issue 1852
    app = App(gateway, "streams")
    codes = [await app.code(f"words: {100 + number}", stream=True, max_tokens=300) for number in range(8)]
    assert "budget_exceeded" in codes
    assert codes == sorted(codes)
    (budget,) = [budget for budget in gateway.app.snapshot.budgets if budget.name == "tokens"]
    assert gateway.app._treasury.ledger.spent(BudgetCharge(budget, ("streams",)), gateway.app.clock.wall_ms()) <= 1000


async def test_counting_tokens_forwards_prompts_unmetered(gateway: Gateway) -> None:
    # sub2api issue 5456
    since = await last_seq(gateway)
    assert await App(gateway, "counting").code(path=f"{MESSAGES}/count_tokens") == ""
    (record,) = await records_of(gateway, since)
    assert (record.intent.endpoint, record.intent.app) == ("count_tokens", "counting")


async def test_a_failing_reservation_lets_the_request_pass(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    # litellm issue 33923
    def broken(*_: object) -> None:
        raise RuntimeError("the ledger is gone")

    asked = gateway.simulator.stats.requests
    monkeypatch.setattr(gateway.app._treasury.ledger, "reserve", broken)
    assert await App(gateway, "plain").code() == "internal_error"
    assert gateway.simulator.stats.requests == asked
