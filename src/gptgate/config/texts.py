"""The section `texts`: how long what was kept of prompts and answers stays, and under which master key."""

from collections.abc import Collection

from gptgate.config.problem import did_you_mean, shown
from gptgate.config.reader import Reader, Section
from gptgate.config.shape import Field, Group, Many
from gptgate.config.types import KIND_WORD, SECRET, duration_type
from gptgate.core.kept import TextSpec

_KEEP = duration_type(3_600_000, 3660 * 86_400_000)
CLASS = Group(
    (
        Field("class", KIND_WORD, "A category of findings: the first word of their kinds.", required=True),
        Field("keep", _KEEP, "How long texts of a request with such a finding, on either side, stay.", required=True),
    )
)
TEXTS = Group(
    (
        Field(
            "master_key",
            SECRET,
            "Wraps the keys of texts: 32 characters or more.",
            absent="content.key in the data folder",
        ),
        Field("keep", _KEEP, "How long texts stay.", absent="until they are erased"),
        Field("classes", Many(CLASS, key="class"), "Texts that stay for less.", "[]"),
    )
)


def check_texts(root: Section, kinds: Collection[str], reader: Reader) -> None:
    """Report categories that no detector knows, and times that have no effect."""
    texts = root.section("texts")
    known = sorted({kind.partition(".")[0] for kind in kinds})
    for section in texts.sections("classes"):
        name, keep = section.get("class"), section.get("keep")
        if name is not None and name not in known:
            message = f"no finding has the category {shown(name)}"
            reader.report(section.line_of("class"), f"{section.path}.class", message, did_you_mean(name, known))
        if keep is not None and texts.get("keep") is not None and keep >= texts.get("keep"):
            message = "has no effect: all texts go at that time or before"
            reader.report(section.line_of("keep"), f"{section.path}.keep", message)


def build_texts(texts: Section) -> TextSpec:
    """The values of a section without problems."""
    classes = sorted((section.get("class"), section.get("keep")) for section in texts.sections("classes"))
    return TextSpec(master_key=texts.get("master_key"), keep_ms=texts.get("keep") or 0, class_keep_ms=tuple(classes))
