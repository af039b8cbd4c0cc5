"""Every observed request ends up in the counts and in one line, whatever happens between."""

import asyncio
import io
import json
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from gptgate.core.events import End, EndState, Intent, encode_event
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import AppSpec, Limits, ModelSpec, ServerSpec, Snapshot
from gptgate.telemetry.log import LineWriter, get_logger
from gptgate.telemetry.metrics import Metrics
from gptgate.telemetry.sink import UNAUTHENTICATED_LINES_PER_SECOND, Telemetry
from waiting import PATIENCE_S, eventually

CANARY = "sk-canary-0123456789"

SNAPSHOT = Snapshot(
    digest="d" * 64,
    server=ServerSpec(
        data_host="",
        data_port=0,
        control_host="",
        control_port=0,
        max_body_bytes=1,
        max_answer_bytes=1,
        header_timeout_ms=1,
        body_timeout_ms=1,
        keep_alive_ms=1,
        sse_keep_alive_ms=1,
        drain_ms=1,
        store_timeout_ms=1,
    ),
    providers={},
    models={
        "gpt": ModelSpec(
            name="gpt",
            provider="p",
            upstream_name="gpt",
            context_window=0,
            max_output_tokens=1,
            price=None,
            location="local",
        )
    },
    teams=("t",),
    apps={
        "web": AppSpec(
            name="web",
            team="t",
            models=(),
            limits=Limits(),
            key_limits=Limits(),
            monthly_budget_nano=None,
            content="none",
        )
    },
    rules=(),
)


class FixedClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_ms = 1_700_000_000_000

    def wall_ms(self) -> int:
        return self.now_ms

    def monotonic_ns(self) -> int:
        return self.now_ms * 1_000_000


@dataclass
class Bench:
    telemetry: Telemetry
    out: io.BytesIO
    err: io.StringIO
    clock: FixedClock

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    def scraped(self, start: str) -> float:
        found = [line for line in self.telemetry.scrape().decode().splitlines() if line.startswith(start)]
        return sum(float(line.rpartition(" ")[2]) for line in found)


def bench(out: io.BytesIO | None = None, capacity: int = 1000) -> Bench:
    out, err, clock = out or io.BytesIO(), io.StringIO(), FixedClock()
    metrics = Metrics(kinds={"pii.email"}, in_flight=lambda: 0, queues={})
    made = Telemetry(metrics=metrics, lines=LineWriter(out), clock=clock, logger=get_logger(err), capacity=capacity)
    made.configure(SNAPSHOT)
    return Bench(made, out, err, clock)


def pair(number: int, model: str = "gpt", end_user: str = "user-1") -> tuple[Intent, End]:
    place = Finding("pii.email", Origin.USER, f"/messages/{CANARY}", 3, 9, "d", 10)
    intent = Intent(
        id=f"id{number}",
        at_ms=1_700_000_000_000,
        team="t",
        app="web",
        key_id="k1",
        end_user=end_user,
        client="10.0.0.1",
        endpoint="chat",
        stream=True,
        model=model,
        provider="p",
        upstream_model=CANARY,
        effect="redact",
        score=10,
        parts=((CANARY, 10),),
        rules=("r1", "r2"),
        findings=(place,),
        config_digest="d" * 64,
        request_digest="q" * 64,
        sent_digest="s" * 64,
        window="2026-11",
        reserved_nano=900,
        price_version="v",
        traceparent=CANARY,
        finding_counts=(("pii.email", 1),),
    )
    end = End(
        id=f"id{number}",
        at_ms=1_700_000_000_250,
        app="web",
        window="2026-11",
        state=EndState.COMPLETED,
        status=200,
        code="",
        effect="redact",
        rules=("r2", "r3"),
        findings=(place,),
        score=5,
        answered_model="gpt-2026",
        provider_request_id=CANARY,
        usage=Usage(input_tokens=10, output_tokens=3, cache_read=2),
        usage_source="provider",
        cost_nano=700,
        attempts=2,
        answer_digest="a" * 64,
        timings_us={"total": 2400, "upstream": 2000},
        finding_counts=(("pii.email", 2), ("secret.x", 1)),
    )
    return intent, end


def test_one_request_gives_one_line_with_what_an_operator_asks_for() -> None:
    made = bench()
    made.telemetry.observe(*pair(1))
    made.telemetry.flush()
    assert made.lines() == [
        {
            "event": "request",
            "at": "2023-11-14T22:13:20.250000Z",
            "id": "id1",
            "team": "t",
            "app": "web",
            "key_id": "k1",
            "end_user": "user-1",
            "endpoint": "chat",
            "stream": True,
            "model": "gpt",
            "answered_model": "gpt-2026",
            "provider": "p",
            "status": 200,
            "code": "",
            "failed_guard": "",
            "failure": "",
            "state": "completed",
            "effect": "redact",
            "rules": ["r1", "r2", "r3"],
            "findings": {"pii.email": 3, "secret.x": 1},
            "score": 10,
            "answer_score": 5,
            "input_tokens": 10,
            "output_tokens": 3,
            "cache_read": 2,
            "cache_write": 0,
            "usage_source": "provider",
            "cost_nano_usd": 700,
            "reserved_nano_usd": 900,
            "overrun_nano_usd": 0,
            "attempts": 2,
            "duration_us": 2400,
            "overhead_us": 400,
            "timings_us": {"total": 2400, "upstream": 2000},
            "config_digest": "d" * 64,
        }
    ]


def test_what_an_event_carries_beyond_the_line_never_gets_into_lines_or_metrics() -> None:
    made = bench()
    intent, end = pair(1, model=CANARY)
    assert CANARY in (encode_event(intent) + encode_event(end)).decode()
    made.telemetry.observe(intent, end)
    made.telemetry.unauthenticated(CANARY, "10.0.0.1")
    made.telemetry.flush()
    assert len(made.lines()) == 2
    assert CANARY not in made.out.getvalue().decode()
    assert CANARY not in made.telemetry.scrape().decode()
    assert CANARY not in made.err.getvalue()


def test_what_callers_write_cannot_break_or_fake_a_line() -> None:
    made = bench()
    on_a_terminal = "é\x1b[2J\x7f\x9b31m\u202eevil\u2066\u200b"
    nasty = ['"}\n{"event":"request"', "\ud800" * 3, "é" * 5000, "\x00\u2028\r", on_a_terminal]
    for number, end_user in enumerate(nasty):
        made.telemetry.observe(*pair(number, end_user=end_user))
    made.telemetry.flush()
    found = made.lines()
    assert [line["id"] for line in found] == [f"id{number}" for number in range(5)]
    assert all(len(line["end_user"]) <= 128 for line in found)
    assert found[4]["end_user"] == on_a_terminal
    assert all(char.isprintable() or char == "\n" for char in made.out.getvalue().decode())
    assert made.scraped("gptgate_log_lines_lost_total") == 0


def test_a_scrape_is_complete_up_to_its_moment() -> None:
    made = bench()
    for number in range(10):
        made.telemetry.observe(*pair(number))
    assert made.scraped("gptgate_requests_total") == 10


def test_a_full_buffer_is_worked_off_not_dropped() -> None:
    made = bench(capacity=8)
    for number in range(100):
        made.telemetry.observe(*pair(number))
    assert len(made.lines()) == 96
    made.telemetry.close()
    assert [line["id"] for line in made.lines()] == [f"id{number}" for number in range(100)]
    assert made.scraped("gptgate_requests_total") == 100


async def test_the_background_task_writes_soon() -> None:
    made = bench()
    task = asyncio.create_task(made.telemetry.run())
    for number in range(100):
        made.telemetry.observe(*pair(number))
    await eventually(lambda: len(made.lines()) == 100)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class BlockedStream(io.BytesIO):
    """A pipe whose reader does not read until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.opened = threading.Event(), threading.Event()

    def write(self, data: Any) -> int:
        self.reached.set()
        assert self.opened.wait(PATIENCE_S)
        return super().write(data)


async def test_a_blocked_pipe_does_not_block_the_event_loop_and_loses_nothing() -> None:
    stream = BlockedStream()
    made = bench(stream)
    task = asyncio.create_task(made.telemetry.run())
    made.telemetry.observe(*pair(0))
    await eventually(stream.reached.is_set)
    for number in range(1, 50):
        made.telemetry.observe(*pair(number))
    assert made.scraped("gptgate_requests_total") == 50
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stream.opened.set()
    made.telemetry.close()
    assert {line["id"] for line in made.lines()} == {f"id{number}" for number in range(50)}


async def test_a_reader_who_has_stopped_holds_up_neither_the_gateway_nor_its_end() -> None:
    stream = BlockedStream()
    made = bench(stream, capacity=8)
    task = asyncio.create_task(made.telemetry.run())
    made.telemetry.observe(*pair(0))
    await eventually(stream.reached.is_set)
    began = time.monotonic()
    for number in range(1, 101):
        made.telemetry.observe(*pair(number))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    made.telemetry.close()
    assert time.monotonic() - began < PATIENCE_S / 4, "the reader is not waited for"
    assert made.scraped("gptgate_requests_total") == 101
    assert made.scraped("gptgate_log_lines_lost_total") == 96
    assert "the log takes no lines" in made.err.getvalue()
    stream.opened.set()
    await eventually(lambda: len(made.lines()) == 5)


class RawStream(io.BytesIO):
    """Takes as much of a write as it likes, as a file descriptor may."""

    def write(self, data: Any) -> int:
        return super().write(data[:100])


def test_a_stream_that_takes_a_part_gets_the_rest() -> None:
    made = bench(RawStream())
    for number in range(20):
        made.telemetry.observe(*pair(number))
    made.telemetry.close()
    assert [line["id"] for line in made.lines()] == [f"id{number}" for number in range(20)]


class BrokenStream(io.BytesIO):
    """A pipe whose reader has gone."""

    def write(self, data: Any) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("kind", ["broken", "closed"])
def test_lines_that_cannot_be_written_are_counted_and_reported_once(kind: str) -> None:
    stream = BrokenStream()
    if kind == "closed":
        stream.close()
    made = bench(stream)
    for number in range(3):
        made.telemetry.observe(*pair(number))
        made.telemetry.flush()
    assert made.scraped("gptgate_log_lines_lost_total") == 3
    assert made.scraped("gptgate_requests_total") == 3
    (line,) = made.err.getvalue().splitlines()
    assert json.loads(line)["level"] == "error"


def test_a_flood_of_unknown_callers_is_counted_whole_and_logged_in_part() -> None:
    made = bench()
    for _ in range(1000):
        made.telemetry.unauthenticated("invalid_api_key", "10.0.0.9")
    made.clock.now_ms += 1000
    made.telemetry.unauthenticated("missing_api_key", "10.0.0.8")
    made.telemetry.flush()
    found = made.lines()
    assert len(found) == UNAUTHENTICATED_LINES_PER_SECOND + 1
    assert found[-1] == {
        "event": "unauthenticated",
        "at": "2023-11-14T22:13:21Z",
        "code": "missing_api_key",
        "client": "10.0.0.8",
        "suppressed": 1000 - UNAUTHENTICATED_LINES_PER_SECOND,
    }
    assert made.scraped('gptgate_auth_failures_total{code="invalid_api_key"}') == 1000


def test_closing_says_how_many_lines_were_held_back() -> None:
    made = bench()
    for _ in range(UNAUTHENTICATED_LINES_PER_SECOND + 5):
        made.telemetry.unauthenticated("invalid_api_key", "10.0.0.9")
    made.telemetry.close()
    assert made.lines()[-1]["suppressed"] == 5


def test_events_under_the_old_configuration_are_counted_under_its_names() -> None:
    made = bench()
    made.telemetry.observe(*pair(1))
    made.telemetry.configure(SNAPSHOT.__class__(**{**_fields(SNAPSHOT), "models": {}}))
    made.telemetry.observe(*pair(2))
    made.telemetry.flush()
    assert [line["model"] for line in made.lines()] == ["gpt", "other"]


def _fields(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in snapshot.__struct_fields__}
