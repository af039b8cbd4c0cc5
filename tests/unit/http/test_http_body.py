"""The body: bounded in size and in time."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import pytest

from gptgate.core.errors import BodiesLimited, BodyTimeout, BodyTooLarge, ClientGone
from gptgate.http.body import OF_ALL, OF_APP, BodyRoom, Share, declared_length, read_body
from gptgate.http.outlet import Message, Receive
from waiting import stepped_time


def one() -> Share:
    """The share of a body that is alone."""
    return Share(BodyRoom(), "demo", 100)


def _messages(chunks: Sequence[bytes]) -> Receive:
    left: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": index + 1 < len(chunks)}
        for index, chunk in enumerate(chunks)
    ]

    async def receive() -> Message:
        return left.pop(0)

    return receive


@pytest.mark.parametrize("chunks", [[b""], [b"abc"], [b"a", b"b", b"c"], [b"", b"abc", b""], [b"abc", b""]])
async def test_the_body_is_the_chunks_together(chunks: list[bytes]) -> None:
    assert await read_body(_messages(chunks), 3, 1000, one()) == b"".join(chunks)


@pytest.mark.parametrize("chunks", [[b"abcd"], [b"ab", b"cd"], [b"abc", b"d"], [b"a"] * 4])
async def test_a_byte_too_many_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(BodyTooLarge):
        await read_body(_messages(chunks), 3, 1000, one())


async def test_silence_ends_the_wait_and_each_chunk_begins_it_anew() -> None:
    calls = 0

    async def receive() -> Message:
        nonlocal calls
        calls += 1
        if calls == 4:
            await asyncio.Event().wait()
        await now.step(0.06)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with stepped_time() as now:
        reading = asyncio.create_task(read_body(receive, 100, 100, one()))
        await now.until(lambda: calls == 4)
        assert not reading.done()
        await now.step(0.11)
        with pytest.raises(BodyTimeout):
            await reading


async def test_a_caller_who_hangs_up_is_gone() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientGone):
        await read_body(receive, 100, 1000, one())


@pytest.mark.parametrize("text", ["11", "99999999999999999999999", "9" * 5000])
def test_a_body_that_says_that_it_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(BodyTooLarge):
        declared_length({"content-length": text}, 10)


@pytest.mark.parametrize("headers", [{}, {"content-length": "10"}, {"content-length": "٣٣"}, {"content-length": "x"}])
def test_other_lengths_are_left_to_the_reading(headers: dict[str, str]) -> None:
    declared_length(headers, 10)


def test_bodies_of_one_app_that_are_on_their_way_are_bounded_together_and_leave_room_for_others() -> None:
    room = BodyRoom()
    with contextlib.ExitStack() as stack:
        for _ in range(OF_APP):
            stack.enter_context(room.share("greedy", 10)).grow(10)
        with pytest.raises(BodiesLimited, match="of this app"), room.share("greedy", 10) as share:
            share.grow(1)
        with room.share("other", 10) as share:
            share.grow(10)
        assert room.bytes == OF_APP * 10
    assert (room.bytes, room.of_app) == (0, {})


def test_bodies_of_all_apps_are_bounded_together() -> None:
    room = BodyRoom()
    with contextlib.ExitStack() as stack:
        for number in range(OF_ALL):
            stack.enter_context(room.share(f"app-{number}", 10)).grow(10)
        with pytest.raises(BodiesLimited, match="all callers together"), room.share("other", 10) as share:
            share.grow(1)
    assert (room.bytes, room.of_app) == (0, {})


@pytest.mark.parametrize("ends", [b"abc", None])
async def test_a_body_gives_its_room_back_however_its_reading_ends(ends: bytes | None) -> None:
    room = BodyRoom()
    with contextlib.suppress(ClientGone), room.share("demo", 100) as share:

        async def receive() -> Message:
            assert room.bytes == share.bytes
            if ends is None and share.bytes:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"abc", "more_body": ends is None}

        assert await read_body(receive, 100, 1000, share) == ends
        assert room.bytes == 3
    assert room.bytes == 0
