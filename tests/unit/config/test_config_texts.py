"""The section `texts` and what apps say of classes: what is read, and what is refused because it has no effect."""

import pytest

from gptgate.config.coverage import Guard, coverage
from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError
from gptgate.core.snapshot import Snapshot

KINDS = ("pii.email", "secret.github")


def load(app: str, texts: str = "") -> Snapshot:
    return load_text(f"version: 1\nteams: [{{name: t}}]\napps: [{{name: a, team: t{app}}}]\n{texts}\n", "f", KINDS)


def problems(app: str, texts: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(app, texts)
    return [f"{problem.path} {problem.message}" for problem in caught.value.problems]


def test_a_class_is_kept_as_the_app_says_and_no_more_than_all_apps_may() -> None:
    own = ", content: full, content_classes: [{class: pii, content: redacted}]"
    assert load(own).apps["a"].class_content == (("pii", "redacted"),)
    snapshot = load(
        own, "texts: {classes: [{class: pii, content: none, keep: 7d}, {class: secret, content: redacted}]}"
    )
    assert snapshot.apps["a"].class_content == (("pii", "none"), ("secret", "redacted"))
    assert snapshot.texts.class_keep_ms == (("pii", 7 * 86_400_000),)
    assert load(", content: none", "texts: {classes: [{class: pii, content: redacted}]}").apps["a"].class_content == (
        ("pii", "none"),
    )


def test_what_has_no_effect_or_names_nothing_is_refused() -> None:
    assert problems(", content: full, content_classes: [{class: pii, content: full}]") == [
        "apps[0].content_classes[0].content has no effect: the app's other texts are kept so too"
    ]
    assert problems(", content_classes: [{class: pi, content: none}]") == [
        'apps[0].content_classes[0].class no finding has the category "pi"'
    ]
    assert problems("", "texts: {classes: [{class: pii}]}") == ["texts.classes[0] says nothing of this class"]
    assert problems("", "texts: {keep: 7d, classes: [{class: pii, keep: 8d}]}") == [
        "texts.classes[0].keep has no effect: all texts go at that time or before"
    ]
    assert problems("", "texts: {classes: [{class: pii, content: full}]}")[0].startswith(
        'texts.classes[0].content "full" is not one of'
    )


def test_the_coverage_says_what_is_kept_of_which_class() -> None:
    rows = coverage(load(", content: full", "texts: {classes: [{class: pii, content: none}]}"))
    said = next(cell.text for cell in rows[0].cells if cell.guard is Guard.RECORD)
    assert said == "intent before, end after; texts: 1 full; with pii: 1 none"
    plain = coverage(load(""))[0]
    assert next(cell.text for cell in plain.cells if cell.guard is Guard.RECORD).endswith("texts: 1 redacted")
