"""Faults to order: what shall go wrong on the wire.

A line of the last user text that begins with ``fault:`` orders faults, as words between spaces:

    latency=200ms      wait before the head of the answer (``ms`` or ``s``)
    status=429         answer with this status (400 to 599) in the dialect's error shape
    retry-after=1      with a status: send this ``retry-after`` header as it stands
    hang               never answer; `hang=5`: fall silent for good after 5 chunks of a stream
    cut=5              close the connection after 5 chunks of a stream, or in the middle of a plain answer
    malformed          break the JSON of a plain answer, or of the third event of a stream
    no-usage           leave the usage out
    no-bound           take no notice of the request's bounds on the output and on uses of tools
    told-uses          report the uses of the provider's tools in the OpenAI dialect too, as some who speak it do
    running-usage      report the usage so far with each piece of a streamed text
    wrong-usage        report one input token and ten times the output tokens plus one
    service-tier=flex  say that this service tier served the request
    redirect           answer 307 with a location on this server
    times=2            only the first two requests with this very text fail; later ones are served
    chunk=8            characters per streamed piece
    delay=5ms          wait between the chunks of a stream

Anything else on such a line is answered with 400, so that a mistyped order is never taken for success.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

DEFAULT_CHUNK = 16


class Faults(Struct, frozen=True, kw_only=True):
    """What goes wrong. The default goes well. `hang` 0 means before the head; times are milliseconds."""

    latency_ms: int = 0
    status: int | None = None
    retry_after: str = ""
    hang: int | None = None
    cut: int | None = None
    malformed: bool = False
    no_usage: bool = False
    no_bound: bool = False
    told_uses: bool = False
    running_usage: bool = False
    wrong_usage: bool = False
    service_tier: str = ""
    redirect: bool = False
    times: int | None = None
    chunk: int = DEFAULT_CHUNK
    delay_ms: int = 0


class UnknownFault(ValueError):
    """A word of a ``fault:`` line that orders nothing, or with a value that is none."""


def _milliseconds(value: str) -> int:
    if value.endswith("ms"):
        return _count(value[:-2])
    if value.endswith("s"):
        return _count(value[:-1]) * 1000
    raise ValueError


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ValueError
    return int(value)


def _positive(value: str) -> int:
    number = _count(value)
    if number < 1:
        raise ValueError
    return number


def _status(value: str) -> int:
    number = _count(value)
    if not 400 <= number <= 599:
        raise ValueError
    return number


def _flag(value: str) -> bool:
    if value:
        raise ValueError
    return True


def _hang(value: str) -> int:
    return _positive(value) if value else 0


def _header(value: str) -> str:
    if not (value and value.isascii() and value.isprintable()):
        raise ValueError
    return value


_WORDS: dict[str, tuple[str, Callable[[str], object]]] = {
    "latency": ("latency_ms", _milliseconds),
    "status": ("status", _status),
    "retry-after": ("retry_after", _header),
    "hang": ("hang", _hang),
    "cut": ("cut", _count),
    "malformed": ("malformed", _flag),
    "no-usage": ("no_usage", _flag),
    "no-bound": ("no_bound", _flag),
    "told-uses": ("told_uses", _flag),
    "running-usage": ("running_usage", _flag),
    "wrong-usage": ("wrong_usage", _flag),
    "service-tier": ("service_tier", _header),
    "redirect": ("redirect", _flag),
    "times": ("times", _positive),
    "chunk": ("chunk", _positive),
    "delay": ("delay_ms", _milliseconds),
}


def parse_faults(line: str, base: Faults) -> Faults:
    """`base` with what a ``fault:`` line orders (given without the word ``fault:``). Raises UnknownFault."""
    fields: dict[str, object] = {}
    for word in line.split():
        name, _, value = word.partition("=")
        known = _WORDS.get(name)
        if known is None:
            raise UnknownFault(f"unknown fault: {word}")
        field, parse = known
        try:
            fields[field] = parse(value)
        except ValueError:
            raise UnknownFault(f"{name} does not take this: {word}") from None
    return replace(base, **fields)
