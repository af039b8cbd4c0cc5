"""How a command fails: one line, then a hint. Exit 1 refused, 2 wrong usage, 3 verification failed."""

REFUSED = 1
USAGE = 2
UNVERIFIED = 3


class CommandError(Exception):
    """A command cannot do what was asked. `message` is one line; `hint` says what to do about it."""

    def __init__(self, message: str, *, hint: str = "", exit_code: int = REFUSED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
