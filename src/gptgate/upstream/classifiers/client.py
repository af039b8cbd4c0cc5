"""The port `Classifier` over HTTP: a deadline for the whole question, a breaker, and an opinion whatever happens."""

import asyncio
from collections.abc import Sequence

from gptgate.core.beside import ClassifierSpec
from gptgate.core.classifier import TOO_LONG, Opinion
from gptgate.core.errors import AnswerTooLarge, UpstreamError, UpstreamTimeout
from gptgate.core.finding import Origin
from gptgate.core.ports import Clock
from gptgate.core.snapshot import ProviderKind, ProviderSpec
from gptgate.upstream.classifiers.breaker import Breaker
from gptgate.upstream.classifiers.registry import WIRES
from gptgate.upstream.classifiers.wire import Nonsense, Said
from gptgate.upstream.client import HttpUpstream

MAX_ANSWER_BYTES = 1 << 20
FAILURES = (TOO_LONG, "breaker_open", "timeout", "unreachable", "status", "too_large", "nonsense")
"""The words for why a classifier could not answer."""


class _Failed(Exception):
    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


class HttpClassifier:
    """`gptgate.core.ports.Classifier`. Texts beyond `max_chars` are not cut: a text that is judged in part is not
    judged, so they are a failure, which says nothing about the classifier and does not count in its breaker."""

    def __init__(self, spec: ClassifierSpec, secret: str, upstream: HttpUpstream, clock: Clock) -> None:
        self._spec = spec
        self._secret = secret
        self._upstream = upstream
        self._clock = clock
        self._wire = WIRES[spec.kind]
        self._breaker = Breaker(spec.breaker_failures, spec.breaker_cool_down_ms)
        self._provider = _provider(spec)

    async def classify(self, texts: Sequence[tuple[Origin, str]]) -> Opinion:
        """See `gptgate.core.ports.Classifier.classify`. Without any text there is nothing to ask."""
        name = self._spec.name
        if not texts:
            return Opinion(classifier=name, failure="")
        if sum(len(text) for _, text in texts) > self._spec.max_chars:
            return Opinion(classifier=name, failure=TOO_LONG)
        if not self._breaker.allows(self._clock.monotonic_ns()):
            return Opinion(classifier=name, failure="breaker_open")
        try:
            said = await self._ask(texts)
        except _Failed as failed:
            self._breaker.failed(self._clock.monotonic_ns())
            return Opinion(classifier=name, failure=failed.failure)
        except BaseException:
            # Cancelled, or broken here: nobody knows what the classifier would have said.
            self._breaker.withdrawn()
            raise
        self._breaker.succeeded()
        return Opinion(classifier=name, failure="", labels=said.labels, spans=said.spans)

    async def _ask(self, texts: Sequence[tuple[Origin, str]]) -> Said:
        body = self._wire.encode(self._spec, texts)
        headers = self._wire.sign(body, self._secret, self._clock.wall_ms() // 1000)
        try:
            async with asyncio.timeout(self._spec.timeout_ms / 1000):
                answer = await self._post(headers, body)
        except (TimeoutError, UpstreamTimeout):
            raise _Failed("timeout") from None
        except UpstreamError:
            raise _Failed("unreachable") from None
        except AnswerTooLarge:
            raise _Failed("too_large") from None
        try:
            return self._wire.decode(self._spec, answer, texts)
        except Nonsense:
            raise _Failed("nonsense") from None

    async def _post(self, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
        reply = await self._upstream.send(self._provider, self._wire.path, headers, body)
        try:
            if reply.status != 200:
                raise _Failed("status")
            return await reply.read(MAX_ANSWER_BYTES)
        finally:
            reply.close()


def target_name(classifier: str) -> str:
    """What a classifier is called among the targets of the client: no provider can have this name."""
    return f"classifier {classifier}"


def _provider(spec: ClassifierSpec) -> ProviderSpec:
    """A classifier as the client sees it. One more attempt where nothing was sent: an idle connection had been closed.

    The deadline of the whole question stands around all of it.
    """
    return ProviderSpec(
        name=target_name(spec.name),
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=spec.base_url,
        credential=None,
        connect_timeout_ms=spec.timeout_ms,
        first_byte_timeout_ms=spec.timeout_ms,
        idle_timeout_ms=spec.timeout_ms,
        retries=1,
        finish_on_disconnect=False,
    )
