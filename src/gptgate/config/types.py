"""The types of settings. A `Scalar` reads the source text of a YAML scalar, so no number passes through float."""

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar
from urllib.parse import SplitResult, urlsplit, urlunsplit

from gptgate.config.problem import did_you_mean, shown
from gptgate.core.limit import shown_duration
from gptgate.core.money import parse_usd
from gptgate.core.snapshot import SecretRef

DEFAULT_TAG = ""
"""The tag of a default's text, which stands in the schema and has no YAML type."""

TAG_NAMES = {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing", "timestamp": "a date"}
DURATION_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SIZE_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 10**3, "MB": 10**6, "GB": 10**9}

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?")
"""A name that a resolver can be asked for: what has an empty or a longer label makes it raise UnicodeError."""


class Wrong(ValueError):
    """A scalar does not have its type. The message never quotes what may be a secret."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True)
class Scalar:
    """A type with its name in the reference. `parse` takes the source text and the YAML tag; it raises Wrong."""

    label: str
    parse: Callable[[str, str], object]


class Address(NamedTuple):
    """A listener's address."""

    host: str
    port: int


def _text(text: str, tag: str) -> str:
    if tag not in (DEFAULT_TAG, "str"):
        raise Wrong(f"expected text, found {TAG_NAMES.get(tag, tag)}", "put it in quotes if it is meant as text")
    return text


def name_type(label: str, pattern: str, allowed: str) -> Scalar:
    """A name of a fixed alphabet."""
    compiled = re.compile(pattern)

    def parse(text: str, tag: str) -> str:
        if not compiled.fullmatch(_text(text, tag)):
            raise Wrong(f"{shown(text)} is not a {label}", allowed)
        return text

    return Scalar(label, parse)


def text_type(label: str, longest: int) -> Scalar:
    """One line of printable text, not empty."""

    def parse(text: str, tag: str) -> str:
        _text(text, tag)
        if not text or len(text) > longest or not text.isprintable():
            raise Wrong(f"expected one line of 1 to {longest} printable characters")
        return text

    return Scalar(label, parse)


Word = TypeVar("Word", bound=StrEnum)


def word_type(words: Sequence[str]) -> Scalar:
    """One of some words."""

    def parse(text: str, tag: str) -> str:
        if tag not in (DEFAULT_TAG, "str"):
            raise Wrong(f"expected {' | '.join(words)}, found {TAG_NAMES.get(tag, tag)}")
        if text not in words:
            raise Wrong(f"{shown(text)} is not one of: {', '.join(words)}", did_you_mean(text, words))
        return text

    return Scalar(" | ".join(words), parse)


def enum_type(enum: type[Word], leave_out: frozenset[Word] = frozenset()) -> Scalar:
    """A member of an enumeration, without those that no configuration may write."""
    word = word_type([member.value for member in enum if member not in leave_out])

    def parse(text: str, tag: str) -> Word:
        word.parse(text, tag)
        return enum(text)

    return Scalar(word.label, parse)


def count_type(lowest: int, highest: int) -> Scalar:
    """A whole number in plain decimal digits."""

    def parse(text: str, tag: str) -> int:
        if re.fullmatch(r"-[0-9.]+", text):
            raise Wrong(f"{shown(text)} is negative")
        if tag not in (DEFAULT_TAG, "int") or not re.fullmatch(r"0|[1-9][0-9]{0,14}", text):
            raise Wrong("expected a whole number in decimal digits, without quotes")
        number = int(text)
        if not lowest <= number <= highest:
            raise Wrong(f"{number} is not between {lowest} and {highest}")
        return number

    return Scalar(f"whole number, {lowest} to {highest}", parse)


def _parse_bool(text: str, tag: str) -> bool:
    # YAML 1.1 also reads yes, no, on and off as booleans; one spelling keeps a file readable the same everywhere.
    if tag not in (DEFAULT_TAG, "bool") or text not in ("true", "false"):
        raise Wrong("expected true or false")
    return text == "true"


def duration_type(lowest_ms: int, highest_ms: int) -> Scalar:
    """A time with its unit, as milliseconds."""

    def parse(text: str, _tag: str) -> int:
        if text.startswith("-"):
            raise Wrong(f"{shown(text)} is negative")
        match = re.fullmatch(r"([0-9]{1,9})(ms|s|m|h|d)", text)
        if match is None:
            raise Wrong(f"{shown(text)} is not a duration", "a whole number with its unit: 500ms, 10s, 5m, 1h, 7d")
        milliseconds = int(match[1]) * DURATION_UNITS_MS[match[2]]
        if not lowest_ms <= milliseconds <= highest_ms:
            bounds = f"{shown_duration(lowest_ms)} and {shown_duration(highest_ms)}"
            raise Wrong(f"{shown(text)} is not between {bounds}")
        return milliseconds

    return Scalar("duration", parse)


def size_type(lowest: int, highest: int) -> Scalar:
    """A number of bytes, with or without a unit."""

    def parse(text: str, _tag: str) -> int:
        if text.startswith("-"):
            raise Wrong(f"{shown(text)} is negative")
        match = re.fullmatch(r"([1-9][0-9]{0,11}) ?([A-Za-z]*)", text)
        if match is None or match[2] not in SIZE_UNITS:
            raise Wrong(f"{shown(text)} is not a size", "a number of bytes, or with a unit: 512KiB, 10MiB, 1GiB")
        size = int(match[1]) * SIZE_UNITS[match[2]]
        if not lowest <= size <= highest:
            raise Wrong(f"{shown(text)} is not between {lowest} and {highest} bytes")
        return size

    return Scalar("size in bytes", parse)


def _parse_usd(text: str, _tag: str) -> int:
    if text.startswith("-"):
        raise Wrong(f"{shown(text)} is negative")
    # Nine decimals are a nano-dollar, the smallest unit there is; more would be rounded, so more is an error.
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise Wrong(f"{shown(text)} is not an amount in US dollars", 'plain digits, such as "12.50"')
    return parse_usd(text)


def parse_amount(text: str, _tag: str = "") -> int:
    """An amount of dollars, tokens or requests, in billionths. Raises Wrong."""
    if text.startswith("-"):
        raise Wrong(f"{shown(text)} is negative")
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", text):
        raise Wrong(f"{shown(text)} is not an amount", 'plain digits, such as "12.50"')
    return parse_usd(text)


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parse_address(text: str, _tag: str) -> Address:
    hint = "host:port, such as 127.0.0.1:8080 or [::1]:8080"
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        known = _is_ip(host, 6)
    else:
        known = _is_ip(host, 4) or (_HOST.fullmatch(host) is not None and not re.fullmatch(r"[0-9.]+", host))
    if not colon or not known or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise Wrong(f"{shown(text)} is not an address to listen on", hint)
    return Address(host, int(port))


def is_host(host: str) -> bool:
    """Whether a URL can have this for its host: a name, or an IP address without its brackets."""
    return _HOST.fullmatch(host) is not None or _is_ip(host, 6)


def _is_ip(host: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _checked_url(text: str, tag: str) -> SplitResult:
    """A URL of a host. Never quotes it: a password may stand in it."""
    hint = "such as https://api.openai.com or http://127.0.0.1:11434"
    _text(text, tag)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Wrong("not a URL", hint) from None
    if parts.scheme not in ("http", "https"):
        raise Wrong("the URL must begin with http:// or https://", hint)
    if "@" in parts.netloc:
        raise Wrong("the URL must not hold credentials", "use credential: env:NAME")
    if "?" in text or "#" in text:
        raise Wrong("the URL must not have a query or a fragment", hint)
    host = parts.hostname or ""
    if not is_host(host) or not re.fullmatch(r"[A-Za-z0-9._~%/-]*", parts.path) or ".." in parts.path or port == 0:
        raise Wrong("not a URL of a host", hint)
    return parts


def _parse_url(text: str, tag: str) -> str:
    """A provider's base URL, normalised: no trailing slash, and no ``/v1``, which the adapters add themselves."""
    parts = _checked_url(text, tag)
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))


def _parse_endpoint(text: str, tag: str) -> str:
    """The address of something that is asked as it is written."""
    parts = _checked_url(text, tag)
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, "", ""))


def _parse_path(text: str, tag: str) -> str:
    if not _text(text, tag).startswith("/") or not text.isprintable() or len(text) > 1024:
        raise Wrong(f"{shown(text)} is not an absolute path", "such as /mnt/archive/gptgate")
    return text


def _parse_counters_url(text: str, tag: str) -> str:
    """Where counters are kept. Never quotes the URL: a password may stand in it."""
    hint = "such as redis://127.0.0.1:6379/0, or rediss:// for TLS"
    try:
        parts = urlsplit(_text(text, tag))
        port = parts.port
    except ValueError:
        raise Wrong("not a URL", hint) from None
    if parts.scheme not in ("redis", "rediss"):
        raise Wrong("the URL must begin with redis:// or rediss://", hint)
    if "@" in parts.netloc:
        raise Wrong("the URL must not hold credentials", "use credential: env:NAME")
    host = parts.hostname or ""
    bare = not is_host(host) or port == 0
    if bare or "?" in text or "#" in text or not re.fullmatch(r"/?|/[0-9]{1,4}", parts.path):
        raise Wrong("not a URL of a server and the number of a database", hint)
    return text


def _parse_secret(text: str, _tag: str) -> SecretRef:
    # The value is never quoted, whatever it looks like: it may be the secret itself.
    hint = "write env:NAME or file:/absolute/path; the secret itself never stands in this file"
    source, _, name = text.partition(":")
    if source == "env" and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
        return SecretRef("env", name)
    if source == "file" and name.startswith("/") and name.isprintable() and len(name) <= 1024:
        return SecretRef("file", name)
    raise Wrong("not a reference to a secret", hint)


def _parse_pattern(text: str, tag: str) -> str:
    if not re.fullmatch(r"\*|[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?", _text(text, tag)):
        raise Wrong(f"{shown(text)} is not a kind pattern", "a kind (pii.email), a prefix (secret.*), or *")
    return text


def _parse_condition(text: str, tag: str) -> str:
    # What it says is examined where all references are: only there is known what conditions may look at.
    if not _text(text, tag).strip():
        raise Wrong("expected a CEL expression")
    return text.rstrip()


BOOL = Scalar("true | false", _parse_bool)
USD = Scalar("amount in US dollars", _parse_usd)
AMOUNT = Scalar("amount", parse_amount)
ADDRESS = Scalar("host:port", _parse_address)
URL = Scalar("URL", _parse_url)
ENDPOINT = Scalar("URL", _parse_endpoint)
PATH = Scalar("absolute path", _parse_path)
COUNTERS_URL = Scalar("URL", _parse_counters_url)
SECRET = Scalar("env:NAME | file:/PATH", _parse_secret)
KIND_PATTERN = Scalar("kind pattern", _parse_pattern)
CONDITION = Scalar("CEL expression", _parse_condition)
RULE_ID = name_type("rule id", r"([a-z0-9][a-z0-9_-]{0,63}/)?[a-z0-9][a-z0-9_-]{0,63}", "a rule's id, or PACK/ID")
PACK_NAME = name_type("pack", r"[a-z0-9][a-z0-9_-]{0,63}(@[1-9][0-9]{0,5})?", "a pack's name, or NAME@VERSION")
SMALL_NAME = name_type(
    "name", r"[a-z0-9][a-z0-9_-]{0,63}", "up to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit"
)
TOOL_NAME = name_type(
    "tool", r"(?!.*(_[0-9]{8}|_toolset)$)[a-z][a-z0-9_]{0,31}", "a tool's type in lower case, without its version"
)
KIND_WORD = name_type(
    "part of a kind", r"[a-z][a-z0-9_]{0,63}", "up to 64 of a-z, 0-9 and '_', beginning with a letter"
)
MODEL_NAME = name_type(
    "model name",
    r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}",
    "up to 128 letters, digits and . _ : / -, beginning with a letter or digit",
)
