"""What the schema cannot say: references between sections, and settings that could not be honoured."""

from collections.abc import Collection

from gptgate.config.audit import check_audit
from gptgate.config.budgets import check_budgets
from gptgate.config.classifiers import check_classifiers, external_kinds
from gptgate.config.counters import check_counters
from gptgate.config.custom import ExamineCustom, check_custom, custom_kinds
from gptgate.config.layers import layered
from gptgate.config.limits import check_guards, check_limits
from gptgate.config.packs import PACKS, Pack, load_pack
from gptgate.config.problem import did_you_mean, shown
from gptgate.config.reader import Reader, Section, Value
from gptgate.config.rule_checks import RuleChecker
from gptgate.config.sinks import check_sinks
from gptgate.config.texts import check_texts
from gptgate.config.types import Address
from gptgate.core.condition import Conditions
from gptgate.core.snapshot import ProviderKind

PUBLIC_URLS = {
    ProviderKind.OPENAI: "https://api.openai.com",
    ProviderKind.ANTHROPIC: "https://api.anthropic.com",
    ProviderKind.SIMULATOR: "",
}
"""The base URL of a kind where none is written; the simulator's is empty: it runs inside this process."""


def check(
    root: Section, kinds: Collection[str], conditions: Conditions | None, customs: ExamineCustom | None, reader: Reader
) -> None:
    """Report every dangling reference and every setting that has no effect or cannot be honoured."""
    kinds = {*kinds, *external_kinds(root), *custom_kinds(root)}
    check_custom(root, customs, reader)
    _check_server(root.section("server"), reader)
    for provider in root.sections("providers"):
        _check_provider(provider, reader)
    providers, models = _names(root, "providers"), _names(root, "models")
    teams = _names(root, "teams")
    for model in root.sections("models"):
        _refer(model.fields.get("provider"), "provider", providers, reader)
        _check_price(model.fields.get("price"), reader)
        _check_tools(model, reader)
    _check_tokenizers(root, reader)
    for app in root.sections("apps"):
        _refer(app.fields.get("team"), "team", teams, reader)
        _refer_all(app, "models", "model", models, reader)
    check_limits(root, reader)
    check_guards(root, reader)
    check_budgets(root, reader)
    check_audit(root.section("audit"), reader)
    check_sinks(root, reader)
    check_counters(root, reader)
    check_texts(root, kinds, reader)
    rules = tuple(layered(root, packs_of(root, reader)))
    check_classifiers(root, [rule.section for rule in rules], reader)
    RuleChecker(root, kinds, conditions, reader).check(rules)


def packs_of(root: Section, reader: Reader) -> tuple[Pack, ...]:
    """The packs that a configuration names, in its order; reports those that there are not."""
    found: dict[str, Pack] = {}
    for item in root.section("policy").items("packs"):
        name, _, version = item.value.partition("@")
        if name not in PACKS:
            message, hint = (
                f"no pack is called {shown(name)}",
                did_you_mean(name, PACKS) or "known: " + ", ".join(PACKS),
            )
        elif version and int(version) != load_pack(name).version:
            message, hint = f"version {version} of this pack is not installed", f"installed: {load_pack(name)}"
        elif name in found:
            message, hint = f"the pack {shown(name)} is named twice", ""
        else:
            found[name] = load_pack(name)
            continue
        reader.report(item.line, item.path, message, hint)
    return tuple(found.values())


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


def _check_tokenizers(root: Section, reader: Reader) -> None:
    kinds = {provider.get("name"): provider.get("kind") for provider in root.sections("providers")}
    for model in root.sections("models"):
        tokenizer = model.fields.get("tokenizer")
        if tokenizer is not None and tokenizer.value and kinds.get(model.get("provider")) is ProviderKind.ANTHROPIC:
            message = "would not count as the provider does: no tokenizer of these models is published"
            reader.report(tokenizer.line, tokenizer.path, message, "remove the section")


def _check_tools(model: Section, reader: Reader) -> None:
    tools = model.fields.get("provider_tools")
    if tools is not None and model.get("provider_tools") and isinstance(model.get("price"), str):
        message = "has no effect: a model that is free has free tools"
        reader.report(tools.line, tools.path, message, "write its price, or remove the section")


def _check_price(price: Value | None, reader: Reader) -> None:
    if price is None or not isinstance(price.value, Section):
        return
    section: Section = price.value
    # Zeros may be a price that somebody meant to fill in; what costs nothing is said in a word.
    complete = {"input_per_million", "output_per_million"} <= section.written
    if complete and not any(amount.value for amount in section.fields.values()):
        reader.report(price.line, price.path, "a price of nothing but zeros", "price: free")
