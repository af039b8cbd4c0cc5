"""The detectors of providers' secrets: `ai_secrets` to `named_secrets`."""

import pytest

from detector_parts import Find
from gptgate.detectors import DETECTORS
from gptgate.detectors.forms import trigger_of
from secret_samples import NAMED, TOKENS, UUID, hexes, mixed

SAMPLES = [(detector, f"secret.{kind}", secret) for detector, rows in TOKENS.items() for kind, secret in rows]


@pytest.mark.parametrize(("detector", "kind", "secret"), SAMPLES)
@pytest.mark.parametrize("frame", ["{}", "use {} now", '"value": "{}",', "`{}`.", "a\\n{}\\n", "see：{}。"])
def test_tokens_are_found_wherever_they_stand(find: Find, frame: str, detector: str, kind: str, secret: str) -> None:
    assert (kind, secret) in find(frame.format(secret))
    assert kind in DETECTORS[detector].kinds


@pytest.mark.parametrize(("detector", "kind", "secret"), SAMPLES)
def test_a_token_is_not_the_tail_of_a_word(find: Find, detector: str, kind: str, secret: str) -> None:
    assert kind not in dict(find("x" + secret))


@pytest.mark.parametrize(("detector", "kind", "secret"), SAMPLES)
def test_a_token_that_was_blacked_out_is_none(find: Find, detector: str, kind: str, secret: str) -> None:
    blacked = secret[: len(secret) // 4] + "X" * (len(secret) - len(secret) // 4)
    assert kind not in dict(find(blacked))


@pytest.mark.parametrize(("kind", "before", "secret"), NAMED)
def test_named_secrets_are_found_without_their_names(find: Find, kind: str, before: str, secret: str) -> None:
    assert (f"secret.{kind}", secret) in find(f"{before}{secret}\n")
    assert f"secret.{kind}" not in dict(find(f"checksum {secret} of the file"))


@pytest.mark.parametrize(
    "text",
    [
        "the gsk_ prefix, r8_learning_rate, fw_update and pa-1",
        "hf_hub_download(repo) and sq0 and API-GATEWAY-REFERENCE-MANUAL",
        "sha256:" + hexes(64),
        "commit " + hexes(40) + " and image@sha256:" + hexes(64),
        "id " + UUID,
        "datadog is fun: we send " + hexes(16),
        "heroku: see https://example.com/" + mixed(12),
        "together: " + "the quick brown fox jumps",
        "snyk_token = <your token>",
        "https://hooks.zapier.com/hooks/catch/",
    ],
)
def test_look_alikes_are_not(find: Find, text: str) -> None:
    assert [kind for kind, _ in find(text) if kind.startswith("secret.")] == []


def test_there_are_at_least_150_formats_of_providers() -> None:
    kinds = {kind for name in (*TOKENS, "api_secrets", "named_secrets") for kind in DETECTORS[name].kinds}
    assert len(kinds) >= 150


def test_a_trigger_is_how_a_token_begins() -> None:
    assert trigger_of("ab_(?:live|test)_[a-f0-9]{40}").endswith("ab_(?:live|test)_(?:[a-f0-9]){12}")
    assert trigger_of("x[0-9]{1,3}-[a-z]*y").endswith("x(?:[0-9]){1,3}-")
