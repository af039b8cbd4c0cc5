"""What the schema cannot say: references between sections, and settings that could not be honoured."""

from collections.abc import Collection, Iterable

from gptgate.config.classifiers import check_classifiers, external_kinds
from gptgate.config.problem import did_you_mean, shown
from gptgate.config.reader import Reader, Section, Value
from gptgate.config.types import Address
from gptgate.core.snapshot import REWRITING, Effect, ProviderKind, Stage

PUBLIC_URLS = {
    ProviderKind.OPENAI: "https://api.openai.com",
    ProviderKind.ANTHROPIC: "https://api.anthropic.com",
    ProviderKind.SIMULATOR: "",
}
"""The base URL of a kind where none is written; the simulator's is empty: it runs inside this process."""


def check(root: Section, kinds: Collection[str], reader: Reader) -> None:
    """Report every dangling reference and every setting that has no effect or cannot be honoured."""
    kinds = {*kinds, *external_kinds(root)}
    _check_server(root.section("server"), reader)
    check_classifiers(root, reader)
    for provider in root.sections("providers"):
        _check_provider(provider, reader)
    providers, models = _names(root, "providers"), _names(root, "models")
    teams, apps = _names(root, "teams"), _names(root, "apps")
    for model in root.sections("models"):
        _refer(model.fields.get("provider"), "provider", providers, reader)
        _check_price(model.fields.get("price"), reader)
    for app in root.sections("apps"):
        _refer(app.fields.get("team"), "team", teams, reader)
        _refer_all(app, "models", "model", models, reader)
    for rule in root.section("policy").sections("rules"):
        _refer_all(rule, "apps", "app", apps, reader)
        _refer_all(rule, "models", "model", models, reader)
        _check_kinds(rule, kinds, reader)
        _check_rule(rule, reader)


def _names(root: Section, section: str) -> tuple[str, ...]:
    return tuple(item.get("name") for item in root.sections(section) if item.get("name") is not None)


def _refer(name: Value | None, what: str, known: tuple[str, ...], reader: Reader) -> None:
    if name is not None and name.value not in known:
        hint = did_you_mean(name.value, known)
        reader.report(name.line, name.path, f"no {what} is called {shown(name.value)}", hint)


def _refer_all(section: Section, field: str, what: str, known: tuple[str, ...], reader: Reader) -> None:
    for item in section.items(field):
        _refer(item, what, known, reader)


def _check_server(server: Section, reader: Reader) -> None:
    data, control = server.get("data"), server.get("control")
    if isinstance(data, Address) and data == control and data.port != 0:
        line = server.line_of("control" if "control" in server.written else "data")
        message = "the data plane and the control plane cannot share an address"
        reader.report(line, f"{server.path}.control", message)


def _check_provider(provider: Section, reader: Reader) -> None:
    kind = provider.get("kind")
    stated, credential = "base_url" in provider.written, provider.fields.get("credential")
    if kind is ProviderKind.OPENAI_COMPATIBLE and not stated:
        hint = "such as http://127.0.0.1:11434"
        reader.report(provider.line, f"{provider.path}.base_url", "is missing: this kind has no public address", hint)
    elif kind is ProviderKind.SIMULATOR and not stated and credential is not None:
        message = "a simulator inside this process takes no credential"
        reader.report(credential.line, credential.path, message, "remove the line, or write its base_url")
    elif kind in (ProviderKind.OPENAI, ProviderKind.ANTHROPIC) and not stated and "credential" not in provider.written:
        message = "is missing: the public API answers nobody without one"
        reader.report(provider.line, f"{provider.path}.credential", message, "credential: env:NAME")


def _check_price(price: Value | None, reader: Reader) -> None:
    if price is None or not isinstance(price.value, Section):
        return
    section: Section = price.value
    # Zeros may be a price that somebody meant to fill in; what costs nothing is said in a word.
    if {"input_per_million", "output_per_million"} <= section.fields.keys():
        amounts = [amount.value for amount in section.fields.values()]
        if not any(amounts) and section.written == section.fields.keys():
            reader.report(price.line, price.path, "a price of nothing but zeros", "price: free")


def _check_kinds(rule: Section, kinds: Collection[str], reader: Reader) -> None:
    for item in rule.items("findings"):
        if not matches_any(item.value, kinds):
            message = f"{shown(item.value)} matches no kind of finding"
            reader.report(item.line, item.path, message, _kind_hint(item.value, kinds))
        elif str(item.value).startswith("unscannable.") and rule.get("effect") in REWRITING:
            reader.report(item.line, item.path, "nothing can be cut out of what was not read", "effect: deny or flag")


def matches_any(pattern: str, kinds: Iterable[str]) -> bool:
    """Whether a kind pattern can ever match: exact, a prefix that ends in ``.*``, or ``*``."""
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return any(kind.startswith(pattern[:-1]) for kind in kinds)
    return pattern in kinds


def _kind_hint(pattern: str, kinds: Collection[str]) -> str:
    prefixes = {kind.partition(".")[0] + ".*" for kind in kinds if "." in kind}
    return did_you_mean(pattern, sorted(kinds) + sorted(prefixes)) or "known: " + ", ".join(sorted(prefixes))


def _check_rule(rule: Section, reader: Reader) -> None:
    stage, effect = rule.get("stage"), rule.get("effect")
    origins = rule.fields.get("origins")
    if origins is not None and "findings" not in rule.written:
        message = "has no effect without findings, whose origins it names"
        reader.report(origins.line, origins.path, message, 'findings: ["*"]')
    if effect in REWRITING:
        _check_rewriting(rule, stage, effect, reader)
    if effect is not None and effect is not Effect.DENY and "message" in rule.written:
        message = "has no effect: only a denied caller is told a message"
        reader.report(rule.line_of("message"), f"{rule.path}.message", message)


def _check_rewriting(rule: Section, stage: Stage | None, effect: Effect, reader: Reader) -> None:
    if "findings" not in rule.written:
        message = f"is missing: a {effect.value} rule must say what it is about"
        reader.report(rule.line, f"{rule.path}.findings", message)
    if stage is not Stage.RESPONSE:
        return
    if effect is Effect.PSEUDONYMISE:
        message = "an answer is not pseudonymised: nothing would ever restore it"
        reader.report(rule.line_of("effect"), f"{rule.path}.effect", message, "redact, mask or hash")
    if rule.get("min_score"):
        message = "a stream's text is released before the score of the whole answer is known"
        hint = f"a {effect.value} rule on responses takes no min_score"
        reader.report(rule.line_of("min_score"), f"{rule.path}.min_score", message, hint)
