"""Text from records as a terminal may be given it.

Threat: end users, models and file names can hold escape sequences that rewrite what the operator sees, and marks that
turn text around. What is not printable is shown by its code instead.
"""


def clean(text: str, *, lines: bool = False) -> str:
    """The text with every control, format and unassigned character as an escape (``\\x1b``, ``\\u202e``).

    `lines`: line feeds and tabs stay, for texts that have lines.
    """
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(c if c.isprintable() or c in kept else _escape(c) for c in text)


def clean_json(line: bytes) -> bytes:
    """A line of JSON with the same values, in which what is not printable is written as JSON's own escapes."""
    text = line.decode()
    return line if text.isprintable() else "".join(c if c.isprintable() else _json_escape(c) for c in text).encode()


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: ``1 request``, ``2 requests``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
