"""Requests that a budget can pay by their tokens, not by their bytes."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from books import balanced
from gptgate.compose import App
from gptgate.config.problem import ConfigError
from gptgate.core.money import format_usd
from harness import APPS, PROVIDERS, RULES, SERVER, Gateway, make_key, running_gateway, write_config
from raw_client import CHAT, RawClient, post, prompt
from scripted_provider import ScriptedProvider, scripted, whole
from shared_parts import Server
from vocabulary import published

TEXT = "the gate and the budget of the gate. " * 400
TOKENS_WITHIN = 6000
"""More than it has, and far fewer than its bytes."""
OUTPUT = 100
INPUT_ONLY = PROVIDERS.replace('input_per_million: "1.00", output_per_million: "4.00"', "@PRICE@").replace(
    "@PRICE@", 'input_per_million: "1.00", output_per_million: "0"'
)
"""A thousand nano-dollars a token."""


def config(tokenizer: Path | None, *, budget: int | None = None, more: str = "") -> str:
    providers, apps = INPUT_ONLY, APPS
    if tokenizer is not None:
        named = f'tokenizer: {{encoding: o200k_base, file: "{tokenizer}"}}'
        providers = providers.replace("max_output_tokens: 1000,", f"max_output_tokens: 1000, {named},")
    if budget is not None:
        apps = apps.replace('"1000.00"', f'"{format_usd(budget * 1000)}"')
    return SERVER + providers + apps + more + RULES


AWAY = """\
    - {id: away, stage: request, effect: route, when: request.max_output_tokens == 7,
       obligations: {route_to: sim-claude}}
"""


async def ask(gateway: Gateway, text: str = TEXT, key: str = "", **fields: Any) -> tuple[int, dict[str, str]]:
    client = await RawClient.connect(gateway.base_url)
    await client.send(post(CHAT, key or gateway.key, prompt(text, **{"stream": False, "max_tokens": OUTPUT, **fields})))
    status, headers, _ = await client.answer()
    await client.close()
    return status, headers


def answering(*input_tokens: int) -> list[list[bytes]]:
    message = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]}
    usages = [{"prompt_tokens": tokens, "completion_tokens": 1} for tokens in input_tokens]
    return [whole(json.dumps({**message, "usage": usage}).encode()) for usage in usages]


async def asked(folder: Path, text: str, count: int, *, reported: tuple[int, ...]) -> tuple[list[int], Any]:
    """Statuses of so many requests, one after the other, and their records."""
    async with (
        scripted(*answering(*reported)) as provider,
        running_gateway(folder, text.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        statuses = [(await ask(gateway))[0] for _ in range(count)]
        records = await balanced(gateway, count)
        assert len(provider.requests) == statuses.count(200)
        return statuses, records


@pytest.mark.parametrize("counts", [True, False], ids=["counted", "by bytes"])
async def test_a_budget_that_pays_the_tokens_of_a_text_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts: bool
) -> None:
    file = published(tmp_path, monkeypatch) if counts else None
    statuses, (record,) = await asked(tmp_path, config(file, budget=TOKENS_WITHIN), 1, reported=(3600,))
    assert statuses == [200 if counts else 429]
    if counts:
        assert 3600 * 1000 == record.end.cost_nano < record.intent.reserved_nano <= TOKENS_WITHIN * 1000


async def test_nothing_is_counted_where_the_bytes_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting takes milliseconds."""
    file = published(tmp_path, monkeypatch)
    _, (record,) = await asked(tmp_path, config(file, budget=10 * len(TEXT)), 1, reported=(3600,))
    assert record.intent.reserved_nano > len(TEXT) * 1000


async def test_a_provider_that_counts_more_is_bounded_by_bytes_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = published(tmp_path, monkeypatch)
    text = config(file, budget=TOKENS_WITHIN * 2)
    statuses, records = await asked(tmp_path, text, 2, reported=(TOKENS_WITHIN, 100))
    assert statuses == [200, 429]
    first = next(record for record in records if record.end.status == 200)
    # It is recorded as it is, and counts.
    assert first.intent.reserved_nano < first.end.cost_nano == TOKENS_WITHIN * 1000


async def test_distrust_outlives_a_new_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = config(published(tmp_path, monkeypatch), budget=TOKENS_WITHIN * 2)
    async with (
        scripted(*answering(TOKENS_WITHIN, 100)) as provider,
        running_gateway(tmp_path, text.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        assert (await ask(gateway))[0] == 200
        again = text.replace("max_output_tokens: 1000", "max_output_tokens: 999")
        write_config(tmp_path, again, simulator=provider.base_url)
        _, changed = await gateway.app.apply_config()
        assert changed
        assert (await ask(gateway))[0] == 429
        assert len(provider.requests) == 1


async def test_a_limit_of_tokens_is_charged_what_was_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = published(tmp_path, monkeypatch)
    limit = "limits: [{name: few, scope: [app], unit: input_tokens, amount: 6000, window: 1m}]\n"
    statuses, _ = await asked(tmp_path, config(file, more=limit), 1, reported=(3600,))
    assert statuses == [200]
    statuses, _ = await asked(tmp_path / "by-bytes", config(None, more=limit), 1, reported=(3600,))
    assert statuses[0] in (400, 413, 429)


async def test_an_answer_is_lowered_to_what_is_left_after_the_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = published(tmp_path, monkeypatch)
    budgets = f'budgets: [{{name: b, scope: [app], unit: tokens, amount: "{TOKENS_WITHIN}", window: month}}]\n'
    async with (
        scripted(*answering(3600)) as provider,
        running_gateway(tmp_path, config(file, more=budgets).replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        client = await RawClient.connect(gateway.base_url)
        await client.send(post(CHAT, gateway.key, prompt(TEXT, stream=False, max_tokens=TOKENS_WITHIN)))
        status, _, _ = await client.answer()
        await client.close()
        assert status == 200
        (record,) = await balanced(gateway, 1)
        sent = _sent(provider)
        assert 0 < sent["max_tokens"] < TOKENS_WITHIN
        assert record.intent.reserved_tokens <= TOKENS_WITHIN


def _sent(provider: ScriptedProvider) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(provider.requests[0].partition(b"\r\n\r\n")[2])
    return found


async def test_a_gateway_without_the_vocabulary_does_not_start(tmp_path: Path) -> None:
    path = write_config(tmp_path, config(tmp_path / "none"), simulator="http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="cannot be read"):
        await App.open(tmp_path, path)


async def test_gateways_that_share_counters_reserve_what_was_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counters_server: Server
) -> None:
    file = published(tmp_path, monkeypatch)
    shared = f"counters: {{url: '{counters_server.url}', prefix: c{secrets.token_hex(6)}, timeout: 20s}}\n"
    text = config(file, budget=TOKENS_WITHIN, more=shared)
    statuses, (record,) = await asked(tmp_path, text, 1, reported=(3600,))
    assert statuses == [200]
    assert record.intent.reserved_nano <= TOKENS_WITHIN * 1000


def routing(text: str, server: Server) -> str:
    """The same on shared counters, where a request is first counted for the model that it names; answers of seven
    tokens come from another."""
    counters = f"counters: {{url: '{server.url}', prefix: c{secrets.token_hex(6)}, timeout: 20s}}\n"
    return text.replace("policy:", counters + "policy:") + AWAY


async def test_what_the_model_behind_a_route_counts_says_nothing_of_the_one_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counters_server: Server
) -> None:
    text = routing(config(published(tmp_path, monkeypatch), budget=TOKENS_WITHIN), counters_server)
    text = text.replace("apps:\n", "apps:\n  - {name: rich, team: demo}\n")
    async with (
        scripted(*answering(2 * TOKENS_WITHIN, 3600)) as provider,
        running_gateway(tmp_path, text.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        rich = make_key(tmp_path, app="rich")
        gateway.app.load_keys()
        assert (await ask(gateway, key=rich, max_tokens=7))[0] == 200
        assert b"sim-claude" in provider.requests[0]
        assert (await ask(gateway))[0] == 200


async def test_what_the_model_behind_a_route_counts_bounds_no_conversation_of_the_one_before_it(
    tmp_path: Path, counters_server: Server
) -> None:
    text = routing(config(None), counters_server)
    text = text.replace("{name: sim-claude,", "{name: sim-claude, calibrated: false,")
    text = text.replace("{name: sim-gpt,", "{name: sim-gpt, calibrated: true,")
    async with (
        scripted(*answering(10, 3600)) as provider,
        running_gateway(tmp_path, text.replace("@SIMULATOR@", provider.base_url)) as gateway,
    ):
        assert (await ask(gateway, text=2 * TEXT, max_tokens=7))[0] == 200
        assert (await ask(gateway, text=2 * TEXT))[0] == 200
        records = await balanced(gateway, 2)
        (record,) = [one for one in records if one.intent.model == "sim-gpt"]
        assert record.end is not None
        assert record.end.cost_nano <= record.intent.reserved_nano
