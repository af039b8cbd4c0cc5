"""Content that is not text: read where it holds text after all, and a finding where it does not. Both dialects."""

import base64
import json
from typing import Any

import pytest

from gptgate.core.document import read_object
from gptgate.core.errors import RedactionImpossible
from gptgate.core.facts import RawRequest
from gptgate.core.finding import Finding, Origin, Segment
from gptgate.core.snapshot import Effect
from gptgate.core.wire import Endpoint
from gptgate.detectors import build_inspector
from gptgate.pipeline.judge import rewriting_edits
from gptgate.policy.redact import Rewriting
from gptgate.providers.registry import ADAPTERS

INSPECTOR = build_inspector()
REDACTION = Rewriting(b"k" * 32)
PIXELS = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20).decode()
CARD = "4111111111111111"
NOTE = base64.b64encode(f"Paid with {CARD}.".encode()).decode()
SHORT = base64.b64encode(b"a@b.co").decode()


def segments(endpoint: Endpoint, part: dict[str, Any], role: str = "user") -> tuple[Segment, ...]:
    return read(endpoint, {"model": "m", "max_tokens": 5, "messages": [{"role": role, "content": [part]}]})


def read(endpoint: Endpoint, document: dict[str, Any]) -> tuple[Segment, ...]:
    adapter, body = ADAPTERS[endpoint], json.dumps(document).encode()
    raw = RawRequest(
        id="id", endpoint=endpoint, dialect=adapter.dialect, headers={}, body=body, peer="", at_ms=0, started_ns=0
    )
    return adapter.read(raw, read_object(body)).segments


def inspect(endpoint: Endpoint, part: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.kind, one.place) for one in INSPECTOR.inspect(segments(endpoint, part))]


PART = "/messages/0/content/0"


@pytest.mark.parametrize(
    ("part", "kind", "place"),
    [
        ({"type": "image_url", "image_url": {"url": "https://e.com/a.png"}}, "image", ""),
        ({"type": "image_url", "image_url": "https://e.com/a.png"}, "image", ""),
        ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXELS}"}}, "image", "/image_url/url"),
        ({"type": "input_image", "file_id": "file-1"}, "image", ""),
        ({"type": "input_audio", "input_audio": {"data": PIXELS, "format": "wav"}}, "audio", "/input_audio/data"),
        ({"type": "video_url", "video_url": {"url": "https://e.com/a.mp4"}}, "video", ""),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file", ""),
        (
            {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PIXELS}", "filename": "a.pdf"}},
            "file",
            "/file/file_data",
        ),
        ({"type": "file", "file": {"file_data": PIXELS}}, "file", "/file/file_data"),
        ({"type": "novel", "novel": {"payload": f"data:image/png;base64,{PIXELS}"}}, "image", "/novel/payload"),
    ],
)
def test_what_openai_calls_media_is_a_finding(part: dict[str, Any], kind: str, place: str) -> None:
    assert inspect(Endpoint.CHAT, part) == [(f"unscannable.{kind}", PART + place)]


def source(**fields: str) -> dict[str, Any]:
    return {"source": fields}


@pytest.mark.parametrize(
    ("part", "kind", "place"),
    [
        ({"type": "image", **source(type="base64", media_type="image/png", data=PIXELS)}, "image", "/source/data"),
        ({"type": "image", **source(type="url", url="https://e.com/a.png")}, "image", ""),
        ({"type": "image", **source(type="file", file_id="file_1")}, "image", ""),
        ({"type": "document", **source(type="base64", data=PIXELS)}, "file", "/source/data"),
        ({"type": "document", **source(type="url", url="https://e.com/a.pdf")}, "file", ""),
        ({"type": "document", **source(type="file", file_id="file_1")}, "file", ""),
        ({"type": "container_upload", "file_id": "file_1"}, "file", ""),
        (
            {"type": "tool_result", "content": [{"type": "image", **source(type="base64", data=PIXELS)}]},
            "image",
            "/content/0/source/data",
        ),
    ],
)
def test_what_anthropic_calls_media_is_a_finding(part: dict[str, Any], kind: str, place: str) -> None:
    assert inspect(Endpoint.MESSAGES, part) == [(f"unscannable.{kind}", PART + place)]


@pytest.mark.parametrize("given", [[1, 2], [[1, 2]], ["text", [3]], ["text", 4], [[1.5]], [["text", 5]], [[], [6]]])
def test_a_text_in_numbers_of_tokens_is_a_finding(given: list[Any]) -> None:
    found = INSPECTOR.inspect(read(Endpoint.EMBEDDINGS, {"model": "m", "input": given}))
    assert [(one.kind, one.origin, one.place) for one in found] == [("unscannable.tokens", Origin.USER, "/input")]


@pytest.mark.parametrize("given", ["1 2", ["1", "2"], [["1"]], [[]], [True], [None], [{"a": 1}]])
def test_what_holds_no_numbers_is_none(given: Any) -> None:
    assert not INSPECTOR.inspect(read(Endpoint.EMBEDDINGS, {"model": "m", "input": given}))


def test_an_image_in_the_result_of_a_tool_is_the_tools() -> None:
    part = {"type": "tool_result", "content": [{"type": "image", **source(type="url", url="https://e.com/a")}]}
    (found,) = INSPECTOR.inspect(segments(Endpoint.MESSAGES, part))
    assert (found.kind, found.origin) == ("unscannable.image", Origin.TOOL_RESULT)


READABLE = [
    (Endpoint.CHAT, {"type": "file", "file": {"file_data": f"data:text/plain;base64,{NOTE}"}}, "/file/file_data"),
    (Endpoint.CHAT, {"type": "file", "file": {"file_data": NOTE}}, "/file/file_data"),
    (Endpoint.CHAT, {"type": "file", "file": {"file_data": f"data:text/plain,Paid%20{CARD}."}}, "/file/file_data"),
    (Endpoint.CHAT, {"type": "image_url", "image_url": {"url": f"data:image/svg+xml;base64,{NOTE}"}}, "/image_url/url"),
    (Endpoint.CHAT, {"type": "text", "text": f"see data:text/plain;base64,{NOTE}"}, "/text"),
    (
        Endpoint.MESSAGES,
        {"type": "document", **source(type="base64", media_type="text/plain", data=NOTE)},
        "/source/data",
    ),
    (Endpoint.MESSAGES, {"type": "document", **source(type="text", data=f"Paid with {CARD}.")}, "/source/data"),
    (
        Endpoint.MESSAGES,
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": CARD}]}},
        "/source/content/0/text",
    ),
]


@pytest.mark.parametrize(("endpoint", "part", "place"), READABLE)
def test_text_that_is_attached_is_read_and_can_be_cut_out(endpoint: Endpoint, part: dict[str, Any], place: str) -> None:
    found = segments(endpoint, part)
    findings = INSPECTOR.inspect(found)
    cards = [one for one in findings if one.kind == "pii.payment_card"]
    assert [one.place for one in cards] == [PART + place]
    assert not any(one.kind.startswith("unscannable.") for one in findings)
    (edit,) = rewriting_edits(REDACTION, found, [(card, Effect.REDACT) for card in cards]).values()
    assert b"[redacted:pii.payment_card]" in edit
    assert CARD.encode() not in edit
    assert NOTE.encode() not in edit


def test_a_short_attachment_is_read_too() -> None:
    found = inspect(Endpoint.CHAT, {"type": "file", "file": {"file_data": SHORT}})
    assert found == [("pii.email", f"{PART}/file/file_data")]


def test_an_attachment_is_no_disguise() -> None:
    (found,) = INSPECTOR.inspect(segments(Endpoint.CHAT, {"type": "file", "file": {"file_data": NOTE}}))
    assert (found.kind, found.view) == ("pii.payment_card", "attachment")


def test_what_was_not_read_cannot_be_cut_out() -> None:
    found = segments(Endpoint.CHAT, {"type": "image_url", "image_url": {"url": "https://e.com/a.png"}})
    findings: tuple[Finding, ...] = INSPECTOR.inspect(found)
    with pytest.raises(RedactionImpossible):
        rewriting_edits(REDACTION, found, [(one, Effect.REDACT) for one in findings])


def test_what_a_model_says_aloud_is_a_finding() -> None:
    answer = {"choices": [{"message": {"role": "assistant", "audio": {"id": "a", "data": PIXELS, "transcript": CARD}}}]}
    found = INSPECTOR.inspect(ADAPTERS[Endpoint.CHAT].decode(answer).segments)
    assert {one.kind for one in found} == {"unscannable.audio", "pii.payment_card"}


def hosted(endpoint: Endpoint, **fields: Any) -> list[tuple[str, str, Origin]]:
    """The findings of a request with these fields."""
    document = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], **fields}
    return [(one.kind, one.place, one.origin) for one in INSPECTOR.inspect(read(endpoint, document))]


@pytest.mark.parametrize(
    ("endpoint", "fields", "place"),
    [
        (Endpoint.CHAT, {"web_search_options": {}}, "/web_search_options"),
        (Endpoint.CHAT, {"search_parameters": {"mode": "on"}}, "/search_parameters"),
        (Endpoint.CHAT, {"plugins": [{"id": "web"}]}, "/plugins"),
        (Endpoint.CHAT, {"tools": [{"type": "web_search"}]}, "/tools/0"),
        (Endpoint.CHAT, {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": 5}]}, "/tools/1"),
        (Endpoint.MESSAGES, {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "/tools/0"),
        (Endpoint.MESSAGES, {"tools": [{"type": "web_fetch_20250910", "name": "bash_"}]}, "/tools/0"),
        (Endpoint.MESSAGES, {"tools": [{"name": "f"}, {"type": "code_execution_20250825"}]}, "/tools/1"),
        (Endpoint.MESSAGES, {"tools": [{"type": "mcp_toolset", "mcp_server_name": "a"}]}, "/tools/0"),
        (Endpoint.MESSAGES, {"mcp_servers": [{"type": "url", "url": "https://e.com", "name": "a"}]}, "/mcp_servers"),
        (Endpoint.COUNT_TOKENS, {"tools": [{"type": "not known yet"}]}, "/tools/0"),
    ],
)
def test_a_tool_that_the_provider_runs_is_a_finding(endpoint: Endpoint, fields: dict[str, Any], place: str) -> None:
    assert hosted(endpoint, **fields) == [("unscannable.tool", place, Origin.TOOL_DEFINITION)]


@pytest.mark.parametrize(
    ("endpoint", "fields"),
    [
        (Endpoint.CHAT, {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom"}]}),
        (Endpoint.CHAT, {"tools": None, "web_search_options": None, "plugins": []}),
        (Endpoint.CHAT, {"tools": [{"function": {"name": "f"}}, "f"], "functions": [{"name": "f"}]}),
        (Endpoint.MESSAGES, {"tools": [{"name": "f", "input_schema": {}}, {"type": "custom", "name": "g"}]}),
        (Endpoint.MESSAGES, {"tools": [{"type": "bash_20250124"}, {"type": "text_editor_20250728"}]}),
        (Endpoint.MESSAGES, {"tools": [{"type": "computer_20250124"}, {"type": "memory_20250818"}]}),
        (Endpoint.MESSAGES, {"tools": [{"type": "tool_search_tool_regex_20251119"}], "mcp_servers": []}),
        (Endpoint.MESSAGES, {"tools": "x"}),
    ],
)
def test_a_tool_that_the_caller_runs_is_none(endpoint: Endpoint, fields: dict[str, Any]) -> None:
    assert hosted(endpoint, **fields) == []
