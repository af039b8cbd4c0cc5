"""Email addresses, in the form that people and systems exchange (a subset of RFC 5321 section 4.1.2)."""

from gptgate.detectors.pattern import END, ESCAPED, Detector, Pattern

_NOT_DOMAINS = frozenset(
    b"png jpg jpeg gif svg webp bmp ico css scss js mjs jsx tsx json html htm xml pdf txt yml yaml".split()
)
"""File suffixes behind ``name@2x.`` and ``package@version.``; none is a top-level domain."""

_ESCAPE = rf"(?:{ESCAPED}|\\u[0-9A-Fa-f]{{4}})"
"""In JSON inside of a text. Its letter is none of the address: cut out with it, the text would be no JSON any more."""

_LOCAL = "[A-Za-z0-9._%+-]"


def is_address(match: bytes) -> bool:
    """Whether the last label can be a top-level domain and the part before ``@`` says anything."""
    local, _, domain = match.partition(b"@")
    return domain.rpartition(b".")[2].lower() not in _NOT_DOMAINS and any(char not in b"._%+-" for char in local)


DETECTOR = Detector(
    name="email",
    version=2,
    kinds={"pii.email": "An email address."},
    patterns=(
        Pattern(
            kind="pii.email",
            left=f"(?:{_ESCAPE}|[^A-Za-z0-9._%+-])",
            body=_LOCAL + r"{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}(?:xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,24})",
            right=END,
            points=20,
            trigger=f"{_LOCAL}@[A-Za-z0-9-]",
            accept=is_address,
        ),
    ),
)
