"""aiohttp's connections, which read on only where they had stopped reading.

After each part that is taken from an answer aiohttp tells its connection to read on, whether it had stopped or not:
the parser then runs once more, over nothing, and the transport is asked to begin what it never ended. In a stream that
happens for every word.
"""

import asyncio
from functools import partial

import aiohttp
from aiohttp.client_proto import ResponseHandler


class _Reading(ResponseHandler):
    """The protocol of one connection. A parser that was not stopped has left nothing over, so nothing is missed."""

    has_stopped = False

    def pause_reading(self) -> None:
        self.has_stopped = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        if self.has_stopped:
            self.has_stopped = False  # before the parser runs: what it finds may stop it again
            super().resume_reading(resume_parser)


class Connector(aiohttp.TCPConnector):
    """At most `limit` connections at the same time."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)
        self._factory = partial(_protocol, loop=self._loop)


def _protocol(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Reading(loop)
