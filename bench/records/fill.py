"""A data folder with many made-up requests, quickly: the rows are those of the store, the way they come in is not.

Names come in the shares that they have in life: a few apps send most, most users send little, most requests are let
pass. The same seed makes the same records.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gptgate.core.events import End, EndState, Intent, encode_event
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding, Origin
from gptgate.storage.events import RESERVATION_EXTENDED, insert_event
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.rows import INSERT_END, INSERT_INTENT, UPDATE_MARK, end_values, insert_many, intent_values
from gptgate.storage.sqlite import SqliteStore

SEED = 20261125
BATCH = 10_000
START_MS = 1_764_000_000_000
GAP_MS = 500
"""Between two requests."""
APPS = [f"app-{number:02}" for number in range(40)]
MODELS = [f"model-{number}" for number in range(8)]
RULES = [f"rule-{number:02}" for number in range(30)]
KINDS = ["pii.email", "pii.phone", "pii.iban", "secret.api_key", "injection.override", "unicode.hidden"]
DIGESTS = [f"{number:x}" * 64 for number in range(1, 13)]
USERS = 200_000
FEATURES = [f"feature-{number:02}" for number in range(20)]
UNPROVEN = 30
"""Requests at the end that have no place in the log yet."""
EXTENDED = 20
"""One request of so many is a stream that outgrew its reservation."""


def fill(folder: Path, requests: int, progress: Callable[[int], None]) -> None:
    """Two events a request: an intent and its end."""
    with closing(_empty(folder)) as connection:
        before = connection.execute("SELECT coalesce(max(seq), 0) FROM intents").fetchone()[0]
        # A crash leaves a folder that is good for nothing; nobody wants it then.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        made = _requests(random.Random(SEED + before), before)
        for start in range(0, requests, BATCH):
            pairs = [next(made) for _ in range(min(BATCH, requests - start))]
            connection.execute("BEGIN")
            numbered = enumerate(pairs, before + start + 1)
            insert_many(
                connection,
                INSERT_INTENT,
                [intent_values(seq, asked, encode_event(asked), None) for seq, (asked, _) in numbered],
            )
            insert_many(connection, INSERT_END, [end_values(ended, None) for _, ended in pairs])
            for asked, _ in pairs[::EXTENDED]:
                fields = {"request": asked.id, "app": asked.app, "nano": 5, "input_tokens": 1, "output_tokens": 1}
                insert_event(connection, asked.at_ms, RESERVATION_EXTENDED, fields)
            connection.execute(UPDATE_MARK, (before + start + len(pairs) + 1,))
            _place(connection, before + start + len(pairs) - UNPROVEN)
            connection.execute("COMMIT")
            progress(start + len(pairs))


def _place(connection: sqlite3.Connection, requests: int) -> None:
    """A batch of the log up to this request. Nobody made its files: what asks the records needs none."""
    (events,) = connection.execute("SELECT max(seq) FROM events").fetchone()
    size = 2 * requests + events
    connection.execute("INSERT INTO log_batches VALUES (?, ?, ?, ?)", (size, requests, requests, events))


def _empty(folder: Path) -> sqlite3.Connection:
    """The store's own tables."""
    clock: Any = SimpleNamespace(wall_ms=lambda: START_MS, monotonic_ns=lambda: 1)

    async def make() -> None:
        await SqliteStore.open(folder, clock=clock, timeout_ms=5000).close(5000)

    asyncio.run(make())
    return sqlite3.connect(folder / DATABASE_NAME, isolation_level=None)


def _requests(chance: random.Random, number: int) -> Iterator[tuple[Intent, End]]:
    while True:
        number += 1
        yield _request(chance, number)


def _request(chance: random.Random, number: int) -> tuple[Intent, End]:
    app = APPS[min(int(chance.expovariate(0.25)), len(APPS) - 1)]
    model = MODELS[min(int(chance.expovariate(0.7)), len(MODELS) - 1)]
    flagged = chance.random() < 0.08
    findings = tuple(
        Finding(chance.choice(KINDS), Origin.USER, "/messages/0/content", at, at + 16, "made", 20)
        for at in range(0, 20 * chance.randint(1, 3) if flagged else 0, 20)
    )
    denied = flagged and chance.random() < 0.1
    effect = "deny" if denied else "redact" if flagged else "allow"
    name = f"{number:012x}-{chance.getrandbits(64):016x}"
    at_ms = START_MS + number * GAP_MS
    asked = Intent(
        id=name,
        at_ms=at_ms,
        team=f"team-{APPS.index(app) % 7}",
        app=app,
        key_id=f"key{APPS.index(app) * 5 + chance.randrange(5):04}",
        end_user=f"user-{int(chance.paretovariate(0.4)) % USERS}",
        client="192.0.2.7",
        endpoint="chat",
        stream=chance.random() < 0.5,
        model=model,
        provider="made",
        upstream_model=model,
        effect=effect,
        score=min(100, 20 * len(findings) + chance.randrange(10) * (1 + denied)) if flagged else 0,
        parts=(("pii", 20),) if flagged else (),
        rules=tuple(chance.sample(RULES, 2)) if flagged else (),
        findings=findings,
        config_digest=DIGESTS[number // 500_000 % len(DIGESTS)],
        request_digest=f"{chance.getrandbits(256):064x}",
        sent_digest=f"{chance.getrandbits(256):064x}",
        window="2026-11",
        reserved_nano=1_000_000,
        price_version="made",
        traceparent="",
        finding_counts=tuple((finding.kind, 1) for finding in findings),
        routed_from=chance.choice(MODELS) if chance.random() < 0.01 else "",
        session=f"session-{number // 25}-{number % 3}" if number % 2 else "",
        tags={"feature": chance.choice(FEATURES), "ticket": f"T-{number // 40}"} if number % 4 == 0 else {},
    )
    return asked, _end(chance, asked, denied)


def _end(chance: random.Random, asked: Intent, denied: bool) -> End:
    broken = not denied and chance.random() < 0.01
    return End(
        id=asked.id,
        at_ms=asked.at_ms + 400,
        app=asked.app,
        window=asked.window,
        state=EndState.REFUSED if denied else EndState.COMPLETED,
        status=403 if denied else 502 if broken else 200,
        code="policy_denied" if denied else "upstream_broken" if broken else "",
        effect=asked.effect,
        rules=(),
        findings=(),
        score=0,
        answered_model="" if denied else asked.model,
        provider_request_id="",
        usage=Usage(input_tokens=chance.randrange(4000), output_tokens=chance.randrange(1000)),
        usage_source="unused" if denied else "provider",
        cost_nano=0 if denied else 900_000,
        attempts=0 if denied else 1,
        answer_digest="" if denied else f"{chance.getrandbits(256):064x}",
        timings_us={"admit": 80, "inspect": 210, "decide": 40, "record": 1500, "upstream": 390_000, "total": 392_000},
    )
