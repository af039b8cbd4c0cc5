"""Fill a folder if it has too few requests, bring its index up, ask questions, print how long each took."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from bench.records.fill import APPS, DIGESTS, KINDS, MODELS, RULES, START_MS, fill
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.queries import SqliteReader
from gptgate.storage.search_index import NAME
from gptgate.storage.views import SearchFilters

BAR_S = 1.0
PAGE = 51


def questions(newest_ms: int) -> dict[str, SearchFilters]:
    """One of each filter, and the pairs that are hardest: both common, together rare or nowhere."""
    middle_ms = (START_MS + newest_ms) // 2
    return {
        "the newest": SearchFilters(),
        "app, the most common": SearchFilters(app=APPS[0]),
        "app, the rarest": SearchFilters(app=APPS[-1]),
        "app that nobody has": SearchFilters(app="nobody"),
        "team": SearchFilters(team="team-3"),
        "key": SearchFilters(key_id="key0042"),
        "end user, rare": SearchFilters(end_user="user-77777"),
        "model": SearchFilters(model=MODELS[-1]),
        "rule": SearchFilters(rule=RULES[3]),
        "effect deny": SearchFilters(effect="deny"),
        "effect allow": SearchFilters(effect="allow"),
        "code": SearchFilters(code="upstream_broken"),
        "state refused": SearchFilters(state="refused"),
        "state open": SearchFilters(state="open"),
        "finding": SearchFilters(kind=KINDS[3]),
        "configuration, the oldest": SearchFilters(config=DIGESTS[0][:12]),
        "score 60 and more": SearchFilters(min_score=60),
        "score 75 and more": SearchFilters(min_score=75),
        "score 1 to 5": SearchFilters(min_score=1, max_score=5),
        "older than the middle": SearchFilters(until_ms=middle_ms),
        "a minute in the middle": SearchFilters(since_ms=middle_ms, until_ms=middle_ms + 60_000),
        "rule and app": SearchFilters(rule=RULES[3], app=APPS[20]),
        "two common ones that never meet": SearchFilters(effect="allow", rule=RULES[3]),
        "most common app, oldest configuration": SearchFilters(app=APPS[0], config=DIGESTS[0]),
        "most common app, older than the middle": SearchFilters(app=APPS[0], until_ms=middle_ms),
        "most common app, in the first minute": SearchFilters(app=APPS[0], until_ms=START_MS + 60_000),
        "most common app, score 75 and more": SearchFilters(app=APPS[0], min_score=75),
        "let pass with score 60 and more": SearchFilters(effect="allow", min_score=60),
        "team, app of another": SearchFilters(team="team-1", app=APPS[0]),
    }


def main() -> int:
    """0, or 1 when a question took a second or more."""
    asked = _arguments()
    _filled(asked.folder, asked.requests)
    with SqliteReader(asked.folder) as reader:
        seconds = _timed(lambda: reader.search(SearchFilters(app="nobody"), PAGE))
        print(f"index brought up in {seconds:.1f} s")
        newest = reader.search(SearchFilters(), 1)[0]
    slow = 0
    print(f"{newest.seq} requests, {2 * newest.seq} events; a page of {PAGE - 1}, with a new connection each")
    for title, filters in questions(newest.at_ms).items():
        first, again = (_ask(asked.folder, filters) for _ in range(2))
        slow += max(first[0], again[0]) >= BAR_S
        print(f"{title:42} {first[1]:3} found  {first[0] * 1000:8.1f} ms, again {again[0] * 1000:8.1f} ms")
    for name in (DATABASE_NAME, NAME):
        print(f"{name}: {(asked.folder / name).stat().st_size / 1e9:.2f} GB")
    return 1 if slow else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.records", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=5_000_000)
    return parser.parse_args()


def _filled(folder: Path, wanted: int) -> None:
    there = 0
    if (folder / DATABASE_NAME).exists():
        with SqliteReader(folder) as reader:
            rows = reader.search(SearchFilters(), 1)
            there = rows[0].seq if rows else 0
    if there < wanted:
        seconds = _timed(lambda: fill(folder, wanted - there, lambda _: None))
        print(f"{wanted - there} requests made in {seconds:.0f} s")


def _ask(folder: Path, filters: SearchFilters) -> tuple[float, int]:
    with SqliteReader(folder) as reader:
        started = time.perf_counter()
        found = reader.search(filters, PAGE)
        return time.perf_counter() - started, len(found)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
