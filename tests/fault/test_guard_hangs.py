"""Every guard made to hang, one at a time: the watchdog ends it, and the request is refused, on record and counted.

As `test_guard_failures.py`: what hangs is the innermost part that can, and all around it is real.
"""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from broken_guards import (
    ENCODED,
    SECRET,
    Saying,
    WholeOne,
    answer,
    broken_detector,
    broken_engine,
    broken_view,
    looking_at_answers,
    refused,
    refused_on_answers,
    streamed,
    unbroken,
    where_it_looks,
    with_parts,
)
from gptgate.core.errors import GuardFailed, PolicyDenied
from gptgate.core.wire import Dialect
from gptgate.detectors import DETECTORS
from gptgate.detectors.registry import VIEWS, WHOLE_DETECTORS
from gptgate.pipeline.aside import Aside
from gptgate.pipeline.gate import Gate
from gptgate.pipeline.turns import Pulse, Turns
from gptgate.policy import cel
from gptgate.telemetry.log import get_logger
from gptgate.watchdog import Watchdog
from pipeline_parts import CARD, Caller, PlayedReply, chat, configured, principal_of


class Looks:
    """The watchdog's ticks: many while something hangs, none otherwise, so that nothing depends on how fast a machine
    is. Many, because a signal that comes just before a thread falls asleep does not wake it."""

    def __init__(self) -> None:
        self._hanging = threading.Event()
        self._over = False

    @contextmanager
    def hang(self) -> Iterator[None]:
        self._hanging.set()
        try:
            yield
        finally:
            self._hanging.clear()

    def set(self) -> None:
        self._over = True
        self._hanging.set()

    def wait(self, _: float) -> bool:
        self._hanging.wait()
        if not self._over:
            time.sleep(0.02)
        return self._over


LOOKS: list[Looks] = []


def spins(*_: Any, **__: Any) -> Any:
    with LOOKS[-1].hang():
        while True:
            pass


def sleeps(*_: Any, **__: Any) -> Any:
    with LOOKS[-1].hang():
        time.sleep(3600)


def waits(*_: Any, **__: Any) -> Any:
    with LOOKS[-1].hang():
        threading.Event().wait()


HANGS = {"spins": spins, "sleeps": sleeps, "waits": waits}


@asynccontextmanager
async def running(watchdog: Watchdog) -> AsyncIterator[None]:
    task = asyncio.create_task(watchdog.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture(autouse=True)
async def watchdog() -> AsyncIterator[Watchdog]:
    one = Watchdog(get_logger(), lambda: 0, deadline_ticks=2)
    one._over = looks = Looks()  # type: ignore[assignment]
    LOOKS.append(looks)
    async with running(one):
        yield one
    LOOKS.remove(looks)


@pytest.mark.parametrize("name", DETECTORS)
async def test_a_detector_that_hangs_refuses(name: str) -> None:
    assert await refused(with_parts(inspector=broken_detector(name, spins)), **where_it_looks(name)) == "guard_failed"


@pytest.mark.parametrize("name", looking_at_answers())
async def test_a_detector_that_hangs_on_an_answer_lets_nothing_out(name: str) -> None:
    await refused_on_answers(broken_detector(name, spins))


@pytest.mark.parametrize("hang", HANGS)
async def test_an_engine_that_hangs_refuses(hang: str) -> None:
    engine = broken_engine(HANGS[hang])
    assert await refused(with_parts(inspector=engine)) == "guard_failed"
    await refused_on_answers(engine)


@pytest.mark.parametrize("name", VIEWS)
async def test_a_view_that_hangs_refuses(name: str) -> None:
    parts = with_parts(inspector=broken_view(name, spins))
    assert await refused(parts, f"{SECRET} {ENCODED}") == "guard_failed"


@pytest.mark.parametrize("name", WHOLE_DETECTORS)
async def test_each_registered_detector_of_whole_texts_is_made_to_hang(name: str) -> None:
    class Hanging(WholeOne):
        kinds = WHOLE_DETECTORS[name].kinds
        origins = WHOLE_DETECTORS[name].origins

    whole = {**WHOLE_DETECTORS, name: Hanging(spins)}
    assert await refused(with_parts(inspector=unbroken(_whole=tuple(whole.values())))) == "guard_failed"


CONDITIONS = {
    stage: configured(
        f"""\
policy:
  rules:
    - {{id: when-risky, stage: {stage}, effect: deny, when: "risk.score > 1000"}}
"""
    )
    for stage in ("request", "response")
}


@pytest.mark.parametrize("hang", HANGS)
async def test_a_condition_that_hangs_refuses(hang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = with_parts(snapshot=CONDITIONS["request"])
    monkeypatch.setattr(cel, "_evaluate", HANGS[hang])
    assert await refused(parts) == "guard_failed"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_condition_that_hangs_on_an_answer_lets_nothing_out(
    stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = PlayedReply(pieces=streamed("card ", CARD) if stream else [answer(SECRET)])
    parts = with_parts(reply, snapshot=CONDITIONS["response"])
    monkeypatch.setattr(cel, "_evaluate", spins)
    assert await refused(parts, "hello", stream=stream, reached=True) == "guard_failed"


@pytest.mark.parametrize("method", ["assess", "decide"])
async def test_a_policy_that_hangs_refuses(method: str) -> None:
    assert await refused(with_parts(policy=Saying(with_parts().policy, method, spins))) == "guard_failed"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_redaction_that_hangs_refuses(stream: bool) -> None:
    redaction = with_parts().redaction
    assert await refused(with_parts(redaction=Saying(redaction, "text", spins))) == "guard_failed"
    broken = Saying(redaction, "stream", lambda _: Saying(None, "apply", spins)) if stream else None
    reply = PlayedReply(pieces=streamed("card ", CARD, " bob@example.org") if stream else [answer(SECRET)])
    parts = with_parts(reply, redaction=broken or Saying(redaction, "text", spins))
    assert await refused(parts, "hello", stream=stream, reached=True) == "guard_failed"


async def test_a_refusal_whose_text_cannot_be_redacted_for_the_record_is_on_record_without_it() -> None:
    snapshot = configured("policy: {rules: [{id: no-cards, stage: request, effect: deny, findings: ['pii.*']}]}")
    parts = with_parts(snapshot=snapshot, redaction=Saying(with_parts().redaction, "text", spins))
    with pytest.raises(PolicyDenied):
        await Gate(parts).serve(chat(Dialect.OPENAI, SECRET, stream=False), principal_of(snapshot), Caller())
    (record,) = parts.store.records.values()
    assert record.end is not None
    assert (record.end.code, record.request_content) == ("policy_denied", None)


async def test_requests_after_one_that_hung_are_served() -> None:
    calls: list[int] = []

    def first_hangs() -> Any:
        calls.append(1)
        return spins() if len(calls) == 1 else set()

    parts = with_parts(inspector=broken_engine(first_hangs))
    gate, principal = Gate(parts), principal_of(parts.snapshot)
    with pytest.raises(GuardFailed) as caught:
        await gate.serve(chat(Dialect.OPENAI, "hello", stream=False, request_id="r1"), principal, Caller())
    assert caught.value.message == "Looking at this took too long."
    assert (caught.value.why or "").startswith("ended in gptgate.detectors.stretches.")
    out = Caller()
    await gate.serve(chat(Dialect.OPENAI, "hello", stream=False, request_id="r2"), principal, out)
    assert out.status == 200


async def test_the_loop_s_other_work_is_never_ended(watchdog: Watchdog) -> None:
    """Only a guard can be left at any point. A commit, or the settling of money, cannot."""
    barks: list[int] = []
    bark = watchdog._bark

    def heard(number: int, frame: Any) -> None:
        barks.append(number)
        bark(number, frame)

    signal.signal(signal.SIGALRM, heard)
    with LOOKS[-1].hang():
        while not barks:
            pass


async def test_a_bark_that_comes_when_the_loop_has_turned_ends_nothing(watchdog: Watchdog) -> None:
    scope: dict[str, Any] = {"__name__": "gptgate.policy.engine", "sys": sys}
    exec("def frame():\n    return sys._getframe()", scope)
    frame = scope["frame"]()
    watchdog._stuck_at = (watchdog._turns - 1, 0)
    watchdog._bark(signal.SIGALRM, frame)
    watchdog._stuck_at = (watchdog._turns, 0)
    with pytest.raises(GuardFailed):
        watchdog._bark(signal.SIGALRM, frame)


async def test_a_loop_that_turns_between_two_looks_hears_no_bark(watchdog: Watchdog) -> None:
    other = Watchdog(get_logger(), lambda: 0, deadline_ticks=1)
    seen = []

    class Turning:
        def wait(self, _: float) -> bool:
            other._turns += 1
            seen.append(other._turns)
            return len(seen) > 50

    other._over = Turning()  # type: ignore[assignment]
    other._watch(threading.get_ident())
    assert other._stuck_at == (-1, -1)


async def test_one_turn_that_does_the_work_of_many_requests_hears_no_bark() -> None:
    pulse = Pulse()
    looks: list[None] = []
    other = Watchdog(get_logger(), lambda: pulse.beats, deadline_ticks=1)
    aside = Aside(1, Turns(lambda: 0), pulse)

    class Inspecting:
        def wait(self, _: float) -> bool:
            asyncio.run(aside.run(1, lambda: looks.append(None)))
            return len(looks) > 50

    other._over = Inspecting()  # type: ignore[assignment]
    await asyncio.to_thread(other._watch, threading.get_ident())
    assert other._stuck_at == (-1, -1)


async def test_the_signal_s_handler_is_put_back_and_the_thread_is_gone() -> None:
    before = signal.getsignal(signal.SIGALRM)
    other = Watchdog(get_logger(), lambda: 0, tick_s=0.001)
    async with running(other):
        assert signal.getsignal(signal.SIGALRM) == other._bark
        assert len([one for one in threading.enumerate() if one.name == "watchdog"]) == 2
    assert signal.getsignal(signal.SIGALRM) == before
    assert len([one for one in threading.enumerate() if one.name == "watchdog"]) == 1
