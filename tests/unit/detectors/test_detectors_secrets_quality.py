"""How many secrets are found, and how many texts without one are taken for secrets, in the sample texts."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[3].parent / "shared" / "data"
BENIGN = ("docs_dev", "gpteacher", "gsm8k", "alpaca_seed", "mitre_frr", "prompts_chat")
NO_SECRET = re.compile(
    r"""[\w./-]+\.(?:ya?ml|p12|pfx)"""  # the name of a file whose content is a row of its own
    r"""|.*%s.*|\[a-z.*|"type":.*|.*\$BASIC_TOKEN.*"""  # templates, patterns, references
    r"""|Authorization|[a-z][-a-z ]{1,40}|\s*, //.*|[\dT:-]+Z|http://127[^@]*""",  # pieces of source code
    re.DOTALL,
)
"""Rows of the cases that count as secrets and hold none."""

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample texts are not beside this checkout")


def rows(name: str) -> Iterator[dict[str, str]]:
    with (SAMPLES / name / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def has_secret(find: Callable[[str], list[tuple[str, str]]], text: str) -> bool:
    return any(kind.startswith("secret.") for kind, _ in find(text))


def test_nine_in_ten_secrets_are_found(find) -> None:
    cases = [row["text"] for row in rows("secrets_gitleaks_cases") if row["label"] == "attack"]
    secrets = [text for text in cases if NO_SECRET.fullmatch(text) is None]
    found = sum(has_secret(find, text) for text in secrets)
    print(f"secrets: {found} of {len(secrets)} found; {len(cases) - len(secrets)} rows hold none")
    assert len(secrets) > 290
    assert found >= 0.9 * len(secrets)


def test_few_texts_without_secrets_are_taken_for_secrets(find) -> None:
    texts = [row["text"] for name in BENIGN for row in rows(name)]
    hits = sum(has_secret(find, text) for text in texts)
    print(f"false hits: {hits} of {len(texts)} texts")
    assert hits <= 0.005 * len(texts)
