"""A strict reader of what the gateway streams: every event whole, every datum JSON, the texts put together."""

import json
from typing import Any

Channel = tuple[Any, ...]
Texts = dict[Channel, str]


class SseReader:
    """Feed it pieces of the output; `texts` are the growing texts by (choice or block, field, ...)."""

    def __init__(self) -> None:
        self.texts: Texts = {}
        self.events: list[Any] = []
        self.done = False
        self.error: Any = None

    def feed(self, data: bytes) -> None:
        """Read whole events. Raises AssertionError for anything that is not."""
        if not data:
            return
        assert data.endswith(b"\n\n"), "an event was cut"
        for block in data[:-2].split(b"\n\n"):
            self._event(block.decode("utf-8"))

    def _event(self, block: str) -> None:
        if block.startswith(":"):
            assert "\n" not in block
            return
        assert not self.done, "an event after the end"
        assert self.error is None, "an event after an error"
        lines = block.split("\n")
        name = ""
        if lines[0].startswith("event: "):
            name = lines.pop(0).removeprefix("event: ")
        assert len(lines) == 1, block
        assert lines[0].startswith("data: "), block
        data = lines[0].removeprefix("data: ")
        if data == "[DONE]":
            self.done = True
            return
        document = json.loads(data)
        self.events.append(document)
        if document.get("error") is not None:
            self.error = document
        elif "choices" in document:
            for choice in document["choices"]:
                self._choice(choice)
        else:
            assert name == document["type"]
            self._anthropic(document)

    def _choice(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta") or {}
        for key in ("content", "refusal", "reasoning_content"):
            self._grow((choice["index"], key), delta.get(key))
        for call in delta.get("tool_calls") or ():
            self._grow((choice["index"], "tool", call["index"]), call.get("function", {}).get("arguments"))
        for token in (choice.get("logprobs") or {}).get("content") or ():
            self._grow((choice["index"], "logprobs"), token["token"])

    def _anthropic(self, document: dict[str, Any]) -> None:
        if document["type"] in ("content_block_start", "content_block_delta"):
            part = document.get("content_block") or document["delta"]
            for key in ("text", "thinking", "partial_json"):
                self._grow((document["index"], key), part.get(key))
        self.done = self.done or document["type"] == "message_stop"

    def _grow(self, channel: tuple[Any, ...], text: str | None) -> None:
        if text:
            self.texts[channel] = self.texts.get(channel, "") + text
