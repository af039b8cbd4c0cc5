"""`policy.custom`: what it becomes; whatever the detectors could not use is refused with its line."""

import pytest

from gptgate.config.problem import ConfigError
from gptgate.installed import read_config_text

RULE = '{id: r, stage: request, effect: deny, findings: ["custom.*"]}'


def text(custom: str, rule: str = RULE) -> str:
    return f"version: 1\npolicy:\n  custom:\n    - {custom}\n  rules:\n    - {rule}\n"


def test_an_item_becomes_what_it_says() -> None:
    stated = "{name: projects, words: [Zebra, Aurora], ignore_case: false, points: 40, origins: [user, assistant]}"
    [found] = read_config_text(text(stated), "f").custom
    assert (found.name, found.words, found.pattern) == ("projects", ("Aurora", "Zebra"), "")
    assert (found.ignore_case, found.points, found.origins) == (False, 40, ("assistant", "user"))


def test_the_digest_covers_it() -> None:
    one, other = (read_config_text(text(f"{{name: a, words: [{word}]}}"), "f").digest for word in ("x1", "x2"))
    assert one != other


@pytest.mark.parametrize(
    ("custom", "problem"),
    [
        ("{name: a}", "policy.custom[0]: needs either words or a pattern"),
        ("{name: a, words: [b], pattern: c}", "policy.custom[0]: needs either words or a pattern"),
        ("{name: a, pattern: 'x[0-9]+'}", "policy.custom[0].pattern: has no longest match"),
        ("{name: a, pattern: '[0-9]{0,9}'}", "policy.custom[0].pattern: matches the empty text"),
        ("{name: a, pattern: '(x'}", "policy.custom[0].pattern: only (?:groups) are supported"),
        ("{name: a, pattern: 'x[0-9]{600}'}", "policy.custom[0].pattern: can match 601 bytes"),
        ("{name: a, pattern: 'x[z-a]'}", "policy.custom[0].pattern: "),
        ("{name: a, pattern: 'x[^a]y'}", "policy.custom[0].pattern: a negated class"),
        ('{name: a, words: ["\\u3164"]}', "policy.custom[0].words: matches the empty text"),
        (
            "{name: a, pattern: straße, ignore_case: false}",
            "; words may hold any letters, a pattern their bytes, outside of classes: stra(?:\\xc3\\x9f)e",
        ),
        (r"{name: a, pattern: 'x\d\w'}", r"; write [0-9] for \d; write [A-Za-z0-9_] for \w"),
        ("{name: a, pattern: 'x.{1,3}y'}", "; a dot is not for patterns: say which characters"),
        ("{name: a, pattern: '(foo)'}", "; write (?:foo) for (foo)"),
        ("{name: A-b, words: [b]}", "policy.custom[0].name: "),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(custom: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config_text(text(custom), "f")
    assert "f:4" in str(caught.value)
    assert problem in str(caught.value)


def test_too_many_are_refused() -> None:
    items = "\n    - ".join(f"{{name: a{number}, words: [b]}}" for number in range(65))
    with pytest.raises(ConfigError, match="there are more than 64"):
        read_config_text(text(items), "f")


def test_a_rule_cannot_name_one_that_is_not_there() -> None:
    rule = '{id: r, stage: request, effect: deny, findings: ["custom.b"]}'
    with pytest.raises(ConfigError, match="matches no kind"):
        read_config_text(text("{name: a, words: [b]}", rule), "f")
