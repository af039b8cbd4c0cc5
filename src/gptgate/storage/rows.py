"""Events ↔ rows: the columns that search, usage and recovery need stand beside the whole event's JSON."""

import os
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gptgate.core.errors import GateError
from gptgate.core.events import ENCODER, End, EndState, Intent, encode_event
from gptgate.core.facts import Usage
from gptgate.storage.extensions import Extension, extensions_of

Values = tuple[Any, ...]

SALT_BYTES = 16

MOST_ROWS = 16
"""How many rows one statement inserts at most. Every statement gives up the interpreter lock several times and takes it
back, in competition with the event loop: a few large statements leave the loop alone, many small ones do not."""

INSERT_INTENT = """
INSERT INTO intents (seq, id, at_ms, team, app, key_id, end_user, client, endpoint, stream, model, provider,
                     upstream_model, effect, score, window, reserved_nano, session, reserved_tokens, tags,
                     body, content, salt)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# A second end of one id is ignored: the caller may repeat itself, and a commit that failed may have been durable.
INSERT_END = """
INSERT INTO ends (id, at_ms, app, window, state, status, code, effect, answered_model, input_tokens, output_tokens,
                  cost_nano, usage_source, fees_nano, body, content, salt)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""

INSERT_END_OF_EXISTING = """
INSERT INTO ends (id, at_ms, app, window, state, status, code, effect, answered_model, input_tokens, output_tokens,
                  cost_nano, usage_source, fees_nano, body, content, salt)
SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM intents WHERE id = ?)
ON CONFLICT (id) DO NOTHING
"""


def insert_many(connection: sqlite3.Connection, insert: str, rows: Sequence[Values]) -> None:
    """Run INSERT_INTENT or INSERT_END for all rows, in as few statements as can be."""
    for start in range(0, len(rows), MOST_ROWS):
        some = rows[start : start + MOST_ROWS]
        connection.execute(_many(insert, len(some)), [value for row in some for value in row])


@lru_cache(2 * MOST_ROWS)
def _many(insert: str, rows: int) -> str:
    """The statement for so many rows: always the same text, which SQLite's connection knows prepared."""
    head, rest = insert.split("VALUES")
    one, closing, tail = rest.partition(")")
    return f"{head}VALUES{', '.join([one + closing] * rows)}{tail}"


SELECT_UNENDED = """
SELECT id, app, window, effect, score, reserved_nano FROM intents
WHERE seq >= (SELECT value FROM meta WHERE name = 'ended_before')
AND NOT EXISTS (SELECT 1 FROM ends WHERE ends.id = intents.id) ORDER BY seq
"""

SELECT_FOR_END = "SELECT id, app, window, effect, score, reserved_nano FROM intents WHERE id = ?"

UPDATE_MARK = "UPDATE meta SET value = ? WHERE name = 'ended_before'"


def intent_values(seq: int, intent: Intent, body: bytes, content: bytes | None) -> Values:
    """The parameters of INSERT_INTENT."""
    return (
        seq,
        intent.id,
        intent.at_ms,
        intent.team,
        intent.app,
        intent.key_id,
        intent.end_user,
        intent.client,
        intent.endpoint,
        1 if intent.stream else 0,
        intent.model,
        intent.provider,
        intent.upstream_model,
        intent.effect,
        intent.score,
        intent.window,
        intent.reserved_nano,
        intent.session,
        intent.reserved_tokens,
        ENCODER.encode(intent.tags).decode() if intent.tags else "{}",
        body,
        content,
        _salt(content),
    )


def _salt(content: bytes | None) -> bytes | None:
    """A new salt for a text that is kept. It goes when the text goes; without it the log's digest says nothing."""
    return None if content is None else os.urandom(SALT_BYTES)


def end_values(end: End, content: bytes | None) -> Values:
    """The parameters of INSERT_END. Raises ValueError, TypeError or OverflowError when the end cannot be encoded."""
    return (*end_columns(end), encode_event(end), content, _salt(content))


def end_columns(end: End) -> Values:
    """The columns that say what the event says."""
    usage = end.usage
    return (
        end.id,
        end.at_ms,
        end.app,
        end.window,
        end.state.value,
        end.status,
        end.code,
        end.effect,
        end.answered_model,
        usage.input_tokens,
        usage.output_tokens,
        end.cost_nano,
        end.usage_source,
        end.fees_nano,
    )


def _bare_end(
    request_id: str,
    app: str,
    window: str,
    effect: str,
    score: int,
    *,
    at_ms: int,
    state: EndState,
    usage: Usage | None = None,
    **rest: Any,
) -> End:
    return End(
        id=request_id,
        at_ms=at_ms,
        app=app,
        window=window,
        state=state,
        effect=effect,
        rules=(),
        findings=(),
        score=score,
        answered_model="",
        provider_request_id="",
        usage=usage or Usage(),
        attempts=0,
        answer_digest="",
        timings_us={},
        **rest,
    )


def abandoned_end(row: Values, at_ms: int, extension: Extension | None) -> End:
    """The end of an intent (a row of SELECT_UNENDED) whose outcome nobody knows: what was reserved stays spent, with
    its `extension`.

    `status` is 0: nobody knows what the caller was given, if anything.
    """
    request_id, app, window, effect, score, reserved_nano = row
    if extension is not None:
        usage = Usage(input_tokens=extension.input_tokens, output_tokens=extension.output_tokens)
        known: dict[str, Any] = {"usage_source": "estimated", "usage": usage, "cost_nano": extension.nano}
        known.update(extensions=extension.times, extended_nano=extension.nano)
    else:
        known = {"usage_source": "unknown", "cost_nano": reserved_nano}
    return _bare_end(
        request_id,
        app,
        window,
        effect,
        score,
        at_ms=at_ms,
        state=EndState.ABANDONED,
        status=0,
        code="",
        **known,
    )


def unused_end(intent: Intent, at_ms: int, reason: type[GateError]) -> End:
    """The end of an intent that became durable after its writer gave up waiting: nothing was sent, nothing is spent."""
    return _bare_end(
        intent.id,
        intent.app,
        intent.window,
        intent.effect,
        intent.score,
        at_ms=at_ms,
        state=EndState.REFUSED,
        status=reason.status,
        code=reason.code,
        usage_source="unused",
        cost_nano=0,
    )


def next_seq(connection: sqlite3.Connection) -> int:
    """The place of the next intent, from 1."""
    (highest,) = connection.execute("SELECT max(seq) FROM intents").fetchone()
    return 1 if highest is None else int(highest) + 1


def recover(connection: sqlite3.Connection, at_ms: int) -> int:
    """End every intent that has no end as abandoned; how many there were.

    One transaction: a crash here leaves all of them open, and the next open ends them. The mark `ended_before` moves
    with it, so that a later recovery reads only what came after.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        open_rows = connection.execute(SELECT_UNENDED).fetchall()
        extended = extensions_of(connection, [row[0] for row in open_rows])
        ends = [abandoned_end(row, at_ms, extended.get(row[0])) for row in open_rows]
        connection.executemany(INSERT_END, [end_values(end, None) for end in ends])
        connection.execute(UPDATE_MARK, (next_seq(connection),))
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return len(open_rows)
