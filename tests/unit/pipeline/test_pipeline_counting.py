"""Long texts are counted beside the event loop, before anything is held: others go on, and who leaves loses nothing."""

import asyncio
import threading

import pytest

from gptgate.core.errors import BudgetExceeded
from gptgate.core.facts import RawRequest
from gptgate.core.wire import Dialect
from gptgate.pipeline.counting import LONG, Counting
from gptgate.pipeline.gate import Gate
from harness import CONFIG
from pipeline_parts import (
    Caller,
    PlayedReply,
    PlayedServices,
    PlayedUpstream,
    chat,
    configured,
    principal_of,
    services,
)
from waiting import PATIENCE_S, eventually

ANSWER = (
    b'{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":5}}'
)
TIGHT = CONFIG.replace('"1000.00"', '"0.02"')
"""Twenty thousand tokens of input: no long text fits by its bytes."""
BOUND = 7000


class Bounds:
    """Counts to this; where it is told to, it takes until it may go on."""

    def __init__(self, bound: int | None = BOUND, *, waits: bool = False) -> None:
        self.bound, self.go = bound, threading.Event()
        self.begun: list[threading.Thread] = []
        if not waits:
            self.go.set()

    def knows(self, model: str) -> bool:
        return model == "sim-gpt"

    def most(self, model: str, body: bytes) -> int | None:
        self.begun.append(threading.current_thread())
        if len(body) >= LONG:
            assert self.go.wait(PATIENCE_S)
        return self.bound

    def counted(self, model: str, bound: int, input_tokens: int) -> None:
        pass


def gateway(bounds: Bounds, config: str = TIGHT, answers: int = 1) -> tuple[PlayedServices, Gate]:
    upstream = PlayedUpstream([PlayedReply(pieces=[ANSWER]) for _ in range(answers)])
    made = services(configured(config=config), tokens=Counting(bounds), upstream=upstream)
    return made, Gate(made)


def long(request_id: str = "r1", max_tokens: int = 100) -> RawRequest:
    text = "word " * (LONG // 5)
    return chat(Dialect.OPENAI, text, stream=False, request_id=request_id, max_tokens=max_tokens)


async def test_others_are_served_while_a_long_text_is_counted() -> None:
    """The loop is never late by what counting takes, however long that is."""
    bounds = Bounds(waits=True)
    parts, gate = gateway(bounds, answers=21)
    principal, caller = principal_of(parts.snapshot), Caller()
    counted = asyncio.create_task(gate.serve(long(), principal, caller))
    try:
        await eventually(lambda: len(bounds.begun) == 1)
        for number in range(20):
            quick = Caller()
            small = chat(Dialect.OPENAI, "hello", stream=False, request_id=f"quick-{number}", max_tokens=100)
            await gate.serve(small, principal, quick)
            assert quick.status == 200
        assert not counted.done()
        assert bounds.begun[0] is not threading.main_thread()
    finally:
        bounds.go.set()
        await counted
    assert caller.status == 200
    record = parts.store.records["r1"]
    assert record.intent.reserved_tokens == BOUND + 100


async def test_a_short_text_is_counted_at_once() -> None:
    bounds = Bounds(bound=300)
    parts, gate = gateway(bounds, CONFIG.replace('"1000.00"', '"0.002"'))
    raw = chat(Dialect.OPENAI, "word " * 600, stream=False, max_tokens=100)
    await gate.serve(raw, principal_of(parts.snapshot), Caller())
    assert bounds.begun == [threading.main_thread()]
    assert parts.store.records["r1"].intent.reserved_tokens == 400


async def test_a_caller_who_leaves_while_it_is_counted_holds_nothing() -> None:
    bounds = Bounds(waits=True)
    limits = "limits: [{name: few, scope: [app], unit: total_tokens, amount: 20000, window: 1m}]\npolicy:"
    parts, gate = gateway(bounds, TIGHT.replace("policy:", limits))
    caller = Caller()
    leaving = asyncio.create_task(gate.serve(long(), principal_of(parts.snapshot), caller))
    try:
        await eventually(lambda: len(bounds.begun) == 1)
        caller.gone = True
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert parts.ledger.open_reservations == 0
        assert parts.limiter.in_flight == 0
        assert parts.upstream.sent == []
        record = parts.store.records["r1"]
        assert record.end is not None
        assert (record.end.code, record.end.cost_nano, record.intent.reserved_nano) == ("client_disconnected", 0, 0)
    finally:
        bounds.go.set()
    # All of the budget and of the limit are there for the next.
    again = Caller()
    await gate.serve(long("r2"), principal_of(parts.snapshot), again)
    assert again.status == 200


async def test_what_takes_too_long_is_left_at_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = Bounds(waits=True)
    parts, gate = gateway(bounds)
    monkeypatch.setattr(parts.tokens._beside, "_deadline_s", 0.05)
    try:
        with pytest.raises(BudgetExceeded):
            await gate.serve(long(), principal_of(parts.snapshot), Caller())
    finally:
        bounds.go.set()


async def test_nothing_is_counted_where_the_bytes_fit() -> None:
    bounds = Bounds()
    parts, gate = gateway(bounds, CONFIG)
    await gate.serve(long(), principal_of(parts.snapshot), Caller())
    assert bounds.begun == []


async def test_a_text_is_counted_once_also_where_its_answer_is_cut_down() -> None:
    """The bound of the body that is sent differs from that of the body that was counted by its other bytes alone."""
    bounds = Bounds()
    budgets = 'budgets: [{name: b, scope: [app], unit: tokens, amount: "9000", window: month}]\npolicy:'
    parts, gate = gateway(bounds, CONFIG.replace("policy:", budgets))
    raw = long(max_tokens=100_000)
    await gate.serve(raw, principal_of(parts.snapshot), Caller())
    assert len(bounds.begun) == 1
    (sent,) = parts.upstream.sent
    record = parts.store.records["r1"]
    assert record.intent.lowered_from == 100_000
    shorter = len(raw.body) - len(sent)
    assert shorter > 0
    assert record.intent.reserved_tokens == 9000 - shorter
