"""Rules → Decision. Every rule is looked at; the strongest effect of those that fire wins."""

from collections.abc import Mapping, Sequence

from gptgate.core.classifier import names_asked
from gptgate.core.condition import ABOUT_FINDINGS
from gptgate.core.errors import GuardFailed
from gptgate.core.facts import Decision, Inspection, PolicyFacts
from gptgate.core.finding import Finding
from gptgate.core.snapshot import REWRITING, STRENGTH, Effect, Obligations, RuleSpec, Stage
from gptgate.policy.cel import Circumstances, ConditionError
from gptgate.policy.own import OWN_RULES
from gptgate.policy.rules import ANYTHING, NO_OBLIGATIONS, Place, Rule, RuleSet, applying, merged, prepare
from gptgate.policy.score import NOTHING, weigh
from gptgate.policy.score import assess as score_findings

FAILED = ":failed"
"""Behind the id of a shadow whose condition could not be evaluated."""
HELD_EFFECTS = REWRITING | {Effect.DENY}


class Policy:
    """Compiled rules; implements the port `Policy`. Equal arguments give equal results for the life of the object."""

    def __init__(self, rules: Sequence[RuleSpec], config_digest: str) -> None:
        """Use `compile_policy`."""
        self._specs = tuple(rules)
        self._rules = {spec.id: prepare(spec) for spec in rules}
        self._digest = config_digest
        # Names that no rule mentions are all alike. Keyed so, the caches are bounded by the rules and not by callers.
        self._teams = frozenset(spec.layer.removeprefix("team:") for spec in rules if spec.layer.startswith("team:"))
        self._apps = frozenset(name for spec in rules for name in spec.apps) | frozenset(
            spec.layer.removeprefix("app:") for spec in rules if spec.layer.startswith("app:")
        )
        self._models = frozenset(name for spec in rules for name in spec.models)
        self._sets: dict[Place, RuleSet] = {}
        self._held: dict[Place, frozenset[str]] = {}
        self._sought: dict[tuple[Place, str], bool] = {}
        self._asking: dict[Place, tuple[tuple[str, Rule], ...]] = {}
        self._swayed: dict[Place, tuple[Rule, ...]] = {}

    def assess(self, facts: PolicyFacts, findings: tuple[Finding, ...], failures: tuple[str, ...] = ()) -> Inspection:
        """Findings with their risk score, see `gptgate.policy.score`."""
        return score_findings(findings, failures, facts)

    def decide(self, facts: PolicyFacts, inspection: Inspection) -> Decision:
        """What the rules say about one side of a request.

        `rules` names all that fired and act, in configuration order. The strongest effect wins, see
        `core.snapshot.STRENGTH`; allow when none fired. `rewrites` holds the findings that fired rewriting rules match,
        also where a stronger effect wins. Raises GuardFailed when the condition of an acting rule cannot be evaluated.
        """
        chosen = self._set(self._place(facts.stage, facts))
        findings = inspection.findings
        candidates = chosen.rules if findings else chosen.unconditional
        if not candidates:
            return self._outcome(inspection)
        matched = chosen.match(findings)
        circumstances = Circumstances(facts, inspection, chosen.uses)
        fired: list[Rule] = []
        shadowed: list[str] = []
        rewrites: dict[int, Effect] = {}
        for position, rule in enumerate(candidates):
            hits = matched.get(position) if rule.looks else None
            if not _holds(rule, hits, inspection):
                continue
            acts = rule.acts(facts.request_id)
            try:
                if rule.condition is not None and not rule.condition.holds(circumstances):
                    continue
            except ConditionError as error:
                if acts:
                    message = "A rule of the policy could not be evaluated."
                    raise GuardFailed(message, guard=f"rule {rule.id}", why=error.why, detail=str(error)) from None
                shadowed.append(rule.id + FAILED)
                continue
            if not acts:
                shadowed.append(rule.id)
                continue
            fired.append(rule)
            if hits is not None and rule.effect in REWRITING:
                _note(rewrites, hits, rule.effect)
        return self._outcome(inspection, fired, shadowed, rewrites)

    def held(self, facts: PolicyFacts) -> frozenset[str]:
        """The kind patterns whose findings must not get out of an answer unjudged or in pieces.

        They are those of the rewriting and denying rules at the response stage for this caller and model; ``*`` for a
        rule that names no kinds, since a finding of any kind may make it fire. A shadow holds nothing back.
        """
        place = self._place(Stage.RESPONSE, facts)
        held = self._held.get(place)
        if held is None:
            held = self._held[place] = frozenset(
                pattern
                for spec in applying(self._specs, place)
                if spec.effect in HELD_EFFECTS and self._rules[spec.id].rollout_percent
                for pattern in spec.findings or (ANYTHING,)
            )
        return held

    def seeks(self, facts: PolicyFacts, kind: str) -> bool:
        """See `core.ports.Policy.seeks`."""
        place = self._place(facts.stage, facts)
        sought = self._sought.get((place, kind))
        if sought is None:
            rules = (self._rules[spec.id] for spec in applying(self._specs, place) if spec.findings)
            sought = self._sought[place, kind] = any(rule.names(kind) for rule in rules)
        return sought

    def asks(self, facts: PolicyFacts) -> Mapping[str, bool]:
        """See `core.ports.Policy.asks`."""
        place = self._place(facts.stage, facts)
        asking = self._asking.get(place)
        if asking is None:
            asking = self._asking[place] = tuple(
                (name, self._rules[spec.id])
                for spec in applying(self._specs, place)
                for name in sorted(names_asked(spec.findings, spec.when))
            )
        asked: dict[str, bool] = {}
        for name, rule in asking:
            if _can_fire(rule, facts):
                asked[name] = asked.get(name) or rule.acts(facts.request_id)
        return asked

    def awaits(self, facts: PolicyFacts) -> bool:
        """See `core.ports.Policy.awaits`."""
        place = self._place(Stage.RESPONSE, facts)
        swayed = self._swayed.get(place)
        if swayed is None:
            swayed = self._swayed[place] = tuple(
                self._rules[spec.id]
                for spec in applying(self._specs, place)
                if spec.effect is Effect.DENY and _is_swayed(spec, self._rules[spec.id])
            )
        return any(rule.acts(facts.request_id) and _can_fire(rule, facts) for rule in swayed)

    def _place(self, stage: Stage, facts: PolicyFacts) -> Place:
        return Place(
            stage,
            facts.team if facts.team in self._teams else "",
            facts.app if facts.app in self._apps else "",
            facts.model if facts.model in self._models else "",
        )

    def _set(self, place: Place) -> RuleSet:
        chosen = self._sets.get(place)
        if chosen is None:
            chosen = self._sets[place] = RuleSet.of(self._rules[spec.id] for spec in applying(self._specs, place))
        return chosen

    def _outcome(
        self,
        inspection: Inspection,
        fired: Sequence[Rule] = (),
        shadowed: Sequence[str] = (),
        rewrites: dict[int, Effect] | None = None,
    ) -> Decision:
        best = Effect.ALLOWED_ON_FAILURE if inspection.failures else Effect.ALLOW
        asked: list[Obligations] = []
        denying: Rule | None = None
        holding: list[Rule] = []
        for rule in fired:
            if rule.strength > STRENGTH[best]:
                best = rule.effect
            if denying is None and rule.effect is Effect.DENY:
                denying = rule
            if rule.effect is Effect.REQUIRE_APPROVAL:
                holding.append(rule)
            if rule.obligations is not None:
                asked.append(rule.obligations)
        speaking = denying or (holding[0] if holding else None)
        return Decision(
            effect=best,
            rules=tuple([rule.id for rule in fired]),
            rewrites=tuple(sorted(rewrites.items())) if rewrites else (),
            denied_by=denying.id if denying else "",
            message=speaking.message if speaking else "",
            score=inspection.score,
            config_digest=self._digest,
            obligations=merged(asked) if asked else NO_OBLIGATIONS,
            shadowed=tuple(shadowed),
            failures=inspection.failures,
            public=speaking.public if speaking else True,
            approval_for=tuple([rule.id for rule in holding]),
        )


def compile_policy(rules: Sequence[RuleSpec], config_digest: str) -> Policy:
    """The policy of a configuration, with `gptgate.policy.own` in front; `config_digest` stands in every decision.

    Raises ValueError for a rule id that is empty or taken, an effect that no rule can have, and a kind pattern that is
    neither exact nor a prefix.
    """
    seen: set[str] = set()
    for spec in rules:
        if not spec.id or spec.id in seen:
            raise ValueError(f"rule ids are unique and not empty: {spec.id!r}")
        seen.add(spec.id)
    return Policy((*OWN_RULES, *rules), config_digest)


def _holds(rule: Rule, hits: list[list[int]] | None, inspection: Inspection) -> bool:
    """Whether everything that the rule states is so."""
    if inspection.score < rule.min_score:
        return False
    if not rule.looks:
        return True
    if hits is None:
        return False
    if not rule.min_points:
        return True
    findings = inspection.findings
    return weigh([findings[index].points for group in hits for index in group]) >= rule.min_points


def _is_swayed(spec: RuleSpec, rule: Rule) -> bool:
    """Whether the findings of a classifier, or what they add to the score, can decide that the rule fires."""
    takes = rule.looks and rule.everything
    looks_on = rule.condition is not None and bool(rule.condition.uses & ABOUT_FINDINGS)
    return takes or looks_on or bool(rule.min_score or names_asked(spec.findings, ""))


def _can_fire(rule: Rule, facts: PolicyFacts) -> bool:
    """Whether the rule's condition can still become true: one that looks at nothing found is true or false by now."""
    condition = rule.condition
    if condition is None or condition.uses & ABOUT_FINDINGS:
        return True
    try:
        return condition.holds(Circumstances(facts, NOTHING, condition.uses))
    except ConditionError:
        return True  # nobody knows; the decision will say that it cannot be evaluated


def _note(rewrites: dict[int, Effect], hits: list[list[int]], effect: Effect) -> None:
    """Of several rewritings of one finding the strongest holds."""
    for group in hits:
        for index in group:
            before = rewrites.get(index)
            if before is None or STRENGTH[before] < STRENGTH[effect]:
                rewrites[index] = effect
