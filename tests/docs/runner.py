"""Runs what a page shows: `console` blocks in a shell and `python` blocks, against a gateway made for that page."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docs.pages import ROOT, Block, blocks
from gptgate.config.starter import starter_yaml
from harness import free_port
from waiting import PATIENCE_S

PROVIDER_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GPTGATE_LOCAL_URL", "GPTGATE_LOCAL_MODEL", "GPTGATE_DATA")


@dataclass(frozen=True)
class Shown:
    """A command of a page and what the page says that it prints; ``...`` stands for anything."""

    place: str
    command: str
    output: str


@dataclass
class Stage:
    """A gateway and a folder for one page. Variables that a command exports are there for the next."""

    folder: Path
    data: str
    control: str
    welcome: str

    def run(self, shown: Shown) -> None:
        """Run a command of a page and compare what it prints."""
        state = self.folder / ".state"
        script = f". {state}\n{self._localised(shown.command)}\nstatus=$?\nexport -p > {state}\nexit $status"
        self._check(shown, ["sh", "-c", script])

    def run_python(self, shown: Shown) -> None:
        """Run a program of a page and compare what it prints."""
        file = self.folder / "shown.py"
        file.write_text(self._localised(shown.command))
        self._check(shown, ["sh", "-c", f". {self.folder / '.state'}; exec {sys.executable} {file}"])

    def _check(self, shown: Shown, command: list[str]) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment(self.folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        printed = self.as_shown(done.stdout)
        assert done.returncode == 0, f"{shown.place}: {shown.command}\nexit code {done.returncode}\n{printed}"
        assert is_alike(shown.output, printed), (
            f"{shown.place}: {shown.command}\nshown:\n{shown.output}\nprinted:\n{printed}"
        )

    def as_shown(self, printed: str) -> str:
        """What was printed, with the addresses that pages show."""
        return printed.replace(self.data, "127.0.0.1:8080").replace(self.control, "127.0.0.1:8081")

    def _localised(self, text: str) -> str:
        return text.replace("127.0.0.1:8080", self.data).replace("127.0.0.1:8081", self.control)


def is_alike(expected: str, printed: str) -> bool:
    """Whether this is what a page shows: white space is all alike, and ``...`` with the spaces around it is anything.

    A command of which the page shows no output may print what it likes.
    """
    parts = [r"\s+".join(map(re.escape, part.split())) for part in re.split(r"\s*\.\.\.\s*", expected.strip())]
    return not expected.strip() or re.fullmatch("(?s:.*?)".join(parts), printed.strip()) is not None


def put_curl(folder: Path) -> None:
    """A `curl` for machines that have none, with the few options that pages use."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "curl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("curl.py")} "$@"\n')
    program.chmod(0o755)


def environment(folder: Path) -> dict[str, str]:
    """The environment of commands: this interpreter's programs first, no provider's key, no ambient gateway."""
    kept = {name: value for name, value in os.environ.items() if name not in PROVIDER_KEYS}
    path = os.pathsep.join((str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]))
    return {**kept, "PATH": path, "COLUMNS": "160", "NO_COLOR": "1", "PYTHONWARNINGS": "error"}


def steps(page: Path) -> list[tuple[str, Shown]]:
    """What a page shows to run, in order: (``console`` or ``python``, step)."""
    found: list[tuple[str, Shown]] = []
    all_blocks = blocks(page)
    for number, block in enumerate(all_blocks):
        if block.language == "console":
            found += [("console", shown) for shown in _commands(block)]
        elif block.language == "python":
            after = all_blocks[number + 1] if number + 1 < len(all_blocks) else None
            output = after.text if after is not None and after.language == "text" else ""
            found.append(("python", Shown(str(block), block.text, output)))
    return found


def _commands(block: Block) -> Iterator[Shown]:
    command, output = "", ""
    for line in block.text.splitlines(keepends=True):
        if line.startswith("$ ") or (command.endswith("\\\n") and not output):
            if line.startswith("$ ") and command:
                yield Shown(str(block), command, output)
                command, output = "", ""
            command += line.removeprefix("$ ")
        else:
            output += line
    if not command:
        raise ValueError(f"{block}: a console block begins with '$ '")
    yield Shown(str(block), command, output)


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """`gptgate quickstart` in a folder, on free ports, with its own starter configuration and its first key."""
    if shutil.which("curl") is None:
        put_curl(folder)
    data, control = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    text = starter_yaml(openai=False, anthropic=False, local_url=None, local_model=None)
    (folder / "gptgate-data").mkdir(mode=0o700)
    config = text.replace("127.0.0.1:8080", data).replace("127.0.0.1:8081", control)
    (folder / "gptgate-data" / "gptgate.yaml").write_text(config)
    log = folder / "stderr.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "gptgate", "quickstart"],
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        _wait(process, control, log)
        key = re.search(r"sk-gate-[0-9A-Za-z-]+", log.read_text())
        assert key is not None, log.read_text()
        (folder / ".state").write_text(f"export GPTGATE_KEY={key[0]}\n")
        yield Stage(folder, data, control, log.read_text())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def _wait(process: "subprocess.Popen[bytes]", control: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while "Stop with Ctrl-C" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    with urllib.request.urlopen(f"http://{control}/readyz", timeout=PATIENCE_S) as answer:
        assert answer.status == 200


def make_targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
