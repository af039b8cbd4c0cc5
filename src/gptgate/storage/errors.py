"""The one error that opening, reading and closing a store raise. Requests get AuditUnavailable instead."""


class StorageError(Exception):
    """The store cannot be used as asked. `message` says what is wrong, `hint` what the operator can do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Unreadable(StorageError):
    """A file cannot be read by this user, or in this place. It says nothing of what the file holds."""
