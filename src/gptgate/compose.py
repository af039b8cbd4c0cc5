"""Composition root: the only module that names concrete classes. Snapshot and data folder → a running App."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from gptgate import __version__
from gptgate.auth.authenticate import KeyAuthenticator
from gptgate.auth.authorize import authorize, authorize_endpoint, reroute, visible_models
from gptgate.auth.directory import KeyTable
from gptgate.core.snapshot import ServerSpec, Snapshot
from gptgate.cost.ceiling import ceiling_tokens
from gptgate.cost.conversations import Conversations
from gptgate.cost.prices import GenaiPriceBook
from gptgate.couriers import Couriers
from gptgate.detectors import KINDS, build_inspector
from gptgate.detectors.canary import Canaries
from gptgate.http.app import DataPlane
from gptgate.installed import read_config
from gptgate.limits.memory import MemoryLimiter
from gptgate.outside import Outside, Surroundings
from gptgate.pipeline.charged import ChargedBudgets
from gptgate.pipeline.crowd import Crowd
from gptgate.pipeline.gate import Gate
from gptgate.pipeline.services import Headers, Services
from gptgate.pipeline.turns import Pulse
from gptgate.policy.engine import compile_policy
from gptgate.policy.redact import Rewriting
from gptgate.providers.headers import answer_headers, provider_request_id, request_headers
from gptgate.providers.models_list import render_model, render_models
from gptgate.providers.registry import ADAPTERS
from gptgate.retention import keep_retention
from gptgate.sharing import Sharing, own_ledger
from gptgate.sinks.registry import SINKS
from gptgate.storage.approval_desk import ApprovalDesk
from gptgate.storage.compiled import CompiledPatterns
from gptgate.storage.errors import StorageError
from gptgate.storage.events import CONFIG_APPLIED, GATEWAY_STARTED, GATEWAY_STOPPED, record_event
from gptgate.storage.folder import rewriting_secret
from gptgate.storage.keys import KeyStore
from gptgate.storage.sqlite import SqliteStore
from gptgate.telemetry import catalog
from gptgate.telemetry.log import LineWriter, get_logger
from gptgate.telemetry.metrics import Metrics
from gptgate.telemetry.sink import Telemetry
from gptgate.tokenizers import Tokenizers
from gptgate.treasury import Treasury
from gptgate.upstream.classifiers.client import HttpClassifier
from gptgate.upstream.client import HttpUpstream
from gptgate.wiring import (
    Credentials,
    Edge,
    IdSource,
    SystemClock,
    check_unchanged,
    configuration_event,
    informed,
    open_store,
    standard_output,
)
from gptgate.witnessing import Witnessing

CONFIG_NAME = "gptgate.yaml"
KEY_POLL_S = 1.0
SINKS_END_S = 2.0
"""How long the end waits for a delivery that is under way. One that takes longer comes again at the next start."""
HEADERS = Headers(request=request_headers, answer=answer_headers, provider_request_id=provider_request_id)


class App:
    """The gateway, composed: state that outlives a Snapshot, and the Gate of the Snapshot in force.

    Make it with `open`, in the event loop that serves; `close` it at the end.
    """

    def __init__(self, folder: Path, config: Path, store: SqliteStore, snapshot: Snapshot, lines: LineWriter) -> None:
        """For `open` only."""
        self.config = config
        self.store = store
        self._folder = folder
        self.clock = SystemClock()
        self.logger = get_logger()
        self.pulse = Pulse()
        self._key_store = KeyStore(folder)
        self._approvals = ApprovalDesk(folder)
        self._key_version = self._key_store.data_version()
        self._keys = KeyTable(self._key_store.all())
        self._keys_fault = ""
        self._limiter = MemoryLimiter()
        self._conversations, self._tokenizers = Conversations(), Tokenizers(self.logger)
        self._patterns = CompiledPatterns(folder)
        self._inspector = build_inspector(cache=self._patterns, custom=snapshot.custom)
        self._custom = snapshot.custom
        self._secret = rewriting_secret(folder)
        self._couriers = Couriers(folder, SINKS)
        self._canaries = Canaries(self._secret)
        self._credentials = Credentials(self.clock)
        self._metrics = Metrics(
            kinds=KINDS, in_flight=lambda: self.data_plane.in_flight, queues=self._queues(), gauges=self._gauges()
        )
        self._treasury = Treasury(folder, self.clock, self._metrics, self.logger, own_ledger(snapshot))
        self._treasury.start(snapshot.budgets)
        self._crowd = Crowd(self._treasury.ledger)
        self._sharing = Sharing(snapshot, folder, self.clock, self._treasury, self.logger)
        self._witnessing = Witnessing(folder, self.clock, self._metrics, self.logger)
        self.telemetry = Telemetry(metrics=self._metrics, lines=lines, clock=self.clock, logger=self.logger)
        self.data_plane = DataPlane(self._in_force, self.clock, IdSource(self.clock), Edge(self.telemetry, self.logger))
        self._surroundings = Surroundings(config)
        self.snapshot = snapshot
        self._gate: Gate
        self._outside: Outside
        self._upstream: HttpUpstream
        self._retired: dict[Gate, HttpUpstream] = {}
        """Gates of replaced Snapshots that still have requests, and their connections."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._applying = asyncio.Lock()

    @classmethod
    async def open(cls, folder: Path, config: Path, *, lines: LineWriter | None = None) -> "App":
        """Load the configuration, open the store, recover what a crash left. Raises ConfigError or StorageError."""
        snapshot = read_config(config)
        clock = SystemClock()
        store = open_store(folder, clock, snapshot)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(store.close, deadline_ms=1000)
            app = cls(folder, config, store, snapshot, standard_output() if lines is None else lines)
            undo.push_async_callback(app._let_go)
            undo.push_async_callback(app._witnessing.close)
            await app._install(snapshot)
            undo.push_async_callback(app._upstream.close)
            await app._sharing.agree()
            await app._record(GATEWAY_STARTED, {"version": __version__, "recovered": store.recovered})
            await app._record(CONFIG_APPLIED, configuration_event(snapshot))
            undo.pop_all()
        app._sharing.start(snapshot.budgets, app._treasury)
        app._spawn(app.telemetry.run())
        app._spawn(app._watch_keys())
        app._spawn(keep_retention(folder, clock, lambda: app.snapshot.texts, app.logger))
        return app

    @property
    def key_count(self) -> int:
        return len(self._keys)

    async def apply_config(self) -> tuple[str, bool]:
        """Load the file again, read the secrets that it refers to, and swap atomically.

        The digest in force, and whether anything changed: a rotated secret does, though the digest stays.

        A broken file raises ConfigError and changes nothing; requests in flight keep the Snapshot they began with.
        """
        async with self._applying:
            # A large file takes seconds to read. Requests do not wait for it.
            snapshot = await asyncio.to_thread(read_config, self.config)
            if snapshot.digest == self.snapshot.digest and await self._surroundings.of(snapshot) == self._outside:
                return snapshot.digest, False
            check_unchanged(self.config, self.snapshot, snapshot)
            old_gate, old_upstream = self._gate, self._upstream
            async with self._treasury.entering(snapshot.budgets, self.store):
                # On record before it decides anything. Should the rest fail, it is on record and never decided.
                await self._record(CONFIG_APPLIED, configuration_event(snapshot))
                await self._install(snapshot)
            self._retired[old_gate] = old_upstream
            self._spawn(self._retire(old_gate))
            self.logger.info("configuration applied", digest=snapshot.digest)
            return snapshot.digest, True

    async def refresh_keys(self) -> int:
        """Read the keys anew; how many there are."""
        return self.load_keys()

    def load_keys(self) -> int:
        """Read the keys anew; how many there are. The version is read first: a change in between is seen next time."""
        version = self._key_store.data_version()
        self._keys.replace(self._key_store.all())
        self._key_version = version
        return len(self._keys)

    def readiness(self) -> list[str]:
        """Why the gateway is not ready; empty when it is."""
        reasons = [self._keys_fault, "shutting down" if self.data_plane.draining else ""]
        forks, counters = self._witnessing.forks(), self._sharing.readiness()
        return [*self.store.healthy(), *forks, *counters, *filter(None, reasons)]

    def status(self) -> dict[str, object]:
        """What an operator asks first."""
        return {
            "config_digest": self.snapshot.digest,
            "keys": len(self._keys),
            "in_flight": self.data_plane.in_flight,
            "recovered": self.store.recovered,
            "models": sorted(self.snapshot.models),
            "log_entries": self.store.stats().log_size,
            "witnesses": self._witnessing.status(),
            "sinks": self._couriers.status(self.store.stats().log_size),
        }

    async def close(self) -> None:
        """Finish what outlives its caller, flush records and lines. Raises StorageError when records could not be
        written.
        """
        await self._drain()
        await self._witnessing.close()
        await self._sharing.close(self.snapshot.server.store_timeout_ms)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for upstream in (*self._retired.values(), self._upstream):
            await upstream.close()
        try:
            await self._record(GATEWAY_STOPPED, {})
            await self.store.close(deadline_ms=self.snapshot.server.store_timeout_ms)
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        await self._surroundings.close()
        await asyncio.to_thread(self._couriers.close, SINKS_END_S)
        await self._treasury.close()
        self._key_store.close()
        self._approvals.close()
        self.telemetry.close()

    async def _record(self, kind: str, fields: Mapping[str, object]) -> None:
        """An event of the gateway's own, durable. Raises StorageError."""
        await asyncio.to_thread(record_event, self._folder, self.clock.wall_ms(), kind, fields)

    async def _drain(self) -> None:
        """Wait for what outlives its caller, under the Snapshot in force and under replaced ones; cut it short then."""
        gates = [self._gate, *self._retired]
        try:
            async with asyncio.timeout(self.snapshot.server.drain_ms / 1000):
                for gate in gates:
                    await gate.drain()
        except TimeoutError:
            for gate in gates:
                gate.abandon()
            for gate in gates:
                await gate.drain()

    async def _retire(self, gate: Gate) -> None:
        """Close a replaced Snapshot's connections once its last request is done."""
        await gate.idle()
        self._treasury.retire(gate.budgets)
        await self._retired[gate].close()
        del self._retired[gate]

    async def _install(self, snapshot: Snapshot) -> None:
        """Build everything for a Snapshot first, then switch to it in one step."""
        outside = await self._surroundings.of(snapshot)
        tokens = await asyncio.to_thread(self._tokenizers.load, snapshot, str(self.config))
        if snapshot.custom != self._custom:
            # Compiling takes a second. Requests do not wait for it.
            self._inspector = await asyncio.to_thread(build_inspector, cache=self._patterns, custom=snapshot.custom)
            self._custom = snapshot.custom
        async with HttpUpstream.built(outside.targets) as upstream:
            known = self._credentials.change(outside.targets.values(), outside.other_secrets)
            inspector = informed(self._inspector, snapshot, known, self._canaries)
            services = self._services(snapshot, upstream, outside.classifiers)
            gate = Gate(replace(services, inspector=inspector, tokens=tokens))
            self.telemetry.configure(snapshot)
            self._treasury.install(gate.budgets)
        self.store.max_log_lag_ns = snapshot.max_log_lag_ms * 1_000_000
        self._witnessing.change(snapshot.witnesses, outside.witnesses)
        self.snapshot, self._outside, self._upstream, self._gate = snapshot, outside, upstream, gate
        self._couriers.change(snapshot.sinks, outside.sinks)

    def _services(self, snapshot: Snapshot, upstream: HttpUpstream, secrets: Mapping[str, str]) -> Services:
        kinds = {provider.name: provider.kind for provider in snapshot.providers.values()}
        return Services(
            snapshot=snapshot,
            budgets=ChargedBudgets(snapshot.budgets),
            clock=self.clock,
            authenticator=KeyAuthenticator(self._keys, snapshot.apps),
            authorize=authorize,
            reroute=reroute,
            authorize_endpoint=authorize_endpoint,
            visible_models=visible_models,
            render_models=render_models,
            render_model=render_model,
            adapters=ADAPTERS,
            limiter=self._limiter,
            inspector=self._inspector,
            policy=compile_policy(snapshot.rules, snapshot.digest),
            redaction=Rewriting(self._secret),
            canary=self._canaries.text,
            prices=GenaiPriceBook(kinds),
            ceiling=ceiling_tokens,
            conversations=self._conversations,
            ledger=self._treasury.ledger,
            crowd=self._crowd,
            store=self.store,
            upstream=upstream,
            headers=HEADERS,
            observer=self.telemetry,
            approvals=self._approvals,
            pulse=self.pulse,
            counters=self._sharing.counters,
            classifiers={
                name: HttpClassifier(spec, secrets.get(name, ""), upstream, self.clock)
                for name, spec in snapshot.classifiers.items()
            },
        )

    def _in_force(self) -> tuple[Gate, ServerSpec]:
        return self._gate, self.snapshot.server

    def _queues(self) -> dict[str, Callable[[], int]]:
        return {
            "store_rows": lambda: self.store.stats().pending_rows,
            "store_ends": lambda: self.store.stats().waiting_ends,
        }

    def _gauges(self) -> dict[str, Callable[[], Mapping[tuple[str, ...], float]]]:
        return {
            catalog.LOG_ENTRIES: lambda: {(): self.store.stats().log_size},
            catalog.LOG_LAG: lambda: {(): self.store.stats().log_lag_rows},
            catalog.LOG_LAG_SECONDS: lambda: {(): self.store.stats().log_lag_ns / 1e9},
            catalog.WITNESS_BEHIND: lambda: self._witnessing.behind(self.store.stats().log_size),
            catalog.SINK_LAG: lambda: self._couriers.lags(self.store.stats().log_size),
            catalog.SINK_FAILURES: self._couriers.failures,
            catalog.SINK_REFUSED: self._couriers.refused,
        }

    async def _watch_keys(self) -> None:
        """Other processes change keys too: whatever they forgot to announce is seen within a second."""
        while True:
            await asyncio.sleep(KEY_POLL_S)
            try:
                if self._key_store.data_version() != self._key_version:
                    self.load_keys()
                self._treasury.refresh()
            except StorageError as error:
                if not self._keys_fault:
                    self.logger.error("the keys cannot be read; those known stay in force", problem=error.message)
                self._keys_fault = f"changes of keys cannot be seen: {error.message}"
            else:
                self._keys_fault = ""

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
