"""Hears what a server of shared counters is told, in its order: the judge of tests over several processes."""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from shared_parts import Server
from waiting import PATIENCE_S, wait_until

L = TypeVar("L", bound="Listener")


class Listener:
    """Hears all that the server is told, in a thread of its own. Subclasses look at it; the caller must `stop`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ends = False
        self._heard: set[str] = set()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        assert self._listens.wait(PATIENCE_S)

    def called(self, line: str, at_us: int) -> None:
        """A command came, not from a script, and not before this time. `asked` reads one that runs a script."""
        raise NotImplementedError

    def changed(self, words: list[str], at_us: int) -> None:
        """The script that was called last gave this command, and not after this time."""
        raise NotImplementedError

    def hear(self) -> None:
        """Everything that the server was told before is heard then."""
        mark = f"mark{secrets.token_hex(6)}"
        with self._server.client() as client:
            client.echo(mark)
        wait_until(lambda: mark in self._heard)

    def stop(self) -> None:
        """The next mark is the last one."""
        self._ends = True
        self.hear()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _listen(self) -> None:
        before_us = 0
        with self._server.client(socket_timeout=PATIENCE_S) as client, client.monitor() as monitor:
            self._listens.set()
            for told in monitor.listen():
                command: str = told["command"]
                at_us = round(told["time"] * 1_000_000)
                if told["client_type"] == "lua":
                    self.changed(command.split(" "), at_us)
                else:
                    # Servers differ in whether a command's time is taken before or after it is told of.
                    self.called(command, before_us)
                    if command.startswith("ECHO mark"):
                        self._heard.add(command.removeprefix("ECHO "))
                        if self._ends:
                            return
                before_us = at_us


def asked(line: str) -> tuple[list[str], dict[str, Any]] | None:
    """The keys and the question of a script's call; None: it is another command."""
    if not line.startswith("EVALSHA"):
        return None
    before, start, rest = line.partition(' {"')
    _, _, count, *keys = before.split(" ")
    assert len(keys) == int(count)
    return keys, json.loads(start.strip() + rest)


@contextmanager
def listening(listener: L) -> Iterator[L]:
    """Stops it at the end."""
    try:
        yield listener
    finally:
        listener.stop()
