"""How many connections there is room for."""

import resource
from typing import Any

import pytest

from gptgate.cli.room import KEPT, QUIET_S, WANTED, Crowded, most_connections


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The limit of open files, which a process can raise and never lower again without privilege: a made up one."""
    limits = [(1024, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    return limits


ANY = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [(1024, 4096, 4096), (1024, 1_048_576, WANTED), (1024, ANY, WANTED), (4096, 4096, 4096), (100_000, ANY, 100_000)],
)
def test_the_limit_is_raised_and_half_of_it_is_for_callers(
    limit: list[tuple[int, int]], soft: int, hard: int, raised: int
) -> None:
    limit[:] = [(soft, hard)]
    assert most_connections() == (raised - KEPT) // 2
    assert limit[-1] == (raised, hard)


def test_without_a_limit_there_is_no_bound(limit: list[tuple[int, int]]) -> None:
    limit[:] = [(ANY, ANY)]
    assert most_connections() == 0
    assert len(limit) == 1


def test_a_limit_that_cannot_be_raised_has_to_do(limit: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refused)
    assert most_connections() == (1024 - KEPT) // 2


def test_a_tiny_limit_leaves_one(limit: list[tuple[int, int]]) -> None:
    limit[:] = [(32, 32)]
    assert most_connections() == 1


class Heard:
    """A logger that remembers."""

    def __init__(self) -> None:
        self.said: list[tuple[int, int]] = []

    def warning(self, _: str, *, refused: int, connections: int) -> None:
        self.said.append((refused, connections))


def test_a_flood_of_connections_is_no_flood_of_lines() -> None:
    heard, now_s = Heard(), [100.0]
    logger: Any = heard
    crowded = Crowded(logger, 7, lambda: now_s[0])
    for _ in range(5):
        crowded()
    assert heard.said == [(1, 7)]
    now_s[0] += QUIET_S
    crowded()
    assert heard.said == [(1, 7), (5, 7)]
