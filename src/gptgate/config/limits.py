"""The section `limits`: what the schema cannot say of it, and what becomes of it."""

from collections.abc import Callable, Iterator, Sequence

from gptgate.config.problem import did_you_mean, shown
from gptgate.config.reader import Reader, Section
from gptgate.core.limit import (
    CONCURRENT_UNITS,
    FAILED_AUTHENTICATIONS,
    IGNORED_RETRY_AFTER,
    REPEATED_REQUESTS,
    Dimension,
    GuardSpec,
    LimitSpec,
    Unit,
)
from gptgate.core.snapshot import AppSpec, Limits

MINUTE_MS = 60_000

_ANSWERS = frozenset({Unit.OUTPUT_TOKENS, Unit.TOTAL_TOKENS})


def check_limits(root: Section, reader: Reader) -> None:
    """Report every limit that refers to nothing, matches nothing, or could not be kept as it stands."""
    for limit in root.sections("limits"):
        _check_window(limit, reader)
        _check_scope(limit, reader)
        if _check_references(limit, root, reader):
            _check_reach(limit, root, reader)


def build_limits(root: Section, apps: Sequence[AppSpec]) -> tuple[LimitSpec, ...]:
    """The limits of a configuration without problems: those that the apps' own settings stand for, and the section."""
    stated = sorted((_limit(item, root) for item in root.sections("limits")), key=lambda spec: spec.name)
    return (*(spec for app in apps for spec in _shorthand(app)), *stated)


def _shorthand(app: AppSpec) -> Iterator[LimitSpec]:
    """The limits that an app's own settings stand for."""
    yield from _in_short(f"apps.{app.name}.limits", Dimension.APP, app, app.limits)
    yield from _in_short(f"apps.{app.name}.key_limits", Dimension.KEY, app, app.key_limits)


def _in_short(name: str, counted: Dimension, app: AppSpec, limits: Limits) -> Iterator[LimitSpec]:
    if limits.requests_per_minute:
        yield LimitSpec(
            name=f"{name}.requests_per_minute",
            scope=(counted,),
            unit=Unit.REQUESTS,
            amount=limits.requests_per_minute,
            window_ms=MINUTE_MS,
            apps=(app.name,),
        )
    if limits.concurrency:
        yield LimitSpec(
            name=f"{name}.concurrency",
            scope=(counted,),
            unit=Unit.CONCURRENT_REQUESTS,
            amount=limits.concurrency,
            apps=(app.name,),
        )


def build_guards(guards: Section) -> GuardSpec:
    """The guards of a configuration without problems."""
    prompt = guards.section("prompt")
    return GuardSpec(
        repeated_requests=_guard(REPEATED_REQUESTS, Dimension.APP, guards.get("repeated_requests")),
        failed_authentications=_guard(FAILED_AUTHENTICATIONS, Dimension.GLOBAL, guards.get("failed_authentications")),
        ignored_retry_after=_guard(IGNORED_RETRY_AFTER, Dimension.KEY, guards.get("ignored_retry_after")),
        prompt_bytes=prompt.get("max_bytes") or 0,
        prompt_tokens=prompt.get("max_tokens") or 0,
    )


def _guard(name: str, counted: Dimension, asked: Section | None) -> LimitSpec | None:
    if asked is None:
        return None
    times, window_ms = asked.get("times"), asked.get("window")
    return LimitSpec(name=name, scope=(counted,), unit=Unit.REQUESTS, amount=times, window_ms=window_ms)


def check_guards(root: Section, reader: Reader) -> None:
    """Report a bound on prompts that the bound on bodies makes idle, and a guard of sessions that bounds nothing."""
    guards = root.section("guards")
    prompt, session = guards.section("prompt"), guards.section("session")
    if "session" in guards.written and not session.written:
        message, hint = "bounds nothing", "requests, tokens or usd; or remove the line"
        reader.report(guards.line_of("session"), f"{guards.path}.session", message, hint)
    bound, body = prompt.get("max_bytes"), root.section("server").get("max_body_bytes")
    if bound is not None and body is not None and bound >= body:
        message = f"never reached: server.max_body_bytes is {body}"
        reader.report(prompt.line_of("max_bytes"), f"{prompt.path}.max_bytes", message, "lower one of them")


def _limit(limit: Section, root: Section) -> LimitSpec:
    match = limit.section("match")
    wanted = {item.value for item in limit.items("scope")}
    narrowed = match.get("teams") is not None or match.get("apps") is not None
    return LimitSpec(
        name=limit.get("name"),
        scope=tuple(dimension for dimension in Dimension if dimension in wanted),
        unit=limit.get("unit"),
        amount=limit.get("amount"),
        window_ms=limit.get("window") or 0,
        apps=tuple(sorted(matched_apps(match, root))) if narrowed else (),
        models=tuple(sorted(item.value for item in match.items("models"))),
        providers=tuple(sorted(item.value for item in match.items("providers"))),
    )


def _check_window(limit: Section, reader: Reader) -> None:
    unit = limit.get("unit")
    if unit in CONCURRENT_UNITS and "window" in limit.written:
        message = "what is counted at a time has no window"
        reader.report(limit.line_of("window"), f"{limit.path}.window", message, "remove the line")
    elif unit is not None and unit not in CONCURRENT_UNITS and "window" not in limit.written:
        reader.report(limit.line, f"{limit.path}.window", "is missing", "window: 1m")


def _check_scope(limit: Section, reader: Reader) -> None:
    scope = [item.value for item in limit.items("scope")]
    if Dimension.GLOBAL in scope and len(scope) > 1:
        message = "global counts everything together and stands alone"
        reader.report(limit.line_of("scope"), f"{limit.path}.scope", message, "remove it, or the others")


def _check_references(limit: Section, root: Section, reader: Reader) -> bool:
    """Whether all names that a limit matches are known."""
    good = True
    for field in ("teams", "apps", "models", "providers"):
        known = tuple(item.get("name") for item in root.sections(field) if item.get("name") is not None)
        for item in limit.section("match").items(field):
            if item.value not in known:
                good = False
                message = f"no {field.removesuffix('s')} is called {shown(item.value)}"
                reader.report(item.line, item.path, message, did_you_mean(item.value, known))
    return good


def _check_reach(limit: Section, root: Section, reader: Reader) -> None:
    """A limit that no request can meet is as wrong as one that no request can pass."""
    match = limit.section("match")
    line, path = limit.line_of("match"), f"{limit.path}.match"
    if match.fields and not matched_apps(match, root):
        reader.report(line, path, "no app is matched, so the limit would never hold")
        return
    models = matched_models(match, root)
    if match.fields and not models:
        reader.report(line, path, "no model is matched, so the limit would never hold")
        return
    amount = limit.get("amount")
    if limit.get("unit") not in _ANSWERS or amount is None:
        return
    for model in models:
        bound = model.get("max_output_tokens")
        if bound is not None and bound > amount:
            # Reserved is the most that an answer can take; a request that sets no bound could never pass.
            message = f"less than max_output_tokens of the model {shown(model.get('name'))}, which is {bound}"
            hint = "raise the amount, or lower the model's max_output_tokens"
            reader.report(limit.line_of("amount"), f"{limit.path}.amount", message, hint)
            return


def matched_apps(match: Section, root: Section) -> list[str]:
    """The apps that a `match` leaves."""
    of_team, of_app = _wanted(match, "teams"), _wanted(match, "apps")
    return [app.get("name") for app in root.sections("apps") if of_team(app.get("team")) and of_app(app.get("name"))]


def matched_models(match: Section, root: Section) -> list[Section]:
    """The models that a `match` leaves."""
    named, provided = _wanted(match, "models"), _wanted(match, "providers")
    return [model for model in root.sections("models") if named(model.get("name")) and provided(model.get("provider"))]


def _wanted(match: Section, field: str) -> Callable[[object], bool]:
    if match.get(field) is None:
        return lambda _name: True
    names = {item.value for item in match.items(field)}
    return names.__contains__
