"""Answers of both dialects, whole and as events of a stream, with every place marked at which a provider can put a
string: see `places`."""

from typing import Any

UNKNOWN: dict[str, Any] = {
    "unknown": "@assistant",
    "deep": {"a": [{"b": ["@assistant"]}]},
    "encoded": "@assistant:data",
    "@assistant:key": 1,
}
CALL = {"name": "@tool_call", "arguments": "@tool_call:json"}
CHAT: dict[str, Any] = {
    "id": "@assistant",
    "object": "chat.completion",
    "model": "@assistant",
    "system_fingerprint": "@assistant",
    "service_tier": "@assistant",
    "choices": [
        {
            "index": 0,
            "finish_reason": "@assistant",
            "message": {
                "role": "assistant",
                "content": "@assistant",
                "refusal": "@assistant",
                "reasoning": "@assistant",
                "reasoning_content": "@assistant",
                "reasoning_details": [{"type": "reasoning.text", "text": "@assistant", "signature": "@assistant"}],
                "annotations": [{"type": "url_citation", "url_citation": {"url": "@assistant", "title": "@assistant"}}],
                "audio": {"id": "@assistant", "transcript": "@assistant"},
                "images": [{"type": "image_url", "image_url": {"url": "@assistant:data"}}],
                "tool_calls": [
                    {"id": "@tool_call", "type": "function", "function": CALL},
                    {"type": "custom", "custom": {"name": "@tool_call", "input": "@tool_call"}},
                ],
                "function_call": CALL,
                **UNKNOWN,
            },
            "unknown": "@assistant",
        },
        {"index": 1, "message": {"role": "@assistant", "content": [{"type": "text", "text": "@assistant"}]}},
        {"index": 2, "text": "@assistant"},
    ],
    "citations": ["@assistant"],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "note": "@assistant"},
    **UNKNOWN,
}
CHAT_TOKENS: dict[str, Any] = {
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hi"},
            "logprobs": {
                "content": [{"token": "@assistant", "logprob": 0, "top_logprobs": [{"token": "@assistant"}]}],
                "refusal": [{"token": "@assistant"}],
            },
        }
    ]
}
"""Apart, because the tokens of a text go with it when it is cut."""
CHAT_ERROR: dict[str, Any] = {
    "error": {"message": "@assistant", "type": "@assistant", "param": "@assistant", "code": "@assistant"},
    **UNKNOWN,
}

MESSAGES: dict[str, Any] = {
    "id": "@assistant",
    "type": "message",
    "role": "assistant",
    "model": "@assistant",
    "content": [
        {
            "type": "text",
            "text": "@assistant",
            "citations": [{"url": "@assistant", "cited_text": "@assistant", "encrypted_index": "@assistant"}],
        },
        {"type": "thinking", "thinking": "@assistant", "signature": "@assistant"},
        {"type": "redacted_thinking", "data": "@assistant"},
        {
            "type": "tool_use",
            "id": "@tool_call",
            "name": "@tool_call",
            "input": {"a": "@tool_call", "deep": [{"b": "@tool_call"}], "@tool_call:key": 1},
        },
        {"type": "server_tool_use", "name": "@tool_call", "input": {"query": "@tool_call"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "@tool_result",
            "content": [{"title": "@tool_result", "url": "@tool_result", "encrypted_content": "@tool_result"}],
        },
        {"type": "mcp_tool_result", "content": [{"type": "text", "text": "@tool_result"}]},
        {"type": "@assistant", "novel": "@assistant", **UNKNOWN},
    ],
    "stop_reason": "@assistant",
    "stop_sequence": "@assistant",
    "container": {"id": "@assistant"},
    "usage": {"input_tokens": 1, "output_tokens": 1, "note": "@assistant"},
    **UNKNOWN,
}
MESSAGES_ERROR: dict[str, Any] = {
    "type": "error",
    "error": {"type": "@assistant", "message": "@assistant"},
    "request_id": "@assistant",
    **UNKNOWN,
}


def chunk(choice: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {"id": "x", "object": "chat.completion.chunk", "choices": [{"index": 0, **choice}], **beside}


GROWING_CALL = {"name": "@tool_call", "arguments": "@tool_call:grows_json"}
CHAT_EVENTS: list[dict[str, Any]] = [
    {
        **chunk({"delta": {"role": "@assistant"}}),
        "id": "@assistant",
        "model": "@assistant",
        "system_fingerprint": "@assistant",
        "service_tier": "@assistant",
        **UNKNOWN,
    },
    chunk({"delta": {"content": "@assistant:grows"}}),
    chunk({"delta": {"refusal": "@assistant:grows"}}),
    chunk({"delta": {"reasoning_content": "@assistant:grows"}}),
    chunk({"delta": {"reasoning": "@assistant:grows"}}),
    chunk({"delta": {"content": [{"type": "text", "text": "@assistant:grows"}]}}),
    chunk({"delta": {"tool_calls": [{"index": 0, "id": "@tool_call", "type": "function", "function": GROWING_CALL}]}}),
    chunk({"delta": {"tool_calls": [{"index": 1, "type": "custom", "custom": {"input": "@tool_call:grows"}}]}}),
    chunk({"delta": {"function_call": GROWING_CALL}}),
    chunk({"delta": {"annotations": [{"type": "url_citation", "url_citation": {"url": "@assistant"}}]}}),
    chunk({"delta": {"audio": {"id": "@assistant", "transcript": "@assistant:grows"}}}),
    chunk({"delta": {"novel": "@assistant:grows", "deep": {"text": "@assistant:grows"}, "@assistant:key": 1}}),
    chunk({"delta": {"content": "hi"}, "logprobs": {"content": [{"token": "@assistant"}]}}),
    chunk({"delta": {}, "unknown": "@assistant", "@assistant:key": None}),
    chunk({"delta": {}, "finish_reason": "@assistant"}),
    {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "note": "@assistant"}},
]


def delta(kind: str, index: int, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


MESSAGES_EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "@assistant",
            "type": "message",
            "role": "@assistant",
            "model": "@assistant",
            "content": [],
            "container": {"id": "@assistant"},
            "usage": {"input_tokens": 1, "output_tokens": 1, "note": "@assistant"},
            **UNKNOWN,
        },
        "unknown": "@assistant",
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "@assistant:grows"}},
    delta("text_delta", 0, text="@assistant:grows"),
    delta(
        "citations_delta", 0, citation={"url": "@assistant", "cited_text": "@assistant", "document_title": "@assistant"}
    ),
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "thinking", "thinking": "@assistant:grows"}},
    delta("thinking_delta", 1, thinking="@assistant:grows"),
    delta("signature_delta", 1, signature="@assistant"),
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "@tool_call", "name": "@tool_call", "input": {"a": "@tool_call"}},
    },
    delta("input_json_delta", 2, partial_json="@tool_call:grows_json"),
    {"type": "content_block_stop", "index": 2},
    {
        "type": "content_block_start",
        "index": 3,
        "content_block": {
            "type": "web_search_tool_result",
            "tool_use_id": "@assistant",
            "content": [{"title": "@assistant", "url": "@assistant", "encrypted_content": "@assistant"}],
        },
    },
    {"type": "content_block_stop", "index": 3},
    {"type": "content_block_start", "index": 4, "content_block": {"type": "@assistant", "novel": ["@assistant"]}},
    delta("novel_delta", 4, novel="@assistant:grows", **{"@assistant:key": 1}),
    {"type": "content_block_stop", "index": 4},
    {"type": "novel_event", "note": "@assistant", **UNKNOWN},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "@assistant", "stop_sequence": "@assistant"},
        "usage": {"output_tokens": 1, "note": "@assistant"},
    },
    {"type": "message_stop"},
]
