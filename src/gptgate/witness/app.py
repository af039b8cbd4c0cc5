"""The witness over HTTP: ``POST /add-checkpoint`` of c2sp.org/tlog-witness, and the last head of each log to read."""

import asyncio
import threading
from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gptgate.audit.signing import Signer
from gptgate.audit.witness import MAX_SUBMISSION_BYTES, PATH, SHOW_PATH, Refused, judge
from gptgate.witness.heads import Heads
from gptgate_verify.note import Checkpoint, VerifierKey

TEXT = "text/plain"
BODY_TIMEOUT_S = 10.0
"""For a whole request: anybody may connect, and nobody shall hold a connection for ever."""


class Witness:
    """Judges one request at a time: what it compares with is what it has made durable, and nothing comes between."""

    def __init__(
        self,
        signer: Signer,
        logs: Mapping[str, VerifierKey],
        heads: Heads,
        *,
        now_s: Callable[[], int],
        report: Callable[[str], None],
    ) -> None:
        """`report` is told of every head that a log has signed and that is smaller than the one before, or was not
        shown to follow it."""
        self._signer = signer
        self._logs = logs
        self._heads = heads
        self._now_s = now_s
        self._report = report
        self._turn = threading.Lock()

    def app(self) -> Starlette:
        """The ASGI app. Anybody may ask: what counts is the log's signature."""
        return Starlette(
            routes=[
                Route(PATH, self._add, methods=["POST"]),
                # POST is for gateways: they have no client that gets.
                Route(SHOW_PATH + "{origin:path}", self._show, methods=["GET", "POST"]),
            ]
        )

    async def _add(self, request: Request) -> Response:
        data = b""
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for chunk in request.stream():
                    data += chunk
                    if len(data) > MAX_SUBMISSION_BYTES:
                        return Response("the request is too large\n", 413, media_type=TEXT)
        except TimeoutError:
            return Response("the request did not arrive in time\n", 408, {"connection": "close"}, TEXT)
        return await asyncio.to_thread(self._in_turn, data)

    def _in_turn(self, data: bytes) -> Response:
        with self._turn:
            return self._answer(data)

    def _answer(self, data: bytes) -> Response:
        try:
            accepted = judge(data, self._logs, self._heads.last)
        except Refused as refused:
            return self._refuse(data, refused)
        line = self._signer.cosignature(accepted.text, self._now_s())
        try:
            # A crash after this and before the answer: the log asks again, with the size that is known by then.
            self._heads.keep(accepted.head, accepted.note + line.encode())
        except OSError as error:
            self._report(f"a head cannot be kept, so it is not cosigned: {error}")
            return Response("the witness cannot remember this now\n", 503, media_type=TEXT)
        return Response(line, media_type=TEXT)

    def _refuse(self, data: bytes, refused: Refused) -> Response:
        head = refused.suspect
        if head is not None:
            known = self._heads.last(head.origin)
            self._report(_suspicion(head, known, refused.body.strip()))
            try:
                self._heads.keep_evidence(head, data)
            except OSError as error:
                self._report(f"the evidence cannot be kept: {error}")
        return Response(refused.body, refused.status, media_type=refused.media_type)

    async def _show(self, request: Request) -> Response:
        note = self._heads.note(request.path_params["origin"])
        if note is None:
            return Response("this witness has cosigned nothing of this log\n", 404, media_type=TEXT)
        return Response(note, media_type=TEXT)


def _suspicion(head: Checkpoint, known: Checkpoint | None, why: str) -> str:
    """What a head means that gets no cosignature, and what it does not prove."""
    signed = f"{head.origin} signed {head.size} entries with root {head.root.hex()}"
    before = "nothing" if known is None else f"{known.size} entries with root {known.root.hex()}"
    if known is not None and head.size < known.size:
        return (
            f"{signed} and offers them after {before}: the log was rolled back to an older state, or somebody sent an "
            "old head again. Heads have no time, so this one proves neither; if the log itself has no more entries "
            "now, it was rolled back"
        )
    return f"{signed}; that it follows {before} was not shown: {why}"
