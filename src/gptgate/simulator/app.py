"""The simulator as a raw ASGI application."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from gptgate.simulator import models as model_lists
from gptgate.simulator.anthropic_wire import AnthropicWire
from gptgate.simulator.embeddings import embed, first_text
from gptgate.simulator.exchange import MAX_BODY_BYTES, REDIRECTED, Exchange, Gone, Receive, Scope, Send, send_json
from gptgate.simulator.faults import Faults, UnknownFault
from gptgate.simulator.job import Job, Malformed, Usage, Wire, finish
from gptgate.simulator.openai_wire import OpenAIWire
from gptgate.simulator.rules import RuleError, answer, split_faults
from gptgate.simulator.stats import Stats

MODELS = ("simulator", "simulator-small")
CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"
MESSAGES = "/v1/messages"
COUNT_TOKENS = "/v1/messages/count_tokens"
LIST_MODELS = "/v1/models"
COUNTED_PATHS = frozenset((CHAT, EMBEDDINGS, MESSAGES, COUNT_TOKENS, LIST_MODELS, REDIRECTED))
OTHER_PATH = "other"


class Simulator:
    """A provider that is not a model. State lives in the instance only; there is no clock.

    `faults` apply to every request, and a prompt's own orders on top of them. With `keys`, requests must carry one of
    them (``Authorization: Bearer`` or ``x-api-key``). `models` are what the list of models names; any model is served.
    """

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        keys: Sequence[str] = (),
        models: Sequence[str] = MODELS,
        created: int = model_lists.CREATED,
    ) -> None:
        self.stats = Stats()
        self._faults = Faults() if faults is None else faults
        self._credentials = frozenset(key.encode() for key in keys)
        self._models = tuple(models)
        openai = OpenAIWire(created)
        anthropic = AnthropicWire()
        self._wires: dict[str, Wire] = {
            CHAT: openai,
            EMBEDDINGS: openai,
            MESSAGES: anthropic,
            COUNT_TOKENS: AnthropicWire(counting=True),
        }
        self._openai: Wire = openai
        self._anthropic: Wire = anthropic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection: HTTP or lifespan."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        path: str = scope["path"]
        if path == "/stats" and scope["method"] == "GET":
            await send_json(send, 200, [], msgspec.json.encode(self.stats.document()))
            return
        self.stats.requests += 1
        self.stats.by_path[path if path in COUNTED_PATHS else OTHER_PATH] += 1
        try:
            wire = self._wires.get(path)
            if wire is None:
                await self._serve_get(Exchange(self.stats, self._list_wire(scope), scope, receive, send), path)
            else:
                await self._serve(Exchange(self.stats, wire, scope, receive, send), path)
        except Gone:
            self.stats.aborted += 1

    async def _serve(self, exchange: Exchange, path: str) -> None:
        body = await exchange.body()
        digest = hashlib.blake2b(body, digest_size=12).hexdigest()
        exchange.request_id = "req_" + digest
        refusal = self._refusal(exchange, len(body))
        if refusal is not None:
            await exchange.fail(*refusal)
            return
        try:
            if path == EMBEDDINGS:
                await self._embed(exchange, body)
            else:
                await self._answer(exchange, exchange.wire.parse(body, digest), counting=path == COUNT_TOKENS)
        except Malformed as error:
            await exchange.fail(400, str(error), param=error.param)
        except (UnknownFault, RuleError) as error:
            await exchange.fail(400, f"The simulator does not understand: {error}")

    def _list_wire(self, scope: Scope) -> Wire:
        speaks_anthropic = any(name == b"anthropic-version" for name, _ in scope["headers"])
        return self._anthropic if speaks_anthropic else self._openai

    async def _serve_get(self, exchange: Exchange, path: str) -> None:
        anthropic = exchange.wire is self._anthropic
        refusal = self._credential_refusal(exchange)
        if exchange.scope["method"] == "GET" and path.startswith(LIST_MODELS):
            document = self._model_document(path, anthropic)
            if refusal is None and document is not None:
                await exchange.reply(200, msgspec.json.encode(document))
                return
        await exchange.fail(*(refusal or (404, f"Not found: {exchange.scope['method']} {path}")))

    def _model_document(self, path: str, anthropic: bool) -> dict[str, Any] | None:
        if path == LIST_MODELS:
            return model_lists.anthropic_list(self._models) if anthropic else model_lists.openai_list(self._models)
        name = path.removeprefix(LIST_MODELS + "/")
        if name not in self._models:
            return None
        return model_lists.anthropic_model(name) if anthropic else model_lists.openai_model(name)

    def _refusal(self, exchange: Exchange, size: int) -> tuple[int, str] | None:
        if exchange.scope["method"] != "POST":
            return 405, f"Not allowed to {exchange.scope['method']} here."
        if size > MAX_BODY_BYTES:
            return 413, "Request exceeds the maximum size."
        if isinstance(exchange.wire, AnthropicWire) and exchange.header(b"anthropic-version") is None:
            return 400, "anthropic-version: header is required"
        return self._credential_refusal(exchange)

    def _credential_refusal(self, exchange: Exchange) -> tuple[int, str] | None:
        if not self._credentials:
            return None
        bearer = exchange.header(b"authorization") or b""
        if bearer[7:] in self._credentials and bearer[:7].lower() == b"bearer ":
            return None
        if exchange.header(b"x-api-key") in self._credentials:
            return None
        speaks_anthropic = isinstance(exchange.wire, AnthropicWire)
        return 401, "invalid x-api-key" if speaks_anthropic else "Incorrect API key provided."

    def _due(self, text: str, faults: Faults) -> Faults:
        """The faults, unless this text has already failed as often as ordered."""
        if faults.times is None:
            return faults
        if self.stats.attempt(text) > faults.times:
            return Faults(chunk=faults.chunk, delay_ms=faults.delay_ms)
        return faults

    async def _answer(self, exchange: Exchange, job: Job, *, counting: bool) -> None:
        text, faults = split_faults(job.prompt.text, self._faults)
        prompt = job.prompt
        if faults is not self._faults:
            prompt = msgspec.structs.replace(prompt, text=text)
        if faults.times is not None:
            faults = self._due(job.prompt.text, faults)
        if faults.no_bound:
            prompt = msgspec.structs.replace(prompt, hosted=dict.fromkeys(prompt.hosted))
        result = finish(answer(prompt), None if faults.no_bound else job.max_tokens)
        if await exchange.fault(faults):
            return
        output_tokens = result.output_tokens * job.choices
        if faults.service_tier:
            job = msgspec.structs.replace(job, service_tier=faults.service_tier)
        usage = _reported(job.input_tokens, output_tokens, faults)
        if usage is not None and (faults.told_uses or exchange.wire.tells_uses):
            usage = msgspec.structs.replace(usage, run=result.run)
        if not counting:
            self.stats.ran(result.run)
        if job.stream and not counting:
            frames = exchange.wire.events(job, result, usage, faults.chunk, running=faults.running_usage)
            await exchange.stream(frames, job, result, faults)
            return
        if not counting:
            self.stats.charge(job.input_tokens, output_tokens)
        await exchange.reply(200, exchange.wire.plain(job, result, usage), faults)

    async def _embed(self, exchange: Exchange, body: bytes) -> None:
        text = first_text(body)
        faults = self._due(text, split_faults(text, self._faults)[1])
        if await exchange.fault(faults):
            return
        embedded = embed(body, report_usage=not faults.no_usage, wrong_usage=faults.wrong_usage)
        self.stats.charge(embedded.input_tokens, 0)
        await exchange.reply(200, embedded.body, faults)


def _reported(input_tokens: int, output_tokens: int, faults: Faults) -> Usage | None:
    if faults.no_usage:
        return None
    if faults.wrong_usage:
        return Usage(1, output_tokens * 10 + 1)
    return Usage(input_tokens, output_tokens)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return
