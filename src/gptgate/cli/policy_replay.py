"""`gptgate policy replay`: what another configuration would have decided on requests that are on record."""

import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct, structs

from gptgate.cli.failure import CommandError
from gptgate.cli.folder import load_config
from gptgate.cli.options import DEFAULT_FOLDER, Data, Output
from gptgate.cli.output import Format, print_csv, print_json
from gptgate.cli.text import clean, counted
from gptgate.cli.times import past_ms
from gptgate.core.errors import GateError
from gptgate.core.events import Circumstances, EndState, Intent
from gptgate.core.facts import Decision, PolicyFacts
from gptgate.core.ports import Policy
from gptgate.core.snapshot import Effect, Snapshot, Stage
from gptgate.core.wire import Endpoint
from gptgate.pipeline.judge import decide_routed, weigh_routed
from gptgate.pipeline.policy_facts import clock_facts
from gptgate.policy.engine import compile_policy
from gptgate.storage.queries import OPEN, SqliteReader

FOREVER_MS = 1 << 53
TOO_MANY, UNKNOWN = "more findings than are recorded", "no such app or model"
OLDER = "recorded by a version that did not keep what its rules saw"
UNDECIDED: dict[str, str] = {
    EndState.ABANDONED: "abandoned before a decision: the gateway stopped",
    EndState.COMPLETED: OLDER,
    OPEN: "not decided on yet: no end is on record",
}
"""Why a request has no decision on record, by how it ended. One that was refused has the code of its refusal."""


class Change(Struct, frozen=True, kw_only=True):
    """One request on which the two would differ."""

    id: str
    app: str
    model: str
    effect: str
    would_be: str
    rules: tuple[str, ...]
    would_fire: tuple[str, ...]


class Replayed(Struct, kw_only=True):
    """What came of it. `skipped` says why and how many."""

    digest: str
    requests: int = 0
    same: int = 0
    changes: list[Change] = []
    skipped: dict[str, int] = {}


def replay(
    against: Annotated[
        Path | None, typer.Option(help="The other configuration file; default the one in the data folder.")
    ] = None,
    since: Annotated[str, typer.Option(help="Requests from this time on: 2h, 7d, 2026-11-01, RFC 3339.")] = "7d",
    until: Annotated[str | None, typer.Option(help="Requests before this time.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000_000, help="The newest so many at most.")] = 100_000,
    examples: Annotated[
        int, typer.Option(min=0, max=1000, help="Show so many of each kind of change; CSV has a row for each.")
    ] = 3,
    output: Output = Format.TABLE,
    data: Data = DEFAULT_FOLDER,
) -> None:
    """Decide again, under another configuration, on requests that are on record, and show what would be different.

    From the recorded facts alone: nothing is sent, no text is needed, and detectors are not run again. Rules on answers
    are not replayed. Exit code 1 when the configuration is the one that decided and still there is a difference.
    """
    now_ms = time.time_ns() // 1_000_000
    snapshot = load_config(data, against)
    since_ms = past_ms("--since", since, now_ms)
    until_ms = FOREVER_MS if until is None else past_ms("--until", until, now_ms)
    policy = compile_policy(snapshot.rules, snapshot.digest)
    result = Replayed(digest=snapshot.digest, changes=[], skipped={})
    own_changes = 0
    with SqliteReader(data) as reader, closing(reader.intents(since_ms, until_ms, limit)) as intents:
        for intent in intents:
            changed = _take(intent, snapshot, policy, reader, result)
            own_changes += changed and intent.config_digest == snapshot.digest
    _print(result, examples, output)
    if own_changes:
        number = counted(own_changes, "request was", "requests were")
        raise CommandError(
            f"{number} decided on otherwise under this very configuration",
            hint="this is a defect: the same facts must give the same decision",
        )


def _take(intent: Intent, snapshot: Snapshot, policy: Policy, reader: SqliteReader, result: Replayed) -> bool:
    """Replay one request; whether it changed."""
    result.requests += 1
    reason = undecided(intent, *reader.ending(intent.id)) if intent.circumstances is None else _unfit(intent, snapshot)
    if reason:
        result.skipped[reason] = result.skipped.get(reason, 0) + 1
        return False
    effect, rules = decide_again(intent, snapshot, policy)
    if (effect, rules) == (intent.effect, intent.rules):
        result.same += 1
        return False
    result.changes.append(
        Change(
            id=intent.id,
            app=intent.app,
            model=intent.routed_from or intent.model,
            effect=intent.effect,
            would_be=effect,
            rules=intent.rules,
            would_fire=rules,
        )
    )
    return True


def undecided(intent: Intent, state: str, code: str) -> str:
    """Why nothing is on record that could be decided on again."""
    if intent.endpoint == Endpoint.MODELS:
        return "lists of models, on which no rule decides"
    if intent.rules:
        return OLDER
    return f"refused with {code} before a decision" if state == EndState.REFUSED else UNDECIDED[state]


def _unfit(intent: Intent, snapshot: Snapshot) -> str:
    if sum(count for _, count in intent.finding_counts) != len(intent.findings):
        return TOO_MANY
    known = intent.app in snapshot.apps and (intent.routed_from or intent.model) in snapshot.models
    return "" if known else UNKNOWN


def decide_again(intent: Intent, snapshot: Snapshot, policy: Policy) -> tuple[str, tuple[str, ...]]:
    """(effect, ids of the rules that fire) of a recorded request under another policy, as steps 5 to 6b find them.

    `guard_failed` in the place of the effect where a condition cannot be evaluated. The intent has its circumstances,
    and the snapshot its app and model.
    """
    circumstances = intent.circumstances
    if circumstances is None:
        raise ValueError("no decision is on record")
    facts = facts_of(intent, circumstances, intent.routed_from or intent.model, snapshot)
    try:
        decision = _decide(facts, intent, circumstances, snapshot, policy)
    except GateError as error:
        return error.code, ()
    return decision.effect.value, decision.rules


def _decide(
    facts: PolicyFacts, intent: Intent, circumstances: Circumstances, snapshot: Snapshot, policy: Policy
) -> Decision:
    inspection = policy.assess(facts, intent.findings, intent.failures)
    decision = policy.decide(facts, inspection)
    route_to = decision.obligations.route_to
    if not route_to or decision.effect is Effect.DENY:
        return decision
    routed = facts_of(intent, circumstances, route_to, snapshot)
    return decide_routed(policy, routed, weigh_routed(policy, routed, inspection), decision)


def facts_of(intent: Intent, circumstances: Circumstances, model: str, snapshot: Snapshot) -> PolicyFacts:
    """What the rules could see of a recorded request, on its way to this model."""
    spec = snapshot.models[model]
    hour, weekday = clock_facts(intent.at_ms)
    return PolicyFacts(
        stage=Stage.REQUEST,
        request_id=intent.id,
        team=intent.team,
        app=intent.app,
        key_id=intent.key_id,
        end_user=intent.end_user,
        endpoint=intent.endpoint,
        dialect=circumstances.dialect,
        stream=intent.stream,
        max_output_tokens=circumstances.max_output_tokens,
        choices=circumstances.choices,
        media=circumstances.media,
        tools=circumstances.tools,
        model=model,
        upstream_model=spec.upstream_name,
        provider=spec.provider,
        location=spec.location,
        session=circumstances.session,
        spent_nano=circumstances.spent_nano,
        budget_nano=circumstances.budget_nano,
        hour=hour,
        weekday=weekday,
    )


def _print(result: Replayed, examples: int, output: Format) -> None:
    kinds = Counter((change.effect, change.would_be) for change in result.changes)
    fired = Counter(rule for one in result.changes for rule in one.would_fire if rule not in one.rules)
    silent = Counter(rule for one in result.changes for rule in one.rules if rule not in one.would_fire)
    shown = [one for kind in kinds for one in _of(result.changes, kind)[:examples]]
    if output is Format.CSV:
        names = Change.__struct_fields__
        print_csv(names, [[getattr(change, name) for name in names] for change in shown])
        return
    if output is Format.JSON:
        print_json(
            {
                "digest": result.digest,
                "requests": result.requests,
                "same": result.same,
                "skipped": result.skipped,
                "changes": [
                    {"effect": old, "would_be": new, "requests": number} for (old, new), number in kinds.items()
                ],
                "rules_that_would_fire": fired,
                "rules_that_would_not": silent,
                "examples": [structs.asdict(change) for change in shown],
            }
        )
        return
    print(f"{counted(result.requests, 'request')}, {result.same} decided the same, {len(result.changes)} otherwise")
    for reason, number in sorted(result.skipped.items()):
        print(f"{number} not replayed: {reason}")
    for (old, new), number in kinds.most_common():
        print(f"\n{old} → {new}: {number}" if old != new else f"\n{old}, by other rules: {number}")
        for change in _of(result.changes, (old, new))[:examples]:
            print(f"  {clean(change.id)}  {clean(change.app)}  {clean(change.model)}")
            print(f"    was  {', '.join(change.rules) or 'no rule'}")
            print(f"    new  {', '.join(change.would_fire) or 'no rule'}")
    for title, counts in (("Would fire", fired), ("Would not fire", silent)):
        if counts:
            print(f"\n{title}: " + ", ".join(f"{rule} ({number})" for rule, number in counts.most_common()))
    print(f"\ndigest  {result.digest}")


def _of(changes: list[Change], kind: tuple[str, str]) -> list[Change]:
    return [change for change in changes if (change.effect, change.would_be) == kind]
