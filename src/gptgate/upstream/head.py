"""The head of a request, mostly prepared: what does not change between requests is rendered once."""

import re
from collections.abc import Sequence

from yarl import URL

OWN_HEADERS = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "keep-alive", "expect", "upgrade", "te", "trailer")
)
"""Headers that frame the request, keep the connection or name its host: these are never the caller's to set."""

DEFAULT_HEADERS = (
    ("accept", "*/*"),
    # Compression would make every streamed event wait for the compressor and cost CPU at both ends.
    ("accept-encoding", "identity"),
    ("content-type", "application/json"),
    ("user-agent", "gptgate"),
)

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


class HeadTemplate:
    """Renders the heads of requests to one target. `fixed` headers are added last and replace the caller's.

    Raises ValueError for a header that cannot be written (RFC 9110, section 5.5); the message never has its value.
    """

    def __init__(self, base_url: str, fixed: Sequence[tuple[str, str]]) -> None:
        self._base_url = base_url.rstrip("/")
        self._ignored = OWN_HEADERS.union(name.lower() for name, _ in fixed)
        self._defaults = [(name, _line(name, value)) for name, value in DEFAULT_HEADERS if name not in self._ignored]
        self._fixed = "".join(_line(name, value) for name, value in fixed if name.lower() not in OWN_HEADERS)
        self._starts: dict[str, tuple[URL, str]] = {}
        self.start("/")

    def start(self, path: str) -> tuple[URL, str]:
        """The URL of a path and the head's first lines. Paths come from the adapters, so they are few."""
        known = self._starts.get(path)
        if known is not None:
            return known
        if not path.startswith("/"):
            raise ValueError("a path begins with a slash")
        url = URL(self._base_url + path, encoded=True)
        if url.host_port_subcomponent is None or url.user is not None:
            raise ValueError("a base URL has a scheme and a host, and no user")
        start = f"POST {url.raw_path_qs} HTTP/1.1\r\n{_line('host', url.host_port_subcomponent)}"
        self._starts[path] = url, start
        return url, start

    def render(self, start: str, headers: Sequence[tuple[str, str]], size: int) -> bytes:
        """The head of a request with a body of `size` bytes."""
        lines = [start]
        given = set()
        for name, value in headers:
            key = name.lower()
            if key not in self._ignored:
                given.add(key)
                lines.append(_line(name, value))
        lines.extend(line for name, line in self._defaults if name not in given)
        lines.append(f"{self._fixed}content-length: {size}\r\n\r\n")
        return "".join(lines).encode("latin-1")


def _line(name: str, value: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError("a header has a name that is not a token")
    if _FORBIDDEN.search(value) is not None:
        raise ValueError(f"the value of the header {name!r} has a character that cannot be sent")
    return f"{name}: {value}\r\n"
