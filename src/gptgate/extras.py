"""Packages that only some configurations need: named, with how to install them, where they are needed and not there."""

from importlib import import_module
from types import ModuleType

from msgspec.structs import replace

from gptgate.config.problem import ConfigError, Problem
from gptgate.core.snapshot import Snapshot


def how_to_install(extra: str) -> str:
    """The command for one of the files in `requirements`: like everything else, by hashes."""
    return f"pip install --require-hashes -r requirements/{extra}.txt"


def load(module: str, extra: str, problem: Problem) -> ModuleType:
    """The module. Raises ConfigError with this problem, and a hint, where its package is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise ConfigError([replace(problem, hint=how_to_install(extra))]) from None


def require_counters(snapshot: Snapshot) -> None:
    """Raises ConfigError where the shared counters are configured and their client is not installed."""
    if snapshot.counters is not None:
        load("redis.asyncio", "valkey", Problem("counters", 0, "", "need a package that is not installed"))
