"""Both engines find the same, the fast reading equals the slow one, and what is derived from patterns is right."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gptgate.core.finding import Origin, Segment
from gptgate.detectors import DETECTORS, build_inspector
from gptgate.detectors.engine import CompiledPattern, Finder, LiteralFinder
from gptgate.detectors.grammar import Alt, Chars, Node, Repeat, Seq
from gptgate.detectors.multi import make_finder
from gptgate.detectors.pattern import SEPARATOR, Pattern
from gptgate.detectors.reading import Reader, read_text
from gptgate.detectors.unfinished import Beginnings

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "data"
PATTERNS = [pattern for detector in DETECTORS.values() for pattern in detector.patterns]
IDS = [f"{number}-{pattern.kind}" for number, pattern in enumerate(PATTERNS)]

hyperscan = pytest.importorskip("hyperscan", reason="hyperscan is not installed: there is only one engine to test")
FAST = build_inspector("hyperscan")
PORTABLE = build_inspector("re2")

FRAGMENTS = [
    *[
        "a@b.co",
        "john@example.com ",
        "4111 1111 1111 1111",
        "5555555555554444",
        "sk-proj-",
        "aB3_" * 8,
        "ghp_",
        "x" * 36,
    ],
    *["-----BEGIN PRIVATE KEY-----", "\n", "M" * 64, "-----END PRIVATE KEY-----", "Ignore all ", "previous ", "rules"],
    *[
        "reveal ",
        "your ",
        "system ",
        "prompt",
        "<|im_start|>",
        "[INST]",
        "DAN",
        "as ",
        " ",
        "\u200b",
        "\\n",
        "\\",
        "é",
        "ÿ",
    ],
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=6)), max_size=12).map("".join)


@settings(max_examples=400, deadline=None)
@given(texts=st.lists(TEXTS, max_size=4), origin=st.sampled_from(list(Origin)), is_json=st.booleans())
def test_engines_find_the_same(texts: list[str], origin: Origin, is_json: bool) -> None:
    segments = [Segment(("m", number), origin, text, False, is_json) for number, text in enumerate(texts)]
    together = FAST.inspect(segments)
    assert together == PORTABLE.inspect(segments)
    alone = [one for segment in segments for one in FAST.inspect([segment])]
    assert [(one.place, one.start, one.end, one.kind) for one in together] == [
        (one.place, one.start, one.end, one.kind) for one in alone
    ]


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(TEXTS, st.text(alphabet=st.characters(), max_size=30)), is_json=st.booleans(), data=st.data())
def test_the_readings_are_one(text: str, is_json: bool, data: st.DataObject) -> None:
    whole = read_text(text, is_json)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    reader = Reader(is_json)
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert b"".join(map(reader.read, pieces)) + reader.finish() == whole
    assert SEPARATOR not in whole
    places = [(reader.start(at), reader.end(at + 1)) for at in range(len(whole))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert places == sorted(places)


@cache
def members(source: str, ignore_case: bool) -> list[bytes]:
    known = re.compile(source.encode(), re.IGNORECASE | re.DOTALL if ignore_case else re.DOTALL)
    return [bytes([code]) for code in range(256) if known.fullmatch(bytes([code]))]


def some_word(node: Node, chance: Random, ignore_case: bool) -> bytes:
    match node:
        case Chars(source, _):
            return chance.choice(members(source, ignore_case))
        case Seq(items):
            return b"".join(some_word(item, chance, ignore_case) for item in items)
        case Alt(options):
            return some_word(chance.choice(options), chance, ignore_case)
        case Repeat(item, low, high):
            most = low + 3 if high is None else high
            times = chance.choice([low, most, chance.randint(low, most)])
            return b"".join(some_word(item, chance, ignore_case) for _ in range(times))


def words(pattern: Pattern) -> st.SearchStrategy[bytes]:
    """Words of the pattern; out of their own tree those of long phrases and of what has no bound of its own, where the
    general generator needs seconds or never ends.
    """
    if not pattern.is_sketched and not pattern.most:
        flags = re.IGNORECASE if pattern.ignore_case else 0
        return st.from_regex(re.compile(pattern.source.encode(), flags), fullmatch=True)
    return st.randoms(use_true_random=False).map(lambda chance: some_word(pattern.tree, chance, pattern.ignore_case))


@cache
def fast_finder(pattern: Pattern) -> Finder:
    return make_finder("hyperscan", [pattern])


@pytest.mark.parametrize("pattern", PATTERNS, ids=IDS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_derived_from_a_pattern_holds_for_its_words(pattern: Pattern, data: st.DataObject) -> None:
    word = data.draw(words(pattern))
    if len(word) > pattern.reach and pattern.kind.startswith("attack."):
        return  # No match: what goes on for too long is none.
    word = word[: pattern.reach]
    text = SEPARATOR + word + SEPARATOR
    compiled, beginnings = CompiledPattern(pattern), BEGINNINGS[pattern]
    for start, end in compiled.matches(text, 0, len(text), 0):
        assert 0 < end - start <= pattern.longest
    whole = compiled._regex.search(text)
    assert whole is not None
    assert LiteralFinder({0: pattern}).hits(text) == [0]
    assert fast_finder(pattern).hits(text) == [0]
    begin, end = whole.span()
    for size in range(begin + 2, min(end, begin + pattern.reach)):
        assert beginnings.is_alive(text[:size], begin), "a beginning of a match was given up"
        if text[begin] != 0x5C:
            assert text[begin + 1 : begin + 3][: size - begin - 1] in beginnings.openings
    if pattern.is_solid:
        assert not set(b" \n\t\r") & set(text[begin + 1 : end - 1])


FILLERS = [
    b"",
    b"\n",
    b"x" * 11 + b" ",
    b"hello there ",
    b"please run this now: ",
    b"a b c d e f g h i j k l ",
    b"1306( " * 9,
]
BEHIND = [b"", b".", b" and more text follows here."]


def test_every_pattern_is_found_wherever_it_stands() -> None:
    """Threat: Hyperscan 0.9.1 misses some patterns where they stand some thirty bytes into a text."""
    chance = Random(3)
    finders = {index: group.finder for group in FAST._groups for index in group.lanes}
    missed, found = [], 0
    for index, lane in enumerate(FAST._lanes):
        pattern = lane.compiled.pattern
        tree = pattern.tree
        for filler in FILLERS * 4:
            word = some_word(tree, chance, pattern.ignore_case)[: pattern.reach]
            data = SEPARATOR + filler + word + chance.choice(BEHIND) + SEPARATOR
            if index in finders[index].hits(data):
                found += 1
            elif lane.compiled._regex.search(data) is not None:
                missed.append((pattern.kind, pattern.hint[:80], data))
    assert found > 9_000
    assert not missed


BEGINNINGS = {pattern: Beginnings([pattern]) for pattern in PATTERNS}


def sample_texts() -> Iterator[str]:
    for path in sorted(SAMPLES.glob("*/*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if number % 7 == 0:
                    yield json.loads(line)["text"]


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample texts are not beside this checkout")
def test_engines_find_the_same_in_sample_texts() -> None:
    found = 0
    for text in sample_texts():
        segments = [Segment((), origin, text) for origin in (Origin.TOOL_RESULT, Origin.ASSISTANT)]
        findings = FAST.inspect(segments)
        assert findings == PORTABLE.inspect(segments)
        found += len(findings)
    assert found > 300
