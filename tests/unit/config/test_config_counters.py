"""The section `counters`."""

import pytest

from gptgate.config.load import load_text
from gptgate.config.problem import ConfigError
from gptgate.core.beside import CountersSpec
from gptgate.core.snapshot import SecretRef

BASE = "version: 1\nteams: [{name: t}]\n"
APPS = "apps: [{name: a, team: t, budget: {monthly_usd: @}}]\n"
COUNTERS = "counters: {url: 'redis://127.0.0.1:6379/0'}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, "f", ())
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def test_without_the_section_nothing_is_shared() -> None:
    assert load_text(BASE, "f", ()).counters is None


def test_the_section_with_its_defaults() -> None:
    found = load_text(BASE + COUNTERS, "f", ()).counters
    assert found == CountersSpec(
        url="redis://127.0.0.1:6379/0", user="", credential=None, prefix="gptgate", timeout_ms=1000
    )


def test_everything_that_can_be_written() -> None:
    text = (
        "counters: {url: 'rediss://v.internal', user: u, credential: env:P, ca: /a.pem, cert: /c.pem, key: /k.pem, "
        "prefix: x, timeout: 250ms}\n"
    )
    assert load_text(BASE + text, "f", ()).counters == CountersSpec(
        url="rediss://v.internal",
        user="u",
        credential=SecretRef("env", "P"),
        ca="/a.pem",
        cert="/c.pem",
        key="/k.pem",
        prefix="x",
        timeout_ms=250,
    )


def test_certificates_for_a_connection_without_tls_are_refused() -> None:
    for name, more in (("ca", ""), ("cert", ""), ("key", ", cert: /c.pem")):
        found = problems(BASE + COUNTERS.replace("}", f", {name}: /a.pem{more}}}"))
        assert f"counters.{name}: only a connection with TLS has certificates" in found


def test_a_key_without_its_certificate_is_refused() -> None:
    text = BASE + COUNTERS.replace("redis:", "rediss:").replace("}", ", key: /k.pem}")
    assert problems(text) == ["counters.key: has no effect without the certificate that it belongs to"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:6379",
        "127.0.0.1:6379",
        "redis://",
        "redis://127.0.0.1:0",
        "redis://127.0.0.1:99999",
        "redis://127.0.0.1/x",
        "redis://127.0.0.1/0?ssl=no",
        "redis://:hunter2@127.0.0.1",
    ],
)
def test_what_is_no_address_is_refused_and_no_password_is_repeated(url: str) -> None:
    (problem,) = problems(f"{BASE}counters: {{url: '{url}'}}\n")
    assert problem.startswith("counters.url: ")
    assert "hunter2" not in problem


def test_a_hard_budget_past_what_the_scripts_compare_exactly_is_refused() -> None:
    most = BASE + COUNTERS + APPS.replace("@", '"9007199.25"')
    assert load_text(most, "f", ()).counters
    more = BASE + COUNTERS + APPS.replace("@", '"9007199.26"')
    assert problems(more) == [
        "apps[0].budget.monthly_usd: more dollars than shared counters can hold to the last digit: 9007199"
    ]
    assert load_text(more.replace(COUNTERS, ""), "f", ()).counters is None
    written = "budgets: [{name: b, scope: [app], unit: usd, amount: '9007199.26', window: month, mode: @}]\n"
    assert len(problems(BASE + COUNTERS + written.replace("@", "hard"))) == 1
    assert load_text(BASE + COUNTERS + written.replace("@", "soft"), "f", ()).counters
    assert load_text(
        BASE + COUNTERS + written.replace("usd", "tokens").replace(".26", "").replace("@", "hard"), "f", ()
    )
