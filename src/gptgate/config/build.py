"""Checked sections → Snapshot. Runs only when no problem was found, so every value has its type here.

Lists whose order means nothing are sorted: configurations of one meaning have one digest and act the same.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec.structs import replace

from gptgate.config.audit import build_witnesses
from gptgate.config.budgets import build_budgets
from gptgate.config.canonical import digest_of
from gptgate.config.checks import PUBLIC_URLS
from gptgate.config.classifiers import build_classifier
from gptgate.config.counters import build_counters
from gptgate.config.custom import build_custom
from gptgate.config.layers import PACK_LAYER, Layered, layered
from gptgate.config.limits import build_guards, build_limits
from gptgate.config.packs import Pack
from gptgate.config.reader import Section
from gptgate.config.schema_policy import OBLIGATION_FIELDS
from gptgate.config.sinks import build_sink
from gptgate.config.texts import build_texts, class_content
from gptgate.config.types import is_loopback
from gptgate.core.price import MOST_USES, PriceOverride, ToolFee
from gptgate.core.snapshot import (
    ORGANISATION,
    SERVICE_TIERS,
    AppSpec,
    Limits,
    ModelSpec,
    Obligations,
    ProviderKind,
    ProviderSpec,
    RuleSpec,
    ServerSpec,
    Snapshot,
    TokenizerSpec,
)


def build(root: Section, packs: tuple[Pack, ...], detectors: str) -> Snapshot:
    """The Snapshot of a configuration without problems, with these packs and the digest of the detectors."""
    providers = sorted((_provider(item) for item in root.sections("providers")), key=lambda spec: spec.name)
    by_name = {spec.name: spec for spec in providers}
    models = sorted((_model(item, by_name) for item in root.sections("models")), key=lambda spec: spec.name)
    texts = root.section("texts")
    apps = sorted((_app(item, texts) for item in root.sections("apps")), key=lambda spec: spec.name)
    classifiers = sorted((build_classifier(item) for item in root.sections("classifiers")), key=lambda spec: spec.name)
    custom = tuple(build_custom(item) for item in root.section("policy").sections("custom"))
    snapshot = Snapshot(
        digest="",
        server=_server(root.section("server")),
        providers=by_name,
        models={spec.name: spec for spec in models},
        teams=tuple(sorted(item.get("name") for item in root.sections("teams"))),
        apps={spec.name: spec for spec in apps},
        rules=tuple(_rule(item) for item in layered(root, packs)),
        packs=tuple(str(pack) for pack in packs),
        detectors=detectors,
        custom=custom,
        limits=build_limits(root, apps),
        guards=build_guards(root.section("guards")),
        budgets=build_budgets(root),
        sinks=tuple(sorted((build_sink(item) for item in root.sections("sinks")), key=lambda spec: spec.name)),
        counters=build_counters(root),
        texts=build_texts(texts),
        classifiers={spec.name: spec for spec in classifiers},
        max_log_lag_ms=root.section("audit").get("max_lag"),
        witnesses=build_witnesses(root.section("audit")),
    )
    return replace(snapshot, digest=digest_of(snapshot))


def _server(server: Section) -> ServerSpec:
    data, control = server.get("data"), server.get("control")
    return ServerSpec(
        data_host=data.host,
        data_port=data.port,
        control_host=control.host,
        control_port=control.port,
        max_body_bytes=server.get("max_body_bytes"),
        max_answer_bytes=server.get("max_answer_bytes"),
        header_timeout_ms=server.get("header_timeout"),
        body_timeout_ms=server.get("body_timeout"),
        keep_alive_ms=server.get("keep_alive"),
        sse_keep_alive_ms=server.get("sse_keep_alive"),
        drain_ms=server.get("drain"),
        store_timeout_ms=server.get("store_timeout"),
        risk_header=server.get("risk_header"),
        budget_wait_ms=server.get("budget_wait"),
        budget_waiters=server.get("budget_waiters"),
        outgrown=server.get("outgrown"),
    )


def _provider(provider: Section) -> ProviderSpec:
    kind: ProviderKind = provider.get("kind")
    timeouts = provider.section("timeouts")
    stated = provider.get("base_url")
    return ProviderSpec(
        name=provider.get("name"),
        kind=kind,
        base_url=PUBLIC_URLS[kind] if stated is None else stated,
        credential=provider.get("credential"),
        connect_timeout_ms=timeouts.get("connect"),
        first_byte_timeout_ms=timeouts.get("first_byte"),
        idle_timeout_ms=timeouts.get("idle"),
        retries=provider.get("retries"),
        finish_on_disconnect=provider.get("finish_on_disconnect"),
    )


def _location(provider: ProviderSpec) -> str:
    if provider.kind is ProviderKind.SIMULATOR:
        return "local"
    near = provider.kind is ProviderKind.OPENAI_COMPATIBLE and is_loopback(urlsplit(provider.base_url).hostname or "")
    return "local" if near else "cloud"


def _model(model: Section, providers: dict[str, ProviderSpec]) -> ModelSpec:
    name = model.get("name")
    return ModelSpec(
        name=name,
        provider=model.get("provider"),
        upstream_name=model.get("upstream_name") or name,
        context_window=model.get("context_window"),
        max_output_tokens=model.get("max_output_tokens"),
        price=_price(model.get("price")),
        location=model.get("location") or _location(providers[model.get("provider")]),
        service_tiers=dict(_service_tiers(model.section("service_tiers"))),
        calibrated=_calibrated(model.get("calibrated"), providers[model.get("provider")]),
        tokenizer=_tokenizer(model.get("tokenizer")),
        provider_tools=dict(_provider_tools(model, providers[model.get("provider")].kind)),
    )


def _provider_tools(model: Section, kind: ProviderKind) -> Iterator[tuple[str, ToolFee]]:
    """OpenAI's models that search do it once for each request, and no request says more."""
    most = 1 if kind is ProviderKind.OPENAI else MOST_USES
    for tool in model.sections("provider_tools"):
        yield tool.get("name"), ToolFee(thousand=tool.get("per_thousand_uses"), most=tool.get("most_uses") or most)


def _tokenizer(tokenizer: Section | None) -> TokenizerSpec | None:
    if tokenizer is None:
        return None
    return TokenizerSpec(encoding=tokenizer.get("encoding"), file=tokenizer.get("file"))


def _service_tiers(tiers: Section) -> Iterator[tuple[str, int]]:
    for name in SERVICE_TIERS:
        percent = tiers.get(name)
        if percent is not None:
            yield name, percent


def _calibrated(stated: bool | None, provider: ProviderSpec) -> bool:
    """Local servers may cut a conversation that is too long for them, and count what is left."""
    return provider.kind is not ProviderKind.OPENAI_COMPATIBLE if stated is None else stated


def _price(price: Section | str | None) -> PriceOverride | None:
    if price is None:
        return None
    if isinstance(price, str):  # the only word the schema lets through is `free`
        return PriceOverride(free=True)
    return PriceOverride(
        input=price.get("input_per_million"),
        output=price.get("output_per_million"),
        cache_read=price.get("cache_read_per_million"),
        cache_write=price.get("cache_write_per_million"),
        audio_input=price.get("audio_input_per_million"),
        audio_output=price.get("audio_output_per_million"),
        image_input=price.get("image_input_per_million"),
        image_output=price.get("image_output_per_million"),
        request=price.get("per_request"),
    )


def _limits(limits: Section) -> Limits:
    return Limits(
        requests_per_minute=limits.get("requests_per_minute") or 0,
        concurrency=limits.get("concurrency") or 0,
    )


def _app(app: Section, texts: Section) -> AppSpec:
    return AppSpec(
        name=app.get("name"),
        team=app.get("team"),
        models=_sorted(app, "models"),
        limits=_limits(app.section("limits")),
        key_limits=_limits(app.section("key_limits")),
        monthly_budget_nano=app.section("budget").get("monthly_usd"),
        content=app.get("content"),
        class_content=class_content(app, texts),
    )


def _rule(item: Layered) -> RuleSpec:
    rule = item.section
    return RuleSpec(
        id=item.id,
        stage=rule.get("stage"),
        effect=rule.get("effect"),
        findings=_sorted(rule, "findings"),
        origins=tuple(sorted(origin.value for origin in rule.items("origins"))),
        min_score=rule.get("min_score"),
        min_points=rule.get("min_points"),
        when=rule.get("when") or "",
        apps=_sorted(rule, "apps"),
        models=_sorted(rule, "models"),
        message=rule.get("message") or "",
        public=rule.get("public"),
        mode=rule.get("mode"),
        rollout_percent=rule.get("rollout_percent"),
        layer=ORGANISATION if item.layer == PACK_LAYER else item.layer,
        overridable=rule.get("overridable"),
        overrides=_sorted(rule, "overrides"),
        obligations=_obligations(rule.section("obligations")),
    )


def _obligations(asked: Section) -> Obligations:
    stated = {name: asked.get(name) for name in OBLIGATION_FIELDS}
    return Obligations(**{name: value for name, value in stated.items() if value is not None})


def _sorted(section: Section, name: str) -> tuple[str, ...]:
    return tuple(sorted(item.value for item in section.items(name)))
