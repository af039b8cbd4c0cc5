"""A witness and a webhook's receiver behind a real socket, in the running event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from gptgate.cli.sockets import QuietServer, listen
from gptgate.witness.app import Witness
from gptgate.witness.heads import Heads, witness_signer
from gptgate_verify.note import VerifierKey


@dataclass
class Receiver:
    """What the webhook was sent: (path, headers, body). `status` and `body` are what it answers."""

    status: int = 200
    body: bytes = b""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.got.append((request.url.path, dict(request.headers), await request.body()))
        return Response(self.body, self.status)


@dataclass
class Outside:
    """Both, at one address."""

    url: str
    key: VerifierKey
    receiver: Receiver
    reports: list[str]
    heads: Heads


@asynccontextmanager
async def outside(folder: Path, log: VerifierKey) -> AsyncIterator[Outside]:
    """``/hook…`` is the receiver, the rest a witness that knows this log."""
    signer, receiver, reports = witness_signer(folder), Receiver(), list[str]()
    logs = {log.name: log}
    with Heads(folder, logs) as heads, listen("127.0.0.1", 0, "") as listener:
        witness = Witness(signer, logs, heads, now_s=lambda: 1_700_000_000, report=reports.append).app()
        hook = Route("/hook{rest:path}", receiver.take, methods=["POST"])
        app = Starlette(routes=[hook, Mount("/", app=witness)])
        server = QuietServer(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Outside(f"http://127.0.0.1:{listener.getsockname()[1]}", signer.key, receiver, reports, heads)
        finally:
            server.should_exit = True
            await serving
