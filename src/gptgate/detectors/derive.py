"""The pieces that are searched: every text as it is read, and what views make of it, within bounds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from gptgate.core.finding import Origin, Segment
from gptgate.detectors.encodings import unpacked
from gptgate.detectors.hidden import BLANKS, hidden_texts, parted
from gptgate.detectors.multi import Cache, make_sign_finder
from gptgate.detectors.reading import Reader, read_text
from gptgate.detectors.view import Back, Derived, View

ATTACHMENT = "attachment"
"""The view of a part's content that is text. Nothing is hidden by it."""
MAX_DEPTH = 3
"""Views of views of views."""
MAX_PIECES = 1024
MAX_GROWTH = 4
"""Derived bytes, as a multiple of what was read, and as many again as `_FLOOR`: so the time stays linear."""
_FLOOR = 4096

_TRUSTED = (Origin.SYSTEM, Origin.DEVELOPER)
_EVERYTHING = ("",)


class Piece(NamedTuple):
    """Bytes to search, of which segment, read how, and the way back to the characters of the text as it was sent."""

    segment: int
    data: bytes
    back: Back
    view: str = ""
    believed: tuple[str, ...] = _EVERYTHING
    is_strong: bool = False


class Derivation(NamedTuple):
    """Pieces; the segments that hold more encoded text than was looked at; the parts whose content is not text."""

    pieces: list[Piece]
    unfinished: set[int]
    opaque: set[int]


def as_read(index: int, segment: Segment, data: bytes) -> Piece:
    """The piece of a text as it is read."""
    if len(data) == len(segment.text) and segment.text.isascii():
        return Piece(index, data, _same)
    return Piece(index, data, _Original(segment).back)


def _same(start: int, end: int) -> tuple[int, int]:
    return start, end


class _Original:
    """The way back from a reading, worked out when somebody asks for it."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._reader: Reader | None = None

    def back(self, start: int, end: int) -> tuple[int, int]:
        if self._reader is None:
            self._reader = Reader(self._segment.is_json)
            self._reader.read_all(self._segment.text)
        return self._reader.start(start), self._reader.end(end)


class Deriver:
    """Derives the views of texts. Immutable: safe in threads."""

    def __init__(self, views: Mapping[str, View], engine: str = "auto", cache: Cache | None = None) -> None:
        """`engine`, `cache`: as for `detectors.multi.make_finder`."""
        self._views = tuple(views.values())
        self._signs = make_sign_finder(engine, [view.sign for view in self._views], cache).hits

    def derive(self, segments: Sequence[Segment], roots: Sequence[Piece], joined: bytes) -> Derivation:
        """What views make of the texts. `joined` are all texts as read: one look says which signs there are."""
        has_signs = bool(self._signs(joined))
        found = Derivation([], set(), set())
        room = MAX_GROWTH * len(joined) + _FLOOR
        if not self._views or (
            not has_signs and all(segment.text.isascii() and not segment.media for segment in segments)
        ):
            return found
        for root in roots:
            segment = segments[root.segment]
            is_trusted = segment.origin in _TRUSTED
            todo = [(root, 1)]
            if segment.media:
                content = _content(root, segment)
                if content is None:
                    found.opaque.add(root.segment)
                    continue
                if content is not root:
                    found.pieces.append(content)
                    room -= len(content.data)
                    todo = [(content, 1)]
            if not segment.text.isascii():
                todo += [(_hidden(root, *one), 2) for one in hidden_texts(segment.text)]
                found.pieces.extend(piece for piece, _ in todo[1:])
                if not is_trusted and (blanks := parted(segment.text)):
                    found.pieces.append(_parted(root.segment, replace(segment, text=blanks)))
                    room -= len(found.pieces[-1].data)
            while todo:
                piece, depth = todo.pop()
                for view, child in self._children(piece, is_trusted):
                    room -= len(child.data)
                    if room < 0 or len(found.pieces) >= MAX_PIECES:
                        found.unfinished.add(root.segment)
                        todo.clear()
                        break
                    found.pieces.append(child)
                    if view.nests and depth < MAX_DEPTH:
                        todo.append((child, depth + 1))
        return found

    def _children(self, parent: Piece, is_trusted: bool) -> Iterator[tuple[View, Piece]]:
        data = parent.data
        for index in sorted(self._signs(data)):
            view = self._views[index]
            if is_trusted and not view.for_trusted:
                continue
            for derived in view.derive(data):
                if derived.data and derived.data != data:
                    yield view, _child(parent, view, derived)


def _parted(index: int, segment: Segment) -> Piece:
    piece = as_read(index, segment, read_text(segment.text, segment.is_json))
    return piece._replace(view=BLANKS, believed=("attack.",))


def _content(root: Piece, segment: Segment) -> Piece | None:
    """The text that a part holds, None when it holds none. Percent-encoded text is read by a view."""
    head, comma, body = root.data.partition(b",") if segment.text[:5] == "data:" else (b";base64", b"", root.data)
    if comma and not head.lower().endswith(b";base64"):
        return root
    text = unpacked(body)
    if text is None:
        return None
    above = root.back
    start, end = len(root.data) - len(body), len(root.data)
    return Piece(root.segment, text, lambda _start, _end: above(start, end), ATTACHMENT, _EVERYTHING, True)


def _child(parent: Piece, view: View, derived: Derived) -> Piece:
    above, back = parent.back, derived.back
    return Piece(
        segment=parent.segment,
        data=derived.data,
        back=lambda start, end: above(*back(start, end)),
        view=f"{parent.view}+{view.name}" if parent.view else view.name,
        believed=view.believed,
        is_strong=view.is_strong and derived.is_strong,
    )


def _hidden(root: Piece, name: str, data: bytes, back: Back) -> Piece:
    return Piece(root.segment, data, back, name, _EVERYTHING, True)
