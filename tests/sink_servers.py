"""A webhook and a syslog server on loopback, for the tests of sinks."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from waiting import PATIENCE_S


@dataclass
class Received:
    """What came in. While `status` is not 200, deliveries are answered with it and not kept."""

    url: str = ""
    status: int = 200
    answer: bytes = b""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def lines(self) -> list[bytes]:
        with self.news:
            return [line for body in self.bodies for line in body.splitlines()]

    def wait_for(self, lines: int) -> list[bytes]:
        """The lines, once there are so many; what there is after a long while."""
        with self.news:
            self.news.wait_for(lambda: sum(body.count(b"\n") for body in self.bodies) >= lines, PATIENCE_S)
        return self.lines()

    def keep(self, body: bytes, headers: dict[str, str]) -> None:
        with self.news:
            self.bodies.append(body)
            self.headers.append(headers)
            self.news.notify_all()


@contextmanager
def webhook() -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if received.status == 200:
                received.keep(body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(received.status)
            self.send_header("content-length", str(len(received.answer)))
            self.end_headers()
            self.wfile.write(received.answer)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    received.url = f"http://127.0.0.1:{server.server_port}/audit"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def collector() -> Iterator[Received]:
    """A collector that knows the protocol by its own published schema. What of a batch does not fit is refused whole;
    of what does, each record's body is kept as a line."""
    with webhook() as received:
        keep = received.keep

        def parsed(body: bytes, headers: dict[str, str]) -> None:
            records = log_records(body)
            keep(b"".join(record.body.string_value.encode() + b"\n" for record in records), headers)

        received.keep = parsed  # type: ignore[method-assign]
        received.url = received.url.replace("/audit", "/v1/logs")
        yield received


def log_records(body: bytes) -> list[LogRecord]:
    """The records of a request, in the JSON encoding of OTLP: that of protobuf, but for ids, which are hexadecimal."""
    document = json.loads(body)
    for record in (one for resource in document["resourceLogs"] for one in resource["scopeLogs"][0]["logRecords"]):
        for name in record.keys() & {"traceId", "spanId"}:
            record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    request = json_format.ParseDict(document, ExportLogsServiceRequest())
    return [
        record for resource in request.resource_logs for scope in resource.scope_logs for record in scope.log_records
    ]


@contextmanager
def syslog() -> Iterator[Received]:
    """Messages behind their length; each is kept as one body with an end of line."""
    received = Received()
    listener = socket.create_server(("127.0.0.1", 0))
    received.url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while (length := _length(stream.read(1), stream)) is not None:
                    received.keep(stream.read(length) + b"\n", {})

    def _length(digit: bytes, stream: BinaryIO) -> int | None:
        number = b""
        while digit not in (b" ", b""):
            number += digit
            digit = stream.read(1)
        return int(number) if number else None

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
