"""An organisation's own words and patterns, from its configuration."""

import re
from collections.abc import Mapping, Sequence

import re2

from gptgate.core.finding import Origin
from gptgate.core.snapshot import CustomSpec
from gptgate.detectors.engine import compile_bytes
from gptgate.detectors.grammar import first, longest, parse
from gptgate.detectors.pattern import EVERY_ORIGIN, Detector, Pattern

LONGEST = 512
"""The longest match: what a stream may have to hold back for a custom pattern."""

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
    foreign = next((word for word in spec.words or (spec.pattern,) if not word.isascii()), "")
    if foreign and not (foreign[0] + foreign[-1]).isascii():
        return "; words and patterns begin and end in ASCII"
    if foreign:
        code = "".join(
            char if char.isascii() else "".join(f"\\x{byte:02x}" for byte in char.encode()) for char in foreign
        )
        return f"; words are ASCII, and a pattern may hold the bytes of other letters between ASCII ones: {code}"
    bare = re.sub(r"\[(?:\\.|[^\]\\])*\]|\\[^dwsb]|\(\?:", "", spec.pattern)
    advice = [help for sign, help in _INSTEAD.items() if sign in bare]
    return "; " + "; ".join(advice) if advice else ""


def _detector(spec: CustomSpec) -> Detector:
    kind = f"custom.{spec.name}"
    body = spec.pattern or "|".join(map(_literal, sorted(spec.words, key=lambda word: (-len(word), word))))
    node = parse(body)
    bound = longest(node)
    if bound is None:
        raise ValueError("has no longest match: write {m,n} instead of * and +")
    if bound > LONGEST:
        raise ValueError(f"can match {bound} bytes; at most {LONGEST} are allowed")
    if first(node)[1]:
        raise ValueError("matches the empty text")
    return Detector(
        name=kind,
        version=1,
        kinds={kind: f"What the configuration calls {spec.name}."},
        patterns=(Pattern(kind=kind, body=body, points=spec.points, ignore_case=spec.ignore_case),),
        origins=frozenset(map(Origin, spec.origins)) if spec.origins else EVERY_ORIGIN,
    )


def _literal(word: str) -> str:
    """The word itself; a space takes any white space of a line or a line end."""
    return "".join(char if char.isalnum() else _SPACE if char == " " else "\\" + char for char in word)
