"""Texts that are small to send and large to look at: what an inspection takes stays within a multiple of the text."""

import tracemalloc

import pytest

from conftest import shared_inspector
from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Origin, Segment

SIZE = 60_000
MOST = 100
"""Bytes of memory for each byte of a text. A group that a regular expression may go back into takes 200 for each time
that it is repeated."""
RUNS = {
    "hexadecimal digits": "41",
    "cards": "4111 1111 1111 1111 ",
    "bytes in a program": "0x41, ",
    "lines of base64": "QUFBQUFBQUFBQUFB\n",
    "numbers of characters": "105, ",
    "octets": "01101001",
    "octets apart": "01101001 ",
    "quoted printable": "=41",
    "percent": "%41",
    "entities": "&#65;",
    "letters apart": "a ",
    "letters on lines": "a\n",
    "letters and points": "a.",
    "escapes": "\\u0041",
    "escaped line ends": "a\\n",
    "zero width": "\u200d",
    "circles": "\u24d0",
    "addresses of mail": "a@b.co ",
    "brackets": "[(",
    "pictures": "![a](http://x/y ",
    "words": "ignore previous ",
}


@pytest.fixture(scope="module", autouse=True)
def everything_is_loaded() -> None:
    shared_inspector().inspect([Segment((str(at),), Origin.USER, run * 50) for at, run in enumerate(RUNS.values())])


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())
def test_no_text_takes_many_times_its_size_to_look_at(run: str) -> None:
    text = run * (SIZE // len(run.encode()))
    inspector = shared_inspector()
    tracemalloc.start()
    try:
        inspector.inspect([Segment(("x",), Origin.USER, text)])
    except GuardFailed:
        """More findings than are judged."""
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST * SIZE
