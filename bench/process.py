"""Processes under test: started on cores of their own, and what they use of CPU and memory."""

import contextlib
import ctypes
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 30.0
POLL_S = 0.002
PACKAGES = "gptgate uvicorn uvloop httptools aiohttp msgspec hyperscan google-re2".split()


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where. `note` says what the machine does not allow."""

    tested: set[int]
    load: set[int]
    upstream: set[int]
    note: str


def share_cores() -> Cores:
    """The process under test has a core of its own wherever there are two."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return Cores({cores[0]}, {cores[0]}, {cores[0]}, "ONE core: everything shares it, the figures are too low")
    if len(cores) == 2:
        return Cores({cores[0]}, {cores[1]}, {cores[1]}, "two cores: load generator and upstream share one")
    return Cores({cores[0]}, {cores[1]}, {cores[2]}, "a core each for process under test, load generator, upstream")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A child process on its cores. Its errors go to `log`, which is shown when it does not start."""

    def __init__(self, arguments: Sequence[str], cores: set[int], log: Path, *, stdout: Path | None = None) -> None:
        self._log = log
        self._stopped = False
        own = os.sched_getaffinity(0)
        with contextlib.ExitStack() as opened:
            errors: IO[Any] = opened.enter_context(log.open("ab"))
            output: IO[Any] | int = opened.enter_context(stdout.open("ab")) if stdout else subprocess.DEVNULL
            # A child inherits the cores of the thread that starts it, so that not even its first thread runs elsewhere.
            os.sched_setaffinity(0, cores)
            try:
                self.started_ns = time.perf_counter_ns()
                self._child = subprocess.Popen(
                    [sys.executable, *arguments], stdout=output, stderr=errors, cwd=ROOT, stdin=subprocess.DEVNULL
                )
            finally:
                os.sched_setaffinity(0, own)
        self.pid = self._child.pid

    def wait_for_port(self, port: int) -> None:
        """Until something listens there. Raises RuntimeError with the process's errors when nothing does in time."""

        def listening() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
            return False

        self._wait(listening)

    def wait_for_url(self, url: str) -> float:
        """Until the URL answers 200; milliseconds since the start of the process. Raises RuntimeError."""

        def ready() -> bool:
            with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=1):
                return True
            return False

        self._wait(ready)
        return (time.perf_counter_ns() - self.started_ns) / 1e6

    def _wait(self, ready: Any) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not ready():
            if self._child.poll() is not None or time.monotonic() > deadline:
                errors = self._log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{' '.join(self._child.args)} does not start:\n{errors}")  # type: ignore[arg-type]
            time.sleep(POLL_S)

    def cpu_ns(self) -> int:
        """CPU time of all its threads, user and system, in nanoseconds (clock_getcpuclockid(3))."""
        clock = ctypes.c_int()
        failed = ctypes.CDLL(None).clock_getcpuclockid(self.pid, ctypes.byref(clock))
        if failed:
            raise OSError(failed, os.strerror(failed))
        return time.clock_gettime_ns(clock.value)

    def threads_cpu_ns(self) -> dict[str, int]:
        """CPU time of the first thread, which runs the event loop, and of all others. From /proc/PID/task/*/schedstat.

        A thread that has ended is missing.
        """
        used = {"event loop": 0, "other threads": 0}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            name = "event loop" if task.name == str(self.pid) else "other threads"
            used[name] += int((task / "schedstat").read_text().split()[0])
        return used

    def memory_mb(self) -> dict[str, float]:
        """Resident memory now and at its highest, in MB of 10**6 bytes."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
        return {"rss": int(values["VmRSS"]) * 1024 / 1e6, "peak": int(values["VmHWM"]) * 1024 / 1e6}

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        if not self._stopped:
            self._stopped = True
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(30)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait(5)


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    """Stops it at the end, whatever happens."""
    try:
        yield process
    finally:
        process.stop()


def machine(folder: Path) -> dict[str, Any]:
    """What the figures depend on. Times in microseconds."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "load_before": os.getloadavg(),
        "sync_overwrite_us": _sync_us(folder, grow=False),
        "sync_append_us": _sync_us(folder, grow=True),
    }


def busy_cpu_ns() -> int:
    """CPU time that the whole machine has spent on anything, the waiting for disks left out. 10 ms exact a core."""
    user, nice, system, _idle, _iowait, irq, soft, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + soft + steal) * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _sync_us(folder: Path, *, grow: bool) -> float:
    """How long this disk takes to make 4 kB durable: the floor below every durable record. Median of 40."""
    path = folder / "sync-probe"
    block = os.urandom(4096)
    took = []
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        if not grow:
            os.pwrite(descriptor, block * 40, 0)
            os.fsync(descriptor)
        for place in range(40):
            os.pwrite(descriptor, block, place * 4096)
            begin = time.perf_counter_ns()
            os.fdatasync(descriptor)
            took.append(time.perf_counter_ns() - begin)
    finally:
        os.close(descriptor)
        path.unlink()
    return sorted(took)[20] / 1e3
