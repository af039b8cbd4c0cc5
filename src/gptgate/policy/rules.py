"""A rule made ready: which requests it applies to, which findings it matches, on which requests it acts."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import ORGANISATION, STRENGTH, Effect, Mode, Obligations, RuleSpec, Stage
from gptgate.policy.cel import Condition

ANYTHING = "*"
MAX_KNOWN = 1024
NO_OBLIGATIONS = Obligations()


class Place(NamedTuple):
    """What decides which rules apply. A name that no rule mentions is ``""``, so that all of them share one place."""

    stage: Stage
    team: str
    app: str
    model: str


class Rule(NamedTuple):
    """A rule made ready. `looks` says whether it needs a matching finding in order to fire."""

    id: str
    effect: Effect
    strength: int
    message: str
    public: bool
    min_score: int
    min_points: int
    looks: bool
    everything: bool
    exact: frozenset[str]
    prefixes: tuple[str, ...]
    origins: frozenset[Origin]
    rollout_percent: int
    obligations: Obligations | None
    condition: Condition | None

    def matches(self, kind: str, origin: Origin) -> bool:
        """Whether the rule looks at findings of this kind in these words."""
        if self.origins and origin not in self.origins:
            return False
        return self.names(kind)

    def names(self, kind: str) -> bool:
        """Whether its patterns take the kind."""
        return self.everything or kind in self.exact or kind.startswith(self.prefixes)

    def acts(self, request_id: str) -> bool:
        """Whether the rule acts on this request: never as a shadow, in a rollout on its share of all ids."""
        percent = self.rollout_percent
        return percent == 100 or (percent > 0 and bucket(self.id, request_id) < percent)


def bucket(rule_id: str, request_id: str) -> int:
    """Where a request stands in a rule's rollout, 0 to 99: the same in every process, another for every rule."""
    digest = sha256(f"{rule_id}\n{request_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % 100


def prepare(spec: RuleSpec) -> Rule:
    """Raises ValueError for an effect that no rule can have, a layer of nobody, a bad pattern or condition."""
    if spec.effect is Effect.ALLOWED_ON_FAILURE:
        raise ValueError(f"rule {spec.id!r}: {spec.effect.value!r} is an outcome, not something a rule can say")
    if spec.layer != ORGANISATION and not spec.layer.removeprefix("team:").removeprefix("app:"):
        raise ValueError(f"rule {spec.id!r}: {spec.layer!r} is no layer")
    for pattern in spec.findings:
        stem = pattern.removesuffix(".*")
        if pattern != ANYTHING and (not stem or "*" in stem):
            raise ValueError(f"rule {spec.id!r}: {pattern!r} is neither a kind nor a prefix such as 'secret.*'")
    return Rule(
        id=spec.id,
        effect=spec.effect,
        strength=STRENGTH[spec.effect],
        message=spec.message,
        public=spec.public,
        min_score=spec.min_score,
        min_points=spec.min_points,
        looks=bool(spec.findings or spec.origins or spec.min_points),
        everything=not spec.findings or ANYTHING in spec.findings,
        exact=frozenset(pattern for pattern in spec.findings if not pattern.endswith("*")),
        prefixes=tuple(pattern[:-1] for pattern in spec.findings if pattern.endswith(".*")),
        origins=frozenset(spec.origins),
        rollout_percent=spec.rollout_percent if spec.mode is Mode.ENFORCE else 0,
        obligations=None if spec.obligations == NO_OBLIGATIONS else spec.obligations,
        condition=Condition(spec.when) if spec.when else None,
    )


def applying(specs: Iterable[RuleSpec], place: Place) -> list[RuleSpec]:
    """The rules that hold at a place: those that apply, without the upper ones that an applying one overrides."""
    found = [spec for spec in specs if _applies(spec, place)]
    overridden = {id for spec in found for id in spec.overrides}
    return [spec for spec in found if spec.id not in overridden]


def _applies(spec: RuleSpec, place: Place) -> bool:
    if spec.stage is not place.stage or spec.layer not in (
        ORGANISATION,
        f"team:{place.team}",
        f"app:{place.app}",
    ):
        return False
    return (not spec.apps or place.app in spec.apps) and (not spec.models or place.model in spec.models)


class RuleSet(NamedTuple):
    """The rules that apply at one place, in configuration order.

    `unconditional` are those of them that can fire without any finding. `known` remembers which rules (by position)
    match a finding of a kind and origin; it is bounded, for kinds may one day come from outside. `uses` names the facts
    that their conditions look at.
    """

    rules: tuple[Rule, ...]
    unconditional: tuple[Rule, ...]
    uses: frozenset[str]
    known: dict[tuple[str, Origin], tuple[int, ...]]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "RuleSet":
        """The set of these rules, with nothing remembered yet."""
        kept = tuple(rules)
        used = (rule.condition.uses for rule in kept if rule.condition is not None)
        return cls(kept, tuple(rule for rule in kept if not rule.looks), frozenset().union(*used), {})

    def match(self, findings: Sequence[Finding]) -> dict[int, list[list[int]]]:
        """For each rule (by position) that looks at findings and matches any: the indexes of those it matches.

        Grouped by kind and origin first, so that the rules' share of the work does not grow with the number of
        findings.
        """
        groups: dict[tuple[str, Origin], list[int]] = {}
        for index, finding in enumerate(findings):
            groups.setdefault((finding.kind, finding.origin), []).append(index)
        matched: dict[int, list[list[int]]] = {}
        for pair, indexes in groups.items():
            for position in self._matching(pair):
                matched.setdefault(position, []).append(indexes)
        return matched

    def _matching(self, pair: tuple[str, Origin]) -> tuple[int, ...]:
        positions = self.known.get(pair)
        if positions is None:
            positions = tuple(n for n, rule in enumerate(self.rules) if rule.looks and rule.matches(*pair))
            if len(self.known) < MAX_KNOWN:
                self.known[pair] = positions
        return positions


def merged(all_asked: Sequence[Obligations]) -> Obligations:
    """Obligations of several rules together: the smallest cap, any stripping, the first route, each notice once, any
    canary."""
    caps = [asked.max_output_tokens for asked in all_asked if asked.max_output_tokens]
    routes = [asked.route_to for asked in all_asked if asked.route_to]
    notices = dict.fromkeys(asked.notice for asked in all_asked if asked.notice)
    return Obligations(
        max_output_tokens=min(caps, default=0),
        strip_tools=any(asked.strip_tools for asked in all_asked),
        route_to=routes[0] if routes else "",
        notice="\n".join(notices),
        canary=any(asked.canary for asked in all_asked),
    )
