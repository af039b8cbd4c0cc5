"""Fill a folder if it has too few requests, bring its index up, ask questions, print how long each took."""

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.records.fill import APPS, DIGESTS, FEATURES, KINDS, MODELS, RULES, START_MS, fill
from gptgate.storage.extensions import extensions_of
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.history import history
from gptgate.storage.queries import SqliteReader
from gptgate.storage.schema import connect
from gptgate.storage.search_index import NAME
from gptgate.storage.views import SearchFilters

BAR_S = 1.0
PAGE = 51


def questions(newest_ms: int, logged: int) -> dict[str, SearchFilters]:
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
        "session": SearchFilters(session="session-1000-1"),
        "session that nobody named": SearchFilters(session="nobody"),
        "tag, rare": SearchFilters(tags={"ticket": "T-70"}),
        "tag, common": SearchFilters(tags={"feature": FEATURES[7]}),
        "tags, a rare and a common one": SearchFilters(tags={"feature": FEATURES[7], "ticket": "T-70"}),
        "most common app, tag": SearchFilters(app=APPS[0], tags={"feature": FEATURES[7]}),
        "not in the log yet": SearchFilters(beyond=logged),
        "not in the log yet, app": SearchFilters(beyond=logged, app=APPS[1]),
        "not in the log yet, app that nobody has": SearchFilters(beyond=logged, app="nobody"),
        "not in an empty log": SearchFilters(beyond=0),
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
    for title, filters in questions(newest.at_ms, _logged(asked.folder)).items():
        first, again = (_ask(asked.folder, filters) for _ in range(2))
        slow += max(first[0], again[0]) >= BAR_S
        print(f"{title:42} {first[1]:3} found  {first[0] * 1000:8.1f} ms, again {again[0] * 1000:8.1f} ms")
    slow += _stories(asked.folder, newest.id)
    for name in (DATABASE_NAME, NAME):
        print(f"{name}: {(asked.folder / name).stat().st_size / 1e9:.2f} GB")
    return 1 if slow else 0


def _logged(folder: Path) -> int:
    """The size of the log by its last batch."""
    with closing(connect(folder / DATABASE_NAME, busy_ms=5000, read_only=True)) as connection:
        (size,) = connection.execute("SELECT max(size) FROM log_batches").fetchone()
    return int(size)


def _stories(folder: Path, name: str) -> int:
    """What a request's story needs besides, and what a start looks up for requests that a crash left open; how many of
    these took a second or more."""
    with SqliteReader(folder) as reader, closing(connect(folder / DATABASE_NAME, busy_ms=5000, read_only=True)) as one:
        record = reader.show(name)
        ids = [row.id for row in reader.search(SearchFilters(), 200)]
        if record is None:
            raise RuntimeError(f"request {name} is gone")
        lasted = {
            "the story of a request": _timed(lambda: history(folder, record)),
            "extensions of 200 open requests": _timed(lambda: extensions_of(one, ids)),
        }
    for title, seconds in lasted.items():
        print(f"{title:42}            {seconds * 1000:8.1f} ms")
    return sum(seconds >= BAR_S for seconds in lasted.values())


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
