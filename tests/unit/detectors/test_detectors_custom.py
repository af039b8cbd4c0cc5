"""Words and patterns of an organisation's own: what is found, by both engines alike, and on streams."""

import random

import pytest

from gptgate.core.finding import Origin, Segment
from gptgate.core.snapshot import CustomSpec
from gptgate.detectors import TextInspector, build_inspector
from gptgate.detectors.custom import PIECE, custom_detectors, examine_custom
from gptgate.detectors.multi import ENGINES, HyperscanFinder


def spec(
    name: str,
    words: tuple[str, ...] = (),
    pattern: str = "",
    ignore_case: bool = True,
    origins: tuple[str, ...] = (),
) -> CustomSpec:
    return CustomSpec(name=name, words=words, pattern=pattern, ignore_case=ignore_case, points=30, origins=origins)


SPECS = (
    spec("project", ("Blue Falcon", "blue", "c++ (old)")),
    spec("ticket", pattern="ACME-[0-9]{4,6}", ignore_case=False),
    spec("mine", ("aardvark",), origins=("user",)),
)
INSPECTOR = TextInspector(custom_detectors(SPECS))


def found(text: str, origin: Origin = Origin.USER) -> list[tuple[str, str]]:
    findings = INSPECTOR.inspect([Segment((), origin, text)])
    return [(one.kind, text[one.start : one.end]) for one in findings]


def test_words_and_patterns_are_found_as_words() -> None:
    assert found("the BLUE\nfalcon, bluebird, C++ (OLD)!") == [
        ("custom.project", "BLUE\nfalcon"),
        ("custom.project", "C++ (OLD)"),
    ]
    assert found("ACME-12345 acme-12345 ACME-1234567") == [("custom.ticket", "ACME-12345")]


def test_they_look_at_the_words_of_their_origins() -> None:
    assert found("aardvark") == [("custom.mine", "aardvark")]
    assert found("aardvark", Origin.ASSISTANT) == []


@pytest.mark.parametrize("size", range(1, 12))
def test_a_stream_holds_them_back_whole(size: int) -> None:
    text = "see Blue Falcon and ACME-123456 now"
    scanner = INSPECTOR.stream("/c", Origin.ASSISTANT, frozenset({"custom.*"}), False)
    out = ""
    kinds: list[str] = []
    for start in range(0, len(text), size):
        released, findings = scanner.feed(text[start : start + size])
        out, kinds = out + released, kinds + [one.kind for one in findings]
        assert not out.endswith(("Blue", "Blue Falco", "ACME-1234"))
    released, findings = scanner.finish()
    assert out + released == text
    assert kinds + [one.kind for one in findings] == ["custom.project", "custom.ticket"]


def test_an_inspector_with_custom_words_has_another_digest() -> None:
    assert TextInspector(custom_detectors(SPECS[:1])).digest != INSPECTOR.digest
    assert build_inspector("re2", SPECS[:1]).inspect([Segment((), Origin.USER, "blue")])[0].points == 30


FOREIGN = spec(
    "words",
    (
        "Zürich",
        "Straße",
        "Проект Ёж",
        "密码",
        "비밀번호",
        "ÅNGSTRÖM",
        "Menü",
        "ΟΔΟΣ",
        "café",
        "ไทย",
        "Ärger.Öl",
        "Größe😀",
        "Größe€",
        "ｗide",
    ),
)
TEXTS = {
    "in ZÜRICH, zürich; Zu\u0308rich, Zurich": ["ZÜRICH", "zürich", "Zu\u0308rich"],
    "Zürichs Straßenbahn, STRASSE, straße": ["STRASSE", "straße"],
    "проект \n ёж, ПРОЕКТ ЁЖ, субпроект ёж, проект ёжик": ["проект \n ёж", "ПРОЕКТ ЁЖ"],
    "我的密码是abc密码def": ["密码", "密码"],
    "비밀번호는": ["비밀번호"],
    "ångström, A\u030angstro\u0308m, ångströms": ["ångström", "A\u030angstro\u0308m"],
    "menü㼀 menüé Menü! \u201eMenü\u201c MENÜ😀 menü\u0301": ["menü", "Menü", "Menü", "MENÜ"],
    "οδος ΟΔΟΣ Οδοσ οδοςε": ["οδος", "ΟΔΟΣ", "Οδοσ"],
    "cafés «café» 我café我 écafé ệcafé cafệ": ["café", "café"],
    "aไทยb": ["ไทย"],
    "ärger.öl ärger!öl": ["ärger.öl"],
    "größe😀größe😀größe😀größe😀": ["größe😀"] * 4,
    "größe\u20acgröße\u20acgröße\u20ac größe\u20ac": ["größe\u20ac"] * 4,
    "wide WIDE": ["wide", "WIDE"],
}
ESCAPED = "caf\u200b\u00e9 \\ncafé\\tx"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", [*TEXTS, ESCAPED])
def test_words_in_any_letters_are_found_by_every_engine_and_on_streams(engine: str, text: str) -> None:
    inspector = TextInspector(custom_detectors([FOREIGN]), engine)
    whole = [(one.start, one.end) for one in inspector.inspect([Segment((), Origin.USER, text)])]
    assert [text[start:end] for start, end in whole] == TEXTS.get(text, ["caf\u200b\u00e9", "café"])
    for size in range(1, len(text) + 1):
        scanner = inspector.stream("/c", Origin.ASSISTANT, frozenset({"custom.*"}), False)
        out = ""
        spans: list[tuple[int, int]] = []
        for start in range(0, len(text), size):
            released, findings = scanner.feed(text[start : start + size])
            out, spans = out + released, spans + [(one.start, one.end) for one in findings]
            assert all(not one.start < len(out) < one.end for one in findings)
        released, findings = scanner.finish()
        assert (out + released, spans + [(one.start, one.end) for one in findings]) == (text, whole)


@pytest.mark.parametrize("letters", ["абвгдежзиклмнопрстуфхцч", "abcdefghijklmnopqrstuvwxyz"])
def test_as_many_words_as_there_may_be_are_compiled(letters: str) -> None:
    chance = random.Random(1)
    words = tuple("".join(chance.choices(letters, k=24)) for _ in range(200))
    many = spec("many", words)
    assert examine_custom(many) == ""
    inspector = TextInspector(custom_detectors([many]))
    for word in words[::20]:
        (finding,) = inspector.inspect([Segment((), Origin.USER, f"so {word}, yes")])
        assert (finding.start, finding.end) == (3, 3 + len(word))


def test_case_counts_where_it_is_to_count() -> None:
    exact = TextInspector(custom_detectors([spec("words", ("Zürich", "Ölberg"), ignore_case=False)]))
    text = "Zürich ZÜRICH zürich Zu\u0308rich ölberg Ölberg"
    found = [text[one.start : one.end] for one in exact.inspect([Segment((), Origin.USER, text)])]
    assert found == ["Zürich", "Zu\u0308rich", "Ölberg"]


def test_a_pattern_may_hold_the_bytes_that_its_refusal_names() -> None:
    refused = spec("form", pattern="Zürich-[0-9]{1,3}")
    advice = examine_custom(refused)
    helped = spec("form", pattern=advice.rpartition("classes: ")[2])
    assert examine_custom(helped) == ""
    inspector = TextInspector(custom_detectors([helped]))
    assert len(inspector.inspect([Segment((), Origin.USER, "zürich-12 ZÜRICH-7 zurich-1")])) == 2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("[0-9](?:key ?[ ]{1,2}){0,2} [0-9][ -]x9", "please look at this text: \\t2 5 x9"),
        ("a[ab]{0,3}[ \\t\\n]{1,2}(?:me ){0,4}[ \\t\\n]{1,2}b", "x" * 40 + " \\ra  b"),
    ],
)
def test_what_hyperscan_misses_some_way_into_a_text_is_found(engine: str, pattern: str, text: str) -> None:
    inspector = TextInspector(custom_detectors([spec("own", pattern=pattern)]), engine)
    assert [one.kind for one in inspector.inspect([Segment((), Origin.USER, text)])] == ["custom.own"]


def test_a_pattern_that_is_too_large_for_hyperscan_is_searched_for() -> None:
    part = "(?:ab[0-9 ]{2,5}[ \\t]{1,2} ){1,4}[ -][ ]{1,2}"
    last = "(?:(?:ab |(?:tel:[ -]|a my-key[ \\t]{1,2}call )[ \\t]{1,2}tel:)(?:ab){0,2}tel: [ ]{1,2}){0,3}"
    large = f"[0-9](?:(?:{part}){{0,3}}  ){{1,3}} {last}x9"
    with pytest.raises(pytest.importorskip("hyperscan").error):
        HyperscanFinder([(0, custom_detectors([spec("own", pattern=large)])["custom.own"].patterns[0].hint, True)])
    inspector = TextInspector(custom_detectors([spec("own", pattern=large)]))
    assert inspector.inspect([Segment((), Origin.USER, "see 1   x9 now")])


def test_a_long_list_is_cut_between_words_and_each_is_found_once() -> None:
    words = [f"project {chr(97 + n % 26)}{n}x" for n in range(1200)]
    (made,) = custom_detectors([spec("many", tuple(words))]).values()
    inspector = TextInspector({made.name: made})
    text = "; ".join(words)
    findings = inspector.inspect([Segment((), Origin.USER, text)])
    assert len(made.patterns) > 2
    assert all(len(pattern.body) <= PIECE for pattern in made.patterns)
    assert [text[one.start : one.end] for one in findings] == words
