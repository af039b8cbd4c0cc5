"""SIMULATED: stands in for a Presidio analyzer (2.2.361) where none is installed.

It speaks the wire of ``/analyze``, and finds e-mail addresses and the names that it was given, where a real one asks a
language model.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from nasty_provider import NastyProvider, Reader, Writer, read_request

LANGUAGES = ("en", "de")
MAIL = re.compile(r"[\w.]+@[\w.]+\w")


@dataclass
class SimulatedPresidio:
    """`questions` are the bodies that it was asked with, `heads` what stood before them."""

    names: tuple[str, ...]
    questions: list[Any] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    base_url: str = ""

    def entities(self, text: str, threshold: float) -> list[dict[str, Any]]:
        """What it finds in one text, in no order that means anything, places counted in Python's characters."""
        found = [("EMAIL_ADDRESS", match.span(), 1.0) for match in MAIL.finditer(text)]
        for name in self.names:
            found += [("PERSON", match.span(), 0.85) for match in re.finditer(re.escape(name), text)]
        found += [("US_BANK_NUMBER", match.span(), 0.05) for match in re.finditer("[0-9]{8,17}", text)]
        return [
            {"analysis_explanation": None, "end": end, "entity_type": kind, "score": score, "start": start}
            for kind, (start, end), score in found
            if score >= threshold
        ]

    def answer(self, question: Any) -> tuple[int, Any]:
        """Status and document, as the real server gives them."""
        texts, language = question.get("text"), question.get("language")
        if not texts:
            return 500, {"error": "No text provided"}
        if not language:
            return 500, {"error": "No language provided"}
        if language not in LANGUAGES:
            return 500, {"error": "No matching recognizers were found to serve the request."}
        threshold = question.get("score_threshold") or 0
        found = [self.entities(text, threshold) for text in ([texts] if isinstance(texts, str) else texts)]
        return 200, found[0] if isinstance(texts, str) else found

    async def serve(self, reader: Reader, writer: Writer) -> None:
        while request := await read_request(reader):
            head, _, body = request.partition(b"\r\n\r\n")
            self.heads.append(head)
            self.questions.append(json.loads(body))
            known = head.startswith(b"POST /analyze ")
            status, document = self.answer(self.questions[-1]) if known else (404, {"error": "Not Found"})
            data = json.dumps(document, sort_keys=True).encode()
            line = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            writer.write(line % (status, len(data)) + data)
            await writer.drain()


@asynccontextmanager
async def simulated_presidio(*names: str) -> AsyncIterator[SimulatedPresidio]:
    """Start it on a free port; stop it at the end."""
    presidio = SimulatedPresidio(names)
    async with NastyProvider(presidio.serve) as server:
        presidio.base_url = server.base_url
        yield presidio
