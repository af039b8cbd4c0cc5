"""What was reserved besides for streams that outgrew their reservations: on record before the text goes out."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from gptgate.core.facts import Reservation, Usage
from gptgate.storage.events import RESERVATION_EXTENDED, events_about, record_event

NOT_EXTENDED = "The gateway cannot record what this answer takes beyond its reservation, so it was ended."


class Extension(Struct, frozen=True, kw_only=True):
    """What is held for a request in all, by its last event; `times` counts its events."""

    request: str
    nano: int
    input_tokens: int
    output_tokens: int
    times: int = 1


_EXTENSION = msgspec.json.Decoder(Extension)


def record_extension(folder: Path, at_ms: int, reservation: Reservation, tokens: Usage) -> None:
    """Durable when this returns. Blocks; raises StorageError."""
    fields = {
        "request": reservation.id,
        "app": reservation.app,
        "nano": reservation.nano,
        "input_tokens": tokens.input_tokens,
        "output_tokens": tokens.output_tokens,
    }
    record_event(folder, at_ms, RESERVATION_EXTENDED, fields)


def extensions_of(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Extension]:
    """Of those of these requests that have any; each is looked up by itself. Raises sqlite3.Error."""
    found = {}
    for request in ids:
        if bodies := events_about(connection, RESERVATION_EXTENDED, request):
            found[request] = msgspec.structs.replace(_EXTENSION.decode(bodies[-1]), times=len(bodies))
    return found
