import pytest

from gptgate.core.finding import Origin, Segment
from gptgate.core.snapshot import CustomSpec
from gptgate.detectors import TextInspector, build_inspector
from gptgate.detectors.custom import custom_detectors


def spec(name: str, words: tuple[str, ...] = (), pattern: str = "", **other: object) -> CustomSpec:
    given = {"ignore_case": True, "points": 30, "origins": (), **other}
    return CustomSpec(name=name, words=words, pattern=pattern, **given)


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
    out, kinds = "", []
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
