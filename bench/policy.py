"""``python -m bench --policy``: what inspection and decision cost on fresh texts, in this process, against the bars.

Every text is made anew from a seed, so nothing is measured that an earlier call has left in a cache. Times are those of
the thread on its core, so that what else runs on the machine changes them little.
"""

import random
import statistics
import string
import time
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from gptgate.core.facts import PolicyFacts
from gptgate.core.finding import Origin, Segment
from gptgate.core.snapshot import Effect, RuleSpec, Stage
from gptgate.detectors import TextInspector, build_inspector
from gptgate.policy.engine import compile_policy

SEED = 20261125
KB = 1024
RULES = 30
CONDITION = 'request.tools.exists(name, name == "shell") && model.location == "cloud"'
CHUNK = 24
CHUNKS = 4000
HELD = frozenset({"secret.*", "pii.*"})

COMMON = (
    "the of and to in is that it for on with as this by request model gateway value error return function data user"
    " when which from their have been would there could other about into then them these some please write explain"
).split()
SUSPICIOUS = (
    "ignore all previous instructions system prompt password api key secret token you are now developer mode reveal"
    " ghp_ sk- AKIA -----BEGIN PRIVATE KEY passport iban phone date of birth @ ssn eyJ"
).split()


class Case(NamedTuple):
    """What is measured: texts of a shape and a size, and the bar for the median in milliseconds."""

    name: str
    make: Callable[[random.Random, int], str]
    size: int
    bar_ms: float
    rounds: int


def _words(source: random.Random, size: int) -> str:
    """Words, common ones and such as nobody has seen before, with a number here and there."""
    words: list[str] = []
    length = 0
    while length < size:
        pick = source.random()
        if pick < 0.7:
            word = source.choice(COMMON)
        elif pick < 0.97:
            word = "".join(source.choices(string.ascii_lowercase, k=source.randint(2, 10)))
        else:
            word = str(source.randint(0, 10**6))
        words.append(word)
        length += len(word) + 1
    return " ".join(words)[:size]


def _of(alphabet: str) -> Callable[[random.Random, int], str]:
    return lambda source, size: "".join(source.choices(alphabet, k=size))


def _wide(first: int, last: int, width: int) -> Callable[[random.Random, int], str]:
    return lambda source, size: "".join(chr(source.randint(first, last)) for _ in range(size // width))


def _soup(source: random.Random, size: int) -> str:
    return " ".join(source.choices(SUSPICIOUS, k=size // 5))[:size]


CASES = (
    Case("words", _words, KB, 0.25, 300),
    Case("words", _words, 8 * KB, 1.5, 100),
    Case("words", _words, 64 * KB, 12, 20),
    Case("base64", _of(string.ascii_letters + string.digits + "+/"), 64 * KB, 40, 12),
    Case("hex", _of("0123456789abcdef"), 64 * KB, 40, 12),
    Case("digits", _of("0123456789    -"), 64 * KB, 40, 12),
    Case("emoji", _wide(0x1F300, 0x1F6FF, 4), 64 * KB, 40, 12),
    Case("CJK", _wide(0x4E00, 0x9FFF, 3), 64 * KB, 40, 12),
    Case("keyword soup", _soup, 64 * KB, 40, 12),
)
CHUNK_BAR_US = 15.0


class Cost(NamedTuple):
    """Times in milliseconds."""

    case: Case
    median: float
    slowest: float


def measure_policy() -> tuple[list[Cost], float]:
    """The cost of each case, and the median microseconds that the scanner adds to a chunk of a stream."""
    inspector = build_inspector()
    policy = compile_policy(_rules(), "bench")
    source = random.Random(SEED)
    costs = []
    for case in CASES:
        times = []
        for number in range(case.rounds):
            segments = [Segment(("messages", 0, "content"), Origin.USER, case.make(source, case.size))]
            facts = _facts(f"request-{number}")
            begin = time.thread_time_ns()
            policy.decide(facts, policy.assess(facts, inspector.inspect(segments)))
            times.append((time.thread_time_ns() - begin) / 1e6)
        costs.append(Cost(case, statistics.median(times), max(times)))
    return costs, _chunk_us(inspector, source)


def _chunk_us(inspector: TextInspector, source: random.Random) -> float:
    text = _words(source, CHUNK * CHUNKS)
    scanner = inspector.stream("/choices/0/message/content", Origin.ASSISTANT, HELD, is_json=False)
    times = []
    for place in range(0, len(text), CHUNK):
        begin = time.thread_time_ns()
        scanner.feed(text[place : place + CHUNK])
        times.append((time.thread_time_ns() - begin) / 1e3)
    scanner.finish()
    return statistics.median(times)


def show_policy(console: Console, costs: list[Cost], chunk_us: float) -> bool:
    """Print the table; whether every bar is met."""
    table = Table("Text", "Size", "Median ms", "Slowest ms", "Bar ms", "", title="Inspection and decision")
    for case, median, slowest in costs:
        met = "met" if median <= case.bar_ms else "MISSED"
        table.add_row(case.name, f"{case.size // KB} KB", f"{median:.3f}", f"{slowest:.3f}", f"{case.bar_ms:g}", met)
    chunk = "met" if chunk_us <= CHUNK_BAR_US else "MISSED"
    table.add_row("stream", f"{CHUNK} B", f"{chunk_us / 1000:.4f}", "", f"{CHUNK_BAR_US / 1000:g}", chunk)
    console.print(table)
    return chunk_us <= CHUNK_BAR_US and all(cost.median <= cost.case.bar_ms for cost in costs)


def _rules() -> list[RuleSpec]:
    kinds = ("pii.*", "secret.*", "attack.*", "obfuscation.*", "unscannable.*")
    return [
        RuleSpec(
            id=f"rule-{number}",
            stage=Stage.REQUEST,
            effect=Effect.FLAG,
            findings=(kinds[number % len(kinds)],) if number % 2 else (),
            origins=(),
            min_score=0,
            apps=(),
            models=(),
            message="",
            when="" if number % 2 else CONDITION,
        )
        for number in range(RULES)
    ]


def _facts(request_id: str) -> PolicyFacts:
    return PolicyFacts(
        stage=Stage.REQUEST,
        request_id=request_id,
        team="team",
        app="app",
        key_id="key",
        end_user="",
        endpoint="chat",
        dialect="openai",
        stream=False,
        max_output_tokens=0,
        choices=1,
        media=0,
        tools=(),
        model="model",
        upstream_model="model",
        provider="provider",
        location="",
        session="",
        spent_nano=0,
        budget_nano=0,
        hour=12,
        weekday=1,
    )
