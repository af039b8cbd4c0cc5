"""`gptgate policy`: look over a policy, run its cases, and explain a decision."""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import structs

from gptgate.cli.failure import USAGE, CommandError
from gptgate.cli.folder import CONFIG_NAME, load_config, named_file
from gptgate.cli.options import DEFAULT_FOLDER, Config, Data, Output
from gptgate.cli.output import Column, Format, print_csv, print_json, print_records
from gptgate.cli.policy_cases import SuiteFile, read_suite, run_case, unusable
from gptgate.cli.policy_eval import COLUMNS, EXCERPT, WRONG, Writer, evaluate, wrong
from gptgate.cli.policy_replay import replay
from gptgate.cli.policy_tree import Node, Side, lines, outcome, rows, side_node, sides_of
from gptgate.cli.policy_trial import Bench, Trial, Unfit, Verdict
from gptgate.cli.text import clean, counted
from gptgate.config.problem import ConfigError, did_you_mean, shown
from gptgate.core.events import Intent
from gptgate.core.finding import Origin
from gptgate.core.snapshot import Effect, RuleSpec, Snapshot
from gptgate.core.wire import Dialect
from gptgate.detectors.registry import REPORTED_IN
from gptgate.installed import read_config
from gptgate.policy.lint import lint
from gptgate.policy.own import OWN_RULES
from gptgate.storage.queries import SqliteReader
from gptgate.storage.views import AuditRecord

REMARKS = (Column("rule", "rule"), Column("code", "remark"), Column("message", "why", fold=True))
TITLES = {"request": "request", "answer": "answer, of both sides"}
CSV_HEAD = ("side", "what", "value")
OUTCOME_FIELDS = ("state", "status", "code", "limit", "failed_guard", "failure")
"""What of a request's end is printed beside its decision."""

app = typer.Typer(help="Look over a policy, try it, and explain what it decided.", no_args_is_help=True)


app.command("replay")(replay)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration file.")],
    output: Output = Format.TABLE,
) -> None:
    """Name rules that decide nothing or can never fire.

    The file must be right, see `gptgate config check`. Exit code 1 when there is anything to remark on.
    """
    remarks = lint(read_config(named_file(file)), REPORTED_IN)
    if remarks or output is not Format.TABLE:
        print_records(output, REMARKS, [msgspec.structs.asdict(remark) for remark in remarks])
    if remarks:
        raise CommandError(
            f"{counted(len(remarks), 'remark')} on {clean(str(file))}", hint="narrow the rules down, or remove them"
        )
    if output is Format.TABLE:
        print(f"{clean(str(file))}: nothing to remark on")


@app.command("test")
def run_tests(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of cases.")],
    config: Annotated[
        Path | None, typer.Option("--config", help="The configuration; default the one that the file names.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Run cases against a configuration: what goes in, and what should come of it.

    No gateway is needed and nothing is sent; external classifiers are not asked. Every case that does not hold is shown
    with its differences; CSV has a line for each difference. Exit code 1 when there is one.
    """
    suite = read_suite(file)
    try:
        snapshot = _configuration_of(suite, config)
    except (CommandError, ConfigError) as error:
        mistakes = suite.mistakes(None)
        if not mistakes:
            raise
        raise unusable(file, [*mistakes, *str(error).splitlines()]) from None
    cases, bench = suite.cases(snapshot), Bench(snapshot)
    _note_unasked(snapshot)
    outcomes = [run_case(bench, case) for case in cases]
    failed = [outcome for outcome in outcomes if not outcome.holds]
    match output:
        case Format.TABLE:
            for outcome in failed:
                print(f"FAILED  {clean(outcome.name)}")
                print("".join(f"  {clean(line)}\n" for line in outcome.differences))
            hold = "holds" if len(outcomes) == 1 else "hold"
            print(f"{len(outcomes) - len(failed)} of {counted(len(outcomes), 'case')} {hold}")
            print(f"digest  {bench.snapshot.digest}")
        case Format.JSON:
            print_json([{"name": one.name, "holds": one.holds, "differences": one.differences} for one in outcomes])
        case Format.CSV:
            differences = [(one.name, one.holds, line) for one in outcomes for line in one.differences or ("",)]
            print_csv(("name", "holds", "difference"), differences)
    if failed:
        do = "does" if len(outcomes) == 1 else "do"
        raise CommandError(f"{len(failed)} of {counted(len(outcomes), 'case')} {do} not hold")


def _configuration_of(suite: SuiteFile, config: Path | None) -> Snapshot:
    """What the cases are run against. Raises CommandError, ConfigError."""
    if config is None and not suite.config:
        raise CommandError(
            "no configuration is named", hint="write config: PATH in the file, or use --config", exit_code=USAGE
        )
    used = config or suite.path.parent / suite.config
    if not used.is_file():
        named = f"{suite.path} names it, from its own folder" if config is None else "--config names it"
        raise CommandError(
            f"there is no configuration at {used}: {named}",
            hint="gptgate policy test CASES --config gptgate-data/gptgate.yaml",
            exit_code=USAGE,
        )
    return read_config(used)


def _note_unasked(snapshot: Snapshot) -> None:
    """Say on standard error which classifiers a gateway would ask, and this command does not."""
    if snapshot.classifiers:
        named = ", ".join(sorted(snapshot.classifiers))
        print(f"note: classifiers are not asked here: {named}", file=sys.stderr)


@app.command("eval")
def evaluate_texts(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of labelled texts, JSON Lines.")],
    origin: Annotated[Writer, typer.Option(help="Whose words the texts are.")] = Writer.USER,
    missed: Annotated[
        bool, typer.Option("--missed", help="List the lines that were missed or alerted on falsely instead.")
    ] = False,
    characters: Annotated[
        int, typer.Option("--excerpt", min=0, help="With --missed: so many characters of each text too.")
    ] = 0,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Measure what a configuration finds in labelled texts, and how often it is wrong.

    A line is {"text", "label", "kind"}; the label is attack, benign, or spans with "spans": [[start, end, type], ...],
    counted in characters. Recall is, of attacks, the share that a rule flags, holds up for approval or denies; of
    spans, the share that a finding of any kind overlaps. False positives are, of benign texts, the share that is
    flagged, held up or denied; of texts labelled spans that have none, the share with a finding. Redacted texts are
    counted apart. Nothing is sent; external classifiers are not asked.

    With --missed it lists the lines behind these figures instead: attacks without an alert, spans without a finding,
    and false positives. Texts are shown as far as --excerpt asks, and not without it.
    """
    snapshot = load_config(data, config)
    if characters and not missed:
        raise CommandError("--excerpt is for --missed", exit_code=USAGE)
    _note_unasked(snapshot)
    if not missed:
        print_records(output, COLUMNS, evaluate(Bench(snapshot), file, origin))
        return
    records = wrong(Bench(snapshot), file, origin, characters)
    print_records(output, (*WRONG, EXCERPT) if characters else WRONG, records)
    if not records and output is Format.TABLE:
        print("nothing was missed, and nothing alerted on falsely", file=sys.stderr)


@app.command("explain")
def explain(
    request_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="A request's id, as in x-request-id; or use --text.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Judge this text instead.")] = None,
    origin: Annotated[Origin, typer.Option(help="Whose words the text is.")] = Origin.USER,
    dialect: Annotated[Dialect, typer.Option(help="The dialect of the request around the text.")] = Dialect.OPENAI,
    app_name: Annotated[str, typer.Option("--app", help="The app that sends the text; default the first.")] = "",
    model: Annotated[str, typer.Option(help="The model it is for; default the first.")] = "",
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
    config: Config = None,
) -> None:
    """Show how a decision came about: the score and its parts, what was found where, which rules fired and why.

    With an ID it is the recorded decision; the rules' conditions are shown where the configuration is still the one
    that decided. With --text it is the decision that the configuration would take, on a Wednesday at noon with nothing
    spent; nothing is sent. Classifiers are not asked, and it says which ones a gateway would ask. Limits and budgets
    are not looked at, and the gateway's own credentials and canaries are not known here.
    """
    if (request_id is None) == (text is None):
        raise CommandError("name a request's id, or a text with --text", exit_code=USAGE)
    if text is not None:
        snapshot = load_config(data, config)
        _require_known("app", app_name, snapshot.apps)
        _require_known("model", model, snapshot.models)
        trial = Trial(text=text, origin=origin, dialect=dialect, app=app_name, model=model)
        try:
            verdict = Bench(snapshot).judge(trial)
        except Unfit as unfit:
            raise CommandError(f"the text cannot be judged: {unfit}") from None
        _print_verdict(verdict, snapshot, output)
        return
    with SqliteReader(data) as reader:
        record = reader.show(request_id or "")
    if record is None:
        hint = 'a text is named by --text "..."' if " " in (request_id or "") else "gptgate audit search lists requests"
        raise CommandError(f"there is no request {clean(request_id or '')}", hint=hint)
    _print_record(record, _rules_of(record.intent, data, config), output)


def _require_known(what: str, name: str, known: Collection[str]) -> None:
    """Raises CommandError for a name that the configuration does not have; without a name the first is meant."""
    if name and name not in known:
        hint = did_you_mean(name, sorted(known)) or f"{what}s are: {', '.join(sorted(known)) or 'none yet'}"
        raise CommandError(f"the configuration has no {what} {shown(name)}", hint=hint)


def _rules_of(intent: Intent, data: Path, config: Path | None) -> dict[str, RuleSpec] | None:
    """The rules that decided, if the configuration at hand is still the one that did."""
    if not (config or data / CONFIG_NAME).is_file():
        return None
    try:
        snapshot = load_config(data, config)
    except ConfigError:
        return None
    return _by_id(snapshot) if snapshot.digest == intent.config_digest else None


def _by_id(snapshot: Snapshot) -> dict[str, RuleSpec]:
    return {rule.id: rule for rule in (*OWN_RULES, *snapshot.rules)}


def _print_verdict(verdict: Verdict, snapshot: Snapshot, output: Format) -> None:
    decision, inspection = verdict.decision, verdict.inspection
    side = Side(
        effect=decision.effect.value,
        score=inspection.score,
        parts=inspection.parts,
        findings=inspection.findings,
        rules=decision.rules,
        shadowed=decision.shadowed,
        failures=decision.failures,
    )
    unasked = [("not asked", name) for name in verdict.unasked]
    match output:
        case Format.JSON:
            document = {"decision": decision, "parts": inspection.parts, "findings": inspection.findings}
            print_json(msgspec.to_builtins({**document, "not_asked": verdict.unasked}))
        case Format.CSV:
            print_csv(CSV_HEAD, [("request", *row) for row in [*rows(side), *unasked]])
        case Format.TABLE:
            _print_tree(side_node("request", side, _by_id(snapshot)))
            if verdict.unasked:
                print(_not_asked(verdict.unasked, decision.effect))
            print(f"configuration {snapshot.digest}")


def _not_asked(names: Sequence[str], effect: Effect) -> str:
    """Which classifiers a gateway would ask, and what that means for the decision."""
    one = len(names) == 1
    if effect is Effect.DENY:
        means = f"nor would {'it' if one else 'they'} be, since this is denied without {'it' if one else 'them'}"
    else:
        means = f"what {'it says' if one else 'they say'} may change the decision"
    return f"not asked: classifier{'' if one else 's'} {', '.join(names)}; {means}"


def _print_record(record: AuditRecord, specs: dict[str, RuleSpec] | None, output: Format) -> None:
    intent, end = record.intent, record.end
    sides = sides_of(intent, end)
    match output:
        case Format.JSON:
            ended = None if end is None else {name: getattr(end, name) for name in OUTCOME_FIELDS}
            plain = {title: msgspec.to_builtins(structs.asdict(side)) for title, side in sides.items()}
            document = {"id": intent.id, "config_digest": intent.config_digest, "outcome": ended, "sides": plain}
            print_json(document)
        case Format.CSV:
            print_csv(CSV_HEAD, [(title, *row) for title, side in sides.items() for row in rows(side)])
        case Format.TABLE:
            print(f"request {clean(intent.id)}, app {clean(intent.app)}, model {clean(intent.model or 'none')}")
            for title, side in sides.items():
                _print_tree(side_node(TITLES[title], side, specs))
            print(clean(outcome(end)))
            known = "" if specs is not None else " (not the one at hand, so the rules' conditions are not shown)"
            print(f"configuration {intent.config_digest}{known}")


def _print_tree(node: Node) -> None:
    for line in lines(node):
        print(line)
