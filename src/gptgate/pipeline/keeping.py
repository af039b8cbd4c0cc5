"""What records may keep of a text: what its app's configuration says of the classes of what was found in it.

The class of a finding is the first word of its kind. A class of which nothing is said counts as the app's `content`
does, and so does a text in which nothing was found. Where several are found, the strictest counts.
"""

from collections.abc import Iterable

from gptgate.core.classifier import PREFIX
from gptgate.core.finding import Finding
from gptgate.core.kept import strictest
from gptgate.core.snapshot import AppSpec, Effect

KEPT_KINDS = ("pii.", "secret.")
"""Categories that a kept text never holds when the configuration says ``content: redacted``."""

POINTED_KINDS = f"{PREFIX}."
"""What a classifier found at a place: it is asked for personal data, such as names."""


def class_of(finding: Finding) -> str:
    """Its category."""
    return finding.kind.partition(".")[0]


def content_of(app: AppSpec, classes: Iterable[str]) -> str:
    """What may be kept of a text of these classes, ``none``, ``redacted`` or ``full``, when all of it was judged."""
    if not app.class_content:
        return app.content
    said = dict(app.class_content)
    return strictest({said.get(name, app.content) for name in classes} or {app.content})


def content_unjudged(app: AppSpec) -> str:
    """What may be kept of a text of which nobody knows what is in it: it may be of every class."""
    return strictest((app.content, *(content for _, content in app.class_content)))


def keeps_any(app: AppSpec) -> bool:
    """Whether there can be a text of which anything is kept."""
    return app.content != "none" or any(content != "none" for _, content in app.class_content)


def kept_out(app: AppSpec, findings: Iterable[Finding]) -> list[tuple[Finding, Effect]]:
    """The findings that a text which is kept as ``redacted`` must not hold: personal data, secrets, what a classifier
    pointed at, and those of the classes that are to be redacted. They are redacted, whatever was done to them in what
    was sent."""
    kinds: tuple[str, ...] = KEPT_KINDS
    if app.class_content:
        kinds += tuple(f"{name}." for name, content in app.class_content if content == "redacted")
    return [
        (finding, Effect.REDACT)
        for finding in findings
        if finding.kind.startswith(kinds) or (finding.end > finding.start and finding.kind.startswith(POINTED_KINDS))
    ]
