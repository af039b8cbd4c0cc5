"""Which limits a request falls under, and what it is charged: worked out once for each Snapshot as far as it can be."""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from gptgate.core.facts import Grant, Principal
from gptgate.core.limit import TOKEN_UNITS, Charge, Dimension, LimitSpec, Unit
from gptgate.core.snapshot import Snapshot

REMEMBERED_KEYS = 10_000
_OF_PRINCIPAL = frozenset({Dimension.GLOBAL, Dimension.TEAM, Dimension.APP, Dimension.KEY})
_OF_MODEL = frozenset({Dimension.MODEL, Dimension.PROVIDER})
_OF_NAMES = frozenset({Dimension.END_USER, Dimension.SESSION})


class Names(NamedTuple):
    """What the application says of a request."""

    end_user: str = ""
    session: str = ""


UNNAMED = Names()


class LimitPlan:
    """The limits of a Snapshot by app, in three parts: those that the caller alone decides, whose charges are made once
    for each key; those that the request decides too; and those of tokens, which are known once it is encoded.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._fixed: dict[str, tuple[LimitSpec, ...]] = {}
        self._varying: dict[str, tuple[LimitSpec, ...]] = {}
        self._tokens: dict[str, tuple[LimitSpec, ...]] = {}
        self._named: dict[str, bool] = {}
        self._charges: dict[str, tuple[Charge, ...]] = {}
        for name in snapshot.apps:
            applying = [spec for spec in snapshot.limits if not spec.apps or name in spec.apps]
            counted = [spec for spec in applying if spec.unit not in TOKEN_UNITS]
            self._fixed[name] = tuple(spec for spec in counted if _is_fixed(spec))
            self._varying[name] = tuple(spec for spec in counted if not _is_fixed(spec))
            self._tokens[name] = tuple(spec for spec in applying if spec.unit in TOKEN_UNITS)
            self._named[name] = any(_OF_NAMES.intersection(spec.scope) for spec in applying)

    def of_caller(self, principal: Principal) -> tuple[Charge, ...]:
        """One request of this caller, whatever it asks for."""
        found = self._charges.get(principal.key_id)
        if found is None:
            if len(self._charges) >= REMEMBERED_KEYS:
                self._charges.clear()
            found = tuple(Charge(spec, _key(spec, principal), 1) for spec in self._fixed[principal.app.name])
            self._charges[principal.key_id] = found
        return found

    def is_fixed(self, app: str) -> bool:
        """Whether the caller alone decides which limits hold."""
        return not self._varying[app]

    def asks_for_names(self, app: str) -> bool:
        """Whether a limit counts end users or sessions apart."""
        return self._named[app]

    def has_tokens(self, app: str) -> bool:
        """Whether tokens are limited."""
        return bool(self._tokens[app])

    def of_request(self, principal: Principal, grant: Grant | None, names: Names, stream: bool) -> tuple[Charge, ...]:
        """One request, all that can be charged before its tokens are known. A request without a grant asks for no
        model, so limits that look at the model do not hold."""
        varying = tuple(
            Charge(spec, _key(spec, principal, grant, names), 1)
            for spec in _matching(self._varying[principal.app.name], grant)
            if stream or spec.unit is not Unit.CONCURRENT_STREAMS
        )
        return self.of_caller(principal) + varying

    def of_tokens(self, grant: Grant, names: Names, input_tokens: int, output_tokens: int) -> tuple[Charge, ...]:
        """The most tokens that a request can take; nothing where it takes none."""
        return tuple(
            Charge(spec, _key(spec, grant.principal, grant, names), amount)
            for spec in _matching(self._tokens[grant.principal.app.name], grant)
            if (amount := tokens_of(spec.unit, input_tokens, output_tokens))
        )


def tokens_of(unit: Unit, input_tokens: int, output_tokens: int) -> int:
    """How many of these tokens a limit of this unit counts."""
    if unit is Unit.INPUT_TOKENS:
        return input_tokens
    return output_tokens if unit is Unit.OUTPUT_TOKENS else input_tokens + output_tokens


def _is_fixed(spec: LimitSpec) -> bool:
    narrowed = spec.models or spec.providers or spec.unit is Unit.CONCURRENT_STREAMS
    return not narrowed and _OF_PRINCIPAL.issuperset(spec.scope)


def _matching(specs: tuple[LimitSpec, ...], grant: Grant | None) -> Iterator[LimitSpec]:
    for spec in specs:
        if grant is None:
            if not (spec.models or spec.providers or _OF_MODEL.intersection(spec.scope)):
                yield spec
        elif (not spec.models or grant.model.name in spec.models) and (
            not spec.providers or grant.provider.name in spec.providers
        ):
            yield spec


def _key(spec: LimitSpec, principal: Principal, grant: Grant | None = None, names: Names = UNNAMED) -> str:
    """The counter's key. No value of the configuration holds the character that parts them, and what a caller names is
    hashed: of a fixed length, and nobody's name."""
    parts = [spec.name]
    for dimension in spec.scope:
        match dimension:
            case Dimension.GLOBAL:
                parts.append("")
            case Dimension.TEAM:
                parts.append(principal.team)
            case Dimension.APP:
                parts.append(principal.app.name)
            case Dimension.KEY:
                parts.append(principal.key_id)
            case Dimension.END_USER:
                parts.append(_hashed(names.end_user))
            case Dimension.SESSION:
                parts.append(session_key(principal, names.session))
            case Dimension.MODEL:
                parts.append(grant.model.name if grant else "")
            case Dimension.PROVIDER:
                parts.append(grant.provider.name if grant else "")
    return "|".join(parts)


def session_key(principal: Principal, session: str) -> str:
    """A session belongs to its app: another app's of the same name is another."""
    return _hashed(f"{principal.app.name}|{session}")


def _hashed(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
