"""Findings that no pattern makes: that something was hidden in a view, and that something could not be read."""

from collections.abc import Iterable, Mapping, Sequence

from gptgate.core.finding import Finding, Segment, pointer
from gptgate.detectors import hidden
from gptgate.detectors.derive import Derivation
from gptgate.detectors.view import View

VIEWS = "views"
"""The name of the detector that these findings bear."""

UNSCANNABLE: Mapping[str, str] = {
    "unscannable.image": "An image, which is not looked into.",
    "unscannable.audio": "A recording, which is not listened to.",
    "unscannable.video": "A video, which is not looked into.",
    "unscannable.file": "A document or a file, given by its content, its id or its address, that is not text.",
    "unscannable.tokens": "A text given as numbers of tokens, as some clients send what they embed.",
    "unscannable.tool": "A tool that the provider runs, such as a web search: what it sends and reads is not seen.",
    "unscannable.encoded": "More encoded text than is decoded, or bytes of an unknown form.",
}
_POINTS = 5


def signal_kinds(views: Mapping[str, View]) -> dict[str, str]:
    """Every kind that is reported here, with one line that says what it is."""
    return {view.kind: view.what for view in views.values()} | hidden.KINDS | hidden.BLANKS_KIND | dict(UNSCANNABLE)


def signal_points(views: Mapping[str, View]) -> dict[str, int]:
    """The points of each of these kinds."""
    points = {view.kind: view.points for view in views.values()}
    points |= dict.fromkeys(hidden.BLANKS_KIND, hidden.BLANKS_POINTS)
    return points | dict.fromkeys(hidden.KINDS, hidden.POINTS) | dict.fromkeys(UNSCANNABLE, _POINTS)


def unreadable(segments: Sequence[Segment], derivation: Derivation) -> list[Finding]:
    """What could not be looked at."""
    found = [
        _unscannable(segment, index, segment.media)
        for index, segment in enumerate(segments)
        if segment.media and (not segment.text or index in derivation.opaque)
    ]
    return found + [_unscannable(segments[index], index, "encoded") for index in sorted(derivation.unfinished)]


def _unscannable(segment: Segment, index: int, what: str) -> Finding:
    place = pointer(segment.path)
    return Finding(f"unscannable.{what}", segment.origin, place, 0, len(segment.text), VIEWS, _POINTS, index)


def hiding(
    findings: Iterable[Finding], derivation: Derivation, segments: Sequence[Segment], points: Mapping[str, int]
) -> list[Finding]:
    """One finding for each way in which something was hidden in a text, and for each invisible text."""
    seen: dict[tuple[int, str], Finding] = {}
    for one in findings:
        for name in one.view.split("+") if one.view else ():
            kind = f"obfuscation.{name}"
            if kind in points and (one.segment, kind) not in seen:
                seen[one.segment, kind] = Finding(
                    kind, one.origin, one.place, one.start, one.end, VIEWS, points[kind], one.segment, one.view
                )
    for piece in derivation.pieces:
        kind = f"obfuscation.{piece.view}"
        if kind in hidden.KINDS and (piece.segment, kind) not in seen:
            segment = segments[piece.segment]
            start, end = piece.back(0, len(piece.data))
            seen[piece.segment, kind] = Finding(
                kind, segment.origin, pointer(segment.path), start, end, VIEWS, points[kind], piece.segment, piece.view
            )
    return list(seen.values())
