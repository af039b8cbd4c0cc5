"""Strings of this process that nobody may see: the credentials that its configuration leads to.

They are known letter by letter, so they are found wherever they stand, inside of words too, and in what base64 and hex
make of them. They are in no digest and in no file: the matcher lives in memory and is made anew with every process.
"""

import base64
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Protocol

from gptgate.core.finding import Finding, Origin, Segment, pointer
from gptgate.detectors.derive import Piece
from gptgate.detectors.engine import compile_bytes
from gptgate.detectors.multi import make_sign_finder
from gptgate.detectors.reading import Reader

NAME = "own_credentials"
VERSION = 1
"""Raised when the code changes what the same strings give."""
KIND = "secret.provider_credential"
KINDS: Mapping[str, str] = {
    KIND: "A credential by which this gateway speaks to a provider or another service, as it is configured."
}
POINTS = 90
SHORTEST = 12
"""Shorter credentials are words such as ``none`` or ``ollama``, which texts are full of."""
_PART = 256
"""A longer credential is known in parts, each of which is looked for by itself."""
_MOST_PARTS = 4
LONGEST = 2 * _PART
"""Bytes of the longest form, which is hex."""
LEAD = 3
"""Characters at the beginning of a form that may go out and are not cut: words begin with them. Were they held back,
every third piece of a stream would be cut anew for the sake of a prefix such as ``sk-``."""
_TELLING = 4
"""Bytes at a text's end by which most texts are told not to end in the beginning of a string."""


class Forms(Protocol):
    """What is looked for by its letters, in bytes of readings. Immutable: safe in threads."""

    name: str
    kind: str
    points: int

    def hits(self, data: bytes) -> Sequence[int]:
        """Empty where nothing of it stands in a text; fast."""
        ...

    def spans(self, data: bytes) -> Iterator[tuple[int, int, str]]:
        """Where it stands, from left to right, and by which encoding. The first `LEAD` characters are not reported."""
        ...

    def begin(self, data: bytes) -> int:
        """Where one begins that the end of these bytes does not decide; their length where none does."""
        ...

    def may_go(self, data: bytes) -> bool:
        """Whether none stands in these bytes, nor begins in them. It never says so wrongly."""
        ...


class KnownStrings:
    """`Forms` of these strings and of their encodings; of those that begin at one place, the longest."""

    name, kind, points = NAME, KIND, POINTS

    def __init__(self, secrets: Iterable[str], engine: str = "auto") -> None:
        """`engine`: as for `detectors.multi.make_finder`. What is shorter than `SHORTEST` is not looked for."""
        self._views = {
            form: view for secret in sorted(set(secrets)) for part in _parts(secret) for form, view in _forms(part)
        }
        forms = sorted(self._views)
        self._matches = compile_bytes("|".join(map(_quoted, forms)), ignore_case=False, longest=True).finditer
        begun = "|".join(map(_beginnings, forms))
        self._begun = compile_bytes(rf"(?:{begun})\z", ignore_case=False, longest=True).search
        # Without a cache: what is compiled here is nowhere but in memory.
        self.hits = make_sign_finder(engine, [_quoted(form) for form in forms]).hits
        self._ends = frozenset(form[max(size - _TELLING, 0) : size] for form in forms for size in range(1, len(form)))
        self._shortest = min(map(len, forms))

    @classmethod
    def of(cls, secrets: Iterable[str], engine: str = "auto") -> "KnownStrings | None":
        """The matcher; None where nothing is to be looked for."""
        long = [secret for secret in secrets if len(secret) >= SHORTEST]
        return cls(long, engine) if long else None

    def spans(self, data: bytes) -> Iterator[tuple[int, int, str]]:
        """See `Forms`."""
        for match in self._matches(data):
            yield *match.span(), self._views[match[0]]

    def may_go(self, data: bytes) -> bool:
        """See `Forms`."""
        ends = self._ends
        if data[-4:] in ends or data[-3:] in ends or data[-2:] in ends or data[-1:] in ends:
            return self.begin(data) == len(data) and not (len(data) >= self._shortest and any(self.spans(data)))
        return len(data) < self._shortest or not any(self.spans(data))

    def begin(self, data: bytes) -> int:
        """See `Forms`."""
        match = self._begun(data)
        return len(data) if match is None else match.start()


def find(forms: Forms, segments: Sequence[Segment], pieces: Sequence[Piece], data: bytes) -> list[Finding]:
    """What stands in the pieces, which `data` are with a separator before, between and after them."""
    if not forms.hits(data):
        return []
    begins = list(accumulate((len(piece.data) + 1 for piece in pieces), initial=1))
    found = []
    for start, end, view in forms.spans(data):
        number = bisect_right(begins, start) - 1
        piece = pieces[number]
        origin, place = segments[piece.segment].origin, pointer(segments[piece.segment].path)
        start, end = piece.back(start + LEAD - begins[number], end - begins[number])
        read = "+".join(name for name in (piece.view, view) if name)
        found.append(Finding(forms.kind, origin, place, start, end, forms.name, forms.points, piece.segment, read))
    return found


class FormsWatch:
    """A `detectors.watch.Watch` for forms. Text that does not end in the beginning of one is not kept."""

    def __init__(self, forms: Forms, place: str, origin: Origin, is_json: bool) -> None:
        self.safe = 0
        self._forms = forms
        self._where = (origin, place)
        self._is_json = is_json
        self._fed = 0
        self._reader: Reader | None = None
        """While something is undecided: reads from the character `_base` on."""
        self._base = 0
        self._buffer = b""
        self._at = 0
        """Byte of the reading at which the buffer begins."""

    def feed(self, text: str) -> Sequence[Finding]:
        """See `detectors.watch.Watch`."""
        self._fed += len(text)
        if self._reader is None:
            if text.isascii() and not (self._is_json and "\\" in text) and self._forms.may_go(text.encode()):
                self.safe = self._fed
                return ()
            self._reader, self._base = Reader(self._is_json), self._fed - len(text)
        self._buffer += self._reader.read(text)
        found = self._look(self._reader, self._forms.begin(self._buffer))
        self.safe = self._base + self._reader.start(self._at + LEAD)
        if self.safe == self._fed and not self._buffer:
            self._reader, self._at = None, 0
        return found

    def finish(self) -> Sequence[Finding]:
        """See `detectors.watch.Watch`."""
        if self._reader is None:
            return ()
        self._buffer += self._reader.finish()
        return self._look(self._reader, len(self._buffer))

    def _look(self, reader: Reader, until: int) -> list[Finding]:
        """Those that begin before this byte of the buffer; what is decided leaves the buffer."""
        found = []
        for start, end, view in self._forms.spans(self._buffer):
            if start >= until:
                break
            first, last = self._base + reader.start(self._at + start + LEAD), self._base + reader.end(self._at + end)
            found.append(
                Finding(self._forms.kind, *self._where, first, last, self._forms.name, self._forms.points, 0, view)
            )
            until = max(until, end)
        self._buffer = self._buffer[until:]
        self._at += until
        reader.forget(self._at)
        return found


def _parts(secret: str) -> Iterator[bytes]:
    data = secret.encode()[: _PART * _MOST_PARTS]
    for at in range(0, len(data), _PART):
        if len(data) - at >= SHORTEST:
            yield data[at : at + _PART]


def _forms(data: bytes) -> Iterator[tuple[bytes, str]]:
    """The string, its hex, and the digits of its base64 that do not depend on what stands around it."""
    yield data.hex().encode(), "hex"
    yield data.hex().upper().encode(), "hex"
    for before in range(3):
        first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        yield base64.b64encode(bytes(before) + data)[first:last], "base64"
        yield base64.urlsafe_b64encode(bytes(before) + data)[first:last], "base64"
    yield data, ""


def _quoted(data: bytes) -> str:
    return "".join([f"\\x{byte:02x}" for byte in data])


def _beginnings(data: bytes) -> str:
    """A pattern of every beginning of the string but the whole of it."""
    quoted = [f"\\x{byte:02x}" for byte in data[:-1]]
    return "(?:".join(quoted) + ")?" * (len(quoted) - 1)
