"""An organisation's own words and patterns, from its configuration."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import re2

from gptgate.core.finding import Origin
from gptgate.core.snapshot import CustomSpec
from gptgate.detectors.engine import compile_bytes
from gptgate.detectors.foreign import Edges, edges, spelt
from gptgate.detectors.grammar import first, longest, parse
from gptgate.detectors.pattern import EDGE, END, EVERY_ORIGIN, Detector, Pattern
from gptgate.detectors.reading import read_text

LONGEST = 512
"""The longest match: what a stream may have to hold back for a custom pattern."""

PIECE = 6_000
"""So long the source of a pattern of words may become."""
LONGEST_SOURCE = 14_000
"""More would take seconds to compile."""

PLAIN = Edges(EDGE, "", END)
"""Around words and patterns of ASCII."""

_SPACE = "[ \\t\\r\\n]{1,4}"


def custom_detectors(specs: Sequence[CustomSpec]) -> Mapping[str, Detector]:
    """A detector for each. Raises ValueError for one that `examine_custom` refuses."""
    return {f"custom.{spec.name}": _detector(spec) for spec in specs}


def examine_custom(spec: CustomSpec) -> str:
    """Why it cannot be used; empty when it can."""
    try:
        for pattern in _detector(spec).patterns:
            compile_bytes(pattern.source, ignore_case=pattern.ignore_case)
    except ValueError as error:
        return str(error).removeprefix(f"custom.{spec.name}: ") + _advice(spec)
    except (re.error, re2.error):
        return "cannot be compiled: a class that ends before it begins, or a repeat that is too large"
    return ""


_INSTEAD = {
    "\\d": "write [0-9] for \\d",
    "\\w": "write [A-Za-z0-9_] for \\w",
    "\\s": "write [ \\t] for \\s",
    "\\b": "leave \\b out: no letter or digit may touch a match in any case",
    ".": "a dot is not for patterns: say which characters, as in [a-z0-9]{1,9}, or \\. for the dot itself",
    "^": "leave ^ out: a match is found wherever it stands",
    "$": "leave $ out: a match is found wherever it stands",
    "(": "write (?:foo) for (foo)",
}
"""What patterns elsewhere say → what helps who writes it here."""


def _advice(spec: CustomSpec) -> str:
    """What helps, behind a problem; empty where nothing is known to."""
    if not spec.pattern.isascii():
        code = "".join(char if char.isascii() else spelt(char, ignore_case=spec.ignore_case) for char in spec.pattern)
        return f"; words may hold any letters, a pattern their bytes, outside of classes: {code}"
    bare = re.sub(r"\[(?:\\.|[^\]\\])*\]|\\[^dwsb]|\(\?:", "", spec.pattern)
    advice = [help for sign, help in _INSTEAD.items() if sign in bare]
    return "; " + "; ".join(advice) if advice else ""


def _detector(spec: CustomSpec) -> Detector:
    kind = f"custom.{spec.name}"
    patterns = tuple(_patterns(kind, spec))
    bound = max(pattern.longest for pattern in patterns)
    if bound > LONGEST:
        raise ValueError(f"can match {bound} bytes; at most {LONGEST} are allowed")
    return Detector(
        name=kind,
        version=1,
        kinds={kind: f"What the configuration calls {spec.name}."},
        patterns=patterns,
        origins=frozenset(map(Origin, spec.origins)) if spec.origins else EVERY_ORIGIN,
    )


def _patterns(kind: str, spec: CustomSpec) -> Iterator[Pattern]:
    """The pattern itself, or one for the words of ASCII and one for each kind of edges that the others have."""
    if spec.pattern:
        yield _pattern(kind, spec, spec.pattern)
        return
    plain: list[str] = []
    foreign: dict[Edges, list[str]] = {}
    for word in sorted(spec.words, key=lambda word: (-len(word), word)):
        if word.isascii():
            plain.append(_literal(word))
        else:
            read = unicodedata.normalize("NFC", read_text(word, is_json=False).decode())
            for around in edges(read):
                foreign.setdefault(around, []).append(_foreign(read, ignore_case=spec.ignore_case))
    for bodies in _pieces(plain):
        yield _pattern(kind, spec, "|".join(bodies))
    for around, spellings in foreign.items():
        for bodies in _pieces(spellings):
            yield _pattern(kind, spec, "|".join(bodies), around)


def _pieces(bodies: Sequence[str]) -> Iterator[list[str]]:
    """The bodies in groups of which each makes a pattern that is not too long."""
    group: list[str] = []
    length = 0
    for body in bodies:
        if group and length + len(body) > PIECE:
            yield group
            group, length = [], 0
        group.append(body)
        length += len(body) + 1
    if group:
        yield group


def _pattern(kind: str, spec: CustomSpec, body: str, around: Edges = PLAIN) -> Pattern:
    node = parse(body)
    if longest(node) is None:
        raise ValueError("has no longest match: write {m,n} instead of * and +")
    if first(node)[1]:
        raise ValueError("matches the empty text")
    if len(body) > LONGEST_SOURCE:
        raise ValueError("is too long for a pattern")
    left, prefix, right = around
    return Pattern(kind, body, spec.points, left, right, prefix=prefix, ignore_case=spec.ignore_case, is_foreign=True)


def _literal(word: str) -> str:
    """The word itself; a space takes any white space of a line or a line end."""
    return "".join(char if char.isalnum() else _SPACE if char == " " else "\\" + char for char in word)


def _foreign(word: str, *, ignore_case: bool) -> str:
    """The same of a word that is not all of ASCII."""
    return "".join(_SPACE if char == " " else spelt(char, ignore_case=ignore_case) for char in word)
