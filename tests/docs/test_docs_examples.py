"""Configurations in the pages load. A block with a line ``version: 1`` is a complete file, any other a part of one."""

import json
from typing import Any

import pytest
import yaml

from docs.pages import Block, blocks, pages
from gptgate.installed import read_config_text

REST = """\
version: 1
providers: [{name: simulator, kind: simulator}, {name: openai, kind: openai, credential: "env:OPENAI_API_KEY"},
            {name: anthropic, kind: anthropic, credential: "env:ANTHROPIC_API_KEY"}]
models: [{name: sim-gpt, provider: simulator, price: free}]
teams: [{name: demo}]
apps: [{name: demo, team: demo}]
"""
"""What a part of a file is completed with."""

YAML = [block for page in pages() for block in blocks(page) if block.language == "yaml"]
JSON = [block for page in pages() for block in blocks(page) if block.language == "json"]


def _completed(text: str) -> str:
    whole: dict[str, Any] = yaml.safe_load(REST)
    for key, value in yaml.safe_load(text).items():
        if isinstance(value, list):
            names = {item["name"] for item in value}
            whole[key] = [item for item in whole.get(key, []) if item["name"] not in names] + value
        else:
            whole[key] = value
    return yaml.safe_dump(whole)


@pytest.mark.parametrize("block", YAML, ids=str)
def test_configurations_load(block: Block) -> None:
    text = block.text if "version: 1" in block.text.splitlines() else _completed(block.text)
    assert read_config_text(text, str(block)).digest


@pytest.mark.parametrize("block", JSON, ids=str)
def test_json_is_json(block: Block) -> None:
    for line in block.text.splitlines() if block.text.startswith('{"') else [block.text]:
        json.loads(line)


def test_there_are_complete_files_among_them() -> None:
    assert any("version: 1" in block.text.splitlines() for block in YAML)
