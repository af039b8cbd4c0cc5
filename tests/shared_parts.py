"""A real server for shared counters, and gateways' parts that count there, with the ports of the parts in memory."""

import asyncio
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis
from structlog.testing import CapturingLogger

from gptgate.core.beside import CountersSpec
from gptgate.core.budgets import BudgetCharge, BudgetSpec, Crossing, Spend, Spent
from gptgate.core.facts import Reservation
from gptgate.core.limit import Charge, Standing
from gptgate.core.shared import Wish
from gptgate.cost.windows import month_start_ms
from gptgate.shared.counters import SharedCounters
from gptgate.shared.hold import SharedHold
from gptgate.shared.ledger import OwnLedger
from gptgate.shared.service import SharedService
from gptgate.storage.compiled import FOLDER
from harness import CONFIG, Gateway, GatewayProcess, free_port
from storage_samples import SystemClock
from waiting import PATIENCE_S, eventually

T = TypeVar("T")
PROGRAM = shutil.which("valkey-server") or shutil.which("redis-server")
SLOWLY_S = 300
"""How long a process may take to start on a machine that does much else."""
WITHOUT = "needs valkey-server or redis-server: apt-get install redis-server"
needs_server = pytest.mark.skipif(PROGRAM is None, reason=WITHOUT)


class Server:
    """A server process that keeps nothing on disk. `options` are more of its own."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = tempfile.mkdtemp(prefix="counters-")
        self._options = options
        self.start()

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        assert PROGRAM is not None
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder]
        options += self._options
        self._process = subprocess.Popen([PROGRAM, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{PROGRAM} does not answer: {options}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                client.ping()
        except redis.AuthenticationError:
            return True
        except redis.ConnectionError:
            return False
        return True

    def client(self, **more: Any) -> "redis.Redis":
        return redis.Redis(port=self.port, decode_responses=True, **more)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self._folder)


class Address:
    """Leads to one server, and from some moment on to another. Connections that there are stay where they lead."""

    def __init__(self, server: Server) -> None:
        self.leads_to = server
        self.url = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._open: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lead_to(self, server: Server) -> None:
        """Now, for everybody: connections that there are end."""
        self.leads_to = server
        for writer in self._open:
            writer.transport.abort()
        self._open = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.leads_to.port)
        self._open += [writer, back]
        self._tasks += [asyncio.create_task(self._pass(*way)) for way in ((reader, back), (there, writer))]

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.transport.abort()


def copy(old: Server, new: Server) -> None:
    """What the one has heard of by now, the other knows too."""
    with redis.Redis(port=old.port) as source, redis.Redis(port=new.port) as target:
        for key in source.scan_iter():
            target.restore(key, 0, source.dump(key))


@contextmanager
def running_server() -> Iterator[Server]:
    """Skips where there is no program for it."""
    if PROGRAM is None:
        pytest.skip(WITHOUT)
    server = Server()
    try:
        yield server
    finally:
        server.stop()


def spec_of(server: Server, prefix: str = "test", timeout_ms: int = 5000) -> CountersSpec:
    return CountersSpec(url=server.url, user="", credential=None, prefix=prefix, timeout_ms=timeout_ms)


async def ready(gateway: Gateway) -> None:
    """Wait until requests can be admitted."""
    await eventually(lambda: not gateway.app.readiness())


def sharing(server: Server, config: str = CONFIG, *, timeout: str = "5s", prefix: str = "") -> str:
    """A configuration that counts there, under a prefix of its own."""
    name = prefix or f"s{secrets.token_hex(6)}"
    return f"{config}counters: {{url: '{server.url}', prefix: {name}, timeout: {timeout}}}\n"


async def started(gateways: list[GatewayProcess]) -> None:
    """All at once, but for the patterns, which the first compiles for all."""
    first, *others = gateways
    await asyncio.to_thread(first.start, SLOWLY_S)
    for other in others:
        shutil.copytree(first.folder / FOLDER, other.folder / FOLDER)
    await asyncio.gather(*(asyncio.to_thread(other.start, SLOWLY_S) for other in others))


async def ended(gateways: list[GatewayProcess]) -> list[int]:
    """Those that were started are stopped; their exit codes."""
    running = [gateway for gateway in gateways if gateway.is_started]
    return await asyncio.gather(*(asyncio.to_thread(gateway.terminate) for gateway in running))


class Member:
    """One gateway's part, in an event loop that the tests turn."""

    def __init__(
        self,
        server: Server,
        loop: asyncio.AbstractEventLoop,
        prefix: str,
        budgets: Sequence[BudgetSpec] = (),
        spent: Sequence[Spent] = (),
        folder: Path | None = None,
        *,
        quiet_ms: int = 0,
        beat_s: float = 0.1,
        waits: bool = True,
    ) -> None:
        self.loop, self.prefix = loop, prefix
        self._closed = False
        self.folder = folder or Path(tempfile.mkdtemp(prefix="member-"))
        self.now_us: int | None = None
        self.crossings: list[Crossing] = []
        self.log: Any = CapturingLogger()
        self.ledger = OwnLedger()
        for budget in budgets:
            self.ledger.restore(budget, spent, 0)
        self.service = SharedService(
            spec_of(server, prefix),
            "",
            self.folder,
            self.ledger,
            SystemClock(),
            self.crossings.append,
            self.log,
            lambda: self.now_us,
        )

        self.service._membership.quiet_ms, self.service._membership.beat_s = quiet_ms, beat_s
        self._budgets = budgets
        self.run(self.start())
        if waits:
            self.run(self.ready())

    async def start(self) -> None:
        self.service.start(self._budgets)

    async def ready(self) -> None:
        await eventually(lambda: not self.service.readiness())

    @property
    def counters(self) -> SharedCounters:
        return self.service.counters

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.run(self.service.close(2000))


NO_WISH = Wish((), (), Spend())
_numbers = iter(range(10**9))


class _Admission:
    """What is settled is told at once, as in memory."""

    def __init__(self, member: Member, hold: SharedHold) -> None:
        self._member, self._hold = member, hold

    def release(self) -> None:
        self._tell(self._hold.requests.release)

    def cancel(self, now_ns: int) -> None:
        self._member.now_us = now_ns // 1000
        self._tell(lambda: self._hold.requests.cancel(now_ns))

    def settle(self, spent: Sequence[int], now_ns: int) -> None:
        self._member.now_us = now_ns // 1000
        self._hold.requests.settle(spent, now_ns)
        self.release()

    def standing(self, now_ns: int) -> tuple[Standing, ...]:
        hold = self._hold.requests
        # The part goes by the process's clock; here time is the test's.
        hold._at_ns = now_ns
        return hold.standing(now_ns)

    def _tell(self, change: Any) -> None:
        async def tell() -> None:
            change()
            await self._member.service.settled()

        self._member.run(tell())


class LimiterThere:
    """The `Limiter` port on shared counters."""

    def __init__(self, member: Member) -> None:
        self.member = member

    def admit(self, charges: Sequence[Charge], now_ns: int) -> _Admission:
        self.member.now_us = now_ns // 1000
        admitting = self.member.counters.admit(f"r{next(_numbers)}", "app", charges, NO_WISH, 0)
        return _Admission(self.member, self.member.run(admitting))

    def look(self, charges: Sequence[Charge], now_ns: int) -> tuple[Standing, ...]:
        """By a request that takes nothing."""
        admission = self.admit([one._replace(amount=0) for one in charges], now_ns)
        admission.release()
        return admission.standing(now_ns)


class LedgerThere:
    """The `Ledger` port on shared counters."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.when_settled: Callable[[], None] | None = None
        self._holds: dict[str, SharedHold] = {}

    def reserve(
        self, request_id: str, app: str, charges: Sequence[BudgetCharge], spend: Spend, at_ms: int
    ) -> Reservation:
        wish = Wish((), charges, spend)

        async def reserve() -> Reservation:
            hold = await self.member.counters.admit(request_id, app, (), wish, at_ms)
            try:
                reservation = await hold.reserve(wish)
            except BaseException:
                hold.requests.release()
                raise
            self._holds[request_id] = hold
            return reservation

        return self.member.run(reserve())

    def extend(self, reservation: Reservation, spend: Spend) -> Reservation:
        hold = self._holds.get(reservation.id)
        if hold is None or hold.id not in self.member.service._membership.holds:
            raise ValueError("nothing is held that could be extended")
        return self.member.run(hold.extend([0] * len(hold.tokens.charges), spend))

    def settle(self, reservation: Reservation, spend: Spend) -> None:
        async def settle() -> None:
            self.member.ledger.when_settled = self.when_settled
            self.member.ledger.settle(reservation, spend)
            self._holds[reservation.id].requests.release()
            await self.member.service.settled()

        self.member.run(settle())

    def left(self, charge: BudgetCharge, at_ms: int, *, freed: bool = False) -> int | None:
        return self._look(charge, at_ms).left(charge, at_ms, freed=freed)

    def spent(self, charge: BudgetCharge, at_ms: int) -> int:
        return self._look(charge, at_ms).spent_nano

    def _look(self, charge: BudgetCharge, at_ms: int) -> SharedHold:
        async def look() -> SharedHold:
            wish = Wish((), [charge], Spend())
            hold = await self.member.counters.admit(f"r{next(_numbers)}", "app", (), wish, at_ms)
            hold.requests.release()
            return hold

        return self.member.run(look())


def months(initial: Mapping[tuple[str, str], int]) -> list[Spent]:
    """What apps had spent of their months, as a start finds it."""
    return [Spent((app,), month_start_ms(month), nano) for (app, month), nano in initial.items()]
