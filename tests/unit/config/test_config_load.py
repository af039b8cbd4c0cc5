"""Every way in which a file can be wrong is refused with its line, its path and no secret."""

import os
from pathlib import Path

import pytest

from gptgate.config.load import load_file, load_text
from gptgate.config.problem import ConfigError
from gptgate.core.price import PriceOverride, ToolFee
from gptgate.core.snapshot import Effect, Limits, ProviderKind, SecretRef

KINDS = frozenset(
    {"pii.email", "pii.payment_card", "attack.override", "secret.aws", "secret.openai", "unscannable.image"}
)
CANARY = "sk-canary0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH"

GOOD = """\
version: 1
server: {data: "[::1]:9000", control: localhost:9001, max_body_bytes: 512KiB, drain: 0s, store_timeout: 500ms}
providers:
  - {name: openai, kind: openai, credential: env:OPENAI_API_KEY, timeouts: {connect: 1s}, retries: 0}
  - {name: near, kind: openai_compatible, base_url: "http://LOCALHOST:11434/v1/"}
  - {name: far, kind: openai_compatible, base_url: https://llm.example/base/v1, finish_on_disconnect: true}
  - {name: simulator, kind: simulator}
models:
  - {name: gpt, provider: openai, upstream_name: gpt-4o-mini, price: {input_per_million: 0.15, output_per_million: 0.6},
     provider_tools: [{name: web_search, per_thousand_uses: 25}]}
  - {name: org/model:7b, provider: near, price: free}
  - name: far
    provider: far
    location: local
    context_window: 8192
    max_output_tokens: 100
    price:
      input_per_million: 1
      output_per_million: 2
      audio_input_per_million: 3
      audio_output_per_million: 4
      image_input_per_million: 5
      image_output_per_million: 6
    provider_tools: [{name: web_search, per_thousand_uses: 10, most_uses: 3}, {name: mcp, per_thousand_uses: 0}]
  - {name: away, provider: far}
  - {name: sim, provider: simulator}
teams: [{name: b}, {name: a}]
apps:
  - {name: web, team: a, models: [sim, gpt], limits: {requests_per_minute: 60}, key_limits: {concurrency: 2}}
  - {name: batch, team: b, budget: {monthly_usd: 12.000000001}, content: none}
policy:
  rules:
    - {id: z, stage: request, effect: deny, findings: [secret.*, pii.email], origins: [user, system], message: No.}
    - {id: a, stage: response, effect: redact, findings: ["*"], apps: [web], models: [sim]}
    - {id: m, stage: request, effect: flag, min_score: 60}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "f.yaml", KINDS)
    return str(caught.value).splitlines()


def test_a_whole_file_becomes_the_snapshot_it_describes() -> None:
    found = load_text(GOOD, "f.yaml", KINDS)
    server = found.server
    assert (server.data_host, server.data_port, server.control_host) == ("::1", 9000, "localhost")
    assert (server.max_body_bytes, server.drain_ms, server.store_timeout_ms) == (512 * 1024, 0, 500)
    openai = found.providers["openai"]
    assert openai.kind is ProviderKind.OPENAI
    assert (openai.base_url, openai.credential) == ("https://api.openai.com", SecretRef("env", "OPENAI_API_KEY"))
    assert (openai.connect_timeout_ms, openai.first_byte_timeout_ms, openai.retries) == (1000, 60_000, 0)
    assert found.providers["near"].base_url == "http://localhost:11434"
    assert found.providers["far"].base_url == "https://llm.example/base"
    assert found.providers["far"].finish_on_disconnect
    assert found.providers["simulator"].base_url == ""
    gpt = found.models["gpt"]
    assert gpt.upstream_name == "gpt-4o-mini"
    assert gpt.price == PriceOverride(input=150_000_000, output=600_000_000)
    assert found.models["org/model:7b"].price == PriceOverride(free=True)
    assert found.models["far"].price == PriceOverride(
        input=1_000_000_000,
        output=2_000_000_000,
        audio_input=3_000_000_000,
        audio_output=4_000_000_000,
        image_input=5_000_000_000,
        image_output=6_000_000_000,
    )
    fees = {"web_search": ToolFee(thousand=10_000_000_000, most=3), "mcp": ToolFee(thousand=0, most=10)}
    assert found.models["far"].provider_tools == fees
    assert gpt.provider_tools == {"web_search": ToolFee(thousand=25_000_000_000, most=1)}
    assert {name: model.location for name, model in found.models.items()} == {
        "away": "cloud",
        "far": "local",
        "gpt": "cloud",
        "org/model:7b": "local",
        "sim": "local",
    }
    assert (found.models["far"].context_window, found.models["far"].max_output_tokens) == (8192, 100)
    assert found.teams == ("a", "b")
    web, batch = found.apps["web"], found.apps["batch"]
    assert web.models == ("gpt", "sim")
    assert (web.limits, web.key_limits) == (Limits(requests_per_minute=60), Limits(concurrency=2))
    assert (web.monthly_budget_nano, web.content) == (None, "redacted")
    assert (batch.monthly_budget_nano, batch.content) == (12_000_000_001, "none")
    assert [rule.id for rule in found.rules] == ["z", "a", "m"]
    assert found.rules[0].effect is Effect.DENY
    assert found.rules[0].findings == ("pii.email", "secret.*")
    assert found.rules[0].origins == ("system", "user")
    assert found.rules[2].min_score == 60


def test_anything_optional_may_be_absent() -> None:
    found = load_text("version: 1", "f.yaml", KINDS)
    assert found.server.data_port == 8080
    assert found.rules == ()


BASE = """\
version: 1
providers: [{name: sim, kind: simulator}]
models: [{name: m, provider: sim}]
teams: [{name: t}]
apps: [{name: app, team: t}]
"""

CASES = {
    # case: (text after BASE's five lines, or a whole text beginning with "version"; what the line must be)
    "unknown key": ("serve: {}", 'f.yaml:6: unknown key "serve" (hint: did you mean "server"?)'),
    "unknown key, nested": (
        "server:\n  dat: 1",
        'f.yaml:7: server: unknown key "dat" (hint: did you mean "data"?)',
    ),
    "duplicate key": ("server: {}\nserver: {}", 'f.yaml:7: the key "server" is written twice; the first is on line 6'),
    "a list for a mapping": ("server: []", "f.yaml:6: server: expected a mapping (key: value), found a list"),
    "a value for a list": ("policy: {rules: x}", "f.yaml:6: policy.rules: expected a list, found a single value"),
    "nothing for a mapping": (
        "server:",
        "f.yaml:6: server: expected a mapping (key: value), found nothing (hint: write a value, or remove the line)",
    ),
    "a mapping for a value": (
        "server: {drain: {a: 1}}",
        "f.yaml:6: server.drain: expected duration, found a mapping",
    ),
    "a key that is no word": ("[a]: 1", "f.yaml:6: a key must be a plain word"),
    "no unit": (
        "server:\n  drain: 10",
        'f.yaml:7: server.drain: "10" is not a duration (hint: a whole number with its unit: 500ms, 10s, 5m, 1h, 7d)',
    ),
    "negative duration": ("server: {drain: -5s}", 'f.yaml:6: server.drain: "-5s" is negative'),
    "no time at all": (
        "server: {body_timeout: 0s}",
        'f.yaml:6: server.body_timeout: "0s" is not between 1 ms and 1 day',
    ),
    "size": (
        "server: {max_body_bytes: 10Mb}",
        'f.yaml:6: server.max_body_bytes: "10Mb" is not a size '
        "(hint: a number of bytes, or with a unit: 512KiB, 10MiB, 1GiB)",
    ),
    "negative size": ("server: {max_body_bytes: -1}", 'f.yaml:6: server.max_body_bytes: "-1" is negative'),
    "address": (
        "server: {data: 8080}",
        'f.yaml:6: server.data: "8080" is not an address to listen on '
        "(hint: host:port, such as 127.0.0.1:8080 or [::1]:8080)",
    ),
    "one address for both": (
        "server: {control: 127.0.0.1:8080}",
        "f.yaml:6: server.control: the data plane and the control plane cannot share an address",
    ),
    "duplicate rule": (
        "policy:\n  rules:\n    - {id: r, stage: request, effect: flag}\n    - {id: r, stage: request, effect: allow}",
        'f.yaml:9: policy.rules[1].id: "r" is written twice; the first is on line 8',
    ),
    "bad effect": (
        "policy: {rules: [{id: r, stage: request, effect: denny}]}",
        'f.yaml:6: policy.rules[0].effect: "denny" is not one of: '
        "allow, flag, pseudonymise, mask, hash, redact, route, require_approval, deny "
        '(hint: did you mean "deny"?)',
    ),
    "an effect that nobody may write": (
        "policy: {rules: [{id: r, stage: request, effect: allowed_on_failure}]}",
        'f.yaml:6: policy.rules[0].effect: "allowed_on_failure" is not one of: '
        "allow, flag, pseudonymise, mask, hash, redact, route, require_approval, deny",
    ),
    "an answer that waits": (
        "policy: {rules: [{id: r, stage: response, effect: require_approval}]}",
        "f.yaml:6: policy.rules[0].effect: an answer cannot wait for an approval: nobody could repeat it "
        "(hint: stage: request)",
    ),
    "rule names no app": (
        "policy: {rules: [{id: r, stage: request, effect: flag, apps: [ap]}]}",
        'f.yaml:6: policy.rules[0].apps[0]: no app is called "ap" (hint: did you mean "app"?)',
    ),
    "rule names no model": (
        "policy: {rules: [{id: r, stage: request, effect: flag, models: [x]}]}",
        'f.yaml:6: policy.rules[0].models[0]: no model is called "x"',
    ),
    "a kind nobody reports": (
        "policy: {rules: [{id: r, stage: request, effect: flag, findings: [pii.emial]}]}",
        'f.yaml:6: policy.rules[0].findings[0]: "pii.emial" matches no kind of finding '
        '(hint: did you mean "pii.email"?)',
    ),
    "a long kind nobody reports": (
        "policy: {rules: [{id: r, stage: request, effect: flag, findings: [secret.a_kind_of_more_than_32_letters]}]}",
        'f.yaml:6: policy.rules[0].findings[0]: "secret.a_kind_of_more_than_32_letters" matches no kind of finding '
        "(hint: known: attack.*, pii.*, secret.*, unscannable.*)",
    ),
    "a key where a kind belongs": (
        "policy: {rules: [{id: r, stage: request, effect: flag, findings: [0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c]}]}",
        "f.yaml:6: policy.rules[0].findings[0]: a value of 38 characters matches no kind of finding "
        "(hint: known: attack.*, pii.*, secret.*, unscannable.*)",
    ),
    "what is too long for a kind": (
        f"policy: {{rules: [{{id: r, stage: request, effect: flag, findings: [pii.{'x' * 61}]}}]}}",
        "f.yaml:6: policy.rules[0].findings[0]: a value of 65 characters matches no kind of finding "
        "(hint: known: attack.*, pii.*, secret.*, unscannable.*)",
    ),
    "redacting what nobody reads": (
        "policy: {rules: [{id: r, stage: request, effect: redact, findings: [unscannable.image]}]}",
        "f.yaml:6: policy.rules[0].findings[0]: nothing can be cut out of what was not read "
        "(hint: effect: deny or flag)",
    ),
    "a prefix nobody reports": (
        "policy: {rules: [{id: r, stage: request, effect: flag, findings: [x.*]}]}",
        'f.yaml:6: policy.rules[0].findings[0]: "x.*" matches no kind of finding '
        "(hint: known: attack.*, pii.*, secret.*, unscannable.*)",
    ),
    "not a pattern": (
        "policy: {rules: [{id: r, stage: request, effect: flag, findings: [pii*]}]}",
        'f.yaml:6: policy.rules[0].findings[0]: "pii*" is not a kind pattern '
        "(hint: a kind (pii.email), a prefix (secret.*), or *)",
    ),
    "empty findings": (
        "policy: {rules: [{id: r, stage: request, effect: flag, findings: []}]}",
        "f.yaml:6: policy.rules[0].findings: an empty list is ambiguous (hint: remove the line to mean all of them)",
    ),
    "origins without findings": (
        "policy: {rules: [{id: r, stage: request, effect: flag, origins: [user]}]}",
        "f.yaml:6: policy.rules[0].origins: has no effect without findings, whose origins it names "
        '(hint: findings: ["*"])',
    ),
    "redact nothing": (
        "policy: {rules: [{id: r, stage: request, effect: redact}]}",
        "f.yaml:6: policy.rules[0].findings: is missing: a redact rule must say what it is about",
    ),
    "redact answers by score": (
        "policy:\n  rules:\n    - id: r\n      stage: response\n      effect: redact\n      findings: [secret.*]\n"
        "      min_score: 50",
        "f.yaml:12: policy.rules[0].min_score: a stream's text is released before the score and the findings of the "
        "whole answer are known (hint: a redact rule on responses takes no condition on them)",
    ),
    "pseudonymise answers": (
        "policy: {rules: [{id: r, stage: response, effect: pseudonymise, findings: [pii.*]}]}",
        "f.yaml:6: policy.rules[0].effect: an answer is not pseudonymised: nothing would ever restore it "
        "(hint: redact, mask or hash)",
    ),
    "mask answers by score": (
        "policy: {rules: [{id: r, stage: response, effect: mask, findings: [pii.*], min_score: 1}]}",
        "f.yaml:6: policy.rules[0].min_score: a stream's text is released before the score and the findings of the "
        "whole answer are known (hint: a mask rule on responses takes no condition on them)",
    ),
    "hash nothing": (
        "policy: {rules: [{id: r, stage: request, effect: hash}]}",
        "f.yaml:6: policy.rules[0].findings: is missing: a hash rule must say what it is about",
    ),
    "obligations on answers": (
        "policy: {rules: [{id: r, stage: response, effect: flag, obligations: {strip_tools: true}}]}",
        "f.yaml:6: policy.rules[0].obligations.strip_tools: has no effect: it changes what is sent, and an answer has "
        "come already",
    ),
    "obligations of a denial": (
        "policy: {rules: [{id: r, stage: request, effect: deny, obligations: {notice: hello}}]}",
        "f.yaml:6: policy.rules[0].obligations: has no effect: a denied request is not sent",
    ),
    "a route to nowhere": (
        "policy: {rules: [{id: r, stage: request, effect: route}]}",
        "f.yaml:6: policy.rules[0].obligations.route_to: is missing: a route rule must say where to",
    ),
    "a cap that is none": (
        "policy: {rules: [{id: r, stage: request, effect: flag, obligations: {max_output_tokens: 0}}]}",
        "f.yaml:6: policy.rules[0].obligations.max_output_tokens: 0 is not between 1 and 10000000",
    ),
    "message that nobody reads": (
        "policy: {rules: [{id: r, stage: request, effect: flag, message: hello}]}",
        "f.yaml:6: policy.rules[0].message: has no effect: only a denied caller is told anything",
    ),
    "score out of range": (
        "policy: {rules: [{id: r, stage: request, effect: flag, min_score: 101}]}",
        "f.yaml:6: policy.rules[0].min_score: 101 is not between 0 and 100",
    ),
    "missing": ("policy: {rules: [{id: r, stage: request}]}", "f.yaml:6: policy.rules[0].effect: is missing"),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_one_problem_gives_one_line_with_its_place(text: str, expected: str) -> None:
    assert problems(BASE + text) == [expected]


PROVIDER = {
    "kind": ("kind: opnai", 'providers[0].kind: "opnai" is not one of', 'did you mean "openai"?'),
    "no url": ("kind: openai_compatible", "providers[0].base_url: is missing", "11434"),
    "no credential": ("kind: openai", "providers[0].credential: is missing", "env:NAME"),
    "credential in a simulator": ("kind: simulator, credential: env:A", "providers[0].credential: a simulator", "url"),
    "scheme": ("kind: simulator, base_url: ftp://h", "providers[0].base_url: the URL must begin with", "https"),
    "no host": ("kind: simulator, base_url: 'http://'", "providers[0].base_url: not a URL of a host", ""),
    "port": ("kind: simulator, base_url: 'http://h:99999'", "providers[0].base_url: not a URL", ""),
    "query": ("kind: simulator, base_url: 'http://h/?a=b'", "providers[0].base_url: the URL must not have", ""),
    "fragment": ("kind: simulator, base_url: 'http://h/#a'", "providers[0].base_url: the URL must not have", ""),
    "climbing path": ("kind: simulator, base_url: 'http://h/../x'", "providers[0].base_url: not a URL of a host", ""),
    "retries": ("kind: simulator, retries: -1", 'providers[0].retries: "-1" is negative', ""),
    "float": ("kind: simulator, retries: 1.0", "providers[0].retries: expected a whole number", ""),
    "octal": ("kind: simulator, retries: 010", "providers[0].retries: expected a whole number", ""),
    "yes": ("kind: simulator, finish_on_disconnect: yes", "finish_on_disconnect: expected true or false", ""),
}


@pytest.mark.parametrize(("fields", "start", "hint"), PROVIDER.values(), ids=PROVIDER.keys())
def test_providers_that_cannot_work_are_refused(fields: str, start: str, hint: str) -> None:
    found = problems(f"version: 1\nproviders:\n  - {{name: p, {fields}}}")
    assert len(found) == 1
    assert found[0].startswith("f.yaml:3: ")
    assert start in found[0]
    assert hint in found[0]


MODEL = {
    "provider": ("provider: smi", 'models[0].provider: no provider is called "smi" (hint: did you mean "sim"?)'),
    "price word": ("provider: sim, price: fre", 'models[0].price: "fre" is not one of: free'),
    "negative price": (
        'provider: sim, price: {input_per_million: "-1", output_per_million: "1"}',
        'models[0].price.input_per_million: "-1" is negative',
    ),
    "half a price": ("provider: sim, price: {input_per_million: 1}", "models[0].price.output_per_million: is missing"),
    "exponent": (
        "provider: sim, price: {input_per_million: 1e999999999, output_per_million: 1}",
        'models[0].price.input_per_million: "1e999999999" is not an amount',
    ),
    "less than a nano-dollar": (
        "provider: sim, price: {input_per_million: 0.0000000001, output_per_million: 1}",
        "models[0].price.input_per_million: ",
    ),
    "fees of what is free": (
        "provider: sim, price: free, provider_tools: [{name: mcp, per_thousand_uses: 0}]",
        "models[0].provider_tools: has no effect: a model that is free has free tools "
        "(hint: write its price, or remove the section)",
    ),
    "a tool with its date": (
        "provider: sim, provider_tools: [{name: web_search_20250305, per_thousand_uses: 0}]",
        'models[0].provider_tools[0].name: "web_search_20250305" is not a',
    ),
    "a number for what is free": ("provider: sim, price: 0", "models[0].price: expected free, found"),
    "a tool with its version": (
        "provider: sim, provider_tools: [{name: Web-Search, per_thousand_uses: 0}]",
        'models[0].provider_tools[0].name: "Web-Search" is not a',
    ),
    "zeros": (
        'provider: sim, price: {input_per_million: "0", output_per_million: 0.00}',
        "models[0].price: a price of nothing but zeros (hint: price: free)",
    ),
    "location": ("provider: sim, location: moon", 'models[0].location: "moon" is not one of: cloud, local'),
    "tokens": ("provider: sim, max_output_tokens: 0", "models[0].max_output_tokens: 0 is not between 1"),
    "two lines": ('provider: sim, upstream_name: "a\\nb"', "models[0].upstream_name: expected one line"),
}


@pytest.mark.parametrize(("fields", "start"), MODEL.values(), ids=MODEL.keys())
def test_models_that_cannot_work_are_refused(fields: str, start: str) -> None:
    found = problems(f"version: 1\nproviders: [{{name: sim, kind: simulator}}]\nmodels:\n  - {{name: m, {fields}}}")
    assert len(found) == 1
    assert found[0].startswith("f.yaml:4: " + start)


@pytest.mark.parametrize("name", ["1", "true", "~", "''", "-a", "A", "a b", "é", "a" * 65])
def test_names_of_apps_have_one_alphabet(name: str) -> None:
    found = problems(f"version: 1\nteams: [{{name: t}}]\napps:\n  - {{name: {name}, team: t}}")
    assert len(found) == 1
    assert found[0].startswith("f.yaml:4: apps[0].name: ")


@pytest.mark.parametrize(
    ("section", "item"),
    [
        ("providers", "{name: sim, kind: simulator}"),
        ("teams", "{name: t}"),
        ("apps", "{name: app, team: t}"),
        ("models", "{name: m, provider: sim}"),
    ],
)
def test_a_name_stands_once(section: str, item: str) -> None:
    lines = BASE.splitlines()
    text = "\n".join(f"{section}:\n - {item}\n - {item}" if line.startswith(section) else line for line in lines)
    line = text.splitlines().index(f"{section}:") + 3
    name = item.split(",")[0].removeprefix("{name: ").removesuffix("}")
    assert problems(text) == [
        f'f.yaml:{line}: {section}[1].name: "{name}" is written twice; the first is on line {line - 1}'
    ]


def test_apps_refer_to_what_exists() -> None:
    found = problems(BASE.replace("{name: app, team: t}", "{name: app, team: x, models: [m, n, m]}"))
    assert found == [
        'f.yaml:5: apps[0].models[1]: no model is called "n"',
        'f.yaml:5: apps[0].models[2]: "m" is written twice; the first is on line 5',
        'f.yaml:5: apps[0].team: no team is called "x"',
    ]


def test_an_app_with_an_empty_list_of_models_is_a_mistake_not_an_app_with_all_models() -> None:
    (found,) = problems(BASE.replace("{name: app, team: t}", "{name: app, team: t, models: []}"))
    assert found.startswith("f.yaml:5: apps[0].models: an empty list")


@pytest.mark.parametrize("budget", ["-5", "five", "1_000", "0x10", ".5", "NaN", "1e3", "inf"])
def test_budgets_are_plain_amounts(budget: str) -> None:
    (found,) = problems(BASE.replace("team: t}]", f"team: t, budget: {{monthly_usd: {budget}}}}}]", 1))
    assert found.startswith("f.yaml:5: apps[0].budget.monthly_usd: ")


def test_limits_are_positive_whole_numbers() -> None:
    app = "team: t, limits: {requests_per_minute: -1, concurrency: 0}, key_limits: {concurrency: '5'}}"
    assert [line.split(": ", 2)[1] for line in problems(BASE.replace("team: t}", app))] == [
        "apps[0].key_limits.concurrency",
        "apps[0].limits.concurrency",
        "apps[0].limits.requests_per_minute",
    ]


def test_all_problems_come_at_once_in_the_order_of_lines() -> None:
    text = "version: 2\nproviders:\n- {name: P, kind: x}\nmodels:\n- {name: m, provider: q}\nteams: 1\n"
    found = problems(text)
    assert [int(line.split(":")[1]) for line in found] == [1, 3, 3, 5, 6]


SECRETS = [
    f"- {{name: p, kind: openai, credential: {CANARY}}}",
    f"- {{name: p, kind: openai, credential: 'env:{CANARY}'}}",
    f"- {{name: p, kind: openai, credential: 'file:{CANARY}'}}",
    f"- {{name: p, kind: openai, credential: 'bearer:{CANARY}'}}",
    f"- {{name: p, kind: openai, credential: [{CANARY}]}}",
    f"- {{name: p, kind: openai, credential: &{CANARY} x}}",
    f"- {{name: p, kind: openai, credential: *{CANARY}}}",
    f"- {{name: p, kind: openai, credential: !{CANARY} x}}",
    f"- {{name: p, kind: openai, credential: env:A, api_key: {CANARY}}}",
    f"- {{name: p, kind: openai, credential: env:A, {CANARY}: x}}",
    f"- {{name: p, kind: openai, credential: env:A, base_url: 'https://u:{CANARY}@host'}}",
    f"- {{name: p, kind: openai, credential: env:A, base_url: 'https://host/?key={CANARY}'}}",
    f"- {{name: p, kind: openai, credential: env:A, base_url: '{CANARY}'}}",
    f"- {{name: p, kind: {CANARY}, credential: env:A}}",
    f"- {{name: '{CANARY} ', kind: simulator}}",
    f"- {CANARY}",
    f"- {{name: p, kind: openai, credential: env:A, retries: {CANARY}}}",
    f"- {{name: p, kind: openai, credential: env:A, timeouts: {{idle: {CANARY}}}}}",
    f'- {{name: p, kind: openai, credential: "{CANARY}',
    f"- {{name: p, kind: openai, credential: %{CANARY}",
    f"- {{name: p, kind: openai, credential: {CANARY}\x00}}",
]


@pytest.mark.parametrize("item", SECRETS)
def test_a_secret_in_the_file_is_refused_and_never_repeated(item: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(f"version: 1\nproviders:\n  {item}\n", "f.yaml", KINDS)
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value.problems)
    assert caught.value.problems[0].line >= 2
    cause = caught.value.__cause__
    assert cause is None or CANARY not in str(cause)


def test_a_key_under_a_familiar_name_gets_the_right_hint() -> None:
    (found,) = problems("version: 1\nproviders:\n - {name: p, kind: openai, credential: env:A, api_key: x}")
    assert "credential: env:NAME" in found


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    for name, data, expected in (
        ("latin.yaml", b"version: 1\n# caf\xe9\n", "latin.yaml:2: is not UTF-8 text"),
        ("large.yaml", b"#" * (1 << 20) + b"\n", "large.yaml: the file is larger than 1048576 bytes"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ConfigError) as caught:
            load_file(tmp_path / name, KINDS)
        assert str(caught.value).endswith(expected)
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            load_file(path, KINDS)


def test_a_pipe_in_the_place_of_the_file_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gptgate.yaml")
    with pytest.raises(ConfigError, match="cannot be read: it is not a regular file"):
        load_file(tmp_path / "gptgate.yaml", KINDS)


def test_a_file_is_named_as_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "gptgate.yaml"
    path.write_text("version: 3", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_file(path, KINDS)
    assert caught.value.problems[0].file == str(path)
    path.write_text("version: 1", encoding="utf-8")
    assert load_file(path, KINDS) == load_text("version: 1", "other", KINDS)
