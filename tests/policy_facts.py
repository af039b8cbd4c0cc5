"""Facts of a request for tests of the policy alone."""

from typing import Any

from gptgate.core.facts import PolicyFacts
from gptgate.core.snapshot import Stage


def facts(**given: Any) -> PolicyFacts:
    """A plain chat request of app ``a`` to model ``m``; any fact can be given."""
    plain: dict[str, Any] = {
        "stage": Stage.REQUEST,
        "request_id": "r1",
        "team": "t",
        "app": "a",
        "key_id": "k1",
        "end_user": "",
        "endpoint": "chat",
        "dialect": "openai",
        "stream": False,
        "max_output_tokens": 0,
        "choices": 1,
        "media": 0,
        "tools": (),
        "model": "m",
        "upstream_model": "m-1",
        "provider": "p",
        "location": "local",
        "session": "",
        "spent_nano": 0,
        "budget_nano": 0,
        "hour": 12,
        "weekday": 3,
    }
    return PolicyFacts(**{**plain, **given})
