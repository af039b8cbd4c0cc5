"""The settings of judges outside: a part of the tables of `config.schema`."""

from gptgate.config.shape import Field, Group, Many
from gptgate.config.types import KIND_WORD, SECRET, URL, count_type, duration_type, enum_type, name_type, text_type
from gptgate.core.beside import ClassifierKind, GuardTemplate, OnFailure
from gptgate.core.finding import Origin

_LANGUAGE = name_type("language", "[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", "a code such as en or pt-BR")
_WAIT = duration_type(1, 24 * 3_600_000)

SCORE = Group(
    (
        Field("permille", count_type(0, 1000), "The least score, in thousandths.", required=True),
        Field("points", count_type(0, 100), "What a label with this score weighs.", required=True),
    )
)

BREAKER = Group(
    (
        Field("failures", count_type(1, 1000), "Failures in a row after which it is not asked for a while.", "5"),
        Field("cool_down", _WAIT, "How long it is then not asked, which is a failure too.", "30s"),
    )
)

CLASSIFIER = Group(
    (
        Field("name", KIND_WORD, "Its name in rules: `external.NAME.LABEL`.", required=True),
        Field("kind", enum_type(ClassifierKind), "How it is asked.", required=True),
        Field("base_url", URL, "Its address; a trailing /v1 may be left out or written.", required=True),
        Field("model", text_type("text", 256), "The model that it shall use.", absent="none; guard_model needs one"),
        Field("template", enum_type(GuardTemplate), "Which guard model it is.", absent="none; guard_model needs one"),
        Field("language", _LANGUAGE, "The language that a presidio analyzer is told.", absent="en for presidio"),
        Field("credential", SECRET, "Its API key, or the secret that signs.", absent="none; webhook needs one"),
        Field("timeout", duration_type(1, 60_000), "How long its whole answer may take.", "2s"),
        Field("on_failure", enum_type(OnFailure), "When it cannot answer: closed refuses, open lets pass.", "closed"),
        Field("max_chars", count_type(1, 10_000_000), "The longest request or answer that it can judge.", "100000"),
        Field(
            "origins",
            Many(enum_type(Origin)),
            "Whose words it is shown.",
            absent="user, assistant, tool_call and tool_result",
        ),
        Field(
            "labels",
            Many(KIND_WORD),
            "What it may report; anything else becomes `other`.",
            absent="those of its kind; webhook needs them",
        ),
        Field(
            "scores",
            Many(SCORE, key="permille"),
            "Points by score, rising.",
            absent="300: 20, 500: 40, 700: 60, 900: 80; of presidio 300: 10, 600: 20",
        ),
        Field("breaker", BREAKER, "When it is left alone.", "{}"),
    )
)
