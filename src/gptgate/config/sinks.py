"""The section `sinks`: where copies of the audit log's entries go. What is written there decides how."""

import re
from urllib.parse import urlsplit

from gptgate.config.reader import Reader, Section
from gptgate.config.shape import Field, Group, Many
from gptgate.config.types import SECRET, SMALL_NAME, Scalar, Wrong, duration_type, is_host, is_loopback, word_type
from gptgate.core.beside import SinkKind, SinkSpec
from gptgate.core.sinks import ENTRY_KINDS

KINDS = {
    "file": SinkKind.FILE,
    "http": SinkKind.WEBHOOK,
    "https": SinkKind.WEBHOOK,
    "tcp": SinkKind.SYSLOG,
    "tls": SinkKind.SYSLOG,
    "otlp+http": SinkKind.OTLP,
    "otlp+https": SinkKind.OTLP,
}
"""Schemes of `to`, and what they stand for."""
OTLP = "otlp+"
OTLP_PATH = "/v1/logs"
"""Where a collector takes logs, unless the address says otherwise."""


def _parse_to(text: str, _tag: str) -> str:
    """Never quotes what it was given: a password may stand in it."""
    hint = "file:/absolute/path, https://host/path, tcp://host:port or tls://host:port for syslog, or otlp+https://host:port"
    scheme, _, path = text.partition(":")
    if len(text) > 1024 or not text.isprintable() or scheme not in KINDS:
        raise Wrong("not a place for entries", hint)
    if scheme == "file":
        if not re.fullmatch(r"/[^/].*", path) or path.endswith("/"):
            raise Wrong("not the absolute path of a file", hint)
        return text
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Wrong("not a URL", hint) from None
    if "@" in parts.netloc:
        raise Wrong("the URL must not hold credentials", "use credential: env:NAME")
    if not is_host(parts.hostname or "") or port == 0 or parts.fragment or not text.isascii() or " " in text:
        raise Wrong("not a URL of a host", hint)
    if KINDS[scheme] is SinkKind.SYSLOG and (parts.path or parts.query):
        raise Wrong("a syslog server has no path", hint)
    return text


TO = Scalar("file:/PATH | http(s)://… | tcp://HOST:PORT | tls://HOST:PORT | otlp+http(s)://…", _parse_to)
SINK = Group(
    (
        Field("name", SMALL_NAME, "Its name in metrics, and of the note of how far it came.", required=True),
        Field("to", TO, "A file, a webhook, a syslog server, or an OpenTelemetry collector.", required=True),
        Field(
            "credential", SECRET, "The secret that signs what a webhook gets, or that a collector wants.", absent="none"
        ),
        Field("timeout", duration_type(100, 60_000), "How long the other side may take.", "10s"),
        Field("only", Many(word_type(ENTRY_KINDS)), "The kinds of entries that it gets.", absent="all"),
    )
)


def check_sinks(root: Section, reader: Reader) -> None:
    """Report settings that have no effect, and two sinks that would write into one file."""
    files: set[str] = set()
    for section in root.sections("sinks"):
        to = section.get("to")
        if to is None:
            continue
        kind = KINDS[to.partition(":")[0]]
        useless = {"credential": kind in (SinkKind.FILE, SinkKind.SYSLOG), "timeout": kind is SinkKind.FILE}
        if kind is SinkKind.FILE and "only" in section.written:
            message = "a file is a copy of the log, which goes on where the last entry in it ends"
            reader.report(section.line_of("only"), f"{section.path}.only", message, "remove the line")
        for name in useless:
            if useless[name] and name in section.written:
                reader.report(section.line_of(name), f"{section.path}.{name}", f"has no effect: {kind.value} has none")
        if kind is SinkKind.OTLP and section.get("credential") is not None and _in_clear(to):
            message = "the collector's token would travel in clear"
            reader.report(section.line_of("to"), f"{section.path}.to", message, "use otlp+https")
        if kind is SinkKind.FILE and to in files:
            reader.report(section.line_of("to"), f"{section.path}.to", "another sink writes into this file")
        files.add(to)


def _in_clear(to: str) -> bool:
    """Whether others on the network can read what is sent."""
    url = urlsplit(to.removeprefix(OTLP))
    return url.scheme == "http" and not is_loopback(url.hostname or "")


def build_sink(section: Section) -> SinkSpec:
    """The values of a section without problems."""
    to: str = section.get("to")
    kind = KINDS[to.partition(":")[0]]
    return SinkSpec(
        name=section.get("name"),
        kind=kind,
        to=_address(to, kind),
        credential=section.get("credential"),
        timeout_ms=section.get("timeout"),
        only=tuple(sorted(item.value for item in section.items("only"))),
    )


def _address(to: str, kind: SinkKind) -> str:
    """The path of a file, or the URL."""
    if kind is SinkKind.FILE:
        return to.removeprefix("file:")
    if kind is not SinkKind.OTLP:
        return to
    url = urlsplit(to.removeprefix(OTLP))
    return url.geturl() if url.path.strip("/") else url._replace(path=OTLP_PATH).geturl()
