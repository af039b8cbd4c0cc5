"""Circumstances that make a finding weigh more."""

from typing import Any

import pytest

from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import Stage
from gptgate.policy.score import CONTEXT, assess
from policy_facts import facts


def found(kind: str, points: int = 20, origin: Origin = Origin.USER) -> Finding:
    return Finding(kind, origin, "/x", 0, 4, "test", points)


@pytest.mark.parametrize(
    ("findings", "given", "expected"),
    [
        ((found("attack.x"),), {}, {}),
        ((found("attack.x", origin=Origin.TOOL_RESULT),), {}, {"context.untrusted_origin"}),
        ((found("attack.x", origin=Origin.OTHER),), {}, {"context.untrusted_origin"}),
        ((found("pii.email", origin=Origin.TOOL_RESULT), found("attack.x")), {}, {}),
        ((found("attack.x"),), {"tools": ("shell",)}, {"context.tools_in_reach"}),
        ((found("pii.email"),), {"tools": ("shell",)}, {}),
        ((found("pii.email"),), {"location": "cloud"}, {"context.outside"}),
        ((found("pii.email"),), {"location": "cloud", "stage": Stage.RESPONSE}, {}),
        ((found("secret.aws"),), {"location": "cloud"}, {}),
        ((), {"location": "cloud", "tools": ("shell",)}, {}),
    ],
)
def test_which_circumstances_count(findings: tuple[Finding, ...], given: dict[str, Any], expected: set[str]) -> None:
    plain, there = assess(findings), assess(findings, facts=facts(**given))
    assert dict(there.parts).keys() - dict(plain.parts).keys() == set(expected)
    assert there.score == plain.score + sum(CONTEXT[name] for name in expected)


def test_the_example_of_the_explanation() -> None:
    page = (found("attack.a", 50, Origin.TOOL_RESULT), found("attack.b", 40, Origin.TOOL_RESULT))
    there = assess(page, facts=facts(tools=("browse",)))
    assert there.score == 75
    assert there.parts == (("attack", 60), ("context.tools_in_reach", 5), ("context.untrusted_origin", 10))
