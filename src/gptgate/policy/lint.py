"""What is odd about a policy that is right: rules that decide nothing, or can never fire."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from gptgate.core.finding import Origin
from gptgate.core.snapshot import ORGANISATION, REWRITING, STRENGTH, Effect, Mode, RuleSpec, Snapshot, Stage
from gptgate.policy.bounds import oddities

ANSWERING = frozenset({Origin.ASSISTANT, Origin.TOOL_CALL, Origin.OTHER})
"""Whose words an answer can hold."""

Reports = Mapping[str, frozenset[Origin]]
"""Kind → in whose words it can be found. A kind that is not in it can be found anywhere."""


class Remark(Struct, frozen=True):
    """One odd thing. `code` is stable, for programs."""

    rule: str
    code: str
    message: str


def lint(snapshot: Snapshot, reports: Reports) -> tuple[Remark, ...]:
    """All remarks, in the order of the rules."""
    remarks: list[Remark] = []
    for place, rule in enumerate(snapshot.rules):
        never = next(_never(rule, snapshot, reports), None)
        if never is not None:
            remarks.append(never)
            continue
        if rule.mode is Mode.ENFORCE and rule.rollout_percent == 0:
            remarks.append(Remark(rule.id, "acts_on_nothing", "acts on 0 percent of the requests: say mode: shadow"))
        remarks += [Remark(rule.id, code, message) for code, message in oddities(rule.when)]
        remarks += _idle(rule, place, snapshot)
    return tuple(remarks)


def _never(rule: RuleSpec, snapshot: Snapshot, reports: Reports) -> Iterator[Remark]:
    """Why a rule can never fire."""
    layer, _, name = rule.layer.partition(":")
    callers = [
        app
        for app in snapshot.apps.values()
        if (not rule.apps or app.name in rule.apps)
        and (layer != "team" or app.team == name)
        and (layer != "app" or app.name == name)
    ]
    if snapshot.apps and not callers:
        yield Remark(rule.id, "no_caller", "can never fire: no app is in its reach")
    elif rule.models and callers and not any(not app.models or set(app.models) & set(rule.models) for app in callers):
        yield Remark(rule.id, "no_model", "can never fire: no app in its reach may use any of its models")
    origins = frozenset(rule.origins) or frozenset(Origin)
    if rule.stage is Stage.RESPONSE:
        if not origins & ANSWERING:
            yield Remark(rule.id, "no_origin", "can never fire: an answer holds no words of these origins")
        origins &= ANSWERING
    if rule.findings and not any(_can_match(pattern, origins, reports) for pattern in rule.findings):
        yield Remark(rule.id, "no_finding", "can never fire: nothing finds these kinds in words of these origins")


def _can_match(pattern: str, origins: frozenset[Origin], reports: Reports) -> bool:
    kinds = [kind for kind in reports if _pattern_covers(pattern, kind)]
    return not kinds or any(reports[kind] & origins for kind in kinds)


def _idle(rule: RuleSpec, place: int, snapshot: Snapshot) -> Iterator[Remark]:
    """The first rule because of which this one decides nothing."""
    for other_place, other in enumerate(snapshot.rules):
        if other is rule or not _acts_always(other) or rule.obligations != other.obligations:
            continue
        if not _covers(other, rule) or not _outdoes(other, rule):
            continue
        mutual = _covers(rule, other) and other.effect is rule.effect
        if mutual and other_place > place:
            continue
        if mutual:
            yield Remark(rule.id, "duplicate", f"says the same as '{other.id}'")
        else:
            yield Remark(rule.id, "decides_nothing", f"decides nothing: '{other.id}' fires wherever it does")
        return


def _acts_always(rule: RuleSpec) -> bool:
    return rule.mode is Mode.ENFORCE and rule.rollout_percent == 100 and not rule.overridable


def _outdoes(other: RuleSpec, rule: RuleSpec) -> bool:
    """Whether the other's effect leaves nothing to this rule's. A flag beside a redaction still says something."""
    if other.effect is rule.effect or other.effect is Effect.DENY:
        return True
    return {other.effect, rule.effect} <= REWRITING and STRENGTH[other.effect] > STRENGTH[rule.effect]


def _covers(wide: RuleSpec, narrow: RuleSpec) -> bool:
    """Whether the one fires on everything that the other fires on."""
    if wide.stage is not narrow.stage or wide.layer not in (ORGANISATION, narrow.layer):
        return False
    if wide.when and wide.when != narrow.when:
        return False
    if wide.min_score > narrow.min_score or wide.min_points > narrow.min_points:
        return False
    return (
        _all_patterns(wide.findings, narrow)
        and _within(narrow.origins, wide.origins)
        and _within(narrow.apps, wide.apps)
        and _within(narrow.models, wide.models)
    )


def _all_patterns(wide: Sequence[str], narrow: RuleSpec) -> bool:
    if not wide:
        return True
    return bool(narrow.findings) and all(any(_pattern_covers(one, own) for one in wide) for own in narrow.findings)


def _within(narrow: Sequence[str], wide: Sequence[str]) -> bool:
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _pattern_covers(wide: str, narrow: str) -> bool:
    """Whether a kind pattern matches whatever another one, or a kind, matches."""
    return wide in ("*", narrow) or (wide.endswith(".*") and narrow.startswith(wide[:-1]))
