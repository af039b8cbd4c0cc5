"""The system's own words coming back."""

import random

import pytest

from gptgate.core.finding import Finding, Origin, Segment
from gptgate.detectors import DETECTORS, TextInspector
from gptgate.detectors.echo import KIND, MAX_WORD, MAX_WORDS, MIN_RUN, PIECE, Echo

SYSTEM = (
    "You are Mira, the assistant of the Northwind bakery in Leeds. Never tell a customer what flour costs us, never "
    "promise a delivery before nine, and answer in the language in which you are asked. If somebody is angry, offer a "
    "voucher of five pounds, but never more than one to the same customer in a month, whatever he says about it."
)
WORDS = SYSTEM.split()
ECHO = Echo.of([SYSTEM])


@pytest.fixture(scope="module")
def inspector() -> TextInspector:
    return TextInspector({"email": DETECTORS["email"]}).minding([SYSTEM])


def found_in(inspector: TextInspector, text: str, *, is_json: bool = False) -> list[Finding]:
    found = inspector.inspect([Segment(("a",), Origin.ASSISTANT, text, False, is_json)])
    return [one for one in found if one.kind == KIND]


def test_the_whole_text_is_found_at_its_place(inspector: TextInspector) -> None:
    before = "Of course! My instructions: "
    found = found_in(inspector, f"{before}{SYSTEM} That is all.")
    assert (found[0].start, found[-1].end) == (len(before), len(before) + len(SYSTEM) - 1)
    assert found[-1].points == 80


def test_a_run_of_words_is_found_and_a_shorter_one_is_not(inspector: TextInspector) -> None:
    (one,) = found_in(inspector, "He said: " + " ".join(WORDS[20 : 20 + MIN_RUN]) + " or so.")
    assert one.points == 40
    assert found_in(inspector, "He said: " + " ".join(WORDS[20 : 19 + MIN_RUN]) + " or so.") == []


def test_letters_marks_and_lines_do_not_matter(inspector: TextInspector) -> None:
    text = "> " + "\n> ".join(word.upper() for word in WORDS[:30]).replace("MIRA,", "**MIRA**")
    assert found_in(inspector, text)


def test_words_in_another_order_are_not_found(inspector: TextInspector) -> None:
    mixed = list(WORDS)
    random.Random(7).shuffle(mixed)
    assert found_in(inspector, " ".join(mixed)) == []
    assert found_in(inspector, "Our bakery is in Leeds; deliveries come after nine. Shall I offer you a voucher?") == []


def test_every_word_of_the_system_text_can_begin_a_run() -> None:
    """The automaton knows every row of words: compared with looking them up one by one."""
    few = random.Random(3)
    words = [few.choice("abc") for _ in range(300)]
    echo = Echo.of([" ".join(words)])
    assert echo is not None
    joined = " ".join(words)
    watch = echo.watch("/a", Origin.ASSISTANT, is_json=False, is_held=True)
    said: list[str] = []
    for _ in range(2000):
        said.append(few.choice("abcd"))
        watch.feed(said[-1] + " ")
        run = watch._run
        assert run == 0 or f" {' '.join(said[-run:])} " in f" {joined} "
        assert run == len(said) or f" {' '.join(said[-run - 1 :])} " not in f" {joined} "


def test_texts_without_spaces_are_read_by_their_characters() -> None:
    system = "你是一家面包店的助手,永远不要告诉顾客面粉的价格,也不要承诺九点之前送货。"
    echo = TextInspector({"email": DETECTORS["email"]}).minding([system])
    assert found_in(echo, f"好的:{system}")
    assert found_in(echo, "好的,面包店九点开门。") == []


def test_a_text_that_says_nothing_is_not_looked_for() -> None:
    assert Echo.of(["You are a helpful assistant."]) is None
    assert Echo.of([]) is None
    short = TextInspector({"email": DETECTORS["email"]}).minding(["Answer as a pirate of the seas would."])
    assert found_in(short, "I was told: answer as a pirate of the seas would.")
    assert found_in(short, "I was told: answer as a pirate of the seas.") == []


def test_a_run_does_not_go_from_one_text_into_the_next() -> None:
    two = TextInspector({"email": DETECTORS["email"]}).minding([" ".join(WORDS[:8]), " ".join(WORDS[8:16])])
    assert found_in(two, " ".join(WORDS[:16])) == []


@pytest.mark.parametrize("is_json", [False, True])
@pytest.mark.parametrize("is_held", [False, True])
def test_a_stream_cut_anywhere_gives_what_the_whole_gives(
    inspector: TextInspector, is_json: bool, is_held: bool
) -> None:
    said = f"Yes: {' '.join(WORDS[:40])} and Übrigens — {' '.join(WORDS[10:26])}\\n{' '.join(WORDS[26:35])} É"
    whole = found_in(inspector, said, is_json=is_json)
    assert len(whole) == 2
    held = frozenset({"exfil.*"} if is_held else ())
    for size in (1, 2, 3, 11, 400):
        scanner = inspector.stream("/a", Origin.ASSISTANT, held, is_json)
        out = ""
        heard: list[Finding] = []
        for at in range(0, len(said), size):
            released, found = scanner.feed(said[at : at + size])
            if is_held:
                assert all(len(out) <= one.start and one.end <= len(out) + len(released) for one in found)
            else:
                assert released == said[at : at + size]
            out += released
            heard += found
        released, found = scanner.finish()
        assert out + released == said
        assert [*heard, *found] == whole


def test_what_is_held_back_is_bounded(inspector: TextInspector) -> None:
    """Threat: a provider repeats the system's text for ever, or one word of it, or puts a gap into it."""
    for text in (SYSTEM * 5, " ".join(["the"] * 3000), "You are" + " " * 5000 + "Mira", "y" * 5000):
        scanner = inspector.stream("/a", Origin.ASSISTANT, frozenset({KIND}), False)
        fed = out = most = 0
        for at in range(0, len(text), 4):
            fed += len(text[at : at + 4])
            out += len(scanner.feed(text[at : at + 4])[0])
            most = max(most, fed - out)
        assert most <= PIECE * 12 + MAX_WORD
        assert out + len(scanner.finish()[0]) == fed


def test_only_the_beginning_of_a_long_text_is_known() -> None:
    numbers = [f"w{number}" for number in range(MAX_WORDS + 100)]
    echo = TextInspector({"email": DETECTORS["email"]}).minding([" ".join(numbers)])
    assert found_in(echo, " ".join(numbers[MAX_WORDS - 50 : MAX_WORDS]))
    assert found_in(echo, " ".join(numbers[MAX_WORDS : MAX_WORDS + 50])) == []


def test_what_was_made_of_a_system_text_is_remembered_within_bounds() -> None:
    plain = TextInspector({"email": DETECTORS["email"]})
    first = plain.minding([SYSTEM])
    assert plain.minding([SYSTEM])._echo is first._echo
    for number in range(40):
        plain.minding([f"{SYSTEM} {number}"])
    assert len(plain._echoes) <= 16
    assert plain._echo is None
