"""Search and usage over random records agree with a reference in plain Python."""

import asyncio
import tempfile
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gptgate.core.events import End, EndState, Intent, has_overrun
from gptgate.core.facts import Usage
from gptgate.core.finding import Finding, Origin
from gptgate.storage.corrections import reconcile
from gptgate.storage.log_check import LogCheck
from gptgate.storage.queries import SqliteReader
from gptgate.storage.sqlite import SqliteStore
from gptgate.storage.usage import BESIDE_TAG, GROUPS, TAG
from gptgate.storage.views import SearchFilters, UsageRow
from storage_samples import FixedClock, end, intent

Pair = tuple[Intent, End | None]
DAY_MS = 86_400_000
NAMES = st.sampled_from(["a", "b", "it's", "ü\u0000%", '"'])
TIMES = st.integers(0, 4 * DAY_MS)
EDGES = TIMES | st.integers(0, 4).map(lambda days: days * DAY_MS) | st.integers(0, 400).map(lambda slot: slot * 900_000)
RULES = st.lists(st.sampled_from(["r1", "r2", 'r"3', "r%"]), max_size=3).map(tuple)
KINDS = st.sampled_from(["pii.email", "pii.card", "secret.key"])
FINDINGS = st.lists(KINDS.map(lambda kind: Finding(kind, Origin.USER, "/x", 0, 1, "d", 5)), max_size=2).map(tuple)
DIGESTS = st.sampled_from(["ab12", "ab34", "cd"])
TAGS = st.dictionaries(st.sampled_from(["feature", "x"]), st.sampled_from(["it's", '"', "\u00fc{}"]), max_size=2)
TOKENS = st.integers(0, 10**6)
COSTS = st.integers(0, 10**12)


@st.composite
def pairs(draw: st.DrawFn) -> list[Pair]:
    made: list[Pair] = []
    for number in range(draw(st.integers(0, 12))):
        name = f"r{number}"
        asked = intent(
            name,
            at_ms=draw(TIMES),
            app=draw(NAMES),
            team=draw(NAMES),
            key_id=draw(NAMES),
            end_user=draw(NAMES),
            model=draw(NAMES),
            provider=draw(NAMES),
            routed_from=draw(st.sampled_from(["", "a", "routed"])),
            session=draw(NAMES),
            tags=draw(TAGS),
            effect=draw(st.sampled_from(["allow", "flag"])),
            score=draw(st.integers(0, 100)),
            config_digest=draw(DIGESTS),
            rules=draw(RULES),
            findings=draw(FINDINGS),
            reserved_nano=draw(COSTS),
            reserved_tokens=draw(TOKENS),
        )
        ended = end(
            name,
            app=asked.app,
            effect=draw(st.sampled_from(["flag", "deny"])),
            state=draw(st.sampled_from(EndState)),
            code=draw(st.sampled_from(["", "policy_denied"])),
            answered_model=draw(NAMES),
            rules=draw(RULES),
            findings=draw(FINDINGS),
            usage=Usage(input_tokens=draw(TOKENS), output_tokens=draw(TOKENS)),
            usage_source=draw(st.sampled_from(["provider", "unused", "unknown", "estimated"])),
            cost_nano=draw(COSTS),
            fees_nano=draw(st.just(0) | COSTS),
            extended_nano=draw(st.just(0) | COSTS),
            extensions=draw(st.integers(0, 1)),
        )
        made.append((asked, draw(st.sampled_from([ended, ended, None]))))
    return made


FILTERS = st.builds(
    SearchFilters,
    app=st.none() | NAMES,
    team=st.none() | NAMES,
    key_id=st.none() | NAMES,
    end_user=st.none() | NAMES,
    model=st.none() | NAMES,
    rule=st.none() | st.sampled_from(["r1", 'r"3', "r%", "r"]),
    effect=st.none() | st.sampled_from(["allow", "flag", "deny"]),
    state=st.none() | st.sampled_from(["completed", "refused", "abandoned", "open"]),
    code=st.none() | st.sampled_from(["", "policy_denied"]),
    kind=st.none() | st.sampled_from(["pii.email", "secret.key", "pii"]),
    config=st.none() | st.sampled_from(["ab", "ab3", "cd", "d", "b"]),
    min_score=st.none() | st.integers(0, 100),
    max_score=st.none() | st.integers(0, 100),
    since_ms=st.none() | TIMES,
    until_ms=st.none() | TIMES,
    request_id=st.none() | st.sampled_from(["r0", "r3", "nobody"]),
    session=st.none() | NAMES,
    tags=st.none() | TAGS,
    # Where there is no log yet, every request is beyond it.
    beyond=st.none() | st.just(0),
    overrun=st.none() | st.booleans(),
)
# Most of the conditions at once find nothing, so most examples state only a few of them.
FEW = st.tuples(FILTERS, st.sets(st.sampled_from(SearchFilters.__struct_fields__), max_size=3)).map(
    lambda drawn: SearchFilters(**{name: getattr(drawn[0], name) for name in drawn[1]})
)


async def written(folder: Path, records: list[Pair]) -> None:
    """As a running gateway would leave them, open requests among them."""
    store = SqliteStore.open(folder, clock=FixedClock(), timeout_ms=60_000)
    for asked, ended in records:
        await store.begin(asked, None)
        if ended is not None:
            store.finish(ended, None)
    await store.close(60_000)


def fits(filters: SearchFilters, asked: Intent, ended: End | None) -> bool:
    both: list[Any] = [asked] if ended is None else [asked, ended]
    facts: dict[str, set[Any]] = {
        "app": {asked.app},
        "team": {asked.team},
        "key_id": {asked.key_id},
        "end_user": {asked.end_user},
        "model": {asked.model, asked.routed_from} - {""} | ({ended.answered_model} if ended else set()),
        "rule": {rule for side in both for rule in side.rules},
        "effect": {ended.effect if ended else asked.effect},
        "state": {ended.state.value if ended else "open"},
        "code": {ended.code} if ended else set(),
        "kind": {finding.kind for side in both for finding in side.findings},
        "request_id": {asked.id},
        "session": {asked.session},
    }
    stated = {name: value for name in facts if (value := getattr(filters, name)) is not None}
    return (
        all(value in facts[name] for name, value in stated.items())
        and (filters.tags or {}).items() <= asked.tags.items()
        and (filters.config is None or asked.config_digest.startswith(filters.config))
        and (filters.min_score is None or asked.score >= filters.min_score)
        and (filters.max_score is None or asked.score <= filters.max_score)
        and (filters.since_ms is None or asked.at_ms >= filters.since_ms)
        and (filters.until_ms is None or asked.at_ms < filters.until_ms)
        and (filters.overrun is None or (ended is not None and has_overrun(asked, ended) is filters.overrun))
    )


def singles(records: list[Pair]) -> list[SearchFilters]:
    """Each condition alone, with every value that a record has for it: also the edges of times and open requests."""
    values: dict[str, Any] = {name: set() for name in SearchFilters.__struct_fields__}
    values["overrun"] = {True, False}
    for asked, ended in records:
        for name in ("app", "team", "key_id", "end_user", "model", "effect", "session"):
            values[name].add(getattr(asked, name))
        values["request_id"].add(asked.id)
        values["state"].add("open")
        values["model"].add(asked.routed_from or asked.model)
        values["config"].add(asked.config_digest)
        values["min_score"].add(asked.score)
        values["max_score"].add(asked.score)
        values["since_ms"].add(asked.at_ms)
        values["until_ms"].add(asked.at_ms)
        for side in (asked, ended) if ended else (asked,):
            values["rule"].update(side.rules)
            values["kind"].update(finding.kind for finding in side.findings)
        if ended:
            values["state"].add(ended.state.value)
            values["code"].add(ended.code)
            values["model"].add(ended.answered_model)
            values["effect"].add(ended.effect)
    tagged = [SearchFilters(tags=asked.tags) for asked, _ in records]
    return tagged + [SearchFilters(**{name: value}) for name, found in values.items() for value in found]


@settings(max_examples=60, deadline=None)
@given(
    records=pairs(),
    searches=st.lists(FEW | FILTERS, min_size=1, max_size=20),
    limit=st.integers(1, 5),
    index_from=st.sampled_from([0, 1000]),
)
def test_search_agrees_with_the_reference(
    records: list[Pair], searches: list[SearchFilters], limit: int, index_from: int
) -> None:
    """With an index and without one."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr("gptgate.storage.queries.INDEX_FROM", index_from)
        patch.setattr("gptgate.storage.search_index.FEW", 3)
        asyncio.run(written(Path(name), records))
        with SqliteReader(Path(name)) as reader:
            for filters in searches + singles(records):
                expected = [asked.id for asked, ended in reversed(records) if fits(filters, asked, ended)]
                paged: list[str] = []
                before_seq = None
                while page := reader.search(filters, limit, before_seq):
                    assert len(page) <= limit
                    paged += [row.id for row in page]
                    before_seq = page[-1].seq
                assert paged == expected


@settings(max_examples=60, deadline=None)
@given(records=pairs())
def test_a_row_shows_both_sides_of_its_record(records: list[Pair]) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(written(Path(name), records))
        with SqliteReader(Path(name)) as reader:
            rows = reader.search(SearchFilters(), 100)
            shown = [reader.show(row.id) for row in rows]
    assert [(record.intent, record.end) for record in shown if record is not None] == records[::-1]
    for row, (asked, ended) in zip(rows, reversed(records), strict=True):
        assert (row.id, row.at_ms, row.app, row.team, row.model) == (
            asked.id,
            asked.at_ms,
            asked.app,
            asked.team,
            asked.model,
        )
        assert set(row.rules) == set(asked.rules) | set(ended.rules if ended else ())
        assert len(row.rules) == len(set(row.rules))
        assert set(row.kinds) == {finding.kind for side in (asked, ended) if side for finding in side.findings}
        if ended is None:
            assert (row.state, row.effect, row.answered_model, row.cost_nano) == ("open", asked.effect, "", 0)
        else:
            assert (row.state, row.effect) == (ended.state, ended.effect)
            assert (row.input_tokens, row.cost_nano) == (ended.usage.input_tokens, ended.cost_nano)


def group_of(asked: Intent, name: str, tag: str) -> str:
    if name == TAG:
        return tag
    if name in ("day", "month"):
        day = datetime.fromtimestamp(asked.at_ms / 1000, UTC).date().isoformat()
        return day if name == "day" else day[:7]
    attribute = {"key": "key_id"}.get(name, name)
    return str(getattr(asked, attribute))


@settings(max_examples=60, deadline=None)
@given(
    records=pairs(),
    group_by=st.lists(st.sampled_from(sorted(GROUPS)), unique=True, max_size=3)
    | st.lists(st.sampled_from(sorted(BESIDE_TAG)), unique=True, max_size=3),
    times=st.tuples(EDGES, EDGES).map(sorted),
    app=st.none() | NAMES,
    team=st.none() | NAMES,
    corrected=st.sets(st.integers(0, 12)),
)
def test_usage_agrees_with_the_reference(
    records: list[Pair],
    group_by: list[str],
    times: list[int],
    app: str | None,
    team: str | None,
    corrected: set[int],
) -> None:
    if TAG in group_by:
        team = None
        group_by = [name for name in group_by if name in BESIDE_TAG]
    since_ms, until_ms = times
    sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * 7)
    corrections = []
    for number, (asked, ended) in enumerate(records):
        if ended is not None and ended.usage_source == "unknown" and number in corrected:
            ended = replace(ended, usage=Usage(input_tokens=number), usage_source="operator", cost_nano=number * 10**10)
            corrections.append(ended)
        if ended is None or not since_ms <= asked.at_ms < until_ms or app not in (None, asked.app):
            continue
        if team not in (None, asked.team):
            continue
        parts = [
            1,
            int(ended.state == EndState.REFUSED),
            ended.usage.input_tokens,
            ended.usage.output_tokens,
            ended.cost_nano,
            ended.cost_nano if ended.usage_source in ("unknown", "estimated") else 0,
            0 if ended.usage_source == "operator" else ended.fees_nano,
        ]
        for tag in [f"{key}={value}" for key, value in asked.tags.items()] if TAG in group_by else [""]:
            group = tuple(group_of(asked, name, tag) for name in group_by)
            sums[group] = [old + new for old, new in zip(sums[group], parts, strict=True)]
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(written(Path(name), records))
        for ended in corrections:
            reconcile(Path(name), ended.id, 1, "operator", ended.usage, ended.cost_nano, "ada", is_beyond=True)
        with closing(LogCheck(Path(name))) as check:
            assert check.money() == ""
        with SqliteReader(Path(name)) as reader:
            rows = reader.usage(group_by, since_ms, until_ms, app, team)
    assert {row.group: row for row in rows} == {
        group: UsageRow(
            group=group,
            requests=parts[0],
            refused=parts[1],
            input_tokens=parts[2],
            output_tokens=parts[3],
            cost_nano=parts[4],
            unknown_nano=parts[5],
            fees_nano=parts[6],
        )
        for group, parts in sums.items()
    }
    assert [row.group for row in rows] == sorted(sums, key=lambda group: [part.encode() for part in group])
