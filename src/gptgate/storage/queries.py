"""Questions to the records, over a read-only connection: safe while a gateway writes, and without its lock."""

import json
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec import Struct

from gptgate.core.events import End, Intent
from gptgate.core.sealing import ANSWER, REQUEST, plain
from gptgate.storage import search_index
from gptgate.storage.corrections import OVERRAN
from gptgate.storage.errors import StorageError
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.schema import connect, require_latest, storage_errors
from gptgate.storage.search_index import Plan
from gptgate.storage.usage import usage
from gptgate.storage.vault import MasterKey, text_opener
from gptgate.storage.views import AuditRecord, AuditRow, FoundTexts, SearchFilters, UsageRow

BUSY_MS = 5000
INDEX_FROM = 10_000
"""Requests from which on searches use an index. Fewer are looked through in a moment."""

# SQLite reads JSON from text only before 3.45, so the bodies are cast.
CONDITIONS: dict[str, str] = {
    "app": "i.app = :app",
    "team": "i.team = :team",
    "key_id": "i.key_id = :key_id",
    "end_user": "i.end_user = :end_user",
    "model": """(i.model = :model OR e.answered_model = :model
        OR json_extract(CAST(i.body AS TEXT), '$.routed_from') = :model)""",
    "rule": """(EXISTS (SELECT 1 FROM json_each(CAST(i.body AS TEXT), '$.rules') WHERE value = :rule)
        OR EXISTS (SELECT 1 FROM json_each(CAST(e.body AS TEXT), '$.rules') WHERE value = :rule))""",
    "effect": "coalesce(e.effect, i.effect) = :effect",
    "state": "coalesce(e.state, 'open') = :state",
    "code": "e.code = :code",
    "kind": """(EXISTS (SELECT 1 FROM json_each(CAST(i.body AS TEXT), '$.findings')
            WHERE json_extract(value, '$.kind') = :kind)
        OR EXISTS (SELECT 1 FROM json_each(CAST(e.body AS TEXT), '$.findings')
            WHERE json_extract(value, '$.kind') = :kind))""",
    "config": "substr(json_extract(CAST(i.body AS TEXT), '$.config_digest'), 1, length(:config)) = :config",
    "min_score": "i.score >= :min_score",
    "max_score": "i.score <= :max_score",
    # The second halves bound a scan from the newest place backwards; the first alone decide.
    "since_ms": """i.at_ms >= :since_ms
        AND i.seq >= (SELECT min(seq) FROM intents INDEXED BY intents_at WHERE at_ms >= :since_ms)""",
    "until_ms": """i.at_ms < :until_ms
        AND i.seq <= (SELECT max(seq) FROM intents INDEXED BY intents_at WHERE at_ms < :until_ms)""",
    "request_id": "i.id = :request_id",
    "session": "i.session = :session",
    "tags": """NOT EXISTS (SELECT 1 FROM json_each(:tags) AS asked WHERE NOT EXISTS
        (SELECT 1 FROM json_each(i.tags) AS tag WHERE tag.key = asked.key AND tag.value = asked.value))""",
    "beyond": """(i.seq > (SELECT coalesce(max(intents_to), 0) FROM log_batches WHERE size <= :beyond)
        OR e.seq > (SELECT coalesce(max(ends_to), 0) FROM log_batches WHERE size <= :beyond))""",
    "overrun": f"{OVERRAN} = :overrun",
}
"""One condition per field of SearchFilters."""

# The log lags by seconds, so these are few, however many records there are.
UNPROVEN = Plan(
    source="""(
    SELECT seq FROM intents
    WHERE seq > (SELECT coalesce(max(intents_to), 0) FROM log_batches WHERE size <= :beyond)
    UNION SELECT asked.seq FROM ends JOIN intents asked ON asked.id = ends.id
    WHERE ends.seq > (SELECT coalesce(max(ends_to), 0) FROM log_batches WHERE size <= :beyond)
    ) m CROSS JOIN intents i ON i.seq = m.seq""",
    seq="m.seq",
)

MAY_BE_OPEN = "i.seq >= (SELECT value FROM meta WHERE name = 'ended_before')"
"""Every request before that place has its end."""

SEARCH = """
SELECT i.seq, i.id, i.at_ms, i.team, i.app, i.key_id, i.end_user, i.client, i.endpoint, i.stream, i.model, i.provider,
       i.upstream_model, i.effect, i.score, i.body, e.answered_model, e.effect, e.state, e.status, e.code,
       e.input_tokens, e.output_tokens, e.cost_nano, e.usage_source, e.body, i.session, i.tags,
       c.cost_nano
FROM {source} LEFT JOIN ends e ON e.id = i.id LEFT JOIN corrections c ON c.id = i.id
"""

SHOW = """
SELECT i.seq, i.body, i.content, e.body, e.content FROM intents i LEFT JOIN ends e ON e.id = i.id WHERE i.id = ?
"""

TEXTS = "SELECT i.content, e.content FROM intents i LEFT JOIN ends e ON e.id = i.id WHERE i.seq = ?"
PAGE = 500
"""Requests whose texts are looked through at a time."""

INTENTS = "SELECT body FROM intents WHERE at_ms >= ? AND at_ms < ? ORDER BY seq DESC LIMIT ?"
ENDING = "SELECT state, code FROM ends WHERE id = ?"
OPEN = "open"
"""In the place of an end's state: there is no end yet."""


class _Kind(Struct, frozen=True):
    kind: str


class _Marks(Struct, frozen=True):
    rules: tuple[str, ...]
    findings: tuple[_Kind, ...]
    limit: str = ""


MARKS = msgspec.json.Decoder(_Marks)
INTENT = msgspec.json.Decoder(Intent)
END = msgspec.json.Decoder(End)


class SqliteReader:
    """Read-only view of a data folder's records. Methods block; use it from one thread at a time."""

    def __init__(self, folder: Path, master: MasterKey | None = None) -> None:
        """Open the folder's database. Raises StorageError when there is none, or its schema is not this program's.

        With the `master` key kept texts are opened; without it they are given as they lie in the database. The caller
        must `close`.
        """
        path = self._path = folder / DATABASE_NAME
        self._indexed = False
        if not path.exists():
            raise StorageError(
                f"there are no records in {folder}", hint="name the data folder of a gateway that has run"
            )
        with storage_errors(f"open {path}"):
            self._connection = connect(path, busy_ms=BUSY_MS, read_only=True)
            try:
                require_latest(self._connection)
            except (sqlite3.Error, StorageError):
                self._connection.close()
                raise
        self._open_text = None if master is None else text_opener(self._connection, master)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def search(
        self,
        filters: SearchFilters,
        limit: int,
        before_seq: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> list[AuditRow]:
        """At most `limit` requests that fit, newest first; those before `before_seq` when it is given.

        To page, pass the last row's `seq`: what is written meanwhile moves no page. Where there are many requests this
        takes in what the index does not have yet; `progress` is told. Raises StorageError.
        """
        values = {name: value for name in CONDITIONS if (value := getattr(filters, name)) is not None}
        if filters.tags is not None:
            values["tags"] = json.dumps(filters.tags)
        with storage_errors("search the records"):
            way = self._way(filters, progress)
            conditions = [*way.where, *(CONDITIONS[name] for name in values)]
            if filters.state == OPEN:
                conditions.append(MAY_BE_OPEN)
            if before_seq is not None:
                conditions.append(f"{way.seq} < :before_seq")
            where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
            query = f"{SEARCH.format(source=way.source)} {where} ORDER BY {way.seq} DESC LIMIT :limit"
            rows = self._connection.execute(query, {**values, "before_seq": before_seq, "limit": limit}).fetchall()
        return [_audit_row(row) for row in rows]

    def search_texts(self, filters: SearchFilters, words: str, limit: int, before_seq: int | None = None) -> FoundTexts:
        """`search` among requests whose kept texts, on either side, hold these words.

        Capital and small ASCII letters are the same. Nothing is indexed of texts: every one that the filters leave is
        opened. Raises StorageError, also for a text that cannot be opened.
        """
        found: list[AuditRow] = []
        opened = without = 0
        wanted = needles(words)
        while len(found) < limit and (page := self.search(filters, PAGE, before_seq)):
            for row in page:
                texts = self._texts(row)
                opened += len(texts)
                without += not texts
                if any(needle in text for text in texts for needle in wanted):
                    found.append(row)
            before_seq = page[-1].seq
        return FoundTexts(found[:limit], opened, without)

    def _texts(self, row: AuditRow) -> list[bytes]:
        with storage_errors("read kept texts"):
            stored = self._connection.execute(TEXTS, (row.seq,)).fetchone()
        sides = zip(stored, (REQUEST, ANSWER), strict=True)
        open_text = self._open_text or (lambda text, *_: plain(text))
        return [open_text(text, row.id, side).lower() for text, side in sides if text is not None]

    def _way(self, filters: SearchFilters, progress: Callable[[int], None] | None) -> Plan:
        if filters.beyond:
            return UNPROVEN
        scored = filters.min_score is not None or filters.max_score is not None
        if filters.request_id is not None or not (search_index.stated(filters) or scored):
            return search_index.SCAN
        (newest,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM intents").fetchone()
        if newest < INDEX_FROM:
            return search_index.SCAN
        index = search_index.bring_up(self._path.parent, self._path, progress)
        if index is None:
            return search_index.SCAN
        if not self._indexed:
            self._connection.execute("ATTACH ? AS search", (f"{index.resolve().as_uri()}?mode=ro",))
            self._indexed = True
        return search_index.plan(self._connection, filters)

    def intents(self, since_ms: int, until_ms: int, limit: int) -> Generator[Intent, None, None]:
        """The newest `limit` intents of [since_ms, until_ms), newest first. Close it before this object.

        Raises StorageError, also for a record that cannot be read.
        """
        with (
            storage_errors("read the records"),
            closing(self._connection.execute(INTENTS, (since_ms, until_ms, limit))) as rows,
        ):
            for (body,) in rows:
                try:
                    yield INTENT.decode(body)
                except msgspec.DecodeError as error:
                    raise StorageError(f"a record cannot be read: {error}") from error

    def ending(self, request_id: str) -> tuple[str, str]:
        """(state, code) of a request's end. Raises StorageError."""
        with storage_errors("read the records"):
            row: tuple[str, str] | None = self._connection.execute(ENDING, (request_id,)).fetchone()
        return (OPEN, "") if row is None else row

    def show(self, request_id: str) -> AuditRecord | None:
        """Everything kept of one request, None when there is no such request. Raises StorageError."""
        with storage_errors("read a record"):
            row = self._connection.execute(SHOW, (request_id,)).fetchone()
        if row is None:
            return None
        seq, intent, request_content, end, answer_content = row
        if self._open_text is not None:
            request_content, answer_content = (
                None if stored is None else self._open_text(stored, request_id, side)
                for stored, side in ((request_content, REQUEST), (answer_content, ANSWER))
            )
        try:
            return AuditRecord(
                seq=seq,
                intent=INTENT.decode(intent),
                end=None if end is None else END.decode(end),
                request_content=request_content,
                answer_content=answer_content,
            )
        except msgspec.DecodeError as error:
            raise StorageError(f"the record of request {request_id} cannot be read: {error}") from error

    def usage(
        self,
        group_by: Sequence[str],
        since_ms: int,
        until_ms: int,
        app: str | None = None,
        team: str | None = None,
    ) -> list[UsageRow]:
        """Sums of all ended requests (of one app, of one team) that began in [since_ms, until_ms), corrected where they
        were, one row per group, ordered by group.

        `group_by` are names of `usage.GROUPS`; empty gives one row over everything. Raises ValueError for names that
        are none, or do not go together, StorageError when the records cannot be read.
        """
        with storage_errors("read the usage"):
            return usage(self._connection, group_by, since_ms, until_ms, app, team)

    def first_ms(self) -> int | None:
        """When the first request of all began, None when there was none. Raises StorageError."""
        with storage_errors("read the usage"):
            (first,) = self._connection.execute("SELECT min(at_ms) FROM intents").fetchone()
        return None if first is None else int(first)


def needles(words: str) -> tuple[bytes, ...]:
    """The words as they may stand in JSON: as they are, or with escapes. ASCII letters are small."""
    escaped = json.dumps(words)[1:-1]
    raw = json.dumps(words, ensure_ascii=False)[1:-1]
    return tuple({form.encode("utf-8", "surrogatepass").lower() for form in (raw, escaped, raw.replace("/", "\\/"))})


def _audit_row(row: tuple[Any, ...]) -> AuditRow:
    (
        *asked,
        intent_effect,
        score,
        intent_body,
        answered_model,
        end_effect,
        state,
        status,
        code,
        input_tokens,
        output_tokens,
        cost_nano,
        usage_source,
        end_body,
        session,
        tags,
        corrected_nano,
    ) = row
    seq, request_id, at_ms, team, app, key_id, end_user, client, endpoint, stream, model, provider, upstream = asked
    try:
        sides = [MARKS.decode(body) for body in (intent_body, end_body) if body is not None]
    except msgspec.DecodeError as error:
        raise StorageError(f"the record of request {request_id} cannot be read: {error}") from error
    return AuditRow(
        seq=seq,
        id=request_id,
        at_ms=at_ms,
        team=team,
        app=app,
        key_id=key_id,
        end_user=end_user,
        client=client,
        endpoint=endpoint,
        stream=bool(stream),
        model=model,
        provider=provider,
        upstream_model=upstream,
        answered_model=answered_model or "",
        effect=end_effect or intent_effect,
        score=score,
        state=state or OPEN,
        status=status or 0,
        code=code or "",
        rules=tuple(dict.fromkeys(rule for side in sides for rule in side.rules)),
        kinds=tuple(dict.fromkeys(finding.kind for side in sides for finding in side.findings)),
        input_tokens=input_tokens or 0,
        output_tokens=output_tokens or 0,
        cost_nano=cost_nano or 0,
        corrected_nano=corrected_nano,
        usage_source=usage_source or "",
        session=session,
        tags=json.loads(tags),
        limit=sides[-1].limit,
    )
