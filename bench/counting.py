"""`python -m bench.counting ENCODING FILE`: how tight bounds of inputs are with a tokenizer, and what counting takes.

FILE is the encoding's published vocabulary, which is not part of this repository. The texts are: its pages and sources,
as a system's text and a question each. What a request really has is taken to be the tokens of its texts and 4 for each
message, 3 for the answer's beginning: what OpenAI documents for chats without tools.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from gptgate.core.snapshot import TokenizerSpec
from gptgate.cost.ceiling import added_tokens
from gptgate.cost.counting import Count, CountedModel, Distrust, ExactBounds
from gptgate.tokenizers import read_vocabulary

ROOT = Path(__file__).resolve().parent.parent
SIZES = (1_024, 8_192, 65_536, 262_144)
KINDS = {"prose": "docs/**/*.md", "code": "src/**/*.py"}
REPEATS = 9


def main(encoding: str, file: str) -> None:
    """Print a table of medians."""
    count = read_vocabulary(TokenizerSpec(encoding=encoding, file=file))
    bounds = ExactBounds({"m": (CountedModel("p", "m", encoding), count)}, Distrust(lambda _: None))
    print("texts  characters  tokens  bytes / tokens  counted / tokens  CPU ms")
    for kind, pattern in KINDS.items():
        text = "".join(path.read_text() for path in sorted(ROOT.glob(pattern)))
        for size in SIZES:
            rows = [_measured(bounds, count, piece) for piece in _pieces(text, size)]
            tokens, loose, tight, cpu_ms = (sorted(values)[len(rows) // 2] for values in zip(*rows, strict=True))
            print(f"{kind:5}  {size:10}  {tokens:6}  {loose:14.2f}  {tight:16.2f}  {cpu_ms:6.2f}")


def _pieces(text: str, size: int) -> Iterator[str]:
    """Fresh ones, as long as there are any."""
    for number in range(min(REPEATS, len(text) // size)):
        yield text[number * size : (number + 1) * size]


def _measured(bounds: ExactBounds, count: Count, text: str) -> tuple[int, float, float, float]:
    half = len(text) // 2
    said = (("system", text[:half]), ("user", text[half:]))
    request = {"model": "m", "messages": [{"role": role, "content": content} for role, content in said]}
    body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
    started = time.process_time()
    bound = bounds.most("m", body)
    cpu_ms = (time.process_time() - started) * 1000
    tokens = sum(count(content) + 4 for _, content in said) + 3
    assert bound is not None
    return tokens, (len(body) + added_tokens(request)) / tokens, bound / tokens, cpu_ms


if __name__ == "__main__":
    main(*sys.argv[1:])
