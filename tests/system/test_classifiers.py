"""External classifiers behind a whole gateway: both dialects, streams too; what is decided, recorded and counted."""

import json
from pathlib import Path

import pytest

from harness import APPS, PROVIDERS, SERVER, Gateway, running_gateway
from probes import records_of, send_raw
from raw_client import CHAT, MESSAGES, post, prompt
from scripted_provider import ScriptedProvider, scripted, whole

RULES = """\
classifiers:
  - {name: mod, kind: moderation, base_url: "@URL@", credential: env:GPTGATE_TEST_MOD, timeout: @TIMEOUT@@MORE@}
policy:
  rules:
    - {id: deny-hate, stage: request, effect: deny, findings: [external.mod.hate], message: "Not here."}
    - {id: redact-mail, stage: request, effect: redact, findings: [pii.email]}
"""
SECRET = "sk-moderation-canary-0123456789"


def verdict(score: float) -> list[bytes]:
    result = {"flagged": score > 0.5, "categories": {"hate": score > 0.5}, "category_scores": {"hate": score}}
    return whole(json.dumps({"results": [result]}).encode())


def config(judge: ScriptedProvider, more: str = "", timeout: str = "30s") -> str:
    rules = RULES.replace("@URL@", judge.base_url).replace("@MORE@", more).replace("@TIMEOUT@", timeout)
    return SERVER + PROVIDERS + APPS + rules


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPTGATE_TEST_MOD", SECRET)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_classifier_s_word_is_acted_on_in_every_dialect(tmp_path: Path, path: str, stream: bool) -> None:
    async with scripted(verdict(0.93), verdict(0.02)) as judge, running_gateway(tmp_path, config(judge)) as gateway:
        body = prompt("say hello to bob@example.org", path=path, stream=stream)
        refused = await send_raw(gateway.base_url, post(path, gateway.key, body))
        assert (refused.status, refused.headers["x-gptgate-error"]) == (403, "policy_denied")
        passed = await send_raw(gateway.base_url, post(path, gateway.key, body))
        assert passed.status == 200
        first, second = await records_of(gateway)
        assert (first.intent.effect, first.intent.opinions[0].labels) == ("deny", (("hate", 930),))
        assert (second.intent.effect, second.intent.opinions[0].labels) == ("redact", (("hate", 20),))
        shown = judge.requests[0]
        assert b"[redacted:pii.email]" in shown
        assert b"bob@example.org" not in shown
        assert f"authorization: Bearer {SECRET}".encode() in shown
        kept = json.dumps([str(first), str(second)]) + gateway.lines.getvalue().decode()
        assert SECRET not in kept


@pytest.mark.parametrize("script", [[None], whole(b"{}"), whole(b"", b"500 No")], ids=["silent", "nonsense", "failing"])
async def test_a_classifier_without_an_answer_refuses_or_lets_pass_as_configured(
    tmp_path: Path, script: list[bytes | None]
) -> None:
    timeout = "300ms" if script == [None] else "30s"
    async with scripted(script) as judge:
        async with running_gateway(tmp_path / "closed", config(judge, timeout=timeout)) as gateway:
            answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, prompt("hi", stream=False)))
            assert (answer.status, answer.headers["x-gptgate-error"]) == (503, "guard_failed")
            (record,) = await records_of(gateway)
            assert record.end is not None
            assert (record.end.state, record.end.code) == ("refused", "guard_failed")
            assert 'gptgate_classifier_opinions_total{classifier="mod",outcome="failed"} 1.0' in scraped(gateway)
            assert gateway.simulator.stats.requests == 0
        async with running_gateway(tmp_path / "open", config(judge, ", on_failure: open", timeout)) as gateway:
            answer = await send_raw(gateway.base_url, post(CHAT, gateway.key, prompt("hi", stream=False)))
            assert (answer.status, answer.headers["x-gptgate-effect"]) == (200, "allowed_on_failure")
            (record,) = await records_of(gateway)
            assert (record.intent.effect, record.intent.failures) == ("allowed_on_failure", ("external.mod",))
            found = scraped(gateway)
            assert 'gptgate_classifier_opinions_total{classifier="mod",outcome="allowed_on_failure"} 1.0' in found
            assert 'gptgate_effects_total{effect="allowed_on_failure"} 1.0' in found


def scraped(gateway: Gateway) -> str:
    return gateway.app.telemetry.scrape().decode()


async def test_a_renewed_secret_of_a_classifier_is_taken_at_the_next_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted(verdict(0.0)) as judge, running_gateway(tmp_path, config(judge)) as gateway:
        assert (await gateway.app.apply_config())[1] is False
        monkeypatch.setenv("GPTGATE_TEST_MOD", "sk-renewed")
        assert (await gateway.app.apply_config())[1] is True
        await send_raw(gateway.base_url, post(CHAT, gateway.key, prompt("hi", stream=False)))
        assert b"authorization: Bearer sk-renewed" in judge.requests[0]
