"""References to secrets → the secrets. The only place that reads them; no error of it holds a value."""

import os
from pathlib import Path

from gptgate.config.files import read_regular
from gptgate.config.problem import ConfigError, Problem
from gptgate.core.snapshot import SecretRef

MAX_SECRET_BYTES = 64 * 1024


def resolve(ref: SecretRef) -> str:
    """The secret that a reference names, without the one line ending that editors put at the end of a file.

    Raises ConfigError naming the reference when it is missing, empty, too large, or holds a character that cannot
    stand in an HTTP header (anything but printable ASCII): such a secret could smuggle in a header of its own.
    """
    match ref.source:
        case "env":
            found = os.environ.get(ref.name)
            if found is None:
                raise _error(ref, "the environment variable is not set", f"export {ref.name}=...")
        case "file":
            found = _read(ref)
        case _:
            raise _error(ref, "is neither env: nor file:")
    secret = found.removesuffix("\n").removesuffix("\r")
    if not secret.strip():
        raise _error(ref, "is empty")
    if not (secret.isascii() and secret.isprintable()):
        raise _error(ref, "holds a character that cannot stand in an HTTP header", "one line of printable ASCII")
    return secret


def _read(ref: SecretRef) -> str:
    try:
        data = read_regular(Path(ref.name), MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise _error(ref, f"the file cannot be read: {error.strerror}") from None
    if len(data) > MAX_SECRET_BYTES:
        raise _error(ref, f"the file is larger than {MAX_SECRET_BYTES} bytes")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise _error(ref, "holds a character that cannot stand in an HTTP header") from None


def _error(ref: SecretRef, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(str(ref), 0, "", message, hint)])
