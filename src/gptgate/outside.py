"""Where a Snapshot leads to outside the process: addresses, and the secrets that are presented there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gptgate.auth.keys import PREFIX
from gptgate.config.problem import ConfigError, Problem
from gptgate.config.secrets import resolve
from gptgate.core.beside import ClassifierSpec, SinkSpec, WitnessSpec
from gptgate.core.snapshot import ProviderKind, ProviderSpec, Snapshot
from gptgate.providers.headers import credential_headers
from gptgate.simulator.server import SimulatorServer
from gptgate.upstream.classifiers.client import target_name
from gptgate.upstream.target import Target


@dataclass(frozen=True, slots=True)
class Outside:
    """What a Snapshot comes to, with secrets as values. The last three are secrets by the names of those that have one.

    Two of the same Snapshot differ where a secret was renewed in between.
    """

    targets: Mapping[str, Target]
    classifiers: Mapping[str, str]
    witnesses: Mapping[str, str]
    sinks: Mapping[str, str]

    @property
    def other_secrets(self) -> tuple[Mapping[str, str], ...]:
        """Those that are in no target's headers."""
        return self.classifiers, self.witnesses, self.sinks


class Surroundings:
    """Resolves Snapshots, and has the simulator where one names it without an address. The caller must `close`."""

    def __init__(self, config: Path) -> None:
        """`config` is named in problems."""
        self._config = config
        self._simulator: SimulatorServer | None = None

    async def of(self, snapshot: Snapshot) -> Outside:
        """Raises ConfigError, with all problems of the providers, or the first of the others."""
        targets: dict[str, Target] = {}
        problems: list[Problem] = []
        for provider in snapshot.providers.values():
            base_url = provider.base_url
            if provider.kind is ProviderKind.SIMULATOR and not base_url:
                base_url = await self._simulator_url()
            try:
                secret = self._secret(provider)
            except ConfigError as error:
                problems += error.problems
                continue
            targets[provider.name] = Target(base_url=base_url, headers=credential_headers(provider.kind, secret))
        if problems:
            raise ConfigError(problems)
        for name, spec in snapshot.classifiers.items():
            targets[target_name(name)] = Target(base_url=spec.base_url)
        return Outside(
            targets=targets,
            classifiers=_secrets(snapshot.classifiers.values()),
            witnesses=_secrets(snapshot.witnesses),
            sinks=_secrets(snapshot.sinks),
        )

    async def close(self) -> None:
        """Stop the simulator."""
        if self._simulator is not None:
            await self._simulator.stop()

    def _secret(self, provider: ProviderSpec) -> str:
        secret = resolve(provider.credential) if provider.credential else ""
        if secret.startswith(PREFIX):
            # A caller's environment, taken over: the key of the gateway would go to the provider.
            what = f"provider '{provider.name}': {provider.credential} holds a key of this gateway, not the provider's"
            raise ConfigError([Problem(str(self._config), 0, "providers", what)])
        return secret

    async def _simulator_url(self) -> str:
        if self._simulator is None:
            server = SimulatorServer()
            await server.start()
            self._simulator = server
        return self._simulator.base_url


def _secrets(specs: Iterable[ClassifierSpec | WitnessSpec | SinkSpec]) -> dict[str, str]:
    """Raises ConfigError."""
    return {spec.name: resolve(spec.credential) for spec in specs if spec.credential}
