"""What external classifiers may say, and how it becomes findings. Pure: a recorded opinion can be judged again."""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from gptgate.core.beside import ClassifierKind, ClassifierSpec, GuardTemplate
from gptgate.core.finding import Finding, Origin, Segment, pointer

PREFIX = "external"
EVERY = "*"
TOO_LONG = "too_long"
"""The failure of a classifier that would be shown more than it can judge."""
_MENTION = re.compile(r"\bexternal\b(?:\.([a-z][a-z0-9_]*))?")
OTHER = "other"
"""The label of whatever a classifier reports beyond its labels: a new category of its vendor is not lost."""

CERTAIN = 1000
"""The score, in permille, of a classifier that says yes or no."""

FLAGGED = 500
"""The least score of a category that a moderation endpoint itself flags."""

SCORES: tuple[tuple[int, int], ...] = ((300, 20), (500, 40), (700, 60), (900, 80))
"""Points by score where the configuration states none."""

POINTED_SCORES: tuple[tuple[int, int], ...] = ((300, 10), (600, 20))
"""The same of kinds that find personal data at its place, which weighs as it does when a detector finds it."""

PRESIDIO = (
    "credit_card",
    "crypto",
    "date_time",
    "email_address",
    "iban_code",
    "ip_address",
    "location",
    "mac_address",
    "medical_license",
    "nrp",
    "organization",
    "person",
    "phone_number",
    "uk_nhs",
    "url",
    "us_bank_number",
    "us_driver_license",
    "us_itin",
    "us_passport",
    "us_ssn",
)
"""Entities of a Presidio analyzer as it comes, in our spelling."""

LLAMA_GUARD: Mapping[str, str] = {
    "S1": "violent_crimes",
    "S2": "non_violent_crimes",
    "S3": "sex_crimes",
    "S4": "child_exploitation",
    "S5": "defamation",
    "S6": "specialized_advice",
    "S7": "privacy",
    "S8": "intellectual_property",
    "S9": "indiscriminate_weapons",
    "S10": "hate",
    "S11": "self_harm",
    "S12": "sexual_content",
    "S13": "elections",
    "S14": "code_interpreter_abuse",
}
"""Hazard codes that Llama Guard answers with → our labels."""

PROMPT_GUARD: Mapping[str, str] = {"INJECTION": "injection", "JAILBREAK": "jailbreak", "MALICIOUS": "malicious"}
SHIELD_GEMMA = "policy_violation"

MODERATION = (
    "harassment",
    "harassment_threatening",
    "hate",
    "hate_threatening",
    "illicit",
    "illicit_violent",
    "self_harm",
    "self_harm_instructions",
    "self_harm_intent",
    "sexual",
    "sexual_minors",
    "violence",
    "violence_graphic",
)
"""The categories of the public moderation endpoint, in our spelling."""


class Span(Struct, frozen=True, order=True):
    """Characters ``[start, end)`` of one text, in which a classifier found something; `permille` is its score.

    `segment` is the number of the text, first among those that the classifier was shown, then among the request's.
    """

    segment: int
    start: int
    end: int
    label: str
    permille: int


class Opinion(Struct, frozen=True, kw_only=True):
    """What one classifier said of one request or one answer. `failure` is empty, or the word for why it could not.

    `labels` are pairs (label, permille), sorted, each label once; the score was rounded down, once, on arrival.
    `spans`, in their order, say where in a request: of a kind that does.
    """

    classifier: str
    failure: str
    labels: tuple[tuple[str, int], ...] = ()
    spans: tuple[Span, ...] = ()


def default_labels(kind: ClassifierKind, template: GuardTemplate | None) -> tuple[str, ...]:
    """The labels of a kind whose configuration states none; empty where they must be stated."""
    match kind, template:
        case ClassifierKind.MODERATION, _:
            return MODERATION
        case ClassifierKind.PRESIDIO, _:
            return PRESIDIO
        case _, GuardTemplate.LLAMA_GUARD:
            return tuple(sorted(LLAMA_GUARD.values()))
        case _, GuardTemplate.PROMPT_GUARD:
            return tuple(sorted(PROMPT_GUARD.values()))
        case _, GuardTemplate.SHIELD_GEMMA:
            return (SHIELD_GEMMA,)
        case _:
            return ()


def kinds_of(name: str, labels: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of findings that a classifier can lead to."""
    return tuple(f"{PREFIX}.{name}.{label}" for label in (*labels, OTHER))


def names_asked(patterns: tuple[str, ...], when: str) -> frozenset[str]:
    """The classifiers that a rule with these kind patterns and this condition asks; `EVERY` for all of them.

    The pattern ``*`` asks none: it takes what is there.
    """
    mentions = [pattern for pattern in patterns if pattern.split(".")[0] == PREFIX]
    return frozenset(name or EVERY for text in (*mentions, when) for name in _MENTION.findall(text))


def findings_of(opinion: Opinion, spec: ClassifierSpec, segments: Sequence[Segment] = ()) -> tuple[Finding, ...]:
    """The findings that an opinion amounts to.

    They stand where it says, in the texts of the request; else on the request or the answer as a whole: a classifier
    judges what it was shown.
    """
    if opinion.spans:
        return tuple(_placed(opinion.spans, spec, segments))
    best: dict[str, int] = {}
    for label, permille in opinion.labels:
        points = points_of(permille, spec.scores)
        if points is not None:
            known = label if label in spec.labels else OTHER
            best[known] = max(points, best.get(known, 0))
    return tuple(
        Finding(
            kind=f"{PREFIX}.{spec.name}.{label}",
            origin=Origin.OTHER,
            place="",
            start=0,
            end=0,
            detector=f"{PREFIX}.{spec.name}",
            points=points,
        )
        for label, points in sorted(best.items())
    )


def _placed(spans: Sequence[Span], spec: ClassifierSpec, segments: Sequence[Segment]) -> Iterable[Finding]:
    for span in spans:
        points = points_of(span.permille, spec.scores)
        if points is not None:
            segment = segments[span.segment]
            yield Finding(
                kind=f"{PREFIX}.{spec.name}.{span.label if span.label in spec.labels else OTHER}",
                origin=segment.origin,
                place=pointer(segment.path),
                start=span.start,
                end=span.end,
                detector=f"{PREFIX}.{spec.name}",
                points=points,
                segment=span.segment,
            )


def points_of(permille: int, scores: tuple[tuple[int, int], ...]) -> int | None:
    """The points of the last step that the score reaches; None below the first."""
    reached = None
    for least, points in scores:
        if permille >= least:
            reached = points
    return reached
