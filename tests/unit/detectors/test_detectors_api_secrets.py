import pytest

from detector_parts import Find

RANDOM = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3hJ5kL7nP9rS1uV3xY5zA7cD9eG1iJ3"


def random(length: int) -> str:
    return (RANDOM * 5)[:length]


SECRETS = [
    ("secret.openai", "sk-proj-" + random(120)),
    ("secret.openai", "sk-svcacct-" + random(58) + "_-" + random(14)),
    ("secret.openai", "sk-" + random(48)),
    ("secret.anthropic", "sk-ant-api03-" + random(93) + "AA"),
    ("secret.anthropic", "sk-ant-admin01-" + random(80)),
    ("secret.aws_access_key", "AKIA" + "IOSFODNN7EXAMPLE"),
    ("secret.aws_access_key", "ASIA" + "Y34FZKBOKMUTVV7A"),
    ("secret.github", "ghp_" + random(36)),
    ("secret.github", "ghs_" + random(36)),
    ("secret.github", "github_pat_" + random(22) + "_" + random(59)),
    ("secret.gitlab", "glpat-" + random(20)),
    ("secret.google_api_key", "AIza" + "Sy" + random(33)),
    ("secret.google_api_key", "AQ.Ab" + random(46)),
    ("secret.gitlab", "GR1348941" + random(20)),
    ("secret.slack", "xoxb-" + "263594206564-2343594206574-" + random(24)),
    ("secret.slack", "xapp-1-" + "A052FGTS2DL-5171572773297-" + "0123456789abcdef" * 4),
    ("secret.slack", "hooks.slack.com/" + "services/T024TTTTT/BBB72BBL/" + random(24)),
    ("secret.stripe", "sk_" + "live_" + random(24)),
    ("secret.stripe", "rk_" + "test_" + random(99)),
    ("secret.stripe", "whsec_" + random(32)),
    ("secret.huggingface", "hf_" + random(34)),
    ("secret.sendgrid", "SG." + random(22) + "." + random(43)),
    ("secret.npm", "npm_" + random(36)),
    ("secret.gptgate_key", "sk-gate-" + "abcdefghij12-" + random(43) + "-Ab12Cd"),
    ("secret.gptgate_key", "sk-gate-" + "abcdefghij12-" + random(43)),
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
@pytest.mark.parametrize(
    "frame", ["{}", "KEY={} #", '"key": "{}",', "`{}`.", "a\\n{}\\n", "Bearer {}\n", "key：{}。", "{}!"]
)
def test_secrets_are_found(find: Find, kind: str, secret: str, frame: str) -> None:
    assert find(frame.format(secret)) == [(kind, secret)]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
def test_invisible_characters_do_not_hide_a_secret(find: Find, kind: str, secret: str) -> None:
    hidden = secret[:2] + "\u200b" + secret[2:9] + "\u2060\u00ad" + secret[9:]
    assert find(f"use {hidden} please") == [(kind, hidden)]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
def test_the_words_before_and_after_are_not_part_of_it(find: Find, kind: str, secret: str) -> None:
    assert find("x" + secret) == []


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn and sk-proj-",
        "the task-force risk-assessment of desk-" + "a" * 10,
        "AKIA1234",
        "ghp_short",
        "ghp_" + random(36) + "_and_more",
        "AIza" + random(34),
        "AIza" + random(36),
        "xoxb-token",
        "hf_hub_download",
        "npm_config_registry",
        "SG.a.b",
        "sk_test_123",
        "sk-gate-abc-def",
    ],
)
def test_look_alikes_are_not(find: Find, text: str) -> None:
    assert find(text) == []
