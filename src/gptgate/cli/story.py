"""One record as a story for people, and as a document for programs."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gptgate.cli.text import clean, counted
from gptgate.cli.times import show_ms
from gptgate.core.errors import UpstreamUnreachable
from gptgate.core.events import End, EndState, Intent, has_overrun, overrun_nano
from gptgate.core.finding import Finding
from gptgate.core.money import format_usd
from gptgate.core.sealing import ANSWER, REQUEST, length_of
from gptgate.storage.history import Decided, History
from gptgate.storage.views import AuditRecord

INDENT = "  "
STAGES = (
    "admit inspect classify decide wait record upstream inspect_answer classify_answer answer stream overhead total"
).split()
SOURCES = {
    "provider": "provider: the usage that it reported",
    "unused": "unused: nothing can have been billed",
    "unknown": "unknown: the reservation stays spent",
    "estimated": "estimated: what the gateway counts for what was delivered",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the story: names and what they say. Values may hold anything; whoever prints them cleans them.

    `texts`: values are texts that have lines.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    texts: bool = False


def story(record: AuditRecord, around: History, content: bool) -> list[Section]:
    """The record in the order of the request's path. The texts only when `content` asks for them."""
    intent, end = record.intent, record.end
    sections = [
        Section("request", _outcome(record, around)),
        Section("who", _who(intent)),
        Section("asked", _asked(intent)),
        Section("found in the request", _findings(intent.findings, intent.finding_counts)),
        Section(
            "risk score", (("score", str(intent.score)), *((name, f"{points} of it") for name, points in intent.parts))
        ),
        Section("decision", _decision(intent)),
    ]
    if end is not None:
        sections += [
            Section("answer", _answer(end)),
            Section("found in the answer", _findings(end.findings, end.finding_counts)),
            Section("usage", _usage(end)),
        ]
    sections.append(Section("money", _money(intent, end)))
    if end is not None:
        sections.append(Section("timings", _timings(end)))
    sections.append(Section("digests (sha256)", _digests(intent, end)))
    if around.decided:
        sections.append(Section("approval", tuple(_decisions(around))))
    if around.later:
        sections.append(Section("afterwards", tuple(_afterwards(around))))
    sections.append(Section("content", _content(record, around, content), texts=True))
    return sections


def as_document(record: AuditRecord, around: History, *, content: bool) -> dict[str, object]:
    """The whole record as one JSON object: intent and end as they are kept, and money in dollars beside them."""
    intent, end = record.intent, record.end
    document: dict[str, object] = {
        "seq": record.seq,
        "log_entries": around.places,
        "id": intent.id,
        "at": show_ms(intent.at_ms),
        "state": "open" if end is None else end.state.value,
        "reserved_usd": format_usd(intent.reserved_nano),
        "cost_usd": None if end is None else format_usd(end.cost_nano),
        "intent": msgspec.to_builtins(intent),
        "end": None if end is None else msgspec.to_builtins(end),
        "content_kept": {"request": record.request_content is not None, "answer": record.answer_content is not None},
        "content_erased": None if around.gone is None else {side: side in around.gone for side in (REQUEST, ANSWER)},
        "approval_decisions": [
            {**msgspec.to_builtins(one), "at": show_ms(one.at_ms), "expires": show_ms(one.expires_ms)}
            for one in around.decided
        ],
        "afterwards": [
            {"event": one.kind, "at": show_ms(one.at_ms), "by": one.by, "said": one.said} for one in around.later
        ],
    }
    if content:
        document["content"] = {"request": _decoded(record.request_content), "answer": _decoded(record.answer_content)}
    return document


def print_story(sections: Sequence[Section]) -> None:
    """Sections with aligned names; headings are bold on a terminal."""
    console = Console(file=sys.stdout, highlight=False) if sys.stdout.isatty() else None
    for index, section in enumerate(sections):
        if index:
            print()
        if console is None:
            print(section.title)
        else:
            console.print(Text(section.title, style="bold"))
        width = max((cell_len(clean(name)) for name, _ in section.rows), default=0)
        for name, value in section.rows:
            shown = clean(name)
            lines = clean(value, lines=section.texts).split("\n")
            print(f"{INDENT}{shown}{' ' * (width - cell_len(shown))}  {lines[0]}".rstrip())
            for line in lines[1:]:
                print(f"{INDENT}{' ' * width}  {line}".rstrip())


def _outcome(record: AuditRecord, around: History) -> tuple[tuple[str, str], ...]:
    intent, end = record.intent, record.end
    rows = [
        ("id", intent.id),
        ("entries of the log", ", ".join(f"{kind} {shown_place(place)}" for kind, place in around.places.items())),
        ("number", f"{record.seq}, for search --before"),
        ("began", show_ms(intent.at_ms)),
    ]
    if end is None:
        return (*rows, ("state", "open: it is still running, or its gateway has died and not started again"))
    rows += [("ended", show_ms(end.at_ms)), ("state", end.state.value), ("effect", end.effect)]
    rows.append(("status", str(end.status) if end.status else "unknown: nobody knows what the caller was given"))
    said = (
        ("error code", end.code),
        ("limit", end.limit),
        ("could not answer", end.failed_guard),
        ("why", end.failure),
    )
    return (*rows, *((name, text) for name, text in said if text))


def _who(intent: Intent) -> tuple[tuple[str, str], ...]:
    return (
        ("team", intent.team),
        ("app", intent.app),
        ("key", intent.key_id),
        ("end user", intent.end_user or "not named"),
        ("client address", intent.client),
        *((("traceparent", intent.traceparent),) if intent.traceparent else ()),
    )


def _asked(intent: Intent) -> tuple[tuple[str, str], ...]:
    return (
        ("endpoint", f"{intent.endpoint}, {'streamed' if intent.stream else 'not streamed'}"),
        ("model", intent.model or "none that the gateway offers"),
        ("provider", intent.provider or "none"),
        ("model at provider", intent.upstream_model or "none"),
    )


def _findings(findings: Sequence[Finding], counts: Sequence[tuple[str, int]]) -> tuple[tuple[str, str], ...]:
    if not findings and not counts:
        return (("nothing", ""),)
    rows = [
        (
            finding.kind,
            f"{where(finding)}, by {finding.detector}, {counted(finding.points, 'point')}"
            + (f", read as {finding.view}" if finding.view else ""),
        )
        for finding in findings
    ]
    total = sum(count for _, count in counts)
    if total > len(findings):
        rows.append(("and more", f"{total} in all: " + ", ".join(f"{count} {kind}" for kind, count in counts)))
    return tuple(rows)


def where(finding: Finding) -> str:
    """Whose words it was found in, and where they stand; what judges a text as a whole names no characters of it."""
    if finding.start < finding.end:
        return f"{finding.origin.value} {finding.place or '/'}, characters {finding.start} to {finding.end}"
    return f"{finding.origin.value} {finding.place}, as a whole" if finding.place else "the whole of it"


def _decision(intent: Intent) -> tuple[tuple[str, str], ...]:
    return (
        ("effect", intent.effect),
        ("rules", ", ".join(intent.rules) or "none fired"),
        *((("would have fired", ", ".join(intent.shadowed)),) if intent.shadowed else ()),
        *((("failed and let pass", ", ".join(intent.failures)),) if intent.failures else ()),
        *((("routed from", intent.routed_from),) if intent.routed_from else ()),
        *((("approved by", f"{intent.approved_by}, approval {intent.approval}"),) if intent.approval else ()),
        ("configuration", intent.config_digest),
    )


def _answer(end: End) -> tuple[tuple[str, str], ...]:
    return (
        ("model that answered", end.answered_model or "none"),
        ("provider's request id", end.provider_request_id or "none"),
        ("attempts", str(end.attempts)),
        ("rules on the answer", ", ".join(end.rules) or "none fired"),
        *((("would have fired on it", ", ".join(end.shadowed)),) if end.shadowed else ()),
        ("score of the answer", str(end.score)),
    )


def _usage(end: End) -> tuple[tuple[str, str], ...]:
    usage = end.usage
    return (
        ("input tokens", str(usage.input_tokens)),
        ("of them read from cache", str(usage.cache_read)),
        ("of them written to cache", str(usage.cache_write)),
        *_kinds(("audio", usage.audio_input), ("images", usage.image_input)),
        ("output tokens", str(usage.output_tokens)),
        *_kinds(("audio", usage.audio_output), ("images", usage.image_output)),
        *[(f"uses of {tool}", str(uses)) for tool, uses in usage.tool_uses.items() if uses],
        ("source", SOURCES.get(end.usage_source, end.usage_source)),
    )


def _kinds(*kinds: tuple[str, int | None]) -> tuple[tuple[str, str], ...]:
    return tuple((f"of them {name}", str(tokens)) for name, tokens in kinds if tokens)


def _money(intent: Intent, end: End | None) -> tuple[tuple[str, str], ...]:
    rows = [("reserved", f"{format_usd(intent.reserved_nano)} USD")]
    rows += [(f"for uses of {tool}, at most", str(most)) for tool, most in intent.reserved_uses.items()]
    if end is not None and end.extensions:
        rows.append(("extended to", f"{format_usd(end.extended_nano)} USD"))
    if end is not None:
        rows.append(("cost", f"{format_usd(end.cost_nano)} USD"))
        if end.fees_nano:
            rows.append(("of it for uses of tools", f"{format_usd(end.fees_nano)} USD"))
        if has_overrun(intent, end):
            rows.append(("beyond what was reserved", f"{format_usd(overrun_nano(intent, end))} USD"))
    rows.append(("budget month", intent.window or "none"))
    return (*rows, ("price list", intent.price_version or "none"))


def _timings(end: End) -> tuple[tuple[str, str], ...]:
    """In the order of the request's path, those that it does not name after the others."""
    order = {name: index for index, name in enumerate(STAGES)}
    names = sorted(end.timings_us, key=lambda name: (order.get(name, len(order)), name))
    return tuple((name, milliseconds(end.timings_us[name])) for name in names)


def sent_digest(intent: Intent, end: End | None) -> str:
    """The digest of what may have been sent, empty where it is known that nothing was.

    Older records name what would have been sent, although the request was refused.
    """
    return "" if end is not None and end.state is EndState.REFUSED else intent.sent_digest


def got(end: End | None) -> str:
    """What is known of whether the provider got the request's bytes, as a verb."""
    if end is None or end.state is EndState.ABANDONED:
        return "may have got"
    return "was to get" if end.code == UpstreamUnreachable.code else "got"


def _digests(intent: Intent, end: End | None) -> tuple[tuple[str, str], ...]:
    rows = [("request", intent.request_digest), ("sent to provider", "nothing was sent")]
    if digest := sent_digest(intent, end):
        rows[-1] = (f"what the provider {got(end)}", digest)

    return (*rows, ("answer", end.answer_digest or "none")) if end is not None else tuple(rows)


def _afterwards(around: History) -> Iterator[tuple[str, str]]:
    for one in around.later:
        yield one.kind, f"{show_ms(one.at_ms)} by {one.by}" + (f": {one.said}" if one.said else "")


def _decisions(around: History) -> Iterator[tuple[str, str]]:
    for one in around.decided:
        yield decision(one)


def decision(one: Decided) -> tuple[str, str]:
    """What was decided on an approval; by whom and when."""
    machine = "" if one.user == one.by else f" (run by {one.user})"
    said = f"{show_ms(one.at_ms)} by {one.by}{machine}, approval {one.approval}"
    return ("given", f"{said}, to be used until {show_ms(one.expires_ms)}") if one.given else ("rejected", said)


def _content(record: AuditRecord, around: History, wanted: bool) -> tuple[tuple[str, str], ...]:
    kept = {REQUEST: record.request_content, ANSWER: record.answer_content}
    return tuple((side, _absent(side, around) if text is None else _text(text, wanted)) for side, text in kept.items())


def _text(text: bytes, wanted: bool) -> str:
    return _decode(text) if wanted else f"{counted(length_of(text), 'byte')} kept; --content shows them to auditors"


def _absent(side: str, around: History) -> str:
    """Why there is no text; search --contains finds nothing in it either."""
    if around.gone is None:
        return "not kept, or erased: the audit log, which knows, cannot be read"
    if side not in around.gone:
        return "not kept"
    by = around.erased
    return "erased; no event says by whom" if by is None else f"erased {show_ms(by.at_ms)} by {by.by}"


def _decoded(content: bytes | None) -> str | None:
    return None if content is None else _decode(content)


def _decode(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")


def shown_place(place: int | None) -> str:
    """Where an entry stands in the log, by the index that proofs and exports use."""
    return "not yet" if place is None else str(place)


def milliseconds(us: int) -> str:
    """Microseconds as they are shown."""
    return f"{us // 1000}.{us % 1000:03d} ms"
