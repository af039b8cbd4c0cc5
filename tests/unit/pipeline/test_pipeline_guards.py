"""What the guards take for the same."""

from dataclasses import dataclass
from typing import Any, cast

import pytest

from gptgate.core.facts import ChatRequest
from gptgate.core.wire import Endpoint
from gptgate.pipeline.guards import network_of, normalised_digest


@dataclass
class Asked:
    """As much of a request as the digest looks at."""

    document: dict[str, Any]
    endpoint: Endpoint = Endpoint.CHAT


def digest(document: dict[str, Any], endpoint: Endpoint = Endpoint.CHAT) -> str:
    return normalised_digest(cast(ChatRequest, Asked(document, endpoint)))


def chat(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize(
    "other",
    [
        chat("fix  the\n\ttest"),
        chat("Fix The Test"),
        chat("fix the test", user="u", metadata={"a": 1}, stream=True, stream_options={"include_usage": True}, seed=4),
        {"messages": [{"content": "fix the test", "role": "user"}], "model": "m"},
    ],
)
def test_the_same(other: dict[str, Any]) -> None:
    assert digest(other) == digest(chat("fix the test"))


@pytest.mark.parametrize(
    "other",
    [chat("fix the tests"), chat("fixthe test"), chat("fix the test", temperature=1), chat("fix the test", model="n")],
)
def test_not_the_same(other: dict[str, Any]) -> None:
    assert digest(other) != digest(chat("fix the test"))


def test_another_endpoint_is_another_request() -> None:
    assert digest(chat("a"), Endpoint.MESSAGES) != digest(chat("a"))


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_networks(peer: str, network: str) -> None:
    assert network_of(peer) == network
