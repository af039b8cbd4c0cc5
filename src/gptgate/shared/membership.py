"""This gateway among those that share counters: it joins, stays alive, and tells its own sums anew when in doubt.

Each gateway's part of every sum has a field of its own, which joining sets to what the gateway's records say. So
whatever the server forgot, or heard twice, is right again when all have joined; until then nobody admits.
"""

import asyncio
import contextlib
import math
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec
from structlog.typing import FilteringBoundLogger

from gptgate.core.budgets import BudgetSpec, TopUp
from gptgate.core.errors import CountersUnavailable
from gptgate.cost.windows import Slots
from gptgate.shared.hold import SharedHold
from gptgate.shared.ledger import OwnLedger
from gptgate.shared.link import JOIN, Link, Reply, unavailable
from gptgate.shared.names import Account, Entry, Keys
from gptgate.storage.durable import sync_folders, write_durably

FILE_NAME = "counters.json"
BEAT_S = 1.0
RETRY_S = 0.3
LEASE_MS = 15_000
"""A gateway that is silent for so long is taken for dead: the places of its requests are free again."""
QUIET_MS = 2000
"""So long a gateway that finds the counters lost, and was out of touch for as long, lets others come who know whom they
had; longer where a call may take longer."""
MOST_QUIET_MS = 5000
LOOKS_MS = int((BEAT_S + RETRY_S) * 1000)
"""Between two looks of a gateway at a server that answers nothing, besides what the calls take."""
HEARD_S = 0.1
"""Between two looks at whether others have heard of a gateway that is new."""
CHUNK = 500
VERSION = 3
"""Of what the counters hold and mean. Raise it with every change that a gateway of the version before would not
understand. 1: no mark of a version; changes of amounts that go back to what is configured are not known. 2: gateways
do not say whom they have heard of, and do not tell what the counters have lost of that."""


class Known(msgspec.Struct):
    """What a gateway remembers besides its records: its own id, and whom it shares counters with."""

    gateway: str
    members: list[str] = []
    epoch: str = ""
    """Of the counters that had these members."""
    numbers: dict[str, int] = {}
    """The members' numbers there: higher, the later they came, or came back."""

    @classmethod
    def of(cls, folder: Path) -> "Known":
        """Of a data folder, made at its first start. Raises OSError and msgspec.DecodeError."""
        path = folder / FILE_NAME
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=cls)
        known = cls(gateway=secrets.token_hex(8))
        known.keep(folder)
        return known

    def keep(self, folder: Path) -> None:
        """Write it, whole or not at all; it is durable then."""
        write_durably(folder / FILE_NAME, msgspec.json.encode(self))
        sync_folders([folder])


class Membership:
    """Belongs to one event loop; `run` must run."""

    def __init__(
        self,
        link: Link,
        folder: Path,
        ledger: OwnLedger,
        logger: FilteringBoundLogger,
        *,
        prefix: str,
        timeout_ms: int,
    ) -> None:
        self._link, self._folder, self._ledger, self._prefix = link, folder, ledger, prefix
        self._logger = logger
        self.timeout_s = timeout_ms / 1000
        self._known = Known.of(folder)
        self.gateway = self._known.gateway
        self._instance = secrets.token_hex(8)
        """Of this start of the gateway: it tells it from another that has the same id."""
        self.process = ""
        self.budgets: Sequence[BudgetSpec] = ()
        self.holds: dict[str, SharedHold] = {}
        """Requests that hold anything."""
        self.joined = ""
        """The epoch of the counters that this gateway has joined; empty: none, or it is in doubt."""
        self.generation = 0
        """Changes whenever this gateway begins to join."""
        self.rejoined: Callable[[], None] = lambda: None
        """Called when the sums to be told are taken down: what was settled before is in them."""
        self.fault = ""
        self.waited: list[str] = []
        """Gateways whose sums are still missing."""
        self.unaware: list[str] = []
        """Gateways that have not heard yet that there is this one: they would not wait for it."""
        self.quiet_ms = min(max(QUIET_MS, timeout_ms + LOOKS_MS), MOST_QUIET_MS)
        self.beat_s = BEAT_S
        self._is_written = True
        """Whether this gateway could write down what it heard last."""
        self._met_epoch = ""
        self._heard = 0
        """So many members of these counters this gateway has written down."""
        self._touched_s = -math.inf
        """When it last gave a sign of life that was answered by counters that know all members."""
        self._server = ""
        self._has_twin = False
        """Whether another had this gateway's id when it was last asked."""
        self._version = VERSION
        self._older: list[str] = []
        """Gateways of an older version that were warned of."""
        self._in = asyncio.Event()
        self._doubt = asyncio.Event()

    async def epoch(self) -> str:
        """The epoch that calls must name. Raises CountersUnavailable, at once where the server is silent."""
        if not self.joined:
            if self.fault:
                raise unavailable(self.fault)
            try:
                async with asyncio.timeout(self.timeout_s):
                    await self._in.wait()
            except TimeoutError:
                raise unavailable("the counters are joined again") from None
        return self.joined

    async def call(self, script: str, keys: Sequence[str], ask: Entry) -> Reply:
        """Raises CountersUnavailable; what is counted here is in doubt then."""
        try:
            return await self._link.call(script, keys, ask)
        except CountersUnavailable:
            self.doubt()
            raise

    def doubt(self) -> None:
        """What the counters hold of this gateway may not be right: join again."""
        self.joined = ""
        self._in.clear()
        self._doubt.set()

    def keys(self, *more: str) -> Keys:
        """The keys of a charge."""
        return Keys(self._prefix, "state", f"open:{self.gateway}", "alive", *more)

    def join_keys(self) -> Keys:
        """The keys of joining."""
        return self.keys("roster", "joined", "members")

    async def run(self) -> None:
        """Join, and stay; until cancelled."""
        while True:
            try:
                if not self.joined:
                    self._doubt.clear()
                    await self._join()
                else:
                    await self._beat()
            except CountersUnavailable as error:
                why = f"{error.detail} ({error.hint})" if error.hint else error.detail
                if not self.fault:
                    self._logger.warning("the shared counters cannot be asked; requests are refused", why=why)
                self.fault = why
                self.doubt()
                await asyncio.sleep(RETRY_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.beat_s):
                    await self._doubt.wait()

    async def _join(self) -> None:
        self.generation += 1
        if not self._is_written:
            self._write(self._known)  # who cannot must not show that it lives: those that are new would wait for it
        server, doubts = await self._link.meet()
        if doubts and server != self._server:
            self._logger.warning("the shared counters may be lost one day", why=doubts)
        process = f"{self.gateway}:{secrets.token_hex(4)}"
        ask = self._who(process)
        begin = {
            **ask,
            "step": "begin",
            "epoch": self._known.epoch,
            "server": server,
            "current": asyncio.get_running_loop().time() - self._touched_s < QUIET_MS / 1000,
            "again": self._has_twin or self._server == server,
            "fresh": secrets.token_hex(8),
            "members": self._known.members,
            "numbers": self._known.numbers,
            "version": self._version,
        }
        epoch = self._met(await self._link.call(JOIN, self.join_keys().names, begin))
        self._server, self._met_epoch = server, epoch
        # From here to the first wait nothing else runs: what is taken down is true of one moment.
        self.process = process
        self.rejoined()
        self._heard = 0
        steps = [*self._sums(), self._end()]
        for keys, step in steps:
            now_s = asyncio.get_running_loop().time()
            reply = await self._tell(keys, epoch, step)
        if self.fault:
            self._logger.info("the shared counters answer again")
        self.fault = ""
        await self._be_heard(reply, epoch, now_s)
        if not self._doubt.is_set():
            self.joined = epoch
            self._in.set()

    async def _be_heard(self, reply: Reply, epoch: str, now_s: float) -> None:
        """Wait until every gateway that lives would wait for this one; or until it is in doubt."""
        while not self._doubt.is_set():
            has_news, is_quiet = self._hear(reply, epoch, now_s)
            if not has_news:
                if not (self.unaware or is_quiet):
                    return
                await asyncio.sleep(HEARD_S)
            now_s = asyncio.get_running_loop().time()
            reply = await self._tell(self.join_keys(), epoch, {"step": "beat"})

    async def _tell(self, keys: Keys, epoch: str, step: Entry) -> Reply:
        """A step of joining. Raises CountersUnavailable where it must begin again."""
        reply = await self._link.call(JOIN, keys.names, {**self._who(self.process), "epoch": epoch, **step})
        if reply[0] != "done":
            raise unavailable("the counters were lost while they were joined")
        return reply

    def _who(self, process: str) -> Entry:
        return {
            "gateway": self.gateway,
            "instance": self._instance,
            "process": process,
            "lease_ms": LEASE_MS,
            "quiet_ms": self.quiet_ms,
            "most_quiet_ms": MOST_QUIET_MS,
            "heard": self._heard,
        }

    def _met(self, reply: Reply) -> str:
        """The epoch of the counters. Raises CountersUnavailable where this gateway would not understand them, or where
        another has its id."""
        if reply[0] == "newer":
            newer = unavailable(f"the counters are of version {reply[1]}, and this gateway knows {self._version}")
            newer.hint = (
                "update this gateway; to go back to its version, stop all gateways and delete the counters' keys"
            )
            raise newer
        self._has_twin = reply[0] == "twin"
        if self._has_twin:
            twin = unavailable("another gateway has joined under the id of this one: its data folder was copied")
            twin.hint = f"stop one of them; in a copy, delete {FILE_NAME} before the first start"
            raise twin
        epoch, older = cast("tuple[str, list[str]]", reply[1:])
        if older and sorted(older) != self._older:
            self._logger.warning(
                "gateways of an older version share these counters: they do not understand all that is counted, and "
                "cannot join again once they are in doubt",
                gateways=sorted(older),
            )
        self._older = sorted(older)
        return epoch

    async def _beat(self) -> None:
        has_news, epoch = True, self.joined
        while has_news and self.joined:
            now_s = asyncio.get_running_loop().time()
            ask = {**self._who(self.process), "epoch": epoch, "step": "beat"}
            reply = await self._link.call(JOIN, self.join_keys().names, ask)
            if reply[0] != "done":
                self.doubt()
                return
            has_news, _ = self._hear(reply, epoch, now_s)

    def _hear(self, reply: Reply, epoch: str, now_s: float) -> tuple[bool, bool]:
        """Whether there is a member that this gateway has not said it knows, and whether others are let come first.

        `now_s` is when the sign of life was given that is answered. Raises CountersUnavailable where the disk is full.
        """
        waited, members, heard, self.unaware, is_quiet = cast(
            "tuple[list[str], list[tuple[str, int]], int, list[str], int]", tuple(reply[1:])
        )
        if waited and not self.waited:
            self._logger.warning(
                "the shared counters are built anew; requests are refused until all of these have joined",
                gateways=sorted(waited),
            )
        elif self.waited and not waited:
            self._logger.info("all have joined the shared counters again")
        self.waited = waited
        numbers = dict(sorted(members))
        known = Known(self.gateway, list(numbers), epoch, numbers)
        if known != self._known:
            self._write(known)
        has_news, self._heard = heard > self._heard, heard
        if not is_quiet:
            self._touched_s = now_s
        return has_news, bool(is_quiet)

    def _write(self, known: Known) -> None:
        """What is not written down is not said to be known. Raises CountersUnavailable."""
        try:
            self._is_written = False
            known.keep(self._folder)
        except OSError as error:
            raise unavailable(f"cannot write {self._folder / FILE_NAME}: {error.strerror}") from error
        self._known, self._is_written = known, True

    async def leave(self) -> None:
        """Say that this gateway admits nobody any more, so that no new one waits for it. `run` must have ended."""
        if self._met_epoch:
            ask = {**self._who(self.process), "epoch": self._met_epoch, "step": "leave"}
            self.joined = ""
            with contextlib.suppress(CountersUnavailable):  # they wait for its lease to end instead
                await self._link.call(JOIN, self.join_keys().names, ask)

    def _sums(self) -> Iterator[tuple[Keys, Entry]]:
        """What this gateway has spent and added, by slots, in pieces."""
        keys, sums = self.join_keys(), list[Entry]()
        slots = {budget.counts: Slots(budget) for budget in self.budgets}
        held_of: dict[tuple[object, ...], int] = {}
        parts = list(self._ledger.parts(self.budgets))
        for budget, key, _, _, held, _ in parts:
            held_of[budget.counts, key] = held_of.get((budget.counts, key), 0) + held
        for budget, key, slot, amount, held, changes in parts:
            account = Account(budget, key, slots[budget.counts], slot)
            place = keys.place(account.name)
            held = held_of[budget.counts, key] if account.first else held
            one: Entry = {"key": place, "ttl": account.ttl}
            sums.append({**one, "slot": account.slot, "amount": str(amount), "held": str(held)})
            if changes:
                sums.append({**one, "slot": account.slot, "changes": _told(changes)})
            if len(sums) >= CHUNK:
                yield keys, {"step": "sums", "sums": sums}
                keys, sums = self.join_keys(), []
        if sums:
            yield keys, {"step": "sums", "sums": sums}

    def _end(self) -> tuple[Keys, Entry]:
        """The requests in flight, and their places."""
        keys, counts = self.join_keys(), dict[str, int]()
        for hold in self.holds.values():
            for charge in hold.requests.charges:
                if not charge.spec.window_ms:
                    counts[charge.key] = counts.get(charge.key, 0) + 1
        places = [{"key": keys.place("place:" + key), "count": count} for key, count in counts.items()]
        held = [[name, "wish" if hold.reservation else "limits"] for name, hold in self.holds.items()]
        return keys, {"step": "end", "places": places, "open": held}


def _told(changes: Sequence[TopUp]) -> str:
    """As the scripts read it: for each change its time, what it adds, and what it sets, empty where that is what is
    configured. Amounts are strings: Lua's numbers are not exact. Whatever the clock did, each is later than the one
    before it."""
    told, at_ms = list[tuple[int, str, str | None]](), -1
    for each in changes:
        at_ms = max(each.at_ms, at_ms + 1)
        told.append((at_ms, str(each.amount), _set_to(each)))
    return msgspec.json.encode(told).decode()


def _set_to(change: TopUp) -> str | None:
    if change.configured:
        return ""
    return None if change.set_to is None else str(change.set_to)
