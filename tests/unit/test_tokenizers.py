"""The vocabularies that models name are there, and are the published ones, or the gateway does not start."""

import sys
from pathlib import Path

import pytest

from gptgate.config.problem import ConfigError
from gptgate.core.snapshot import ModelSpec, Snapshot
from gptgate.core.tokens import NoTokenizers
from gptgate.cost.counting import CountedModel, Distrust
from gptgate.installed import read_config_text
from gptgate.tokenizers import load_tokenizers
from vocabulary import published

TRUST = Distrust(lambda _: None)
CONFIG = """\
version: 1
providers: [{name: p, kind: openai, credential: "env:KEY"}]
models:
  - {name: m, provider: p, upstream_name: @UPSTREAM@, price: free, @TOKENIZER@}
  - {name: other, provider: p, price: free}
"""


def snapshot(tokenizer: str, upstream: str = "gpt-4o-mini") -> Snapshot:
    return read_config_text(CONFIG.replace("@TOKENIZER@", tokenizer).replace("@UPSTREAM@", upstream), "gptgate.yaml")


def named(file: Path, encoding: str = "o200k_base") -> str:
    return f'tokenizer: {{encoding: {encoding}, file: "{file}"}}'


def refusal(found: Snapshot) -> str:
    with pytest.raises(ConfigError) as refused:
        load_tokenizers(found, "gptgate.yaml", TRUST)
    return str(refused.value)


def test_a_published_vocabulary_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = load_tokenizers(snapshot(named(published(tmp_path, monkeypatch))), "gptgate.yaml", TRUST)
    assert (bounds.knows("m"), bounds.knows("other")) == (True, False)
    body = b'{"messages":[{"role":"user","content":"%b"}]}' % (b"the gate and the gate " * 99)
    assert 256 < (bounds.most("m", body) or 0) < len(body)


def test_models_of_one_encoding_share_its_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = published(tmp_path, monkeypatch)
    found = snapshot(named(file))
    models: dict[str, ModelSpec] = found.models
    models["other"] = models["m"]
    reads: list[Path] = []

    def read(path: Path, most: int) -> bytes:
        reads.append(path)
        return path.read_bytes()[:most]

    monkeypatch.setattr("gptgate.tokenizers.read_regular", read)
    load_tokenizers(found, "gptgate.yaml", TRUST)
    assert reads == [file]


def test_without_a_tokenizer_the_library_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert isinstance(load_tokenizers(snapshot("context_window: 9"), "gptgate.yaml", TRUST), NoTokenizers)


def test_a_library_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = published(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert "hint: pip install --require-hashes -r requirements/tokenizers.txt" in refusal(snapshot(named(file)))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    said = refusal(snapshot(named(tmp_path / "none")))
    assert said == f"gptgate.yaml: models.m.tokenizer: {tmp_path}/none cannot be read: No such file or directory"


@pytest.mark.parametrize("data", [b"", b"IQ== 0\n", b"not a vocabulary"], ids=["empty", "short", "other"])
def test_another_file_than_the_published_one_is_an_error(data: bytes, tmp_path: Path) -> None:
    """Threat: a vocabulary of longer tokens counts fewer of them, and the ceiling is none."""
    file = tmp_path / "o200k_base.tiktoken"
    file.write_bytes(data)
    assert "is not the published vocabulary of o200k_base" in refusal(snapshot(named(file)))


@pytest.mark.parametrize(
    ("upstream", "encoding", "right"),
    [
        ("gpt-4o-mini", "o200k_base", True),
        ("gpt-4o-mini", "cl100k_base", False),
        ("gpt-4-0613", "o200k_base", False),
        ("gpt-4-0613", "cl100k_base", True),
        ("gpt-oss-20b", "o200k_base", True),
        ("nobody-knows-it", "cl100k_base", True),
        ("davinci", "cl100k_base", False),
    ],
)
def test_a_model_that_is_known_to_count_in_another_way_is_an_error(
    upstream: str, encoding: str, right: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = snapshot(named(published(tmp_path, monkeypatch, encoding), encoding), upstream)
    if right:
        assert load_tokenizers(found, "gptgate.yaml", TRUST).knows("m")
    else:
        assert f"'{upstream}' counts with the encoding" in refusal(found)


def test_distrust_is_of_a_model_and_its_encoding_whatever_it_is_called_in_the_next_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[CountedModel] = []
    distrust = Distrust(told.append)
    tokenizer = named(published(tmp_path, monkeypatch))
    before = load_tokenizers(snapshot(tokenizer), "gptgate.yaml", distrust)
    after = load_tokenizers(snapshot(f"max_output_tokens: 5, {tokenizer}"), "gptgate.yaml", distrust)
    # A request of the configuration before ends under the one after.
    for _ in range(2):
        before.counted("m", 10, 11)
    assert told == [CountedModel("p", "gpt-4o-mini", "o200k_base")]
    assert (before.knows("m"), after.knows("m"), after.most("m", b"{}")) == (False, False, None)
    assert not load_tokenizers(snapshot(tokenizer), "gptgate.yaml", distrust).knows("m")
    assert load_tokenizers(snapshot(tokenizer, "gpt-4o"), "gptgate.yaml", distrust).knows("m")
