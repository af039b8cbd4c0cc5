"""The way back to the caller."""

import asyncio
from typing import Any

from gptgate.core.wire import Dialect
from gptgate.http.outlet import KEEP_ALIVE, AsgiOutlet, Message
from waiting import stepped_time


class LoopClock:
    """The event loop's own time."""

    def wall_ms(self) -> int:
        return 0

    def monotonic_ns(self) -> int:
        return int(asyncio.get_running_loop().time() * 1e9)


def _outlet(dialect: Dialect = Dialect.OPENAI, keep_alive_ms: int = 60_000) -> tuple[AsgiOutlet, list[Message]]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    return AsgiOutlet(send, dialect, "id-1", LoopClock(), keep_alive_ms), sent


def _headers(message: Message) -> dict[str, str]:
    given: list[Any] = message["headers"]
    assert len({name for name, _ in given}) == len(given)
    return {name.decode(): value.decode() for name, value in given}


async def test_a_whole_answer() -> None:
    outlet, sent = _outlet()
    await outlet.answer(418, [("x-a", "b")], b'{"a":1}')
    assert (outlet.started, outlet.finished) == (True, True)
    head, body = sent
    assert head["status"] == 418
    assert _headers(head) == {
        "content-type": "application/json",
        "content-length": "7",
        "x-request-id": "id-1",
        "x-a": "b",
    }
    assert (body["body"], body.get("more_body", False)) == (b'{"a":1}', False)


async def test_anthropic_callers_get_the_id_under_their_own_header_too() -> None:
    outlet, sent = _outlet(Dialect.ANTHROPIC)
    await outlet.answer(200, [], b"{}")
    assert (_headers(sent[0])["request-id"], _headers(sent[0])["x-request-id"]) == ("id-1", "id-1")


async def test_a_stream() -> None:
    outlet, sent = _outlet()
    await outlet.start_stream([("x-a", "b")])
    assert (outlet.started, outlet.finished) == (True, False)
    await outlet.send(b"data: 1\n\n")
    await outlet.send(b"")
    await outlet.end_stream()
    assert outlet.finished
    headers = _headers(sent[0])
    assert headers["content-type"].startswith("text/event-stream")
    assert (headers["cache-control"], headers["x-accel-buffering"], headers["x-a"]) == ("no-cache", "no", "b")
    assert [(message["body"], message.get("more_body", False)) for message in sent[1:]] == [
        (b"data: 1\n\n", True),
        (b"", False),
    ]


async def test_nothing_is_sent_to_a_caller_who_has_gone() -> None:
    outlet, sent = _outlet()
    await outlet.start_stream([])
    outlet.gone = True
    sent.clear()
    await outlet.send(b"data: 1\n\n")
    await outlet.end_stream()
    await outlet.answer(200, [], b"{}")
    assert sent == []


async def test_a_quiet_stream_gets_comments_until_it_ends_and_a_busy_one_gets_none() -> None:
    with stepped_time() as now:
        outlet, sent = _outlet(keep_alive_ms=40)
        await outlet.start_stream([])
        for _ in range(6):
            await now.step(0.015)
            await outlet.send(b"data: 1\n\n")
        assert [message for message in sent if message.get("body") == KEEP_ALIVE] == []
        for _ in range(2):
            await now.step(0.045)
        assert [message.get("body") for message in sent[-2:]] == [KEEP_ALIVE] * 2
        await outlet.end_stream()
        count = len(sent)
        await now.step(0.1)
        assert len(sent) == count
