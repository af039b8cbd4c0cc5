"""The encodings that OpenAI's models count with: how a text is cut into pieces, and which file says what these become.

`cost.counting` relies on the patterns: in each no alternative goes on from a letter or digit to a space, a line's end
or a mark other than an apostrophe, and none looks behind. Look there before adding one.
"""

from typing import NamedTuple


class EncodingSpec(NamedTuple):
    """`pattern` cuts, `digest` is the SHA-256 of the published vocabulary file, `aliases` are encodings that differ in
    their special tokens alone."""

    pattern: str
    digest: str
    aliases: tuple[str, ...] = ()


_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"

ENCODINGS: dict[str, EncodingSpec] = {
    "cl100k_base": EncodingSpec(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": EncodingSpec(
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_CONTRACTION}"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        ("o200k_harmony",),
    ),
}
