"""What is looked for in a growing text besides the patterns: each watch says what it found and what must wait."""

from collections.abc import Sequence
from typing import Protocol

from gptgate.core.finding import Finding
from gptgate.core.ports import StreamScanner
from gptgate.detectors.lane import in_order


class Watch(Protocol):
    """Recognises something in one growing text. `safe`: before this character it finds nothing more."""

    safe: int

    def feed(self, text: str) -> Sequence[Finding]:
        """The findings that became final."""
        ...

    def finish(self) -> Sequence[Finding]:
        """Those that the end decides."""
        ...


class WatchedScanner:
    """A scanner and watches over the same text: the implementation of `core.ports.StreamScanner` where there are any.

    A text goes out when all of them let it, and never ends inside a finding of any of them that is not out yet.
    """

    def __init__(self, scanner: StreamScanner, watches: Sequence[Watch]) -> None:
        self._scanner = scanner
        self._watches = watches
        self._text = ""
        """What the scanner let out and a watch did not."""
        self._scanned = 0
        self._released = 0
        self._waiting: list[Finding] = []

    def feed(self, text: str) -> tuple[str, tuple[Finding, ...]]:
        """See `core.ports.StreamScanner`."""
        out, found = self._scanner.feed(text)
        self._scanned += len(out)
        until = self._scanned
        waiting = self._waiting
        for watch in self._watches:
            waiting += watch.feed(text)
            if watch.safe < until:
                until = watch.safe
        if until == self._scanned and not self._text and not waiting:
            self._released = until
            return out, found
        self._text += out
        waiting += found
        begun = [one for one in waiting if one.start >= self._released]
        while (cut := min((one.start for one in begun if one.start < until < one.end), default=until)) < until:
            until = cut
        self._waiting = [one for one in waiting if one.end > until]
        size = until - self._released
        self._released = until
        out, self._text = self._text[:size], self._text[size:]
        return out, tuple(sorted((one for one in waiting if one.end <= until), key=in_order))

    def finish(self) -> tuple[str, tuple[Finding, ...]]:
        """See `core.ports.StreamScanner`."""
        out, found = self._scanner.finish()
        waiting = [*self._waiting, *found]
        for watch in self._watches:
            waiting += watch.finish()
        self._waiting = []
        return self._text + out, tuple(sorted(waiting, key=in_order))
