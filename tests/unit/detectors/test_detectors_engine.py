"""No text makes the exact search read it again and again: its time is linear in the text, whatever stands there."""

import time
from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gptgate.detectors import DETECTORS, engine
from gptgate.detectors.engine import CompiledPattern, compile_bytes, compile_fullmatch
from gptgate.detectors.grammar import Alt, Chars, Node, Repeat, Seq, members
from gptgate.detectors.pattern import ANY, EDGE, SEPARATOR, Pattern

PATTERNS = [pattern for detector in DETECTORS.values() for pattern in detector.patterns if pattern.most]
"""Those of which a body may go on without end: the search for any other ends within its reach."""
IDS = [f"{number}-{pattern.kind}" for number, pattern in enumerate(PATTERNS)]
SMALL, LARGE = 1 << 15, 1 << 17

PEM = b"-----BEGIN PRIVATE KEY-----"
LINE = b"A1b2" * 8
DECOYS = [
    ("secret.private_key", b"\nAbc: " + PEM, b"\n" + LINE),
    ("secret.private_key", b"PuTTY-User-Key-File-2: ", b"Private-Lines: 1\n" + LINE),
    ("secret.jwt", b"eyJhbGciOiJI-", b".eyJhbGciOiJI.c2lnbmF0dXJl "),
    ("attack.poisoned_tool", b"cat a/", b"id_rsa "),
]
"""Beginnings that may stand within one another's matches, and an end that only the last of them are near to."""


def test_whether_the_rest_matches_is_what_re2_says_of_it() -> None:
    source = r"(?i:[a-c]{1,3}x?)|(?-i:\xc3[\x80-\xbf])"
    said, is_match = compile_bytes(source, ignore_case=False).fullmatch, compile_fullmatch(source)
    for data in (b"", b"a", b"ABCx", b"abcd", b"\xc3\x84", b"-Ab", b"-\xc3"):
        for at in range(len(data) + 1):
            assert is_match(data, at) is (said(data, at) is not None)


compiled_once = cache(CompiledPattern)


def contains(node: Node, wanted: Node) -> bool:
    if node is wanted:
        return True
    match node:
        case Seq(items) | Alt(items):
            return any(contains(item, wanted) for item in items)
        case Repeat(item, _, _):
            return contains(item, wanted)
        case _:
            return False


def endless(node: Node) -> list[Repeat]:
    match node:
        case Seq(items) | Alt(items):
            return [found for item in items for found in endless(item)]
        case Repeat(item, _, high):
            return [*([node] if high is None else []), *endless(item)]
        case _:
            return []


def divided(pattern: Pattern, repeat: Repeat) -> tuple[bytes, bytes]:
    """A short match, before and behind this repeat, where that goes on without end."""
    parts = [b""]

    def spell(node: Node) -> None:
        match node:
            case Chars(source, _):
                options = members(source, pattern.ignore_case)
                parts[-1] += next((bytes([one]) for one in b" a1" if one in options), options[:1])
            case Seq(items):
                for item in items:
                    spell(item)
            case Alt(options):
                spell(next((option for option in options if contains(option, repeat)), options[0]))
            case Repeat(item, low, _):
                if node is repeat:
                    parts.append(b"")
                for _ in range(max(low, node is not repeat and contains(item, repeat))):
                    spell(item)

    spell(pattern.tree)
    return parts[0], b"".join(parts[1:])


def text_of(decoy: bytes, end: bytes, size: int) -> bytes:
    return SEPARATOR + b" " + decoy * (size // len(decoy)) + end + SEPARATOR


def seconds(compiled: CompiledPattern, data: bytes) -> float:
    begun = time.process_time()
    for _ in compiled.matches(data, 0, len(data), 0):
        pass
    return time.process_time() - begun


@pytest.mark.parametrize("pattern", PATTERNS, ids=IDS)
def test_the_time_is_linear(pattern: Pattern) -> None:
    compiled = compiled_once(pattern)
    cases = [(decoy, end) for kind, decoy, end in DECOYS if kind == pattern.kind]
    # Optional parts say the same word once more.
    cases += dict.fromkeys(divided(pattern, repeat) for repeat in endless(pattern.tree))
    for decoy, end in cases:
        small, large = text_of(decoy, end, SMALL), text_of(decoy, end, LARGE)
        bound = 8 * max(seconds(compiled, small), 0.02)
        # Squared it would be 16 times as much. The best of three: what else the machine does only adds.
        assert any(seconds(compiled, large) < bound for _ in range(3)), (decoy, end)
    assert cases


TOYS = [
    compiled_once(Pattern("toy", body, 50, left=ANY, right=right, prefix=prefix, most=9))
    for body, right, prefix in [
        ("<[<a]*>", ANY, ""),
        ("<[<a>]*>", ANY, ""),
        ("<[<a>]*>", "[^>]", ""),
        ("[<]+>(?:a[<a>]*>)?", ANY, ""),
        ("<a*<[<a>]*>>", "[^a]", ""),
        ("a[<a>]*>", ANY, "<"),
    ]
]


@pytest.mark.parametrize("compiled", TOYS)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False), size=st.integers(1, 90), data=st.data())
def test_windows_change_no_match(
    compiled: CompiledPattern, chance: Random, size: int, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = data.draw(st.tuples(*[st.sampled_from([1, 4, 16])] * 4))
    text = SEPARATOR + "".join(chance.choices("<a> ", weights, k=size)).encode() + SEPARATOR
    since, before = sorted((data.draw(st.sampled_from([0, size // 3])), data.draw(st.sampled_from([size, size + 2]))))
    outcomes = []
    for freely in (len(text), 2, 0):
        monkeypatch.setattr(engine, "_FREELY", freely)
        outcomes.append(list(compiled.matches(text, since, before, 0)))
    assert outcomes[0] == outcomes[1] == outcomes[2], text


def one_by_one(compiled: CompiledPattern, data: bytes) -> list[tuple[int, int]]:
    """What `matches` promises, from every byte: the first body behind an edge that begins where the last one ended."""
    pattern, spans, free = compiled.pattern, [], 0
    for edge in range(len(data)):
        exact = compiled._exact.match(data, edge, edge + pattern.reach)
        if exact is None or exact.start(1) < free:
            continue
        start, free_after = exact.span(1)
        if pattern.accept is None or pattern.accept(data[start:free_after]):
            spans.append((start, free_after))
            free = free_after
    return spans


PREFIXED = [
    compiled_once(Pattern("toy", body, 50, left=left, prefix=prefix, right=ANY))
    for left, prefix, body in [
        (ANY, "[<]{1,4}", "[<a]{1,3}"),
        (ANY, "[<]a?[<]{2}", "[<][<a>]{0,2}[>]"),
        (ANY, "[>][<a]{0,6}[<]", "[<]a?"),
        (EDGE, "(?:a|[<]){0,5}[<]", "[>][<a]{0,4}"),
        (EDGE, "a?[<]{3}", "[<]a?[>]"),
    ]
]


@pytest.mark.parametrize("compiled", PREFIXED)
@settings(max_examples=300, deadline=None)
@given(chance=st.randoms(use_true_random=False), size=st.integers(1, 60), data=st.data())
def test_what_stands_before_a_body_may_lie_in_the_last_one(
    compiled: CompiledPattern, chance: Random, size: int, data: st.DataObject
) -> None:
    weights = data.draw(st.tuples(*[st.sampled_from([1, 4, 16])] * 4))
    text = SEPARATOR + "".join(chance.choices("<a> ", weights, k=size)).encode() + SEPARATOR
    assert list(compiled.matches(text, 0, len(text), 0)) == one_by_one(compiled, text)
