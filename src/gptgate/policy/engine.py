"""Rules → Decision. Every rule is looked at; the strongest effect of those that fire wins."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gptgate.core.facts import Decision, Inspection
from gptgate.core.finding import Finding, Origin
from gptgate.core.snapshot import Effect, RuleSpec, Stage
from gptgate.policy.score import assess as score_findings

STRENGTH: Mapping[Effect, int] = {Effect.ALLOW: 0, Effect.FLAG: 1, Effect.REDACT: 2, Effect.DENY: 3}
"""What a rule may say, and which of two effects wins. An allow is recorded and lifts nothing."""

ANYTHING = "*"
MAX_KNOWN = 1024


class _Rule(NamedTuple):
    """A rule made ready. `looks` says whether it needs a matching finding in order to fire."""

    id: str
    effect: Effect
    strength: int
    message: str
    min_score: int
    looks: bool
    everything: bool
    exact: frozenset[str]
    prefixes: tuple[str, ...]
    origins: frozenset[Origin]

    def matches(self, kind: str, origin: Origin) -> bool:
        if self.origins and origin not in self.origins:
            return False
        return self.everything or kind in self.exact or kind.startswith(self.prefixes)


class _RuleSet(NamedTuple):
    """The rules that apply to one app and model at one stage, in configuration order.

    `unconditional` are those of them that can fire without any finding. `known` remembers which rules (by position)
    match a finding of a kind and origin; it is bounded, for kinds may one day come from outside.
    """

    rules: tuple[_Rule, ...]
    unconditional: tuple[_Rule, ...]
    known: dict[tuple[str, Origin], tuple[int, ...]]

    def matching(self, pair: tuple[str, Origin]) -> tuple[int, ...]:
        positions = self.known.get(pair)
        if positions is None:
            positions = tuple(n for n, rule in enumerate(self.rules) if rule.looks and rule.matches(*pair))
            if len(self.known) < MAX_KNOWN:
                self.known[pair] = positions
        return positions


class Policy:
    """Compiled rules; implements the port `Policy`. Equal arguments give equal results for the life of the object."""

    def __init__(self, rules: Sequence[RuleSpec], config_digest: str) -> None:
        """Use `compile_policy`."""
        self._specs = tuple(rules)
        self._rules = tuple(_prepare(spec) for spec in rules)
        self._digest = config_digest
        # Names that no rule mentions are all alike. Keyed so, the caches are bounded by the rules and not by callers.
        self._apps = frozenset(name for spec in rules for name in spec.apps)
        self._models = frozenset(name for spec in rules for name in spec.models)
        self._sets: dict[tuple[Stage, str, str], _RuleSet] = {}
        self._held: dict[tuple[str, str], frozenset[str]] = {}

    def assess(self, findings: tuple[Finding, ...]) -> Inspection:
        """Findings with their risk score, see `gptgate.policy.score`."""
        return score_findings(findings)

    def decide(self, stage: Stage, app: str, model: str, inspection: Inspection) -> Decision:
        """What the rules say about one side of a request. Total: it raises nothing and has no "don't know".

        `rules` names all that fired, in configuration order. The strongest effect wins (deny > redact > flag >
        allow); allow when none fired. `redact` holds the sorted indexes of the findings that fired redact rules
        match, also where a deny wins.
        """
        chosen = self._set(stage, app, model)
        score = inspection.score
        findings = inspection.findings
        candidates = chosen.rules if findings else chosen.unconditional
        if not candidates:
            return self._nothing(score)
        matched = _match(chosen, findings)
        fired: list[str] = []
        redact: set[int] = set()
        best = Effect.ALLOW
        strength = 0
        denied_by = message = ""
        for position, rule in enumerate(candidates):
            if score < rule.min_score:
                continue
            if rule.looks:
                hits = matched.get(position)
                if hits is None:
                    continue
                if rule.effect is Effect.REDACT:
                    redact.update(*hits)
            fired.append(rule.id)
            if rule.strength > strength:
                best, strength = rule.effect, rule.strength
            if not denied_by and rule.effect is Effect.DENY:
                denied_by, message = rule.id, rule.message
        return Decision(
            effect=best,
            rules=tuple(fired),
            redact=tuple(sorted(redact)),
            denied_by=denied_by,
            message=message,
            score=score,
            config_digest=self._digest,
        )

    def held(self, app: str, model: str) -> frozenset[str]:
        """The kind patterns whose findings must not get out of an answer unjudged or in pieces.

        They are those of the redact and deny rules at the response stage for this app and model; ``*`` for a rule that
        names no kinds, since a finding of any kind may make it fire.
        """
        key = (app if app in self._apps else "", model if model in self._models else "")
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = frozenset(
                pattern
                for spec in self._specs
                if spec.stage is Stage.RESPONSE
                and spec.effect in (Effect.REDACT, Effect.DENY)
                and _applies(spec, Stage.RESPONSE, app, model)
                for pattern in spec.findings or (ANYTHING,)
            )
        return held

    def _set(self, stage: Stage, app: str, model: str) -> _RuleSet:
        key = (stage, app if app in self._apps else "", model if model in self._models else "")
        chosen = self._sets.get(key)
        if chosen is None:
            rules = tuple(
                rule for spec, rule in zip(self._specs, self._rules, strict=True) if _applies(spec, stage, app, model)
            )
            chosen = self._sets[key] = _RuleSet(rules, tuple(rule for rule in rules if not rule.looks), {})
        return chosen

    def _nothing(self, score: int) -> Decision:
        return Decision(
            effect=Effect.ALLOW,
            rules=(),
            redact=(),
            denied_by="",
            message="",
            score=score,
            config_digest=self._digest,
        )


def compile_policy(rules: Sequence[RuleSpec], config_digest: str) -> Policy:
    """Make rules ready to decide. `config_digest` goes into every decision.

    A rule that states `origins` but no `findings` fires on any finding of these origins. Raises ValueError for what
    could never be enforced as written: an effect that no rule may have, an empty or repeated id, a kind pattern that is
    neither exact nor a prefix.
    """
    seen: set[str] = set()
    for spec in rules:
        if not spec.id or spec.id in seen:
            raise ValueError(f"rule ids are unique and not empty: {spec.id!r}")
        seen.add(spec.id)
    return Policy(rules, config_digest)


def _prepare(spec: RuleSpec) -> _Rule:
    strength = STRENGTH.get(spec.effect)
    if strength is None:
        raise ValueError(f"rule {spec.id!r}: {spec.effect.value!r} is an outcome, not something a rule can say")
    for pattern in spec.findings:
        stem = pattern.removesuffix(".*")
        if pattern != ANYTHING and (not stem or "*" in stem):
            raise ValueError(f"rule {spec.id!r}: {pattern!r} is neither a kind nor a prefix such as 'secret.*'")
    return _Rule(
        id=spec.id,
        effect=spec.effect,
        strength=strength,
        message=spec.message,
        min_score=spec.min_score,
        looks=bool(spec.findings or spec.origins),
        everything=not spec.findings or ANYTHING in spec.findings,
        exact=frozenset(pattern for pattern in spec.findings if not pattern.endswith("*")),
        prefixes=tuple(pattern[:-1] for pattern in spec.findings if pattern.endswith(".*")),
        origins=frozenset(spec.origins),
    )


def _applies(spec: RuleSpec, stage: Stage, app: str, model: str) -> bool:
    return spec.stage is stage and (not spec.apps or app in spec.apps) and (not spec.models or model in spec.models)


def _match(chosen: _RuleSet, findings: Sequence[Finding]) -> dict[int, list[list[int]]]:
    """For each rule (by position) that looks at findings and matches any: the indexes of those it matches.

    Grouped by kind and origin first, so that the rules' share of the work does not grow with the number of findings.
    """
    groups: dict[tuple[str, Origin], list[int]] = {}
    for index, finding in enumerate(findings):
        groups.setdefault((finding.kind, finding.origin), []).append(index)
    matched: dict[int, list[list[int]]] = {}
    for pair, indexes in groups.items():
        for position in chosen.matching(pair):
            matched.setdefault(position, []).append(indexes)
    return matched
