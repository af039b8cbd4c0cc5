"""A file of labelled texts, judged under a configuration and counted by kind."""

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
from gptgate.cli.text import clean
from gptgate.core.finding import Origin
from gptgate.core.snapshot import Effect

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

    def add(self, row: Row, verdict: Verdict, alerting: frozenset[str]) -> None:
        """Count a text."""
        decision, findings = verdict.decision, verdict.inspection.findings
        flagged = not alerting.isdisjoint(decision.rules)
        self.texts += 1
        self.flagged += flagged
        self.denied += decision.effect is Effect.DENY
        self.redacted += bool(decision.rewrites)
        spans = row.spans or ()
        self.spans += len(spans)
        self.spans_found += sum(any(one.start < end and start < one.end for one in findings) for start, end, _ in spans)
        if not spans and row.label != "attack":
            self.clean += 1
            self.clean_hit += flagged if row.label == "benign" else bool(findings)

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


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """The lines with their numbers; empty ones are passed over. Raises CommandError for what is no such line."""
    decoder = msgspec.json.Decoder(Row)
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, decoder.decode(line)
    except OSError as error:
        raise CommandError(f"{clean(str(path))} cannot be read: {error.strerror}", exit_code=USAGE) from None
    except msgspec.ValidationError as error:
        said, _ = fault(error, WORDS)
        raise CommandError(f"{clean(str(path))}, line {number}: {clean(said)}", exit_code=USAGE) from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise CommandError(f"{clean(str(path))}, line {number}: not JSON in UTF-8", exit_code=USAGE) from None


def evaluate(bench: Bench, path: Path, writer: Writer) -> Sequence[Record]:
    """A record for each kind and label, in the order in which they come first.

    Raises CommandError for a file without a text, a bad line, and a text that cannot be judged.
    """
    alerting = frozenset(rule.id for rule in bench.snapshot.rules if rule.effect in ALERTS)
    tallies: dict[tuple[str, str], Tally] = {}
    for number, row in read_rows(path):
        try:
            verdict = bench.judge(Trial(text=row.text, origin=Origin(writer)))
        except Unfit as unfit:
            raise CommandError(f"{clean(str(path))}, line {number}: the text cannot be judged: {unfit}") from None
        tally = tallies.setdefault((row.kind, row.label), Tally(label=row.label, kind=row.kind))
        tally.add(row, verdict, alerting)
    if not tallies:
        raise CommandError(f"{clean(str(path))} holds no text", exit_code=USAGE)
    return [tally.record() for tally in tallies.values()]
