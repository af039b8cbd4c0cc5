"""The view of a text without the tags of HTML and the stars of Markdown, where they part the words of an attack: what a
page shows."""

import re
from collections.abc import Iterator

from gptgate.detectors.view import Derived, View, rewritten

_TAG = re.compile(
    rb"<(?:/?([A-Za-z][A-Za-z0-9]{0,15})(?:[ \t\r\n/][^<>]{0,256})?|!--[^<>]{0,256}--)>"
    rb"|(?<=[A-Za-z])(?:\*{1,3}|~~)|(?:\*{1,3}|~~)(?=[A-Za-z])"
)
_INLINE = frozenset(b"a abbr b big code del em font i ins kbd mark s small span strong sub sup tt u wbr".split())
"""Tags within words and between them; a browser shows no space in the place of one."""


def _shown(unit: bytes) -> bytes:
    if unit[:1] != b"<":
        return b""
    name = unit[1:].lstrip(b"/").rstrip(b">").split(None, 1)[0].rstrip(b"/").lower()
    return b"" if name in _INLINE or name.startswith(b"!--") else b" "


def _without_tags(data: bytes) -> Iterator[Derived]:
    yield rewritten(data, _TAG, _shown)


MARKUP = View(
    name="markup",
    what="Something was found in text whose words were parted by tags of HTML or by marks of Markdown.",
    sign=r"[A-Za-z,][ \t]?<[/!A-Za-z]|[A-Za-z](?:\*{1,3}|~~)[A-Za-z]",
    derive=_without_tags,
    points=5,
    believed=("attack.",),
    version=2,
)
