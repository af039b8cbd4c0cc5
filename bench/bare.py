"""A bare pass-through: the gateway's server (uvicorn, uvloop, httptools) and client library (aiohttp), and no gateway.

It reads the body, posts it to the upstream and hands the answer on as it comes. Nothing is looked at, counted or
recorded. ``python -m bench.bare --port N --upstream URL``.
"""

import argparse
import gc
from typing import Any

import aiohttp
import uvicorn

KEPT = (b"authorization", b"content-type")


class Bare:
    """One session for all requests; no cookies, no decompression, no limit of connections, no timers."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session: aiohttp.ClientSession

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"] if name in KEPT}
        url = self._upstream + scope["path"]
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as reply:
            head = [(b"content-type", reply.headers["content-type"].encode())]
            length = reply.headers.get("content-length")
            if length is not None:
                head.append((b"content-length", length.encode()))
                answer = await reply.read()
                await send({"type": "http.response.start", "status": reply.status, "headers": head})
                await send({"type": "http.response.body", "body": answer})
                return
            await send({"type": "http.response.start", "status": reply.status, "headers": head})
            while chunk := await reply.content.readany():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            trust_env=False,
        )
        await send({"type": "lifespan.startup.complete"})
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)  # as the gateway has it
        await receive()
        await self._session.close()
        await send({"type": "lifespan.shutdown.complete"})


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m bench.bare")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    asked = parser.parse_args()
    uvicorn.run(
        Bare(asked.upstream),
        port=asked.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
