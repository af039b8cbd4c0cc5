"""The section `classifiers`: what must be true of it and of the rules that ask a classifier, and its values."""

from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from gptgate.config.problem import did_you_mean, shown, shown_kind
from gptgate.config.reader import Reader, Section, Value
from gptgate.core.beside import POINTING, ClassifierKind, ClassifierSpec
from gptgate.core.classifier import EVERY, OTHER, POINTED_SCORES, SCORES, default_labels, kinds_of, names_asked
from gptgate.core.finding import Origin
from gptgate.core.snapshot import REWRITING, Stage

DEFAULT_LANGUAGE = "en"
ANSWERS = frozenset({Origin.ASSISTANT, Origin.TOOL_CALL, Origin.TOOL_RESULT})
"""Whose words answers hold."""
ORIGINS = (Origin.USER, Origin.ASSISTANT, Origin.TOOL_CALL, Origin.TOOL_RESULT)
"""Whose words a classifier is shown where its configuration does not say."""


def external_kinds(root: Section) -> tuple[str, ...]:
    """The kinds of findings that the configured classifiers can lead to."""
    return tuple(
        kind
        for section in root.sections("classifiers")
        if section.get("name") is not None
        for kind in kinds_of(section.get("name"), _labels(section))
    )


def check_classifiers(root: Section, rules: Iterable[Section], reader: Reader) -> None:
    """Report what a kind needs and lacks, or has and cannot use, and rules that ask for what cannot be."""
    sections = root.sections("classifiers")
    names = [section.get("name") for section in sections if section.get("name") is not None]
    blind = {section.get("name") for section in sections if not ANSWERS & _origins(section)}
    pointing = {section.get("name") for section in sections if section.get("kind") in POINTING}
    asked: set[str] = set()
    for rule in rules:
        asked |= _check_rule(rule, names, blind, reader)
        _check_places(rule, frozenset(names), frozenset(pointing), reader)
    for section in sections:
        _check_kind(section, reader)
        _check_scores(section, reader)
        if section.get("name") is not None and not asked & {section.get("name"), EVERY}:
            message = "has no effect: no rule asks it"
            hint = f'a rule with findings: ["external.{section.get("name")}.*"]'
            reader.report(section.line, section.path, message, hint)


def _check_kind(section: Section, reader: Reader) -> None:
    kind = section.get("kind")
    guard = kind is ClassifierKind.GUARD_MODEL
    needs = {"model": guard, "template": guard}
    if kind is ClassifierKind.WEBHOOK:
        needs |= {"credential": True, "labels": True}
    presidio = kind is ClassifierKind.PRESIDIO
    useless = {"model": presidio or kind is ClassifierKind.WEBHOOK, "template": not guard, "language": not presidio}
    for name in needs:
        if kind is not None and needs[name] and name not in section.written:
            reader.report(section.line, f"{section.path}.{name}", f"is missing: {kind} needs it")
    for name in useless:
        if kind is not None and useless[name] and name in section.written:
            reader.report(section.line_of(name), f"{section.path}.{name}", f"has no effect: {kind} has none")
    for label in section.items("labels"):
        if label.value == OTHER:
            reader.report(label.line, label.path, "is always there", "remove the line")


def _check_scores(section: Section, reader: Reader) -> None:
    steps = section.sections("scores")
    for before, step in pairwise(steps):
        pairs = [(each.get("permille"), each.get("points")) for each in (before, step)]
        if None not in pairs[0] + pairs[1] and not (pairs[0][0] < pairs[1][0] and pairs[0][1] <= pairs[1][1]):
            reader.report(step.line, step.path, "a higher score cannot weigh less; scores rise from line to line")


def _check_rule(rule: Section, names: Sequence[str], blind: Collection[str], reader: Reader) -> frozenset[str]:
    """The classifiers that the rule asks; what it cannot ask of them is reported."""
    findings = rule.items("findings")
    external = [item for item in findings if names_asked((item.value,), "")]
    when = rule.fields.get("when")
    conditions = [when] if when is not None and names_asked((), str(when.value)) else []
    for item in [*external, *conditions]:
        _check_names(item, names_asked((str(item.value),), "" if item in external else str(item.value)), names, reader)
    if rule.get("stage") is Stage.RESPONSE:
        for item in [*external, *conditions]:
            _check_sight(item, names_asked((str(item.value),), str(item.value)), names, blind, reader)
    return names_asked(tuple(item.value for item in external), str(when.value) if conditions and when else "")


def _check_places(rule: Section, names: frozenset[str], pointing: frozenset[str], reader: Reader) -> None:
    """Report what a rule wants to be done at a place, or with words of an origin, of a finding that has neither."""
    findings = rule.items("findings")
    placeless = names if rule.get("stage") is Stage.RESPONSE else names - pointing
    nowhere = [item for item in findings if placeless & _meant(item.value, names)]
    origins = rule.fields.get("origins")
    if origins is not None and any(item.value != "*" for item in nowhere):
        message = "a classifier judges all that it is shown: its findings have no origin"
        reader.report(origins.line, origins.path, message, "write a rule of its own, and the classifier's origins")
    if rule.get("effect") in REWRITING:
        for item in nowhere:
            message, hint = _not_cut_out(item.value, rule.get("stage"), placeless & pointing)
            reader.report(item.line, item.path, message, hint)


def _not_cut_out(pattern: str, stage: Stage | None, pointing: frozenset[str]) -> tuple[str, str]:
    """Why a rule cannot rewrite what this pattern takes, and what can be done instead."""
    if pattern == "*":
        message = '"*" includes what classifiers find, which stands nowhere and is not cut out'
        return message, "name the kinds that shall be rewritten"
    if stage is Stage.RESPONSE and pointing & names_asked((pattern,), ""):
        message = f"{shown_kind(pattern)} is not cut out of answers: most of a stream is out before it is known"
        return message, "effect: deny, or flag; in requests it is cut out, with stage: request"
    message = f"{shown_kind(pattern)} is what a classifier says of a whole text: it stands nowhere and is not cut out"
    return message, "effect: deny, or flag"


def _meant(pattern: str, names: frozenset[str]) -> frozenset[str]:
    """The classifiers whose findings a pattern takes."""
    asked = names_asked((pattern,), "")
    return names if pattern == "*" or EVERY in asked else asked


def _check_names(item: Value, asked: frozenset[str], names: Sequence[str], reader: Reader) -> None:
    for name in sorted(asked - {EVERY, *names}):
        reader.report(item.line, item.path, f"no classifier is called {shown(name)}", did_you_mean(name, names))
    if EVERY in asked and not names:
        reader.report(item.line, item.path, "there is no classifier", "the section classifiers names them")


def _check_sight(
    item: Value, asked: frozenset[str], names: Sequence[str], blind: Collection[str], reader: Reader
) -> None:
    for name in sorted(blind):
        if name in asked or (EVERY in asked and len(names) == len(blind)):
            message = f"the classifier {shown(name)} is shown no words that an answer holds"
            reader.report(item.line, item.path, message, "origins: assistant, tool_call or tool_result")


def build_classifier(section: Section) -> ClassifierSpec:
    """The values of a section without problems."""
    breaker = section.section("breaker")
    steps = [(step.get("permille"), step.get("points")) for step in section.sections("scores")]
    return ClassifierSpec(
        name=section.get("name"),
        kind=section.get("kind"),
        base_url=section.get("base_url"),
        model=section.get("model") or "",
        template=section.get("template"),
        language=section.get("language")
        or (DEFAULT_LANGUAGE if section.get("kind") is ClassifierKind.PRESIDIO else ""),
        credential=section.get("credential"),
        timeout_ms=section.get("timeout"),
        on_failure=section.get("on_failure"),
        max_chars=section.get("max_chars"),
        origins=tuple(sorted(_origins(section))),
        labels=_labels(section),
        scores=tuple(steps) or (POINTED_SCORES if section.get("kind") in POINTING else SCORES),
        breaker_failures=breaker.get("failures"),
        breaker_cool_down_ms=breaker.get("cool_down"),
    )


def _origins(section: Section) -> frozenset[Origin]:
    return frozenset(item.value for item in section.items("origins")) or frozenset(ORIGINS)


def _labels(section: Section) -> tuple[str, ...]:
    stated = tuple(sorted(item.value for item in section.items("labels")))
    return stated or default_labels(section.get("kind"), section.get("template"))
