"""Rules that are in force without being written, in front of all others: the gateway's own keys stay its own."""

from gptgate.core.snapshot import Effect, RuleSpec, Stage

PREFIX = "gateway/"
"""What their ids begin with; no id in a configuration can."""


def _redact(id: str, stage: Stage, *findings: str) -> RuleSpec:
    return RuleSpec(
        id=PREFIX + id,
        stage=stage,
        effect=Effect.REDACT,
        findings=findings,
        origins=(),
        min_score=0,
        apps=(),
        models=(),
        message="",
    )


OWN_RULES = (
    _redact("redact-own-keys", Stage.REQUEST, "secret.provider_credential", "secret.gptgate_key"),
    _redact("redact-own-keys-in-answers", Stage.RESPONSE, "secret.provider_credential"),
)
