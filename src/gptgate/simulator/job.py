"""What both wires share: a request understood, its answer made, and what a wire must be able to render."""

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from gptgate.simulator.rules import Answer, Call, Prompt, Run
from gptgate.simulator.tokens import count_tokens, first_tokens


class Malformed(ValueError):
    """A request body that the real provider would refuse with 400. `param` names the field where one is to blame."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class Job(Struct, frozen=True, kw_only=True):
    """A request understood. `max_tokens` bounds each choice; `id` is made from the request's bytes. `service_tier` is
    what serves it.
    """

    id: str
    model: str
    prompt: Prompt
    input_tokens: int
    max_tokens: int | None
    choices: int
    stream: bool
    include_usage: bool
    service_tier: str


class Result(Struct, frozen=True, kw_only=True):
    """An answer as it goes out. `output_tokens` is what one choice costs; `cut` says that `max_tokens` ended it."""

    text: str
    calls: tuple[Call, ...]
    cut: bool
    output_tokens: int
    run: Run | None = None


class Usage(Struct, frozen=True):
    """What the answer reports, which faults may make wrong. `run` is the provider's own tool, where it says so."""

    input_tokens: int
    output_tokens: int
    run: Run | None = None


Frame = tuple[bytes, int]
"""A server-sent event, and how many characters of the answer's text it carries."""


class Wire(Protocol):
    """One dialect's shapes. Pure."""

    broken_event: bytes
    tells_uses: bool
    """Whether a usage says how often the provider's tools were used."""

    def parse(self, body: bytes, digest: str) -> Job:
        """Raises Malformed."""
        ...

    def plain(self, job: Job, result: Result, usage: Usage | None) -> bytes: ...

    def events(
        self, job: Job, result: Result, usage: Usage | None, chunk: int, *, running: bool = False
    ) -> Iterator[Frame]:
        """`running`: the usage so far comes with each piece of a text."""
        ...

    def error(self, status: int, message: str, request_id: str, param: str | None = None) -> bytes: ...

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]: ...


def finish(answer: Answer, max_tokens: int | None) -> Result:
    """The answer within `max_tokens`. Tool calls are never cut: the simulator does not send half a call."""
    text = answer.text
    if answer.calls:
        tokens = sum(count_tokens(call.name) + count_tokens(call.arguments) for call in answer.calls)
        return Result(text=text, calls=answer.calls, cut=False, output_tokens=tokens)
    tokens = count_tokens(text)
    if max_tokens is not None and tokens > max_tokens:
        text = first_tokens(text, max_tokens)
        return Result(text=text, calls=(), cut=True, output_tokens=max_tokens, run=answer.run)
    return Result(text=text, calls=(), cut=False, output_tokens=tokens, run=answer.run)


def pieces(text: str, size: int) -> Iterator[str]:
    """The text in pieces of `size` characters."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
