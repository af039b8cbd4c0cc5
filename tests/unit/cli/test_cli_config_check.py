"""`gptgate config check`: what a start on this machine would miss."""

import sys
from pathlib import Path

import pytest

from gptgate.cli.main import execute
from vocabulary import published

CONFIG = """\
version: 1
providers: [{name: p, kind: openai, credential: "env:KEY"}]
models:
  - {name: m, provider: p, upstream_name: gpt-4o-mini, price: free, tokenizer: {encoding: o200k_base, file: "@FILE@"}}
"""
COUNTERS = 'counters: {url: "redis://127.0.0.1:6379"}\n'
INSTALL = "(hint: pip install --require-hashes -r requirements/{}.txt)"


@pytest.fixture
def vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return published(tmp_path, monkeypatch)


def checked(tmp_path: Path, vocabulary: Path, more: str = "") -> tuple[int, str]:
    file = tmp_path / "gptgate.yaml"
    file.write_text(CONFIG.replace("@FILE@", str(vocabulary)) + more)
    return execute(["config", "check", str(file)]), f"{file}: "


def test_what_is_there_is_right(tmp_path: Path, vocabulary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = checked(tmp_path, vocabulary, COUNTERS)
    assert code == 0, capsys.readouterr().err


def test_a_vocabulary_that_is_not_there_or_another_is_a_problem(
    tmp_path: Path, vocabulary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, head = checked(tmp_path, tmp_path / "none")
    assert code == 1
    said = f"{head}models.m.tokenizer: {tmp_path / 'none'} cannot be read: No such file or directory"
    assert capsys.readouterr().err.splitlines()[0] == said
    vocabulary.write_bytes(vocabulary.read_bytes() + b"IQ== 99999\n")
    assert checked(tmp_path, vocabulary)[0] == 1
    told = capsys.readouterr()
    assert "is not the published vocabulary of o200k_base: its SHA-256 is another" in told.err
    assert "is right" not in told.out


def test_packages_that_are_not_installed_are_all_named(
    tmp_path: Path, vocabulary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    code, head = checked(tmp_path, vocabulary, COUNTERS)
    assert code == 1
    first, second, verdict, _ = capsys.readouterr().err.splitlines()
    assert first == f"counters: need a package that is not installed {INSTALL.format('valkey')}"
    assert second == f"{head}models: 'tokenizer' needs a package that is not installed {INSTALL.format('tokenizers')}"
    assert verdict.endswith("cannot be used: 2 problems")


def test_a_model_without_a_price_is_noted_with_what_will_happen(
    tmp_path: Path, vocabulary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "".join(
        f"  - {{name: {name}, provider: p, upstream_name: {upstream}}}\n"
        for name, upstream in (("new", "gpt-99"), ("known", "gpt-4o-mini"), ("seeking", "gpt-4o-search-preview"))
    )
    assert checked(tmp_path, vocabulary, more)[0] == 0
    told = capsys.readouterr().err.splitlines()
    notes = [line for line in told if "price_unknown" in line]
    assert [note.split(": ")[2] for note in notes] == ["new", "seeking"]
    assert "no price is known for gpt-99 of p; every request for it is refused" in notes[0]
    assert "with or without a budget (hint: in its section, write  price: {" in notes[0]
    assert "provider_tools: [{name: web_search" in notes[1]
