"""Step 5b: ask external classifiers, where a rule wants to know and what was found here does not already deny.

What they are shown leaves the gateway. So they see the request as the rules let it be sent: what is rewritten for the
provider is cut out for them.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from gptgate.core.beside import POINTING, ClassifierSpec, OnFailure
from gptgate.core.classifier import EVERY, PREFIX, Opinion, findings_of
from gptgate.core.errors import GuardFailed
from gptgate.core.facts import ChatRequest, Decision, Inspection, PolicyFacts
from gptgate.core.finding import Finding, Origin, Path, Segment
from gptgate.core.ports import Cut
from gptgate.core.snapshot import Effect
from gptgate.pipeline.judge import cut_of, decide_routed, rewritten
from gptgate.pipeline.pointing import Pointed, located, pointed
from gptgate.pipeline.services import Services
from gptgate.pipeline.soundness import sound, sound_rewriting


async def ask_classifiers(
    services: Services,
    request: ChatRequest,
    facts: PolicyFacts,
    inspection: Inspection,
    known: Sequence[Opinion] = (),
    first: Decision | None = None,
) -> tuple[Opinion, ...]:
    """The opinions of all classifiers that applicable rules ask, all asked at the same time; none after a denial.

    Whose opinion is `known` is not asked again. `first` is what was decided before a rule routed the request to the
    model of these facts.
    """
    names = named(services, services.policy.asks(facts)).keys() - {opinion.classifier for opinion in known}
    if not names:
        return ()
    if first is None:
        local = services.policy.decide(facts, inspection)
    else:
        local = decide_routed(services.policy, facts, inspection, first)
    if local.effect is Effect.DENY:
        return ()
    specs = [services.snapshot.classifiers[name] for name in sorted(names)]
    rewrites = rewritten(inspection.findings, local.rewrites)
    texts = shown(services, request.segments, rewrites)
    pointing = any(spec.kind in POINTING for spec in specs)
    return await opinions_on(services, specs, texts, pointed(request.segments, rewrites) if pointing else ())


async def opinions_on(
    services: Services,
    specs: Sequence[ClassifierSpec],
    texts: Sequence[tuple[Origin, str]],
    places: Sequence[Pointed] | None = None,
) -> tuple[Opinion, ...]:
    """What these classifiers say, all asked at the same time, each of the words that it is to be shown.

    `places` are the same texts for those that point at places; None where no place is of any use, as in an answer.
    """
    asked = []
    for spec in specs:
        words = texts if places is None or spec.kind not in POINTING else [(one.origin, one.text) for one in places]
        asked.append(services.classifiers[spec.name].classify([text for text in words if text[0] in spec.origins]))
    opinions = [sound(Opinion, opinion) for opinion in await asyncio.gather(*asked)]
    if places is None:
        return tuple([replace(opinion, spans=()) if opinion.spans else opinion for opinion in opinions])
    return tuple(
        [
            located(opinion, [one for one in places if one.origin in spec.origins]) if opinion.spans else opinion
            for spec, opinion in zip(specs, opinions, strict=True)
        ]
    )


def weigh_opinions(
    services: Services,
    facts: PolicyFacts,
    inspection: Inspection,
    opinions: Sequence[Opinion],
    segments: Sequence[Segment] = (),
) -> Inspection:
    """The inspection of these texts with what the classifiers found. Pure: recorded opinions give the same again.

    Raises GuardFailed for a classifier that could not answer and fails closed. The failure of one that only shadows
    ask has no effect.
    """
    findings, failures = heard(services, facts, opinions, segments)
    # In front, so that the record lists them however many others there are.
    found = (*findings, *inspection.findings)
    return services.policy.assess(facts, found, (*inspection.failures, *failures))


def weigh_more(
    services: Services,
    facts: PolicyFacts,
    inspection: Inspection,
    known: Sequence[Opinion],
    more: Sequence[Opinion],
    segments: Sequence[Segment] = (),
) -> Inspection:
    """The inspection of these texts with what the classifiers found that only rules on the routed model ask, and with
    the failures of all that these rules ask. Its score does not sink, and its findings keep their places, since a
    decision names them.

    Raises GuardFailed as `weigh_opinions` does.
    """
    findings, _ = heard(services, facts, more, segments)
    _, failed = heard(services, facts, (*known, *more), segments)
    failures = tuple(dict.fromkeys((*inspection.failures, *failed)))
    found = (*inspection.findings, *findings)
    again = services.policy.assess(facts, found, failures)
    return again if again.score >= inspection.score else replace(inspection, findings=found, failures=failures)


def heard(
    services: Services, facts: PolicyFacts, opinions: Sequence[Opinion], segments: Sequence[Segment] = ()
) -> tuple[Sequence[Finding], Sequence[str]]:
    """What the opinions on these texts amount to, and who of those asked failed and is let pass. Raises GuardFailed."""
    acting = named(services, services.policy.asks(facts))
    failures: list[str] = []
    findings: list[Finding] = []
    for opinion in opinions:
        spec = services.snapshot.classifiers[opinion.classifier]
        findings += findings_of(opinion, spec, segments)
        if opinion.failure and acting.get(opinion.classifier, False):
            if spec.on_failure is OnFailure.CLOSED:
                raise GuardFailed(
                    f"The classifier '{spec.name}' could not answer.",
                    guard=f"classifier {spec.name}",
                    why=opinion.failure,
                )
            failures.append(f"{PREFIX}.{spec.name}")
    return findings, failures


def named(services: Services, asked: Mapping[str, bool]) -> Mapping[str, bool]:
    """The classifiers by their names. A name that is none of them means all: better one question too many."""
    known = services.classifiers
    if not asked:
        return asked
    every = [acts for name, acts in asked.items() if name == EVERY or name not in known]
    named = {name: asked[name] for name in known if name in asked}
    return named if not every else {name: any(every) or named.get(name, False) for name in known}


def shown(
    services: Services,
    segments: Sequence[Segment],
    rewrites: Iterable[tuple[Finding, Effect]],
    hidden: Collection[Path] = (),
) -> list[tuple[Origin, str]]:
    """The texts, in their order, without names of fields, without those at `hidden` places, and without what the rules
    rewrite, however they do it."""
    cuts: dict[int, list[Cut]] = {}
    for finding, _ in rewrites:
        cuts.setdefault(finding.segment, []).append(cut_of(finding, Effect.REDACT))
    texts = []
    for index, segment in enumerate(segments):
        if segment.is_key or not segment.text.strip() or segment.path in hidden:
            continue
        text = segment.text
        if index in cuts:
            text = sound_rewriting(text, services.redaction.text(text, cuts[index], segment.is_json))
        texts.append((segment.origin, text))
    return texts
