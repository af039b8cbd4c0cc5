"""The view of text that was written as the numbers of its characters, decimal or binary."""

import re
from collections.abc import Iterator

from gptgate.detectors.encodings import readable
from gptgate.detectors.view import Derived, View, whole

_CODE = "(?:9|10|13|3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])"
_BITS = "0[01]{7}"
_GAP = r"(?:, ?|[ ;\n])"
_OCTETS = rf"(?:{_BITS})++(?![0-9])"
_LEAST = 6
"""Fewer octets are numbers like others."""
# No repetition is gone back into: see `detectors.encodings`.
_NUMBERS = re.compile(rf"(?<![0-9.,;]){_CODE}(?:{_GAP}{_CODE}(?![0-9.])){{7,}}+".encode())
_BINARY = re.compile(rf"(?<![0-9]){_OCTETS}(?:{_GAP}{_OCTETS})*+".encode())


def _codes(data: bytes) -> Iterator[Derived]:
    for runs, number, base in ((_NUMBERS, rb"[0-9]+", 10), (_BINARY, b"[01]{8}", 2)):
        for run in runs.finditer(data):
            codes = bytes(int(one[0], base) for one in re.finditer(number, run[0]))
            text = readable(codes) if len(codes) >= _LEAST else None
            if text:
                yield whole(text, *run.span())


CODES = View(
    name="codes",
    what="Something was found in text that was written as the numbers of its characters.",
    sign=rf"(?:(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6]){_GAP}){{6}}|(?:{_BITS}{_GAP}?){{5}}{_BITS}",
    derive=_codes,
    points=15,
    nests=True,
    is_strong=True,
)
