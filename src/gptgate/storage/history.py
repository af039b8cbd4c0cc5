"""What is on record around a request: the configuration that decided on it, and what was done with it later."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from gptgate.core.log import END, INTENT
from gptgate.core.money import format_usd
from gptgate.core.sealing import ANSWER, REQUEST
from gptgate.core.snapshot import RuleSpec
from gptgate.storage.corrections import UNUSED
from gptgate.storage.entries import LogEntries
from gptgate.storage.errors import StorageError
from gptgate.storage.events import (
    APPROVAL_GIVEN,
    APPROVAL_REJECTED,
    BUDGET_RECONCILED,
    CONFIG_APPLIED,
    CONTENT_ERASED,
    CONTENT_READ,
    RESERVATION_EXTENDED,
    events_about,
)
from gptgate.storage.folder import DATABASE_NAME
from gptgate.storage.proofs import request_places
from gptgate.storage.schema import connect, require_latest, storage_errors
from gptgate.storage.views import AuditRecord

BUSY_MS = 5000
ERASED = "SELECT seq, body FROM events WHERE type = ? AND about = ? AND at_ms >= ? ORDER BY seq"


class Later(Struct, frozen=True):
    """Something that was done with a request's record after its end. `said` is what else its event says, for people."""

    at_ms: int
    kind: str
    by: str
    said: str = ""


class Decided(Struct, frozen=True):
    """A decision on the approval that a request asked for, or passed by. `by` is who says to have decided, `user` the
    operating system's user who did; an approval could be used until `expires_ms`."""

    at_ms: int
    approval: str
    by: str
    user: str
    expires_ms: int
    given: bool = False


class Extended(Struct, frozen=True):
    """A stream outgrew what was reserved for it: from then on `nano` was held in all, for so many tokens."""

    at_ms: int
    nano: int
    input_tokens: int
    output_tokens: int


class History(Struct, frozen=True):
    """`rules` are those of the configuration that decided, None when it is not on record. Places are indices in the
    signed log, None for what is not in it yet.

    `gone` are the sides whose texts the log commits to and the records have no more, None where the log cannot be read.
    Of erasures that fitted many requests `later` has the first, and only where a text is gone.
    """

    rules: dict[str, RuleSpec] | None
    places: dict[str, int | None]
    later: tuple[Later, ...]
    gone: tuple[str, ...] | None = ()
    extended: tuple[Extended, ...] = ()
    decided: tuple[Decided, ...] = ()

    @property
    def erased(self) -> Later | None:
        """What the missing texts went by."""
        return next((one for one in self.later if one.kind == CONTENT_ERASED), None) if self.gone else None


class _Configuration(Struct, frozen=True):
    rules: tuple[RuleSpec, ...]


class _Applied(Struct, frozen=True):
    configuration: _Configuration


class _Read(Struct, frozen=True):
    at_ms: int
    by: str


class _Corrected(Struct, frozen=True):
    at_ms: int
    by: str
    usage_source: str
    input_tokens: int
    output_tokens: int
    cost_nano: int
    before_nano: int


class _Erased(Struct, frozen=True, rename={"data_class": "class"}):
    """Whose texts went: each condition that is stated."""

    at_ms: int
    by: str
    requests: int
    end_user: str | None = None
    app: str | None = None
    request_id: str | None = None
    before_ms: int | None = None
    data_class: str | None = None

    def fits(self, record: AuditRecord) -> bool:
        asked = record.intent
        own = {"end_user": asked.end_user, "app": asked.app, "request_id": asked.id}
        return (
            self.requests > 0
            and all(getattr(self, name) in (None, value) for name, value in own.items())
            and (self.before_ms is None or asked.at_ms < self.before_ms)
            and (self.data_class is None or any(kind.startswith(f"{self.data_class}.") for kind in _kinds(record)))
        )

    @property
    def said(self) -> str:
        stated = {"end user": self.end_user, "app": self.app, "id": self.request_id, "class": self.data_class}
        words = [f"{name} {value}" for name, value in stated.items() if value is not None]
        if self.before_ms is not None:
            words.append("all that were old enough")
        requests = "1 request" if self.requests == 1 else f"{self.requests} requests"
        return f"texts of {', '.join(words)}: {requests}"


class _Committed(Struct, frozen=True):
    content: str | None


class _Line(Struct, frozen=True):
    entry: _Committed


_LINE = msgspec.json.Decoder(_Line)


def history(folder: Path, record: AuditRecord) -> History:
    """Raises StorageError."""
    with (
        storage_errors("read the history of a request"),
        closing(connect(folder / DATABASE_NAME, busy_ms=BUSY_MS, read_only=True)) as connection,
    ):
        require_latest(connection)
        try:
            places = request_places(connection, record.intent.id)
            gone = _gone(LogEntries(folder), record, places)
            return History(
                rules=_rules(connection, record.intent.config_digest),
                places=places,
                later=tuple(sorted(_later(connection, record, gone), key=lambda one: one.at_ms)),
                gone=gone,
                extended=tuple(
                    msgspec.json.decode(body, type=Extended)
                    for body in events_about(connection, RESERVATION_EXTENDED, record.intent.id)
                ),
                decided=tuple(_decisions(connection, record.intent.approval or record.intent.id)),
            )
        except msgspec.DecodeError as error:
            raise StorageError(f"an event cannot be read: {error}") from error


def _gone(log: LogEntries, record: AuditRecord, places: dict[str, int | None]) -> tuple[str, ...] | None:
    texts = ((REQUEST, INTENT, record.request_content), (ANSWER, END, record.answer_content))
    missing = [(side, place) for side, kind, text in texts if text is None and (place := places.get(kind)) is not None]
    try:
        return tuple(side for side, place in missing if _LINE.decode(log.read(place)[0].data).entry.content is not None)
    except (StorageError, IndexError):
        # A damaged log must not keep anybody from reading a record; it is said that nothing is known.
        return None


def _rules(connection: sqlite3.Connection, digest: str) -> dict[str, RuleSpec] | None:
    bodies = events_about(connection, CONFIG_APPLIED, digest)
    if not bodies:
        return None
    applied = msgspec.json.decode(bodies[-1], type=_Applied)
    return {rule.id: rule for rule in applied.configuration.rules}


def _later(connection: sqlite3.Connection, record: AuditRecord, gone: tuple[str, ...] | None) -> Iterator[Later]:
    for body in events_about(connection, CONTENT_READ, record.intent.id):
        read = msgspec.json.decode(body, type=_Read)
        yield Later(read.at_ms, CONTENT_READ, read.by)
    for body in events_about(connection, BUDGET_RECONCILED, record.intent.id):
        fixed = msgspec.json.decode(body, type=_Corrected)
        yield Later(fixed.at_ms, BUDGET_RECONCILED, fixed.by, _corrected(fixed))
    yield from _erasures(connection, record, gone)


def _decisions(connection: sqlite3.Connection, approval: str) -> Iterator[Decided]:
    """In the order of their times; after a crash there may be one that never counted before the one that did."""
    found = [
        msgspec.structs.replace(msgspec.json.decode(body, type=Decided), given=kind == APPROVAL_GIVEN)
        for kind in (APPROVAL_GIVEN, APPROVAL_REJECTED)
        for body in events_about(connection, kind, approval)
    ]
    yield from sorted(found, key=lambda one: one.at_ms)


def _erasures(connection: sqlite3.Connection, record: AuditRecord, gone: tuple[str, ...] | None) -> Iterator[Later]:
    """Those of this request by its id; before them the first of many requests, where a text is gone."""
    own = list(_fitting(connection, record, record.intent.id))
    many = next(_fitting(connection, record, ""), None) if gone else None
    if many is not None and (not own or many[0] < own[0][0]):
        own.insert(0, many)
    for _, erased in own:
        yield Later(erased.at_ms, CONTENT_ERASED, erased.by, erased.said)


def _fitting(connection: sqlite3.Connection, record: AuditRecord, about: str) -> Iterator[tuple[int, _Erased]]:
    """Erasures since the request, of one by its id or of many, that took its texts; in their order."""
    for seq, body in connection.execute(ERASED, (CONTENT_ERASED, about, record.intent.at_ms)):
        erased = msgspec.json.decode(body, type=_Erased)
        if erased.fits(record):
            yield seq, erased


def _corrected(fixed: _Corrected) -> str:
    what = "nothing was billed" if fixed.usage_source == UNUSED else "what was billed"
    return (
        f"{format_usd(fixed.before_nano)} USD became {format_usd(fixed.cost_nano)} USD, {fixed.input_tokens} input and "
        f"{fixed.output_tokens} output tokens: {what}"
    )


def _kinds(record: AuditRecord) -> Iterator[str]:
    for side in (record.intent, record.end):
        if side is not None:
            yield from (kind for kind, _ in side.finding_counts)
