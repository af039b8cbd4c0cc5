"""``python -m bench --cost``: what limits, budgets and usage sums add to a request, in place, by leaving them out.

Requests go through the whole pipeline and into a real record store, in this process; only detectors, rules and the
provider are stand-ins, the same for all. Rounds with everything alternate with rounds that lack one part, or all of
them. Time is that of all threads on their cores (`time.process_time`), so the writer of the records is in it, and what
else runs on the machine changes little. Every request is new; all are settled by the provider's usage and recorded.
"""

import asyncio
import gc
import json
import statistics
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import structs
from rich.console import Console
from rich.table import Table

from gptgate.auth.authorize import authorize, authorize_endpoint, reroute, visible_models
from gptgate.compose import HEADERS
from gptgate.core.budgets import BudgetCharge, Spend
from gptgate.core.facts import ChatRequest, Principal, RawRequest, Reservation, Usage
from gptgate.core.finding import Finding, Origin, Segment
from gptgate.core.ports import StreamScanner
from gptgate.core.snapshot import ModelSpec, ProviderSpec, Snapshot
from gptgate.core.wire import Dialect, Endpoint
from gptgate.cost.ceiling import ceiling_tokens
from gptgate.cost.conversations import Conversations
from gptgate.cost.ledger import MemoryLedger
from gptgate.cost.prices import GenaiPriceBook
from gptgate.installed import read_config_text
from gptgate.limits.memory import MemoryLimiter
from gptgate.pipeline.charged import ChargedBudgets
from gptgate.pipeline.crowd import Crowd
from gptgate.pipeline.gate import Gate
from gptgate.pipeline.services import Services
from gptgate.policy.engine import compile_policy
from gptgate.policy.redact import Rewriting
from gptgate.providers.models_list import render_model, render_models
from gptgate.providers.registry import ADAPTERS
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect
from gptgate.storage.sqlite import SqliteStore
from gptgate.wiring import IdSource, SystemClock

BAR_US = 60
ROUNDS, REQUESTS, AT_ONCE = 15, 512, 32
PARTS = ("limits", "budgets", "sums")
ALL, NONE = "everything", "nothing"
CONFIG = """\
version: 1
providers: [{name: openai, kind: openai, base_url: "http://127.0.0.1:9", credential: env:NOBODY}]
models: [{name: gpt-4o-mini, provider: openai}]
teams: [{name: shop}]
apps:
  - name: assistant
    team: shop
    content: none
    limits: {requests_per_minute: 10000000, concurrency: 100000}
    key_limits: {requests_per_minute: 10000000, concurrency: 100000}
    budget: {monthly_usd: "1000000.00"}
limits:
  - {name: tokens, scope: [app, model], unit: total_tokens, amount: 10000000000, window: 1m}
budgets:
  - {name: team-month, scope: [team], unit: usd, amount: "1000000.00", window: month, thresholds: [50, 80, 100]}
  - {name: tokens-day, scope: [app], unit: tokens, amount: "1000000000000", window: day}
"""
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "so it is " * 20}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 70, "completion_tokens": 60, "total_tokens": 130},
    }
).encode()


class _NoLedger:
    """Counts nothing."""

    when_settled: Callable[[], None] | None = None

    def reserve(
        self, request_id: str, app: str, charges: Sequence[BudgetCharge], spend: Spend, at_ms: int
    ) -> Reservation:
        return Reservation(id=request_id, app=app, window="", nano=0, tokens=0)

    def extend(self, reservation: Reservation, spend: Spend) -> Reservation:
        return reservation

    def settle(self, reservation: Reservation, spend: Spend) -> None:
        pass

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None:
        return None

    def spent(self, charge: BudgetCharge, at_ms: int) -> int:
        return 0


class _NoPrice:
    version = ""
    always: tuple[str, ...] = ()

    def cost(self, usage: Usage, asked_tier: str = "") -> int:
        return 0

    def ceiling(self, input_tokens: int, output_tokens: int, service_tier: str = "") -> int:
        return 0

    def covers(self, service_tier: str) -> bool:
        return True

    def fee(self, tool: str) -> int:
        return 0

    def fees(self, uses: Mapping[str, int]) -> int:
        return 0


class _NoPrices:
    def find(self, model: ModelSpec, at_ms: int) -> _NoPrice:
        return _NO_PRICE


_NO_PRICE = _NoPrice()


class _NoFindings:
    digest = ""

    def inspect(self, segments: Sequence[Segment]) -> tuple[Finding, ...]:
        return ()

    def minding(self, texts: Sequence[str]) -> "_NoFindings":
        return self

    def stream(self, place: str, origin: Origin, held: frozenset[str], is_json: bool) -> StreamScanner:
        raise NotImplementedError


class _Reply:
    status, attempts = 200, 1
    headers: Mapping[str, str] = MappingProxyType({})

    async def read(self, limit: int) -> bytes:
        return ANSWER

    async def chunks(self) -> AsyncIterator[bytes]:
        yield ANSWER

    def close(self) -> None:
        pass


class _Provider:
    async def send(self, provider: ProviderSpec, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> _Reply:
        await asyncio.sleep(0)
        return _Reply()


class _Caller:
    started = gone = False
    status = 0

    async def answer(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.started, self.status = True, status

    async def start_stream(self, headers: Sequence[tuple[str, str]]) -> None:
        raise NotImplementedError

    async def send(self, data: bytes) -> None:
        raise NotImplementedError

    async def end_stream(self) -> None:
        raise NotImplementedError


class _Nobody:
    def observe(self, intent: Any, end: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request takes, in microseconds of CPU: with everything, and what each part adds. Medians of the rounds."""

    everything_us: float
    added_us: dict[str, float]
    """By part; `NONE` is what all of them add together."""
    requests: int

    @property
    def passed(self) -> bool:
        return self.added_us[NONE] <= BAR_US


class _Arm:
    """A gateway's pipeline with a store of its own, without some of the parts."""

    def __init__(self, folder: Path, without: Sequence[str]) -> None:
        self._clock = SystemClock()
        self._ids = IdSource(self._clock)
        self._store = SqliteStore.open(folder, clock=self._clock, timeout_ms=60_000)
        if "sums" in without:
            with closing(connect(folder / DATABASE_NAME, busy_ms=5000)) as connection:
                connection.execute("DROP TRIGGER ends_spending")
        snapshot = read_config_text(CONFIG, "bench")
        if "limits" in without:
            snapshot = structs.replace(snapshot, limits=())
        services = self._services(snapshot)
        if "budgets" in without:
            models = {name: structs.replace(model, calibrated=False) for name, model in snapshot.models.items()}
            services = replace(
                services,
                snapshot=structs.replace(snapshot, models=models, budgets=snapshot.budgets[:1]),
                budgets=ChargedBudgets(()),
                ledger=_NoLedger(),
                prices=_NoPrices(),
                ceiling=_no_ceiling,
            )
        self._gate = Gate(services)
        app = services.snapshot.apps["assistant"]
        self._principal = Principal(team="shop", app=app, key_id="bench", models=(), endpoints=())
        self._number = 0

    def _services(self, snapshot: Snapshot) -> Services:
        ledger = MemoryLedger()
        return Services(
            snapshot=snapshot,
            budgets=ChargedBudgets(snapshot.budgets),
            clock=self._clock,
            authenticator=_NOT_ASKED,
            authorize=authorize,
            reroute=reroute,
            authorize_endpoint=authorize_endpoint,
            visible_models=visible_models,
            render_models=render_models,
            render_model=render_model,
            adapters=ADAPTERS,
            limiter=MemoryLimiter(),
            inspector=_NoFindings(),
            policy=compile_policy((), snapshot.digest),
            redaction=Rewriting(b"a secret of the installation"),
            canary=lambda app, session: "",
            prices=GenaiPriceBook({provider.name: provider.kind for provider in snapshot.providers.values()}),
            ceiling=ceiling_tokens,
            conversations=Conversations(),
            ledger=ledger,
            crowd=Crowd(ledger),
            store=self._store,
            upstream=_Provider(),
            headers=HEADERS,
            observer=_Nobody(),
            classifiers={},
            approvals=_NOT_ASKED,
        )

    async def round(self, requests: int) -> float:
        """Microseconds a request, until its end is durable."""
        begun_ns = time.process_time_ns()
        for _ in range(requests // AT_ONCE):
            await asyncio.gather(*(self._serve() for _ in range(AT_ONCE)))
        await self._store.ends_written()
        return (time.process_time_ns() - begun_ns) / requests / 1000

    async def _serve(self) -> None:
        self._number += 1
        body = {
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": f"number {self._number}: " + "tell me a story " * 16}],
            "max_completion_tokens": 200,
            "user": f"u{self._number % 100}",
        }
        raw = RawRequest(
            id=self._ids(),
            endpoint=Endpoint.CHAT,
            dialect=Dialect.OPENAI,
            headers={"x-gptgate-session": f"s{self._number % 50}"},
            body=json.dumps(body).encode(),
            peer="127.0.0.1",
            at_ms=self._clock.wall_ms(),
            started_ns=self._clock.monotonic_ns(),
        )
        caller = _Caller()
        self._gate.enter()
        try:
            await self._gate.serve(raw, self._principal, caller)
        finally:
            self._gate.leave()
        if caller.status != 200:
            raise RuntimeError(f"a request was answered with {caller.status}")

    async def close(self) -> None:
        await self._store.close(10_000)


def _no_ceiling(request: ChatRequest, model: ModelSpec, body_bytes: int) -> tuple[int, int]:
    return 0, 0


_NOT_ASKED: Any = None
"""Nobody authenticates or approves here."""


async def measure_cost(folder: Path, rounds: int = ROUNDS, requests: int = REQUESTS) -> Cost:
    """Every kind of round in turn, in an order that moves on."""
    without = {ALL: (), **{part: (part,) for part in PARTS}, NONE: PARTS}
    arms = {name: _Arm(folder / name, parts) for name, parts in without.items()}
    taken: dict[str, list[float]] = {name: [] for name in arms}
    try:
        for arm in arms.values():
            await arm.round(requests)
        for number in range(rounds):
            names = [*arms][number % len(arms) :] + [*arms][: number % len(arms)]
            for name in names:
                gc.collect()
                gc.disable()
                taken[name].append(await arms[name].round(requests))
                gc.enable()
    finally:
        for arm in arms.values():
            await arm.close()
    added = {
        name: statistics.median(one - other for one, other in zip(taken[ALL], taken[name], strict=True))
        for name in (*PARTS, NONE)
    }
    return Cost(statistics.median(taken[ALL]), added, rounds * requests)


def show_cost(console: Console, cost: Cost) -> None:
    """One line for each part."""
    table = Table("CPU µs a request", "", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    table.add_row("with everything", f"{cost.everything_us:,.1f}")
    table.add_row("limits: three rates, two places, and their headers", f"{cost.added_us['limits']:+,.1f}")
    table.add_row("budgets: ceiling, price, three accounts, settlement", f"{cost.added_us['budgets']:+,.1f}")
    table.add_row("usage: the sums of the record store", f"{cost.added_us['sums']:+,.1f}")
    table.add_row("all of them together", f"{cost.added_us[NONE]:+,.1f}")
    console.print(table)
    colour, word = ("green", "PASS") if cost.passed else ("red", "FAIL")
    console.print(f"[{colour}]{word}[/{colour}]  limits, budgets and usage: {cost.added_us[NONE]:.1f} µs (≤ {BAR_US})")
