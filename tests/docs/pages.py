"""The documentation as the tests see it: pages, fenced blocks, headings, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^(```+)(.*)$")
_HEADING = re.compile(r"^#{1,6} +(.*?) *$")
_LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True)
class Block:
    """A fenced block. `language` is the first word after the fence, `line` that of the opening fence."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """A page as people name it: its path in the repository."""
    return page.relative_to(ROOT).as_posix()


def pages() -> list[Path]:
    """README, CHANGELOG and everything under docs."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, from top to bottom. Raises ValueError for one that is not closed."""
    found: list[Block] = []
    opened: tuple[int, str, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None:
            if fence is not None:
                opened, lines = (number, fence[1], fence[2].strip()), []
        elif fence is not None and fence[1] == opened[1] and not fence[2].strip():
            found.append(Block(page, opened[0], opened[2], "".join(text + "\n" for text in lines)))
            opened = None
        else:
            lines.append(line)
    if opened is not None:
        raise ValueError(f"{name(page)}:{opened[0]}: the block is not closed")
    return found


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The lines outside of fenced blocks, with their numbers."""
    fence = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        found = _FENCE.match(line)
        if found is not None and (not fence or found[1] == fence):
            fence = "" if fence else found[1]
        elif not fence:
            yield number, line


def anchors(page: Path) -> list[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found: list[str] = []
    for _, line in prose(page):
        heading = _HEADING.match(line)
        if heading is not None:
            slug = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            number = sum(re.fullmatch(re.escape(slug) + r"(-\d+)?", known) is not None for known in found)
            found.append(f"{slug}-{number}" if number else slug)
    return found


def links(page: Path) -> list[tuple[int, str]]:
    """All link targets of a page, with their lines."""
    return [(number, target) for number, line in prose(page) for target in _LINK.findall(_CODE.sub("``", line))]
