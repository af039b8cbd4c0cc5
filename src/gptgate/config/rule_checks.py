"""What the schema cannot say of rules: names that lead nowhere, conditions, layers, and settings without effect."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from gptgate.config.condition_names import Names, categories
from gptgate.config.kind_names import near_kind
from gptgate.config.layers import PACK_LAYER, Layered
from gptgate.config.problem import did_you_mean, shown, shown_kind
from gptgate.config.reader import Reader, Section, Value
from gptgate.core.condition import ABOUT_FINDINGS, Conditions
from gptgate.core.snapshot import DIALECTS, ORGANISATION, REWRITING, Effect, Mode, Stage

REFUSING = frozenset({Effect.DENY, Effect.REQUIRE_APPROVAL})
CONDITIONS = ("findings", "origins", "min_score", "min_points", "when", "apps", "models")


class RuleChecker:
    """Checks each rule of a file, then all of them together."""

    def __init__(self, root: Section, kinds: Collection[str], conditions: Conditions | None, reader: Reader) -> None:
        self._root = root
        self._kinds = kinds
        self._conditions = conditions
        self._reader = reader
        self._apps = {app.get("name"): app.get("team") for app in root.sections("apps") if app.get("name")}
        self._models = {model.get("name"): model for model in root.sections("models") if model.get("name")}
        self._names = Names(root, kinds)

    def check(self, rules: Sequence[Layered]) -> None:
        """Report every problem. Rules of packs are ours and right; of them only overrides are looked at."""
        for rule in rules:
            if rule.layer != PACK_LAYER:
                self._check_rule(rule)
        self._check_ids(rules)
        self._check_overrides(rules)

    def _check_rule(self, layered: Layered) -> None:
        rule = layered.section
        self._refer_all(rule, "apps", "app", tuple(self._apps))
        self._refer_all(rule, "models", "model", tuple(self._models))
        self._check_kinds(rule)
        self._check_layer(layered)
        uses = self._check_condition(rule)
        self._check_matching(rule)
        if rule.get("effect") in REWRITING:
            self._check_rewriting(rule, uses)
        self._check_words(rule)
        self._check_rollout(rule)
        self._check_obligations(rule)
        self._check_route(rule)

    def _refer_all(self, rule: Section, field: str, what: str, known: tuple[str, ...]) -> None:
        for item in rule.items(field):
            if item.value not in known:
                hint = did_you_mean(item.value, known)
                self._reader.report(item.line, item.path, f"no {what} is called {shown(item.value)}", hint)

    def _check_kinds(self, rule: Section) -> None:
        for item in rule.items("findings"):
            if not matches_any(item.value, self._kinds):
                message = f"{shown_kind(item.value)} matches no kind of finding"
                self._reader.report(item.line, item.path, message, self._kind_hint(item.value))
            elif item.value.startswith("unscannable.") and rule.get("effect") in REWRITING:
                message = "nothing can be cut out of what was not read"
                self._reader.report(item.line, item.path, message, "effect: deny or flag")

    def _kind_hint(self, pattern: str) -> str:
        prefixes = [f"{category}.*" for category in categories(self._kinds)]
        return near_kind(pattern, [*self._kinds, *prefixes]) or "known: " + ", ".join(prefixes)

    def _check_layer(self, layered: Layered) -> None:
        rule, (layer, _, name) = layered.section, layered.layer.partition(":")
        apps = rule.fields.get("apps")
        if layer == "app":
            for field in ("apps", "overridable"):
                if field in rule.written:
                    message = "has no effect: a rule of an app is for that app, and no layer is below it"
                    self._reader.report(rule.line_of(field), f"{rule.path}.{field}", message)
        elif layer == "team" and apps is not None:
            for item in rule.items("apps"):
                if self._apps.get(item.value, name) != name:
                    message = f"the app {shown(item.value)} is not of this team, so the rule never applies to it"
                    self._reader.report(item.line, item.path, message)

    def _check_condition(self, rule: Section) -> frozenset[str]:
        condition = rule.fields.get("when")
        if condition is None:
            return frozenset()
        if self._conditions is None:
            self._reader.report(condition.line, condition.path, "nothing is here that could evaluate it")
            return frozenset()
        report = self._conditions(condition.value)
        for fault in report.faults:
            # A condition of several lines is written as a block, whose text begins below its key.
            below = fault.line if "\n" in condition.value else 0
            place = f"line {fault.line}, column {fault.column}: " if fault.line else ""
            self._reader.report(condition.line + below, condition.path, f"{place}{fault.message}", fault.hint)
        for name in report.names:
            message, hint = self._names.problem(name)
            if message:
                below = name.line if "\n" in condition.value else 0
                place = f"line {name.line}, column {name.column}: "
                self._reader.report(condition.line + below, condition.path, place + message, hint)
        return report.uses

    def _check_matching(self, rule: Section) -> None:
        for field, what in (("origins", "whose origins it names"), ("min_points", "whose points it counts")):
            found = rule.fields.get(field)
            if found is not None and field in rule.written and "findings" not in rule.written:
                message = f"has no effect without findings, {what}"
                self._reader.report(found.line, found.path, message, 'findings: ["*"]')

    def _check_rewriting(self, rule: Section, uses: frozenset[str]) -> None:
        effect = rule.get("effect")
        if "findings" not in rule.written:
            message = f"is missing: a {effect} rule must say what it is about"
            self._reader.report(rule.line, f"{rule.path}.findings", message)
        if rule.get("stage") is not Stage.RESPONSE:
            return
        if effect is Effect.PSEUDONYMISE:
            message = "an answer is not pseudonymised: nothing would ever restore it"
            self._reader.report(rule.line_of("effect"), f"{rule.path}.effect", message, "redact, mask or hash")
        early = [field for field in ("min_score", "min_points") if rule.get(field)]
        early += ["when"] if uses & ABOUT_FINDINGS else []
        for field in early:
            message = "a stream's text is released before the score and the findings of the whole answer are known"
            hint = f"a {effect} rule on responses takes no condition on them"
            self._reader.report(rule.line_of(field), f"{rule.path}.{field}", message, hint)

    def _check_words(self, rule: Section) -> None:
        effect = rule.get("effect")
        if effect is None:
            return
        for field in ("message", "public"):
            if field in rule.written and effect not in REFUSING:
                message = "has no effect: only a denied caller is told anything"
                self._reader.report(rule.line_of(field), f"{rule.path}.{field}", message)
        if effect is Effect.REQUIRE_APPROVAL and rule.get("stage") is Stage.RESPONSE:
            message = "an answer cannot wait for an approval: nobody could repeat it"
            self._reader.report(rule.line_of("effect"), f"{rule.path}.effect", message, "stage: request")
        if effect in REFUSING and {"message", "public"} <= rule.written:
            message = "has no effect beside a message, which is told instead of the rule's name"
            self._reader.report(rule.line_of("public"), f"{rule.path}.public", message)

    def _check_rollout(self, rule: Section) -> None:
        percent = rule.get("rollout_percent")
        if rule.get("mode") is Mode.SHADOW and "rollout_percent" in rule.written:
            message = "has no effect: a shadow acts on no request"
            self._reader.report(rule.line_of("rollout_percent"), f"{rule.path}.rollout_percent", message)
        partly = rule.get("mode") is Mode.SHADOW or (percent is not None and percent < 100)
        if partly and "overrides" in rule.written:
            message = "a rule that does not act on every request cannot take the place of another"
            self._reader.report(rule.line_of("overrides"), f"{rule.path}.overrides", message)

    def _check_obligations(self, rule: Section) -> None:
        asked = rule.section("obligations")
        for field in sorted(asked.written - {"route_to"}):
            if rule.get("stage") is Stage.RESPONSE:
                message = "has no effect: it changes what is sent, and an answer has come already"
                self._reader.report(asked.line_of(field), f"{asked.path}.{field}", message)
        if asked.written and rule.get("effect") is Effect.DENY:
            message = "has no effect: a denied request is not sent"
            self._reader.report(asked.line, asked.path, message)

    def _check_route(self, rule: Section) -> None:
        route = rule.section("obligations").fields.get("route_to")
        if route is None:
            if rule.get("effect") is Effect.ROUTE:
                message = "is missing: a route rule must say where to"
                self._reader.report(rule.line, f"{rule.path}.obligations.route_to", message)
            return
        if rule.get("stage") is Stage.RESPONSE:
            self._reader.report(route.line, route.path, "has no effect: an answer has come from its model already")
        if route.value not in self._models:
            hint = did_you_mean(route.value, tuple(self._models))
            self._reader.report(route.line, route.path, f"no model is called {shown(route.value)}", hint)
            return
        spoken = self._dialects(route.value)
        asked = [item.value for item in rule.items("models") if item.value in self._models] or list(self._models)
        apart = [name for name in asked if spoken and (own := self._dialects(name)) and not spoken & own]
        if apart:
            message = f"{shown(route.value)} cannot answer in the place of {shown(apart[0])}: they share no dialect"
            self._reader.report(route.line, route.path, message, "name the models that the rule is for: models: [...]")

    def _dialects(self, model: str) -> frozenset[str]:
        provider = self._models[model].get("provider")
        kinds = [one.get("kind") for one in self._root.sections("providers") if one.get("name") == provider]
        return DIALECTS[kinds[0]] if kinds and kinds[0] is not None else frozenset()

    def _check_ids(self, rules: Iterable[Layered]) -> None:
        first: dict[str, tuple[int, str]] = {}
        for rule in rules:
            line = rule.section.line_of("id")
            if not rule.id:
                continue
            before = first.setdefault(rule.id, (line, rule.layer))
            # Twice in one list is the reader's to report.
            if before != (line, rule.layer) and before[1] != rule.layer:
                message = f"{shown(rule.id)} is written twice; the first is on line {before[0]}"
                hint = "records name rules by their ids, whatever their layer"
                self._reader.report(line, f"{rule.section.path}.id", message, hint)

    def _check_overrides(self, rules: Sequence[Layered]) -> None:
        by_id = {rule.id: rule for rule in rules if rule.id}
        for rule in rules:
            for item in rule.section.items("overrides"):
                problem, hint = _override_problem(rule, item, by_id)
                if problem:
                    self._reader.report(item.line, item.path, problem, hint)


def _override_problem(rule: Layered, item: Value, by_id: Mapping[str, Layered]) -> tuple[str, str]:
    other = by_id.get(item.value)
    if other is None:
        return f"no rule is called {shown(item.value)}", did_you_mean(item.value, tuple(by_id))
    if not other.is_above(rule):
        return f"{shown(item.value)} is not of a layer above", "an app overrides its team, a team the organisation"
    if other.section.get("stage") is not rule.section.get("stage"):
        return f"{shown(item.value)} looks at the other side, so this has no effect", ""
    by_owner = other.layer == PACK_LAYER and rule.layer == ORGANISATION
    if not other.section.get("overridable") and not by_owner:
        return f"{shown(item.value)} does not let itself be overridden", "overridable: true at that rule allows it"
    return "", ""


def matches_any(pattern: str, kinds: Iterable[str]) -> bool:
    """Whether a kind pattern can ever match: exact, a prefix that ends in ``.*``, or ``*``."""
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return any(kind.startswith(pattern[:-1]) for kind in kinds)
    return pattern in kinds
