"""A gateway whose provider is a scripted one."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness import Gateway, running_gateway
from raw_client import CHAT, MESSAGES
from scripted_provider import ScriptedProvider

PROVIDERS = """\
providers:
  - {name: local, kind: openai_compatible, base_url: "@SIMULATOR@", retries: 0}
  - {name: anthropic, kind: anthropic, base_url: "@SIMULATOR@", credential: "env:SCRIPTED_CREDENTIAL", retries: 0}
models:
  - {name: for-openai, provider: local, price: free}
  - {name: for-anthropic, provider: anthropic, price: free}
teams: [{name: demo}]
"""
MODELS = {CHAT: "for-openai", MESSAGES: "for-anthropic"}


@contextlib.asynccontextmanager
async def gateway_of(provider: ScriptedProvider, folder: Path, config: str) -> AsyncIterator[Gateway]:
    """`config` has `PROVIDERS` of this module, or others of their credential, at ``@SIMULATOR@``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCRIPTED_CREDENTIAL", "a-credential-of-no-kind")
        async with running_gateway(folder, config.replace("@SIMULATOR@", provider.base_url)) as running:
            yield running
