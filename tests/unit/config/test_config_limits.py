"""The section `limits`: what it becomes, and what is refused when it is loaded."""

import re

import pytest

from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError
from gptgate.core.limit import Dimension, GuardSpec, LimitSpec, Unit

BASE = """\
version: 1
providers: [{name: near, kind: simulator}, {name: far, kind: simulator}]
models:
  - {name: small, provider: near, max_output_tokens: 1000}
  - {name: large, provider: far, max_output_tokens: 16000}
teams: [{name: red}, {name: blue}, {name: idle}]
apps:
  - {name: shop, team: red, limits: {requests_per_minute: 60, concurrency: 4}, key_limits: {concurrency: 2}}
  - {name: desk, team: red}
  - {name: lab, team: blue}
limits:
"""


def load(*limits: str) -> tuple[LimitSpec, ...]:
    return load_text(BASE + "".join(f"  - {{{one}}}\n" for one in limits), "f.yaml", ()).limits


def problems(*limits: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(*limits)
    return [str(problem).removeprefix("f.yaml:") for problem in caught.value.problems]


def test_a_limit_becomes_its_spec() -> None:
    *_, found = load(
        "name: agents, scope: [model, app], unit: total_tokens, amount: 90000, window: 1h, "
        "match: {teams: [red], models: [small]}"
    )
    assert (found.name, found.unit, found.amount, found.window_ms) == ("agents", Unit.TOTAL_TOKENS, 90_000, 3_600_000)
    assert found.scope == (Dimension.APP, Dimension.MODEL)
    assert (found.apps, found.models, found.providers) == (("desk", "shop"), ("small",), ())


def test_an_apps_own_limits_are_limits_like_others() -> None:
    found = load("name: all, scope: [global], unit: concurrent_requests, amount: 9")
    assert [(spec.name, spec.scope, spec.unit, spec.amount, spec.window_ms) for spec in found] == [
        ("apps.shop.limits.requests_per_minute", (Dimension.APP,), Unit.REQUESTS, 60, 60_000),
        ("apps.shop.limits.concurrency", (Dimension.APP,), Unit.CONCURRENT_REQUESTS, 4, 0),
        ("apps.shop.key_limits.concurrency", (Dimension.KEY,), Unit.CONCURRENT_REQUESTS, 2, 0),
        ("all", (Dimension.GLOBAL,), Unit.CONCURRENT_REQUESTS, 9, 0),
    ]


@pytest.mark.parametrize(
    ("limit", "problem"),
    [
        ("name: a, scope: [app], unit: requests, amount: 5", "limits[0].window: is missing"),
        (
            "name: a, scope: [app], unit: concurrent_streams, amount: 5, window: 1m",
            "limits[0].window: what is counted at a time has no window",
        ),
        ("name: a, scope: [app], unit: requests, amount: 5, window: 25h", 'limits[0].window: "25h" is not between'),
        ("name: a, scope: [app], unit: requests, amount: 5, window: 900ms", '"900ms" is not between'),
        ("name: a, scope: [app], unit: requests, amount: 0, window: 1m", "limits[0].amount: 0 is not between 1 and"),
        ("name: a, scope: [app], unit: requests, amount: -3, window: 1m", 'limits[0].amount: "-3" is negative'),
        (
            "name: a, scope: [app], unit: requests, amount: 10000000000000, window: 1m",
            "limits[0].amount: 10000000000000 is not between",
        ),
        ("name: a, scope: [], unit: requests, amount: 5, window: 1m", "limits[0].scope: an empty list is ambiguous"),
        ("name: a, scope: [moon], unit: requests, amount: 5, window: 1m", 'limits[0].scope[0]: "moon" is not one of'),
        (
            "name: a, scope: [app, app], unit: requests, amount: 5, window: 1m",
            'limits[0].scope[1]: "app" is written twice',
        ),
        (
            "name: a, scope: [global, app], unit: requests, amount: 5, window: 1m",
            "limits[0].scope: global counts everything together",
        ),
        (
            "name: a, scope: [app], unit: requests, amount: 5, window: 1m, match: {apps: [shpo]}",
            'limits[0].match.apps[0]: no app is called "shpo" (hint: did you mean "shop"?)',
        ),
        (
            "name: a, scope: [app], unit: requests, amount: 5, window: 1m, match: {teams: [blue], apps: [shop]}",
            "limits[0].match: no app is matched",
        ),
        (
            "name: a, scope: [app], unit: requests, amount: 5, window: 1m, match: {teams: [idle]}",
            "limits[0].match: no app is matched",
        ),
        (
            "name: a, scope: [app], unit: requests, amount: 5, window: 1m, match: {providers: [far], models: [small]}",
            "limits[0].match: no model is matched",
        ),
        (
            "name: a, scope: [app], unit: output_tokens, amount: 15, window: 1m",
            'limits[0].amount: less than max_output_tokens of the model "small", which is 1000',
        ),
        (
            "name: a, scope: [app], unit: total_tokens, amount: 15999, window: 1m, match: {providers: [far]}",
            'limits[0].amount: less than max_output_tokens of the model "large", which is 16000',
        ),
    ],
)
def test_what_could_not_be_kept_as_it_stands_is_refused(limit: str, problem: str) -> None:
    [found] = problems(limit)
    assert problem in found


def test_two_limits_of_one_name_are_refused() -> None:
    one = "name: a, scope: [app], unit: requests, amount: 5, window: 1m"
    assert problems(one, one) == ['13: limits[1].name: "a" is written twice; the first is on line 12']


def test_only_the_models_that_a_limit_counts_bound_its_amount() -> None:
    load("name: a, scope: [app], unit: output_tokens, amount: 1000, window: 1m, match: {models: [small]}")
    load("name: a, scope: [app], unit: input_tokens, amount: 1, window: 1m")


def guards(text: str) -> GuardSpec:
    return load_text(BASE.removesuffix("limits:\n") + f"guards: {text}\n", "f.yaml", ()).guards


def test_guards_are_off_unless_written() -> None:
    assert guards("{}") == GuardSpec()


def test_guards_become_their_spec() -> None:
    found = guards("{repeated_requests: {times: 5, window: 1m}, prompt: {max_bytes: 2KiB, max_tokens: 7}}")
    repeated = found.repeated_requests
    assert repeated is not None
    assert (repeated.name, repeated.amount, repeated.window_ms) == ("guards.repeated_requests", 5, 60_000)
    assert (found.prompt_bytes, found.prompt_tokens, found.failed_authentications) == (2048, 7, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{prompt: {max_bytes: 10MiB}}", "guards.prompt.max_bytes: never reached: server.max_body_bytes is 10485760"),
        ("{repeated_requests: {times: 0, window: 1m}}", "guards.repeated_requests.times: 0 is not between"),
        ("{failed_authentications: {times: 3}}", "guards.failed_authentications.window: is missing"),
    ],
)
def test_guards_that_could_not_hold_are_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        guards(text)
