"""Policy under all inputs: the score is monotone, a decision is deterministic, redaction does not depend on the cut."""

import itertools
import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gptgate.core.finding import Finding, Origin
from gptgate.core.ports import Cut
from gptgate.core.snapshot import REWRITING, STRENGTH, Effect, RuleSpec, Stage
from gptgate.policy.engine import compile_policy
from gptgate.policy.marks import Marks, redaction_mark
from gptgate.policy.redact import Rewriting, StreamRedactor
from gptgate.policy.score import assess
from policy_facts import facts

SECRET = b"a secret of the installation"
MARKS = Marks(SECRET)
KINDS = ("pii.email", "pii.card", "secret.aws", "attack.phrase", "media.image")
findings = st.lists(
    st.builds(
        Finding,
        kind=st.sampled_from(KINDS),
        origin=st.sampled_from(Origin),
        place=st.just("/x"),
        start=st.just(0),
        end=st.just(1),
        detector=st.just("test"),
        points=st.integers(0, 100),
    ),
    max_size=12,
)
rules = st.lists(
    st.builds(
        RuleSpec,
        id=st.uuids().map(str),
        stage=st.sampled_from(Stage),
        effect=st.sampled_from([effect for effect in Effect if effect is not Effect.ALLOWED_ON_FAILURE]),
        findings=st.lists(st.sampled_from((*KINDS, "pii.*", "secret.*", "*")), max_size=3).map(tuple),
        origins=st.lists(st.sampled_from(Origin), max_size=2).map(tuple),
        min_score=st.integers(0, 100),
        apps=st.lists(st.sampled_from("ab"), max_size=2).map(tuple),
        models=st.lists(st.sampled_from("mn"), max_size=2).map(tuple),
        message=st.text(max_size=5),
    ),
    max_size=8,
)


@given(findings, findings)
def test_adding_a_finding_never_lowers_the_score(some: list[Finding], more: list[Finding]) -> None:
    score = assess(tuple(some)).score
    for count in range(1, len(more) + 1):
        higher = assess((*some, *more[:count])).score
        assert 0 <= score <= higher <= 100
        score = higher


@given(findings, findings, st.sampled_from(["local", "cloud"]), st.sampled_from([(), ("shell",)]))
def test_adding_a_finding_never_lowers_the_score_in_any_circumstances(
    some: list[Finding], more: list[Finding], location: str, tools: tuple[str, ...]
) -> None:
    request = facts(location=location, tools=tools)
    before, after = assess(tuple(some), facts=request), assess((*some, *more), facts=request)
    assert 0 <= assess(tuple(some)).score <= before.score <= after.score <= 100
    assert dict(before.parts).keys() <= dict(after.parts).keys()
    assert all(points <= dict(after.parts)[name] for name, points in before.parts)
    assert before.score == min(100, sum(points for _, points in before.parts))


@given(findings, st.randoms())
def test_the_order_of_the_findings_does_not_matter_to_the_score(some: list[Finding], random: Random) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)
    assert assess(tuple(shuffled)).score == assess(tuple(some)).score
    assert assess(tuple(shuffled)).parts == assess(tuple(some)).parts


def fires(
    rule: RuleSpec, stage: Stage, app: str, model: str, some: tuple[Finding, ...], score: int
) -> list[int] | None:
    """The rule's definition, read straight from its words: the findings it matches, None when it does not fire."""

    def kind_matches(kind: str) -> bool:
        return not rule.findings or any(
            kind == p or p == "*" or (p.endswith(".*") and kind.startswith(p[:-1])) for p in rule.findings
        )

    if rule.stage is not stage or (rule.apps and app not in rule.apps) or (rule.models and model not in rule.models):
        return None
    if score < rule.min_score:
        return None
    if not rule.findings and not rule.origins:
        return []
    hits = [i for i, f in enumerate(some) if kind_matches(f.kind) and (not rule.origins or f.origin in rule.origins)]
    return hits or None


@given(rules, findings, st.sampled_from(Stage), st.sampled_from("abc"), st.sampled_from("mno"))
def test_a_decision_is_what_the_rules_say(
    specs: list[RuleSpec], some: list[Finding], stage: Stage, app: str, model: str
) -> None:
    inspection = assess(tuple(some))
    policy = compile_policy(specs, "digest")
    request = facts(stage=stage, app=app, model=model)
    decision = policy.decide(request, inspection)
    hits = {spec.id: fires(spec, stage, app, model, tuple(some), inspection.score) for spec in specs}
    fired = [spec for spec in specs if hits[spec.id] is not None]
    assert decision.rules == tuple(spec.id for spec in fired)
    assert decision.effect is max((spec.effect for spec in fired), key=STRENGTH.__getitem__, default=Effect.ALLOW)
    rewriting: dict[int, list[Effect]] = {}
    for spec in fired:
        for index in hits[spec.id] or () if spec.effect in REWRITING else ():
            rewriting.setdefault(index, []).append(spec.effect)
    assert dict(decision.rewrites) == {
        index: max(effects, key=STRENGTH.__getitem__) for index, effects in rewriting.items()
    }
    assert list(decision.rewrites) == sorted(decision.rewrites)
    denying = [spec for spec in fired if spec.effect is Effect.DENY]
    assert decision.denied_by == (denying[0].id if denying else "")
    assert decision == compile_policy(specs, "digest").decide(request, inspection)


@given(rules, findings, st.sampled_from("abc"), st.sampled_from("mno"))
def test_every_finding_that_an_answer_is_redacted_or_denied_for_is_of_a_held_kind(
    specs: list[RuleSpec], some: list[Finding], app: str, model: str
) -> None:
    policy = compile_policy(specs, "digest")
    request = facts(stage=Stage.RESPONSE, app=app, model=model)
    decision = policy.decide(request, assess(tuple(some)))
    held = policy.held(request)
    for index, _ in decision.rewrites:
        kind = some[index].kind
        assert any(kind == p or p == "*" or (p.endswith(".*") and kind.startswith(p[:-1])) for p in held)
    if decision.effect is Effect.DENY:
        assert held


IN_ANSWERS = (Effect.REDACT, Effect.MASK, Effect.HASH)


def redact_text(text: str, spans: list[Cut], is_json: bool = False) -> str:
    return Rewriting(SECRET).text(text, spans, is_json)


def draw_spans(
    data: st.DataObject, atoms: list[str], effects: tuple[Effect, ...] = IN_ANSWERS
) -> tuple[str, list[Cut], list[int]]:
    """A text of atoms (an escape is one), spans over whole atoms, and the offsets that no group of spans straddles."""
    edges = [0]
    for atom in atoms:
        edges.append(edges[-1] + len(atom))
    spans: list[Cut] = []
    if atoms:
        pair = st.tuples(
            st.integers(0, len(atoms) - 1), st.integers(1, 6), st.sampled_from(KINDS), st.sampled_from(effects)
        )
        for first, width, kind, effect in data.draw(st.lists(pair, max_size=5)):
            spans.append(Cut(edges[first], edges[min(first + width, len(atoms))], kind, effect))
    text = "".join(atoms)
    cuts = [c for c in range(len(text) + 1) if not any(start < c < end for start, end, *_ in spans)]
    return text, spans, cuts


def in_pieces(text: str, spans: list[Cut], cuts: list[int], is_json: bool) -> str:
    redactor = StreamRedactor(MARKS, is_json)
    out = []
    edges = sorted({0, len(text), *cuts})
    for begin, end in itertools.pairwise(edges):
        out.append(redactor.apply(text[begin:end], [s for s in spans if begin <= s[0] and s[1] <= end]))
    return "".join(out)


@given(st.data(), st.text(alphabet='ab"\\,1-{}[]: é\n', max_size=40), st.booleans())
def test_redaction_of_a_stream_cut_anywhere_equals_redaction_of_the_whole(
    data: st.DataObject, text: str, is_json: bool
) -> None:
    text, spans, cuts = draw_spans(data, list(text))
    chosen = data.draw(st.lists(st.sampled_from(cuts), max_size=8))
    assert in_pieces(text, spans, chosen, is_json) == redact_text(text, spans, is_json)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.text(alphabet='\\"\n\u0040é', max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def split_escapes(text: str) -> list[str]:
    atoms = []
    position = 0
    while position < len(text):
        width = 1
        if text[position] == "\\":
            width = 6 if text[position + 1] == "u" else 2
        atoms.append(text[position : position + width])
        position += width
    return atoms


@given(st.data(), json_values, st.booleans(), st.sampled_from([None, 1]))
def test_redacted_json_is_json_wherever_it_was_cut(
    data: st.DataObject, value: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    text, spans, cuts = draw_spans(data, split_escapes(text))
    whole = redact_text(text, spans, is_json=True)
    json.loads(whole)
    chosen = data.draw(st.lists(st.sampled_from(cuts), max_size=8))
    assert in_pieces(text, spans, chosen, is_json=True) == whole


@given(st.data(), st.text(max_size=30))
def test_only_what_spans_cover_is_gone(data: st.DataObject, text: str) -> None:
    text, spans, _ = draw_spans(data, list(text), (Effect.REDACT,))
    kept = [c for i, c in enumerate(text) if not any(start <= i < end for start, end, *_ in spans)]
    result = redact_text(text, spans)
    for kind in KINDS:
        mark = redaction_mark(kind)
        result = result.replace(mark, "", result.count(mark) - text.count(mark))
    assert result == "".join(kept)
