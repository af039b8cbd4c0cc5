"""Text → findings: the implementation of `core.ports.Inspector`."""

import copy
import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

import msgspec

from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Finding, Origin, Segment, pointer
from gptgate.core.ports import StreamScanner
from gptgate.core.snapshot import CustomSpec
from gptgate.detectors import canary, echo, hidden, known, named
from gptgate.detectors.canary import Canaries, CanaryForms
from gptgate.detectors.custom import custom_detectors
from gptgate.detectors.derive import Derivation, Deriver, Piece, as_read
from gptgate.detectors.echo import Echo
from gptgate.detectors.engine import CompiledPattern, JointFinder
from gptgate.detectors.gate import make_gate
from gptgate.detectors.haystack import Haystack, Haystacks, joined
from gptgate.detectors.junctions import as_segments, reaching, rows
from gptgate.detectors.known import Forms, FormsWatch, KnownStrings, find
from gptgate.detectors.lane import Lane, LaneGroup, covers, in_order
from gptgate.detectors.multi import Cache, make_finder
from gptgate.detectors.pattern import SEPARATOR, Detector, Pattern
from gptgate.detectors.prose import Prose
from gptgate.detectors.reading import read_text
from gptgate.detectors.registry import DETECTORS, VIEWS, WHOLE_DETECTORS
from gptgate.detectors.scanner import Division, Scanner
from gptgate.detectors.signals import hiding, signal_points, unreadable
from gptgate.detectors.stretches import Stretch
from gptgate.detectors.unfinished import Beginnings, Unfinished
from gptgate.detectors.view import View
from gptgate.detectors.watch import Watch, WatchedScanner
from gptgate.detectors.whole import Sighting, WholeDetector

MAX_ECHOES = 16
"""System texts that are remembered with what is made of them."""
MAX_FINDINGS = 20_000
"""Threat: a body of nothing but addresses would keep the event loop busy for many seconds. It is refused instead."""


def build_inspector(
    engine: str = "auto", custom: Sequence[CustomSpec] = (), cache: Cache | None = None
) -> "TextInspector":
    """An inspector with every registered detector and these custom ones, compiled.

    `cache` keeps what is compiled between starts.
    `engine`: ``hyperscan``, ``re2``, or ``auto`` for Hyperscan where it is installed. The findings are the same.
    Raises ValueError for another name, GuardFailed when the engine asked for is not installed.
    """
    return TextInspector({**DETECTORS, **custom_detectors(custom)}, engine, WHOLE_DETECTORS, cache=cache)


class TextInspector:
    """Inspects texts with a set of detectors. Deterministic, without state between calls, safe in threads.

    `digest` is the sha256 (hex) over the names, versions, patterns and points of the detectors. It does not depend on
    the engine, since the findings do not.
    """

    def __init__(
        self,
        detectors: Mapping[str, Detector],
        engine: str = "auto",
        whole: Mapping[str, WholeDetector] | None = None,
        views: Mapping[str, View] = VIEWS,
        cache: Cache | None = None,
    ) -> None:
        whole = whole or {}
        self._engine = engine
        self._forms: tuple[Forms, ...] = ()
        self._echo: Echo | None = None
        self._echoes: dict[tuple[str, ...], Echo | None] = {}
        self.digest = _digest(detectors, whole, views)
        self._deriver = Deriver(views, engine, cache)
        self._signal_points = signal_points(views)
        self._whole = tuple(whole.values())
        self._matchers = frozenset({*detectors, known.NAME, canary.NAME})
        """Detectors that say the same of a stretch as of the text that it is cut out of."""
        self._lanes = [
            Lane(CompiledPattern(pattern), name, detector.origins)
            for name, detector in detectors.items()
            for pattern in detector.patterns
        ]
        patterns = [lane.compiled.pattern for lane in self._lanes]
        # Patterns by whose words they look at: a text is searched for those alone that look at it. Phrases apart, for
        # streams that hold none back ask for them seldom; and those of a configuration, which may reach over much.
        together: dict[tuple[frozenset[Origin], bool, bool], dict[int, Pattern]] = {}
        for index, lane in enumerate(self._lanes):
            pattern = patterns[index]
            together.setdefault((lane.origins, pattern.is_phrase, pattern.is_foreign), {})[index] = pattern
        self._groups = [
            LaneGroup.of(origins, lanes, make_finder(engine, patterns, lanes, cache))
            for (origins, *_), lanes in together.items()
        ]
        self._haystacks = Haystacks(self._groups)
        kinds: dict[tuple[str, str, bool], list[int]] = {}
        for index, lane in enumerate(self._lanes):
            pattern = lane.compiled.pattern
            kinds.setdefault((lane.detector, pattern.kind, pattern.is_solid), []).append(index)
        self._beginnings = {
            index: Beginnings([self._lanes[each].compiled.pattern for each in indexes])
            for indexes in kinds.values()
            for index in indexes[:1]
        }
        # How the lanes divide for a stream, per origin and held kinds: as many as configurations name.
        self._divided: dict[tuple[Origin, frozenset[str]], tuple[Division, Division]] = {}

    def knowing(self, secrets: Iterable[str], canaries: Canaries | None = None) -> "TextInspector":
        """The same inspector, which also finds these strings (`detectors.known`), and canary tokens where there are
        any. Its digest is the same."""
        strings = KnownStrings.of(secrets, self._engine)
        other = copy.copy(self)
        other._forms = (*([strings] if strings else ()), *([CanaryForms(canaries, self._engine)] if canaries else ()))
        return other

    def minding(self, texts: Sequence[str]) -> "TextInspector":
        """See `core.ports.Inspector`."""
        key = tuple(texts)
        if key not in self._echoes:
            # An application's requests have the same system text, and making an automaton takes milliseconds.
            while len(self._echoes) >= MAX_ECHOES:
                self._echoes.pop(next(iter(self._echoes)), None)
            self._echoes[key] = Echo.of(key)
        made = self._echoes[key]
        if made is None:
            return self
        other = copy.copy(self)
        other._echo = made
        return other

    def inspect(self, segments: Sequence[Segment]) -> tuple[Finding, ...]:
        """All findings, sorted by segment, start, end and kind. Raises GuardFailed when the engine cannot answer."""
        values = named.named(segments)
        # In one look: what streams bring beside their texts are small objects, and many.
        findings = self._inspect([*segments, *named.as_segments(segments, values)] if values else segments)
        if values:
            alone = [one for one in findings if one.segment < len(segments)]
            beside = [one for one in findings if one.segment >= len(segments) and one.detector in self._matchers]
            findings = [*alone, *named.beside_names(segments, values, beside, alone)]
        joined = rows(segments) if len(segments) > 1 else ()
        if joined:
            spread = (one for one in self._inspect(as_segments(segments, joined)) if one.detector in self._matchers)
            findings += tuple(reaching(segments, joined, tuple(spread), findings))
        if not findings:
            return ()
        if len(findings) > MAX_FINDINGS:
            raise _too_many()
        findings.sort(key=in_order)
        return tuple(findings)

    def _inspect(self, segments: Sequence[Segment]) -> list[Finding]:
        """What is found in each text by itself."""
        texts = []
        for segment in segments:
            text = segment.text
            if text.isascii() and not (segment.is_json and "\\" in text):
                texts.append(text.encode())
            else:
                texts.append(read_text(text, segment.is_json))
        data = joined(texts)
        pieces = [as_read(index, segment, texts[index]) for index, segment in enumerate(segments)]
        derivation = self._deriver.derive(segments, pieces, data)
        if derivation.pieces:
            pieces += derivation.pieces
            data += SEPARATOR.join(piece.data for piece in derivation.pieces) + SEPARATOR
        findings = self._search(segments, pieces, data)
        for forms in self._forms:
            findings += find(forms, segments, pieces, data)
        if self._echo is not None:
            findings += self._echo.find(segments)
        for detector in self._whole:
            findings += _looked_at(detector, segments, derivation)
        findings = _once(findings) if derivation.pieces else findings
        findings += unreadable(segments, derivation)
        if derivation.pieces:
            findings += hiding(findings, derivation, segments, self._signal_points)
        return findings

    def stream(self, place: str, origin: Origin, held: frozenset[str], is_json: bool) -> StreamScanner:
        """A scanner for one channel; see `core.ports.StreamScanner`.

        No call is slow: what takes time was done at construction, and the automata of tails are small.
        """
        divided = self._divided.get((origin, held)) or self._divide(origin, held)
        scanner = Scanner(
            place=place,
            origin=origin,
            is_json=is_json,
            lanes=self._lanes,
            held=divided[0],
            free=divided[1],
        )
        watches: list[Watch] = [FormsWatch(forms, place, origin, is_json) for forms in self._forms]
        if self._echo is not None:
            watches.append(self._echo.watch(place, origin, is_json=is_json, is_held=covers(held, echo.KIND)))
        return WatchedScanner(scanner, watches) if watches else scanner

    def _divide(self, origin: Origin, held: frozenset[str]) -> tuple[Division, Division]:
        lanes = frozenset(index for index, lane in enumerate(self._lanes) if origin in lane.origins)
        holding = frozenset(index for index in lanes if self._lanes[index].is_held(held))
        divided = self._division(holding), self._division(lanes - holding)
        self._divided[origin, held] = divided
        return divided

    def _division(self, lanes: frozenset[int]) -> Division:
        finder = JointFinder(*(group.finder for group in self._groups if group.lanes & lanes))
        beginnings = Unfinished(each for index, each in self._beginnings.items() if index in lanes)
        gate = make_gate(self._lanes[index].compiled.pattern for index in lanes)
        return lanes, beginnings, finder, gate, Prose(beginnings, finder)

    def _search(self, segments: Sequence[Segment], pieces: Sequence[Piece], data: bytes) -> list[Finding]:
        """What the lanes find in the words of those at whom they look, lane by lane."""
        hits: list[tuple[int, Sequence[Stretch], Haystack]] = []
        for group, haystack in self._haystacks.of(segments, pieces, data):
            hits += [(hit, found, haystack) for hit, found in group.look(haystack.data).items()]
        hits.sort(key=itemgetter(0))
        places: dict[int, str] = {}
        findings: list[Finding] = []
        for hit, stretches, haystack in hits:
            lane = self._lanes[hit]
            for start, end in lane.matches(haystack.data, stretches):
                piece, begin = haystack.piece_at(start)
                if not lane.compiled.pattern.kind.startswith(piece.believed):
                    continue
                index = piece.segment
                start, end = piece.back(start - begin, end - begin)
                place = places.get(index)
                if place is None:
                    place = places[index] = pointer(segments[index].path)
                findings.append(lane.finding(segments[index].origin, place, start, end, index, piece.view))
                if len(findings) > 2 * MAX_FINDINGS:  # what is read beside its name is found twice so far
                    raise _too_many()
        return findings


def _looked_at(detector: WholeDetector, segments: Sequence[Segment], derivation: Derivation) -> list[Finding]:
    """What a detector of whole texts sees in the texts, and in those views that change what they mean."""
    found = []
    for index, segment in enumerate(segments):
        if segment.text and not segment.media and segment.origin in detector.origins and not segment.is_key:
            for start, end, kind, points in _sightings(detector, segment.text):
                place = pointer(segment.path)
                found.append(Finding(kind, segment.origin, place, start, end, detector.name, points, index))
    for piece in derivation.pieces:
        segment = segments[piece.segment]
        if piece.is_strong and segment.origin in detector.origins and not segment.is_key:
            text = piece.data.decode("utf-8", "replace")
            for start, end, kind, points in _sightings(detector, text):
                first = len(text[:start].encode())
                span = piece.back(first, first + len(text[start:end].encode()))
                place = pointer(segment.path)
                found.append(
                    Finding(kind, segment.origin, place, *span, detector.name, points, piece.segment, piece.view)
                )
    return found


def _too_many() -> GuardFailed:
    message = f"There are more than {MAX_FINDINGS} findings, which is more than are judged."
    return GuardFailed(message, guard="detectors", why=f"they found more than {MAX_FINDINGS} things")


def _sightings(detector: WholeDetector, text: str) -> Iterator[Sighting]:
    """What a detector of whole texts sees. Raises GuardFailed for a sighting of a kind that it cannot report: no rule
    would look at it."""
    for sighting in detector.look(text):
        if sighting.kind not in detector.kinds:
            raise GuardFailed(
                "A detector gave an answer that cannot be.",
                guard=f"detector {detector.name}",
                why="it reports a kind that it does not know",
            )
        yield sighting


def _once(findings: list[Finding]) -> list[Finding]:
    """Without what a view says again of characters in which an earlier reading found the same kind."""
    known: dict[tuple[int, str], list[tuple[int, int]]] = {}
    kept = []
    for one in sorted(findings, key=_by_depth):
        spans = known.setdefault((one.segment, one.kind), [])
        at = bisect_right(spans, (one.start, one.end))
        near = spans[max(at - 1, 0) : at + 1]
        if one.view and any(start < one.end and one.start < end for start, end in near):
            continue
        spans.insert(at, (one.start, one.end))
        kept.append(one)
    return kept


def _by_depth(finding: Finding) -> int:
    return finding.view.count("+") + 1 if finding.view else 0


def detectors_digest() -> str:
    """The digest that an inspector made by `build_inspector` has, without making one."""
    return _digest(DETECTORS, WHOLE_DETECTORS, VIEWS)


def _digest(detectors: Mapping[str, Detector], whole: Mapping[str, WholeDetector], views: Mapping[str, View]) -> str:
    described = [
        (
            name,
            detector.version,
            sorted(detector.kinds),
            sorted(detector.origins),
            [(p.kind, p.source, p.prefix, p.points, p.ignore_case, p.longest) for p in detector.patterns],
        )
        for name, detector in detectors.items()
    ]
    seen_whole = [
        (name, detector.digest, sorted(detector.kinds), sorted(detector.origins)) for name, detector in whole.items()
    ]
    read_as = [(name, view.version, view.sign, view.points, view.believed, view.nests) for name, view in views.items()]
    return hashlib.sha256(
        msgspec.json.encode(
            [described, seen_whole, read_as, known.VERSION, canary.VERSION, echo.VERSION, hidden.VERSION, named.VERSION]
        )
    ).hexdigest()
