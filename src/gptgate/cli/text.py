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


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: ``1 request``, ``2 requests``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
