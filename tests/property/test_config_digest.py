"""Layout does not change a configuration's digest; meaning does. Any text at all gives a Snapshot or a ConfigError."""

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gptgate.config.canonical import canonical_bytes
from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError, Problem

KINDS = ("pii.email", "secret.aws", "attack.override")

TREE: dict[str, Any] = {
    "version": 1,
    "server": {"data": "127.0.0.1:8080", "control": "127.0.0.1:8081", "max_body_bytes": "10MiB", "drain": "20s"},
    "providers": [
        {"name": "a", "kind": "openai", "credential": "env:A", "timeouts": {"connect": "5s", "idle": "60s"}},
        {"name": "b", "kind": "openai_compatible", "base_url": "http://127.0.0.1:1", "retries": 2},
        {"name": "s", "kind": "simulator", "finish_on_disconnect": False},
    ],
    "models": [
        {"name": "m", "provider": "a", "price": {"input_per_million": "1.5", "output_per_million": "2"}},
        {"name": "n", "provider": "b", "price": "free", "upstream_name": "x", "location": "local"},
        {"name": "o", "provider": "s", "context_window": 4096, "max_output_tokens": 100},
    ],
    "teams": [{"name": "t"}, {"name": "u"}],
    "apps": [
        {"name": "p", "team": "t", "models": ["m", "n"], "limits": {"requests_per_minute": 5, "concurrency": 2}},
        {"name": "q", "team": "u", "key_limits": {"concurrency": 1}, "budget": {"monthly_usd": "5"}, "content": "none"},
    ],
    "policy": {
        "rules": [
            {"id": "r", "stage": "request", "effect": "deny", "findings": ["pii.email"], "message": "no"},
            {"id": "w", "stage": "request", "effect": "flag", "findings": ["secret.*"], "origins": ["user"]},
            {"id": "v", "stage": "response", "effect": "flag", "min_score": 50, "apps": ["p"], "models": ["m"]},
        ]
    },
}
DIGEST = load_text(json.dumps(TREE), "f", KINDS).digest

# Every leaf, and what else could stand there.
MEANING: list[tuple[tuple[str | int, ...], Any]] = [
    (("server", "data"), "127.0.0.1:8082"),
    (("server", "control"), "127.0.0.1:8083"),
    (("server", "max_body_bytes"), 1024),
    (("server", "drain"), "21s"),
    (("providers", 0, "credential"), "env:B"),
    (("providers", 0, "kind"), "anthropic"),
    (("providers", 0, "timeouts", "connect"), "6s"),
    (("providers", 0, "timeouts", "idle"), "61s"),
    (("providers", 1, "base_url"), "http://127.0.0.1:2"),
    (("providers", 1, "retries"), 1),
    (("providers", 2, "finish_on_disconnect"), True),
    (("models", 0, "provider"), "s"),
    (("models", 0, "price", "input_per_million"), "1.500000001"),
    (("models", 0, "price", "cache_read_per_million"), "0"),
    (("models", 0, "price"), "free"),
    (("models", 1, "upstream_name"), "y"),
    (("models", 1, "location"), "cloud"),
    (("models", 2, "context_window"), 4097),
    (("models", 2, "max_output_tokens"), 101),
    (("teams", 1, "name"), "u2"),
    (("apps", 0, "team"), "u"),
    (("apps", 0, "models"), ["m"]),
    (("apps", 0, "limits", "requests_per_minute"), 6),
    (("apps", 0, "limits", "concurrency"), 3),
    (("apps", 1, "key_limits", "concurrency"), 2),
    (("apps", 1, "budget", "monthly_usd"), "5.01"),
    (("apps", 1, "content"), "full"),
    (("policy", "rules", 0, "id"), "r2"),
    (("policy", "rules", 0, "stage"), "response"),
    (("policy", "rules", 0, "findings"), ["*"]),
    (("policy", "rules", 0, "message"), "yes"),
    (("policy", "rules", 1, "effect"), "allow"),
    (("policy", "rules", 1, "origins"), ["system"]),
    (("policy", "rules", 2, "min_score"), 51),
    (("policy", "rules", 2, "apps"), ["q"]),
    (("policy", "rules", 2, "models"), ["n"]),
]


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    tree = copy.deepcopy(TREE)
    place: Any = tree
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    if path == ("teams", 1, "name"):
        tree["apps"][1]["team"] = value
    return tree


@pytest.mark.parametrize(("path", "value"), MEANING, ids=[".".join(map(str, path)) for path, _ in MEANING])
def test_a_change_of_meaning_changes_the_digest(path: tuple[str | int, ...], value: Any) -> None:
    assert load_text(json.dumps(changed(path, value)), "f", KINDS).digest != DIGEST


def test_the_order_of_rules_is_meaning() -> None:
    tree = copy.deepcopy(TREE)
    tree["policy"]["rules"].reverse()
    assert load_text(json.dumps(tree), "f", KINDS).digest != DIGEST


def shuffled(draw: st.DrawFn, node: Any, ordered: bool = False) -> Any:
    if isinstance(node, dict):
        keys = draw(st.permutations(list(node)))
        return {key: shuffled(draw, node[key], key == "rules") for key in keys}
    if isinstance(node, list):
        items = node if ordered else draw(st.permutations(node))
        return [shuffled(draw, item) for item in items]
    return node


@st.composite
def layouts(draw: st.DrawFn) -> str:
    """The same configuration, written another way."""
    text = yaml.safe_dump(
        shuffled(draw, TREE),
        sort_keys=False,
        default_flow_style=draw(st.sampled_from([True, False, None])),
        indent=draw(st.integers(2, 8)),
        width=draw(st.integers(20, 200)),
        default_style=None,
        explicit_start=draw(st.booleans()),
    )
    if draw(st.booleans()):
        text = text.replace("10MiB", "10485760").replace("20s", "20000ms").replace("'1.5'", "1.50")
    comment = draw(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=20))
    return f"# {comment}\n" + text.replace("\n", f"  # {comment}\n", 1) if draw(st.booleans()) else text


@settings(max_examples=60, deadline=None)
@given(layouts())
def test_layout_changes_nothing(text: str) -> None:
    found = load_text(text, "f", KINDS)
    assert found.digest == DIGEST
    assert canonical_bytes(found) == canonical_bytes(load_text(json.dumps(TREE), "f", KINDS))
    assert list(found.models) == ["m", "n", "o"]


def total(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        digest = load_text(text, "f", KINDS).digest
    except ConfigError as error:
        digest, problems = "", error.problems
    assert len(digest) == (0 if problems else 64)
    assert all(str(problem).isprintable() for problem in problems)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_loaded_or_refused(text: str) -> None:
    total(text)
    total("version: 1\n" + text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([path for path, _ in MEANING]), JSON)
def test_any_value_anywhere_is_loaded_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    total(json.dumps(changed(path, value)))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 3000), st.text(max_size=3), st.integers(0, 20))
def test_any_edit_is_loaded_or_refused(at: int, put: str, cut: int) -> None:
    text = yaml.safe_dump(TREE, sort_keys=False)
    total(text[:at] + put + text[at + cut :])
