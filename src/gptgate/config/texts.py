"""What is kept of prompts and answers, by class: how much, for how long, and under which master key."""

from collections.abc import Collection, Sequence

from gptgate.config.problem import did_you_mean, shown
from gptgate.config.reader import Reader, Section
from gptgate.config.shape import Field, Group, Many
from gptgate.config.types import KIND_WORD, SECRET, duration_type, word_type
from gptgate.core.kept import CONTENTS, TextSpec, strictest

_KEEP = duration_type(3_600_000, 3660 * 86_400_000)
_CLASS = Field("class", KIND_WORD, "A category of findings: the first word of their kinds.", required=True)
CLASS_CONTENT = Group(
    (
        _CLASS,
        Field(
            "content",
            word_type(CONTENTS),
            "What records keep of a text in which such a finding is.",
            required=True,
        ),
    )
)
CLASS = Group(
    (
        _CLASS,
        Field(
            "content",
            word_type(CONTENTS[:-1]),
            "The most that any app's records keep of a text in which such a finding is.",
            absent="what the app says",
        ),
        Field(
            "keep",
            _KEEP,
            "How long texts of a request with such a finding, on either side, stay.",
            absent="as long as the others",
        ),
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
        Field("classes", Many(CLASS, key="class"), "Texts that stay for less, or of which less is kept.", "[]"),
    )
)


def check_texts(root: Section, kinds: Collection[str], reader: Reader) -> None:
    """Report categories that no detector knows, and what has no effect."""
    texts = root.section("texts")
    known = sorted({kind.partition(".")[0] for kind in kinds})
    for section in texts.sections("classes"):
        _check_class(section, known, reader)
        keep = section.get("keep")
        if not section.written & {"keep", "content"}:
            reader.report(section.line, section.path, "says nothing of this class", "content: none, or keep: 7d")
        if keep is not None and texts.get("keep") is not None and keep >= texts.get("keep"):
            message = "has no effect: all texts go at that time or before"
            reader.report(section.line_of("keep"), f"{section.path}.keep", message)
    for app in root.sections("apps"):
        for section in app.sections("content_classes"):
            _check_class(section, known, reader)
            # Under `redacted` it has one all the same: what is found of the class is cut out as well.
            if section.get("content") == app.get("content") != "redacted":
                message = "has no effect: the app's other texts are kept so too"
                reader.report(section.line_of("content"), f"{section.path}.content", message)


def _check_class(section: Section, known: Sequence[str], reader: Reader) -> None:
    name = section.get("class")
    if name is not None and name not in known:
        message = f"no finding has the category {shown(name)}"
        reader.report(section.line_of("class"), f"{section.path}.class", message, did_you_mean(name, known))


def build_texts(texts: Section) -> TextSpec:
    """The values of a section without problems."""
    stated = ((section.get("class"), section.get("keep")) for section in texts.sections("classes"))
    classes = sorted((name, keep) for name, keep in stated if keep is not None)
    return TextSpec(master_key=texts.get("master_key"), keep_ms=texts.get("keep") or 0, class_keep_ms=tuple(classes))


def class_content(app: Section, texts: Section) -> tuple[tuple[str, str], ...]:
    """What an app's records keep of texts of each class of which something is said: what the app says, and no more
    than what is said for all apps."""
    own = {section.get("class"): section.get("content") for section in app.sections("content_classes")}
    most = {
        section.get("class"): section.get("content")
        for section in texts.sections("classes")
        if section.get("content") is not None
    }
    return tuple(
        (name, strictest((own.get(name, app.get("content")), most.get(name, CONTENTS[-1]))))
        for name in sorted({*own, *most})
    )
