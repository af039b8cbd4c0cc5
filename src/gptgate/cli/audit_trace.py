"""`gptgate audit trace`: one request from its first byte to its place in the log, in the order in which it happened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import typer
from msgspec import structs

from gptgate.cli.failure import CommandError
from gptgate.cli.options import DEFAULT_FOLDER, Data, Output
from gptgate.cli.output import Format, print_csv, print_json
from gptgate.cli.policy_tree import answer_effect, reasons, unanswered
from gptgate.cli.story import SOURCES, decision, got, milliseconds, sent_digest, where
from gptgate.cli.text import clean, counted
from gptgate.cli.times import show_ms, to_seconds
from gptgate.core.errors import UpstreamUnreachable
from gptgate.core.events import End, EndState, Intent
from gptgate.core.finding import Finding
from gptgate.core.money import format_usd
from gptgate.core.snapshot import REWRITING, RuleSpec
from gptgate.policy.rules import NO_OBLIGATIONS, prepare
from gptgate.storage.history import Decided, History, history
from gptgate.storage.queries import SqliteReader
from gptgate.storage.views import AuditRecord

BEFORE_SENDING = ("admit", "inspect", "classify", "decide", "wait", "record")
WIDTH = 20
"""Of the times, at the left."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened, and when it was done: microseconds after the first byte, or a moment of its own, or unknown."""

    name: str
    lines: tuple[str, ...]
    after_us: int | None = None
    at_ms: int | None = None


def trace(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id, as in x-request-id.")],
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Tell what happened to one request, in order: found, decided and why, changed, sent, answered, paid, proven.

    Why a rule fired is told from the configuration that decided, which is in the log. Holds no text of the request.
    """
    with SqliteReader(data) as reader:
        record = reader.show(request_id)
    if record is None:
        raise CommandError(f"there is no request {clean(request_id)}", hint="gptgate audit search lists requests")
    found = list(steps(record, history(data, record)))
    match output:
        case Format.JSON:
            document = [
                {"step": one.name, "after_us": one.after_us, "at": _at(one), "lines": one.lines} for one in found
            ]
            print_json({"id": record.intent.id, "steps": document})
        case Format.CSV:
            print_csv(
                ("step", "after_us", "at", "line"),
                [(one.name, one.after_us, _at(one), line) for one in found for line in one.lines],
            )
        case Format.TABLE:
            _print(record.intent, found)


def _at(step: Step) -> str | None:
    return None if step.at_ms is None else show_ms(step.at_ms)


def _print(intent: Intent, found: list[Step]) -> None:
    print(f"request {clean(intent.id)}, {show_ms(intent.at_ms)}")
    width = max(len(step.name) for step in found)
    for step in found:
        time = "" if step.after_us is None else f"+{milliseconds(step.after_us)}"
        if step.at_ms is not None:
            time = to_seconds(show_ms(step.at_ms))
        first, *rest = step.lines
        print(f"{time:>{WIDTH}}  {step.name:{width}}  {clean(first)}")
        for line in rest:
            print(f"{'':{WIDTH}}  {'':{width}}  {clean(line)}")


def steps(record: AuditRecord, around: History) -> Iterator[Step]:
    """The timeline. Times add up to where the request came; what has no time of its own has none."""
    intent, end = record.intent, record.end
    spent: dict[str, int] = {} if end is None else end.timings_us
    clock = _clock(spent)
    yield from (_approval(one) for one in around.decided if one.at_ms < intent.at_ms)
    yield Step("asked", tuple(_asked(intent)), 0)
    if "admit" in spent:
        yield Step("admitted", ("its key, the model, limits and guards",), clock["admit"])
    if end is None or "inspect" in spent:
        found = _found(intent.findings, intent.finding_counts, intent.score, intent.parts)
        yield Step("found", tuple(found), clock["inspect"])
    else:
        yield Step("not inspected", ("it was refused before",))
    if intent.opinions:
        yield Step("judged outside", tuple(_opinions(intent)), clock["classify"])
    if intent.circumstances is not None:
        yield Step("decided", tuple(_decided(intent.effect, intent, around.rules)), clock["decide"])
        yield Step("changed", tuple(_changed(intent, end, around.rules)))
        yield Step("reserved", (_reserved(intent),))
    refused = end is not None and end.state is EndState.REFUSED
    when = "refused, so nothing was sent" if refused else "before anything was sent"
    yield Step("recorded", (f"durable as number {record.seq}, {when}",), clock["record"])
    if end is None:
        yield from _extended(around)
        yield Step("open", ("it has no end yet: it is running, or its gateway has died and not started again",))
    else:
        yield from _afterwards(intent, end, around, clock)
    yield Step("in the log", tuple(_places(around)))
    yield from (_approval(one) for one in around.decided if one.at_ms >= intent.at_ms)
    for one in around.later:
        yield Step(one.kind, (f"by {one.by}", *([one.said] if one.said else [])), at_ms=one.at_ms)


def _approval(one: Decided) -> Step:
    """A decision on the approval that this request asked for, or passed by."""
    what, said = decision(one)
    return Step(f"approval {what}", (said,), at_ms=one.at_ms)


def _clock(spent: Mapping[str, int]) -> dict[str, int | None]:
    """When each stage before sending was done, as far as it is known."""
    done: dict[str, int | None] = {}
    total = 0
    for stage in BEFORE_SENDING:
        total += spent.get(stage, 0)
        done[stage] = total if stage in spent else None
    done["sent"] = total if "upstream" in spent else None
    done["upstream"] = total + spent["upstream"] if "upstream" in spent else None
    done["total"] = spent.get("total")
    return done


def _asked(intent: Intent) -> Iterator[str]:
    yield (
        f"{intent.endpoint}, {'streamed' if intent.stream else 'not streamed'}, "
        f"model {intent.routed_from or intent.model or 'none that the gateway offers'}"
    )
    yield f"by app {intent.app} of team {intent.team} with key {intent.key_id}, from {intent.client}"
    yield f"for end user {intent.end_user}" if intent.end_user else "for an end user that was not named"
    if intent.session:
        yield f"in session {intent.session}"
    yield f"body sha256 {intent.request_digest}"


def _found(
    findings: tuple[Finding, ...],
    counts: tuple[tuple[str, int], ...],
    score: int,
    parts: tuple[tuple[str, int], ...] = (),
) -> Iterator[str]:
    yield f"risk score {score}" + (f" = {' + '.join(f'{points} {name}' for name, points in parts)}" if parts else "")
    for one in findings:
        yield f"{one.kind} in {where(one)}: {counted(one.points, 'point')}" + (
            f", read as {one.view}" if one.view else ""
        )
    total = sum(count for _, count in counts)
    if total > len(findings):
        yield f"{total} in all: " + ", ".join(f"{count} {kind}" for kind, count in counts)
    if not findings and not counts:
        yield "nothing was found"


def _opinions(side: Intent | End) -> Iterator[str]:
    for one in side.opinions:
        said = ", ".join(f"{label} {permille / 1000:.3f}" for label, permille in one.labels) or "nothing"
        yield f"{one.classifier}: {one.failure or said}"


def _decided(effect: str, side: Intent | End, rules: dict[str, RuleSpec] | None) -> Iterator[str]:
    digest = f", by configuration {side.config_digest}" if isinstance(side, Intent) else ""
    yield effect + digest
    for name in side.rules:
        yield f"rule {name}{_why(name, rules)}"
    if not side.rules:
        yield "no rule fired on the request" if isinstance(side, Intent) else "no rule fired on the answer"
    for name in side.shadowed:
        yield f"would have fired: rule {name}{_why(name, rules)}"
    if side.failures:
        yield f"failed and let pass: {', '.join(side.failures)}"
    if isinstance(side, Intent) and side.approval:
        yield f"approved by {side.approved_by}, approval {side.approval}"


def _why(name: str, rules: dict[str, RuleSpec] | None) -> str:
    spec = (rules or {}).get(name.removesuffix(":failed"))
    if spec is None:
        return ""
    return f" ({spec.effect.value}): {'; '.join(reasons(spec)) or 'always'}"


def _changed(intent: Intent, end: End | None, rules: dict[str, RuleSpec] | None) -> Iterator[str]:
    digest = sent_digest(intent, end)
    if not digest:
        yield "nothing was sent"
        return
    if digest == intent.request_digest:
        yield f"nothing: the provider {got(end)} the same bytes"
        return
    if intent.routed_from:
        yield f"model {intent.routed_from} became {intent.model}"
    if intent.upstream_model != intent.model:
        yield f"model {intent.model} is {intent.upstream_model} at the provider"
    if intent.lowered_from:
        tokens = counted(intent.lowered_from, "token")
        yield f"the bound of the answer was lowered from {tokens} to what the budget could pay"
    for name in intent.rules:
        spec = (rules or {}).get(name)
        if spec is not None:
            yield from _rewritten(intent, spec)
    yield f"what the provider {got(end)} has sha256 {digest}"


def _rewritten(intent: Intent, spec: RuleSpec) -> Iterator[str]:
    if spec.effect in REWRITING:
        # The condition has been met; compiling it is not needed to know what the rule looks at.
        matches = prepare(structs.replace(spec, when="")).matches
        for one in intent.findings:
            if matches(one.kind, one.origin):
                yield f"{spec.effect.value} {one.kind} in {where(one)} (rule {spec.id})"
    if spec.obligations != NO_OBLIGATIONS:
        asked = structs.asdict(spec.obligations)
        wanted = [f"{name} {value}" for name, value in asked.items() if value and name != "notice"]
        wanted += ["notice in the system's text"] if spec.obligations.notice else []
        yield f"obligations of rule {spec.id}: {', '.join(wanted)}"


def _reserved(intent: Intent) -> str:
    tokens = f", {counted(intent.reserved_tokens, 'token')}" if intent.reserved_tokens else ""
    uses = "".join([f", {counted(most, 'use')} of {tool}" for tool, most in intent.reserved_uses.items()])
    return f"{format_usd(intent.reserved_nano)} USD{tokens}{uses}; prices: {intent.price_version or 'none'}"


def _afterwards(intent: Intent, end: End, around: History, clock: Mapping[str, int | None]) -> Iterator[Step]:
    if end.attempts or clock["sent"] is not None:
        times = "once" if end.attempts == 1 else f"{end.attempts} times"
        none = "it could not be reached" if end.code == UpstreamUnreachable.code else "no answer came"
        line = f"to {intent.upstream_model} at {intent.provider}" + (f", {times}" if end.attempts else f": {none}")
        yield Step("sent", (line,), clock["sent"])
    if end.attempts:
        known = f", its id {end.provider_request_id}" if end.provider_request_id else ""
        yield Step(
            "answered", (f"by {end.answered_model or 'a model that it did not name'}{known}",), clock["upstream"]
        )
    yield from _extended(around)
    if end.attempts:
        yield Step("found in answer", tuple(_found(end.findings, end.finding_counts, end.score)))
        if end.opinions:
            yield Step("answer judged outside", tuple(_opinions(end)))
        yield Step("decided on it", tuple(_decided(_answer_effect(end), end, around.rules)))
    yield Step("paid", tuple(_paid(end)))
    yield Step("ended", tuple(_ended(end)), clock["total"])


def _extended(around: History) -> Iterator[Step]:
    """What a stream that outgrew its reservation took besides, each time before more of it went out."""
    for one in around.extended:
        tokens = f"{one.input_tokens} input and {counted(one.output_tokens, 'output token')}"
        yield Step("extended", (f"reservation to {format_usd(one.nano)} USD in all, for {tokens}",), at_ms=one.at_ms)


def _answer_effect(end: End) -> str:
    """The record has one effect for both sides, so that of the request alone must not look like one on the answer."""
    effect = answer_effect(end)
    return f"{effect} for both sides together" if effect else "not decided on"


def _paid(end: End) -> Iterator[str]:
    usage = end.usage
    yield (
        f"{format_usd(end.cost_nano)} USD for {counted(usage.input_tokens, 'input token')} "
        f"({usage.cache_read} read from cache, {usage.cache_write} written) "
        f"and {counted(usage.output_tokens, 'output token')}"
        + "".join([f", {counted(uses, 'use')} of {tool}" for tool, uses in usage.tool_uses.items() if uses])
    )
    if end.fees_nano:
        yield f"{format_usd(end.fees_nano)} USD of it for uses of tools"
    yield SOURCES.get(end.usage_source, end.usage_source)


def _ended(end: End) -> Iterator[str]:
    status = f"status {end.status}" if end.status else "nobody knows what the caller was given"
    yield f"{end.state.value}, {status}" + (f", {end.code}" if end.code else "")
    if end.limit:
        yield f"refused by {end.limit}"
    if said := unanswered(end):
        yield said
    if end.chunks:
        yield f"{counted(end.chunks, 'event was', 'events were')} given out"
    if end.answer_digest:
        yield f"what the caller got has sha256 {end.answer_digest}"


def _places(around: History) -> Iterator[str]:
    for kind, place in around.places.items():
        yield f"{kind}: " + ("not yet" if place is None else f"entry {place}")
