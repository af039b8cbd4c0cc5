"""Names that conditions look for: one that does not exist would make its rule silent for good."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from gptgate.config.kind_names import near_kind
from gptgate.config.problem import did_you_mean, shown
from gptgate.config.reader import Section
from gptgate.config.schema import LOCATIONS
from gptgate.core.condition import ConditionName
from gptgate.core.finding import Origin
from gptgate.core.snapshot import ENDPOINT_NAMES
from gptgate.core.wire import Dialect, Endpoint

CONTEXT = ("context.untrusted_origin", "context.tools_in_reach", "context.outside")
"""The parts of a risk score that are no categories of kinds."""
WORDS: Mapping[str, str] = {
    "kinds": "kind of finding",
    "risk.parts": "part of the risk score",
    "failures": "classifier",
    "origin": "origin",
    "principal.team": "team",
    "principal.app": "app",
    "request.endpoint": "endpoint",
    "request.dialect": "dialect",
    "model.name": "model",
    "model.provider": "provider",
    "model.location": "location",
}
"""Whose names a condition looks for → what one of them is called."""
FEW = 8
"""So many names are listed where none is near."""


class Names:
    """The names that there are under one configuration, for each of `WORDS`."""

    def __init__(self, root: Section, kinds: Collection[str]) -> None:
        self._known: Mapping[str, Sequence[str]] = {
            "kinds": sorted(kinds),
            "risk.parts": [*categories(kinds), *CONTEXT],
            "failures": [f"external.{name}" for name in _names(root, "classifiers")],
            "origin": [origin.value for origin in Origin],
            "principal.team": _names(root, "teams"),
            "principal.app": _names(root, "apps"),
            "request.endpoint": [
                name for name in ENDPOINT_NAMES if name != Endpoint.MODELS
            ],  # on which no rule decides
            "request.dialect": [dialect.value for dialect in Dialect],
            "model.name": _names(root, "models"),
            "model.provider": _names(root, "providers"),
            "model.location": LOCATIONS,
        }

    def problem(self, name: ConditionName) -> tuple[str, str]:
        """What is wrong with a name, and a hint; both empty where it exists."""
        known = self._known[name.of]
        if name.value in known or (name.begins and any(one.startswith(name.value) for one in known)):
            return "", ""
        few = f"known: {', '.join(known)}" if 0 < len(known) <= FEW else ""
        what = f"no {WORDS[name.of]} begins with" if name.begins else f"no {WORDS[name.of]} is called"
        near = near_kind if name.of == "kinds" else did_you_mean
        return f"{what} {shown(name.value)}", near(name.value, known) or few


def categories(kinds: Iterable[str]) -> list[str]:
    """What stands before the first dot of the kinds that have one."""
    return sorted({kind.partition(".")[0] for kind in kinds if "." in kind})


def _names(root: Section, list_name: str) -> list[str]:
    return [name for item in root.sections(list_name) if (name := item.get("name"))]
