"""A file of labelled texts, judged under a configuration and counted by kind."""

import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.faults import fault
from gptgate.cli.output import Column, Record
from gptgate.cli.policy_trial import Bench, Trial, Unfit, Verdict
from gptgate.cli.text import clean, counted
from gptgate.core.finding import Origin
from gptgate.core.snapshot import Effect

MOST_MISTAKES = 20
"""Of lines that cannot be used: so many are named, the others counted."""

ALERTS = frozenset({Effect.FLAG, Effect.REQUIRE_APPROVAL, Effect.DENY})
"""Effects of rules that say that something is wrong. To redact a text is not to call it an attack."""

Label = Literal["attack", "benign", "spans"]
Span = tuple[Annotated[int, Meta(ge=0)], int, str]


class Writer(StrEnum):
    """Whose words the texts are."""

    USER = "user"
    TOOL_RESULT = "tool_result"


class Row(Struct, frozen=True, kw_only=True):
    """A line of the file. Other fields are passed over."""

    text: str
    label: Label
    kind: str = ""
    spans: tuple[Span, ...] | None = None

    def __post_init__(self) -> None:
        if self.spans is None and self.label == "spans":
            raise ValueError("a text with the label spans has spans")
        if self.spans and self.label != "spans":
            raise ValueError("only a text with the label spans has spans")
        if any(not start < end <= len(self.text) for start, end, _ in self.spans or ()):
            raise ValueError("a span is [start, end, type], within the text and not empty")

    @property
    def is_clean(self) -> bool:
        """Nothing is to be found in it."""
        return self.label != "attack" and not self.spans


class Judged(Struct, frozen=True, kw_only=True):
    """What came of a text. `flagged`: a rule alerts. `unfound` are the spans that no finding overlaps."""

    verdict: Verdict
    flagged: bool
    unfound: tuple[Span, ...]
    is_missed: bool
    is_false_alert: bool

    @classmethod
    def of(cls, row: Row, verdict: Verdict, alerting: frozenset[str]) -> "Judged":
        """Compare with the label; `alerting` are the rules that alert."""
        findings = verdict.inspection.findings
        flagged = not alerting.isdisjoint(verdict.decision.rules)
        unfound = tuple(
            span for span in row.spans or () if not any(one.start < span[1] and span[0] < one.end for one in findings)
        )
        return cls(
            verdict=verdict,
            flagged=flagged,
            unfound=unfound,
            is_missed=not flagged if row.label == "attack" else bool(unfound),
            is_false_alert=row.is_clean and (flagged if row.label == "benign" else bool(findings)),
        )


class Tally(Struct, kw_only=True):
    """What came of the texts of one kind and label."""

    label: str
    kind: str
    texts: int = 0
    flagged: int = 0
    denied: int = 0
    redacted: int = 0
    spans: int = 0
    spans_found: int = 0
    clean: int = 0
    clean_hit: int = 0

    def add(self, row: Row, judged: "Judged") -> None:
        """Count a text."""
        self.texts += 1
        self.flagged += judged.flagged
        self.denied += judged.verdict.decision.effect is Effect.DENY
        self.redacted += bool(judged.verdict.decision.rewrites)
        self.spans += len(row.spans or ())
        self.spans_found += len(row.spans or ()) - len(judged.unfound)
        if row.is_clean:
            self.clean += 1
            self.clean_hit += judged.is_false_alert

    def record(self) -> Record:
        """The fields of `COLUMNS`."""
        found, wanted = (self.flagged, self.texts) if self.label == "attack" else (self.spans_found, self.spans)
        return {
            "kind": self.kind,
            "label": self.label,
            "texts": self.texts,
            "flagged": self.flagged,
            "denied": self.denied,
            "redacted": self.redacted,
            "spans": self.spans,
            "recall": _share(found, wanted),
            "false_positives": _share(self.clean_hit, self.clean),
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


WORDS: dict[str, tuple[str, ...]] = {"label": get_args(Label), "": Row.__struct_fields__}
"""As `policy_cases.WORDS`."""


def _percent(share: object) -> str:
    return f"{100 * share:.2f} %" if isinstance(share, float) else ""


COLUMNS = (
    Column("kind", "kind"),
    Column("label", "label"),
    Column("texts", "texts", right=True),
    Column("flagged", "flagged", right=True),
    Column("denied", "denied", right=True),
    Column("redacted", "redacted", right=True),
    Column("spans", "spans", right=True),
    Column("recall", "recall", right=True, show=_percent),
    Column("false_positives", "false positives", right=True, show=_percent),
)


def read_rows(path: Path) -> list[tuple[int, Row]]:
    """The lines with their numbers; empty ones are passed over.

    Raises CommandError where any of them is no such line, and prints what is wrong with each: figures of the others
    alone would be of another file.
    """
    decoder = msgspec.json.Decoder(Row)
    rows: list[tuple[int, Row]] = []
    mistakes: list[str] = []
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    rows.append((number, decoder.decode(line)))
                except msgspec.ValidationError as error:
                    mistakes.append(f"{path}, line {number}: {fault(error, WORDS)[0]}")
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    mistakes.append(f"{path}, line {number}: not JSON in UTF-8")
    except OSError as error:
        raise CommandError(f"{clean(str(path))} cannot be read: {error.strerror}", exit_code=USAGE) from None
    if mistakes:
        raise _unusable(path, mistakes)
    return rows


def _unusable(path: Path, mistakes: Sequence[str]) -> CommandError:
    for mistake in mistakes[:MOST_MISTAKES]:
        print(clean(mistake), file=sys.stderr)
    if len(mistakes) > MOST_MISTAKES:
        print(f"and {len(mistakes) - MOST_MISTAKES} more", file=sys.stderr)
    return CommandError(
        f"{clean(str(path))}: {counted(len(mistakes), 'line')} cannot be used, so no text was judged",
        hint='a line is {"text": "...", "label": "attack" or "benign" or "spans", "kind": "..."}',
        exit_code=USAGE,
    )


WRONG = (
    Column("line", "line", right=True),
    Column("kind", "kind"),
    Column("label", "label"),
    Column("what", "what"),
    Column("effect", "effect"),
    Column("score", "score", right=True),
    Column("rules", "rules", fold=True),
    Column("findings", "findings", fold=True),
    Column("unfound", "not found", fold=True),
)
"""Of the texts that were missed or alerted on falsely."""
EXCERPT = Column("text", "text", fold=True)


def judge(bench: Bench, path: Path, writer: Writer) -> Iterator[tuple[int, Row, Judged]]:
    """The texts with the numbers of their lines.

    Raises CommandError for a file without a text, bad lines, and a text that cannot be judged.
    """
    alerting = frozenset(rule.id for rule in bench.snapshot.rules if rule.effect in ALERTS)
    rows = read_rows(path)
    if not rows:
        raise CommandError(f"{clean(str(path))} holds no text", exit_code=USAGE)
    for number, row in rows:
        try:
            verdict = bench.judge(Trial(text=row.text, origin=Origin(writer)))
        except Unfit as unfit:
            raise CommandError(f"{clean(str(path))}, line {number}: the text cannot be judged: {unfit}") from None
        yield number, row, Judged.of(row, verdict, alerting)


def evaluate(bench: Bench, path: Path, writer: Writer) -> Sequence[Record]:
    """A record for each kind and label, in the order in which they come first. Raises CommandError as `judge`."""
    tallies: dict[tuple[str, str], Tally] = {}
    for _, row, judged in judge(bench, path, writer):
        tallies.setdefault((row.kind, row.label), Tally(label=row.label, kind=row.kind)).add(row, judged)
    return [tally.record() for tally in tallies.values()]


def wrong(bench: Bench, path: Path, writer: Writer, characters: int) -> Sequence[Record]:
    """The texts that were missed or alerted on falsely, each with so many of its first characters.

    Raises CommandError as `judge`.
    """
    return [
        {
            "line": number,
            "kind": row.kind,
            "label": row.label,
            "what": "missed" if judged.is_missed else "false alert",
            "effect": judged.verdict.decision.effect.value,
            "score": judged.verdict.inspection.score,
            "rules": list(judged.verdict.decision.rules),
            "findings": list(dict.fromkeys(one.kind for one in judged.verdict.inspection.findings)),
            "unfound": [f"{start}-{end} {type_}" for start, end, type_ in judged.unfound],
            "text": row.text[:characters],
        }
        for number, row, judged in judge(bench, path, writer)
        if judged.is_missed or judged.is_false_alert
    ]
