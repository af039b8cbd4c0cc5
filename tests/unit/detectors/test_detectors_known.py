"""The process's own credentials: found wherever they stand, whole and in streams, and written down nowhere."""

import base64
from collections.abc import Mapping

import pytest

from gptgate.core.finding import Finding, Origin, Segment
from gptgate.detectors import DETECTORS, TextInspector
from gptgate.detectors.known import KIND, LEAD, KnownStrings
from gptgate.detectors.registry import VIEWS

CREDENTIAL = "pk-upstream-7Qz9Lr2xWv5Tb8Nm"
SHADOW = CREDENTIAL + "-0042"
"""A longer credential that begins with the whole of the other."""
B64 = base64.b64encode(b"user:" + CREDENTIAL.encode()).decode()
SPOKEN = [
    CREDENTIAL,
    f"the key is {CREDENTIAL}, really",
    f"x{CREDENTIAL}y{CREDENTIAL}{CREDENTIAL}",
    f"{SHADOW} {SHADOW[:-1]} {SHADOW[:-3]}",
    CREDENTIAL[:-1] + CREDENTIAL,
    CREDENTIAL[:-1],
    CREDENTIAL.replace("7", "\uff17").replace("-", "-\u200b"),
    f"Basic {B64}= and 0x{CREDENTIAL.encode().hex()} or {CREDENTIAL.encode().hex().upper()}",
    f"Zeile ß€ {CREDENTIAL} é",
]


@pytest.fixture(scope="module")
def inspector() -> TextInspector:
    few = {"email": DETECTORS["email"]}
    return TextInspector(few, views=VIEWS).knowing([CREDENTIAL, SHADOW, "ollama"])


def found_in(inspector: TextInspector, text: str, *, is_json: bool = False, views: bool = True) -> list[Finding]:
    segments = [Segment(("a",), Origin.ASSISTANT, "before"), Segment(("b",), Origin.ASSISTANT, text, False, is_json)]
    found = inspector.inspect(segments)
    return [one for one in found if one.kind == KIND and (views or one.view in ("", "base64", "hex"))]


def test_a_credential_is_found_inside_of_words_and_at_its_place(inspector: TextInspector) -> None:
    text = f"x{CREDENTIAL}y"
    (found,) = found_in(inspector, text)
    assert (found.start, found.end, found.place, found.segment, found.view) == (1 + LEAD, len(text) - 1, "/b", 1, "")


@pytest.mark.parametrize(
    "text",
    {
        "base64": base64.b64encode(f"key: {CREDENTIAL}!".encode()).decode(),
        "base64 of it alone": base64.b64encode(CREDENTIAL.encode()).decode(),
        "twice": base64.b64encode(base64.b64encode(f"key={CREDENTIAL}".encode())).decode(),
        "hex": CREDENTIAL.encode().hex(),
        "percent": "".join(f"%{byte:02X}" for byte in CREDENTIAL.encode()),
        "entities": "".join(f"&#{ord(char)};" for char in CREDENTIAL),
        "escapes": "".join(f"\\x{ord(char):02x}" for char in CREDENTIAL),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_credential_is_found_in_every_encoding(inspector: TextInspector, text: tuple[str, str]) -> None:
    assert found_in(inspector, text[1])


@pytest.mark.parametrize("text", SPOKEN)
@pytest.mark.parametrize("is_json", [False, True])
def test_a_stream_cut_anywhere_gives_what_the_whole_gives(inspector: TextInspector, text: str, is_json: bool) -> None:
    whole = spans(found_in(inspector, text, is_json=is_json, views=False))
    for first in range(len(text) + 1):
        for size in (1, 7, len(text) + 1):
            pieces = [text[:first], *(text[at : at + size] for at in range(first, len(text), size))]
            assert streamed(inspector, pieces, is_json) == whole


def test_escapes_in_json_are_read_however_they_are_cut(inspector: TextInspector) -> None:
    text = '{"a": "' + "".join(f"\\u{ord(char):04x}" for char in CREDENTIAL) + '\\n"}'
    whole = spans(found_in(inspector, text, is_json=True))
    assert [text[start:end].count("\\u") for start, end, _ in whole] == [len(CREDENTIAL) - LEAD]
    for size in (1, 2, 5):
        assert streamed(inspector, [text[at : at + size] for at in range(0, len(text), size)], True) == whole


def test_text_that_holds_none_goes_out_at_once(inspector: TextInspector) -> None:
    scanner = inspector.stream("/x", Origin.ASSISTANT, frozenset({KIND}), False)
    assert scanner.feed("Nothing here, ") == ("Nothing here, ", ())
    assert scanner.feed("but now pk-") == ("but now pk-", ())
    assert scanner.feed("up") == ("", ())
    assert scanner.feed("grade it.") == ("upgrade it.", ())
    assert scanner.finish() == ("", ())


def test_no_more_than_the_credential_is_held_back(inspector: TextInspector) -> None:
    """Threat: the beginning of a credential again and again would keep a stream from ever going on."""
    scanner = inspector.stream("/x", Origin.ASSISTANT, frozenset({KIND}), False)
    out = most = 0
    for fed, char in enumerate(CREDENTIAL[:-1] * 40, 1):
        out += len(scanner.feed(char)[0])
        most = max(most, fed - out)
    assert most < len(CREDENTIAL)


def test_short_credentials_are_words(inspector: TextInspector) -> None:
    assert not found_in(inspector, "ask ollama")
    assert KnownStrings.of(["none", "ollama"]) is None


def test_a_long_credential_is_known_in_parts() -> None:
    long = "".join(f"{number:03d}-" for number in range(200))
    known = KnownStrings([long])
    assert [span[:2] for span in known.spans(long[:256].encode())] == [(0, 256)]
    assert [span[:2] for span in known.spans(b"..." + long[256:512].encode())] == [(3, 259)]


def test_both_engines_find_the_same() -> None:
    texts = [text.encode() for text in SPOKEN]
    by_engine = [
        [list(KnownStrings([CREDENTIAL], engine).spans(text)) for text in texts] for engine in ("hyperscan", "re2")
    ]
    assert by_engine[0] == by_engine[1] != [[]] * len(texts)


def test_what_is_known_is_in_no_digest_and_in_no_cache() -> None:
    class Cache:
        def __init__(self) -> None:
            self.kept: dict[str, bytes] = {}

        def get(self, key: str) -> bytes | None:
            return self.kept.get(key)

        def put(self, key: str, data: bytes) -> None:
            self.kept[key] = data

    cache = Cache()
    plain = TextInspector({"email": DETECTORS["email"]}, cache=cache)
    before: Mapping[str, bytes] = dict(cache.kept)
    assert before
    knowing = plain.knowing([CREDENTIAL])
    assert knowing.digest == plain.digest
    assert cache.kept == before
    assert not found_in(plain, CREDENTIAL)
    assert found_in(knowing, CREDENTIAL)


def spans(found: list[Finding]) -> list[tuple[int, int, str]]:
    return [(one.start, one.end, one.view) for one in found]


def streamed(inspector: TextInspector, pieces: list[str], is_json: bool) -> list[tuple[int, int, str]]:
    """What a stream finds; and nothing of it went out before it was found."""
    scanner = inspector.stream("/b", Origin.ASSISTANT, frozenset({KIND}), is_json)
    out = ""
    found: list[Finding] = []
    for piece in pieces:
        released, now = scanner.feed(piece)
        assert all(one.start >= len(out) and one.end <= len(out) + len(released) for one in now)
        out += released
        found += now
    released, now = scanner.finish()
    assert all(one.start >= len(out) for one in now)
    assert out + released == "".join(pieces)
    return spans([one for one in (*found, *now) if one.kind == KIND])
