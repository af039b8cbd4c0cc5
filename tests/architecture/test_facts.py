"""A fact is built only in the module that earns it: evidence that anybody can forge is no evidence."""

import ast
from pathlib import Path

import pytest

import gptgate

SOURCE = Path(gptgate.__file__).parent
EARNED_IN = {
    "RawRequest": {"http/app.py", "cli/policy_trial.py"},
    "Principal": {"auth/authenticate.py", "cli/policy_trial.py"},
    "ChatRequest": {"providers/openai_chat.py", "providers/openai_embeddings.py", "providers/anthropic_messages.py"},
    "Grant": {"auth/authorize.py"},
    "Inspection": {"policy/score.py"},
    "PolicyFacts": {"pipeline/policy_facts.py", "policy/cel.py", "cli/policy_replay.py"},
    "Decision": {"policy/engine.py"},
    "Permit": {"pipeline/judge.py"},
    "Route": {"pipeline/gate.py"},
    "Reservation": {"cost/ledger.py"},
    "LogIndex": {"storage/sqlite.py", "storage/memory.py"},
    "Settlement": {"pipeline/exchange.py", "pipeline/gate.py"},
}
"""Fact → the files that may call its constructor. A trial of the command line judges and sends nothing."""

FILES = sorted(SOURCE.rglob("*.py"))


def _built(tree: ast.AST) -> set[str]:
    built = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in EARNED_IN:
                built.add(name)
    return built


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_facts_are_built_only_where_they_are_earned(file: Path) -> None:
    here = file.relative_to(SOURCE).as_posix()
    forged = {fact for fact in _built(ast.parse(file.read_text())) if here not in EARNED_IN[fact]}
    # HTTP routes of the control plane and of the witness are Starlette's `Route`, not ours.
    if here in ("admin/app.py", "witness/app.py"):
        forged.discard("Route")
    assert not forged


def test_every_fact_is_earned_somewhere() -> None:
    built = set().union(*(_built(ast.parse(file.read_text())) for file in FILES))
    assert built == set(EARNED_IN)
