"""Views are total, bounded, and lead back into the text."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from gptgate.core.finding import Origin, Segment
from gptgate.detectors import DETECTORS, TextInspector
from gptgate.detectors.derive import MAX_GROWTH, MAX_PIECES, Deriver, as_read
from gptgate.detectors.pattern import SEPARATOR
from gptgate.detectors.reading import read_text
from gptgate.detectors.registry import VIEWS

INSPECTOR = TextInspector(DETECTORS, "re2")
DERIVER = Deriver(VIEWS)
CARD = "4111111111111111"
PACKED = base64.b64encode(CARD.encode()).decode()
FRAGMENTS = [
    *[
        CARD,
        PACKED,
        base64.b64encode(PACKED.encode()).decode(),
        CARD.encode().hex(),
        "%34%31",
        "&#52;",
        "&nGt;",
        "%",
        "&",
    ],
    *[
        "\\u0034",
        "\\x41",
        "\\u{110000}",
        "\\777",
        "\x1b[0m",
        "a<b>b</b>c<br/>d",
        "<!-- e --> f<",
        "1gn0r3 ",
        "a b c d e",
        "4 1 1 1",
        "gur ",
        " eht ",
        "=",
        "==",
    ],
    *[
        "\U000e0041" * 5,
        "\U0001f3f4",
        "\u200b\u200c" * 20,
        "\ufe01" * 5,
        "е",
        "é",
        "e\u0301",
        "\ud83d",
        "ﬁ",
        "\r\n",
        " ",
    ],
    *["A" * 40, "0" * 33, "/" * 17, "%C3%A9", "%FF", "\\", "\\u", "\x00", "+"],
]
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=14).map("".join)


@settings(max_examples=600, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3), is_json=st.booleans(), origin=st.sampled_from(list(Origin)))
def test_every_piece_leads_back_into_its_text(texts: list[str], is_json: bool, origin: Origin) -> None:
    segments = [Segment(("m",), origin, text, False, is_json) for text in texts]
    read = [read_text(text, is_json) for text in texts]
    roots = [as_read(index, segment, read[index]) for index, segment in enumerate(segments)]
    joined = SEPARATOR + SEPARATOR.join(read) + SEPARATOR
    pieces, _, _ = DERIVER.derive(segments, roots, joined)
    assert len(pieces) <= MAX_PIECES
    assert sum(len(piece.data) for piece in pieces) <= MAX_GROWTH * len(joined) + 8192
    for piece in pieces:
        assert SEPARATOR not in piece.data
        size = len(piece.data)
        for start, end in [(0, size), (0, 1), (size - 1, size), (size // 2, size // 2 + 1)]:
            first, last = piece.back(start, end)
            assert 0 <= first < last <= len(texts[piece.segment])


@settings(max_examples=300, deadline=None)
@given(texts=st.lists(TEXTS, max_size=3), is_json=st.booleans())
def test_views_only_add(texts: list[str], is_json: bool) -> None:
    segments = [Segment(("m",), Origin.USER, text, False, is_json) for text in texts]
    found = INSPECTOR.inspect(segments)
    plain = TextInspector.inspect(PLAIN, segments)
    assert tuple(one for one in found if not one.view and one.detector in DETECTORS) == plain
    for one in found:
        assert 0 <= one.start < one.end <= len(texts[one.segment])


PLAIN = TextInspector(DETECTORS, "re2", views={})


@settings(max_examples=300, deadline=None)
@given(before=st.text(max_size=20), after=st.text(max_size=20), depth=st.integers(1, 3))
def test_a_packed_card_is_found_between_any_words(before: str, after: str, depth: int) -> None:
    packed = CARD
    for _ in range(depth):
        packed = base64.b64encode(packed.encode()).decode()
    text = f"{before} {packed} {after}"
    found = INSPECTOR.inspect([Segment(("m",), Origin.USER, text)])
    (card,) = [one for one in found if one.kind == "pii.payment_card" and one.view.startswith("base64")]
    assert card.start <= len(before) + 1
    assert card.end >= len(before) + 1 + len(packed)
