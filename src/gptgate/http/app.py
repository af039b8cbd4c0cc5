"""The data plane as a raw ASGI application: nothing between the socket and the pipeline."""

import asyncio
import re
from collections.abc import Callable, MutableMapping
from typing import Any, Protocol

from gptgate.core.errors import (
    ClientError,
    ClientGone,
    GateError,
    InternalFault,
    InvalidField,
    MethodNotAllowed,
    RouteNotFound,
    ShuttingDown,
)
from gptgate.core.facts import Principal, RawRequest
from gptgate.core.ports import Clock
from gptgate.core.snapshot import ServerSpec
from gptgate.core.wire import ONE_MODEL, PATHS, Dialect, Endpoint
from gptgate.http.body import BodyRoom, declared_length, read_arrived, read_body
from gptgate.http.errors import error_body, error_event, error_headers
from gptgate.http.outlet import AsgiOutlet, Receive, Send
from gptgate.http.protocol import CONNECTION
from gptgate.http.signposts import signpost
from gptgate.pipeline.gate import Gate
from gptgate.pipeline.limit_headers import limit_headers

SHUTTING_DOWN = "The gateway is shutting down."
FAREWELL_S = 1.0
"""How long a stream's last words may take. A caller who does not read would otherwise hold up a shutdown."""


class Connection(Protocol):
    """What the server's side of a connection can tell; see `http.protocol`."""

    def on_hang_up(self, call: Callable[[], None]) -> None: ...

    def body_arrived(self) -> bool: ...

    def write_part(self, data: bytes) -> bool: ...


TRACEPARENT = re.compile("(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, section 3.2."""


class EdgeObserver(Protocol):
    """What the edge reports: callers it does not know, and defects."""

    def unauthenticated(self, code: str, peer: str) -> None: ...

    def defect(self, request_id: str, detail: str) -> None: ...


class DataPlane:
    """The ASGI application. `gate` gives the Gate of the Snapshot in force; a request keeps the one it began with."""

    def __init__(
        self,
        gate: Callable[[], tuple[Gate, ServerSpec]],
        clock: Clock,
        new_id: Callable[[], str],
        observer: EdgeObserver,
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._new_id = new_id
        self._observer = observer
        self._room = BodyRoom()
        self.in_flight = 0
        self.draining = False

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.in_flight += 1
        gate, server = self._gate()
        gate.enter()
        try:
            await self._serve(gate, server, scope, receive, send)
        finally:
            gate.leave()
            self.in_flight -= 1

    async def _serve(
        self, gate: Gate, server: ServerSpec, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        started_ns = self._clock.monotonic_ns()
        request_id = self._new_id()
        path: str = scope["path"]
        named, _, dialect = PATHS.get(_listed(path), (None, "", Dialect.OPENAI))
        headers = _headers(scope["headers"])
        if named in (None, Endpoint.MODELS) and "anthropic-version" in headers:
            dialect = Dialect.ANTHROPIC
        connection: Connection | None = scope.get("extensions", {}).get(CONNECTION)
        outlet = AsgiOutlet(
            send,
            dialect,
            request_id,
            self._clock,
            server.sse_keep_alive_ms,
            connection.write_part if connection is not None else None,
        )
        peer = scope["client"][0] if scope.get("client") else ""
        unread = scope["method"] != "GET"

        def request(body: bytes) -> RawRequest:
            return RawRequest(
                id=request_id,
                endpoint=endpoint,
                dialect=dialect,
                headers=headers,
                body=body,
                peer=peer,
                at_ms=self._clock.wall_ms(),
                started_ns=started_ns,
                model=path.removeprefix(ONE_MODEL) if path.startswith(ONE_MODEL) else "",
            )

        try:
            endpoint, method = _route(path)
            if self.draining:
                raise ShuttingDown(SHUTTING_DOWN)
            principal = self._authenticate(gate, headers, peer)
            try:
                if scope["method"] != method:
                    wrong = MethodNotAllowed(f"{path} takes {method} only.")
                    wrong.allowed = method
                    raise wrong
                arrived = method == "GET" or (connection is not None and connection.body_arrived())
                body = b"" if method == "GET" else await self._body(headers, receive, server, arrived, principal)
                if not arrived:
                    # A body may take its time: a key that was revoked meanwhile opens nothing any more.
                    unread = False
                    principal = self._authenticate(gate, headers, peer)
            except (ClientError, asyncio.CancelledError) as error:
                refusal = self._refusal(error)
                await gate.refuse(request(b""), principal, refusal)
                raise refusal from None
            unread = False
            await self._serve_until_gone(gate, request(body), principal, outlet, receive, connection)
        except GateError as error:
            await self._fail(error, outlet, dialect, request_id, started_ns, unread)
            _let_go(error)
        finally:
            outlet.close()

    async def _serve_until_gone(
        self,
        gate: Gate,
        raw: RawRequest,
        principal: Principal,
        outlet: AsgiOutlet,
        receive: Receive,
        connection: Connection | None,
    ) -> None:
        """Serve; when the caller hangs up, the serving task is cancelled at once."""
        task = asyncio.current_task()
        if task is None:
            raise InternalFault("The gateway failed on this request.", detail="no task serves it")

        def hang_up() -> None:
            if not outlet.finished:
                outlet.gone = True
                task.cancel()

        watcher: asyncio.Task[None] | None = None
        if connection is not None:
            connection.on_hang_up(hang_up)
        else:
            watcher = asyncio.create_task(_watch(receive, hang_up))
        try:
            await gate.serve(raw, principal, outlet)
        except asyncio.CancelledError as error:
            if outlet.gone and task.uncancel() == 0:
                raise ClientGone("The caller hung up.") from None
            raise self._refusal(error) from None
        finally:
            if watcher is not None:
                watcher.cancel()

    def _refusal(self, error: GateError | asyncio.CancelledError) -> GateError:
        """What a request is told that went no further. The server cancels those that are left at the end of its drain;
        any other cancellation is none of ours, and raised again.
        """
        if isinstance(error, GateError):
            return error
        task = asyncio.current_task()
        if not self.draining or task is None or task.uncancel() > 0:
            raise error
        return ShuttingDown(SHUTTING_DOWN)

    async def _body(
        self, headers: dict[str, str], receive: Receive, server: ServerSpec, arrived: bool, principal: Principal
    ) -> bytes:
        encoding = headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise InvalidField("The body must not be compressed: 'content-encoding' is not supported.")
        largest = server.max_body_bytes
        declared_length(headers, largest)
        if arrived:
            return await read_arrived(receive, largest)
        with self._room.share(principal.app.name, largest) as share:
            return await read_body(receive, largest, server.body_timeout_ms, share)

    def _authenticate(self, gate: Gate, headers: dict[str, str], peer: str) -> Principal:
        try:
            return gate.authenticate(headers, peer)
        except ClientError as error:
            self._observer.unauthenticated(error.code, peer)
            raise

    async def _fail(
        self,
        error: GateError,
        outlet: AsgiOutlet,
        dialect: Dialect,
        request_id: str,
        started_ns: int,
        unread: bool,
    ) -> None:
        if isinstance(error, InternalFault):
            self._observer.defect(request_id, error.detail)
        if isinstance(error, ClientGone) or outlet.finished:
            return
        if outlet.started:
            try:
                async with asyncio.timeout(FAREWELL_S):
                    await outlet.send(error_event(error, dialect, request_id))
                    await outlet.end_stream()
            except TimeoutError:
                outlet.gone = True
            return
        overhead_ms = (self._clock.monotonic_ns() - started_ns) / 1_000_000 - error.upstream_us / 1000
        limits = limit_headers(error.standing, dialect, self._clock.wall_ms())
        headers = [*error_headers(error), *limits, ("x-gptgate-overhead-ms", f"{overhead_ms:.3f}")]
        if unread:
            # The body was not read to its end: the connection is not worth keeping for another request.
            headers.append(("connection", "close"))
        await outlet.answer(error.status, headers, error_body(error, dialect, request_id))


def _let_go(error: GateError) -> None:
    """Forget the frames that raised it, and the body in them. Error and frames hold each other, so they would stay
    until the collector comes round, which is seldom: refusals of large bodies would fill memory.
    """
    step: BaseException | None = error
    while step is not None:
        step.__traceback__ = None
        step = step.__context__


async def _watch(receive: Receive, hang_up: Callable[[], None]) -> None:
    """The hang-up by ASGI's own means, under a server that does not tell of it otherwise."""
    while (await receive())["type"] != "http.disconnect":
        pass
    hang_up()


def _headers(given: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name. One given twice is joined, so that two credentials are no credential."""
    headers: dict[str, str] = {}
    for name, value in given:
        key = name.decode("latin-1")
        text = value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if "traceparent" in headers and TRACEPARENT.fullmatch(headers["traceparent"]) is None:
        # Section 4.3: who cannot read it goes on as if it were not there. It would be sent on and kept.
        del headers["traceparent"]
        headers.pop("tracestate", None)
    return headers


def _listed(path: str) -> str:
    """The path as `PATHS` has it."""
    return ONE_MODEL.rstrip("/") if path.startswith(ONE_MODEL) and path != ONE_MODEL else path


def _route(path: str) -> tuple[Endpoint, str]:
    """The endpoint and the only method that it takes."""
    known = PATHS.get(_listed(path))
    if known is None:
        raise RouteNotFound(signpost(path))
    endpoint, method, _ = known
    return endpoint, method
