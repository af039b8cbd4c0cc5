"""A gateway process, its commands, and calls to it."""

import contextlib
import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from typing import NamedTuple

import pytest

from gptgate.cli.main import execute
from gptgate.storage.auditors import add_auditor
from gptgate.storage.queries import SqliteReader
from gptgate.storage.views import SearchFilters
from harness import CONFIG, GatewayProcess
from waiting import PATIENCE_S, wait_until

SIMULATED = CONFIG.replace(' base_url: "@SIMULATOR@",', "")


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


class Live(GatewayProcess):
    """A gateway process, its commands, and calls to it."""

    def gptgate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the gateway's folder."""
        return subprocess.run(
            [sys.executable, "-m", "gptgate", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            env={**os.environ, "GPTGATE_DATA": str(self.folder)},
        )

    def new_key(self, *options: str) -> str:
        """A key of the app demo, as a script would take it."""
        done = self.gptgate("keys", "create", "--app", "demo", "--quiet", *options)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.removesuffix("\n")

    def command(self, *arguments: str, token: str = "") -> Done:
        """The same in this process, for the sake of time; with an auditor's token where one is given."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.setenv("GPTGATE_DATA", str(self.folder))
            patch.setenv("GPTGATE_AUDITOR_TOKEN", token)
            code = execute(arguments)
        return Done(code, out.getvalue(), err.getvalue())

    def auditor(self, name: str = "auditor") -> str:
        """The token of a new auditor."""
        return add_auditor(self.folder, name, 1, "test")

    def call(self, key: str, text: str = "echo: hello", user: str = "ada", path: str = "chat/completions") -> int:
        """The status of one call."""
        body = {"model": "sim-gpt", "user": user, "messages": [{"role": "user", "content": text}]}
        request = urllib.request.Request(
            f"{self.base_url}/v1/{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def rows(self, *filters: str) -> list[dict[str, object]]:
        """What `audit search` finds, as JSON, once every request that was answered has its end."""
        with SqliteReader(self.folder) as reader:
            wait_until(lambda: not reader.search(SearchFilters(state="open"), 1))
        found: list[dict[str, object]] = json.loads(self.read("audit", "search", *filters, "--format", "json"))
        return found

    def read(self, *arguments: str) -> str:
        """What a command that only reads prints; it runs in this process, for the sake of time."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert execute([*arguments, "--data", str(self.folder)]) == 0
        return out.getvalue()
