"""The contract of `core.ports.RecordStore`, over every implementation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gptgate.core.errors import AuditUnavailable
from gptgate.core.events import EndState
from gptgate.core.facts import Reservation, Usage
from gptgate.storage.memory import MemoryStore
from gptgate.storage.queries import SqliteReader
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.views import AuditRecord
from storage_samples import SystemClock, end, intent

Store = SqliteStore | MemoryStore


class Bench:
    """A store and a way to read it back. `reread` ends the store first, so it sees what outlives it."""

    def __init__(self, store: Store, show: Callable[[str], AuditRecord | None]) -> None:
        self.store = store
        self.show = show

    async def reread(self, request_id: str) -> AuditRecord | None:
        await self.store.close(60_000)
        return self.show(request_id)


def sqlite_bench(folder: Path) -> Bench:
    def show(request_id: str) -> AuditRecord | None:
        with SqliteReader(folder) as reader:
            return reader.show(request_id)

    return Bench(SqliteStore.open(folder, clock=SystemClock(), timeout_ms=60_000), show)


def memory_bench(folder: Path) -> Bench:
    store = MemoryStore()
    return Bench(store, store.show)


BENCHES: dict[str, Callable[[Path], Bench]] = {"sqlite": sqlite_bench, "memory": memory_bench}


@pytest.fixture(params=list(BENCHES.values()), ids=list(BENCHES))
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made: Bench = request.param(tmp_path / "data")
    yield made
    await made.store.close(60_000)


async def test_begin_returns_only_when_the_intent_is_there(bench: Bench) -> None:
    index = await bench.store.begin(intent("a", model="m", rules=("r1", "r2")), b"question")
    assert bench.show("a") == AuditRecord(
        seq=index.seq,
        intent=intent("a", model="m", rules=("r1", "r2")),
        end=None,
        request_content=b"question",
        answer_content=None,
    )


async def test_refuse_returns_only_when_intent_and_end_are_there(bench: Bench) -> None:
    refused = end("a", state=EndState.REFUSED, status=403, code="policy_denied", cost_nano=0)
    index = await bench.store.refuse(intent("a"), refused, b"question")
    assert bench.show("a") == AuditRecord(
        seq=index.seq, intent=intent("a"), end=refused, request_content=b"question", answer_content=None
    )


async def test_places_rise_in_the_order_of_the_calls(bench: Bench) -> None:
    first = await bench.store.begin(intent("a"), None)
    second = await bench.store.refuse(intent("b"), end("b"), None)
    third = await bench.store.begin(intent("c"), None)
    assert (first.seq, second.seq, third.seq) == (1, 2, 3)


async def test_two_hundred_concurrent_begins_get_two_hundred_places(bench: Bench) -> None:
    names = [f"r{number}" for number in range(200)]
    places = await asyncio.gather(*(bench.store.begin(intent(name), name.encode()) for name in names))
    assert sorted(place.seq for place in places) == list(range(1, 201))
    for name, place in zip(names, places, strict=True):
        record = bench.show(name)
        assert record is not None
        assert (record.seq, record.request_content) == (place.seq, name.encode())


async def test_an_end_is_durable_before_close_returns(bench: Bench) -> None:
    await bench.store.begin(intent("a"), None)
    bench.store.finish(end("a", answered_model="m-2", usage=Usage(input_tokens=3, output_tokens=4)), b"answer")
    record = await bench.reread("a")
    assert record is not None
    assert record.end == end("a", answered_model="m-2", usage=Usage(input_tokens=3, output_tokens=4))
    assert record.answer_content == b"answer"


async def test_a_second_end_of_the_same_id_is_ignored(bench: Bench) -> None:
    await bench.store.begin(intent("a"), None)
    bench.store.finish(end("a", cost_nano=1), None)
    bench.store.finish(end("a", cost_nano=2), b"later")
    record = await bench.reread("a")
    assert record is not None
    assert record.end == end("a", cost_nano=1)
    assert record.answer_content is None


async def test_an_end_after_a_refusal_is_ignored(bench: Bench) -> None:
    await bench.store.refuse(intent("a"), end("a", cost_nano=0, state=EndState.REFUSED), None)
    bench.store.finish(end("a", cost_nano=2), None)
    record = await bench.reread("a")
    assert record is not None
    assert record.end == end("a", cost_nano=0, state=EndState.REFUSED)


async def test_an_end_without_an_intent_is_ignored(bench: Bench) -> None:
    bench.store.finish(end("nobody"), None)
    await bench.store.begin(intent("a"), None)
    assert await bench.reread("nobody") is None


async def test_an_id_that_has_begun_cannot_begin_again(bench: Bench) -> None:
    await bench.store.begin(intent("a", model="first"), None)
    with pytest.raises(AuditUnavailable):
        await bench.store.begin(intent("a", model="second"), None)
    bench.store.finish(end("a"), None)
    record = await bench.reread("a")
    assert record is not None
    assert (record.intent.model, record.end) == ("first", end("a"))


async def test_an_id_that_has_ended_cannot_begin_again(bench: Bench) -> None:
    await bench.store.refuse(intent("a"), end("a"), None)
    with pytest.raises(AuditUnavailable):
        await bench.store.begin(intent("a"), None)
    with pytest.raises(AuditUnavailable):
        await bench.store.refuse(intent("a"), end("a"), None)
    assert bench.store.healthy() == []


async def test_a_closed_store_refuses_and_says_so(bench: Bench) -> None:
    assert bench.store.healthy() == []
    await bench.store.close(60_000)
    assert bench.store.healthy() == ["the record store is closed"]
    with pytest.raises(AuditUnavailable):
        await bench.store.begin(intent("a"), None)
    with pytest.raises(AuditUnavailable):
        await bench.store.refuse(intent("a"), end("a"), None)
    bench.store.finish(end("a"), None)
    assert bench.show("a") is None


async def test_what_is_held_besides_is_recorded_or_the_caller_hears_of_it(bench: Bench) -> None:
    await bench.store.begin(intent("a"), None)
    held = Reservation(id="a", app="shop", window="2026-11", nano=500, tokens=50)
    await bench.store.extend(held, Usage(input_tokens=20, output_tokens=30))
    bench.store.finish(end("a"), None)
    assert (await bench.reread("a")) is not None
    with pytest.raises(AuditUnavailable):
        await bench.store.extend(held, Usage(input_tokens=20, output_tokens=30))
