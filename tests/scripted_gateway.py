"""A gateway whose provider is a scripted one."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness import Gateway, running_gateway
from scripted_provider import ScriptedProvider


@contextlib.asynccontextmanager
async def gateway_of(provider: ScriptedProvider, folder: Path, config: str, credential: str) -> AsyncIterator[Gateway]:
    """`config` has ``@SIMULATOR@`` where the provider's URL goes; `credential` is the variable that it names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(credential, "a-credential-of-no-kind")
        async with running_gateway(folder, config.replace("@SIMULATOR@", provider.base_url)) as running:
            yield running
