"""Who runs a command, by what the operating system says: nothing that a variable of the environment could change."""

import os
import pwd

from gptgate.cli.failure import USAGE, CommandError

LONGEST_NAME = 100


def operator() -> str:
    """The user that runs this command. Raises CommandError where the system knows no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise CommandError(
            "the operating system has no name for this user", hint="say who decides: --as NAME"
        ) from None


def decider(named: str | None) -> str:
    """Who says to decide: the name after ``--as``, else the operator. Raises CommandError."""
    who = operator() if named is None else named
    if not who or len(who) > LONGEST_NAME or not who.isprintable():
        raise CommandError(f"--as: 1 to {LONGEST_NAME} printable characters", exit_code=USAGE)
    return who


def system_user() -> str:
    """The same, for the record: by its number where the system knows no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
