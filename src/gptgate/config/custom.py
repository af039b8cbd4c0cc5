"""`policy.custom`: what must be true of an organisation's own words and patterns, and its values."""

from collections.abc import Callable

from gptgate.config.reader import Reader, Section
from gptgate.core.snapshot import CustomSpec

MAX_CUSTOM = 64
MAX_WORDS = 200

ExamineCustom = Callable[[CustomSpec], str]
"""Why the detectors cannot use it; empty when they can."""


def custom_kinds(root: Section) -> tuple[str, ...]:
    """The kinds of findings that the configured words and patterns lead to."""
    names = (section.get("name") for section in root.section("policy").sections("custom"))
    return tuple(f"custom.{name}" for name in names if name is not None)


def check_custom(root: Section, examine: ExamineCustom | None, reader: Reader) -> None:
    """Report what says nothing or two things at once, what is too much, and what the detectors cannot use."""
    sections = root.section("policy").sections("custom")
    for section in sections[MAX_CUSTOM:]:
        reader.report(section.line, section.path, f"there are more than {MAX_CUSTOM}")
    for section in sections:
        has_words, has_pattern = bool(section.items("words")), "pattern" in section.written
        if has_words == has_pattern:
            reader.report(section.line, section.path, "needs either words or a pattern")
        elif len(section.items("words")) > MAX_WORDS:
            reader.report(section.line, f"{section.path}.words", f"there are more than {MAX_WORDS}")
        elif examine is None:
            reader.report(section.line, section.path, "cannot be used: no detectors are installed")
        elif section.get("name") is not None and section.get("points") is not None and not _is_broken(section):
            field = "pattern" if has_pattern else "words"
            if problem := examine(build_custom(section)):
                reader.report(section.line_of(field), f"{section.path}.{field}", problem)


def _is_broken(section: Section) -> bool:
    return "pattern" in section.written and section.get("pattern") is None


def build_custom(section: Section) -> CustomSpec:
    """One of them."""
    return CustomSpec(
        name=section.get("name"),
        words=tuple(sorted(item.value for item in section.items("words"))),
        pattern=section.get("pattern") or "",
        ignore_case=bool(section.get("ignore_case")),
        points=section.get("points"),
        origins=tuple(sorted(item.value for item in section.items("origins"))),
    )
