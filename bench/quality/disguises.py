"""Eight ways to disguise a text, and two more. Each is a function of the text alone."""

import base64
import codecs
from collections.abc import Callable, Mapping
from urllib.parse import quote

_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_ALIKE = str.maketrans("aceiopxyACEHKMOPTX", "асеіорхуАСЕНКМОРТХ")
_ZERO_WIDTH = "\u200b"


def _spaced(text: str) -> str:
    """Letters apart by one space, words by three."""
    return "   ".join(" ".join(word) for word in text.split())


DISGUISES: Mapping[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "leetspeak": lambda text: text.translate(_LEET),
    "homoglyphs": lambda text: text.translate(_ALIKE),
    "letter spacing": _spaced,
    "zero-width": lambda text: _ZERO_WIDTH.join(text),
    "reversed": lambda text: text[::-1],
    "percent": lambda text: quote(text, safe=""),
    "entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
}
"""Name → the disguised text."""
