"""What every sink does, and what each says of itself."""

import hmac
import json
import os
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from gptgate.core.beside import SinkKind, SinkSpec
from gptgate.core.sinks import LogLine, SinkFailed, SinkRefused
from gptgate.sinks.registry import SINKS
from harness import free_port
from sink_servers import Received, collector, log_records, syslog, webhook
from waiting import PATIENCE_S


def line(index: int) -> LogLine:
    entry = {"body": {"at_ms": 1_795_392_000_123}, "content": None, "type": "end", "v": 1}
    return LogLine(
        index, 1_795_392_000_123, "end", json.dumps({"index": index, "entry": entry}).replace(" ", "").encode()
    )


def spec(kind: SinkKind, to: str) -> SinkSpec:
    return SinkSpec(name="s", kind=kind, to=to, credential=None, timeout_ms=30_000)


@contextmanager
def place(kind: SinkKind, folder: Path) -> Iterator[tuple[str, Received | Path]]:
    match kind:
        case SinkKind.FILE:
            yield str(folder / "audit.jsonl"), folder / "audit.jsonl"
        case SinkKind.WEBHOOK:
            with webhook() as received:
                yield received.url, received
        case SinkKind.SYSLOG:
            with syslog() as received:
                yield received.url, received
        case SinkKind.OTLP:
            with collector() as received:
                yield received.url, received


def arrived(where: Received | Path, number: int) -> list[int]:
    lines = where.read_bytes().splitlines() if isinstance(where, Path) else where.wait_for(number)
    return [json.loads(one[one.index(b"{") :])["index"] for one in lines]


@pytest.mark.parametrize("kind", SINKS)
def test_what_is_delivered_arrives_in_order(kind: SinkKind, tmp_path: Path) -> None:
    with place(kind, tmp_path) as (to, where):
        sink = SINKS[kind](spec(kind, to), "")
        assert sink.resume(0) == 0
        sink.deliver([line(0), line(1)])
        sink.deliver([line(2)])
        assert arrived(where, 3) == [0, 1, 2]
        sink.close()


@pytest.mark.parametrize("kind", SINKS)
def test_a_sink_that_is_away_fails_and_takes_the_same_lines_later(kind: SinkKind, tmp_path: Path) -> None:
    folder = tmp_path / "missing"
    away = {
        SinkKind.FILE: str(folder / "audit.jsonl"),
        SinkKind.WEBHOOK: f"http://127.0.0.1:{free_port()}/",
        SinkKind.SYSLOG: f"tcp://127.0.0.1:{free_port()}",
        SinkKind.OTLP: f"http://127.0.0.1:{free_port()}/v1/logs",
    }
    sink = SINKS[kind](spec(kind, away[kind]), "the-secret-that-signs")
    with pytest.raises(SinkFailed) as failed:
        sink.deliver([line(0)])
    assert "the-secret-that-signs" not in str(failed.value)
    assert "at_ms" not in str(failed.value)
    sink.close()
    folder.mkdir()
    with place(kind, folder) as (to, where):
        again = SINKS[kind](spec(kind, to), "the-secret-that-signs")
        again.deliver([line(0)])
        assert arrived(where, 1) == [0]
        again.close()


@pytest.mark.parametrize("to", ["https://a..b/x", f"http://{'a' * 70}.example/", "tls://a..b:1", f"tcp://{'a' * 70}:1"])
def test_a_host_that_no_resolver_takes_is_a_sink_that_is_away(to: str) -> None:
    kind = SinkKind.WEBHOOK if to.startswith("http") else SinkKind.SYSLOG
    with pytest.raises(SinkFailed, match="cannot be reached"):
        SINKS[kind](spec(kind, to), "").deliver([line(0)])


@pytest.mark.parametrize("kind", SINKS)
def test_closing_twice_changes_nothing(kind: SinkKind, tmp_path: Path) -> None:
    with place(kind, tmp_path) as (to, _):
        sink = SINKS[kind](spec(kind, to), "")
        sink.deliver([line(0)])
        sink.close()
        sink.close()


def test_a_file_knows_its_last_line_and_cuts_half_a_line_off(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = SINKS[SinkKind.FILE](spec(SinkKind.FILE, str(path)), "")
    sink.deliver([line(6), line(7)])
    whole = path.read_bytes()
    path.write_bytes(whole + line(8).data[:20])
    assert sink.resume(3) == 8
    assert path.read_bytes() == whole
    assert sink.resume(20) == 20
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b"", b'{"index":8,"entry":', b'{"index":8,"entry":' + b"x" * (3 << 20)])
def test_a_file_knows_its_last_line_however_long_it_is(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "audit.jsonl"
    sink = SINKS[SinkKind.FILE](spec(SinkKind.FILE, str(path)), "")
    sink.deliver([line(6), LogLine(7, 0, "config_applied", b'{"index":7,"entry":"' + b"x" * (2 << 20) + b'"}')])
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert sink.resume(0) == 8
    assert path.read_bytes() == whole


@pytest.mark.parametrize("torn", [b'{"in', b'{"index":0,"ent'])
def test_half_of_the_first_line_is_cut_off_too(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(torn)
    assert SINKS[SinkKind.FILE](spec(SinkKind.FILE, str(path)), "").resume(0) == 0
    assert path.read_bytes() == b""


def test_a_new_file_has_its_name_on_disk_before_its_lines_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    path = tmp_path / "audit.jsonl"
    SINKS[SinkKind.FILE](spec(SinkKind.FILE, str(path)), "").deliver([line(0)])
    assert synced == [path.stat().st_ino, tmp_path.stat().st_ino]


@contextmanager
def room(size: int) -> Iterator[None]:
    """No file may grow past this: writes end in the middle of a line, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = SINKS[SinkKind.FILE](spec(SinkKind.FILE, str(path)), "")
    sink.deliver([line(0), line(1)])
    whole = path.read_bytes()
    with room(len(whole) + 30), pytest.raises(SinkFailed, match="cannot be written: File too large"):
        sink.deliver([line(2), line(3)])
    assert path.read_bytes() == whole
    sink.deliver([line(2), line(3)])
    assert arrived(path, 4) == [0, 1, 2, 3]


def test_a_file_that_was_renamed_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    sink = SINKS[SinkKind.FILE](spec(SinkKind.FILE, str(path)), "")
    sink.deliver([line(0)])
    path.rename(tmp_path / "audit.1")
    sink.deliver([line(1)])
    assert (arrived(tmp_path / "audit.1", 1), arrived(path, 1)) == ([0], [1])


@pytest.mark.parametrize(
    "foreign",
    [
        b"a note of somebody\n",
        b"a note\nof somebody",
        b"no end of line",
        b'{"index":x,\n',
        b'{"index":%s,\n' % (b"9" * 5000),
    ],
)
def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, foreign: bytes) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(foreign)
    with pytest.raises(SinkFailed, match="does not end in lines of this gateway"):
        SINKS[SinkKind.FILE](spec(SinkKind.FILE, str(path)), "").resume(0)
    assert path.read_bytes() == foreign


def test_a_webhook_is_signed_and_says_what_it_gets() -> None:
    with webhook() as received:
        sink = SINKS[SinkKind.WEBHOOK](spec(SinkKind.WEBHOOK, received.url), "secret")
        sink.deliver([line(4), line(5)])
        sink.close()
    (headers,), (body,) = received.headers, received.bodies
    assert headers["x-gptgate-signature"] == "sha256=" + hmac.new(b"secret", body, sha256).hexdigest()
    assert (headers["x-gptgate-first-index"], headers["x-gptgate-entries"]) == ("4", "2")
    assert headers["content-type"] == "application/x-ndjson"


@pytest.mark.parametrize("status", [302, 401, 500])
def test_a_webhook_that_refuses_has_not_taken_them(status: int) -> None:
    with webhook() as received:
        received.status = status
        sink = SINKS[SinkKind.WEBHOOK](spec(SinkKind.WEBHOOK, received.url), "")
        with pytest.raises(SinkFailed, match=f"status {status}"):
            sink.deliver([line(0)])
        received.status = 200
        sink.deliver([line(0)])
        sink.close()
    assert len(received.bodies) == 1


def drip(listener: socket.socket, start: bytes, drop: bytes, stopped: threading.Event) -> None:
    """Answer one connection with `start`, then a `drop` at a time, for ever."""
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        connection.recv(65536)
        connection.sendall(start)
        while not stopped.wait(0.02):
            connection.sendall(drop)


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n", b"x"),
    ],
)
def test_a_webhook_that_never_ends_its_answer_has_the_time_of_one_that_is_silent(start: bytes, drop: bytes) -> None:
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=drip, args=(listener, start, drop, stopped))
        server.start()
        to = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        sink = SINKS[SinkKind.WEBHOOK](structs.replace(spec(SinkKind.WEBHOOK, to), timeout_ms=200), "")
        # Without an end of its own the delivery would end with the server, after this.
        patience = threading.Timer(PATIENCE_S, stopped.set)
        patience.start()
        with pytest.raises(SinkFailed, match="cannot be reached: TimeoutError"):
            sink.deliver([line(0)])
        assert not stopped.is_set()
        patience.cancel()
        stopped.set()
        sink.close()
        server.join()


def test_a_syslog_message_is_as_rfc_5424_has_it() -> None:
    with syslog() as received:
        sink = SINKS[SinkKind.SYSLOG](spec(SinkKind.SYSLOG, received.url), "")
        sink.deliver([line(0)])
        (message,) = received.wait_for(1)
        sink.close()
    head = f"<110>1 2026-11-23T00:00:00.123Z {socket.gethostname()} gptgate {os.getpid()} end - ".encode()
    assert message == head + line(0).data


def test_a_syslog_server_that_hung_up_is_called_again() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    sink = SINKS[SinkKind.SYSLOG](spec(SinkKind.SYSLOG, f"tcp://127.0.0.1:{listener.getsockname()[1]}"), "")
    for index in range(2):
        sink.deliver([line(index)])
        connection, _ = listener.accept()
        assert f'"index":{index},'.encode() in connection.recv(4096)
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    sink.close()
    listener.close()


def intent(index: int, traceparent: str) -> LogLine:
    entry = {"body": {"id": "r1", "traceparent": traceparent}, "content": None, "type": "intent", "v": 1}
    return LogLine(index, 1_795_392_000_123, "intent", json.dumps({"index": index, "entry": entry}).encode())


def test_a_collector_gets_log_records_of_the_protocol() -> None:
    lines = [line(4), intent(5, f"00-{'a1' * 16}-{'b2' * 8}-01"), intent(6, "anything")]
    large = LogLine(
        7, 0, "config_applied", b'{"index":7,"entry":{"body_sha256":"00","type":"config_applied"},"body":{}}'
    )
    with webhook() as received:
        sink = SINKS[SinkKind.OTLP](spec(SinkKind.OTLP, received.url), "token")
        sink.deliver([*lines, large])
        sink.close()
    (headers,), (body,) = received.headers, received.bodies
    assert (headers["content-type"], headers["authorization"]) == ("application/json", "Bearer token")
    document = json.loads(body)
    named = {one["key"]: one["value"]["stringValue"] for one in document["resourceLogs"][0]["resource"]["attributes"]}
    assert named == {"service.name": "gptgate"}
    ended, asked, untraced, applied = log_records(body)
    assert ended.event_name == "gptgate.end"
    assert ended.time_unix_nano == ended.observed_time_unix_nano == 1_795_392_000_123_000_000
    assert (ended.severity_number, ended.severity_text) == (9, "INFO")
    assert ended.body.string_value.encode() == line(4).data
    assert [(one.key, one.value.int_value) for one in ended.attributes] == [("gptgate.log.index", 4)]
    assert (asked.trace_id.hex(), asked.span_id.hex()) == ("a1" * 16, "b2" * 8)
    assert (asked.attributes[1].key, asked.attributes[1].value.string_value) == ("gptgate.request.id", "r1")
    assert (untraced.trace_id, untraced.span_id) == (b"", b"")
    assert (applied.event_name, applied.body.string_value.encode()) == ("gptgate.config_applied", large.data)


@pytest.mark.parametrize("answer", [b"", b"{}", b"not json", b'{"partialSuccess":{}}', b'{"partialSuccess":{"x":1}}'])
def test_a_collector_that_takes_all_may_say_what_it_wants(answer: bytes) -> None:
    with collector() as received:
        received.answer = answer
        sink = SINKS[SinkKind.OTLP](spec(SinkKind.OTLP, received.url), "")
        sink.deliver([line(0)])
        sink.close()


@pytest.mark.parametrize("number", [1, "1"])
def test_what_a_collector_rejects_of_a_delivery_is_refused_for_good(number: int | str) -> None:
    with collector() as received:
        received.answer = json.dumps(
            {"partialSuccess": {"rejectedLogRecords": number, "errorMessage": "full"}}
        ).encode()
        sink = SINKS[SinkKind.OTLP](spec(SinkKind.OTLP, received.url), "")
        with pytest.raises(SinkRefused) as refused:
            sink.deliver([line(0), line(1)])
        assert refused.value.number == 1
        sink.close()
