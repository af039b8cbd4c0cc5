"""All keys in memory: the lookup is one dictionary access and never waits for a database."""

from collections.abc import Iterable

from gptgate.core.keys import KeyRecord


class KeyTable:
    """Implements `KeyDirectory`. Owned by one event loop; storage fills it and `replace`s it when keys change."""

    def __init__(self, records: Iterable[KeyRecord]) -> None:
        """Raises ValueError when two records have the same id."""
        self._records = _index(records)

    def __len__(self) -> int:
        return len(self._records)

    def replace(self, records: Iterable[KeyRecord]) -> None:
        """Put all records in the place of the old ones, in one step: a reader sees either the old set or the new one.

        Raises ValueError when two records have the same id, and then changes nothing.
        """
        self._records = _index(records)

    def find(self, key_id: str) -> KeyRecord | None:
        """The record of this id, revoked and expired ones too."""
        return self._records.get(key_id)


def _index(records: Iterable[KeyRecord]) -> dict[str, KeyRecord]:
    index: dict[str, KeyRecord] = {}
    for record in records:
        if record.id in index:
            raise ValueError(f"two keys have the id {record.id!r}")
        index[record.id] = record
    return index
