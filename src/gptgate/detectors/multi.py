"""Hyperscan: one pass over the text for all patterns at once. The only module that knows whether it is installed."""

import hashlib
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from gptgate.core.errors import GuardFailed
from gptgate.detectors.engine import ExactFinder, Finder, JointFinder, LiteralFinder, SearchFinder
from gptgate.detectors.pattern import Pattern
from gptgate.detectors.runs import Run, run_of

try:
    import hyperscan
except ImportError:  # not built for this platform: LiteralFinder finds the same
    hyperscan = None  # type: ignore[assignment]

NAME = "pattern engine"
ENGINES = ("auto", "hyperscan", "re2")


class Cache(Protocol):
    """Where compiled databases are kept between starts. What it gives back is what was put there, or None."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, data: bytes) -> None: ...


def make_finder(
    engine: str, patterns: Sequence[Pattern], only: Collection[int] | None = None, cache: Cache | None = None
) -> Finder:
    """The finder of that name; ``auto`` takes Hyperscan where it is installed.

    `only` are the indexes of the patterns to look for, where not all are.

    Raises ValueError for an unknown name, GuardFailed where ``hyperscan`` is asked for and not installed.
    """
    has_hyperscan = _has_hyperscan(engine)
    wanted = {index: pattern for index, pattern in enumerate(patterns) if only is None or index in only}
    if not has_hyperscan or not wanted:
        return LiteralFinder(wanted)
    # Hyperscan misses a few patterns where they stand some thirty bytes into a text (0.9.1, whatever its flags). That
    # ours are found is tested, pattern by pattern; of those from a configuration nobody knows.
    foreign = {index: wanted.pop(index) for index in tuple(wanted) if wanted[index].is_foreign}
    behind: dict[Run | None, list[tuple[int, str, bool]]] = {}
    for index, one in wanted.items():
        behind.setdefault(run_of(one), []).append((index, one.hint, one.ignore_case))
    # Several small databases are searched in less time than a large one, even where all of them are.
    always = behind.pop(None, None)
    finders: list[Finder] = [ExactFinder(foreign)] if foreign else []
    finders += [HyperscanFinder(hints, cache) for hints in ([always] if always else [])]
    if behind:
        runs = HyperscanFinder(((number, run.source, False) for number, run in enumerate(behind) if run), cache)
        finders.append(GatedFinder(runs, [HyperscanFinder(hints, cache) for hints in behind.values()]))
    return finders[0] if len(finders) == 1 else JointFinder(*finders)


def make_sign_finder(engine: str, signs: Sequence[str], cache: Cache | None = None) -> Finder:
    """A finder of these patterns, which are in the language that RE2 and Hyperscan share: it names only what matches.

    Raises as `make_finder` does.
    """
    if not _has_hyperscan(engine) or not signs:
        return SearchFinder(signs)
    return HyperscanFinder(((index, sign, False) for index, sign in enumerate(signs)), cache)


def _has_hyperscan(engine: str) -> bool:
    if engine not in ENGINES:
        raise ValueError(f"unknown pattern engine {engine!r}: one of {', '.join(ENGINES)}")
    if engine == "hyperscan" and hyperscan is None:
        raise GuardFailed("The pattern engine is not available.", guard=NAME, why="Hyperscan is not installed")
    return engine != "re2" and hyperscan is not None


class GatedFinder:
    """Looks for patterns only in texts that hold the run without which they do not match (`detectors.runs`)."""

    def __init__(self, runs: Finder, behind: Sequence[Finder]) -> None:
        """`runs` gives the numbers of the finders that are to be asked."""
        self._runs = runs.hits
        self._behind = [finder.hits for finder in behind]

    def hits(self, data: bytes) -> Sequence[int]:
        """What the finders say whose run stands in the data."""
        found: list[int] = []
        for number in self._runs(data):
            found += self._behind[number](data)
        return found


class HyperscanFinder:
    """Finds with a block-mode database. A scratch space belongs to one thread: each gets its own."""

    def __init__(self, patterns: Iterable[tuple[int, str, bool]], cache: Cache | None = None) -> None:
        """`patterns`: index, source, and whether case is ignored."""
        base = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL
        indexes, sources, folded = zip(*patterns, strict=True)
        flags = [base | (hyperscan.HS_FLAG_CASELESS if ignore_case else 0) for ignore_case in folded]
        self._database = _database([source.encode() for source in sources], list(indexes), flags, cache)
        self._scan = self._database.scan
        self._threads = threading.local()

    def hits(self, data: bytes) -> Sequence[int]:
        found: list[int] = []
        try:
            scratch = self._threads.scratch
        except AttributeError:
            scratch = self._threads.scratch = hyperscan.Scratch(self._database)
        try:
            self._scan(data, _note, 0, found, scratch)
        except hyperscan.error as error:
            raise GuardFailed("The pattern engine could not answer.", guard=NAME, why=f"Hyperscan: {error}") from error
        return found


def _database(expressions: list[bytes], ids: list[int], flags: list[int], cache: Cache | None) -> Any:
    """The database of these patterns: the one that was kept, where it is of the same engine and processor."""
    mode = hyperscan.HS_MODE_BLOCK
    described = msgspec.json.encode([[one.decode("latin-1") for one in expressions], ids, flags])
    key = hashlib.sha256(described).hexdigest()
    kept = None if cache is None else cache.get(key)
    if kept is not None:
        # Hyperscan refuses what another version of it made, or what was made for another processor.
        with suppress(hyperscan.error):
            return hyperscan.loadb(kept, mode)
    database = hyperscan.Database(mode=mode)
    database.compile(expressions=expressions, ids=ids, flags=flags)
    if cache is not None:
        cache.put(key, hyperscan.dumpb(database))
    return database


def _note(index: int, _start: int, _end: int, _flags: int, found: Any) -> None:
    found.append(index)
