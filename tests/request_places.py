"""Requests of both dialects with every place marked at which a string can stand: see `places`."""

from typing import Any

SCHEMA = {
    "type": "object",
    "title": "@tool_definition",
    "description": "@tool_definition",
    "properties": {
        "city": {
            "type": "string",
            "description": "@tool_definition",
            "enum": ["@tool_definition"],
            "default": "@tool_definition",
            "examples": ["@tool_definition"],
            "pattern": "@tool_definition",
        },
        "@tool_definition:key": {"type": "string"},
    },
    "required": ["@tool_definition"],
    "$defs": {"deep": {"anyOf": [{"const": "@tool_definition"}]}},
}
UNKNOWN: dict[str, Any] = {
    "unknown": "@other",
    "deep": {"a": {"b": [{"c": ["@other"]}]}},
    "encoded": "@other:data",
    "@other:key": True,
    "keyed": {"a": [{"@other:key": None}]},
}
CHAT: dict[str, Any] = {
    "model": "for-openai",
    "messages": [
        {"role": "system", "content": "@system", "name": "@system"},
        {"role": "system", "content": [{"type": "text", "text": "@system"}]},
        {"role": "developer", "content": "@developer"},
        {"role": "developer", "content": [{"type": "text", "text": "@developer"}]},
        {"role": "user", "content": "@user", "name": "@user", "extra": {"@user:key": ["@user"]}},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "@user", "cache_control": {"type": "@user"}},
                {"type": "input_text", "text": "@user"},
                {"type": "file", "file": {"filename": "@other", "file_data": "@other:data"}},
                {"type": "file", "file": {"file_data": "@other:base64"}},
                {"type": "image_url", "image_url": {"url": "@user:percent", "detail": "@user"}},
                {"type": "image_url", "image_url": "@user:data"},
                {"type": "@user", "payload": {"deep": [{"text": "@user"}]}},
                "@user",
            ],
        },
        {
            "role": "assistant",
            "content": "@assistant",
            "refusal": "@assistant",
            "reasoning_content": "@assistant",
            "tool_calls": [
                {
                    "id": "@tool_call",
                    "type": "function",
                    "function": {"name": "@tool_call", "arguments": "@tool_call:json"},
                },
                {"type": "custom", "custom": {"name": "@tool_call", "input": "@tool_call"}},
            ],
            "function_call": {"name": "@tool_call", "arguments": "@tool_call:json"},
        },
        {
            "role": "assistant",
            "content": [{"type": "refusal", "refusal": "@assistant"}, {"type": "text", "text": "@assistant"}],
        },
        {"role": "tool", "tool_call_id": "@tool_result", "content": "@tool_result"},
        {"role": "tool", "content": [{"type": "text", "text": "@tool_result"}]},
        {"role": "function", "name": "@tool_result", "content": "@tool_result"},
        {"role": "@other", "content": "@other"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "@tool_definition", "description": "@tool_definition", "parameters": SCHEMA},
        },
        {
            "type": "custom",
            "custom": {
                "name": "@tool_definition",
                "description": "@tool_definition",
                "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "@tool_definition"}},
            },
        },
    ],
    "functions": [{"name": "@tool_definition", "description": "@tool_definition"}],
    "tool_choice": {"type": "function", "function": {"name": "@other"}},
    "function_call": {"name": "@other"},
    "user": "@other",
    "safety_identifier": "@other",
    "prompt_cache_key": "@other",
    "metadata": {"note": "@other", "@other:key": "x"},
    "stop": ["@other"],
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "@other",
            "description": "@other",
            "schema": {"properties": {"a": {"description": "@other", "enum": ["@other"]}, "@other:key": {}}},
        },
    },
    "prediction": {"type": "content", "content": [{"type": "text", "text": "@other"}]},
    "logit_bias": {"@other:key": 1},
    "web_search_options": {"user_location": {"approximate": {"city": "@other"}}},
    "audio": {"voice": "@other"},
    "modalities": ["@other"],
    **UNKNOWN,
}
CHAT_OTHERWISE: dict[str, Any] = {
    "model": "for-openai",
    "messages": [{"role": "user", "content": "hi"}],
    "stop": "@other",
    "prediction": {"type": "content", "content": "@other"},
    "tool_choice": "@other",
}
"""What has another shape, one at a time."""

MESSAGES: dict[str, Any] = {
    "model": "for-anthropic",
    "max_tokens": 50,
    "system": [{"type": "text", "text": "@system", "cache_control": {"type": "@system"}}],
    "messages": [
        {"role": "user", "content": "@user", "extra": {"@user:key": ["@user"]}},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "@user", "citations": [{"cited_text": "@user", "document_title": "@user"}]},
                {
                    "type": "document",
                    "title": "@other",
                    "context": "@other",
                    "source": {"type": "text", "media_type": "text/plain", "data": "@other"},
                },
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "@other"}]}},
                {"type": "document", "source": {"type": "content", "content": "@other"}},
                {"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": "@other:base64"}},
                {"type": "image", "source": {"type": "url", "url": "@user:data"}},
                {"type": "@user", "payload": {"deep": [{"text": "@user"}]}},
                "@user",
                {
                    "type": "search_result",
                    "source": "@tool_result",
                    "title": "@tool_result",
                    "content": [{"type": "text", "text": "@tool_result"}],
                },
                {"type": "tool_result", "tool_use_id": "@tool_result", "content": "@tool_result"},
                {
                    "type": "tool_result",
                    "content": [
                        {"type": "text", "text": "@tool_result"},
                        {"type": "document", "source": {"type": "base64", "data": "@tool_result:base64"}},
                    ],
                },
                {
                    "type": "web_search_tool_result",
                    "content": [{"type": "web_search_result", "title": "@tool_result", "url": "@tool_result"}],
                },
            ],
        },
        {"role": "assistant", "content": "@assistant"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "@assistant"},
                {"type": "thinking", "thinking": "@assistant", "signature": "@assistant"},
                {"type": "redacted_thinking", "data": "@assistant"},
                {
                    "type": "tool_use",
                    "id": "@tool_call",
                    "name": "@tool_call",
                    "input": {"city": "@tool_call", "@tool_call:key": "x", "list": [["@tool_call"]]},
                },
                {"type": "server_tool_use", "name": "@tool_call", "input": {"query": "@tool_call"}},
            ],
        },
        {"role": "system", "content": "@system"},
        {"role": "@other", "content": "@other"},
    ],
    "tools": [
        {"name": "@tool_definition", "description": "@tool_definition", "input_schema": SCHEMA},
        {"type": "@tool_definition", "name": "x", "user_location": {"city": "@tool_definition"}},
    ],
    "tool_choice": {"type": "tool", "name": "@other"},
    "metadata": {"user_id": "@other", "note": "@other"},
    "stop_sequences": ["@other"],
    "thinking": {"type": "enabled", "display": "@other"},
    "mcp_servers": [
        {
            "type": "url",
            "url": "@other",
            "name": "@other",
            "authorization_token": "@other",
            "tool_configuration": {"allowed_tools": ["@other"]},
        }
    ],
    "container": "@other",
    "context_management": {"edits": [{"type": "@other"}]},
    "output_config": {"format": {"type": "json_schema", "schema": {"properties": {"@other:key": {"const": "@other"}}}}},
    **UNKNOWN,
}
MESSAGES_OTHERWISE: dict[str, Any] = {
    "model": "for-anthropic",
    "max_tokens": 50,
    "system": "@system",
    "messages": [{"role": "user", "content": "hi"}],
    "tool_choice": {"type": "@other"},
    "speech": [["@other"]],
    "container": {"id": "x", "skills": [{"type": "custom", "skill_id": "@other"}]},
}
