"""What is said of a condition's words, before an engine sees them."""

import pytest

from gptgate.policy.cel import examine
from gptgate.policy.expression import MAX_CHARACTERS, faults


@pytest.mark.parametrize(
    "text",
    [
        "findings[0].kid == 'x'",
        "findings[0]['kid'] == 'x'",
        "findings.exists(x, x.kid == 'x')",
        "findings.exists(x, x['kid'] == 'x')",
        "findings.exists(x, x.kid",
    ],
)
def test_a_member_that_no_finding_has_is_named(text: str) -> None:
    (fault,) = faults(text)
    assert "a finding has no member" in fault.message
    assert "kid" in fault.message


@pytest.mark.parametrize(
    "text",
    [
        "findings[0].kind == 'x'",
        "findings.exists(x, x['kind'] == 'x')",
        "findings.exists(x, principal.x.kid == 1)",
        "kinds['pii.email'] > 0",
        "kinds[0].kid == 1",
        "findings.exists(x, x",
        "findings.exists(x, x.",
        "findings[0]",
    ],
)
def test_other_members_are_left_to_the_engine(text: str) -> None:
    assert [fault.message for fault in faults(text) if "member" in fault.message] == []


def test_a_condition_may_have_as_many_characters_as_are_allowed() -> None:
    assert examine("true".ljust(MAX_CHARACTERS)).faults == ()
    assert len(examine("true".ljust(MAX_CHARACTERS + 1)).faults) == 1
