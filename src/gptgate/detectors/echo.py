"""The system's own text coming back in an answer: words in a row that stand there in the same order.

A text is taken as its words, in small letters and without what stands between them; of scripts without spaces each
character is a word. A suffix automaton of the system's text says after each word of the answer how many of the last
words stand there in a row, in constant time. Paraphrases, translations and encodings are not seen.

In a stream a run of such words waits while it grows, no more than `PIECE` words of it, and only where a rule rewrites
or denies it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from gptgate.core.finding import Finding, Origin, Segment, pointer
from gptgate.detectors.reading import Reader, read_text

NAME = "system_prompt"
VERSION = 1
KIND = "exfil.system_prompt"
KINDS: Mapping[str, str] = {
    KIND: "Words of the request's own system text, in the same order, coming back in an answer."
}
MIN_RUN = 12
"""So many words in a row are no coincidence. A system text of fewer words must come back whole."""
SHORTEST = 6
"""A system text of fewer words (``You are a helpful assistant.``) says nothing that others do not say."""
PIECE = 64
"""Words of a run that are reported, and held back, together."""
MAX_WORDS = 2048
"""Words of the system's text that are known. The rest of a longer one may come back unseen."""
MAX_WORD = 64
"""Bytes. What is longer, of a word or between two words, ends a run: so what is held back is bounded."""
POINTS = (40, 60, 80)
"""Of a run; once `MANY` words came back; once half of the system's text did."""
MANY = 32

_WORD = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|(?:[0-9A-Za-z_]|[\xc2-\xdf][\x80-\xbf]){1,%d}" % MAX_WORD)


def _words(data: bytes) -> list[bytes]:
    return [word.lower() for word in _WORD.findall(data)]


class Echo:
    """What is known of one system text. Immutable once made: safe in threads."""

    def __init__(self, words: Sequence[bytes]) -> None:
        """Use `of`."""
        self.count = sum(map(bool, words))
        self.least = min(MIN_RUN, self.count)
        self.following: list[dict[bytes, int]] = [{}]
        """State → word → state. A state stands for rows of words that are followed by the same."""
        self.link = [-1]
        """State → that of the longest shorter rows that end alike."""
        self.length = [0]
        last = 0
        for word in words:
            last = self._extend(last, word)

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Echo | None":
        """The first `MAX_WORDS` words of these texts; None where they are too few to say anything."""
        words: list[bytes] = []
        for text in texts:
            # No word: no run goes from one text into the next.
            words += [*_words(read_text(text, False)), b""]
            if len(words) > MAX_WORDS:
                break
        words = words[:MAX_WORDS]
        return cls(words) if sum(map(bool, words)) >= SHORTEST else None

    def _extend(self, last: int, word: bytes) -> int:
        following, link, length = self.following, self.link, self.length
        state = self._state({}, length[last] + 1)
        at = last
        while at >= 0 and word not in following[at]:
            following[at][word] = state
            at = link[at]
        if at < 0:
            link[state] = 0
            return state
        target = following[at][word]
        if length[at] + 1 != length[target]:
            copy = self._state(dict(following[target]), length[at] + 1)
            link[copy] = link[target]
            link[target] = copy
            while at >= 0 and following[at].get(word) == target:
                following[at][word] = copy
                at = link[at]
            target = copy
        link[state] = target
        return state

    def _state(self, following: dict[bytes, int], length: int) -> int:
        self.following.append(following)
        self.link.append(-1)
        self.length.append(length)
        return len(self.length) - 1

    def find(self, segments: Sequence[Segment]) -> list[Finding]:
        """What comes back in whole texts."""
        found: list[Finding] = []
        for index, segment in enumerate(segments):
            if segment.text and not segment.media and not segment.is_key:
                place = pointer(segment.path)
                watch = self.watch(place, segment.origin, is_json=segment.is_json, is_held=False, segment=index)
                found += (*watch.feed(segment.text), *watch.finish())
        return found

    def watch(self, place: str, origin: Origin, *, is_json: bool, is_held: bool, segment: int = 0) -> "EchoWatch":
        """Looks at one growing text."""
        return EchoWatch(self, place, origin, is_json=is_json, is_held=is_held, segment=segment)


class EchoWatch:
    """A `detectors.watch.Watch` for the words of a system text. `is_held`: a run waits while it grows."""

    def __init__(
        self, echo: Echo, place: str, origin: Origin, *, is_json: bool, is_held: bool, segment: int = 0
    ) -> None:
        self.safe = 0
        self._echo = echo
        self._where = (origin, place)
        self._segment = segment
        self._is_held = is_held
        self._reader = Reader(is_json)
        self._fed = 0
        self._buffer = b""
        self._at = 0
        """Byte of the reading at which the buffer begins: behind the last word."""
        self._end = 0
        """Where the last word ends."""
        self._state = 0
        self._run = 0
        """How many of the last words stand in the system's text in a row."""
        self._words: list[tuple[int, int]] = []
        """Those of them that are not reported, by their bytes."""
        self._returned = 0

    def feed(self, text: str) -> Sequence[Finding]:
        """See `detectors.watch.Watch`."""
        self._fed += len(text)
        self._buffer += self._reader.read(text)
        found = self._look(at_end=False)
        begin = self._words[0][0] if self._words else self._at
        self.safe = self._reader.start(begin) if self._is_held else self._fed
        self._reader.forget(begin)
        return found

    def finish(self) -> Sequence[Finding]:
        """See `detectors.watch.Watch`."""
        self._buffer += self._reader.finish()
        return [*self._look(at_end=True), *self._break(0)]

    def _look(self, *, at_end: bool) -> list[Finding]:
        """Take the words of the buffer; one that may go on stays in it."""
        found: list[Finding] = []
        base, size = self._at, len(self._buffer)
        rest = size
        for match in _WORD.finditer(self._buffer):
            start, end = match.span()
            if end == size and not at_end and _goes_on(match[0]):
                rest = start
                break
            found += self._take(match[0].lower(), base + start, base + end)
        self._buffer = self._buffer[rest:]
        self._at = base + rest
        if self._at - self._end > MAX_WORD:
            found += self._break(0)
        return found

    def _take(self, word: bytes, start: int, end: int) -> list[Finding]:
        found = self._break(0) if start - self._end > MAX_WORD else []
        before = self._run
        self._follow(word)
        if self._run != before + 1:
            found += self._break(self._run, before)
        self._end = end
        if self._run:
            self._words.append((start, end))
        if self._run >= self._echo.least and len(self._words) >= PIECE:
            found.append(self._report())
        return found

    def _follow(self, word: bytes) -> None:
        echo, state = self._echo, self._state
        while state and word not in echo.following[state]:
            state = echo.link[state]
            self._run = echo.length[state]
        if word in echo.following[state]:
            self._state, self._run = echo.following[state][word], self._run + 1
        else:
            self._state = self._run = 0

    def _break(self, run: int, before: int | None = None) -> list[Finding]:
        """The run of `before` words is over: of its words only the last ones belong to the next, of `run` words."""
        before = self._run if before is None else before
        found = []
        if before >= self._echo.least:
            found = [self._report()] if self._words else []
        else:
            self._words = self._words[-(run - 1) :] if run > 1 else []
        if not run:
            self._state = self._run = 0
        return found

    def _report(self) -> Finding:
        """The finding of the run's words that are not reported yet."""
        self._returned += len(self._words)
        known = self._echo.count
        points = POINTS[2] if 2 * self._returned >= known else POINTS[1] if self._returned >= MANY else POINTS[0]
        start, end = self._reader.start(self._words[0][0]), self._reader.end(self._words[-1][1])
        self._words = []
        return Finding(KIND, *self._where, start, end, NAME, points, self._segment)


def _goes_on(word: bytes) -> bool:
    """Whether a word at the end of what has come may have more letters."""
    return word[0] < 0xE0 and len(word.decode()) < MAX_WORD
