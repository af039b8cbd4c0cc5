"""Step 3: who calls + what they ask for → a grant, or a refusal that says what would have been right."""

from collections.abc import Mapping

from gptgate.core.errors import DialectMismatch, EndpointNotAllowed, ModelNotAllowed, ModelNotFound
from gptgate.core.facts import Grant, Principal
from gptgate.core.snapshot import ModelSpec, Snapshot
from gptgate.core.wire import PATHS, Dialect, Endpoint

_COUNTERPART: Mapping[Endpoint, Endpoint] = {
    Endpoint.CHAT: Endpoint.MESSAGES,
    Endpoint.MESSAGES: Endpoint.CHAT,
}
"""The endpoint that does the same in the other dialect. Embeddings and token counting exist in one dialect only."""

_PATH: Mapping[Endpoint, str] = {endpoint: path for path, (endpoint, _, _) in PATHS.items()}
_SHOWN_NAME = 100


def authorize(principal: Principal, endpoint: Endpoint, dialect: Dialect, model_name: str, snapshot: Snapshot) -> Grant:
    """The principal may use this model at this endpoint.

    Both the key's and the app's allow lists must allow the model; an empty list restricts nothing. Raises
    EndpointNotAllowed, ModelNotFound, ModelNotAllowed, and DialectMismatch when the model's provider does not speak
    the request's dialect.
    """
    authorize_endpoint(principal, endpoint)
    model = snapshot.models.get(model_name)
    if model is None:
        message = f"there is no model {_shown(model_name)} here; {_meant(principal, model_name, snapshot)}"
        raise ModelNotFound(message, param="model")
    if not _may_use(principal, model_name):
        raise ModelNotAllowed(f"this API key may not use the model {_shown(model_name)}", param="model")
    provider = snapshot.providers[model.provider]
    if dialect not in provider.dialects:
        raise DialectMismatch(_mismatch(endpoint, model_name, provider.dialects), param="model")
    return Grant(principal=principal, model=model, provider=provider)


def reroute(grant: Grant, dialect: Dialect, model_name: str, snapshot: Snapshot) -> Grant:
    """The same principal may use the model that a rule names instead: the rule's word suffices, whatever models the
    principal may ask for.

    Raises ModelNotFound, and DialectMismatch when that model's provider does not speak the request's dialect.
    """
    model = snapshot.models.get(model_name)
    if model is None:
        raise ModelNotFound(f"a rule sends this request to the model {_shown(model_name)}, which is not here")
    provider = snapshot.providers[model.provider]
    if dialect not in provider.dialects:
        message = f"a rule sends this request to the model {_shown(model_name)}, which does not speak its dialect"
        raise DialectMismatch(message)
    return Grant(principal=grant.principal, model=model, provider=provider)


def authorize_endpoint(principal: Principal, endpoint: Endpoint) -> None:
    """Raises EndpointNotAllowed when the principal's key is restricted to other endpoints."""
    if principal.endpoints and endpoint not in principal.endpoints:
        raise EndpointNotAllowed(f"this API key may not use the endpoint {endpoint.value!r}")


def visible_models(principal: Principal, snapshot: Snapshot) -> list[ModelSpec]:
    """The models that the principal may use, sorted by name."""
    return [model for name, model in sorted(snapshot.models.items()) if _may_use(principal, name)]


def _may_use(principal: Principal, name: str) -> bool:
    own, apps = principal.models, principal.app.models
    return (not own or name in own) and (not apps or name in apps)


def _mismatch(endpoint: Endpoint, model_name: str, spoken: frozenset[Dialect]) -> str:
    dialects = " and ".join(sorted(dialect.value for dialect in spoken))
    other = _COUNTERPART.get(endpoint)
    instead = f"use {_PATH[other]}" if other is not None else "it has no such endpoint"
    return f"the provider of the model {_shown(model_name)} speaks the {dialects} dialect: {instead}"


def _meant(principal: Principal, name: str, snapshot: Snapshot) -> str:
    """The model that the name means when case and what other gateways put before it (``openai/``) are left out."""
    folded = name.casefold()
    wanted = {folded, folded.partition("/")[2], folded.partition(":")[2]}
    for model in visible_models(principal, snapshot):
        if model.name.casefold() in wanted:
            return f"did you mean {_shown(model.name)}?"
    return "GET /v1/models lists yours"


def _shown(name: str) -> str:
    """A name out of a request, quoted and bounded, for a message."""
    return repr(name if len(name) <= _SHOWN_NAME else name[:_SHOWN_NAME] + "…")
