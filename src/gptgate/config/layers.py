"""The rules of a configuration, layer by layer: packs, organisation, teams, apps."""

from collections.abc import Iterator
from typing import NamedTuple

from gptgate.config.packs import Pack
from gptgate.config.reader import Section
from gptgate.core.snapshot import ORGANISATION

PACK_LAYER = "pack"
RANKS = (PACK_LAYER, ORGANISATION, "team", "app")


class Layered(NamedTuple):
    """A rule's section with its layer: ``pack``, ``organisation``, ``team:NAME`` or ``app:NAME``. `team` is the team
    that a layer below the organisation belongs to."""

    section: Section
    layer: str
    prefix: str = ""
    team: str = ""

    @property
    def id(self) -> str:
        """The id in records, that of a pack's rule with the pack's name; ``""`` when it could not be read."""
        name = self.section.get("id")
        return f"{self.prefix}{name}" if name else ""

    @property
    def rank(self) -> int:
        """How far down the layer is; a rule may override rules of smaller rank only."""
        return RANKS.index(self.layer.partition(":")[0])

    def is_above(self, other: "Layered") -> bool:
        """Whether this rule holds wherever the other's layer does, and comes from a layer above it."""
        below_team = self.layer == f"team:{other.team}" or not self.layer.startswith("team:")
        return self.rank < other.rank and below_team


def layered(root: Section, packs: tuple[Pack, ...]) -> Iterator[Layered]:
    """All rules in the order of the Snapshot: lower layers later, teams and apps by name."""
    for pack in packs:
        for rule in pack.rules:
            yield Layered(rule, PACK_LAYER, f"{pack.name}/")
    for rule in root.section("policy").sections("rules"):
        yield Layered(rule, ORGANISATION)
    for team in _by_name(root.sections("teams")):
        for rule in team.section("policy").sections("rules"):
            yield Layered(rule, f"team:{team.get('name')}", team=team.get("name") or "")
    for app in _by_name(root.sections("apps")):
        for rule in app.section("policy").sections("rules"):
            yield Layered(rule, f"app:{app.get('name')}", team=app.get("team") or "")


def _by_name(sections: tuple[Section, ...]) -> list[Section]:
    return sorted(sections, key=lambda section: section.get("name") or "")
