"""How detectors of secrets are written: one line for each provider, and everything alike is said here once."""

from collections.abc import Callable
from dataclasses import dataclass

from gptgate.detectors.grammar import head, longest, parse
from gptgate.detectors.pattern import EDGE, Detector, Pattern
from gptgate.detectors.randomness import is_random, is_varied

POINTS = 80
"""A form that nothing else has."""

NAMED_POINTS = 60
"""A value that only the name beside it explains."""

NOT_WORD = "[^A-Za-z0-9_]"
NOT_DASHED = "[^A-Za-z0-9_-]"
NOT_BASE64 = "[^A-Za-z0-9+/=_-]"

UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

QUOTES = r"""["'`\\]{0,4}"""
GIVES = (
    rf"""["'`\]\)\\]{{0,4}}[ \t]{{0,4}}(?:[?:]{{0,3}}=>?|:|,|>|[ ]is|value=)[ \t]{{0,4}}{QUOTES}"""
    # As a call's second argument, as an element's text, and as XML configurations do, besides the usual signs.
)
"""Between a name and its value, in the languages and files that people paste."""

BEFORE_VALUE = r"""[A-Za-z0-9_.-]*["'`\]\)\\]*[ \t]*(?:[?:=,>]|[ ]is|value=)"""
"""What a fast engine is to find of that after a name."""

_ENOUGH = 12
"""So many characters of a long random part are a cheap sign, and seldom stand there without it."""


def trigger_of(body: str) -> str:
    """What a fast engine is to find of a token: how it begins."""
    return EDGE + head(parse(body), _ENOUGH)


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of secret: its forms, and what may not follow them. `word` is the name that must stand before.

    `gives` stands between the two; where it is empty, what stands between names and values elsewhere. `most` bounds
    the forms that have no bound of their own.
    """

    kind: str
    line: str
    bodies: tuple[str, ...]
    word: str = ""
    gives: str = ""
    end: str = NOT_DASHED
    trigger: str = ""
    most: int = 0
    accept: Callable[[bytes], bool] = is_varied

    def patterns(self) -> list[Pattern]:
        """One pattern for each form."""
        return [self._named(body) if self.word else self._plain(body) for body in self.bodies]

    def _bound(self, body: str) -> int:
        return self.most if longest(parse(body)) is None else 0

    def _plain(self, body: str) -> Pattern:
        return Pattern(
            kind=self.kind,
            body=body,
            points=POINTS,
            left=EDGE,
            right=self.end,
            trigger=self.trigger or trigger_of(body),
            most=self._bound(body),
            accept=self.accept,
        )

    def _named(self, body: str) -> Pattern:
        return Pattern(
            kind=self.kind,
            prefix=self.word + (self.gives or f"[A-Za-z0-9_.-]{{0,24}}{GIVES}"),
            body=body,
            points=NAMED_POINTS,
            left=EDGE,
            right=self.end,
            ignore_case=True,
            trigger=self.trigger or self.word + (NOT_WORD if self.gives else BEFORE_VALUE),
            most=self._bound(body),
            accept=self.accept,
        )


def token(
    kind: str,
    line: str,
    *bodies: str,
    end: str = NOT_DASHED,
    trigger: str = "",
    most: int = 0,
    accept: Callable[[bytes], bool] = is_varied,
) -> Form:
    """A secret that its form alone gives away."""
    return Form(f"secret.{kind}", line, bodies, end=end, trigger=trigger, most=most, accept=accept)


def named(
    kind: str,
    line: str,
    word: str,
    *bodies: str,
    gives: str = "",
    trigger: str = "",
    accept: Callable[[bytes], bool] = is_random,
) -> Form:
    """A secret of a form that much else has: the provider's name stands before it (``datadog_key = ...``)."""
    return Form(
        f"secret.{kind}", line, bodies, word=word, gives=gives, end="[^A-Za-z0-9_=-]", trigger=trigger, accept=accept
    )


def after(
    kind: str, prefix: str, body: str, right: str, trigger: str, accept: Callable[[bytes], bool], most: int = 0
) -> Pattern:
    """A value that what stands before it explains, in any case."""
    return Pattern(
        kind=kind,
        prefix=prefix,
        body=body,
        points=NAMED_POINTS,
        left=EDGE,
        right=right,
        ignore_case=True,
        trigger=trigger,
        most=most,
        accept=accept,
    )


def detector(name: str, version: int, forms: tuple[Form, ...]) -> Detector:
    """The detector of these forms."""
    return Detector(
        name=name,
        version=version,
        kinds={form.kind: form.line for form in forms},
        patterns=tuple(pattern for form in forms for pattern in form.patterns()),
    )
