"""Large requests and answers are inspected beside the event loop: nobody waits for them but others as large."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Finding, Segment
from gptgate.core.wire import Dialect
from gptgate.pipeline.aside import LARGE, Aside
from gptgate.pipeline.gate import READERS, Gate
from gptgate.pipeline.turns import Pulse, Turns
from pipeline_parts import INSPECTOR, Caller, PlayedReply, PlayedUpstream, chat, configured, principal_of, services
from waiting import PATIENCE_S, eventually

ALONE = Turns(lambda: 1)
ANSWER = b'{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}],"usage":null}'


class SlowInspector:
    """The real one, but for large texts, over which it takes until it is told to go on."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[threading.Thread] = []

    def inspect(self, segments: Sequence[Segment]) -> tuple[Finding, ...]:
        if any(len(segment.text) > LARGE for segment in segments):
            self.begun.append(threading.current_thread())
            assert self.go.wait(PATIENCE_S)
        return INSPECTOR.inspect(segments)

    stream = INSPECTOR.stream
    digest = INSPECTOR.digest


async def test_a_small_request_passes_while_large_ones_are_inspected() -> None:
    inspector = SlowInspector()
    replies = PlayedUpstream([PlayedReply(pieces=[ANSWER]) for _ in range(READERS + 2)])
    parts = services(configured("policy: {rules: []}"), inspector=inspector, upstream=replies)
    gate, principal = Gate(parts), principal_of(parts.snapshot)
    slow = []
    try:
        for number in range(READERS + 1):
            raw = chat(Dialect.OPENAI, "x " * LARGE, stream=False, request_id=f"slow-{number}")
            slow.append(asyncio.create_task(gate.serve(raw, principal, Caller())))
        await eventually(lambda: len(inspector.begun) == READERS)
        quick = Caller()
        await gate.serve(chat(Dialect.OPENAI, "hello", stream=False, request_id="quick"), principal, quick)
        assert quick.status == 200
        assert not any(task.done() for task in slow)
        assert len(inspector.begun) == READERS
        assert threading.main_thread() not in inspector.begun
        # Whoever hangs up frees his place when his work is over, and no sooner.
        slow[0].cancel()
        await asyncio.wait([slow[0]])
        await asyncio.sleep(0.05)
        assert len(inspector.begun) == READERS
    finally:
        inspector.go.set()
        done = await asyncio.gather(*slow, return_exceptions=True)
    assert [type(one) for one in done] == [asyncio.CancelledError] + [type(None)] * READERS
    assert len(inspector.begun) == READERS + 1


async def test_a_large_answer_is_inspected_beside_the_loop_too() -> None:
    inspector = SlowInspector()
    inspector.go.set()
    text = ("x " * LARGE) + "end"
    answer = ANSWER.replace(b"hi", text.encode())
    parts = services(
        configured("policy: {rules: []}"),
        inspector=inspector,
        upstream=PlayedUpstream([PlayedReply(pieces=[answer])]),
    )
    out = Caller()
    await Gate(parts).serve(chat(Dialect.OPENAI, "hello", stream=False), principal_of(parts.snapshot), out)
    assert out.body == answer
    assert len(inspector.begun) == 1
    assert threading.main_thread() not in inspector.begun


async def test_an_answer_whose_inspection_hangs_does_not_go_out(monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = SlowInspector()
    answer = ANSWER.replace(b"hi", b"x " * LARGE)
    upstream = PlayedUpstream([PlayedReply(pieces=[answer])])
    parts = services(configured("policy: {rules: []}"), inspector=inspector, upstream=upstream)
    gate, out = Gate(parts), Caller()
    monkeypatch.setattr(gate._readers._beside, "_deadline_s", 0.05)
    try:
        with pytest.raises(GuardFailed):
            await gate.serve(chat(Dialect.OPENAI, "hello", stream=False), principal_of(parts.snapshot), out)
    finally:
        inspector.go.set()
    assert not out.started
    record = parts.store.records["r1"]
    assert record.end is not None
    assert record.end.code == GuardFailed.code


async def test_work_that_hangs_is_given_up_and_keeps_its_place_until_it_is_over() -> None:
    aside, go = Aside(1, ALONE, Pulse(), deadline_s=0.05), threading.Event()
    try:
        with pytest.raises(GuardFailed, match="took too long"):
            await aside.run(LARGE, go.wait)
        with pytest.raises(GuardFailed, match="took too long"):
            await aside.run(LARGE, lambda: 3)
        assert await aside.run(LARGE - 1, lambda: 4) == 4
    finally:
        go.set()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                assert await aside.run(LARGE, lambda: 3) == 3
            except GuardFailed:
                continue
            break


async def test_a_request_whose_inspection_hangs_is_refused_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = SlowInspector()
    parts = services(configured("policy: {rules: []}"), inspector=inspector, upstream=PlayedUpstream())
    gate, principal = Gate(parts), principal_of(parts.snapshot)
    monkeypatch.setattr(gate._readers._beside, "_deadline_s", 0.05)
    try:
        with pytest.raises(GuardFailed):
            await gate.serve(chat(Dialect.OPENAI, "x " * LARGE, stream=False), principal, Caller())
    finally:
        inspector.go.set()
    record = parts.store.records["r1"]
    assert record.end is not None
    assert record.end.code == GuardFailed.code
    assert record.intent.sent_digest == ""


async def test_what_fails_beside_the_loop_fails_here_and_frees_its_place() -> None:
    aside = Aside(1, ALONE, Pulse())

    def broken() -> None:
        raise GuardFailed("no")

    for size in (0, LARGE, LARGE):
        with pytest.raises(GuardFailed):
            await aside.run(size, broken)
    assert await aside.run(LARGE, lambda: 3) == 3
