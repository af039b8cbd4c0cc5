"""Two CEL engines agree on every condition that the gateway accepts, whatever the facts."""

from typing import Any

import cel as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from gptgate.core.finding import Finding, Origin
from gptgate.policy.cel import Circumstances, Condition, ConditionError, examine
from gptgate.policy.score import assess
from gptgate.policy.vocabulary import FACTS
from policy_facts import facts

KINDS = ("pii.email", "attack.x", "secret.aws")

numbers = st.sampled_from(
    [
        "risk.score",
        "request.choices",
        "request.media",
        "usage.spent_percent",
        "time.hour",
        "time.weekday",
        "size(findings)",
        "size(kinds)",
        "size(request.tools)",
        "size(principal.team)",
        "0",
        "1",
        "7",
        "50",
        "-3",
    ]
)
texts = st.sampled_from(
    [
        "principal.team",
        "principal.app",
        "model.name",
        "model.location",
        "session",
        "request.dialect",
        "'t'",
        "'a'",
        "''",
        "'cloud'",
        "r'a'",
        '"m"',
    ]
)
sums = st.recursive(numbers, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner))
atoms = (
    st.builds("{} {} {}".format, sums, st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]), sums)
    | st.builds("{} {} {}".format, texts, st.sampled_from(["==", "!=", "<", ">="]), texts)
    | st.builds("{}.{}({})".format, texts, st.sampled_from(["startsWith", "endsWith", "contains"]), texts)
    | st.builds("{}.matches({})".format, texts, st.sampled_from(["'a'", "'^t$'", "'[a-c]+'", "''"]))
    | st.builds("{} in {}".format, texts, st.sampled_from(["request.tools", "kinds", "risk.parts", "['a', 't']"]))
    | st.builds("('{0}' in kinds && kinds['{0}'] > {1})".format, st.sampled_from(KINDS), sums)
    | st.builds("findings.{}(f, f.points > {})".format, st.sampled_from(["exists", "all", "exists_one"]), numbers)
    | st.builds("findings.filter(f, f.kind == '{}').size() > {}".format, st.sampled_from(KINDS), numbers)
    | st.builds("kinds.{}(k, k.startsWith({}))".format, st.sampled_from(["exists", "all"]), texts)
    | st.sampled_from(["request.stream", "true", "false", "has(risk.parts.pii)"])
)
conditions = st.recursive(
    atoms,
    lambda inner: (
        st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {})".format, inner, inner)
        | st.builds("!({})".format, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
    ),
    max_leaves=6,
)
some_facts = st.builds(
    facts,
    team=st.sampled_from(["t", "u"]),
    app=st.sampled_from(["a", "b"]),
    model=st.sampled_from(["m", "n"]),
    location=st.sampled_from(["local", "cloud"]),
    session=st.text(alphabet="at\u00e9\U0001f600", max_size=3),
    stream=st.booleans(),
    tools=st.lists(st.sampled_from(["a", "t", ""]), max_size=3).map(tuple),
    choices=st.integers(1, 8),
    spent_nano=st.integers(0, 10**12),
    budget_nano=st.sampled_from([0, 10**9]),
    hour=st.integers(0, 23),
    weekday=st.integers(1, 7),
)
findings = st.lists(
    st.builds(
        Finding,
        st.sampled_from(KINDS),
        st.sampled_from(Origin),
        st.just("/x"),
        st.just(0),
        st.just(1),
        st.just("d"),
        st.integers(0, 100),
    ),
    max_size=4,
)


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """``{"risk.score": 1}`` → ``{"risk": {"score": 1}}``: the other engine knows no names with dots."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        root, dot, leaf = name.partition(".")
        if dot:
            tree.setdefault(root, {})[leaf] = value
        else:
            tree[root] = value
    return tree


@settings(max_examples=400)
@given(conditions, some_facts, findings)
def test_another_engine_gives_the_same_answer(text: str, given_facts: Any, some: list[Finding]) -> None:
    inspection = assess(tuple(some))
    if examine(text).faults:
        return
    condition = Condition(text)
    try:
        ours = condition.holds(Circumstances(given_facts, inspection, condition.uses))
    except ConditionError:
        return
    values = nested({fact.name: fact.read(given_facts, inspection) for fact in FACTS})
    assert oracle.evaluate(text, oracle.Context(variables=values)) is ours, text
