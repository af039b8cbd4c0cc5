"""The first file of a new installation loads, and says what it offers."""

import itertools

import genai_prices
import pytest
from genai_prices.types import Usage

from gptgate.config.load import load_text
from gptgate.config.starter import starter_yaml
from gptgate.core.snapshot import Effect, Stage
from gptgate.detectors.registry import KINDS

LOCAL = [(None, None), ("http://127.0.0.1:11434/v1", "llama3.2:1b")]


@pytest.mark.parametrize(("openai", "anthropic", "local"), list(itertools.product([True, False], [True, False], LOCAL)))
def test_every_variant_loads_and_offers_what_was_found(
    openai: bool, anthropic: bool, local: tuple[str | None, str | None]
) -> None:
    text = starter_yaml(openai=openai, anthropic=anthropic, local_url=local[0], local_model=local[1])
    found = load_text(text, "gptgate.yaml", KINDS)
    assert ("openai" in found.providers, "anthropic" in found.providers) == (openai, anthropic)
    assert {"sim-gpt", "sim-claude", "sim-embed"} <= set(found.models)
    assert ("llama3.2:1b" in found.models) == (local[1] is not None)
    assert {model.provider for model in found.models.values()} == set(found.providers)
    if local[0] is not None:
        assert found.providers["local"].base_url == "http://127.0.0.1:11434"
        assert found.models["llama3.2:1b"].location == "local"


def test_what_is_commented_out_loads_when_it_is_commented_in() -> None:
    text = starter_yaml(openai=False, anthropic=False, local_url=None, local_model=None)
    lines = [
        "  " + line[4:] if line.startswith("  # ") and ("name:" in line or line.startswith("  #   ")) else line
        for line in text.splitlines()
    ]
    found = load_text("\n".join(lines), "f", KINDS)
    assert set(found.providers) == {"simulator", "openai", "anthropic", "local"}
    assert len(found.models) == 8


def test_the_rules_limits_and_budget_of_the_demo() -> None:
    found = load_text(starter_yaml(openai=True, anthropic=True, local_url=None, local_model=None), "f", KINDS)
    app = found.apps["demo"]
    assert (app.team, app.monthly_budget_nano, app.content) == ("demo", 5_000_000_000, "redacted")
    assert app.limits.requests_per_minute == 600
    assert [(rule.stage, rule.effect) for rule in found.rules] == [
        (Stage.REQUEST, Effect.DENY),
        (Stage.REQUEST, Effect.FLAG),
        (Stage.REQUEST, Effect.REDACT),
        (Stage.REQUEST, Effect.REDACT),
        (Stage.RESPONSE, Effect.REDACT),
    ]
    assert found.rules[0].min_points == 60
    assert "system" not in found.rules[0].origins


def test_every_model_has_a_price() -> None:
    found = load_text(starter_yaml(openai=True, anthropic=True, local_url=None, local_model=None), "f", KINDS)
    for model in found.models.values():
        if model.price is None:
            usage = Usage(input_tokens=1_000_000, output_tokens=0)
            priced = genai_prices.calc_price(usage, model.upstream_name, provider_id=model.provider)
            assert priced.total_price > 0


def test_a_value_from_outside_cannot_add_settings() -> None:
    text = starter_yaml(openai=False, anthropic=False, local_url='http://h", evil: "1', local_model="m")
    assert '\\", evil' in text
    for url, model in (("http://h\n  evil: 1", "m"), ("http://h", None), (None, "m")):
        with pytest.raises(ValueError):
            starter_yaml(openai=False, anthropic=False, local_url=url, local_model=model)
