"""What all tests share."""

from collections.abc import Iterator

import pytest

from gptgate import compose
from gptgate.detectors import build_inspector


@pytest.fixture(scope="session", autouse=True)
def one_inspector_for_all() -> Iterator[None]:
    """Compiling the detectors takes a second, and an inspector keeps nothing between calls: all gateways share one."""
    inspector = build_inspector()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            compose, "build_inspector", lambda cache, custom: build_inspector(custom=custom) if custom else inspector
        )
        yield
