"""Two thousand prompts of every kind: client, audit, usage report, ledger, metrics and provider agree, to the token and
the nano-dollar.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gptgate.core.events import EndState
from gptgate.cost.windows import month_of
from gptgate.storage.views import AuditRecord
from harness import RULES, SERVER, Gateway, make_key, running_gateway
from ledger_parts import spent as spent_in
from probes import records_of

DATA = Path(os.environ.get("GPTGATE_TEST_DATA", "") or Path(__file__).parents[3] / "shared" / "data")
PROMPTS = 2000
CONCURRENCY = 48
PRICES = {"gpt": ("0.123457", "0.987653"), "claude": ("3.000001", "15.000007"), "embed": ("0.020003", "0")}
"""Dollars for a million tokens in and out, chosen so that most requests cost a broken nano-dollar before rounding."""
CONFIG = (
    SERVER
    + 'providers: [{name: simulator, kind: simulator, base_url: "@SIMULATOR@"}]\n'
    + "models:\n"
    + "".join(
        f'  - {{name: {name}, provider: simulator, price: {{input_per_million: "{i}", output_per_million: "{o}"}}}}\n'
        for name, (i, o) in PRICES.items()
    )
    + """\
teams: [{name: demo}]
apps:
  - {name: demo, team: demo, budget: {monthly_usd: "1000.00"}}
  - {name: other, team: demo, limits: {requests_per_minute: 100000, concurrency: 1000}}
"""
    + RULES
)


@dataclass
class Told:
    """What the client knows of one call."""

    app: str
    model: str
    kind: str
    request_id: str
    status: int
    input_tokens: int
    output_tokens: int

    @property
    def nano(self) -> int:
        """Money from tokens, once more and by other arithmetic than the gateway's."""
        if self.kind == "count":
            return 0
        price_in, price_out = (Fraction(price) * 1000 for price in PRICES[self.model])
        exact = self.input_tokens * price_in + self.output_tokens * price_out
        return -(-exact.numerator // exact.denominator)


def prompts() -> list[str]:
    """Texts of all the sets in turn, so that every kind is among them."""
    sets = [_texts(file) for file in sorted(DATA.glob("*/*.jsonl"))]
    found: list[str] = []
    while sets and len(found) < PROMPTS:
        for texts in list(sets):
            text = next(texts, None)
            if text is None:
                sets.remove(texts)
            elif text.strip():
                found.append(text)
    return found[:PROMPTS]


def _texts(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


KINDS = ("chat", "chat-stream", "message", "message-stream", "embed", "chat", "message-stream", "count")


def request(kind: str, text: str) -> tuple[str, dict[str, Any]]:
    """Path and body of a call."""
    messages = [{"role": "user", "content": text}]
    if kind == "embed":
        return "/v1/embeddings", {"model": "embed", "input": [text, "and more"]}
    if kind == "count":
        return "/v1/messages/count_tokens", {"model": "claude", "messages": messages}
    stream = kind.endswith("stream")
    if kind.startswith("message"):
        return "/v1/messages", {"model": "claude", "max_tokens": 60, "messages": messages, "stream": stream}
    body: dict[str, Any] = {"model": "gpt", "max_tokens": 60, "messages": messages, "stream": stream, "n": 2}
    if stream:
        body["stream_options"] = {"include_usage": True}
    return "/v1/chat/completions", body


def usage_of(kind: str, status: int, body: bytes) -> tuple[int, int]:
    """Tokens in and out, as the caller is told; a stream must end as it should."""
    if status != 200:
        return 0, 0
    if not kind.endswith("stream"):
        usage = json.loads(body).get("usage", {})
        return (
            usage.get("prompt_tokens", usage.get("input_tokens", 0)),
            usage.get("completion_tokens", usage.get("output_tokens", 0)),
        )
    data = [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
    if kind == "chat-stream":
        assert data[-1] == "[DONE]"
        usage = json.loads(data[-2])["usage"]
        return usage["prompt_tokens"], usage["completion_tokens"]
    events = [json.loads(line) for line in data]
    assert events[-1]["type"] == "message_stop"
    [end] = [event for event in events if event["type"] == "message_delta"]
    return end["usage"]["input_tokens"], end["usage"]["output_tokens"]


async def send_all(gateway: Gateway, texts: list[str]) -> list[Told]:
    keys = {app: make_key(gateway.folder, app=app) for app in ("demo", "other")}
    gateway.app.load_keys()
    places = asyncio.Semaphore(CONCURRENCY)

    async def send(session: aiohttp.ClientSession, number: int, text: str) -> Told:
        kind = KINDS[number % len(KINDS)]
        app = "other" if number % 3 == 0 else "demo"
        path, body = request(kind, text if number % 2 else "echo: " + text)
        credential = {"x-api-key": keys[app]} if number % 5 else {"authorization": f"Bearer {keys[app]}"}
        async with places, session.post(gateway.base_url + path, json=body, headers=credential) as answer:
            tokens = usage_of(kind, answer.status, await answer.read())
            return Told(app, body["model"], kind, answer.headers["x-request-id"], answer.status, *tokens)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return await asyncio.gather(*(send(session, number, text) for number, text in enumerate(texts)))


def check_records(told: list[Told], records: list[AuditRecord]) -> None:
    """One intent and one end for each call, and they say what the caller was told."""
    by_id = {record.intent.id: record for record in records}
    assert len(by_id) == len(records) == len(told)
    assert set(by_id) == {call.request_id for call in told}
    for call in told:
        record = by_id[call.request_id]
        end = record.end
        assert end is not None
        assert (record.intent.app, record.intent.model, end.status) == (call.app, call.model, call.status)
        assert (end.usage.input_tokens, end.usage.output_tokens) == (call.input_tokens, call.output_tokens)
        assert end.cost_nano == call.nano
        assert end.cost_nano <= record.intent.reserved_nano
        assert end.state is (EndState.REFUSED if end.code == "policy_denied" else EndState.COMPLETED)
        assert (record.intent.effect == "deny") == (call.status == 403)


def check_usage(gateway: Gateway, told: list[Told]) -> None:
    with gateway.reader() as reader:
        for name in ("app", "model"):
            expected = Counter(getattr(call, name) for call in told)
            rows = {row.group[0]: row for row in reader.usage([name], 0, 2**53)}
            assert set(rows) == set(expected)
            for group, row in rows.items():
                calls = [call for call in told if getattr(call, name) == group]
                assert row.requests == len(calls)
                assert row.refused == sum(call.status == 403 for call in calls)
                assert row.input_tokens == sum(call.input_tokens for call in calls)
                assert row.output_tokens == sum(call.output_tokens for call in calls)
                assert row.cost_nano == sum(call.nano for call in calls)
                assert row.unknown_nano == 0
        [total] = reader.usage([], 0, 2**53)
        assert total.cost_nano == sum(row.cost_nano for row in reader.usage(["day", "key"], 0, 2**53))


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no prompts: {DATA} is absent (GPTGATE_TEST_DATA names another place)")
async def test_all_books_agree_on_two_thousand_prompts(tmp_path: Path) -> None:
    texts = prompts()
    assert len(texts) == PROMPTS
    async with running_gateway(tmp_path, CONFIG) as gateway:
        told = await send_all(gateway, texts)
        records = await records_of(gateway)
        check_records(told, records)
        check_usage(gateway, told)
        statuses = Counter(call.status for call in told)
        assert set(statuses) <= {200, 400, 403}, statuses
        assert statuses[403] > PROMPTS // 20, "there are attacks among the prompts"
        assert statuses[200] > PROMPTS // 2
        stats = gateway.simulator.stats
        assert stats.requests == statuses[200] + statuses[400]
        assert stats.by_status == {status: count for status, count in statuses.items() if status != 403}
        assert stats.input_tokens == sum(call.input_tokens for call in told)
        assert stats.output_tokens == sum(call.output_tokens for call in told)
        assert stats.aborted == 0
        window = month_of(gateway.app.clock.wall_ms())
        for app in ("demo", "other"):
            assert spent_in(gateway.app._treasury.ledger, app, window) == sum(
                call.nano for call in told if call.app == app
            )
        metrics = gateway.app.telemetry.scrape().decode()
        counted = [
            float(line.split()[-1]) for line in metrics.split("\n") if line.startswith("gptgate_requests_total{")
        ]
        assert sum(counted) == PROMPTS
        spent = [
            float(line.split()[-1]) for line in metrics.split("\n") if line.startswith("gptgate_cost_nano_usd_total")
        ]
        assert sum(spent) == sum(call.nano for call in told)
        kinds = {finding.kind for record in records for finding in record.intent.findings}
        assert {"attack.override", "pii.email", "pii.payment_card"} <= kinds
        assert any(kind.startswith("secret.") for kind in kinds)
