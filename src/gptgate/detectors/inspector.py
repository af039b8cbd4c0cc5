"""Text → findings: the implementation of `core.ports.Inspector`."""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

import msgspec

from gptgate.core.errors import GuardFailed
from gptgate.core.finding import Finding, Origin, Segment, pointer
from gptgate.core.ports import StreamScanner
from gptgate.detectors.engine import CompiledPattern
from gptgate.detectors.gate import make_gate
from gptgate.detectors.lane import Lane, in_order
from gptgate.detectors.multi import make_finder
from gptgate.detectors.pattern import SEPARATOR, Detector
from gptgate.detectors.reading import Reader, read_text
from gptgate.detectors.registry import DETECTORS, WHOLE_DETECTORS
from gptgate.detectors.scanner import Division, Scanner
from gptgate.detectors.unfinished import Beginnings, Unfinished
from gptgate.detectors.whole import WholeDetector

MAX_FINDINGS = 20_000
"""Threat: a body of nothing but addresses would keep the event loop busy for many seconds. It is refused instead."""


def build_inspector(engine: str = "auto") -> "TextInspector":
    """An inspector with every registered detector, compiled.

    `engine`: ``hyperscan``, ``re2``, or ``auto`` for Hyperscan where it is installed. The findings are the same.
    Raises ValueError for another name, GuardFailed when the engine asked for is not installed.
    """
    return TextInspector(DETECTORS, engine, WHOLE_DETECTORS)


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
    ) -> None:
        whole = whole or {}
        self.digest = _digest(detectors, whole)
        self._whole = tuple(whole.values())
        self._lanes = [
            Lane(CompiledPattern(pattern), name, detector.origins)
            for name, detector in detectors.items()
            for pattern in detector.patterns
        ]
        patterns = [lane.compiled.pattern for lane in self._lanes]
        self._finder = make_finder(engine, patterns)
        # Streams that hold no phrases back ask for them seldom, and otherwise use a much smaller automaton.
        self._token_lanes = frozenset(index for index, pattern in enumerate(patterns) if not pattern.is_phrase)
        self._tokens = make_finder(engine, patterns, self._token_lanes)
        kinds: dict[tuple[str, str], list[int]] = {}
        for index, lane in enumerate(self._lanes):
            kinds.setdefault((lane.detector, lane.compiled.pattern.kind), []).append(index)
        self._beginnings = {
            index: Beginnings([self._lanes[each].compiled.pattern for each in indexes])
            for indexes in kinds.values()
            for index in indexes[:1]
        }
        # How the lanes divide for a stream, per origin and held kinds: as many as configurations name.
        self._divided: dict[tuple[Origin, frozenset[str]], tuple[Division, Division]] = {}

    def inspect(self, segments: Sequence[Segment]) -> tuple[Finding, ...]:
        """All findings, sorted by segment, start, end and kind. Raises GuardFailed when the engine cannot answer."""
        texts = []
        for segment in segments:
            text = segment.text
            if text.isascii() and not (segment.is_json and "\\" in text):
                texts.append(text.encode())
            else:
                texts.append(read_text(text, segment.is_json))
        data = SEPARATOR + SEPARATOR.join(texts) + SEPARATOR
        hits = self._finder.hits(data)
        findings = self._locate(segments, texts, data, sorted(hits)) if hits else []
        for detector in self._whole:
            for index, segment in enumerate(segments):
                if segment.origin in detector.origins and not segment.is_key:
                    findings += [
                        Finding(kind, segment.origin, pointer(segment.path), start, end, detector.name, points, index)
                        for start, end, kind, points in detector.look(segment.text)
                    ]
        if not findings:
            return ()
        if len(findings) > MAX_FINDINGS:
            raise GuardFailed(f"There are more than {MAX_FINDINGS} findings, which is more than are judged.")
        findings.sort(key=in_order)
        return tuple(findings)

    def stream(self, place: str, origin: Origin, held: frozenset[str], is_json: bool) -> StreamScanner:
        """A scanner for one channel; see `core.ports.StreamScanner`.

        Every automaton exists since construction; no call is slow.
        """
        divided = self._divided.get((origin, held)) or self._divide(origin, held)
        return Scanner(
            place=place,
            origin=origin,
            is_json=is_json,
            lanes=self._lanes,
            held=divided[0],
            free=divided[1],
        )

    def _divide(self, origin: Origin, held: frozenset[str]) -> tuple[Division, Division]:
        lanes = frozenset(index for index, lane in enumerate(self._lanes) if origin in lane.origins)
        holding = frozenset(index for index in lanes if self._lanes[index].is_held(held))
        divided = self._division(holding), self._division(lanes - holding)
        self._divided[origin, held] = divided
        return divided

    def _division(self, lanes: frozenset[int]) -> Division:
        finder = self._tokens if lanes <= self._token_lanes else self._finder
        beginnings = Unfinished(each for index, each in self._beginnings.items() if index in lanes)
        gate = make_gate(self._lanes[index].compiled.pattern for index in lanes)
        return lanes, beginnings, finder, gate

    def _locate(
        self, segments: Sequence[Segment], texts: Sequence[bytes], data: bytes, hits: Sequence[int]
    ) -> list[Finding]:
        begins = list(accumulate((len(text) + 1 for text in texts), initial=1))
        readers: dict[int, Reader] = {}
        places: dict[int, str] = {}
        findings: list[Finding] = []
        for hit in hits:
            lane = self._lanes[hit]
            for start, end in lane.compiled.matches(data, 0, len(data), 0):
                index = bisect_right(begins, start) - 1
                segment = segments[index]
                if segment.origin not in lane.origins:
                    continue
                start, end = start - begins[index], end - begins[index]
                if len(texts[index]) != len(segment.text) or not segment.text.isascii():
                    reader = readers.get(index)
                    if reader is None:
                        reader = readers[index] = Reader(segment.is_json)
                        reader.read_all(segment.text)
                    start, end = reader.start(start), reader.end(end)
                place = places.get(index)
                if place is None:
                    place = places[index] = pointer(segment.path)
                findings.append(lane.finding(segment.origin, place, start, end, index))
                if len(findings) > MAX_FINDINGS:
                    raise GuardFailed(f"There are more than {MAX_FINDINGS} findings, which is more than are judged.")
        return findings


def _digest(detectors: Mapping[str, Detector], whole: Mapping[str, WholeDetector]) -> str:
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
    return hashlib.sha256(msgspec.json.encode([described, seen_whole])).hexdigest()
