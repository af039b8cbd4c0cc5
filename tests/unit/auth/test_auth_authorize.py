"""Who calls + what they ask for → a grant."""

from typing import Any

import msgspec
import pytest

from gptgate.auth.authorize import authorize, authorize_endpoint, visible_models
from gptgate.core.errors import DialectMismatch, EndpointNotAllowed, ModelNotAllowed, ModelNotFound
from gptgate.core.facts import Principal
from gptgate.core.snapshot import AppSpec, Limits, ModelSpec, ProviderKind, ProviderSpec, ServerSpec, Snapshot
from gptgate.core.wire import Dialect, Endpoint


def provider(name: str, kind: ProviderKind) -> ProviderSpec:
    return ProviderSpec(
        name=name,
        kind=kind,
        base_url="",
        credential=None,
        connect_timeout_ms=1,
        first_byte_timeout_ms=1,
        idle_timeout_ms=1,
        retries=0,
        finish_on_disconnect=False,
    )


def model(name: str, provider: str) -> ModelSpec:
    return ModelSpec(
        name=name,
        provider=provider,
        upstream_name=name,
        context_window=0,
        max_output_tokens=100,
        price=None,
        location="cloud",
    )


APP = AppSpec(
    name="shop",
    team="web",
    models=(),
    limits=Limits(),
    key_limits=Limits(),
    monthly_budget_nano=None,
    content="none",
)
BLANK: dict[str, Any] = {name: 0 if "host" not in name else "" for name in ServerSpec.__struct_fields__}
SERVER = ServerSpec(**BLANK)
SNAPSHOT = Snapshot(
    digest="d",
    server=SERVER,
    providers={
        "oai": provider("oai", ProviderKind.OPENAI),
        "ant": provider("ant", ProviderKind.ANTHROPIC),
        "sim": provider("sim", ProviderKind.SIMULATOR),
    },
    models={"small": model("small", "oai"), "big": model("big", "ant"), "echo": model("echo", "sim")},
    teams=("web",),
    apps={"shop": APP},
    rules=(),
)


def principal(
    models: tuple[str, ...] = (), endpoints: tuple[str, ...] = (), app_models: tuple[str, ...] = ()
) -> Principal:
    app = msgspec.structs.replace(APP, models=app_models)
    return Principal(team="web", app=app, key_id="k", models=models, endpoints=endpoints)


def test_a_grant_names_the_model_and_its_provider() -> None:
    who = principal()
    grant = authorize(who, Endpoint.CHAT, Dialect.OPENAI, "small", SNAPSHOT)
    assert grant.principal is who
    assert (grant.model.name, grant.provider.name) == ("small", "oai")


@pytest.mark.parametrize(
    ("models", "app_models", "allowed"),
    [
        ((), (), True),
        (("small",), (), True),
        ((), ("small",), True),
        (("small", "big"), ("small",), True),
        (("big",), (), False),
        ((), ("big",), False),
        (("small",), ("big",), False),
        (("big",), ("small",), False),
    ],
)
def test_both_the_keys_and_the_apps_list_must_allow_a_model(
    models: tuple[str, ...], app_models: tuple[str, ...], allowed: bool
) -> None:
    who = principal(models, (), app_models)
    if allowed:
        assert authorize(who, Endpoint.CHAT, Dialect.OPENAI, "small", SNAPSHOT).model.name == "small"
    else:
        with pytest.raises(ModelNotAllowed, match="'small'"):
            authorize(who, Endpoint.CHAT, Dialect.OPENAI, "small", SNAPSHOT)
    assert ("small" in [m.name for m in visible_models(who, SNAPSHOT)]) is allowed


def test_a_model_that_does_not_exist_is_not_found_whatever_the_lists_say() -> None:
    for who in (principal(), principal(("none",)), principal(("small",))):
        with pytest.raises(ModelNotFound, match="'none'") as caught:
            authorize(who, Endpoint.CHAT, Dialect.OPENAI, "none", SNAPSHOT)
        assert caught.value.param == "model"


@pytest.mark.parametrize("asked", ["SMALL", "openai/small", "OpenAI/Small", "openai:small"])
def test_a_name_in_another_spelling_is_told_which_model_it_means(asked: str) -> None:
    with pytest.raises(ModelNotFound, match=r"there is no model '.*' here; did you mean 'small'\?"):
        authorize(principal(), Endpoint.CHAT, Dialect.OPENAI, asked, SNAPSHOT)
    for who in (principal(("big",)), principal(app_models=("big",))):  # who may not use a model learns nothing of it
        with pytest.raises(ModelNotFound, match="GET /v1/models lists yours"):
            authorize(who, Endpoint.CHAT, Dialect.OPENAI, asked, SNAPSHOT)


@pytest.mark.parametrize("asked", ["", "/", ":", "small/", "small:", "a/b/small", "smal", "small "])
def test_a_name_that_is_only_like_one_means_none(asked: str) -> None:
    with pytest.raises(ModelNotFound, match="GET /v1/models lists yours"):
        authorize(principal(), Endpoint.CHAT, Dialect.OPENAI, asked, SNAPSHOT)


def test_a_long_name_does_not_fill_the_message() -> None:
    with pytest.raises(ModelNotFound) as caught:
        authorize(principal(), Endpoint.CHAT, Dialect.OPENAI, "x" * 100_000, SNAPSHOT)
    assert len(caught.value.message) < 300


def test_a_key_may_be_bound_to_endpoints() -> None:
    who = principal(endpoints=("messages", "models"))
    assert authorize(who, Endpoint.MESSAGES, Dialect.ANTHROPIC, "big", SNAPSHOT).model.name == "big"
    with pytest.raises(EndpointNotAllowed, match="'chat'"):
        authorize(who, Endpoint.CHAT, Dialect.OPENAI, "small", SNAPSHOT)
    with pytest.raises(EndpointNotAllowed, match="'chat'"):
        authorize(who, Endpoint.CHAT, Dialect.OPENAI, "no such model", SNAPSHOT)
    authorize_endpoint(who, Endpoint.MODELS)
    with pytest.raises(EndpointNotAllowed):
        authorize_endpoint(who, Endpoint.EMBEDDINGS)


@pytest.mark.parametrize(
    ("endpoint", "dialect", "name", "message"),
    [
        (
            Endpoint.CHAT,
            Dialect.OPENAI,
            "big",
            "the provider of the model 'big' speaks the anthropic dialect: use /v1/messages",
        ),
        (
            Endpoint.MESSAGES,
            Dialect.ANTHROPIC,
            "small",
            "the provider of the model 'small' speaks the openai dialect: use /v1/chat/completions",
        ),
        (
            Endpoint.EMBEDDINGS,
            Dialect.OPENAI,
            "big",
            "the provider of the model 'big' speaks the anthropic dialect: it has no such endpoint",
        ),
    ],
)
def test_another_dialect_is_refused_with_what_to_use_instead(
    endpoint: Endpoint, dialect: Dialect, name: str, message: str
) -> None:
    with pytest.raises(DialectMismatch) as caught:
        authorize(principal(), endpoint, dialect, name, SNAPSHOT)
    assert caught.value.message == message
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("endpoint", "dialect"), [(Endpoint.CHAT, Dialect.OPENAI), (Endpoint.MESSAGES, Dialect.ANTHROPIC)]
)
def test_a_provider_that_speaks_both_dialects_serves_both(endpoint: Endpoint, dialect: Dialect) -> None:
    assert authorize(principal(), endpoint, dialect, "echo", SNAPSHOT).provider.name == "sim"


def test_visible_models_are_sorted_by_name() -> None:
    assert [m.name for m in visible_models(principal(), SNAPSHOT)] == ["big", "echo", "small"]
    assert [m.name for m in visible_models(principal(("small", "big"), (), ("big", "echo")), SNAPSHOT)] == ["big"]
