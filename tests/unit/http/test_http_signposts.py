"""What a caller is told whose path is none of ours."""

import pytest

from gptgate.core.wire import PATHS
from gptgate.http.signposts import signpost


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/chat/completions", "/v1/chat/completions"),  # an OpenAI client without /v1
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/v1/messages", "/v1/messages"),  # an Anthropic client with /v1
        ("/v1/v1/messages/count_tokens", "/v1/messages/count_tokens"),
        ("/messages", "/v1/messages"),  # one that wants /v1, without
        ("//v1/chat/completions", "/v1/chat/completions"),
        ("/v1//embeddings", "/v1/embeddings"),
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("/v1/chat/completions/chat/completions", "/v1/chat/completions"),
        ("/openai/deployments/gpt-4o/chat/completions", "/v1/chat/completions"),
        ("/v1/models/", "/v1/models"),
    ],
)
def test_a_base_url_that_is_not_right_is_told_of_with_the_path_that_is(path: str, meant: str) -> None:
    assert f"did you mean {meant}? Check the base URL" in signpost(path)


@pytest.mark.parametrize(
    ("path", "instead"),
    [
        ("/v1/responses", "chat completions, /v1/chat/completions"),
        ("/v1/responses/resp_1/cancel", "chat completions, /v1/chat/completions"),
        ("/responses", "chat completions, /v1/chat/completions"),
        ("/v1/completions", "Use /v1/chat/completions"),
        ("/v1/complete", "Use /v1/messages"),
        ("/v1/chat/completions/chatcmpl-1/messages-of", "Stored chat completions"),
        ("/v1/messages/batches", "Send each request by itself"),
        ("/v1/batches/batch_1", "Send each request by itself"),
        ("/v1/files", "content into the request"),
    ],
)
def test_an_api_that_is_not_served_is_named_with_what_to_do(path: str, instead: str) -> None:
    message = signpost(path)
    assert "not served" in message
    assert instead in message


@pytest.mark.parametrize("path", ["/", "", "//", "/v1", "/v1/images/generations", "/metrics", "/wp-login.php"])
def test_of_any_other_path_all_are_listed(path: str) -> None:
    message = signpost(path)
    assert all(served in message for served in PATHS)


def test_the_path_is_not_repeated() -> None:
    for path in ("/v1/files/sk-secret", "/sk-secret/chat/completions", "/sk-secret"):
        assert "sk-secret" not in signpost(path)
