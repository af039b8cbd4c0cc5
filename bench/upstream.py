"""The bench's upstream: a protocol on a socket that answers chat completions from prerendered bytes.

Not the simulator: that one understands what it is asked, which costs more CPU than the processes under test may wait
for. This one reads a request's head and length, and whether a stream and its usage are asked for; nothing else.

``python -m bench.upstream --port N --delay-ms D``; streams get one event every D milliseconds, each in a write of its
own. ``GET /stats`` says what was served.
"""

import argparse
import asyncio
import json
import signal
from collections import Counter
from itertools import cycle

import uvloop

from bench.texts import DONE, SHORT_MARK, Answers, Kind, render_answers

PLAIN_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\ncontent-length: %d\r\n\r\n"
)
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Served:
    """The bytes of every answer, made once, and what was served."""

    def __init__(self, answers: Answers, delay_s: float) -> None:
        self.delay_s = delay_s
        self.plain = cycle([PLAIN_HEAD % len(body) + body for body in answers.plain])
        self._streams = {
            kind: cycle([[_chunked(event) for event in events] for events in streams])
            for kind, streams in answers.streams.items()
        }
        self._ends = {kind: [_chunked(event), _chunked(DONE) + END] for kind, event in answers.usage_events.items()}
        self.counts: Counter[str] = Counter()

    def stream(self, kind: Kind, *, with_usage: bool) -> list[bytes]:
        """The writes of the next stream."""
        end = self._ends[kind]
        return next(self._streams[kind]) + (end if with_usage else end[1:])


class Connection(asyncio.Protocol):
    """One caller: requests one after the other, no pipelining."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._buffer = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._pending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._pending is not None:
            self._pending.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = buffer[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(buffer) < end + 4 + length:
            return
        self._buffer = b""
        self._answer(head, buffer[end + 4 :])

    def _answer(self, head: bytes, body: bytes) -> None:
        served = self._served
        if head.startswith(b"get /stats"):
            document = json.dumps(served.counts).encode()
            self._transport.write(PLAIN_HEAD % len(document) + document)
        elif b'"stream":true' in body:
            kind = Kind.SHORT_STREAM if SHORT_MARK in body else Kind.STREAM
            served.counts[kind] += 1
            events = served.stream(kind, with_usage=b'"include_usage":true' in body)
            self._transport.write(STREAM_HEAD + events[0])
            self._pending = self._loop.call_later(0, self._next, events, 1)
        else:
            served.counts[Kind.PLAIN] += 1
            if b"4111" in body:
                served.counts["card numbers"] += 1
            self._transport.write(next(served.plain))

    def _next(self, events: list[bytes], place: int) -> None:
        """Write one event. The first word comes at once, so that the time to it is the way alone."""
        self._transport.write(events[place])
        place += 1
        if place < len(events):
            self._pending = self._loop.call_later(self._served.delay_s, self._next, events, place)
        else:
            self._pending = None


async def _serve(port: int, delay_s: float) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    served = Served(render_answers(), delay_s)
    server = await loop.create_server(lambda: Connection(served), "127.0.0.1", port, backlog=1024)
    await stop.wait()
    server.close()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m bench.upstream")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=5.0)
    asked = parser.parse_args()
    uvloop.run(_serve(asked.port, asked.delay_ms / 1000))


if __name__ == "__main__":
    main()
