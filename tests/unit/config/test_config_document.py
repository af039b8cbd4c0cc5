"""YAML that a configuration has no use for is refused before it costs anything."""

import time

import pytest

from gptgate.config.document import MAX_BYTES, compose
from gptgate.config.problem import ConfigError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join('*' + before for _ in range(9))}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

REFUSED = {
    "bomb": (BOMB, 1, "anchors and aliases"),
    "alias": ("a: 1\nb: *a\n", 2, "anchors and aliases"),
    "anchor": ("a: 1\nb: &a 1\n", 2, "anchors and aliases"),
    "merge of an alias": ("a: {}\nb:\n  <<: *a\n", 3, "anchors and aliases"),
    "tag": ("a: 1\n\nb: !!python/object:os.system x\n", 3, "tags"),
    "core tag": ("b: !!str x\n", 1, "tags"),
    "syntax": ("a: 1\nb: [1\n", 3, "not valid YAML"),
    "tab": ("a:\n\t- b\n", 2, "not valid YAML"),
    "two documents": ("a: 1\n---\nb: 1\n", 2, "not valid YAML"),
    "directive": ("%YAML 9.9\n---\na: 1\n", 1, "not valid YAML"),
    "control character": ("a: 1\nb: \x07\n", 2, "does not allow"),
    "empty": ("", 0, "empty"),
    "only a comment": ("# nothing\n", 0, "empty"),
    "deep": ("[" * 20, 1, "deeper"),
    "very deep": ("[" * 100_000, 1, "deeper"),
    "very deep blocks": ("- " * 5000, 1, "deeper"),
    "too large": ("#" * (MAX_BYTES + 1), 0, "larger"),
}


@pytest.mark.parametrize(("text", "line", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    started = time.process_time()
    with pytest.raises(ConfigError) as caught:
        compose(text, "f.yaml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("f.yaml", line)
    assert message in problem.message
    assert time.process_time() - started < 5


def test_a_byte_order_mark_and_unicode_are_fine() -> None:
    assert compose("\ufeffversion: 1 # é 🙂\n", "f.yaml") is not None
