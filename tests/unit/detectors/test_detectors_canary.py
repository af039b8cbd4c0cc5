"""Canary tokens: the same for a session, known again anywhere, made by nobody else."""

import base64

import pytest

from gptgate.core.finding import Finding, Origin, Segment
from gptgate.detectors import DETECTORS, TextInspector
from gptgate.detectors.canary import KIND, PREFIX, Canaries
from gptgate.detectors.known import LEAD
from gptgate.detectors.registry import VIEWS

OURS = Canaries(b"the secret of this installation")
THEIRS = Canaries(b"the secret of another one")
TOKEN = OURS.token("app", "session")


@pytest.fixture(scope="module")
def inspector() -> TextInspector:
    return TextInspector({"email": DETECTORS["email"]}, views=VIEWS).knowing([], OURS)


def found_in(inspector: TextInspector, text: str, origin: Origin = Origin.ASSISTANT) -> list[str]:
    found = inspector.inspect([Segment(("a",), origin, text)])
    return [text[one.start : one.end] for one in found if one.kind == KIND]


def test_a_session_has_one_token_and_no_other_session_has_it() -> None:
    assert Canaries(b"the secret of this installation").token("app", "session") == TOKEN
    tokens = {OURS.token(*pair) for pair in (("app", "session"), ("app", "sessio"), ("ap", "psession"), ("app", ""))}
    assert len(tokens) == 4
    assert THEIRS.token("app", "session") not in tokens


@pytest.mark.parametrize("origin", Origin)
def test_a_token_is_known_in_everybody_s_words(inspector: TextInspector, origin: Origin) -> None:
    assert found_in(inspector, f"x{TOKEN}!", origin) == [TOKEN[LEAD:]]
    assert found_in(inspector, TOKEN.upper(), origin) == [TOKEN.upper()[LEAD:]]


def test_tokens_of_any_session_are_known(inspector: TextInspector) -> None:
    for number in range(50):
        token = OURS.token("another app", f"session {number}")
        assert found_in(inspector, f"({token})") == [token[LEAD:]]


def test_what_only_looks_like_one_is_none(inspector: TextInspector) -> None:
    last = "a" if TOKEN[-1] != "a" else "b"
    for text in (TOKEN[:-1], TOKEN[:-1] + last, THEIRS.token("app", "session"), PREFIX + "a" * 32):
        assert found_in(inspector, text) == []


def test_one_that_begins_inside_of_what_only_looks_like_one_is_known(inspector: TextInspector) -> None:
    assert found_in(inspector, PREFIX + "a" * 29 + TOKEN) == [TOKEN[LEAD:]]


def test_an_encoded_one_is_known_in_a_whole_text(inspector: TextInspector) -> None:
    text = base64.b64encode(f"the reference is {TOKEN}".encode()).decode()
    assert found_in(inspector, text) == [text]


@pytest.mark.parametrize("text", [f"a {TOKEN} b", TOKEN[:-1], PREFIX + "a" * 29 + TOKEN, "-ref-REF-" + TOKEN + TOKEN])
def test_a_stream_cut_anywhere_gives_what_the_whole_gives(inspector: TextInspector, text: str) -> None:
    whole = found_in(inspector, text)
    for first in range(len(text) + 1):
        scanner = inspector.stream("/x", Origin.ASSISTANT, frozenset({KIND}), False)
        out = ""
        heard: list[Finding] = []
        for piece in (text[:first], *text[first:]):
            released, found = scanner.feed(piece)
            assert all(len(out) <= one.start and one.end <= len(out) + len(released) for one in found)
            out += released
            heard += found
        released, found = scanner.finish()
        assert out + released == text
        assert [text[one.start : one.end] for one in (*heard, *found)] == whole


def test_nothing_is_looked_for_where_no_canary_is_planted() -> None:
    plain = TextInspector({"email": DETECTORS["email"]})
    assert found_in(plain.knowing([]), TOKEN) == []
