"""The one error that opening, reading and closing a store raise. Requests get AuditUnavailable instead."""


class StorageError(Exception):
    """The store cannot be used as asked. `message` says what is wrong, `hint` what the operator can do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
