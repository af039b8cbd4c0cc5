"""What rules on answers hold back of a stream, and what that costs: ``python -m bench.held``.

An answer of plain words, and one with a pseudonym in every second sentence, come in pieces of four characters, about a
token each. After each piece it is noted how many characters have not gone out yet. The time is the guards' own, of
scanner, rewriting and restoring, without the codec and without the socket.
"""

import statistics
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.texts import WORDS
from gptgate.core.finding import Origin
from gptgate.core.ports import Pseudonyms
from gptgate.detectors import build_inspector
from gptgate.policy.redact import Rewriting

PIECE = 4
CHARACTERS = 40_000
ROUNDS = 5
HELD = {"nothing held": frozenset[str](), "secret.* and pii.* held": frozenset({"secret.*", "pii.*"})}


@dataclass(frozen=True, slots=True)
class Result:
    """`share` is that of the pieces after which something was held; characters held are over all pieces."""

    share: float
    mean: float
    p99: int
    most: int
    us_a_piece: float


def answer(names: list[str]) -> str:
    """Sentences of twelve words; in every second one stands a name, where there are some."""
    out: list[str] = []
    size = number = 0
    while size < CHARACTERS:
        words = [WORDS[(number * 7919 + place * 104729) % len(WORDS)] for place in range(12)]
        if names and number % 2:
            words[5] = names[number % len(names)]
        out.append(" ".join(words).capitalize() + ". ")
        size += len(out[-1])
        number += 1
    return "".join(out)


def measure(text: str, held: frozenset[str], pseudonyms: Pseudonyms | None) -> Result:
    """Play the text piece by piece; the fastest of some rounds tells the time."""
    inspector, redaction = build_inspector(), Rewriting(b"a secret for the bench, not more")
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    fastest = float("inf")
    waiting: list[int] = []
    for _ in range(ROUNDS):
        scanner = inspector.stream("/content", Origin.ASSISTANT, held, False)
        redactor, restorer = redaction.stream(False), pseudonyms.restorer(False) if pseudonyms else None
        waiting = []
        unjudged = 0
        begin = time.perf_counter()
        for piece in pieces:
            released, _ = scanner.feed(piece)
            unjudged += len(piece) - len(released)
            redactor.apply(released, ())
            if restorer is not None:
                restorer.feed(released)
            waiting.append(unjudged + (len(restorer.pending) if restorer is not None else 0))
        fastest = min(fastest, time.perf_counter() - begin)
    return Result(
        share=sum(1 for count in waiting if count) / len(waiting),
        mean=statistics.fmean(waiting),
        p99=sorted(waiting)[len(waiting) * 99 // 100],
        most=max(waiting),
        us_a_piece=fastest / len(pieces) * 1e6,
    )


def main() -> None:
    """Print the table."""
    pseudonyms = Rewriting(b"a secret for the bench, not more").pseudonyms("bench", "session")
    names = [pseudonyms.name("pii.email", f"person{number}@example.com") for number in range(20)]
    table = Table("answer", "rules", "pieces that wait", "characters held: mean", "p99", "most", "µs a piece")
    for title, text, restoring in (
        ("words", answer([]), None),
        ("words", answer([]), pseudonyms),
        ("with pseudonyms", answer(names), pseudonyms),
    ):
        for rules, held in HELD.items():
            result = measure(text, held, restoring)
            what = rules + (", restored" if restoring else "")
            share, mean = f"{result.share:.1%}", f"{result.mean:.2f}"
            table.add_row(title, what, share, mean, str(result.p99), str(result.most), f"{result.us_a_piece:.1f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
