"""Couriers: every entry reaches every sink, in order, whatever fails in between."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from audit_logs import Records
from gptgate.core.beside import SinkKind, SinkSpec
from gptgate.core.sinks import ENTRY_KINDS, LogLine, SinkFailed, SinkRefused
from gptgate.couriers import Couriers, batches
from gptgate.storage import events
from gptgate.storage.folder import DATABASE_NAME
from waiting import PATIENCE_S, wait_until


class Memory:
    """A sink that keeps what it gets; it fails while `failing`."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.failing = False
        self.closed = 0
        self.tried = threading.Event()
        self.news = threading.Condition()

    def resume(self, position: int) -> int:
        return position

    def deliver(self, lines: Sequence[LogLine]) -> None:
        self.tried.set()
        if self.failing:
            raise SinkFailed("away")
        with self.news:
            self.got += [line.index for line in lines]
            self.news.notify_all()

    def close(self) -> None:
        self.closed += 1

    def wait_for(self, number: int) -> list[int]:
        with self.news:
            self.news.wait_for(lambda: len(self.got) >= number, PATIENCE_S)
        return self.got


class Halves(Memory):
    """A sink that takes half of the first delivery, fails, and knows what it has when it is asked."""

    def resume(self, position: int) -> int:
        return max(position, self.got[-1] + 1) if self.got else position

    def deliver(self, lines: Sequence[LogLine]) -> None:
        if not self.tried.is_set():
            super().deliver(lines[: len(lines) // 2])
            raise SinkFailed("full")
        super().deliver(lines)


class Picky(Memory):
    """A sink whose other side takes all lines but the first of each delivery."""

    def deliver(self, lines: Sequence[LogLine]) -> None:
        super().deliver(lines)
        raise SinkRefused(1)


def spec(name: str = "s", to: str = "") -> SinkSpec:
    return SinkSpec(name=name, kind=SinkKind.FILE, to=to, credential=None, timeout_ms=1000)


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    monkeypatch.setattr("gptgate.couriers.LOOK_S", 0.01)
    monkeypatch.setattr("gptgate.couriers.BACKOFF_FIRST_S", 0.01)
    monkeypatch.setattr("gptgate.couriers.BACKOFF_MOST_S", 0.02)
    made = Records(tmp_path)
    made.add([f"r{number}" for number in range(150)])
    sequence(made)
    return made


def sequence(records: Records) -> None:
    sequencer = records.sequencer()
    sequencer.start()
    assert sequencer.stop(PATIENCE_S)


Start = Callable[[Memory], Couriers]


@pytest.fixture
def start(records: Records) -> Iterator[Start]:
    begun: list[Couriers] = []

    def begin(sink: Memory) -> Couriers:
        couriers = Couriers(records.path.parent, {SinkKind.FILE: lambda _, __: sink})
        begun.append(couriers)
        couriers.change([spec()], {})
        return couriers

    yield begin
    for couriers in begun:
        couriers.close(PATIENCE_S)


def test_all_entries_arrive_in_order_and_new_ones_follow(records: Records, start: Start) -> None:
    sink = Memory()
    couriers = start(sink)
    assert sink.wait_for(300) == list(range(300))
    records.add(["later"])
    sequence(records)
    assert sink.wait_for(302) == list(range(302))
    couriers.close(PATIENCE_S)
    assert couriers.stats(302)["s"].position == 302
    assert sink.closed == 1


def test_the_next_start_goes_on_where_the_last_one_ended(records: Records, start: Start) -> None:
    first, second = Memory(), Memory()
    couriers = start(first)
    first.wait_for(300)
    couriers.close(PATIENCE_S)
    records.add(["later"])
    sequence(records)
    start(second)
    assert second.wait_for(2) == [300, 301]


def test_a_sink_that_is_away_lags_and_gets_everything_later(records: Records, start: Start) -> None:
    sink = Memory()
    sink.failing = True
    couriers = start(sink)
    assert sink.tried.wait(PATIENCE_S)
    sink.tried.clear()
    assert sink.tried.wait(PATIENCE_S), "it is tried again"
    stats = couriers.stats(300)["s"]
    assert (stats.position, stats.lag, stats.fault) == (0, 300, "away")
    assert stats.failures >= 1
    sink.failing = False
    assert sink.wait_for(300) == list(range(300))


def test_what_the_other_side_refuses_is_counted_and_not_sent_again(records: Records, start: Start) -> None:
    sink = Picky()
    couriers = start(sink)
    assert sink.wait_for(300) == list(range(300))
    records.add(["later"])
    sequence(records)
    assert sink.wait_for(302) == list(range(302))
    couriers.close(PATIENCE_S)
    stats = couriers.stats(302)["s"]
    assert (stats.position, stats.lag, stats.failures) == (302, 0, 0)
    assert couriers.refused() == {("s",): stats.refused}
    assert stats.refused >= 2


def test_a_sink_that_failed_is_asked_again_how_far_it_came(records: Records, start: Start) -> None:
    sink = Halves()
    start(sink)
    assert sink.wait_for(300) == list(range(300))


def test_a_crash_before_the_note_brings_the_batch_again(records: Records, start: Start) -> None:
    sink = Memory()
    couriers = start(sink)
    sink.wait_for(300)
    couriers.close(PATIENCE_S)
    (records.path.parent / "sinks" / "s").write_text("256\n")
    again = Memory()
    start(again)
    assert again.wait_for(44) == list(range(256, 300))


def test_a_note_past_the_log_is_said_and_not_guessed(records: Records, start: Start) -> None:
    """The records were put back from an older copy."""
    (records.path.parent / "sinks").mkdir()
    (records.path.parent / "sinks" / "s").write_text("1000\n")
    sink = Memory()
    couriers = start(sink)
    wait_until(lambda: couriers.stats(300)["s"].fault)
    assert couriers.stats(300)["s"].fault == "sink s has had 1000 entries, the log has 300"
    assert sink.got == []


def test_a_change_ends_what_changed_and_keeps_the_rest(records: Records) -> None:
    sinks = {"old": Memory(), "new": Memory(), "other": Memory()}
    couriers = Couriers(records.path.parent, {SinkKind.FILE: lambda wanted, _: sinks[wanted.to]})
    couriers.change([spec("s", "old"), spec("t", "other")], {})
    sinks["old"].wait_for(300)
    sinks["other"].wait_for(300)
    couriers.change([spec("s", "new"), spec("t", "other")], {})
    records.add(["later"])
    sequence(records)
    assert sinks["new"].wait_for(2) == [300, 301]
    assert sinks["other"].wait_for(302) == list(range(302))
    assert (len(sinks["old"].got), sinks["other"].closed) == (300, 0)
    couriers.change([], {})
    couriers.close(PATIENCE_S)
    assert couriers.stats(302) == {}
    assert [sink.closed for sink in sinks.values()] == [1, 1, 1]


def test_batches_are_bounded_and_a_large_line_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gptgate.couriers.MOST_BYTES", 10)
    lines = [LogLine(index, 0, "end", b"x" * size) for index, size in enumerate((4, 4, 4, 50, 1))]
    assert [[line.index for line in batch] for batch in batches(lines)] == [[0, 1], [2], [3], [4]]


def test_a_sink_gets_only_the_kinds_that_it_is_for_and_does_not_lag_for_the_others(records: Records) -> None:
    sink = Memory()
    couriers = Couriers(records.path.parent, {SinkKind.FILE: lambda _, __: sink})
    couriers.change([replace(spec(), only=("end",))], {})
    got = sink.wait_for(150)
    couriers.close(PATIENCE_S)
    assert len(got) == len(set(got)) == 150
    assert got == sorted(got)
    assert couriers.stats(300)["s"].lag == 0
    assert (records.path.parent / "sinks" / "s").read_text() == "300\n"


def test_a_sink_that_no_entry_is_for_gets_none(records: Records) -> None:
    sink = Memory()
    couriers = Couriers(records.path.parent, {SinkKind.FILE: lambda _, __: sink})
    couriers.change([replace(spec(), only=("budget_threshold",))], {})
    wait_until(lambda: not couriers.stats(300)["s"].lag)
    couriers.close(PATIENCE_S)
    assert (sink.got, couriers.stats(300)["s"].position) == ([], 300)


def test_every_kind_of_entry_can_be_asked_for() -> None:
    made = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    assert set(ENTRY_KINDS) == made - {DATABASE_NAME} | {"intent", "end"}
